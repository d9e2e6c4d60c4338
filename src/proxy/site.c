/* site.c: which site a host belongs to.
 *
 * A walk over the table: sites are few, and the exact name is compared first. (A hash comes when
 * somebody has a thousand.)
 */
#include <larder/proxy/site.h>

/* How well a site's host fits: 0 not at all, longer is better, an exact name best. */
static size_t
fit(struct span pattern, struct span host)
{
    if (span_equal(pattern, SPAN("*")))
        return 1;
    if (span_starts(pattern, SPAN("*."))) {
        struct span suffix = span_skip(pattern, 1);
        bool        ends =
            host.len > suffix.len && span_equal_nocase(span_skip(host, host.len - suffix.len), suffix);
        return ends ? 1 + suffix.len : 0;
    }
    return span_equal_nocase(pattern, host) ? SIZE_MAX : 0;
}

const struct site *
site_find(const struct site_table *table, struct span host)
{
    const struct site *best = NULL;
    size_t             best_fit = 0;

    if (host.len == 0 && table->count == 1)
        return &table->sites[0];
    for (size_t i = 0; i < table->count; i++)
        for (size_t j = 0; j < table->sites[i].host_count; j++) {
            size_t fits = fit(table->sites[i].hosts[j], host);
            if (fits > best_fit) {
                best = &table->sites[i];
                best_fit = fits;
            }
        }
    return best;
}
