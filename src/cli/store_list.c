/* store_list.c: `larder store list`: the objects of a store, page by page, as far as they fit the filters.
 *
 *            SIZE      AGE     LEFT  STATUS  KEY
 *        1.20 KiB    3m 5s  56m 55s     200  http://example.com/a
 *        4.00 KiB   2h 11m  expired     200  http://example.com/b [accept-encoding: br]
 */
#include "show.h"
#include "store.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>

struct filter {
    const char *match;
    struct span host; /* empty: any */
    uint64_t    min_size, limit;
    bool        expired;
};

static enum err
make_filter(const struct store_flags *flags, struct filter *filter, struct fault *fault)
{
    struct fault why;

    *filter = (struct filter){ .match = flags->match, .limit = UINT64_MAX, .expired = flags->expired };
    if (flags->host != NULL)
        filter->host = span_of_text(flags->host);
    if (flags->min_size != NULL
        && units_parse_size(span_of_text(flags->min_size), &filter->min_size, &why) != ERR_NONE)
        return fault_set(fault, ERR_SYNTAX, "--min-size: %s", why.text);
    if (flags->limit != NULL
        && (!span_to_u64(span_of_text(flags->limit), INT64_MAX, &filter->limit) || filter->limit == 0))
        return fault_set(fault, ERR_SYNTAX, "--limit takes a number from 1 on, not \"%.64s\"", flags->limit);
    return ERR_NONE;
}

/* ── filters ── */

/* "http://HOST/...", "http://HOST:8080/...": with or without the port. */
static bool
is_of_host(struct span key, struct span host)
{
    const char *mark = memmem(key.at, key.len, "://", 3);
    if (mark == NULL)
        return false;
    struct span rest = span_skip(key, (size_t)(mark + 3 - key.at)), authority;
    (void)span_split(&rest, '/', &authority);
    if (span_equal_nocase(authority, host))
        return true;
    return span_starts_nocase(authority, host) && authority.at[host.len] == ':'
           && span_find(span_skip(authority, host.len + 1), ':') < 0;
}

static bool
has_expired(const json_t *object)
{
    return json_integer_value(json_object_get(object, "remaining")) <= 0;
}

static bool
fits(const struct filter *filter, const json_t *object)
{
    const char *key = show_text(object, "key");

    return (filter->match == NULL || fnmatch(filter->match, key, FNM_NOESCAPE) == 0)
           && (filter->host.len == 0 || is_of_host(span_of_text(key), filter->host))
           && show_number(object, "size") >= filter->min_size && (!filter->expired || has_expired(object));
}

/* ── lines ── */

static void
print_object(const json_t *object, FILE *out)
{
    const char *variant = show_text(object, "variant"), *kind = show_text(object, "kind");
    uint64_t    status = show_number(object, "status");
    char        size[UNITS_TEXT_SIZE], age[UNITS_TEXT_SIZE], left[UNITS_TEXT_SIZE], said[UNITS_TEXT_SIZE];

    snprintf(said, sizeof said, status == 0 ? "-" : "%" PRIu64, status);
    fprintf(out, "%10s %8s %8s  %6s  %s", units_round_size(show_number(object, "size"), size),
            show_time(show_number(object, "age"), age),
            has_expired(object) ? "expired" : show_time(show_number(object, "remaining"), left), said,
            show_text(object, "key"));
    if (*variant != '\0')
        fprintf(out, " [%s]", variant);
    if (strcmp(kind, "variants") == 0 || strcmp(kind, "alias") == 0 || strcmp(kind, "part") == 0)
        fprintf(out, " (%s)", kind);
    fputc('\n', out);
}

/* Counts down the limit. */
static enum err
print_page(const json_t *page, struct filter *filter, bool json, FILE *out, struct fault *fault)
{
    enum err err = ERR_NONE;
    size_t   index;
    json_t  *object;

    json_array_foreach(json_object_get(page, "objects"), index, object)
    {
        if (filter->limit == 0 || err != ERR_NONE)
            break;
        if (!fits(filter, object))
            continue;
        filter->limit--;
        if (json)
            err = store_print_json(object, out, fault);
        else
            print_object(object, out);
    }
    return err;
}

enum err
store_list(struct store_source *source, const struct store_flags *flags, FILE *out, bool *failed,
           struct fault *fault)
{
    struct filter filter;
    char         *cursor = NULL;
    bool          first = true;

    (void)failed;
    enum err err = make_filter(flags, &filter, fault);
    for (; (first || cursor != NULL) && err == ERR_NONE && filter.limit > 0; first = false) {
        json_t *page;
        err = store_source_page(source, STORE_OBJECTS, cursor, &page, fault);
        if (err != ERR_NONE)
            break;
        if (first && !flags->json)
            fprintf(out, "%10s %8s %8s  %6s  %s\n", "SIZE", "AGE", "LEFT", "STATUS", "KEY");
        err = print_page(page, &filter, flags->json, out, fault);
        if (err == ERR_NONE)
            err = store_source_next(page, &cursor, fault);
        json_decref(page);
    }
    free(cursor);
    return err;
}
