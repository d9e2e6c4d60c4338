/* identity.h: who the process is: root until sockets are bound, then the user of the configuration, for good.
 *
 *      root: ports below 1024 · the admin socket · the folder of the cache ──identity_take──▶ user, no way back
 *
 * Owner: the control thread, before there is another.
 */
#ifndef SERVER_IDENTITY_H
#define SERVER_IDENTITY_H

#include <larder/base/err.h>
#include <larder/config/snapshot.h>

/* Whether we could become the user: only root can, unless we are that user. ERR_DENIED. */
MUST_CHECK enum err identity_check(const struct user *user, struct fault *fault);

/* Makes the cache's folder, if it is not there, as the user's own. NULL: there is none. */
MUST_CHECK enum err identity_make_folder(const struct user *user, const char *folder, struct fault *fault);

/* Becomes the user, with all groups that the system gives to that name, and makes sure that it cannot be undone. Without
 * a name, or if we are that user, nothing changes. ERR_DENIED: as identity_check; or we could be root again. */
MUST_CHECK enum err identity_take(const struct user *user, struct fault *fault);

/* As whom we are now: may we write in the cache's folder? */
MUST_CHECK enum err identity_check_folder(const struct user *user, const char *folder, struct fault *fault);

#endif
