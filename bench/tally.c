/* tally.c: see tally.h. */
#include "tally.h"

#include <larder/base/check.h>

static const char *const error_names[LOAD_ERRORS] = {
#define LOAD_ERROR_NAME(id, name, text) name,
    LOAD_ERROR_TABLE(LOAD_ERROR_NAME)
#undef LOAD_ERROR_NAME
};

const char *
load_error_name(enum load_error error)
{
    CHECK(error < LOAD_ERRORS);
    return error_names[error];
}

void
tally_init(struct tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->begin = MONO_NEVER;
    histogram_init(&tally->service);
    histogram_init(&tally->response);
}

void
tally_answer(struct tally *tally, const struct answer *answer)
{
    CHECK(answer->status < TALLY_STATUSES);
    tally->answers++;
    tally->statuses[answer->status]++;
    tally->caches[answer->cache]++;
    tally->cache_bytes[answer->cache] += answer->body;
    tally->body_bytes += answer->body;
}

static void
add_all(uint64_t *into, const uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += from[i];
}

void
tally_merge(struct tally *into, const struct tally *from)
{
    into->answers += from->answers;
    add_all(into->errors, from->errors, LOAD_ERRORS);
    add_all(into->statuses, from->statuses, TALLY_STATUSES);
    add_all(into->caches, from->caches, ANSWER_AGE_HIT + 1);
    add_all(into->cache_bytes, from->cache_bytes, ANSWER_AGE_HIT + 1);
    into->bytes += from->bytes;
    into->body_bytes += from->body_bytes;
    into->connections += from->connections;
    into->unfinished += from->unfinished;
    into->cpu += from->cpu;
    into->begin.ns = from->begin.ns < into->begin.ns ? from->begin.ns : into->begin.ns;
    into->end.ns = from->end.ns > into->end.ns ? from->end.ns : into->end.ns;
    histogram_merge(&into->service, &from->service);
    histogram_merge(&into->response, &from->response);
}

/* ── what it means ── */

static struct latency
latency_of(const struct histogram *histogram)
{
    return (struct latency){ .mean = histogram_mean(histogram),
                             .p50 = histogram_percentile(histogram, 50),
                             .p90 = histogram_percentile(histogram, 90),
                             .p99 = histogram_percentile(histogram, 99),
                             .p999 = histogram_percentile(histogram, 99.9),
                             .most = histogram->total == 0 ? 0 : histogram->most };
}

/* Each bucket's value is the percentile at which its counts end. */
static void
correct(struct histogram *into, const struct histogram *from, uint64_t interval)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (from->counts[i] == 0)
            continue;
        double   middle = (double)seen + (double)from->counts[i] / 2;
        uint64_t value = histogram_percentile(from, middle * 100 / (double)from->total);
        for (uint64_t k = 0; k < from->counts[i]; k++)
            histogram_add_corrected(into, value, interval);
        seen += from->counts[i];
    }
}

static struct latency
correct_closed(const struct tally *tally, unsigned users)
{
    struct histogram corrected;
    if (tally->service.total == 0)
        return latency_of(&tally->service);
    histogram_init(&corrected);
    double interval = (double)mono_since(tally->end, tally->begin) * users / (double)tally->service.total;
    correct(&corrected, &tally->service, (uint64_t)interval);
    return latency_of(&corrected);
}

static double
ratio_of(uint64_t some, uint64_t all)
{
    return all == 0 ? 0 : (double)some / (double)all;
}

static void
count_hits(struct summary *summary, const struct tally *tally)
{
    summary->hits = tally->caches[ANSWER_STATUS_HIT] + tally->caches[ANSWER_AGE_HIT];
    summary->misses = tally->caches[ANSWER_STATUS_MISS] + tally->caches[ANSWER_AGE_MISS];
    uint64_t told = summary->hits + summary->misses;
    summary->hit_ratio = ratio_of(summary->hits, told);
    summary->hit_bytes = tally->cache_bytes[ANSWER_STATUS_HIT] + tally->cache_bytes[ANSWER_AGE_HIT];
    summary->miss_bytes = tally->cache_bytes[ANSWER_STATUS_MISS] + tally->cache_bytes[ANSWER_AGE_MISS];
    summary->byte_hit_ratio = ratio_of(summary->hit_bytes, summary->hit_bytes + summary->miss_bytes);
    if (tally->caches[ANSWER_STATUS_HIT] + tally->caches[ANSWER_STATUS_MISS] > 0)
        summary->hit_source = HITS_CACHE_STATUS;
    else if (told > 0)
        summary->hit_source = HITS_AGE;
}

static void
count_requests(struct summary *summary, const struct tally *tally)
{
    for (unsigned i = 0; i < LOAD_ERRORS; i++)
        summary->errors += tally->errors[i];
    for (unsigned i = 400; i < TALLY_STATUSES; i++)
        summary->bad += tally->statuses[i];
    summary->good = tally->answers - summary->bad;
    summary->requests = tally->answers + summary->errors;
}

void
summary_count(struct summary *summary, const struct tally *tally)
{
    *summary = (struct summary){ .requests = 0 };
    count_requests(summary, tally);
    count_hits(summary, tally);
}

void
summary_compute(struct summary *summary, const struct tally *tally, unsigned users)
{
    summary_count(summary, tally);
    nsec elapsed = tally->begin.ns < tally->end.ns ? mono_since(tally->end, tally->begin) : 0;
    if (elapsed > 0) {
        summary->seconds = (double)elapsed / (double)NSEC_PER_SEC;
        summary->requests_per_second = (double)tally->answers / summary->seconds;
        summary->bytes_per_second = (double)tally->bytes / summary->seconds;
    }
    if (tally->answers > 0)
        summary->cpu_per_request = (double)tally->cpu / (double)tally->answers;
    summary->service = latency_of(&tally->service);
    summary->response = users == 0 ? latency_of(&tally->response) : correct_closed(tally, users);
}
