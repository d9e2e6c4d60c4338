/* send.c: the request on its way: the head, then what the owner feeds of the body, through one buffer.
 *
 * When the origin has closed, its answer may be there all the same (one that refuses a long upload says so and goes): nothing more is
 * sent, and receiving finds out. Any other failure leaves an origin that waits for the rest, and nobody should wait with it: the
 * exchange fails at once.
 */
#include "fetch_impl.h"

#include <larder/base/check.h>

/* Around a chunk: its line, and what may have to follow the last one. */
enum { CHUNK_ROOM = CHUNK_HEAD_SIZE + 2 + 5 };

bool
fetch_is_sent(const struct fetch *fetch)
{
    return fetch->head_sent == fetch->head_len && fetch->ended && buf_held(&fetch->out).len == 0;
}

static enum err
write_some(struct fetch *fetch)
{
    struct span  body = buf_held(&fetch->out);
    struct iovec iov[2];
    int          count = 0;
    size_t       put;

    if (fetch->head_sent < fetch->head_len)
        iov[count++] = (struct iovec){ fetch->head + fetch->head_sent, fetch->head_len - fetch->head_sent };
    if (body.len > 0)
        iov[count++] = (struct iovec){ (char *)(uintptr_t)body.at, body.len };
    if (count == 0)
        return ERR_CLOSED;
    enum err err = stream_write(&fetch->connection->stream, iov, count, false, &put);
    if (err != ERR_NONE)
        return err;
    metric_add(&fetch->origin->metrics->bytes_out, put);
    size_t of_head = put < fetch->head_len - fetch->head_sent ? put : fetch->head_len - fetch->head_sent;
    fetch->head_sent += of_head;
    buf_consume(&fetch->out, put - of_head);
    fetch_wait(fetch);
    return ERR_NONE;
}

void
fetch_flush(struct fetch *fetch)
{
    enum err err;

    if (fetch->stopped)
        return;
    if (fetch->endless) {
        fetch_fail(fetch, FETCH_NO_RESOURCES, "");
        return;
    }
    while ((err = write_some(fetch)) == ERR_NONE)
        ;
    if (err == ERR_RESET) {
        fetch->stopped = true;
        return;
    }
    if (err != ERR_AGAIN && err != ERR_CLOSED) {
        fetch_fail(fetch, err == ERR_NO_MEMORY ? FETCH_NO_RESOURCES : FETCH_SEND, err_text(err));
        return;
    }
    buf_return_if_empty(&fetch->out);
    if (fetch->shut && fetch_is_sent(fetch)) {
        fetch->shut = false;
        stream_shutdown(&fetch->connection->stream);
    }
}

size_t
fetch_send(struct fetch *fetch, struct span bytes)
{
    bool chunked = fetch->body == BODY_CHUNKED && fetch->framing.kind != BODY_TUNNEL;

    if (fetch->state == FETCH_OVER || fetch->stopped || fetch->ended || bytes.len == 0)
        return 0;
    if (buf_lend(&fetch->out) != ERR_NONE) {
        fetch->starved = true; /* no memory now; `drain` comes with the next progress */
        return 0;
    }
    buf_compact(&fetch->out);
    size_t room = buf_room(&fetch->out), keep = chunked ? CHUNK_ROOM : 0;
    size_t take = room <= keep ? 0 : bytes.len < room - keep ? bytes.len : room - keep;
    if (take < bytes.len)
        fetch->starved = true;
    if (take == 0)
        return 0;
    char line[CHUNK_HEAD_SIZE];
    bool fits = !chunked || buf_append(&fetch->out, chunk_head(take, line));
    fits = fits && buf_append(&fetch->out, span_head(bytes, take));
    fits = fits && (!chunked || buf_append(&fetch->out, CHUNK_TAIL));
    CHECK(fits);
    task_defer(fetch->origin->loop, &fetch->task);
    return take;
}

void
fetch_send_end(struct fetch *fetch)
{
    if (fetch->state == FETCH_OVER || fetch->ended)
        return;
    fetch->ended = true;
    fetch->shut = fetch->framing.kind == BODY_TUNNEL;
    if (fetch->body == BODY_CHUNKED && !fetch->shut && !fetch->stopped) {
        bool fits = buf_lend(&fetch->out) == ERR_NONE && buf_append(&fetch->out, CHUNK_LAST);
        fetch->endless = !fits; /* only when memory ended */
    }
    if (fetch->state == FETCH_HEAD)
        fetch_wait(fetch); /* perhaps all was sent already: then the origin's time begins */
    task_defer(fetch->origin->loop, &fetch->task);
}
