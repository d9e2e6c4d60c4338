/* peer.c: see peer.h. */
#include "peer.h"

#include <stddef.h>
#include <unistd.h>

enum { GROUPS_MAX = 256 }; /* who has more of them is looked up by the first one only */

/* The other groups (Linux 4.13): a user is a member of more than the one that the credentials name. */
static bool
is_member(int fd, gid_t group)
{
    gid_t     groups[GROUPS_MAX];
    socklen_t size = sizeof groups;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        return false;
    for (size_t i = 0; i < size / sizeof groups[0]; i++)
        if (groups[i] == group)
            return true;
    return false;
}

bool
peer_is_welcome(int fd, gid_t group, struct ucred *who)
{
    socklen_t size = sizeof *who;

    *who = (struct ucred){ .pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1 };
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &size) != 0 || who->uid == (uid_t)-1)
        return false;
    if (who->uid == 0 || who->uid == geteuid())
        return true;
    return group != (gid_t)-1 && (who->gid == group || is_member(fd, group));
}
