/* receive.c: the answer, from bytes to events.
 *
 * Every callback may release the fetch; `is_gone` is asked after each. Spans given to the owner point into the
 * connection's buffer and are good for the call only.
 */
#include "fetch_impl.h"

#include <larder/base/check.h>

enum { READS_PER_TURN = 8 };

enum progress { MORE, WAIT, STOP };

static bool
is_gone(const struct fetch *fetch)
{
    return fetch->released || fetch->state == FETCH_OVER;
}

static void
refuse(struct fetch *fetch, enum fetch_failure failure, enum refusal refusal)
{
    metric_add(&fetch->origin->metrics->refused_answers, 1);
    fetch_fail(fetch, failure, refusal_name(refusal));
}

/* ── head ── */

static enum progress
take_interim(struct fetch *fetch, const struct head *head)
{
    if (++fetch->interims > INTERIM_MAX) {
        metric_add(&fetch->origin->metrics->refused_answers, 1);
        fetch_fail(fetch, FETCH_BAD_HEAD, "too many interim answers");
        return STOP;
    }
    fetch->events->interim(fetch->owner, head);
    return is_gone(fetch) ? STOP : MORE;
}

static enum progress
take_final(struct fetch *fetch, const struct head *head)
{
    enum refusal refusal = REFUSAL_NONE;

    if (framing_of_response(head, fetch->method, &fetch->framing, &refusal) != ERR_NONE) {
        refuse(fetch, FETCH_BAD_HEAD, refusal);
        return STOP;
    }
    if (fetch->framing.kind == BODY_TUNNEL && !fetch->upgrade) {
        refuse(fetch, FETCH_BAD_HEAD, REFUSAL_BAD_UPGRADE);
        return STOP;
    }
    if (fetch->framing.kind == BODY_TUNNEL)
        fetch->ended = false; /* from here on the client speaks */
    else if (!fetch_is_sent(fetch))
        fetch->stopped = true; /* the origin has heard enough */
    fetch->state = FETCH_BODY;
    fetch_wait(fetch); /* the body has a limit of its own, also when a part of it came with the head */
    fetch->left = fetch->framing.length;
    chunk_decode_init(&fetch->decoder, &fetch->origin->chunks);
    fetch->events->head(fetch->owner, head, &fetch->framing);
    return is_gone(fetch) ? STOP : MORE;
}

static enum progress
take_head(struct fetch *fetch)
{
    static const struct parse_limits limits = { BUFFER_SIZE, TARGET_MAX };
    struct field                     fields[FIELDS_MAX];
    struct head                      head;
    struct buf                      *in = &fetch->connection->in;
    size_t                           size = 0;
    enum refusal                     refusal = REFUSAL_NONE;

    if (buf_held(in).len == 0)
        return WAIT;
    head_init(&head, fields, FIELDS_MAX);
    enum err err = parse_response(&head, buf_held(in), &limits, &size, &refusal);
    if (err == ERR_AGAIN && buf_held(in).len < BUFFER_SIZE)
        return WAIT;
    if (err != ERR_NONE) {
        refuse(fetch, FETCH_BAD_HEAD, err == ERR_AGAIN ? REFUSAL_HEAD_TOO_LONG : refusal);
        return STOP;
    }
    bool          interim = head.status < 200 && head.status != 101;
    enum progress progress = interim ? take_interim(fetch, &head) : take_final(fetch, &head);
    if (progress == MORE)
        buf_consume(in, size);
    return progress;
}

/* ── body ── */

static enum progress
give(struct fetch *fetch, struct span bytes)
{
    fetch->events->body(fetch->owner, bytes);
    return is_gone(fetch) ? STOP : MORE;
}

