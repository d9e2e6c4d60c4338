/* strict.h: what reached the origin, read again by a reader that is not larder's.
 *
 * It takes only what larder may send: one Host, one framing, lines that end in CRLF, no chunk extensions, no
 * trailers. Everything else aborts.
 */
#ifndef FUZZ_PROXY_STRICT_H
#define FUZZ_PROXY_STRICT_H

#include <larder/base/span.h>

/* The number of request heads in all that a connection brought. The last one, and its body, may be cut. What
 * follows a request for another protocol is not looked at. */
unsigned strict_requests(struct span bytes);

/* What a client got begins as an answer, as far as it goes. */
void strict_answer(struct span bytes);

#endif
