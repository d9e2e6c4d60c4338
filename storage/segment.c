/* segment.c: see segment.h.
 */
#include "segment.h"

#include <larder/base/check.h>
#include <stdlib.h>

enum { ENTRIES_FIRST = 64 };

/* ── the table ── */

enum err
segment_table_init(struct segment_table *table, uint32_t count, uint32_t size)
{
    *table = (struct segment_table){ .count = count, .size = size, .unused_count = count };
    list_init(&table->unused);
    list_init(&table->deferred);
    table->segments = calloc(count, sizeof table->segments[0]);
    if (table->segments == NULL)
        return ERR_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        list_push_back(&table->unused, &table->segments[i].link);
    return ERR_NONE;
}

enum err
segment_table_set_logs(struct segment_table *table, unsigned logs)
{
    table->logs = calloc(logs, sizeof table->logs[0]);
    if (table->logs == NULL)
        return ERR_NO_MEMORY;
    table->log_count = logs;
    for (unsigned i = 0; i < logs; i++)
        list_init(&table->logs[i].sealed);
    return ERR_NONE;
}

void
segment_table_fini(struct segment_table *table)
{
    for (uint32_t i = 0; table->segments != NULL && i < table->count; i++)
        free(table->segments[i].entries);
    free(table->segments);
    free(table->logs);
    table->segments = NULL;
    table->logs = NULL;
}

/* ── states ── */

struct segment *
segment_open(struct segment_table *table, unsigned log, uint64_t clock)
{
    struct list *link = list_pop_front(&table->unused);
    CHECK(link != NULL && table->logs[log].open == NULL);

    struct segment *segment = CONTAINER_OF(link, struct segment, link);
    CHECK(segment->state == SEGMENT_FREE && segment->live == 0);
    table->unused_count--;
    *segment = (struct segment){ .state = SEGMENT_OPEN,
                                 .log = (uint8_t)log,
                                 .seq = ++table->writes,
                                 .used = SEGMENT_HEAD,
                                 .view = { .born = clock } };
    list_init(&segment->link);
    table->logs[log].open = segment;
    table->logs[log].bytes += table->size;
    return segment;
}

bool
segment_has_room(const struct segment_table *table, const struct segment *segment, uint64_t size)
{
    uint64_t entries = segment->count + UINT64_C(1);
    uint64_t footer = entries * sizeof(struct footer_entry) + sizeof(struct footer_trailer);
    /* An order that does not fit its field would be a wrong one: the segment has been open for long
     * enough. */
    return segment->used + size + footer <= table->size && table->writes - segment->seq < UINT32_MAX;
}

uint32_t
segment_next_order(const struct segment_table *table, const struct segment *segment)
{
    return (uint32_t)(table->writes + 1 - segment->seq);
}

enum err
segment_reserve(struct segment *segment)
{
    if (segment->count < segment->room)
        return ERR_NONE;
    uint32_t             room = segment->room == 0 ? ENTRIES_FIRST : 2 * segment->room;
    struct footer_entry *entries = realloc(segment->entries, room * sizeof entries[0]);
    if (entries == NULL)
        return ERR_NO_MEMORY;
    segment->entries = entries;
    segment->room = room;
    return ERR_NONE;
}

int64_t
segment_expiry(wall_time expires)
{
    return wall_seconds(expires) + (expires.ns % NSEC_PER_SEC > 0);
}

void
segment_note(struct segment_table *table, struct segment *segment, struct digest digest, uint64_t size,
             wall_time expires)
{
    int64_t seconds = segment_expiry(expires);

    CHECK(segment->state == SEGMENT_OPEN && segment->count < segment->room);
    segment->entries[segment->count++] = (struct footer_entry){
        .digest_high = le64_of(digest.high),
        .digest_low = le64_of(digest.low),
        .offset = le32_of(segment->used / RECORD_ALIGN),
        .size = le32_of((uint32_t)(size / RECORD_ALIGN)),
        .expires = le32_of(seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds),
        .order = le32_of(segment_next_order(table, segment)),
    };
    table->writes++;
    segment->used += (uint32_t)size;
    segment->view.bytes += size;
    if (seconds > segment->expires)
        segment->expires = seconds;
}

void
segment_seal(struct segment_table *table, struct segment *segment)
{
    struct segment_log *log = &table->logs[segment->log];
    CHECK(segment->state == SEGMENT_OPEN && log->open == segment);
    log->open = NULL;
    segment->state = SEGMENT_SEALED;
    segment->closed = table->writes;
    list_push_back(&log->sealed, &segment->link);
}

void
segment_restore(struct segment_table *table, struct segment *segment, uint64_t clock)
{
    struct segment_log *log = &table->logs[segment->log];

    CHECK(segment->state == SEGMENT_FREE && segment->live == 0);
    list_remove(&segment->link);
    table->unused_count--;
    segment->state = SEGMENT_SEALED;
    segment->view.born = clock;
    segment->closed = segment->seq;
    list_push_back(&log->sealed, &segment->link);
    log->bytes += table->size;
}

void
segment_give_back(struct segment_table *table, struct segment *segment)
{
    CHECK(segment->live == 0);
    if (segment->state == SEGMENT_DEFERRED)
        table->deferred_count--;
    atomic_store_explicit(&segment->wanted, false, memory_order_relaxed);
    list_remove(&segment->link);
    segment->state = SEGMENT_FREE;
    list_push_back(&table->unused, &segment->link);
    table->unused_count++;
}

void
segment_retire(struct segment_table *table, struct segment *segment, bool pinned)
{
    CHECK(segment->state == SEGMENT_SEALED && segment->live == 0);
    list_remove(&segment->link);
    table->logs[segment->log].bytes -= table->size;
    free(segment->entries);
    segment->entries = NULL;
    segment->room = 0;
    if (!pinned) {
        segment_give_back(table, segment);
        return;
    }
    segment->state = SEGMENT_DEFERRED;
    atomic_store_explicit(&segment->wanted, true, memory_order_relaxed);
    list_push_back(&table->deferred, &segment->link);
    table->deferred_count++;
}
