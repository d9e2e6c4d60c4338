/* tally.h: what a load saw, counted; and what that means.
 *
 *      worker ─▶ tally ─┐
 *      worker ─▶ tally ─┴─▶ tally_merge ─▶ summary_compute ─▶ load_print.c
 *
 * Two latencies. `service` runs from the moment a request was written. `response` is what a user would have
 * seen: in an open loop it runs from the moment the request was due (schedule.h); in a closed loop, whose
 * clients politely wait while the server stalls, it is computed: a request of n mean intervals stands for
 * the n that were never sent.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include "answer.h"

#include <larder/base/clock.h>
#include <larder/base/histogram.h>

#define LOAD_ERROR_TABLE(X)                                                                                  \
    X(CONNECT, "connect", "the connection could not be made")                                                \
    X(RESET, "reset", "the connection ended before the answer was whole")                                    \
    X(TIMEOUT, "timeout", "no whole answer within --timeout")                                                \
    X(BAD_ANSWER, "bad_answer", "what came is no answer")

enum load_error {
#define LOAD_ERROR_ENUM(id, name, text) LOAD_##id,
    LOAD_ERROR_TABLE(LOAD_ERROR_ENUM)
#undef LOAD_ERROR_ENUM
        LOAD_ERRORS
};
const char *load_error_name(enum load_error error);

enum { TALLY_STATUSES = 1000 };

/* Owner: a worker, then the main thread. */
struct tally {
    uint64_t         answers;
    uint64_t         errors[LOAD_ERRORS];
    uint64_t         statuses[TALLY_STATUSES];
    uint64_t         caches[ANSWER_AGE_HIT + 1];      /* by enum answer_cache */
    uint64_t         cache_bytes[ANSWER_AGE_HIT + 1]; /* of the bodies of these */
    uint64_t         bytes, body_bytes;               /* received: all, and of bodies */
    uint64_t         connections;                     /* made */
    uint64_t         unfinished; /* asked or due, and not answered when the time was up */
    nsec             cpu;        /* processor time of our own */
    mono_time        begin, end;
    struct histogram service, response; /* nanoseconds; response: of an open loop */
};

void tally_init(struct tally *tally);
void tally_answer(struct tally *tally, const struct answer *answer);
void tally_merge(struct tally *into, const struct tally *from);

/* Nanoseconds. */
struct latency {
    double   mean;
    uint64_t p50, p90, p99, p999, most;
};

enum hit_source { HITS_UNTOLD, HITS_CACHE_STATUS, HITS_AGE };

struct summary {
    uint64_t        requests; /* that came to an end: answers and errors */
    uint64_t        errors;
    uint64_t        good, bad; /* answers with a status below 400, and from it */
    double          seconds, requests_per_second, bytes_per_second;
    uint64_t        hits, misses;
    uint64_t        hit_bytes, miss_bytes;     /* of bodies */
    double          hit_ratio, byte_hit_ratio; /* 0 to 1, of the answers that told; 0 when none did */
    enum hit_source hit_source;
    double          cpu_per_request; /* nanoseconds of our own processor time */
    struct latency  service, response;
};

/* The counts alone: requests, errors, good, bad, hits, misses. */
void summary_count(struct summary *summary, const struct tally *tally);

/* `users`: how many requests a closed loop keeps going at once; 0: it was an open loop. */
void summary_compute(struct summary *summary, const struct tally *tally, unsigned users);

#endif
