/* identity.c: see identity.h. */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── the folder of the cache ── */

static bool
is_other(const struct user *user)
{
    return user->name != NULL && user->uid != geteuid();
}

enum err
identity_make_folder(const struct user *user, const char *folder, struct fault *fault)
{
    if (folder == NULL)
        return ERR_NONE;
    if (mkdir(folder, 0700) != 0)
        return errno == EEXIST ? ERR_NONE
                               : fault_set_errno(fault, errno, "cannot make the cache directory %s", folder);
    if (is_other(user) && geteuid() == 0 && lchown(folder, user->uid, user->gid) != 0)
        return fault_set_errno(fault, errno, "cannot give the cache directory %s to the user %s", folder,
                               user->name);
    return ERR_NONE;
}

enum err
identity_check_folder(const struct user *user, const char *folder, struct fault *fault)
{
    if (folder == NULL || user->name == NULL
        || faccessat(AT_FDCWD, folder, R_OK | W_OK | X_OK, AT_EACCESS) == 0)
        return ERR_NONE;
    return fault_set_errno(
        fault, errno,
        "the user %s cannot use the cache directory %s (as root: chown -R %s %s, and let %s pass the "
        "folders above it)",
        user->name, folder, user->name, folder, user->name);
}

/* ── the user ── */

/* The user last: only root may choose groups. */
static int
become(const struct user *user)
{
    if (initgroups(user->name, user->gid) != 0 || setresgid(user->gid, user->gid, user->gid) != 0
        || setresuid(user->uid, user->uid, user->uid) != 0)
        return errno;
    return 0;
}

/* All three ids are the user's, and the kernel gives root to nobody who asks. */
static bool
is_settled(const struct user *user)
{
    uid_t real, effective, saved;
    gid_t real_group, effective_group, saved_group;

    if (getresuid(&real, &effective, &saved) != 0
        || getresgid(&real_group, &effective_group, &saved_group) != 0)
        return false;
    if (real != user->uid || effective != user->uid || saved != user->uid || real_group != user->gid
        || effective_group != user->gid || saved_group != user->gid)
        return false;
    return user->uid == 0 || (setresuid(0, 0, 0) != 0 && setuid(0) != 0);
}

enum err
identity_check(const struct user *user, struct fault *fault)
{
    if (user->name == NULL || geteuid() == 0 || (user->uid == geteuid() && user->gid == getegid()))
        return ERR_NONE;
    return fault_set(
        fault, ERR_DENIED,
        "user %s: only root can become another user: start larder as root, or as %s without that line",
        user->name, user->name);
}

enum err
identity_take(const struct user *user, struct fault *fault)
{
    if (user->name == NULL || geteuid() != 0)
        return identity_check(user, fault);
    int error = become(user);
    if (error != 0)
        return fault_set_errno(fault, error, "cannot become the user %s", user->name);
    if (!is_settled(user))
        return fault_set(fault, ERR_DENIED, "became the user %s, but could be root again: not started",
                         user->name);
    return ERR_NONE;
}
