/* eviction_fifo.c: one log, oldest first, nothing is copied.
 *
 * The cheapest policy (it writes each byte once) and the yardstick for the others: against LRU it misses 2
 * to 7 % more often in the mean of real traces, up to 26 % on one of them.
 */
#include <larder/storage/eviction.h>

static void *
fifo_create(const struct eviction_shape *shape, unsigned *logs)
{
    static const char no_state;
    (void)shape;
    *logs = 1;
    return (void *)(uintptr_t)&no_state; /* never written: there is nothing to remember */
}

static void
fifo_destroy(void *policy)
{
    (void)policy;
}

static struct eviction_verdict
fifo_place(void *policy, const struct eviction_object *object)
{
    (void)policy, (void)object;
    return (struct eviction_verdict){ .log = 0 };
}

static struct eviction_verdict
fifo_hit(void *policy, const struct eviction_object *object)
{
    (void)policy;
    return (struct eviction_verdict){ .freq = object->freq };
}

static int
fifo_choose(void *policy, const struct eviction_log *logs, uint64_t clock)
{
    (void)policy, (void)clock;
    return logs[0].oldest != NULL ? 0 : EVICTION_NONE;
}

static struct eviction_verdict
fifo_keep(void *policy, const struct eviction_object *object)
{
    (void)policy, (void)object;
    return (struct eviction_verdict){ .log = EVICTION_DROP };
}

static void
fifo_dropped(void *policy, const struct eviction_object *object)
{
    (void)policy, (void)object;
}

const struct eviction eviction_fifo = {
    .name = "fifo",
    .create = fifo_create,
    .destroy = fifo_destroy,
    .place = fifo_place,
    .hit = fifo_hit,
    .choose = fifo_choose,
    .keep = fifo_keep,
    .dropped = fifo_dropped,
};
