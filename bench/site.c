/* site.c: see site.h. */
#include "site.h"
#include "knobs.h"

#include <inttypes.h>
#include <larder/base/check.h>
#include <larder/base/hash.h>
#include <larder/base/text.h>
#include <larder/base/units.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_LIMIT = 256 * 1024 };

/* One row is one address. With a title it is put into the layout; with a label it is in the navigation. */
struct plan {
    const char *path, *file, *title, *label;
    const char *type, *control;
};

#define PAGE(path, file, title, label)                                                                       \
    {                                                                                                        \
        path, file, title, label, "text/html; charset=utf-8", "max-age=60"                                   \
    }

static const struct plan plans[] = {
    PAGE("/", "home.html", "A slow site, made fast", "Home"),
    PAGE("/hit", "hit.html", "The way of a request", "A request"),
    PAGE("/fresh", "fresh.html", "Fresh, stale, gone", "Freshness"),
    PAGE("/herd", "herd.html", "A thousand at once", "The herd"),
    PAGE("/store", "store.html", "The store", "The store"),
    PAGE("/try", "try.html", "Try it", "Try it"),
    PAGE("/knobs", "knobs.html", "Knobs", "Knobs"),
    { "/account", "account.html", "Your account", "Your account", "text/html; charset=utf-8",
      "private, no-store" },
    { "/site.css", "site.css", NULL, NULL, "text/css; charset=utf-8", "max-age=60" },
    { "/site.js", "site.js", NULL, NULL, "text/javascript; charset=utf-8", "max-age=60" },
    { "/larder.svg", "larder.svg", NULL, NULL, "image/svg+xml", "max-age=60" },
    { NULL, "missing.html", "Nothing here", NULL, "text/html; charset=utf-8", "max-age=5" },
};

enum { PLANS = sizeof plans / sizeof plans[0], MISSING = PLANS - 1 };

struct site {
    struct page pages[PLANS];
    struct text texts[PLANS];
    char        delay[UNITS_TEXT_SIZE];
};

static struct span
file_content(const char *name)
{
    for (size_t i = 0; i < site_files_count; i++)
        if (strcmp(site_files[i].name, name) == 0)
            return span_of(site_files[i].at, site_files[i].len);
    UNREACHABLE(); /* the table above and the folder site/ disagree */
}

static void
append_navigation(struct text *out, const struct plan *here)
{
    for (size_t i = 0; i < PLANS; i++)
        if (plans[i].label != NULL)
            text_printf(out, "<a href=\"%s\"%s>%s</a>\n", plans[i].path,
                        &plans[i] == here ? " aria-current=\"page\"" : "", plans[i].label);
}

static void
append_knobs(struct text *out)
{
    for (size_t i = 0; i < knobs_table.count; i++) {
        const struct row *row = &knobs_table.rows[i];
        text_printf(out, "<tr><td><code>/%s%s%s</code></td><td>%s</td></tr>\n", row->name,
                    row->value == NULL ? "" : "/", row->value == NULL ? "" : row->value, row->help);
    }
}

static void expand(const struct site *site, const struct plan *plan, struct span source, struct text *out);

static void
append_value(const struct site *site, const struct plan *plan, struct span name, struct text *out)
{
    if (span_equal(name, SPAN("title")))
        text_append(out, span_of_text(plan->title));
    else if (span_equal(name, SPAN("delay")))
        text_append(out, span_of_text(site->delay));
    else if (span_equal(name, SPAN("nav")))
        append_navigation(out, plan);
    else if (span_equal(name, SPAN("knobs")))
        append_knobs(out);
    else if (span_equal(name, SPAN("body")))
        expand(site, plan, file_content(plan->file), out);
    else
        UNREACHABLE(); /* a file in site/ names something else */
}

/* Copies `source`, with each {{name}} replaced. */
static void
expand(const struct site *site, const struct plan *plan, struct span source, struct text *out)
{
    for (;;) {
        const char *open = source.len == 0 ? NULL : memmem(source.at, source.len, "{{", 2);
        if (open == NULL)
            break;
        size_t before = (size_t)(open - source.at);
        text_append(out, span_head(source, before));
        source = span_skip(source, before + 2);
        ssize_t end = span_find(source, '}');
        CHECK(end > 0);
        append_value(site, plan, span_head(source, (size_t)end), out);
        source = span_skip(source, (size_t)end + 2);
    }
    text_append(out, source);
}

static void
make_page(struct site *site, size_t i)
{
    const struct plan *plan = &plans[i];
    struct page       *page = &site->pages[i];
    struct text       *text = &site->texts[i];
    text_init(text, PAGE_LIMIT);
    if (plan->title == NULL)
        text_append(text, file_content(plan->file));
    else
        expand(site, plan, file_content("layout.html"), text);
    *page = (struct page){ .path = plan->path,
                           .type = span_of_text(plan->type),
                           .control = span_of_text(plan->control),
                           .body = text_span(text) };
    if (strstr(plan->control, "private") == NULL)
        snprintf(page->etag, sizeof page->etag, "\"%016" PRIx64 "\"", hash_checksum(page->body));
}

static bool
any_failed(const struct site *site)
{
    for (size_t i = 0; i < PLANS; i++)
        if (site->texts[i].failed)
            return true;
    return false;
}

struct site *
site_create(nsec delay)
{
    struct site *site = calloc(1, sizeof *site);
    if (site == NULL)
        return NULL;
    if (delay == 0)
        snprintf(site->delay, sizeof site->delay, "0 ms");
    else
        units_round_time(delay, site->delay);
    for (size_t i = 0; i < PLANS; i++)
        make_page(site, i);
    if (any_failed(site))
        site_destroy(&site);
    return site;
}

void
site_destroy(struct site **site)
{
    if (*site == NULL)
        return;
    for (size_t i = 0; i < PLANS; i++)
        text_fini(&(*site)->texts[i]);
    free(*site);
    *site = NULL;
}

const struct page *
site_find(const struct site *site, struct span path)
{
    for (size_t i = 0; i < MISSING; i++)
        if (span_equal(path, span_of_text(site->pages[i].path)))
            return &site->pages[i];
    return NULL;
}

const struct page *
site_missing(const struct site *site)
{
    return &site->pages[MISSING];
}
