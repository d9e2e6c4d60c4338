/* framing.c: where a body ends (RFC 9112 §6.3), and whether another message may follow it (§9.3).
 *
 *      Transfer-Encoding ──▶ exactly `chunked`, alone, in HTTP/1.1, without Content-Length ──▶ BODY_CHUNKED
 *      Content-Length    ──▶ exactly one line of digits ────────────────────────────────────▶ BODY_LENGTH
 *      neither           ──▶ a request has no body; a response lasts until the connection closes
 *
 * RFC 9112 allows a recipient to repair some of what is refused here (equal lengths twice, a length beside a
 * transfer coding). Each such repair is a way to smuggle a request past one of two servers (§11.2), so none
 * is made.
 */
#include <larder/http/framing.h>
#include <larder/http/scan.h>

#define LENGTH_MAX (UINT64_C(1) << 62)

enum { SWITCHING = 101, FINAL_MIN = 200, NO_CONTENT = 204, SUCCESS_END = 300, NOT_MODIFIED = 304 };

static enum err
refuse(enum refusal *refusal, enum refusal why)
{
    *refusal = why;
    return ERR_SYNTAX;
}

/* Several codings of which the last, and only that, is `chunked` are correct, only nothing that we know (RFC
 * 9112 §6.1: 501). Whatever else is there has no certain end (§6.3: 400). */
static enum err
refuse_codings(const struct head *head, enum refusal *refusal)
{
    struct list_walk walk = { 0 };
    struct span      member;
    unsigned         members = 0, chunked = 0;
    bool             chunked_last = false;

    while (head_walk(head, FIELD_TRANSFER_ENCODING, &walk, &member)) {
        if (scan_best()->token(member) != member.len)
            return refuse(refusal, REFUSAL_BAD_TRANSFER_ENCODING);
        members++;
        chunked_last = span_equal_nocase(member, SPAN("chunked"));
        chunked += chunked_last;
    }
    bool correct = members > 1 && chunked_last && chunked == 1;
    return refuse(refusal, correct ? REFUSAL_UNKNOWN_TRANSFER_ENCODING : REFUSAL_BAD_TRANSFER_ENCODING);
}

static enum err
check_codings(const struct head *head, enum refusal *refusal)
{
    const struct field *field = head_find(head, FIELD_TRANSFER_ENCODING);

    if (head->minor == 0) /* RFC 9112 §6.1: "faulty framing" */
        return refuse(refusal, REFUSAL_BAD_TRANSFER_ENCODING);
    if (head_has(head, FIELD_CONTENT_LENGTH))
        return refuse(refusal, REFUSAL_LENGTH_AND_ENCODING);
    if (head_next(head, field) == NULL && span_equal_nocase(field->value, SPAN("chunked")))
        return ERR_NONE;
    return refuse_codings(head, refusal);
}

static enum err
read_length(const struct head *head, struct framing *framing, enum refusal *refusal)
{
    const struct field *field = head_find(head, FIELD_CONTENT_LENGTH);

    if (field == NULL)
        return ERR_NONE;
    if (head_next(head, field) != NULL || !span_to_u64(field->value, LENGTH_MAX, &framing->length))
        return refuse(refusal, REFUSAL_BAD_LENGTH);
    framing->has_length = true;
    return ERR_NONE;
}

/* RFC 9112 §9.3: `close` wins; HTTP/1.0 must ask for it. */
static bool
keeps_alive(const struct head *head)
{
    if (head_lists_token(head, FIELD_CONNECTION, SPAN("close")))
        return false;
    return head->minor > 0 || head_lists_token(head, FIELD_CONNECTION, SPAN("keep-alive"));
}

/* What both directions have in common. `kind` comes out as what the fields alone say; BODY_NONE where they
 * are silent. */
static enum err
read_fields(const struct head *head, struct framing *framing, enum refusal *refusal)
{
    *framing = (struct framing){ .kind = BODY_NONE, .keep_alive = keeps_alive(head) };
    if (head_has(head, FIELD_TRANSFER_ENCODING)) {
        framing->kind = BODY_CHUNKED;
        return check_codings(head, refusal);
    }
    enum err err = read_length(head, framing, refusal);
    if (err == ERR_NONE && framing->length > 0)
        framing->kind = BODY_LENGTH;
    return err;
}

enum err
framing_of_request(const struct head *head, struct framing *framing, enum refusal *refusal)
{
    return read_fields(head, framing, refusal);
}

static bool
has_no_body(unsigned status)
{
    return status < FINAL_MIN || status == NO_CONTENT;
}

/* RFC 9110 §8.6 and RFC 9112 §6.1: neither field belongs into a 1xx or 204; a peer that sends one may also
 * send the body that it announces. "Content-Length: 0" is common and harmless. */
static enum err
check_bodiless(const struct framing *framing, enum refusal *refusal)
{
    if (framing->kind == BODY_CHUNKED)
        return refuse(refusal, REFUSAL_BAD_TRANSFER_ENCODING);
    if (framing->kind == BODY_LENGTH)
        return refuse(refusal, REFUSAL_BAD_LENGTH);
    return ERR_NONE;
}

static void
make_tunnel(struct framing *framing)
{
    framing->kind = BODY_TUNNEL;
    framing->keep_alive = false;
}

/* RFC 9112 §6.3, in its order. */
static void
settle_response(const struct head *head, enum method method, struct framing *framing)
{
    if (head->status == SWITCHING) {
        make_tunnel(framing);
    } else if (has_no_body(head->status) || head->status == NOT_MODIFIED || method == METHOD_HEAD) {
        framing->kind = BODY_NONE; /* and a length is that of the answer to a GET */
    } else if (method == METHOD_CONNECT && head->status < SUCCESS_END) {
        make_tunnel(framing);
    } else if (framing->kind == BODY_NONE && !framing->has_length) {
        framing->kind = BODY_CLOSE;
        framing->keep_alive = false;
    }
}

enum err
framing_of_response(const struct head *head, enum method method, struct framing *framing,
                    enum refusal *refusal)
{
    enum err err = read_fields(head, framing, refusal);

    if (err == ERR_NONE && has_no_body(head->status))
        err = check_bodiless(framing, refusal);
    if (err == ERR_NONE)
        settle_response(head, method, framing);
    return err;
}
