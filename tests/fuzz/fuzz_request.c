/* fuzz_request.c: any bytes as the head of a request.
 *
 * Holds: prefixes agree with the whole; all spans lie inside; what is taken can be written and read again and
 * is the same; target and framing keep their promises; the scanners agree.
 */
#include "fuzz.h"

#include <larder/http/framing.h>
#include <larder/http/negotiate.h>
#include <larder/http/write.h>

/* Its own serialisation says the same as the peer's. */
static void
check_round_trip(const struct head *head)
{
    struct field  fields[FUZZ_FIELDS];
    struct head   again;
    struct writer writer;
    char          memory[2048];
    size_t        size = 0;
    enum refusal  refusal;

    writer_init(&writer, memory, sizeof memory);
    write_request_line(&writer, head->method_text, head->target, SPAN_EMPTY);
    for (uint16_t i = 0; i < head->count; i++)
        write_field(&writer, head->fields[i].name, head->fields[i].value);
    write_end(&writer);
    CHECK(!writer.failed);
    head_init(&again, fields, FUZZ_FIELDS);
    const struct parse_limits limits = { sizeof memory, sizeof memory };
    CHECK(parse_request(&again, writer_span(&writer), &limits, &size, &refusal) == ERR_NONE);
    CHECK(size == writer.len);
    CHECK(fuzz_same_heads(head, &again));
}

static void
check_target(const struct head *head, struct span bytes)
{
    struct target target;
    enum refusal  refusal = REFUSAL_NONE;

    if (parse_target(head, &target, &refusal) != ERR_NONE) {
        CHECK(refusal != REFUSAL_NONE);
        return;
    }
    CHECK(fuzz_is_inside(target.host, bytes) && fuzz_is_inside(target.port, bytes));
    CHECK(fuzz_is_inside(target.query, bytes));
    CHECK(target.path.len > 0 && (target.path.at[0] == '/' || span_equal(target.path, SPAN("*"))));
    CHECK(span_find(target.path, '?') < 0);
    CHECK(target.host.len > 0 || head->minor == 0);
    const struct field *host = head_find(head, FIELD_HOST);
    CHECK(host == NULL || (head_next(head, host) == NULL && host->value.len >= target.host.len));
}

static void
check_framing(const struct head *head)
{
    struct framing framing;
    enum refusal   refusal = REFUSAL_NONE;
    bool           length = head_has(head, FIELD_CONTENT_LENGTH);
    bool           coding = head_has(head, FIELD_TRANSFER_ENCODING);

    if (framing_of_request(head, &framing, &refusal) != ERR_NONE) {
        CHECK(refusal != REFUSAL_NONE && (length || coding));
        return;
    }
    CHECK(!(length && coding));
    CHECK((framing.kind == BODY_CHUNKED) == coding);
    CHECK((framing.kind == BODY_LENGTH) == (framing.length > 0));
    CHECK(framing.has_length == length);
    CHECK(framing.length <= UINT64_C(1) << 62);
}

static void
check_hops(const struct head *head, struct span bytes)
{
    struct hop_set hop;
    enum refusal   refusal = REFUSAL_NONE;

    if (framing_mark_hop(head, &hop, &refusal) != ERR_NONE) {
        CHECK(refusal != REFUSAL_NONE && head_has(head, FIELD_CONNECTION));
        return;
    }
    CHECK(hop.others <= 16);
    for (unsigned i = 0; i < hop.others; i++)
        CHECK(fuzz_is_inside(hop.other[i], bytes) && field_lookup(hop.other[i]) == FIELD_OTHER);
    for (uint16_t i = 0; i < head->count; i++) {
        enum field_id id = (enum field_id)head->fields[i].id;
        bool          ends = framing_is_hop(&hop, &head->fields[i]);
        CHECK(ends || (id != FIELD_CONNECTION && id != FIELD_TRANSFER_ENCODING));
        CHECK(!ends || (id != FIELD_HOST && id != FIELD_CONTENT_LENGTH && id != FIELD_COOKIE));
    }
}

/* The normal form is its own normal form. */
static void
check_codings(const struct head *head)
{
    struct field fields[1];
    struct head  normal;
    char         form[ACCEPT_ENCODING_SIZE], again[ACCEPT_ENCODING_SIZE];

    struct span once = accept_encoding_normalise(head, form);
    head_init(&normal, fields, 1);
    CHECK(head_add(&normal, SPAN("Accept-Encoding"), once, FIELD_ACCEPT_ENCODING));
    CHECK(span_equal(accept_encoding_normalise(&normal, again), once));
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
    enum err err = parse_request(&head, bytes, FUZZ_LIMITS, &taken, &refusal);
    CHECK(err == ERR_NONE || err == ERR_AGAIN || err == ERR_SYNTAX);
    CHECK((err == ERR_SYNTAX) == (refusal != REFUSAL_NONE));
    fuzz_check_prefixes(parse_request, bytes, err, refusal, taken);
    fuzz_check_scanners(bytes);
    if (err == ERR_NONE) {
        struct span own = span_head(bytes, taken);
        CHECK(taken <= size && span_ends(own, SPAN("\r\n\r\n")));
        fuzz_check_head(&head, own);
        check_round_trip(&head);
        check_target(&head, own);
        check_framing(&head);
        check_hops(&head, own);
        check_codings(&head);
    }
    free(copy);
    return 0;
}
