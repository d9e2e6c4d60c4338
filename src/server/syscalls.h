/* syscalls.h: which system calls the process may still make (seccomp).
 *
 *      what larder and its libraries use                    allowed
 *      what only somebody who has broken in would use       the process ends, and the kernel's log says why
 *      anything else                                        ENOSYS, as if the kernel had no such call
 *
 * ENOSYS, and neither EPERM nor an end: a newer libc tries a newer call first and has an answer to a kernel without it.
 * So a library that is updated costs nobody their server. An end is for the calls that run another program, become
 * another user, reach into another process or change the system: no library makes those behind our back.
 *
 * Memory that can be run is never made: the program has all that it will ever have.
 */
#ifndef SERVER_SYSCALLS_H
#define SERVER_SYSCALLS_H

#include <larder/base/err.h>
#include <stdbool.h>

/* Whether this kernel can. */
bool syscalls_can_confine(void);

/* From now on, for all threads. `*count` calls are allowed. The process has no new privileges before
 * (PR_SET_NO_NEW_PRIVS). */
MUST_CHECK enum err syscalls_confine(unsigned *count, struct fault *fault);

#endif
