/* upload.c: the request's body, from the client's connection to the fetch, through a window.
 *
 *      socket ▶ client->in ▶ decoder ▶ pending ▶ lead_send ▶ origin
 *
 * Nothing is read from the client while the fetch has no room, so a fast client waits in TCP. A body that breaks never
 * gets its end: the fetch is given up, and the origin sees a cut request, never a whole one that was not sent.
 */
#include "lead.h"

#include <larder/base/check.h>

static bool
is_over_limit(struct exchange *exchange, size_t more)
{
    uint64_t limit = exchange->worker->config.settings->body_size;

    exchange->upload.seen += more;
    if (limit == 0 || exchange->upload.seen <= limit)
        return false;
    exchange->refusal = REFUSAL_BODY_TOO_LONG;
    return true;
}

/* The next piece of a chunked body out of what is held. */
static enum err
decode_chunked(struct exchange *exchange)
{
    struct upload *upload = &exchange->upload;
    struct buf    *in = &exchange->client->in;
    struct span    held = buf_held(in), rest = held;

    enum err err = chunk_decode(&upload->decoder, &rest, &upload->pending);
    buf_consume(in, held.len - rest.len);
    if (err == ERR_CLOSED) {
        upload->whole = true;
        return ERR_NONE;
    }
    if (err == ERR_SYNTAX)
        exchange->refusal = upload->decoder.refusal;
    if (err == ERR_NONE && is_over_limit(exchange, upload->pending.len))
        return ERR_LIMIT;
    return err;
}

/* The next piece: ERR_AGAIN when nothing is held. */
static enum err
next_piece(struct exchange *exchange)
{
    struct upload *upload = &exchange->upload;
    struct span    held = buf_held(&exchange->client->in);

    if (held.len == 0)
        return ERR_AGAIN;
    if (exchange->step == STEP_TUNNEL) {
        upload->pending = held;
    } else if (exchange->framing.kind == BODY_CHUNKED) {
        return decode_chunked(exchange);
    } else {
        upload->pending = span_head(held, upload->left > SIZE_MAX ? SIZE_MAX : (size_t)upload->left);
        upload->left -= upload->pending.len;
        upload->whole = upload->left == 0;
    }
    buf_consume(&exchange->client->in, upload->pending.len);
    return ERR_NONE;
}

/* ERR_AGAIN: the fetch has no room; it will call `drain`. */
static enum err
send_pending(struct exchange *exchange)
{
    struct upload *upload = &exchange->upload;

    if (upload->pending.len > 0)
        upload->pending = span_skip(upload->pending, lead_send(exchange->lead, upload->pending));
    if (upload->pending.len > 0)
        return ERR_AGAIN;
    if (upload->whole && !upload->told) {
        upload->told = true;
        lead_send_end(exchange->lead);
    }
    return ERR_NONE;
}

/* ERR_NONE: nothing more to do now but wait for the fetch, or all is done. ERR_AGAIN: wait for the client. */
enum err
upload_pump(struct exchange *exchange)
{
    struct upload *upload = &exchange->upload;

    for (;;) {
        if (exchange->lead == NULL || upload->told)
            return ERR_NONE;
        if (send_pending(exchange) == ERR_AGAIN || upload->told)
            return ERR_NONE;
        enum err err = next_piece(exchange);
        if (err == ERR_AGAIN)
            err = client_read(exchange->client);
        if (err == ERR_CLOSED && exchange->step == STEP_TUNNEL) {
            upload->whole = true; /* half closed: the other direction goes on */
            continue;
        }
        if (err != ERR_NONE)
            return err;
    }
}
