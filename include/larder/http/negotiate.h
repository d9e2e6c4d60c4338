/* negotiate.h: request fields brought to one form, so that equal wishes give equal keys (RFC 9110 §12).
 */
#ifndef LARDER_HTTP_NEGOTIATE_H
#define LARDER_HTTP_NEGOTIATE_H

#include <larder/http/message.h>

/* The quality (0 to 1000) that an Accept-Encoding list gives to `coding`: its own weight, else that of `*`, else 0 (identity: 1000 unless refused). A weight
 * that breaks its grammar counts as 1000. Without the field everything is acceptable: 1000 for identity, 0 for others. */
unsigned accept_encoding_quality(const struct head *request, struct span coding);

/* Accept-Encoding as the sorted list of known codings (br, gzip, zstd, deflate; x-gzip is gzip) that the client
 * takes with q > 0, e.g. "br,gzip"; "identity" when none. With "identity;q=0" at the end when the client refuses
 * to be answered without a coding. NUL-terminated. */
enum { ACCEPT_ENCODING_SIZE = 48 };
struct span accept_encoding_normalise(const struct head *request, char out[static ACCEPT_ENCODING_SIZE]);

/* The q weight of a list member like `gzip;q=0.5` (0 to 1000) and the part before the parameters. */
unsigned weight_of(struct span member, struct span *name);

#endif
