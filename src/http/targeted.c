/* targeted.c: the fields that speak to caches like this one, and which of them counts.
 *
 *      CDN-Cache-Control    RFC 9213, a dictionary       ─▶ valid and not empty?
 *        └ Surrogate-Control  Edge Architecture 1.0      ─▶ says something that we know?
 *            └ Cache-Control    RFC 9111
 *
 * The first that has something valid to say is the only one that counts. The dictionary is strict: it is
 * taken whole or not at all, since RFC 9213 §2.1 wants all caches to make the same of it. Surrogate-Control
 * is a list like Cache-Control, read in the same way, as those who send it today (with
 * stale-while-revalidate and others that the specification of 2001 does not know) expect.
 */
#include <larder/http/structured.h>

#include "directive.h"

/* ── CDN-Cache-Control ── */

/* The last member of each known name: of two the last counts (RFC 8941 §3.2). */
struct known {
    struct sf_value value[DIRECTIVE_COUNT];
    bool            given[DIRECTIVE_COUNT];
};

/* False when the field is absent, empty or breaks its grammar. Parameters are ignored (RFC 9213 §2.1). */
static bool
collect(const struct head *response, struct known *known)
{
    struct sf_walk   walk;
    struct sf_member member;

    memset(known->given, 0, sizeof known->given);
    sf_walk_head(&walk, response, FIELD_CDN_CACHE_CONTROL);
    while (sf_dictionary_next(&walk, &member)) {
        int index = directive_find(member.key);
        if (index < 0)
            continue;
        known->value[index] = member.value;
        known->given[index] = true;
    }
    return walk.any && !walk.failed;
}

/* Whether the value has the type that RFC 9213 §2.1 infers from the directive. */
static bool
has_right_type(enum reading reading, const struct sf_value *value)
{
    bool is_true = value->type == SF_BOOLEAN && value->boolean;

    switch (reading) {
    case FORBIDS:
    case ALLOWS:
        return is_true;
    case SECONDS:
        return value->type == SF_INTEGER;
    case SECONDS_OR_ANY:
        return is_true || value->type == SF_INTEGER;
    case FIELDS:
        return is_true || value->type == SF_STRING || value->type == SF_TOKEN;
    }
    return false;
}

static int64_t
delta_of(int64_t seconds)
{
    return seconds < 0 ? DELTA_INVALID : seconds > DELTA_MAX ? DELTA_MAX : seconds;
}

static void
apply_value(struct cache_control *control, int index, const struct sf_value *value)
{
    struct directive_member member = {
        .value = value->text,
        .has_value = value->type != SF_BOOLEAN,
        .quoted = value->type == SF_STRING,
    };

    if (value->type == SF_INTEGER)
        directive_set_delta(control, index, delta_of(value->number));
    else
        directive_apply(control, index, &member);
}

static bool
read_dictionary(const struct head *response, struct cache_control *control)
{
    struct known known;

    if (!head_has(response, FIELD_CDN_CACHE_CONTROL) || !collect(response, &known))
        return false;
    for (int i = 0; i < DIRECTIVE_COUNT; i++)
        if (known.given[i] && !has_right_type(directive_at(i)->reading, &known.value[i]))
            return false;
    directive_clear(control);
    control->present = true;
    control->source = FIELD_CDN_CACHE_CONTROL;
    for (int i = 0; i < DIRECTIVE_COUNT; i++)
        if (known.given[i])
            apply_value(control, i, &known.value[i]);
    return true;
}

/* ── Surrogate-Control ── */

/* `max-age=60;name` is for the surrogate of that name: takes the name off. False: it is another's. */
static bool
take_target(struct span *text)
{
    bool quoted = false;

    for (size_t i = 0; i < text->len; i++) {
        if (text->at[i] == '"')
            quoted = !quoted;
        else if (text->at[i] == '\\' && quoted)
            i++;
        else if (text->at[i] == ';' && !quoted) {
            struct span target = span_trim(span_skip(*text, i + 1));
            *text = span_trim(span_head(*text, i));
            return span_equal_nocase(target, SPAN(SURROGATE_NAME));
        }
    }
    return true;
}

/* Takes "+600" off "3600+600", the time for which what is stale may still be served; absent is nothing. */
static struct directive_member
take_extension(struct directive_member *member)
{
    struct directive_member extension = { 0 };
    ssize_t                 plus = member->quoted ? -1 : span_find(member->value, '+');

    if (plus >= 0) {
        extension.value = span_skip(member->value, (size_t)plus + 1);
        extension.has_value = true;
        extension.malformed = member->malformed;
        member->value = span_head(member->value, (size_t)plus);
        member->malformed = member->malformed || plus == 0 || extension.value.len == 0;
    }
    return extension;
}

static bool
is_max_age(int index)
{
    return index >= 0 && directive_at(index)->value == offsetof(struct cache_control, max_age);
}

static void
read_surrogate_member(struct cache_control *control, struct span text, struct directive_member *extension)
{
    struct directive_member member = directive_read(text), more = { 0 };
    int                     index = directive_find(member.name);

    if (is_max_age(index))
        more = take_extension(&member);
    if (is_max_age(index) && control->max_age == DELTA_ABSENT) /* of two the first counts, with all of it */
        *extension = more;
    if (index >= 0)
        directive_apply(control, index, &member);
    control->no_store = control->no_store || member.unclosed;
    control->present = control->present || index >= 0 || member.unclosed;
}

/* What is said for itself is stronger than an extension. */
static void
apply_extension(struct cache_control *control, const struct directive_member *extension)
{
    int revalidate = directive_find(SPAN("stale-while-revalidate"));
    int on_error = directive_find(SPAN("stale-if-error"));

    if (control->stale_while_revalidate == DELTA_ABSENT)
        directive_apply(control, revalidate, extension);
    if (control->stale_if_error == DELTA_ABSENT)
        directive_apply(control, on_error, extension);
}

static bool
read_surrogate(const struct head *response, struct cache_control *control)
{
    struct list_walk        walk = { 0 };
    struct directive_member extension = { 0 };
    struct span             text;

    directive_clear(control);
    while (head_walk(response, FIELD_SURROGATE_CONTROL, &walk, &text))
        if (take_target(&text))
            read_surrogate_member(control, text, &extension);
    if (!control->present)
        return false;
    control->source = FIELD_SURROGATE_CONTROL;
    if (extension.has_value)
        apply_extension(control, &extension);
    return true;
}

void
cache_control_effective(const struct head *response, struct cache_control *control)
{
    if (!read_dictionary(response, control) && !read_surrogate(response, control))
        cache_control_parse(response, control);
}
