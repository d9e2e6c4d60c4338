/* eviction_s3fifo.c: S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache
 * eviction", SOSP 2023), with logs for its queues and segments for their steps.
 *
 *      new ──▶ small, a tenth ──found twice──▶ main ──found──▶ main again, one less
 *                  └─ else dropped ─▶ ghost list ─ back ─▶ main     └─ else dropped
 *
 * Most objects are asked for once, and the small log lets them go before they cost anything; what it dropped
 * too early is known by the ghost list. All sizes are alike to it: see eviction_sc.c for a policy that weighs
 * them.
 */
#include "ghost.h"

#include <larder/storage/eviction.h>
#include <stdlib.h>

enum { SMALL, MAIN, LOGS };
enum { FREQ_MAX = 3, FREQ_MOVES = 2 };

#define SMALL_PART 0.1
#define GHOST_PART 0.9

struct s3fifo {
    uint64_t     small_max; /* bytes */
    struct ghost ghost;
};

static void
s3fifo_destroy(void *policy)
{
    struct s3fifo *s3fifo = policy;
    ghost_fini(&s3fifo->ghost);
    free(s3fifo);
}

static void *
s3fifo_create(const struct eviction_shape *shape, unsigned *logs)
{
    struct s3fifo *s3fifo = calloc(1, sizeof *s3fifo);
    if (s3fifo == NULL)
        return NULL;
    *logs = LOGS;
    s3fifo->small_max = (uint64_t)((double)shape->bytes * SMALL_PART);
    if (ghost_init(&s3fifo->ghost, (uint64_t)((double)shape->bytes * GHOST_PART)) != ERR_NONE) {
        s3fifo_destroy(s3fifo);
        return NULL;
    }
    return s3fifo;
}

static struct eviction_verdict
s3fifo_place(void *policy, const struct eviction_object *object)
{
    struct s3fifo *s3fifo = policy;
    return (struct eviction_verdict){ .log = ghost_take(&s3fifo->ghost, object->hash) ? MAIN : SMALL };
}

static struct eviction_verdict
s3fifo_hit(void *policy, const struct eviction_object *object)
{
    (void)policy;
    return (struct eviction_verdict){ .freq = object->freq < FREQ_MAX ? object->freq + 1 : FREQ_MAX };
}

static int
s3fifo_choose(void *policy, const struct eviction_log *logs, uint64_t clock)
{
    const struct s3fifo *s3fifo = policy;
    bool                 small = logs[SMALL].bytes > s3fifo->small_max;

    (void)clock;
    if (logs[SMALL].oldest != NULL && (small || logs[MAIN].oldest == NULL))
        return SMALL;
    return logs[MAIN].oldest != NULL ? MAIN : EVICTION_NONE;
}

static struct eviction_verdict
s3fifo_keep(void *policy, const struct eviction_object *object)
{
    bool stays = object->log == SMALL ? object->freq >= FREQ_MOVES : object->freq > 0;

    (void)policy;
    if (!stays)
        return (struct eviction_verdict){ .log = EVICTION_DROP };
    return (struct eviction_verdict){ .log = MAIN, .freq = object->log == SMALL ? 0 : object->freq - 1 };
}

static void
s3fifo_dropped(void *policy, const struct eviction_object *object)
{
    struct s3fifo *s3fifo = policy;
    ghost_add(&s3fifo->ghost, object->hash, object->size);
}

const struct eviction eviction_s3fifo = {
    .name = "s3fifo",
    .create = s3fifo_create,
    .destroy = s3fifo_destroy,
    .place = s3fifo_place,
    .hit = s3fifo_hit,
    .choose = s3fifo_choose,
    .keep = s3fifo_keep,
    .dropped = s3fifo_dropped,
};
