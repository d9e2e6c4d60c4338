/* cache_control.c: the directives of Cache-Control, read once into a struct.
 *
 *      member ──▶ name ["=" (token | quoted-string)] ──▶ row of `directives` ──▶ how to read it, and where to
 *
 * Where the text breaks its grammar, the reading that keeps less wins: a directive that forbids counts
 * whatever follows its name, one that allows counts only when it stands alone, a number that is none is
 * DELTA_INVALID, and a quoted string that is never closed, which may hide a directive, is taken as no-store.
 */
#include <larder/base/check.h>
#include <larder/http/scan.h>

#include "bytes.h"
#include "directive.h"

/* clang-format off */
#define NAME(text) { text, sizeof(text) - 1 }
#define FLAG(text, reading, member) { NAME(text), reading, offsetof(struct cache_control, member), 0 }
#define DELTA(text, reading, member) { NAME(text), reading, 0, offsetof(struct cache_control, member) }
#define LIST(text, flag, member) \
    { NAME(text), FIELDS, offsetof(struct cache_control, flag), offsetof(struct cache_control, member) }
/* clang-format on */

static const struct directive directives[DIRECTIVE_COUNT] = {
    DELTA("max-age", SECONDS, max_age), /* RFC 9111 §5.2 */
    DELTA("s-maxage", SECONDS, s_maxage),
    DELTA("max-stale", SECONDS_OR_ANY, max_stale),
    DELTA("min-fresh", SECONDS, min_fresh),
    DELTA("stale-while-revalidate", SECONDS, stale_while_revalidate), /* RFC 5861 */
    DELTA("stale-if-error", SECONDS, stale_if_error),
    LIST("no-cache", no_cache, no_cache_fields),
    LIST("private", is_private, private_fields),
    FLAG("no-store", FORBIDS, no_store),
    FLAG("must-revalidate", FORBIDS, must_revalidate),
    FLAG("proxy-revalidate", FORBIDS, proxy_revalidate),
    FLAG("no-transform", FORBIDS, no_transform),
    FLAG("only-if-cached", FORBIDS, only_if_cached),
    FLAG("public", ALLOWS, is_public),
    FLAG("must-understand", ALLOWS, must_understand), /* it may lift a no-store (§5.2.2.3) */
    FLAG("immutable", ALLOWS, immutable),             /* RFC 8246 */
};

static bool *
flag_of(struct cache_control *control, const struct directive *directive)
{
    return (bool *)(void *)((char *)control + directive->flag);
}

static int64_t *
delta_of(struct cache_control *control, const struct directive *directive)
{
    return (int64_t *)(void *)((char *)control + directive->value);
}

static struct span *
list_of(struct cache_control *control, const struct directive *directive)
{
    return (struct span *)(void *)((char *)control + directive->value);
}

int
directive_find(struct span name)
{
    for (int i = 0; i < DIRECTIVE_COUNT; i++)
        if (span_equal_nocase(directives[i].name, name))
            return i;
    return -1;
}

const struct directive *
directive_at(int index)
{
    CHECK(index >= 0 && index < DIRECTIVE_COUNT);
    return &directives[index];
}

/* Where the quoted string that begins at `from` is closed; the length of the text when it is not. */
static size_t
closing_quote(struct span text, size_t from)
{
    size_t i = from + 1;
    while (i < text.len && text.at[i] != '"')
        i += text.at[i] == '\\' ? 2 : 1;
    return i < text.len ? i : text.len;
}

/* Whether a quoted string is open at the end, wherever in the member it began. */
static bool
ends_in_quotes(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '"')
            continue;
        i = closing_quote(text, i);
        if (i == text.len)
            return true;
    }
    return false;
}

static void
read_value(struct directive_member *member, struct span text)
{
    member->has_value = true;
    member->quoted = text.len >= 2 && text.at[0] == '"' && closing_quote(text, 0) == text.len - 1;
    member->value = member->quoted ? span_of(text.at + 1, text.len - 2) : text;
    member->malformed = !member->quoted && (text.len == 0 || scan_best()->token(text) != text.len);
}

