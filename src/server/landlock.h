/* landlock.h: which files the process may still open, whoever owns them (Landlock, Linux 5.13 and later).
 *
 * What is open already stays so, and a memfd is no file. It holds for the calling thread and those that it starts, so
 * it is called while there is one only. No library of Debian 12 has it; these are the three system calls.
 */
#ifndef SERVER_LANDLOCK_H
#define SERVER_LANDLOCK_H

#include <larder/base/err.h>
#include <stddef.h>

enum landlock_rights {
    LANDLOCK_READ,   /* read files and folders */
    LANDLOCK_KEEP,   /* read, write, make and remove files; no folders, links or devices */
    LANDLOCK_REMOVE, /* remove files */
};

/* A file, or a folder with all that is in it. NULL grants nothing. */
struct landlock_grant {
    const char          *path;
    enum landlock_rights rights;
};

/* The edition of the interface that the kernel has, from 1; 0: none, or it is switched off, or a container's filter
 * hides it. */
int landlock_edition(void);

/* From now on only what the grants say. A grant for a path that does not exist is none. The calling process has no new
 * privileges (PR_SET_NO_NEW_PRIVS) before. */
MUST_CHECK enum err landlock_enter(const struct landlock_grant *grants, size_t count, struct fault *fault);

#endif
