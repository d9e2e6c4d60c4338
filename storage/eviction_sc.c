/* eviction_sc.c: SC: size-class segment logs with probation, a ghost list, and utility to choose the victim.
 *
 *                  ┌─ 1K ─┬─ 4K ─┬─ 16K ┬─ ... ─┬ short-lived ┐
 *      new ───────▶│  P   │  P   │  P   │        │      P      │──not found─▶ dropped ─▶ ghost list
 *                  │ found│ found│ found│        │    found    │                             │
 *                  │  ▼   │  ▼   │  ▼   │        │      ▼      │                             │
 *      back again ▶│  M   │  M   │  M   │        │      M      │──not found─▶ dropped ─▶     │
 *          ▲       └──────┴──────┴──────┴────────┴─────────────┘                             │
 *          └─────────────────────────────────────────────────────────────────────────────────┘
 *
 * Objects of about one size share a segment, so that a segment as a whole is worth keeping or is not: 1 MB
 * for a thousand small objects or for one large one is a choice that plain LRU cannot even see. The victim is
 * the segment with the least worth for its bytes and age, among the oldest of each log; worth is what its
 * records were found for, a hit counted as size ^ (1 - alpha).
 *
 * P is probation. What is asked for once only (more than half of all objects in most traces) leaves from
 * there without having moved anything that is in use: P segments count half, and alone are candidates while
 * they hold more than a fifth of the shard. What was found in P moves to M, as does what comes back soon
 * after it was dropped. In M each passage halves the count of hits, so yesterday's favourites leave.
 *
 * What lives less than five minutes gets a pair of logs of its own, of all sizes: its segments expire as a
 * whole and are then free without a copy, and do not leave holes in segments that last.
 *
 * Many classes want many segments: one is open for each log. The caller says how many there may be
 * (eviction_logs_max); the classes become wider (x4, x8, ...) until that suffices, down to one class. From
 * 64 segments on nothing is lost by it; with 16 it costs two to four points of misses.
 */
#include "ghost.h"

#include <larder/base/check.h>
#include <larder/storage/eviction.h>
#include <math.h>
#include <stdlib.h>

enum {
    SIZE_BITS = 4, /* of a size that are looked at: steps of a sixteenth, as the index knows sizes */
    SIZE_STEPS = 1 << SIZE_BITS,
    SIZES = (64 - SIZE_BITS + 1) * SIZE_STEPS,
    CLASSES_MAX = 12,
    CLASS_FIRST = 1024,  /* bytes: the limit of the first class */
    STEP_LEAST = 2,      /* bits of size from one class to the next */
    SHORT_LIVED = 5 * 60 /* seconds */
};

#define PROBATION_PART 0.2   /* of the shard */
#define PROBATION_WEIGHT 0.5 /* of its worth */
#define GHOST_PART 0.9       /* of the shard, in bytes of objects that are gone */

struct sc {
    unsigned     classes;
    unsigned     pairs; /* of logs: one for each class, and the last for the short-lived */
    unsigned     step;
    double       worths[SIZES]; /* what a hit is worth, by steps of size */
    uint64_t     probation_max; /* bytes */
    struct ghost ghost;
};

/* ── logs ── */

/* First P of each pair, then M of each: what proved itself is in the second half (eviction.h). */
static bool
is_probation(const struct sc *sc, unsigned log)
{
    return log < sc->pairs;
}

static unsigned
main_of(const struct sc *sc, unsigned log)
{
    return is_probation(sc, log) ? sc->pairs + log : log;
}

/* How many doublings of the first class's limit it takes to hold that size. */
static unsigned
doublings_of(uint64_t size)
{
    uint64_t limits = (size + CLASS_FIRST - 1) / CLASS_FIRST;
    return limits <= 1 ? 0 : 64U - (unsigned)__builtin_clzll(limits - 1);
}

static unsigned
class_of(const struct sc *sc, uint64_t size)
{
    unsigned number = (doublings_of(size) + sc->step - 1) / sc->step;
    return number < sc->classes ? number : sc->classes - 1;
}

/* The finest classes for which there are logs. The last one has all that is larger. */
static void
set_classes(struct sc *sc, const struct eviction_shape *shape)
{
    unsigned doublings = doublings_of(shape->object_max);
    unsigned most = shape->logs_max / 2 - 1;

    sc->classes = doublings > 0 ? 2 : 1;
    for (sc->step = STEP_LEAST; sc->step <= doublings; sc->step++) {
        unsigned wanted = 1 + (doublings + sc->step - 1) / sc->step;
        sc->classes = wanted < CLASSES_MAX ? wanted : CLASSES_MAX;
        if (sc->classes <= most)
            break;
    }
    if (sc->classes > most)
        sc->classes = most;
}

/* ── worth ── */

