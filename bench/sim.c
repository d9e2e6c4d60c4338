/* sim.c: see sim.h.
 *
 * An object is in one segment at most, and leaves it only when the segment is cleaned: so the list of a
 * segment never names one that is gone, and a victim is walked through once.
 */
#include "sim.h"

#include <larder/base/check.h>
#include <larder/base/list.h>
#include <stdlib.h>

enum { OBJECT_PART = 5, OWN_UNITS = 64, MEMBERS_FIRST = 16 };

struct sim_segment {
    struct list             link;
    struct eviction_segment view;
    uint64_t                size; /* what it costs */
    uint32_t               *members;
    uint32_t                count, room;
    uint8_t                 log;
};

struct sim_log {
    struct list         sealed; /* oldest first */
    struct sim_segment *open;   /* NULL: none */
};

struct sim_object {
    struct sim_segment *segment; /* NULL: not cached */
    unsigned            freq;
};

struct sim {
    struct sim_plan      plan;
    uint64_t             segment_size, object_max;
    void                *policy;
    struct sim_log      *logs;
    struct eviction_log *views; /* as the policy sees the logs */
    unsigned             log_count;
    struct sim_object   *objects;
    struct list          unused;     /* segments with their memory */
    uint64_t             used;       /* what the segments cost */
    uint64_t             clock;      /* objects placed */
    unsigned             streak;     /* victims for the new object that waits */
    unsigned             streak_max; /* from there on survivors are dropped */
    struct sim_counts    counts;
};

/* ── life ── */

static void
free_segments(struct list *list)
{
    for (struct list *link; (link = list_pop_front(list)) != NULL;) {
        struct sim_segment *segment = CONTAINER_OF(link, struct sim_segment, link);
        free(segment->members);
        free(segment);
    }
}

void
sim_destroy(struct sim **destroyed)
{
    struct sim *sim = *destroyed;
    if (sim == NULL)
        return;
    for (unsigned i = 0; sim->logs != NULL && i < sim->log_count; i++) {
        if (sim->logs[i].open != NULL)
            list_push_back(&sim->unused, &sim->logs[i].open->link);
        free_segments(&sim->logs[i].sealed);
    }
    free_segments(&sim->unused);
    if (sim->policy != NULL)
        sim->plan.eviction->destroy(sim->policy);
    free(sim->logs);
    free(sim->views);
    free(sim->objects);
    free(sim);
    *destroyed = NULL;
}

static bool
create_parts(struct sim *sim)
{
    struct eviction_shape shape = { .bytes = sim->plan.bytes,
                                    .object_max = sim->object_max,
                                    .logs_max = eviction_logs_max(sim->plan.segments + sim->plan.reserve),
                                    .alpha = sim->plan.alpha };
    sim->policy = sim->plan.eviction->create(&shape, &sim->log_count);
    if (sim->policy == NULL)
        return false;
    CHECK(sim->log_count >= 1 && sim->log_count <= shape.logs_max);
    sim->logs = calloc(sim->log_count, sizeof sim->logs[0]);
    sim->views = calloc(sim->log_count, sizeof sim->views[0]);
    sim->objects = calloc(sim->plan.objects + UINT64_C(1), sizeof sim->objects[0]);
    for (unsigned i = 0; sim->logs != NULL && i < sim->log_count; i++)
        list_init(&sim->logs[i].sealed);
    return sim->logs != NULL && sim->views != NULL && sim->objects != NULL;
}

struct sim *
sim_create(const struct sim_plan *plan)
{
    CHECK(plan->segments + plan->reserve >= SIM_SEGMENTS_LEAST && plan->bytes / plan->segments >= SIM_SEGMENT_LEAST);
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        return NULL;
    sim->plan = *plan;
    sim->segment_size = plan->bytes / plan->segments;
    sim->object_max = plan->bytes / OBJECT_PART;
    list_init(&sim->unused);
    if (!create_parts(sim))
        sim_destroy(&sim);
    return sim;
}

/* ── segments ── */

