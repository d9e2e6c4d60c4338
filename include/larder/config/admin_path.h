/* admin_path.h: where the admin socket is when nobody says so: one rule for server and client.
 *
 *      root                      /run/larder/admin.sock
 *      $XDG_RUNTIME_DIR is set   $XDG_RUNTIME_DIR/larder.sock
 *      else                      /tmp/larder-UID/admin.sock
 *
 * Nobody else may put a socket there in our name: the folders of the first and last rule must be the user's
 * own, and writable for nobody else.
 */
#ifndef LARDER_CONFIG_ADMIN_PATH_H
#define LARDER_CONFIG_ADMIN_PATH_H

#include <larder/base/err.h>
#include <larder/base/span.h>

/* Room of sockaddr_un.sun_path, the NUL included. */
enum { ADMIN_PATH_SIZE = 108 };

/* Whether a socket can have this path at all: neither empty nor longer than ADMIN_PATH_SIZE. */
MUST_CHECK enum err admin_path_check(struct span path, struct fault *fault);

/* The default path. `create`: makes its folder if it is missing (the server). ERR_DENIED: the folder is not
 * safe. */
MUST_CHECK enum err admin_path_default(bool create, char out[static ADMIN_PATH_SIZE], struct fault *fault);

#endif
