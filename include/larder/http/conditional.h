/* conditional.h: validators and preconditions (RFC 9110 §8.8, §13), as pure functions.
 */
#ifndef LARDER_HTTP_CONDITIONAL_H
#define LARDER_HTTP_CONDITIONAL_H

#include <larder/base/clock.h>
#include <larder/http/message.h>

/* An entity tag by RFC 9110 §8.8.3, optionally weak; false when malformed. `opaque` includes the quotes. */
struct etag {
    struct span opaque;
    bool        weak;
};
bool etag_parse(struct span text, struct etag *etag);
bool etag_match_strong(struct etag a, struct etag b);
bool etag_match_weak(struct etag a, struct etag b);

/* What is known of the selected representation. Missing: etag empty, has_modified false. */
struct validators {
    struct span etag;
    int64_t     modified; /* Last-Modified, seconds */
    bool        has_modified;
    int64_t     date; /* Date or time of receipt, seconds; 0: not known. For If-Range, and in place of Last-Modified */
    bool        has_date; /* it is the origin's */
};

/* The validators of an answer. Two lines of one field, and what is none, count as absent. */
void validators_read(const struct head *response, wall_time now, struct validators *validators);

enum precondition {
    PRECONDITION_NONE,         /* none given, or all hold: answer as usual */
    PRECONDITION_NOT_MODIFIED, /* 304 */
    PRECONDITION_FAILED        /* 412 */
};

/* The order of RFC 9110 §13.2.2, for GET and HEAD on a stored answer with status 200: If-Match, else
 * If-Unmodified-Since; then If-None-Match (lists, `*`, weak comparison), else If-Modified-Since. A date that
 * is none is ignored. */
enum precondition conditional_evaluate(const struct head *request, const struct validators *stored,
                                       wall_time now);

/* Whether the request carries If-Match, If-None-Match, If-Modified-Since or If-Unmodified-Since. */
bool conditional_is(const struct head *request);

/* Whether Range may be applied to what is stored (RFC 9110 §13.1.5): without If-Range true; an entity tag by
 * strong comparison; a date that is exactly Last-Modified, when that is a strong validator, at least a
 * second before Date (§8.8.2.2). Anything else, also two lines: false, and the answer is the whole. */
bool conditional_if_range_holds(const struct head *request, const struct validators *stored, wall_time now);

/* Whether both are said to be the same bytes: a strong entity tag that is equal, or, where neither has a
 * tag, the same Last-Modified, strong in both by its Date. It is what parts must have in common to be joined
 * (RFC 9110 §15.3.7.3, RFC 9111 §3.4), and a stored answer and the 304 that updates it by a strong validator
 * (§4.3.4). */
bool validators_share_strong(const struct validators *a, const struct validators *b);

#endif