/* Below SIZE_STEPS each size has its number; above, each doubling has SIZE_STEPS of them. */
static unsigned
step_of(uint64_t size)
{
    if (size < SIZE_STEPS)
        return (unsigned)size;
    unsigned shift = 63U - (unsigned)__builtin_clzll(size) - SIZE_BITS;
    return (shift << SIZE_BITS) + (unsigned)(size >> shift);
}

/* size ^ (1 - alpha): a power for each hit would cost more than all the rest of it. */
static void
set_worths(struct sc *sc, double alpha)
{
    for (unsigned i = 1; i < SIZES; i++) {
        unsigned shift = i < SIZE_STEPS ? 0 : i / SIZE_STEPS - 1;
        sc->worths[i] = pow(ldexp(i - shift * SIZE_STEPS, (int)shift), 1 - alpha);
    }
}

static double
worth_of(const struct sc *sc, uint64_t size)
{
    return sc->worths[step_of(size)];
}

/* ── life ── */

static void
sc_destroy(void *policy)
{
    struct sc *sc = policy;
    ghost_fini(&sc->ghost);
    free(sc);
}

static void *
sc_create(const struct eviction_shape *shape, unsigned *logs)
{
    CHECK(shape->logs_max >= EVICTION_LOGS_LEAST && shape->alpha >= 0 && shape->alpha <= 1);
    struct sc *sc = calloc(1, sizeof *sc);
    if (sc == NULL)
        return NULL;
    set_worths(sc, shape->alpha);
    sc->probation_max = (uint64_t)((double)shape->bytes * PROBATION_PART);
    set_classes(sc, shape);
    sc->pairs = sc->classes + 1;
    *logs = 2 * sc->pairs;
    if (ghost_init(&sc->ghost, (uint64_t)((double)shape->bytes * GHOST_PART)) != ERR_NONE) {
        sc_destroy(sc);
        return NULL;
    }
    return sc;
}

/* ── objects ── */

static struct eviction_verdict
sc_place(void *policy, const struct eviction_object *object)
{
    struct sc *sc = policy;
    unsigned   log = object->lifetime < SHORT_LIVED ? sc->classes : class_of(sc, object->size);

    if (ghost_take(&sc->ghost, object->hash))
        log = main_of(sc, log);
    return (struct eviction_verdict){ .log = (int)log, .worth = worth_of(sc, object->size) };
}

static struct eviction_verdict
sc_hit(void *policy, const struct eviction_object *object)
{
    const struct sc *sc = policy;

    if (object->freq == EVICTION_FREQ_MAX)
        return (struct eviction_verdict){ .freq = EVICTION_FREQ_MAX };
    return (struct eviction_verdict){ .freq = object->freq + 1, .worth = worth_of(sc, object->size) };
}

static struct eviction_verdict
sc_keep(void *policy, const struct eviction_object *object)
{
    const struct sc *sc = policy;

    if (object->freq == 0)
        return (struct eviction_verdict){ .log = EVICTION_DROP };
    return (struct eviction_verdict){ .log = (int)main_of(sc, object->log),
                                      .freq = is_probation(sc, object->log) ? 0 : (object->freq - 1) / 2,
                                      .worth = worth_of(sc, object->size) };
}

static void
sc_dropped(void *policy, const struct eviction_object *object)
{
    struct sc *sc = policy;
    ghost_add(&sc->ghost, object->hash, object->size);
}

/* ── victims ── */

static double
use_of(const struct eviction_segment *segment, bool probation, uint64_t clock)
{
    double bytes = segment->bytes > 0 ? (double)segment->bytes : 1;
    double age = clock > segment->born ? (double)(clock - segment->born) : 1;
    return segment->worth / (bytes * age) * (probation ? PROBATION_WEIGHT : 1);
}

static int
least_used(const struct sc *sc, const struct eviction_log *logs, bool probation_only, uint64_t clock)
{
    int    least = EVICTION_NONE;
    double least_use = 0;

    for (unsigned i = 0; i < 2 * sc->pairs; i++) {
        if (logs[i].oldest == NULL || (probation_only && !is_probation(sc, i)))
            continue;
        double use = use_of(logs[i].oldest, is_probation(sc, i), clock);
        if (least == EVICTION_NONE || use < least_use) {
            least = (int)i;
            least_use = use;
        }
    }
    return least;
}

static int
sc_choose(void *policy, const struct eviction_log *logs, uint64_t clock)
{
    const struct sc *sc = policy;
    uint64_t         probation = 0;

    for (unsigned i = 0; i < 2 * sc->pairs; i++)
        if (is_probation(sc, i))
            probation += logs[i].bytes;
    int log = least_used(sc, logs, probation > sc->probation_max, clock);
    return log != EVICTION_NONE ? log : least_used(sc, logs, false, clock);
}

const struct eviction eviction_sc = {
    .name = "sc",
    .create = sc_create,
    .destroy = sc_destroy,
    .place = sc_place,
    .hit = sc_hit,
    .choose = sc_choose,
    .keep = sc_keep,
    .dropped = sc_dropped,
};
