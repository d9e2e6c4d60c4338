/* admin_socket.c: see admin_socket.h. */
#include "admin_socket.h"

#include <errno.h>
#include <larder/net/listener.h>
#include <stdio.h>
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
