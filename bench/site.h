/* site.h: the demo site: a few pages that say what larder does while it does it.
 *
 *      site/layout.html ─┐
 *      site/NAME.html ───┼─▶ {{title}} {{nav}} {{body}} {{delay}} {{knobs}} ─▶ a page in memory
 *
 * The files in site/ are compiled into the program (embed.cmake); the pages are put together once, at start.
 * Frozen after site_create.
 */
#ifndef BENCH_SITE_H
#define BENCH_SITE_H

#include <larder/base/clock.h>
#include <larder/base/err.h>
#include <larder/base/span.h>

/* A file as embed.cmake wrote it: of site/. */
struct site_file {
    const char *name;
    const char *at;
    size_t      len;
};
extern const struct site_file site_files[];
extern const size_t           site_files_count;

enum { SITE_ETAG_SIZE = 24 };

struct page {
    const char *path;
    struct span type, control; /* Content-Type, Cache-Control */
    struct span body;
    char        etag[SITE_ETAG_SIZE]; /* with its quotes; "" when the page has none */
};

struct site;

/* `delay` is what the pages say about themselves. NULL when memory ends. */
struct site *site_create(nsec delay);
void         site_destroy(struct site **site);

/* The page of that path, or NULL; and the page for a path that is none. */
const struct page *site_find(const struct site *site, struct span path);
const struct page *site_missing(const struct site *site);

#endif
