/* deliver.c: sends an answer: head, then body, as fast as the socket and the source allow.
 *
 *      head[0] head[1]   piece ...                    a stored object, parts of it, an error page: one writev
 *      head[0] head[1]   frame piece piece ... frame  a body that arrives, chunked towards the client
 *
 * The source of a body is memory (a lease, a page), a cursor, or slices one after the other (slices.h). When the cursor runs dry we wait for the flight, when the
 * socket is full for the client; nothing is read ahead. An answer whose source was cut is not ended: no last chunk, no
 * clean close (RFC 9112 §8).
 */
#include "lead.h"
#include "port.h"
#include "relief.h"
#include "slices.h"

#include <larder/base/check.h>
#include <stdio.h>

/* Who wants much must not make those wait who want little. An answer may send SHARE bytes in a turn of the loop; all that
 * send when their sockets say so (a request has come, there is room) have BULK together, but for short ones. The others are
 * tasks, of which the loop runs some in each turn, in their order. */
enum { PIECES = 16, SHARE = 256 * 1024, BULK = 1024 * 1024, SHORT = 16 * 1024 };

/* What the next write could be. */
struct batch {
    struct iovec iov[PIECES + 3];
    int          count;
    size_t       size;
    bool         dry;   /* the source has nothing now */
    bool         whole; /* after this batch nothing follows */
    bool         cut;
};

static void
add(struct batch *batch, struct span bytes)
{
    if (bytes.len == 0)
        return;
    batch->iov[batch->count++] = (struct iovec){ (char *)(uintptr_t)bytes.at, bytes.len };
    batch->size += bytes.len;
}

/* The vectors are not cleared: only the first `count` are looked at. */
static void
empty(struct batch *batch)
{
    batch->count = 0;
    batch->size = 0;
    batch->dry = batch->whole = batch->cut = false;
}

/* Begins the next chunk, or the last one. */
static void
open_chunk(struct delivery *out, size_t size, enum fill_state state)
{
    char        line[CHUNK_HEAD_SIZE];
    const char *before = out->chunk_open ? "\r\n" : "";
    int         len = 0;

    if (size > 0) {
        struct span head = chunk_head(size, line);
        len = snprintf(out->frame_text, sizeof out->frame_text, "%s%.*s", before, SPAN_ARG(head));
        out->chunk_left = size;
        out->chunk_open = true;
    } else if (state == FILL_WHOLE) {
        len = snprintf(out->frame_text, sizeof out->frame_text, "%s0\r\n\r\n", before);
        out->frame_last = true;
    }
    out->frame = span_of(out->frame_text, (size_t)len);
}

/* Goes past what was not asked for, as far as it has come. */
static void
skip_ahead(struct delivery *out)
{
    while (out->skip > 0) {
        struct iovec    pieces[PIECES];
        int             count = PIECES;
        enum fill_state state;
        size_t          size = cursor_peek(&out->cursor, pieces, &count, &state);
        if (size == 0)
            return;
        size_t taken = size < out->skip ? size : (size_t)out->skip;
        cursor_advance(&out->cursor, taken);
        out->skip -= taken;
    }
}

/* What the source has now. A body that has outgrown its flight goes on in slices. */
static size_t
peek(struct exchange *exchange, struct iovec *pieces, int *count, enum fill_state *state)
{
    struct delivery *out = &exchange->out;
    int              room = *count;

    if (out->slices != NULL)
        return slices_peek(exchange, pieces, count, state);
    skip_ahead(out);
    size_t size = cursor_peek(&out->cursor, pieces, count, state);
    if (size > 0 || *state != FILL_WHOLE || !slices_continue(exchange, state) || out->slices == NULL)
        return size;
    *count = room;
    return slices_peek(exchange, pieces, count, state);
}

