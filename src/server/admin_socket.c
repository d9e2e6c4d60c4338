/* admin_socket.c: see admin_socket.h. */
#include "admin_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/net/listener.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err
set_path(struct admin_socket *socket, const char *path, struct fault *fault)
{
    if (path == NULL)
        return admin_path_default(true, socket->path, fault);
    enum err err = admin_path_check(span_of_text(path), fault);
    if (err == ERR_NONE)
        snprintf(socket->path, sizeof socket->path, "%s", path);
    return err;
}

enum err
admin_socket_open(struct admin_socket *socket, const char *path, struct fault *fault)
{
    struct stat stat;

    *socket = (struct admin_socket){ .fd = -1 };
    enum err err = set_path(socket, path, fault);
    if (err == ERR_NONE)
        err = listener_bind_unix(socket->path, &socket->fd, fault);
    if (err == ERR_NONE && lstat(socket->path, &stat) != 0)
        err = fault_set_errno(fault, errno, "%s: the admin socket is gone again", socket->path);
    if (err != ERR_NONE) {
        if (socket->fd >= 0)
            close(socket->fd);
        *socket = (struct admin_socket){ .fd = -1 };
        return err;
    }
    socket->device = stat.st_dev;
    socket->inode = stat.st_ino;
    return ERR_NONE;
}

enum err
admin_socket_give(const struct admin_socket *socket, const struct user *user, gid_t group,
                  struct fault *fault)
{
    uid_t owner = user->name == NULL || user->uid == geteuid() ? (uid_t)-1 : user->uid;

    if (owner == (uid_t)-1 && group == (gid_t)-1)
        return ERR_NONE;
    if (fchownat(AT_FDCWD, socket->path, owner, group, AT_SYMLINK_NOFOLLOW) != 0)
        return fault_set_errno(
            fault, errno,
            "%s: only root can give the admin socket to a user, and only its members to a group",
            socket->path);
    if (group != (gid_t)-1
        && fchmodat(AT_FDCWD, socket->path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP, AT_SYMLINK_NOFOLLOW) != 0)
        return fault_set_errno(fault, errno, "%s: cannot let the group in", socket->path);
    return ERR_NONE;
}

const char *
admin_socket_folder(const struct admin_socket *socket, char out[static ADMIN_PATH_SIZE])
{
    const char *slash = strrchr(socket->path, '/');

    if (slash == NULL)
        snprintf(out, ADMIN_PATH_SIZE, ".");
    else
        snprintf(out, ADMIN_PATH_SIZE, "%.*s", slash == socket->path ? 1 : (int)(slash - socket->path),
                 socket->path);
    return out;
}

int
admin_socket_take(struct admin_socket *socket)
{
    int fd = socket->fd;
    socket->fd = -1;
    return fd;
}

void
admin_socket_close(struct admin_socket *socket)
{
    struct stat stat;

    if (socket->path[0] == '\0')
        return;
    if (lstat(socket->path, &stat) == 0 && stat.st_dev == socket->device && stat.st_ino == socket->inode)
        unlink(socket->path);
    if (socket->fd >= 0)
        close(socket->fd);
    *socket = (struct admin_socket){ .fd = -1 };
}
