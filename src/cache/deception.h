/* deception.h: is this a page that poses as a file? (Web cache deception, Gil 2017; Mirheidari et al., USENIX Security 2020)
 *
 *      /account;x.css   /account/x.css   /account%0ax.css  ──▶ the origin sends the visitor's account, as text/html
 *
 * An attacker sends a visitor to such a name and reads afterwards what a cache has kept, since "it is a style sheet". So under the name of a file
 * a page of HTML is kept only when its origin says for how long.
 */
#ifndef CACHE_DECEPTION_H
#define CACHE_DECEPTION_H

#include <larder/http/message.h>

/* HTML, where the target's last part ends as the name of a file that is no page. */
bool deception_is_likely(const struct head *request, const struct head *response);

#endif