static void
add_arriving(struct exchange *exchange, struct batch *batch)
{
    struct delivery *out = &exchange->out;
    struct iovec     pieces[PIECES];
    int              count = PIECES;
    enum fill_state  state;
    size_t           size = peek(exchange, pieces, &count, &state);
    bool             chunked = out->framing == DELIVER_CHUNKED;

    if (out->slices != NULL && size == 0 && state != FILL_WHOLE && !slices_are_sure(exchange)) {
        /* The head waits: what it says may turn out to be of no use. */
        empty(batch);
        batch->dry = true;
        batch->cut = state == FILL_CUT;
        return;
    }

    if (chunked && out->frame.len == 0 && out->chunk_left == 0 && !out->frame_last)
        open_chunk(out, size, state);
    add(batch, out->frame);
    uint64_t left = chunked ? out->chunk_left : out->limited ? out->left : UINT64_MAX;
    for (int i = 0; i < count && left > 0; i++) {
        struct span piece = span_head(span_of(pieces[i].iov_base, pieces[i].iov_len),
                                      left > SIZE_MAX ? SIZE_MAX : (size_t)left);
        left -= piece.len;
        add(batch, piece);
    }
    bool enough = out->limited && out->left == 0;
    batch->dry = size == 0;
    batch->cut = size == 0 && state == FILL_CUT && !enough;
    batch->whole = enough || (size == 0 && state == FILL_WHOLE && (!chunked || out->frame_last));
}

static void
add_pieces(const struct delivery *out, struct batch *batch)
{
    unsigned i = 0;

    while (i < out->piece_count && batch->count < PIECES)
        add(batch, out->pieces[i++]);
    batch->dry = batch->whole = i == out->piece_count;
}

static void
gather(struct exchange *exchange, struct batch *batch)
{
    struct delivery *out = &exchange->out;

    empty(batch);
    add(batch, out->head[0]);
    add(batch, out->head[1]);
    if (out->cursor.fill != NULL || out->slices != NULL)
        add_arriving(exchange, batch);
    else
        add_pieces(out, batch);
}

static size_t
take(struct span *from, size_t put)
{
    size_t taken = put < from->len ? put : from->len;
    *from = span_skip(*from, taken);
    return put - taken;
}

static void
account(struct exchange *exchange, size_t put)
{
    struct delivery *out = &exchange->out;

    metric_add(&exchange->worker->metrics.bytes_out, put);
    if (out->slices != NULL && put > 0)
        slices_note_begun(exchange);
    put = take(&out->head[0], put);
    put = take(&out->head[1], put);
    put = take(&out->frame, put);
    out->body_sent += put;
    if (out->cursor.fill == NULL && out->slices == NULL) {
        for (unsigned i = 0; i < out->piece_count && put > 0; i++)
            put = take(&out->pieces[i], put);
        return;
    }
    if (out->framing == DELIVER_CHUNKED)
        out->chunk_left -= put;
    else if (out->limited)
        out->left -= put;
    if (out->slices != NULL)
        slices_advance(exchange, put);
    else
        cursor_advance(&out->cursor, put);
}

/* No more than `most` bytes of it; what is behind them comes with the next batch. */
static void
shorten(struct batch *batch, size_t most)
{
    int    count = 0;
    size_t size = 0;

    while (size + batch->iov[count].iov_len < most)
        size += batch->iov[count++].iov_len;
    batch->iov[count++].iov_len = most - size;
    batch->count = count;
    batch->size = most;
    batch->whole = batch->dry = false;
}

/* What of its share the exchange may send now, of so many bytes that it could: all of it, or nothing. */
static size_t
share_of(struct exchange *exchange, size_t size)
{
    struct worker *worker = exchange->worker;
    bool           woken = exchange->woken;

    exchange->woken = false;
    if (woken || size <= SHORT)
        return SHARE;
    mono_time now = loop_now(worker->loop);
    if (worker->bulk_turn.ns != now.ns) {
        worker->bulk_turn = now;
        worker->bulk_left = BULK;
    }
    if (worker->bulk_left == 0)
        return 0;
    size = size < SHARE ? size : SHARE;
    worker->bulk_left -= size < worker->bulk_left ? size : worker->bulk_left;
    return SHARE;
}

enum pumped { PUMP_DONE, PUMP_SOCKET_FULL, PUMP_TURN_OVER, PUMP_SOURCE_DRY, PUMP_SOURCE_CUT, PUMP_CLIENT_GONE };

static enum pumped
pump(struct exchange *exchange)
{
    size_t left = 0;

    for (bool first = true;; first = false) {
        struct batch batch;
        size_t       put;

        gather(exchange, &batch);
        if (batch.count == 0)
            return batch.cut ? PUMP_SOURCE_CUT : batch.whole ? PUMP_DONE : PUMP_SOURCE_DRY;
        if (first)
            left = share_of(exchange, batch.size);
        if (left == 0)
            return PUMP_TURN_OVER;
        if (batch.size > left)
            shorten(&batch, left);
        enum err err = stream_write(&exchange->client->stream, batch.iov, batch.count, false, &put);
        if (err != ERR_NONE)
            return err == ERR_AGAIN ? PUMP_SOCKET_FULL : PUMP_CLIENT_GONE;
        account(exchange, put);
        left -= put;
        if (put < batch.size) /* a short write has filled the socket: the next one would only say so */
            return PUMP_SOCKET_FULL;
        if (batch.whole)
            return PUMP_DONE;
    }
}

