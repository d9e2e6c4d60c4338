/* answer.c: see answer.h. */
#include "answer.h"

#include <larder/base/check.h>

enum { FIELDS_MAX = 128 };

void
answer_begin(struct answer *answer)
{
    answer->in_body = false;
    answer->status = 0;
    answer->cache = ANSWER_UNTOLD;
    answer->body = 0;
}

/* The last member is the cache nearest to us (RFC 9211 §2); its parameters follow the name. */
static enum answer_cache
read_cache_status(struct span value)
{
    struct span member, last = SPAN_EMPTY, part;
    while (list_next(&value, &member))
        last = member;
    (void)span_split(&last, ';', &part);
    while (span_split(&last, ';', &part))
        if (span_equal(span_trim(part), SPAN("hit")))
            return ANSWER_STATUS_HIT;
    return ANSWER_STATUS_MISS;
}

static enum answer_cache
read_cache(const struct head *head)
{
    struct span status = head_value(head, FIELD_CACHE_STATUS), age = head_value(head, FIELD_AGE);
    uint64_t    seconds;
    if (status.len > 0)
        return read_cache_status(status);
    if (age.len == 0)
        return ANSWER_UNTOLD;
    return span_to_u64(age, UINT64_MAX, &seconds) && seconds > 0 ? ANSWER_AGE_HIT : ANSWER_AGE_MISS;
}

static void
begin_body(struct answer *answer, const struct head *head)
{
    answer->in_body = true;
    answer->status = head->status;
    answer->cache = read_cache(head);
    if (answer->framing.kind == BODY_CHUNKED)
        chunk_decode_init(&answer->chunks, &chunk_limits_initial);
}

static enum err
feed_head(struct answer *answer, struct span *in)
{
    static const struct parse_limits limits = { .head = ANSWER_HEAD_MAX, .target = ANSWER_HEAD_MAX };
    struct field                     fields[FIELDS_MAX];
    struct head                      head;
    enum refusal                     refusal;
    size_t                           size;
    while (!answer->in_body && in->len > 0) {
        head_init(&head, fields, FIELDS_MAX);
        enum err err = parse_response(&head, *in, &limits, &size, &refusal);
        if (err == ERR_NONE)
            err = framing_of_response(&head, METHOD_GET, &answer->framing, &refusal);
        if (err != ERR_NONE)
            return err;
        if (head.status == 101)
            return ERR_SYNTAX; /* we did not ask for it */
        *in = span_skip(*in, size);
        if (head.status >= 200)
            begin_body(answer, &head);
    }
    return answer->in_body ? ERR_NONE : ERR_AGAIN;
}

static enum err
feed_length(struct answer *answer, struct span *in, struct span *payload)
{
    uint64_t left = answer_left(answer);
    if (left == 0)
        return ERR_CLOSED;
    *payload = in->len < left ? *in : span_head(*in, (size_t)left);
    *in = span_skip(*in, payload->len);
    answer->body += payload->len;
    return payload->len > 0 ? ERR_NONE : ERR_AGAIN;
}

static enum err
feed_chunks(struct answer *answer, struct span *in, struct span *payload)
{
    enum err err = chunk_decode(&answer->chunks, in, payload);
    if (err == ERR_NONE)
        answer->body += payload->len;
    return err;
}

static enum err
feed_rest(struct answer *answer, struct span *in, struct span *payload)
{
    *payload = *in;
    *in = span_skip(*in, in->len);
    answer->body += payload->len;
    return payload->len > 0 ? ERR_NONE : ERR_AGAIN;
}

enum err
answer_feed(struct answer *answer, struct span *in, struct span *payload)
{
    if (!answer->in_body) {
        enum err err = feed_head(answer, in);
        if (err != ERR_NONE)
            return err;
    }
    switch (answer->framing.kind) {
    case BODY_NONE:
        return ERR_CLOSED;
    case BODY_LENGTH:
        return feed_length(answer, in, payload);
    case BODY_CHUNKED:
        return feed_chunks(answer, in, payload);
    case BODY_CLOSE:
        return feed_rest(answer, in, payload);
    case BODY_TUNNEL:
        return ERR_SYNTAX;
    }
    UNREACHABLE();
}

uint64_t
answer_left(const struct answer *answer)
{
    if (!answer->in_body || answer->framing.kind != BODY_LENGTH)
        return 0;
    return answer->framing.length - answer->body;
}

void
answer_skip(struct answer *answer, uint64_t size)
{
    CHECK(size <= answer_left(answer));
    answer->body += size;
}

enum err
answer_end(const struct answer *answer)
{
    return answer->in_body && answer->framing.kind == BODY_CLOSE ? ERR_CLOSED : ERR_RESET;
}
