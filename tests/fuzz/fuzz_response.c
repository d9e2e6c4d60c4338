/* fuzz_response.c: any bytes as the head of a response.
 *
 * Holds: prefixes agree with the whole; all spans lie inside; what is taken is, without its empty line, a
 * stored head, and can be written and read again; framing keeps its promises.
 */
#include "fuzz.h"

#include <larder/http/conditional.h>
#include <larder/http/framing.h>
#include <larder/http/write.h>

static void
check_stored(const struct head *head, struct span bytes)
{
    struct field fields[FUZZ_FIELDS];
    struct head  stored;

    head_init(&stored, fields, FUZZ_FIELDS);
    CHECK(parse_stored(&stored, span_head(bytes, bytes.len - 2)) == ERR_NONE);
    CHECK(fuzz_same_heads(head, &stored));
    CHECK(parse_stored(&stored, bytes) == ERR_SYNTAX); /* with the empty line it is none */
}

static void
check_round_trip(const struct head *head)
{
    struct field  fields[FUZZ_FIELDS];
    struct head   again;
    struct writer writer;
    char          memory[2048];

    writer_init(&writer, memory, sizeof memory);
    write_status_line(&writer, head->status, head->reason);
    for (uint16_t i = 0; i < head->count; i++)
        write_field(&writer, head->fields[i].name, head->fields[i].value);
    CHECK(!writer.failed);
    head_init(&again, fields, FUZZ_FIELDS);
    CHECK(parse_stored(&again, writer_span(&writer)) == ERR_NONE);
    CHECK(fuzz_same_heads(head, &again));
}

static void
check_framing(const struct head *head, enum method method)
{
    struct framing framing;
    enum refusal   refusal = REFUSAL_NONE;
    bool           bodiless = head->status < 200 || head->status == 204 || head->status == 304;

    if (framing_of_response(head, method, &framing, &refusal) != ERR_NONE) {
        CHECK(refusal != REFUSAL_NONE);
        return;
    }
    CHECK(!head_has(head, FIELD_CONTENT_LENGTH) || !head_has(head, FIELD_TRANSFER_ENCODING));
    if (head->status == 101)
        CHECK(framing.kind == BODY_TUNNEL);
    else if (bodiless || method == METHOD_HEAD)
        CHECK(framing.kind == BODY_NONE);
    CHECK(framing.kind != BODY_LENGTH || framing.length > 0);
    CHECK(framing.kind != BODY_CLOSE || !framing.keep_alive);
}

/* An entity tag matches itself, weakly always. */
static void
check_etag(const struct head *head)
{
    struct etag etag;

    if (!etag_parse(head_value(head, FIELD_ETAG), &etag))
        return;
    CHECK(etag.opaque.len >= 2 && etag_match_weak(etag, etag));
    CHECK(etag_match_strong(etag, etag) == !etag.weak);

    struct field      fields[1];
    struct head       request;
    struct validators stored = { .etag = head_value(head, FIELD_ETAG) };
    head_init(&request, fields, 1);
    CHECK(head_add(&request, SPAN("If-None-Match"), stored.etag, FIELD_IF_NONE_MATCH));
    CHECK(conditional_evaluate(&request, &stored, (wall_time){ 0 }) == PRECONDITION_NOT_MODIFIED);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *copy = fuzz_copy(span_of(data, size));
    struct span  bytes = span_of(copy, size);
    struct field fields[FUZZ_FIELDS];
    struct head  head;
    size_t       taken = 0;
    enum refusal refusal = REFUSAL_NONE;

    head_init(&head, fields, FUZZ_FIELDS);
    enum err err = parse_response(&head, bytes, FUZZ_LIMITS, &taken, &refusal);
    CHECK((err == ERR_SYNTAX) == (refusal != REFUSAL_NONE));
    fuzz_check_prefixes(parse_response, bytes, err, refusal, taken);
    if (err == ERR_NONE) {
        struct span own = span_head(bytes, taken);
        CHECK(head.status >= 100 && head.status <= 999);
        CHECK(fuzz_is_inside(head.reason, own));
        fuzz_check_head(&head, own);
        check_stored(&head, own);
        check_round_trip(&head);
        check_framing(&head, METHOD_GET);
        check_framing(&head, METHOD_HEAD);
        check_etag(&head);
    }
    free(copy);
    return 0;
}
