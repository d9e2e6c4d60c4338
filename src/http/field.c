/* field.c: names of fields to numbers, and back.
 *
 *      name ──▶ length, first, middle, last letter ──▶ slot ──▶ the one candidate ──▶ one compare ──▶ id
 *
 * field_slots.h gives every known name a slot of its own, so a name is compared with one candidate at most.
 * Nothing is computed at start and nothing changes: all tables are constant.
 */
#include <larder/http/field.h>

#include <larder/base/check.h>

#include "field_slots.h"

static const struct span names[FIELD_ID_COUNT] = {
#define FIELD_SPAN(id, name) [FIELD_##id] = { name, sizeof(name) - 1 },
    FIELD_TABLE(FIELD_SPAN)
#undef FIELD_SPAN
};

_Static_assert(FIELD_ID_COUNT <= UINT8_MAX, "field_slots.h keeps ids in bytes");

/* Folding by | 0x20 also joins bytes that are no letters; the compare after it tells them apart. */
static inline unsigned
folded(char byte)
{
    return (unsigned char)byte | 0x20u;
}

enum field_id
field_lookup(struct span name)
{
    if (name.len == 0)
        return FIELD_OTHER;
    unsigned slot = (unsigned)name.len * SLOT_LENGTH + folded(name.at[0]) * SLOT_FIRST
                    + folded(name.at[name.len / 2]) * SLOT_MIDDLE + folded(name.at[name.len - 1]);
    enum field_id id = field_slots[slot % (sizeof field_slots / sizeof field_slots[0])];

    if (names[id].len != name.len)
        return FIELD_OTHER;
    /* Most peers write a name as it is usually written. */
    if (memcmp(names[id].at, name.at, name.len) == 0 || span_equal_nocase(names[id], name))
        return id;
    return FIELD_OTHER;
}

struct span
field_name(enum field_id id)
{
    CHECK(id < FIELD_ID_COUNT);
    return names[id];
}