struct directive_member
directive_read(struct span text)
{
    size_t                  length = scan_best()->token(text);
    struct directive_member member = { .name = span_head(text, length), .unclosed = ends_in_quotes(text) };
    struct span             rest = span_skip(text, length);

    if (rest.len > 0 && rest.at[0] == '=')
        read_value(&member, span_skip(rest, 1));
    else if (rest.len > 0) /* "max-age =1", "no-store foo" */
        member.malformed = member.has_value = true;
    return member;
}

/* 1*DIGIT, also in quotes: "recipients ought to accept both forms" (RFC 9111 §5.2). Above DELTA_MAX it stays there, however many digits
 * there are (§1.2.2). */
static int64_t
read_delta(const struct directive_member *member)
{
    int64_t sum = 0;

    if (!member->has_value || member->malformed || member->value.len == 0)
        return DELTA_INVALID;
    for (size_t i = 0; i < member->value.len; i++) {
        if (!byte_is(member->value.at[i], BYTE_DIGIT))
            return DELTA_INVALID;
        sum = sum * 10 + (member->value.at[i] - '0');
        if (sum > DELTA_MAX)
            sum = DELTA_MAX;
    }
    return sum;
}

void
directive_set_delta(struct cache_control *control, int index, int64_t seconds)
{
    int64_t *delta = delta_of(control, directive_at(index));

    if (*delta == DELTA_ABSENT)
        *delta = seconds;
    else
        control->repeated = true; /* RFC 9111 §4.2.1: the first counts */
}

/* A comma list of at least one token. */
static bool
is_name_list(struct span rest)
{
    struct span name;
    bool        any = false;

    while (list_next(&rest, &name)) {
        any = true;
        if (scan_best()->token(name) != name.len)
            return false;
    }
    return any;
}

/* A list that cannot be read, and a second list, widen to the whole answer. */
static void
set_fields(struct cache_control *control, const struct directive *directive,
           const struct directive_member *member)
{
    struct span *list = list_of(control, directive);

    if (member->has_value && !member->malformed && list->at == NULL && is_name_list(member->value))
        *list = member->value;
    else
        *flag_of(control, directive) = true;
}

void
directive_apply(struct cache_control *control, int index, const struct directive_member *member)
{
    const struct directive *directive = directive_at(index);

    switch (directive->reading) {
    case FORBIDS:
        *flag_of(control, directive) = true;
        break;
    case ALLOWS:
        if (!member->has_value)
            *flag_of(control, directive) = true;
        break;
    case SECONDS:
        directive_set_delta(control, index, read_delta(member));
        break;
    case SECONDS_OR_ANY:
        directive_set_delta(control, index, member->has_value ? read_delta(member) : DELTA_ANY);
        break;
    case FIELDS:
        set_fields(control, directive, member);
        break;
    }
}

void
directive_clear(struct cache_control *control)
{
    *control = (struct cache_control){ .max_age = DELTA_ABSENT,
                                       .s_maxage = DELTA_ABSENT,
                                       .max_stale = DELTA_ABSENT,
                                       .min_fresh = DELTA_ABSENT,
                                       .stale_while_revalidate = DELTA_ABSENT,
                                       .stale_if_error = DELTA_ABSENT };
}

void
cache_control_parse(const struct head *head, struct cache_control *control)
{
    struct list_walk walk = { 0 };
    struct span      text;

    directive_clear(control);
    while (head_walk(head, FIELD_CACHE_CONTROL, &walk, &text)) {
        struct directive_member member = directive_read(text);
        int                     index = directive_find(member.name);
        control->present = true;
        control->source = FIELD_CACHE_CONTROL;
        control->no_store = control->no_store || member.unclosed;
        if (index >= 0)
            directive_apply(control, index, &member);
    }
}
