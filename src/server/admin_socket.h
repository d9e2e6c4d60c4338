/* admin_socket.h: the file of the admin socket: made at boot, removed at the end, if it is still ours.
 *
 * Who may connect is said by its owner, group and mode, and once more by the API, which asks who has connected. A folder
 * that the user may not write to keeps the file: the next start finds that nobody answers there, and replaces it.
 */
#ifndef SERVER_ADMIN_SOCKET_H
#define SERVER_ADMIN_SOCKET_H

#include <larder/base/err.h>
#include <larder/config/admin_path.h>
#include <larder/config/snapshot.h>
#include <sys/types.h>

struct admin_socket {
    char  path[ADMIN_PATH_SIZE]; /* empty: there is none */
    int   fd;                    /* -1: taken */
    dev_t device;                /* which file it is */
    ino_t inode;
};

/* `path` NULL: the default one, whose folder is made. Only the user who calls may connect. */
MUST_CHECK enum err admin_socket_open(struct admin_socket *socket, const char *path, struct fault *fault);

/* Gives it to the user whom we shall become (with a name), and lets a group in (not (gid_t)-1). */
MUST_CHECK enum err admin_socket_give(const struct admin_socket *socket, const struct user *user, gid_t group,
                                      struct fault *fault);

/* The folder of the file. Returns out. */
const char *admin_socket_folder(const struct admin_socket *socket, char out[static ADMIN_PATH_SIZE]);

/* The listening descriptor, now the caller's. */
int admin_socket_take(struct admin_socket *socket);

/* Removes the file, unless it is another's by now. Idempotent. */
void admin_socket_close(struct admin_socket *socket);

#endif
