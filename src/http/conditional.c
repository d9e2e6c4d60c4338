/* conditional.c: the preconditions of a request against what is stored, in the order of RFC 9110 §13.2.2.
 *
 *      If-Match ─▶ no match: 412
 *        └ else If-Unmodified-Since ─▶ modified later: 412
 *      If-None-Match ─▶ a match: 304
 *        └ else If-Modified-Since ─▶ not modified later: 304
 *
 * A list of entity tags is no list of quoted strings: in a tag a backslash is a byte like any other (§8.8.3),
 * so `"a\"` is a whole tag. Lists are therefore walked here, tag by tag, and not by head_walk. What is no tag
 * matches nothing.
 */
#include <larder/http/conditional.h>
#include <larder/http/date.h>

typedef bool etag_match(struct etag a, struct etag b);

/* Takes a member off the front of the list: up to the first comma that is not inside of a tag. */
static struct span
take_member(struct span *rest)
{
    size_t end = 0;
    bool   quoted = false;

    for (; end < rest->len && (quoted || rest->at[end] != ','); end++)
        if (rest->at[end] == '"')
            quoted = !quoted;
    struct span member = span_trim(span_head(*rest, end));
    *rest = span_skip(*rest, end + 1);
    return member;
}

static bool
line_has(struct span rest, struct etag stored, etag_match *match)
{
    while (rest.len > 0) {
        struct etag given;
        if (etag_parse(take_member(&rest), &given) && match(given, stored))
            return true;
    }
    return false;
}

/* Whether the lines of `id`, a list of entity tags, name the stored one. `*` names any, and stands alone. */
static bool
names_stored(const struct head *request, enum field_id id, const struct validators *stored, etag_match *match)
{
    const struct field *field = head_find(request, id);
    struct etag         etag;

    if (head_next(request, field) == NULL && span_equal(field->value, SPAN("*")))
        return true;
    if (!etag_parse(stored->etag, &etag))
        return false;
    for (; field != NULL; field = head_next(request, field))
        if (line_has(field->value, etag, match))
            return true;
    return false;
}

/* The date in the one line of `id`. */
static bool
find_date(const struct head *request, enum field_id id, wall_time now, int64_t *seconds)
{
    const struct field *field = head_find(request, id);
    return field != NULL && head_next(request, field) == NULL && date_parse(field->value, now, seconds);
}

/* RFC 9110 §13.1.1 and §13.1.4. */
static bool
has_failed(const struct head *request, const struct validators *stored, wall_time now)
{
    int64_t limit;

    if (head_has(request, FIELD_IF_MATCH))
        return !names_stored(request, FIELD_IF_MATCH, stored, etag_match_strong);
    return stored->has_modified && find_date(request, FIELD_IF_UNMODIFIED_SINCE, now, &limit)
           && stored->modified > limit;
}

/* A field that stands alone, or NULL. */
static const struct field *
find_single(const struct head *head, enum field_id id)
{
    const struct field *field = head_find(head, id);
    return field == NULL || head_next(head, field) != NULL ? NULL : field;
}

void
validators_read(const struct head *response, wall_time now, struct validators *validators)
{
    const struct field *etag = find_single(response, FIELD_ETAG);
    const struct field *modified = find_single(response, FIELD_LAST_MODIFIED);
    const struct field *date = find_single(response, FIELD_DATE);
    struct etag         valid;

    *validators = (struct validators){ .has_modified = false };
    if (etag != NULL && etag_parse(etag->value, &valid))
        validators->etag = etag->value;
    validators->has_modified = modified != NULL && date_parse(modified->value, now, &validators->modified);
    validators->has_date = date != NULL && date_parse(date->value, now, &validators->date);
}

/* RFC 9111 §4.3.2: where there is no Last-Modified, Date stands in for it, be it the origin's or the time of receipt. */
static bool
find_modified(const struct validators *stored, int64_t *modified)
{
    *modified = stored->has_modified ? stored->modified : stored->date;
    return stored->has_modified || stored->date != 0;
}

/* RFC 9110 §13.1.2 and §13.1.3. */
static bool
is_current(const struct head *request, const struct validators *stored, wall_time now)
{
    int64_t limit, modified;

    if (head_has(request, FIELD_IF_NONE_MATCH))
        return names_stored(request, FIELD_IF_NONE_MATCH, stored, etag_match_weak);
    return find_date(request, FIELD_IF_MODIFIED_SINCE, now, &limit) && find_modified(stored, &modified)
           && modified <= limit;
}

enum precondition
conditional_evaluate(const struct head *request, const struct validators *stored, wall_time now)
{
    if (has_failed(request, stored, now))
        return PRECONDITION_FAILED;
    return is_current(request, stored, now) ? PRECONDITION_NOT_MODIFIED : PRECONDITION_NONE;
}

bool
conditional_is(const struct head *request)
{
    return head_has(request, FIELD_IF_MATCH) || head_has(request, FIELD_IF_NONE_MATCH)
           || head_has(request, FIELD_IF_MODIFIED_SINCE) || head_has(request, FIELD_IF_UNMODIFIED_SINCE);
}

/* RFC 9110 §8.8.2.2: a second that was over when the origin answered, so that nothing can have changed in it
 * without a trace. */
static bool
is_strong_date(const struct validators *stored)
{
    return stored->has_modified && stored->has_date && stored->date > stored->modified;
}

/* RFC 9110 §13.1.5: the field holds one entity tag or one date, never a list. A text that is no tag may only
 * be a date. */
bool
conditional_if_range_holds(const struct head *request, const struct validators *stored, wall_time now)
{
    const struct field *field = head_find(request, FIELD_IF_RANGE);
    struct etag         given, own;
    int64_t             seconds;

    if (field == NULL)
        return true;
    if (head_next(request, field) != NULL)
        return false;
    if (etag_parse(field->value, &given))
        return etag_parse(stored->etag, &own) && etag_match_strong(given, own);
    return is_strong_date(stored) && date_parse(field->value, now, &seconds) && seconds == stored->modified;
}

bool
validators_share_strong(const struct validators *a, const struct validators *b)
{
    struct etag one, other;

    if (a->etag.len > 0 || b->etag.len > 0)
        return etag_parse(a->etag, &one) && etag_parse(b->etag, &other) && etag_match_strong(one, other);
    return is_strong_date(a) && is_strong_date(b) && a->modified == b->modified;
}
