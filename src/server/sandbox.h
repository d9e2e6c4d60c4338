/* sandbox.h: what the process takes from itself before it serves, so that who breaks in has little.
 *
 *      no core, no debugger   of the same user: requests, keys and pages in memory are nobody else's to read
 *      no new privileges      a program with the set-user-id bit gives none
 *      files                  those that the configuration names, and what names and certificates need: landlock.h
 *      system calls           those that larder uses: syscalls.h
 *
 * All of it holds for the calling thread and those that it starts later, and for good: so it comes after what root must do
 * and before any other thread. Builds with sanitizers have none of it: these trace, fork and read what it forbids.
 */
#ifndef SERVER_SANDBOX_H
#define SERVER_SANDBOX_H

#include "landlock.h"

#include <larder/base/err.h>
#include <larder/config/snapshot.h>

enum { SANDBOX_OWN_MAX = 256 };

/* What is in force, for the log: "no core, no new privileges, files by Landlock 4, 133 system calls". */
struct sandbox_report {
    char text[1024];
    bool is_whole; /* nothing of it is missing */
};

/* `own`: the files and folders that the process works with, at most SANDBOX_OWN_MAX; what names and certificates need is
 * added. STRICT: ERR_UNSUPPORTED, or what else the kernel answers, when any of it cannot be had; ON: the report says what is
 * missing, and why. */
MUST_CHECK enum err sandbox_enter(enum sandbox sandbox, const struct landlock_grant *own, size_t count,
                                  struct sandbox_report *report, struct fault *fault);

#endif