static enum progress
take_counted(struct fetch *fetch)
{
    struct buf *in = &fetch->connection->in;
    struct span piece = span_head(buf_held(in), fetch->left > SIZE_MAX ? SIZE_MAX : (size_t)fetch->left);

    if (piece.len == 0)
        return WAIT;
    fetch->left -= piece.len;
    buf_consume(in, piece.len);
    enum progress progress = give(fetch, piece);
    if (progress == MORE && fetch->left == 0) {
        fetch_finish(fetch);
        return STOP;
    }
    return progress;
}

static enum progress
take_chunks(struct fetch *fetch)
{
    struct buf *in = &fetch->connection->in;
    struct span held = buf_held(in), rest = held, piece;

    enum err err = chunk_decode(&fetch->decoder, &rest, &piece);
    buf_consume(in, held.len - rest.len);
    switch (err) {
    case ERR_NONE:
        return give(fetch, piece);
    case ERR_AGAIN:
        return WAIT;
    case ERR_CLOSED:
        fetch_finish(fetch);
        return STOP;
    default:
        refuse(fetch, FETCH_BAD_BODY, fetch->decoder.refusal);
        return STOP;
    }
}

static enum progress
take_all(struct fetch *fetch)
{
    struct buf *in = &fetch->connection->in;
    struct span piece = buf_held(in);

    if (piece.len == 0)
        return WAIT;
    buf_consume(in, piece.len);
    return give(fetch, piece);
}

static enum progress
take(struct fetch *fetch)
{
    if (fetch->state == FETCH_HEAD)
        return take_head(fetch);
    switch (fetch->framing.kind) {
    case BODY_NONE:
        fetch_finish(fetch);
        return STOP;
    case BODY_LENGTH:
        return take_counted(fetch);
    case BODY_CHUNKED:
        return take_chunks(fetch);
    case BODY_CLOSE:
    case BODY_TUNNEL:
        return take_all(fetch);
    }
    UNREACHABLE();
}

/* ── bytes ── */

/* The origin's bytes have come to an end. */
static void
take_end(struct fetch *fetch, enum err err)
{
    bool to_end = fetch->framing.kind == BODY_CLOSE || fetch->framing.kind == BODY_TUNNEL;

    if (fetch->state == FETCH_HEAD && !fetch->any_byte)
        fetch_lost(fetch, err);
    else if (fetch->state == FETCH_BODY && to_end && err == ERR_CLOSED)
        fetch_finish(fetch);
    else
        fetch_fail(fetch, FETCH_CUT, err == ERR_CLOSED ? "" : err_text(err));
}

static enum err
read_some(struct fetch *fetch)
{
    struct buf *in = &fetch->connection->in;
    size_t      got = 0, room;

    enum err err = buf_lend(in);
    if (err != ERR_NONE)
        return err;
    if (buf_room(in) < BUFFER_SIZE / 4 || buf_held(in).len == 0)
        buf_compact(in);
    room = buf_room(in);
    err = stream_read(&fetch->connection->stream, buf_tail(in), room, &got);
    fetch->connection->drained = got < room;
    if (err != ERR_NONE)
        return err;
    buf_filled(in, got);
    fetch->any_byte = true;
    metric_add(&fetch->origin->metrics->bytes_in, got);
    fetch_wait(fetch);
    return ERR_NONE;
}

/* An origin that sends faster than we read would otherwise hold the loop: after READS_PER_TURN others have their turn. */
void
fetch_receive(struct fetch *fetch)
{
    for (unsigned reads = 0; !fetch->paused;) {
        enum progress progress = take(fetch);
        if (progress == STOP)
            return;
        if (progress == MORE)
            continue;
        if (reads++ == READS_PER_TURN) {
            task_defer(fetch->origin->loop, &fetch->task);
            return;
        }
        enum err err = read_some(fetch);
        if (err == ERR_AGAIN) {
            buf_return_if_empty(&fetch->connection->in);
            return;
        }
        if (err == ERR_NO_MEMORY) {
            fetch_fail(fetch, FETCH_NO_RESOURCES, "");
            return;
        }
        if (err != ERR_NONE) {
            take_end(fetch, err);
            return;
        }
    }
}
