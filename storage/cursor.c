/* cursor.c: see cursor.h.
 *
 * A sealed segment is known by (closed, seq). For the open ones `closed` is the position at which their turn
 * came, so that one that is sealed meanwhile is still among them, and one that is opened later is not.
 */
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>

/* ── as text ── */

void
inspect_cursor_format(const struct inspect_cursor *cursor, char out[static INSPECT_CURSOR_SIZE])
{
    snprintf(out, INSPECT_CURSOR_SIZE, "%" PRIu32 ".%" PRIu32 ".%" PRIu64 ".%" PRIu64 ".%" PRIu32,
             cursor->shard, cursor->stage, cursor->closed, cursor->seq, cursor->at);
}

static bool
take_number(struct span *rest, uint64_t max, uint64_t *number)
{
    struct span part;
    return span_split(rest, '.', &part) && span_to_u64(part, max, number);
}

bool
inspect_cursor_parse(struct span text, struct inspect_cursor *cursor)
{
    uint64_t shard, stage, closed, seq, at;

    if (!take_number(&text, UINT32_MAX, &shard) || !take_number(&text, CURSOR_OPEN, &stage)
        || !take_number(&text, UINT64_MAX, &closed) || !take_number(&text, UINT64_MAX, &seq)
        || !take_number(&text, UINT32_MAX, &at) || text.at != NULL)
        return false;
    *cursor = (struct inspect_cursor){ (uint32_t)shard, (uint32_t)stage, closed, seq, (uint32_t)at };
    return true;
}

/* ── moving ── */

static bool
is_before(uint64_t closed, uint64_t seq, uint64_t other_closed, uint64_t other_seq)
{
    return closed != other_closed ? closed < other_closed : seq < other_seq;
}

static const struct segment *
next_sealed(const struct shard *shard, const struct inspect_cursor *cursor)
{
    const struct segment *best = NULL;

    for (uint32_t i = 0; i < shard->table.count; i++) {
        const struct segment *segment = &shard->table.segments[i];
        if (segment->state == SEGMENT_SEALED
            && !is_before(segment->closed, segment->seq, cursor->closed, cursor->seq)
            && (best == NULL || is_before(segment->closed, segment->seq, best->closed, best->seq)))
            best = segment;
    }
    return best;
}

static const struct segment *
next_open(const struct shard *shard, const struct inspect_cursor *cursor)
{
    const struct segment *best = NULL;

    for (uint32_t i = 0; i < shard->table.count; i++) {
        const struct segment *segment = &shard->table.segments[i];
        bool                  was_open = segment->state == SEGMENT_OPEN
                        || (segment->state == SEGMENT_SEALED && segment->closed >= cursor->closed);
        if (was_open && segment->seq >= cursor->seq && segment->seq <= cursor->closed
            && (best == NULL || segment->seq < best->seq))
            best = segment;
    }
    return best;
}

static void
stand_on(struct inspect_cursor *cursor, uint64_t closed, uint64_t seq)
{
    if (cursor->closed == closed && cursor->seq == seq)
        return;
    cursor->closed = closed;
    cursor->seq = seq;
    cursor->at = 0;
}

const struct segment *
cursor_segment(const struct shard *shard, struct inspect_cursor *cursor)
{
    if (cursor->stage != CURSOR_OPEN) {
        cursor->stage = CURSOR_SEALED;
        const struct segment *sealed = next_sealed(shard, cursor);
        if (sealed != NULL) {
            stand_on(cursor, sealed->closed, sealed->seq);
            return sealed;
        }
        *cursor = (struct inspect_cursor){ .shard = cursor->shard,
                                           .stage = CURSOR_OPEN,
                                           .closed = shard->table.writes };
    }
    const struct segment *open = next_open(shard, cursor);
    if (open != NULL)
        stand_on(cursor, cursor->closed, open->seq);
    return open;
}

void
cursor_pass(struct inspect_cursor *cursor)
{
    if (cursor->seq == UINT64_MAX) { /* no segment has that: it came from outside */
        cursor->closed += cursor->closed < UINT64_MAX;
        cursor->seq = 0;
    } else {
        cursor->seq++;
    }
    cursor->at = 0;
}

void
cursor_next_shard(struct inspect_cursor *cursor)
{
    *cursor = (struct inspect_cursor){ .shard = cursor->shard + 1 };
}
