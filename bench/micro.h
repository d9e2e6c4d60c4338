/* micro.h: `larder-bench micro`: larder's own code piece by piece: nanoseconds and instructions of one operation.
 *
 *      world (a store in memory, 1,000 stored answers) ──▶ part: so many operations in a row, with a meter around them
 *                                                    └──▶ lookups by several threads at once: micro_threads.c
 *
 * A part does nothing but the work of the server's own functions, through their public interfaces, and with what the
 * server would hand them. What is not measured (parsing before a lookup, say) is done before, in the world.
 *
 * Owner: the main thread; what a thread changes is in its hand.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <larder/base/arena.h>
#include <larder/base/clock.h>
#include <larder/cache/cache.h>
#include <larder/cache/object.h>
#include <larder/cache/settings.h>
#include <larder/http/message.h>
#include <larder/storage/store.h>
#include <stdio.h>

/* ── the meter: time and instructions of one thread ── */

#define METER_UNKNOWN INT64_C(-1)

struct meter {
    nsec    begun, took;  /* of processor time */
    int64_t instructions; /* in user space; METER_UNKNOWN: the kernel does not tell */
    int     events;       /* private: while it runs */
};

/* On the thread whose work it is. */
void meter_begin(struct meter *meter);
void meter_end(struct meter *meter);

/* ── the world ── */

enum { MICRO_OBJECTS = 1000, MICRO_BODY = 1024, MICRO_FIELDS = 64, MICRO_THREADS_MAX = 16 };

struct micro_world {
    struct store         *store;
    struct cache         *cache;
    struct cache_settings settings;
    wall_time             now;
    unsigned              answers; /* of what is stored the first so many are asked for */
    struct slab           slab;
    struct arena          arena;               /* what follows lives in it */
    struct store_key      keys[MICRO_OBJECTS]; /* of what is stored, or will be */
    struct span           meta;                /* of each of them */
    char                  body[MICRO_BODY];
};

/* `readers`: threads that will look up. One: all keys are neighbours. More: they are spread over shards as in a server.
 * `filled`: the answers are stored; else only their keys are made. */
MUST_CHECK enum err micro_world_create(struct micro_world **world, unsigned readers, bool filled,
                                       unsigned answers, struct fault *fault);
void                micro_world_destroy(struct micro_world **world);

/* Has the store thread append the records of `count` keys from `first` on, round and round, in one job: of neighbours.
 * `meter`: of the appending, if not NULL. Returns how many were refused. */
uint64_t micro_world_append(struct micro_world *world, uint64_t first, uint64_t count, struct meter *meter);

/* The request that a browser would send, and its bytes. */
struct span micro_request(void);

/* What one thread changes. It points into itself: not to be copied. */
struct micro_hand {
    struct micro_world *world;
    unsigned            reader;
    struct slab         slab;
    struct arena        arena;
    struct field        fields[MICRO_FIELDS];
    struct head         request;
};

void micro_hand_init(struct micro_hand *hand, struct micro_world *world, unsigned reader);
void micro_hand_fini(struct micro_hand *hand);

/* ── the parts ── */

struct micro_part {
    const char *name, *text; /* the text for people */
    void (*run)(struct micro_hand *hand, uint64_t operations, struct meter *meter);
    bool filled; /* it wants the answers stored */
    bool single; /* it is the work of the store's thread: not for several at once */
};

extern const struct micro_part micro_parts[];
extern const unsigned          micro_part_count;

const struct micro_part *micro_part_find(struct span name);

/* ── the command ── */

enum { MICRO_ROUNDS_MAX = 99, MICRO_PARTS_MAX = 16, MICRO_COUNTS_MAX = 8 };

struct micro_plan {
    const struct micro_part *parts[MICRO_PARTS_MAX];
    unsigned                 part_count;
    unsigned                 threads[MICRO_COUNTS_MAX]; /* numbers of them, to be compared */
    unsigned                 thread_count;              /* 0: one thread, and how long it takes */
    unsigned                 rounds, answers;
    uint64_t                 operations; /* of each round; of each thread */
};

struct micro_result {
    const struct micro_part *part;
    double                   median, least, most; /* ns of an operation */
    double                   instructions;        /* of an operation, the median; below 0: not known */
};

struct micro_race {
    const struct micro_part *part;
    unsigned                 threads;
    double rate;  /* operations per second of all threads together; the median of the rounds */
    double ratio; /* to the first number of threads in the same round; the median */
};

struct micro_report {
    const struct micro_plan *plan;
    struct micro_result      results[MICRO_PARTS_MAX];
    unsigned                 result_count;
    struct micro_race        races[MICRO_PARTS_MAX * MICRO_COUNTS_MAX];
    unsigned                 race_count;
};

/* The part by each number of threads, which take turns. */
MUST_CHECK enum err micro_race(const struct micro_part *part, struct micro_report *report,
                               struct fault *fault);

void micro_print_text(const struct micro_report *report, FILE *out);
void micro_print_json(const struct micro_report *report, FILE *out);

#endif
