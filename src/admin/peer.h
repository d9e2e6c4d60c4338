/* peer.h: who is at the other end of a Unix socket, as the kernel says, and whether they may ask.
 *
 * It is who connected, at that time: a descriptor that was handed on brings their rights with it.
 */
#ifndef ADMIN_PEER_H
#define ADMIN_PEER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Root, our own user, and whoever has `group` ((gid_t)-1: none) among their groups. *who is filled also for others; all
 * ones when the kernel does not say, and then nobody is welcome. */
bool peer_is_welcome(int fd, gid_t group, struct ucred *who);

#endif
