/* admin_path.c: see admin_path.h. */
#include <larder/config/admin_path.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum err
admin_path_check(struct span path, struct fault *fault)
{
    if (path.len == 0 || span_find(path, '\0') >= 0)
        return fault_set(fault, ERR_SYNTAX, "the path of the admin socket is empty");
    if (path.len >= ADMIN_PATH_SIZE)
        return fault_set(fault, ERR_RANGE, "the path \"%.*s...\" is too long for a socket: at most %d bytes",
                         SPAN_ARG(span_head(path, 40)), ADMIN_PATH_SIZE - 1);
    return ERR_NONE;
}

/* A folder that somebody else could write to could hold a socket of theirs. */
static enum err
check_folder(const char *folder, struct fault *fault)
{
    struct stat stat;

    if (lstat(folder, &stat) != 0)
        return errno == ENOENT ? ERR_NONE
                               : fault_set_errno(fault, errno, "cannot use %s for the admin socket", folder);
    if (!S_ISDIR(stat.st_mode) || stat.st_uid != geteuid() || (stat.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fault_set(
            fault, ERR_DENIED,
            "%s is not safe for the admin socket: it must be a folder that only you can write to; "
            "remove it, or give --admin PATH",
            folder);
    return ERR_NONE;
}

static enum err
prepare_folder(const char *folder, bool create, struct fault *fault)
{
    if (create && mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fault_set_errno(fault, errno, "cannot make %s for the admin socket", folder);
    return check_folder(folder, fault);
}

/* In the runtime folder of the session, which is the user's own. False: there is none, or its path is too
 * long. */
static bool
put_runtime_path(char *out)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime == NULL || runtime[0] != '/')
        return false;
    int len = snprintf(out, ADMIN_PATH_SIZE, "%s/larder.sock", runtime);
    return len > 0 && len < ADMIN_PATH_SIZE;
}

enum err
admin_path_default(bool create, char out[static ADMIN_PATH_SIZE], struct fault *fault)
{
    char  folder[ADMIN_PATH_SIZE / 2];
    uid_t user = geteuid();

    if (user != 0 && put_runtime_path(out))
        return ERR_NONE;
    if (user == 0)
        snprintf(folder, sizeof folder, "/run/larder");
    else
        snprintf(folder, sizeof folder, "/tmp/larder-%u", (unsigned)user);
    snprintf(out, ADMIN_PATH_SIZE, "%s/admin.sock", folder);
    return prepare_folder(folder, create, fault);
}
