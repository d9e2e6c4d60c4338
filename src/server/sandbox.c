/* sandbox.c: see sandbox.h. */
#include "sandbox.h"

#include "syscalls.h"

#include <errno.h>
#include <larder/base/check.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#ifdef LARDER_SANITIZED
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* Files that are read after the start, wherever larder runs. Those of /etc are replaced as often as changed, so a rule
 * for each would soon be one for none; and links lead out of it. */
static const char *const readable[] = {
    "/etc",       /* resolv.conf, hosts, nsswitch.conf, certificates, localtime, our own configuration */
    "/etc/hosts", /* a link, where the system is read-only */
    "/etc/resolv.conf",
    "/run/NetworkManager", /* where resolv.conf leads to */
    "/run/resolvconf",
    "/run/systemd/resolve",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/dev/urandom", /* c-ares draws the numbers of its questions from it, and poorer ones without */
    "/proc/sys/kernel/random/boot_id", /* whether files of the store were written since the machine started */
};

enum { READABLE = sizeof readable / sizeof readable[0] };

static enum err
confine_files(const struct landlock_grant *own, size_t count, struct fault *fault)
{
    struct landlock_grant grants[READABLE + SANDBOX_OWN_MAX];

    CHECK(count <= SANDBOX_OWN_MAX);
    for (size_t i = 0; i < READABLE; i++)
        grants[i] = (struct landlock_grant){ readable[i], LANDLOCK_READ };
    memcpy(grants + READABLE, own, count * sizeof own[0]);
    return landlock_enter(grants, READABLE + count, fault);
}

/* Not dumpable: a core pattern that is a pipe asks no limit, and RLIMIT_CORE would not keep out a debugger. */
static enum err
confine_process(struct fault *fault)
{
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fault_set_errno(fault, errno, "cannot switch off cores");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return fault_set_errno(fault, errno, "this kernel always gives new privileges");
    return ERR_NONE;
}

/* A part that is not to be had ends a strict start; else the line says why it is missing. */
static enum err
add_part(struct sandbox_report *report, bool strict, enum err err, const char *had, const char *missing,
         const struct fault *why)
{
    if (err != ERR_NONE && strict)
        return err;
    size_t len = strlen(report->text);
    if (err == ERR_NONE) {
        snprintf(report->text + len, sizeof report->text - len, ", %s", had);
    } else {
        snprintf(report->text + len, sizeof report->text - len, ", %s (%s)", missing, why->text);
        report->is_whole = false;
    }
    return ERR_NONE;
}

/* Files before system calls: the calls that confine files are not among those that are left. What cannot be had does not
 * keep from the next. */
static enum err
confine(const struct landlock_grant *own, size_t count, bool strict, struct sandbox_report *report,
        struct fault *fault)
{
    char     had[48];
    unsigned calls = 0;

    enum err err = confine_process(fault);
    if (err != ERR_NONE)
        return err;
    snprintf(report->text, sizeof report->text, "no core, no new privileges");
    report->is_whole = true;

    err = confine_files(own, count, fault);
    snprintf(had, sizeof had, "files by Landlock %d", landlock_edition());
    err = add_part(report, strict, err, had, "any file", fault);
    if (err != ERR_NONE)
        return err;
    err = syscalls_confine(&calls, fault);
    snprintf(had, sizeof had, "%u system calls", calls);
    return add_part(report, strict, err, had, "any system call", fault);
}

enum err
sandbox_enter(enum sandbox sandbox, const struct landlock_grant *own, size_t count,
              struct sandbox_report *report, struct fault *fault)
{
    struct fault why;
    enum err     err;

    *report = (struct sandbox_report){ .text = "off", .is_whole = true };
    if (sandbox == SANDBOX_OFF)
        return ERR_NONE;
    if (SANITIZED)
        err = fault_set(&why, ERR_UNSUPPORTED, "this build has sanitizers, which do what it forbids");
    else
        err = confine(own, count, sandbox == SANDBOX_STRICT, report, &why);
    if (err != ERR_NONE && sandbox == SANDBOX_STRICT)
        return fault_set(fault, err, "sandbox strict: %s; write sandbox on to start with what there is",
                         why.text);
    if (err != ERR_NONE) {
        report->is_whole = false;
        snprintf(report->text, sizeof report->text, "none: %s", why.text);
    }
    return ERR_NONE;
}
