/* chunked.h: the chunked transfer coding (RFC 9112 §7.1), decoded and encoded.
 *
 * The decoder works in place: it is fed whatever has arrived, in any pieces, and points at the payload inside. Sizes are strict hex of at most
 * 15 digits, extensions are bounded in bytes and dropped, every CRLF is checked, trailers are bounded, parsed, checked and dropped.
 */
#ifndef LARDER_HTTP_CHUNKED_H
#define LARDER_HTTP_CHUNKED_H

#include <larder/http/parse.h>

enum { CHUNK_LINE_MAX = 1024 };

/* Of a whole body. At most UINT32_MAX - 1, so that what is counted against them cannot wrap. */
struct chunk_limits {
    uint32_t extensions; /* bytes of all extensions; 0: there may be none */
    uint32_t trailer;    /* bytes of the trailer section, the line that ends it included */
};
extern const struct chunk_limits chunk_limits_initial; /* 16 KiB, 8 KiB */

struct chunk_decoder {
    uint64_t     left;    /* payload bytes of this chunk still to come */
    uint32_t     used;    /* bytes of the current size line or trailer block so far */
    uint32_t     extensions; /* bytes of extensions that may still come */
    uint32_t     trailer;    /* the most bytes of the trailer section */
    uint8_t      state;
    uint8_t      digits;
    uint16_t     fields;
    enum refusal refusal;
};

void chunk_decode_init(struct chunk_decoder *decoder, const struct chunk_limits *limits);

/* Takes bytes from the front of *in. ERR_NONE: *payload is the next piece (not empty) inside what was taken; call again for more.
 * ERR_AGAIN: *in is used up, feed more. ERR_CLOSED: the body ended; *in is what follows it. ERR_SYNTAX: decoder->refusal says why. */
MUST_CHECK enum err chunk_decode(struct chunk_decoder *decoder, struct span *in, struct span *payload);

/* The line before a chunk of `size` > 0 bytes, which "\r\n" follows; and what ends a body. */
enum { CHUNK_HEAD_SIZE = 20 };
struct span chunk_head(uint64_t size, char out[static CHUNK_HEAD_SIZE]);
#define CHUNK_TAIL SPAN("\r\n")
#define CHUNK_LAST SPAN("0\r\n\r\n")

#endif
