/* eviction_lru.c: LRU as a log can have it: what was used since it was written is copied forward.
 *
 *      oldest ▶ [ a b' c ][ d e' f ][ g h i' ] ◀ newest        ' found since it was written
 *                 └─ a, c dropped; b written again at the end, its mark cleared
 *
 * A list of all records in the order of their last use cannot be kept in a log without moving a record at
 * each hit, so the order is that of writing, with one bit (freq 0 or 1) that says "used since". A used
 * record passes the end of the log once more; so a record leaves after at least one whole turn of the log
 * without a hit, and at most two. That is CLOCK (Corbató 1968) with a segment as the step of its hand. On
 * the eight traces that the design of the store was measured with, CLOCK missed 0.9 to 1.1 % less often
 * than exact LRU in the mean, and at worst 1.3 % more often. The price is the copies.
 */
#include <larder/storage/eviction.h>

static void *
lru_create(const struct eviction_shape *shape, unsigned *logs)
{
    static const char no_state;
    (void)shape;
    *logs = 1;
    return (void *)(uintptr_t)&no_state; /* never written: all it remembers is in `freq` */
}

static void
lru_destroy(void *policy)
{
    (void)policy;
}

static struct eviction_verdict
lru_place(void *policy, const struct eviction_object *object)
{
    (void)policy, (void)object;
    return (struct eviction_verdict){ .log = 0, .freq = 0 };
}

static struct eviction_verdict
lru_hit(void *policy, const struct eviction_object *object)
{
    (void)policy, (void)object;
    return (struct eviction_verdict){ .freq = 1 };
}

static int
lru_choose(void *policy, const struct eviction_log *logs, uint64_t clock)
{
    (void)policy, (void)clock;
    return logs[0].oldest != NULL ? 0 : EVICTION_NONE;
}

static struct eviction_verdict
lru_keep(void *policy, const struct eviction_object *object)
{
    (void)policy;
    return (struct eviction_verdict){ .log = object->freq > 0 ? 0 : EVICTION_DROP, .freq = 0 };
}

static void
lru_dropped(void *policy, const struct eviction_object *object)
{
    (void)policy, (void)object;
}

const struct eviction eviction_lru = {
    .name = "lru",
    .create = lru_create,
    .destroy = lru_destroy,
    .place = lru_place,
    .hit = lru_hit,
    .choose = lru_choose,
    .keep = lru_keep,
    .dropped = lru_dropped,
};
