/* answer.h: what the files share that write the heads of answers (answer.c, answer_stored.c, answer_part.c). */
#ifndef PROXY_ANSWER_H
#define PROXY_ANSWER_H

#include "exchange.h"

#include <larder/http/write.h>

enum { ANSWER_TAIL_SIZE = 512 }; /* room for what is added to a head */

/* Memory for what is added; `failed` when there is none. */
struct writer answer_tail(struct exchange *exchange, size_t room);

/* Cache-Status (RFC 9211), for those who may see it. */
void answer_write_status(struct writer *writer, const struct exchange *exchange, int64_t ttl);

/* The connection's fate, and the empty line. */
void answer_write_end(struct writer *writer, const struct exchange *exchange);

/* How a body of unknown length is marked off for this client, and the field that says it. */
struct span answer_choose_framing(struct exchange *exchange);

/* The head: `stored` and behind it what was added. False: memory ended. */
bool answer_set_head(struct exchange *exchange, struct span stored, struct writer *tail);

/* A body in memory. */
void answer_set_body(struct exchange *exchange, struct span body);

enum step_result answer_deliver(struct exchange *exchange);

/* Not even an error page can be had. */
enum step_result answer_fail(struct exchange *exchange);

/* ── answer_part.c ── */

/* What of a representation of `complete` bytes goes out. */
struct selection {
    enum { SELECT_WHOLE, SELECT_PARTS, SELECT_NOTHING } kind;
    struct byte_range parts[RANGES_MAX];
    unsigned          count;
};

/* What the request's Range and If-Range select of it. */
void answer_select(const struct exchange *exchange, const struct object *object, int64_t complete,
                   struct selection *selection);

/* A 206 of the body that is in memory: one part, or several as multipart/byteranges. */
enum step_result answer_parts(struct exchange *exchange, const struct object *object, struct span body,
                              const struct selection *selection);

/* A 206 of a body that arrives: `range`, of which the first byte stands `skip` bytes behind the cursor. */
enum step_result answer_arriving_part(struct exchange *exchange, const struct object *object,
                                      struct byte_range range, int64_t complete, uint64_t skip);

/* The head of a 206 of one range. False: memory ended. */
bool answer_write_part(struct exchange *exchange, const struct object *object, struct byte_range range,
                       int64_t complete);

/* The head of a 206 of several. What goes before each part and after the last one; NULL: memory ended. */
struct span *answer_write_parts(struct exchange *exchange, const struct object *object, int64_t complete,
                                const struct selection *selection);

/* 416: none of what was asked for is there. */
enum step_result answer_no_part(struct exchange *exchange, int64_t complete);

/* ── answer_stored.c ── */

/* Age and Cache-Status of a stored object. */
void answer_write_age(struct writer *tail, const struct exchange *exchange, const struct object *object);

/* The head of the whole, as it is stored. `framing` is the field that a body of unknown length needs. False: memory ended. */
bool answer_write_whole(struct exchange *exchange, const struct object *object, struct span framing);

/* The leader's answer as it came. */
enum step_result answer_own_head(struct exchange *exchange, const struct object *object);

/* ── answer_slices.c ── */

/* What is sliced. `arriving`: it is fetched just now. Conditions were looked at. */
enum step_result answer_slices(struct exchange *exchange, const struct object *object, bool arriving);

#endif
