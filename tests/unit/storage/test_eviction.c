/* test_eviction.c: the policies, driven by a simulator that has neither bytes nor a store: what the
 * interface promises.
 *
 * The simulator holds objects of one size in segments, as the store does; exact LRU and FIFO beside it, as
 * arrays.
 */
#include "fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { OBJECTS = 20000, REQUESTS = 300000 };
enum { SEGMENTS = 64, PER_SEGMENT = 32, CAPACITY = SEGMENTS * PER_SEGMENT };

/* A Zipf trace (exponent 0.9), the same in every run. */
static uint32_t *
make_trace(void)
{
    uint32_t *trace = malloc(REQUESTS * sizeof *trace);
    double   *sums = malloc(OBJECTS * sizeof *sums);
    double    sum = 0;
    uint64_t  random = 1;

    for (int i = 0; i < OBJECTS; i++)
        sums[i] = sum += 1 / pow(i + 1, 0.9);
    for (int i = 0; i < REQUESTS; i++) {
        double wanted = (double)(next_random(&random) >> 11) / 9007199254740992.0 * sum;
        int    low = 0, high = OBJECTS - 1;
        while (low < high) {
            int middle = (low + high) / 2;
            if (sums[middle] < wanted)
                low = middle + 1;
            else
                high = middle;
        }
        trace[i] = (uint32_t)low;
    }
    free(sums);
    return trace;
}

struct simulated {
    struct eviction_segment view;
    uint32_t                objects[PER_SEGMENT];
    unsigned                count;
};

struct simulation {
    const struct eviction *eviction;
    void                  *policy;
    struct simulated      *ring[SEGMENTS + 2]; /* oldest first; the last one is open */
    unsigned               count;
    struct simulated      *where[OBJECTS];
    uint8_t                freq[OBJECTS];
    uint64_t               clock, misses, drops, copies;
};

static struct eviction_object
object_of(const struct simulation *simulation, uint32_t number)
{
    return (struct eviction_object){ .hash = number, .size = 1, .freq = simulation->freq[number] };
}

static void
write_object(struct simulation *simulation, uint32_t number, unsigned freq)
{
    struct simulated *open = simulation->count > 0 ? simulation->ring[simulation->count - 1] : NULL;
    if (open == NULL || open->count == PER_SEGMENT) {
        open = calloc(1, sizeof *open);
        open->view.born = simulation->clock;
        simulation->ring[simulation->count++] = open;
    }
    open->objects[open->count++] = number;
    open->view.bytes++;
    simulation->where[number] = open;
    simulation->freq[number] = (uint8_t)freq;
}

static void
judge_object(struct simulation *simulation, uint32_t number)
{
    struct eviction_object  object = object_of(simulation, number);
    struct eviction_verdict verdict = simulation->eviction->keep(simulation->policy, &object);

    if (verdict.log == EVICTION_DROP) {
        simulation->eviction->dropped(simulation->policy, &object);
        simulation->where[number] = NULL;
        simulation->drops++;
        return;
    }
    cr_assert_eq(verdict.log, 0);
    write_object(simulation, number, verdict.freq);
    simulation->copies++;
}

static void
clean(struct simulation *simulation)
{
    struct simulated   *victim = simulation->ring[0];
    struct eviction_log log = { .oldest = &victim->view, .bytes = simulation->count * PER_SEGMENT };

    cr_assert_eq(simulation->eviction->choose(simulation->policy, &log, simulation->clock), 0);
    memmove(simulation->ring, simulation->ring + 1, --simulation->count * sizeof simulation->ring[0]);
    for (unsigned i = 0; i < victim->count; i++)
        if (simulation->where[victim->objects[i]] == victim)
            judge_object(simulation, victim->objects[i]);
    free(victim);
}

static void
request(struct simulation *simulation, uint32_t number)
{
    struct eviction_object  object = object_of(simulation, number);
    struct eviction_verdict verdict;

    if (simulation->where[number] != NULL) {
        verdict = simulation->eviction->hit(simulation->policy, &object);
        cr_assert_leq(verdict.freq, EVICTION_FREQ_MAX);
        simulation->freq[number] = (uint8_t)verdict.freq;
        return;
    }
    simulation->misses++;
    simulation->clock++;
    object.freq = 0;
    verdict = simulation->eviction->place(simulation->policy, &object);
    cr_assert_eq(verdict.log, 0);
    write_object(simulation, number, verdict.freq);
    while (simulation->count > SEGMENTS)
        clean(simulation);
}

static double
simulate(const struct eviction *eviction, const uint32_t *trace, uint64_t *copies)
{
    struct simulation    *simulation = calloc(1, sizeof *simulation);
    struct eviction_shape shape = { .bytes = CAPACITY, .object_max = 1, .logs_max = SEGMENTS / 4 };
    struct eviction_log   nothing = { .oldest = NULL };
    unsigned              logs = 0;

    simulation->eviction = eviction;
    simulation->policy = eviction->create(&shape, &logs);
    cr_assert_not_null(simulation->policy);
    cr_assert_eq(logs, 1);
    cr_assert_eq(eviction->choose(simulation->policy, &nothing, 0), EVICTION_NONE);
    for (int i = 0; i < REQUESTS; i++)
        request(simulation, trace[i]);
    double misses = (double)simulation->misses / REQUESTS;
    *copies = simulation->copies;
    for (unsigned i = 0; i < simulation->count; i++)
        free(simulation->ring[i]);
    eviction->destroy(simulation->policy);
    free(simulation);
    return misses;
}

/* Exact LRU (or FIFO): the stamp of the last use (or of the insertion); the least goes. Stamps are
 * unique, so a heap would do; a ring of stamps with lazy deletion is shorter. */
static double
exact(const uint32_t *trace, bool move_on_hit)
{
    uint32_t *ring = malloc(REQUESTS * sizeof *ring);
    uint32_t *last = calloc(OBJECTS, sizeof *last); /* position in the ring + 1; 0: not cached */
    uint32_t  head = 0, tail = 0, cached = 0, misses = 0;

    for (int i = 0; i < REQUESTS; i++) {
        uint32_t number = trace[i];
        bool     hit = last[number] != 0;
        misses += !hit;
        if (hit && !move_on_hit)
            continue;
        cached += !hit;
        ring[head++] = number;
        last[number] = head;
        for (; cached > CAPACITY; tail++) {
            if (last[ring[tail]] == tail + 1) {
                last[ring[tail]] = 0;
                cached--;
            }
        }
    }
    free(ring);
    free(last);
    return (double)misses / REQUESTS;
}

Test(storage_eviction, fifo_is_fifo)
{
    uint32_t *trace = make_trace();
    uint64_t  copies;
    double    log = simulate(&eviction_fifo, trace, &copies), wanted = exact(trace, false);

    printf("fifo: misses %.4f, exact %.4f\n", log, wanted);
    cr_assert_eq(copies, 0);
    cr_assert_lt(fabs(log - wanted), 0.01);
    free(trace);
}

Test(storage_eviction, lru_is_no_worse_than_exact_lru)
{
    uint32_t *trace = make_trace();
    uint64_t  copies;
    double    log = simulate(&eviction_lru, trace, &copies), wanted = exact(trace, true);
    double    written = 1 + (double)copies / (log * REQUESTS);

    printf("lru: misses %.4f, exact %.4f; writes each byte %.2f times\n", log, wanted, written);
    cr_assert_lt(log, wanted * 1.02);
    cr_assert_lt(log, exact(trace, false) * 0.98);
    cr_assert_gt(copies, 0);
    free(trace);
}