/* The origin's answer is only ours, and it goes on while we still send the request's body. */
static bool
is_upload_broken(struct exchange *exchange)
{
    if (exchange->lead == NULL || exchange->upload.told)
        return false;
    enum err err = upload_pump(exchange);
    return err != ERR_NONE && err != ERR_AGAIN;
}

static enum step_result
abort_answer(struct exchange *exchange)
{
    exchange->end = END_ABORT;
    exchange->step = STEP_FINISH;
    return STEP_NEXT;
}

static enum step_result
wait_for(struct exchange *exchange, enum client_wait wait)
{
    client_wait_for(exchange->client, wait);
    return STEP_WAIT;
}

/* What `pump` could not do at once. */
static enum step_result
wait_or_abort(struct exchange *exchange, enum pumped pumped)
{
    switch (pumped) {
    case PUMP_SOCKET_FULL:
        relief_note(exchange);
        return wait_for(exchange, CLIENT_SEND);
    case PUMP_TURN_OVER:
        exchange_wake(exchange);
        return wait_for(exchange, CLIENT_SEND);
    case PUMP_SOURCE_DRY:
        return wait_for(exchange, CLIENT_ORIGIN);
    case PUMP_SOURCE_CUT:
        metric_add(&exchange->worker->metrics.cut, 1);
        return abort_answer(exchange);
    case PUMP_CLIENT_GONE:
        metric_add(&exchange->worker->metrics.client_gone, 1);
        return abort_answer(exchange);
    case PUMP_DONE:
        break;
    }
    UNREACHABLE();
}

enum step_result
step_deliver(struct exchange *exchange)
{
    if (is_upload_broken(exchange))
        return abort_answer(exchange);
    if (relief_is_awaited(exchange))
        return wait_for(exchange, CLIENT_ORIGIN);
    enum pumped pumped = pump(exchange);
    bool        head_out = exchange->out.head[0].len == 0 && exchange->out.head[1].len == 0;
    if (exchange->answer_framing.kind == BODY_TUNNEL && head_out) {
        metric_add(&exchange->worker->metrics.tunnels, 1);
        exchange->upload.whole = exchange->upload.told = false; /* what the client sends now goes through */
        exchange->client->until = MONO_NEVER;
        exchange->step = STEP_TUNNEL;
        return STEP_NEXT;
    }
    if (pumped == PUMP_SOURCE_CUT && exchange->out.slices != NULL && !slices_have_begun(exchange)) {
        slices_take_back(exchange);
        return find_again(exchange);
    }
    if (pumped != PUMP_DONE)
        return wait_or_abort(exchange, pumped);
    exchange->step = STEP_FINISH;
    return STEP_NEXT;
}

/* Both directions until the origin has ended; the client may end its half first. */
enum step_result
step_tunnel(struct exchange *exchange)
{
    if (is_upload_broken(exchange))
        return abort_answer(exchange);
    enum pumped pumped = pump(exchange);
    if (pumped != PUMP_DONE)
        return wait_or_abort(exchange, pumped);
    exchange->end = END_CLOSE; /* client_end waits for the client's end */
    exchange->step = STEP_FINISH;
    return STEP_NEXT;
}

void
deliver_early(struct exchange *exchange)
{
    struct delivery *out = &exchange->out;
    while (out->head[0].len > 0) {
        struct iovec iov = { (char *)(uintptr_t)out->head[0].at, out->head[0].len };
        size_t       put;
        if (stream_write(&exchange->client->stream, &iov, 1, false, &put) != ERR_NONE)
            return; /* full: later; broken: the answer will find out */
        take(&out->head[0], put);
        metric_add(&exchange->worker->metrics.bytes_out, put);
    }
}

enum step_result
step_finish(struct exchange *exchange)
{
    if (exchange_is_hit(exchange))
        metric_add(&exchange->worker->metrics.bytes_hit, exchange->out.body_sent);
    /* What is left of a request's body would be taken for the next request. */
    if (!exchange->upload.whole && exchange->end == END_KEEP)
        exchange->end = END_CLOSE;
    return STEP_DONE;
}
