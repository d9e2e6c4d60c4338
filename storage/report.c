/* report.c: see report.h.
 */
#include "report.h"

#include <larder/base/units.h>
#include <stdio.h>

enum { TEXT = 320 };

void
report_opened(const struct store_config *config, const struct shape *shape, const char *policy)
{
    char shard[UNITS_TEXT_SIZE], segment[UNITS_TEXT_SIZE];
    units_round_size((uint64_t)shape->segments * shape->segment_size, shard);
    units_round_size(shape->segment_size, segment);
    log_write(config->log, LOG_INFO, "store: %s: %u shards of %s, segments of %s, %u threads, policy %s",
              config->directory == NULL ? "in memory" : config->directory, shape->shards, shard, segment,
              shape->threads, policy);
}

static uint64_t
sum_of(const struct report *report, size_t offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < report->count; i++) {
        const char *metrics = (const char *)&report->shards[i]->metrics;
        sum += metric_read((const metric_cell *)(const void *)(metrics + offset));
    }
    return sum;
}

static const struct {
    size_t      offset;
    const char *words;
} reasons[] = {
    { offsetof(struct store_metrics, recovery_expired), "records expired" },
    { offsetof(struct store_metrics, recovery_purged), "records purged" },
    { offsetof(struct store_metrics, recovery_older), "older versions" },
    { offsetof(struct store_metrics, recovery_damaged), "segments damaged" },
    { offsetof(struct store_metrics, recovery_unsealed), "segments not synced before the machine stopped" },
    { offsetof(struct store_metrics, recovery_future), "segments from a time to come" },
};

static void
list_reasons(const struct report *report, char text[static TEXT])
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        uint64_t count = sum_of(report, reasons[i].offset);
        if (count > 0 && len < TEXT)
            len += (size_t)snprintf(text + len, TEXT - len, "%s%llu %s", len == 0 ? "; left out: " : ", ",
                                    (unsigned long long)count, reasons[i].words);
    }
}

static void
tell(const struct report *report)
{
    char   bytes[UNITS_TEXT_SIZE], left_out[TEXT];
    double seconds = (double)mono_since(clock_mono(), report->began) / (double)NSEC_PER_SEC;

    units_round_size(sum_of(report, offsetof(struct store_metrics, recovered_bytes)), bytes);
    list_reasons(report, left_out);
    log_write(report->log, LOG_INFO, "store: recovered %llu records, %s, in %.3f s%s",
              (unsigned long long)sum_of(report, offsetof(struct store_metrics, recovered)), bytes, seconds,
              left_out);
}

void
report_recovered(struct report *report)
{
    if (atomic_fetch_sub(&report->waiting, 1) == 1)
        tell(report);
}