static struct sim_segment *
new_segment(struct sim *sim)
{
    struct list *link = list_pop_front(&sim->unused);
    if (link == NULL)
        return calloc(1, sizeof(struct sim_segment));
    struct sim_segment *segment = CONTAINER_OF(link, struct sim_segment, link);
    *segment = (struct sim_segment){ .members = segment->members, .room = segment->room };
    return segment;
}

static void
seal(struct sim *sim, struct sim_segment *segment)
{
    struct sim_log *log = &sim->logs[segment->log];
    if (log->open == segment)
        log->open = NULL;
    list_push_back(&log->sealed, &segment->link);
}

static void
retire(struct sim *sim, struct sim_segment *segment)
{
    list_remove(&segment->link);
    sim->used -= segment->size;
    sim->views[segment->log].bytes -= segment->size;
    list_push_front(&sim->unused, &segment->link);
}

static enum err
reserve(struct sim_segment *segment)
{
    if (segment->count < segment->room)
        return ERR_NONE;
    uint32_t  room = segment->room == 0 ? MEMBERS_FIRST : 2 * segment->room;
    uint32_t *members = realloc(segment->members, room * sizeof members[0]);
    if (members == NULL)
        return ERR_NO_MEMORY;
    segment->members = members;
    segment->room = room;
    return ERR_NONE;
}

static bool
is_own(const struct sim *sim, uint64_t size)
{
    return size > sim->segment_size / 2;
}

/* What a new segment for an object of that size costs. */
static uint64_t
cost_of(const struct sim *sim, uint64_t size)
{
    uint64_t unit = sim->segment_size / OWN_UNITS;
    return is_own(sim, size) ? (size + unit - 1) / unit * unit : sim->segment_size;
}

static bool
has_room(const struct sim *sim, unsigned log, uint64_t size)
{
    const struct sim_segment *open = sim->logs[log].open;
    return !is_own(sim, size) && open != NULL && open->view.bytes + size <= open->size;
}

static struct sim_segment *
open_segment(struct sim *sim, unsigned log, uint64_t size)
{
    struct sim_segment *segment = new_segment(sim);
    if (segment == NULL)
        return NULL;
    segment->log = (uint8_t)log;
    segment->size = cost_of(sim, size);
    segment->view.born = sim->clock;
    list_init(&segment->link);
    sim->used += segment->size;
    sim->views[log].bytes += segment->size;
    if (is_own(sim, size)) {
        seal(sim, segment); /* with what is put into it next */
        return segment;
    }
    if (sim->logs[log].open != NULL)
        seal(sim, sim->logs[log].open);
    sim->logs[log].open = segment;
    return segment;
}

/* Into the open segment of its log, or a new one. */
static enum err
write_object(struct sim *sim, uint32_t number, const struct eviction_verdict *verdict)
{
    unsigned            log = (unsigned)verdict->log;
    uint64_t            size = sim->plan.sizes[number];
    struct sim_segment *segment =
        has_room(sim, log, size) ? sim->logs[log].open : open_segment(sim, log, size);

    if (segment == NULL || reserve(segment) != ERR_NONE)
        return ERR_NO_MEMORY;
    segment->members[segment->count++] = number;
    segment->view.bytes += size;
    segment->view.worth += verdict->worth;
    sim->objects[number] = (struct sim_object){ .segment = segment, .freq = verdict->freq };
    return ERR_NONE;
}

/* ── cleaning ── */

