/* landlock.c: see landlock.h.
 *
 * Each edition of the interface knows more rights. All that the kernel knows are taken, and given back where a grant
 * says so: what is refused to us by a newer kernel is what we never do. Headers of Debian 12 end at edition 2, so
 * the rest is written down here.
 */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EDITION_REFER = 2, EDITION_TRUNCATE = 3, EDITION_IOCTL = 5, EDITION_SCOPES = 6 };

#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define RIGHT_IOCTL (UINT64_C(1) << 15)
#define SCOPE_ABSTRACT (UINT64_C(1) << 0) /* sockets without a file, of processes that are not ours */
#define SCOPE_SIGNALS (UINT64_C(1) << 1)  /* signals to processes that are not ours */
#define RIGHTS_EDITION1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

#define RIGHTS_OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE)

/* As the kernel has it since edition 6; an older one takes it, as long as what it does not know is 0. */
struct ruleset {
    uint64_t files, net, scopes;
};

static const uint64_t rights_of[] = {
    [LANDLOCK_READ] = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    [LANDLOCK_KEEP] = RIGHTS_OF_FILES | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG
                      | LANDLOCK_ACCESS_FS_REMOVE_FILE,
    [LANDLOCK_REMOVE] = LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

int
landlock_edition(void)
{
    long edition = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return edition < 1 ? 0 : (int)edition;
}

static uint64_t
rights_in(int edition)
{
    uint64_t rights = RIGHTS_EDITION1;

    if (edition >= EDITION_REFER)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (edition >= EDITION_TRUNCATE)
        rights |= RIGHT_TRUNCATE;
    if (edition >= EDITION_IOCTL)
        rights |= RIGHT_IOCTL;
    return rights;
}

/* ── grants ── */

static enum err
add_rule(int ruleset, uint64_t known, int fd, const struct landlock_grant *grant, struct fault *fault)
{
    struct stat stat;

    if (fstat(fd, &stat) != 0)
        return fault_set_errno(fault, errno, "cannot look at %s", grant->path);
    uint64_t rights = rights_of[grant->rights] & known;
    if (!S_ISDIR(stat.st_mode))
        rights &= RIGHTS_OF_FILES;
    struct landlock_path_beneath_attr rule = { .allowed_access = rights, .parent_fd = fd };
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        return fault_set_errno(fault, errno, "the kernel does not confine files to %s", grant->path);
    return ERR_NONE;
}

static enum err
add_grant(int ruleset, uint64_t known, const struct landlock_grant *grant, struct fault *fault)
{
    if (grant->path == NULL)
        return ERR_NONE;
    int fd = open(grant->path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                   ? ERR_NONE
                   : fault_set_errno(fault, errno, "cannot look at %s", grant->path);
    enum err err = add_rule(ruleset, known, fd, grant, fault);
    close(fd);
    return err;
}

enum err
landlock_enter(const struct landlock_grant *grants, size_t count, struct fault *fault)
{
    int            edition = landlock_edition();
    uint64_t       known = rights_in(edition);
    struct ruleset attributes = { .files = known,
                                  .scopes = edition >= EDITION_SCOPES ? SCOPE_ABSTRACT | SCOPE_SIGNALS : 0 };
    enum err       err = ERR_NONE;

    if (edition == 0)
        return fault_set(fault, ERR_UNSUPPORTED,
                         "this kernel has no Landlock (Linux 5.13 or later, with landlock among its security "
                         "modules), or a "
                         "container hides it");
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (ruleset < 0)
        return fault_set_errno(fault, errno, "the kernel does not confine files");
    for (size_t i = 0; i < count && err == ERR_NONE; i++)
        err = add_grant(ruleset, known, &grants[i], fault);
    if (err == ERR_NONE && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        err = fault_set_errno(fault, errno, "the kernel does not confine files");
    close(ruleset);
    return err;
}
