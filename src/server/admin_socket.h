/* admin_socket.h: the file of the admin socket: made at boot, removed at the end, if it is still ours. */
#ifndef SERVER_ADMIN_SOCKET_H
#define SERVER_ADMIN_SOCKET_H

#include <larder/base/err.h>
#include <larder/config/admin_path.h>
#include <sys/types.h>

struct admin_socket {
    char  path[ADMIN_PATH_SIZE]; /* empty: there is none */
    int   fd;                    /* -1: taken */
    dev_t device;                /* which file it is */
    ino_t inode;
};

/* `path` NULL: the default one, whose folder is made. */
MUST_CHECK enum err admin_socket_open(struct admin_socket *socket, const char *path, struct fault *fault);

/* The listening descriptor, now the caller's. */
int admin_socket_take(struct admin_socket *socket);

/* Removes the file, unless it is another's by now. Idempotent. */
void admin_socket_close(struct admin_socket *socket);

#endif
