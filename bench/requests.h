/* requests.h: what clients ask, as bytes: a GET for each of a few URLs, or for each of very many.
 *
 *      URL URL URL             ─┐
 *      http://host/a/{} × N    ─┼─▶ numbers 0 .. count - 1 ──requests_gather──▶ pieces of memory
 *      --list FILE             ─┘
 *
 * A URL has holes: `{}` stands for the number of the object, `{size}` for its size where sizes are known.
 * They are filled when the request is sent; of a list the lines are kept, and the rest of the head once.
 *
 * Owner: who made it. Frozen once made.
 */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include "row.h"
#include "url.h"

#include <larder/base/text.h>
#include <sys/uio.h>

/* `vectors` and `digits` that one request needs at most. */
enum { REQUEST_PIECES = 5, REQUEST_VECTORS = 2 * REQUEST_PIECES, REQUEST_DIGITS = 20 * REQUEST_PIECES };

enum hole { HOLE_NONE, HOLE_NUMBER, HOLE_SIZE };

/* A URL's request: pieces of its text, each with what comes after it. */
struct form {
    struct text text;
    struct {
        struct span bytes;
        enum hole   then;
    } pieces[REQUEST_PIECES];
    unsigned count;
};

/* The lines of a list, each with "GET " before it. */
struct request_list {
    struct text lines, tail;
    size_t     *ends;
    size_t      count, room;
};

enum { REQUESTS_MAX = ROW_TEXTS_MAX };

struct requests {
    struct addr         addr; /* one for all URLs: they must name the same host and port */
    struct form         forms[REQUESTS_MAX];
    unsigned            form_count;
    struct request_list list;
    const uint64_t     *sizes; /* by number of the object; NULL: not known */
    uint64_t            count;
};

/* What requests are to be made of. */
struct requests_plan {
    const struct texts *urls;
    const struct texts *fields;  /* further field lines: "Name: value" */
    struct span         list;    /* a file of URLs and paths, "-" stdin; empty: none */
    uint64_t            objects; /* what `{}` counts to; 0: there is no `{}` */
    const uint64_t     *sizes;   /* of so many objects; NULL: no `{size}` */
};

/* On failure nothing is left to give back. With a list, a URL says what host its paths are of, and is not
 * itself asked. */
MUST_CHECK enum err requests_init(struct requests *requests, const struct requests_plan *plan,
                                  struct fault *fault);
void                requests_fini(struct requests *requests);

/* The bytes of a request, in order: returns how many `vectors`, and their sum in *size. They point into
 * `requests` and `digits`. */
unsigned requests_gather(const struct requests *requests, uint64_t number,
                         struct iovec vectors[static REQUEST_VECTORS], char digits[static REQUEST_DIGITS],
                         size_t *size);

/* ── for requests.c and requests_list.c ── */

enum { REQUEST_LIMIT = 64 * 1024 };

/* The address of a URL, which must be that of those before. */
MUST_CHECK enum err requests_locate(struct requests *requests, const struct url *url, bool first,
                                    struct span text, struct fault *fault);

/* All of a head behind its target. */
void requests_write_tail(struct text *text, struct span authority, const struct texts *fields);

MUST_CHECK enum err requests_read_list(struct requests *requests, const struct requests_plan *plan,
                                       struct fault *fault);

#endif