static uint64_t
hash_of(uint32_t number)
{
    uint64_t z = (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* The object as the policy sees it. */
static struct eviction_object
object_of(const struct sim *sim, uint32_t number)
{
    const struct sim_object *object = &sim->objects[number];
    return (struct eviction_object){ .hash = hash_of(number),
                                     .size = sim->plan.sizes[number],
                                     .freq = object->freq,
                                     .log = object->segment->log };
}

static enum err
judge(struct sim *sim, const struct sim_segment *victim, uint32_t number)
{
    struct eviction_verdict verdict = { .log = EVICTION_DROP };

    CHECK(sim->objects[number].segment == victim);
    struct eviction_object object = object_of(sim, number);
    if (sim->streak <= sim->streak_max)
        verdict = sim->plan.eviction->keep(sim->policy, &object);
    if (verdict.log != EVICTION_DROP) {
        sim->counts.copied_bytes += object.size;
        return write_object(sim, number, &verdict);
    }
    sim->objects[number].segment = NULL;
    sim->plan.eviction->dropped(sim->policy, &object);
    return ERR_NONE;
}

static struct sim_segment *
oldest_of(struct sim *sim, unsigned log)
{
    struct list *link = list_first(&sim->logs[log].sealed);
    return link == NULL ? NULL : CONTAINER_OF(link, struct sim_segment, link);
}

static struct sim_segment *
choose(struct sim *sim)
{
    for (unsigned i = 0; i < sim->log_count; i++) {
        struct sim_segment *oldest = oldest_of(sim, i);
        sim->views[i].oldest = oldest == NULL ? NULL : &oldest->view;
    }
    int log = sim->plan.eviction->choose(sim->policy, sim->views, sim->clock);
    if (log == EVICTION_NONE)
        return NULL;
    CHECK(log >= 0 && (unsigned)log < sim->log_count);
    return oldest_of(sim, (unsigned)log);
}

/* ERR_FULL: there is no victim. */
static enum err
clean_one(struct sim *sim)
{
    struct sim_segment *victim = choose(sim);
    if (victim == NULL)
        return ERR_FULL;
    sim->streak++;
    for (uint32_t i = 0; i < victim->count; i++) {
        enum err err = judge(sim, victim, victim->members[i]);
        if (err != ERR_NONE)
            return err;
    }
    retire(sim, victim);
    return ERR_NONE;
}

/* ── requests ── */

/* Survivors may fill the open segment, or open the next one: so it is looked at anew after each victim. A
 * large object takes the place of many segments, and each of those may have its streak. */
static enum err
make_room(struct sim *sim, unsigned log, uint64_t size)
{
    uint64_t cost = cost_of(sim, size);

    sim->streak = 0;
    sim->streak_max = eviction_streak_max(sim->plan.segments) * (unsigned)(cost / sim->segment_size + 1);
    while (!has_room(sim, log, size) && sim->used + cost > sim->plan.bytes) {
        enum err err = clean_one(sim);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

static enum err
insert(struct sim *sim, uint32_t number, uint64_t size)
{
    struct eviction_object  object = { .hash = hash_of(number), .size = size, .lifetime = UINT32_MAX };
    enum err                err = size > sim->object_max ? ERR_FULL : ERR_NONE;
    struct eviction_verdict verdict;

    if (err == ERR_NONE) {
        sim->clock++;
        verdict = sim->plan.eviction->place(sim->policy, &object);
        CHECK(verdict.log >= 0 && (unsigned)verdict.log < sim->log_count);
        err = make_room(sim, (unsigned)verdict.log, size);
    }
    if (err == ERR_FULL) {
        sim->counts.refused++;
        return ERR_NONE;
    }
    sim->counts.written_bytes += size;
    return err == ERR_NONE ? write_object(sim, number, &verdict) : err;
}

static void
count_hit(struct sim *sim, uint32_t number)
{
    struct eviction_object  object = object_of(sim, number);
    struct eviction_verdict verdict = sim->plan.eviction->hit(sim->policy, &object);

    sim->objects[number].freq = verdict.freq;
    sim->objects[number].segment->view.worth += verdict.worth;
}

enum err
sim_request(struct sim *sim, uint32_t number)
{
    CHECK(number < sim->plan.objects);
    uint64_t size = sim->plan.sizes[number];
    sim->counts.requests++;
    sim->counts.bytes += size;
    if (sim->objects[number].segment != NULL) {
        count_hit(sim, number);
        return ERR_NONE;
    }
    sim->counts.misses++;
    sim->counts.miss_bytes += size;
    return insert(sim, number, size);
}

const struct sim_counts *
sim_counts_of(const struct sim *sim)
{
    return &sim->counts;
}

bool
sim_has(const struct sim *sim, uint32_t object, unsigned *log)
{
    const struct sim_segment *segment = sim->objects[object].segment;
    if (segment != NULL)
        *log = segment->log;
    return segment != NULL;
}
