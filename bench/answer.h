/* answer.h: an answer as a client reads it: bytes in, pieces of the body and a few facts out.
 *
 *      HEAD ─▶ BODY ─▶ (the answer is whole)          1xx answers are skipped
 *
 * Stands on larder's own parser, framing and chunked decoder, so every run of the tools also tests those.
 * Pure: no sockets. Owner: the connection.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <larder/http/chunked.h>
#include <larder/http/framing.h>

/* What the cache says about itself: Cache-Status (RFC 9211), or, without it, whether Age is above 0. */
enum answer_cache { ANSWER_UNTOLD, ANSWER_STATUS_MISS, ANSWER_STATUS_HIT, ANSWER_AGE_MISS, ANSWER_AGE_HIT };

/* The buffer that answers are fed from must be longer than this. */
enum { ANSWER_HEAD_MAX = 24 * 1024 };

struct answer {
    bool                 in_body;
    unsigned             status;
    enum answer_cache    cache;
    struct framing       framing;
    struct chunk_decoder chunks;
    uint64_t             body; /* bytes of it so far */
};

/* Before each answer. */
void answer_begin(struct answer *answer);

/* Takes bytes from the front of *in. ERR_NONE: *payload is the next piece of the body; call again.
 * ERR_AGAIN: feed more; what is left in *in (a part of a head) must come again in front of it. ERR_CLOSED:
 * the answer is whole, *in is what follows. ERR_SYNTAX: this is no answer. */
MUST_CHECK enum err answer_feed(struct answer *answer, struct span *in, struct span *payload);

/* Bytes of a body of known length that are still to come: they may be dropped unseen, with answer_skip. */
uint64_t answer_left(const struct answer *answer);
void     answer_skip(struct answer *answer, uint64_t size);

/* The connection has ended. ERR_CLOSED: that made the answer whole. ERR_RESET: it is cut. */
MUST_CHECK enum err answer_end(const struct answer *answer);

#endif
