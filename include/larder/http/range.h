/* range.h: byte ranges (RFC 9110 §14): Range, Content-Range, and multipart/byteranges, as pure functions.
 *
 *      Range ──range_parse──▶ range_set ──range_resolve, length known──▶ byte_range × n ──▶ 206
 *      one:      Content-Range, and the bytes
 *      several:  multipart_write_part before each part, multipart_write_end after the last
 *
 * A Range that is not understood is no error: the answer is then the whole representation (§14.2).
 */
#ifndef LARDER_HTTP_RANGE_H
#define LARDER_HTTP_RANGE_H

#include <larder/http/message.h>
#include <larder/http/write.h>

enum { RANGES_MAX = 16 };

/* A member of the list, as written: "first-last", "first-" (last is RANGE_OPEN), "-last" (first is
 * RANGE_OPEN, last is the number of bytes from the end). Numbers above 2^63 - 1 are 2^63 - 1. */
#define RANGE_OPEN INT64_C(-1)
struct range_spec {
    int64_t first, last;
};

struct range_set {
    struct range_spec spec[RANGES_MAX];
    unsigned          count;
};

/* Positions of the first and the last byte, both included. */
struct byte_range {
    int64_t first, last;
};

/* The value of a Range field. Any error means: ignore the field, answer with the whole. ERR_UNSUPPORTED: a
 * unit other than bytes. ERR_SYNTAX: no ranges-specifier, or a range whose end is before its beginning
 * (§14.1.1). ERR_LIMIT: more than RANGES_MAX ranges. */
MUST_CHECK enum err range_parse(struct span value, struct range_set *set);

/* The same for a request: two lines of Range are ERR_SYNTAX, none is ERR_NOT_FOUND. */
MUST_CHECK enum err range_find(const struct head *request, struct range_set *set);

/* "bytes=0-9", "bytes=5-", "bytes=-5"; not terminated. */
enum { RANGE_SPEC_SIZE = 6 + 2 * 20 + 2 };
struct span range_spec_format(struct range_spec spec, char out[static RANGE_SPEC_SIZE]);

/* The set against a complete length, which must be known: the ranges to send, in the order asked for; those
 * that cannot be satisfied are left out, those that overlap or touch are made one (§15.3.7.2). *count is at
 * least 1. ERR_RANGE: none can be satisfied, 416. ERR_LIMIT: more than two that overlap, or many small ones
 * out of order, which §14.2 lets a server ignore: answer with the whole. ERR_UNSUPPORTED: a suffix of an
 * empty representation, which Content-Range cannot name: the whole. */
MUST_CHECK enum err range_resolve(const struct range_set *set, int64_t length,
                                  struct byte_range out[static RANGES_MAX], unsigned *count);

/* ── Content-Range (§14.4) ── */

/* In the answer to a range that cannot be satisfied ("bytes", an asterisk, the length) first and last are
 * RANGE_OPEN. `complete` is RANGE_OPEN where the field has an asterisk: unknown. */
struct content_range {
    int64_t first, last;
    int64_t complete;
};

/* ERR_UNSUPPORTED: another unit. ERR_SYNTAX: malformed, or last before first, or not inside of the complete
 * length, or a number of 2^63 - 1 or more: such an answer must not be combined with anything (§14.4). */
MUST_CHECK enum err content_range_parse(struct span value, struct content_range *range);

/* "bytes 0-9/10", with an asterisk for what is RANGE_OPEN; not terminated. */
enum { CONTENT_RANGE_SIZE = 6 + 3 * 19 + 2 };
struct span content_range_format(const struct content_range *range, char out[static CONTENT_RANGE_SIZE]);

/* ── multipart/byteranges (§14.6) ──
 *
 * All sizes are known before the first byte is sent, so the answer has a Content-Length. The boundary must
 * not occur in the body: let it have 128 random bits. It is a token of 1 to MULTIPART_BOUNDARY_MAX bytes. */
enum { MULTIPART_BOUNDARY_MAX = 70 };

struct multipart {
    struct span boundary;
    struct span content_type; /* of the representation; empty: none is said */
    int64_t     complete;     /* length, or RANGE_OPEN */
};

/* "multipart/byteranges; boundary=…" for the answer's Content-Type; not terminated. */
enum { MULTIPART_TYPE_SIZE = 31 + MULTIPART_BOUNDARY_MAX };
struct span multipart_type_format(const struct multipart *multipart, char out[static MULTIPART_TYPE_SIZE]);

/* The bytes before the body of a part; `first` for the first part of all. */
void   multipart_write_part(struct writer *writer, const struct multipart *multipart, struct byte_range range,
                            bool first);
size_t multipart_part_size(const struct multipart *multipart, struct byte_range range, bool first);

/* The bytes after the last part. */
void   multipart_write_end(struct writer *writer, const struct multipart *multipart);
size_t multipart_end_size(const struct multipart *multipart);

/* Content-Length: heads, bodies and end of these ranges. */
int64_t multipart_size(const struct multipart *multipart, const struct byte_range *ranges, unsigned count);

#endif
