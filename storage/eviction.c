/* eviction.c: the policies by name. See eviction.h. */
#include <larder/storage/eviction.h>

const struct eviction *
eviction_by_name(struct span name)
{
    static const struct eviction *const policies[] = { &eviction_sc, &eviction_s3fifo, &eviction_lru,
                                                       &eviction_fifo };

    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++)
        if (span_equal(name, span_of_text(policies[i]->name)))
            return policies[i];
    return NULL;
}
