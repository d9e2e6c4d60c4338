/* recall.c: see recall.h.
 */
#include "recall.h"

#include <stdlib.h>

enum err
recall_init(struct recall *recall, unsigned shards)
{
    uint32_t count = RECALL_SLOTS;

    while (count > RECALL_SLOTS_LEAST && count > RECALL_SLOTS / shards)
        count /= 2;
    *recall = (struct recall){ .slots = calloc(count, sizeof recall->slots[0]), .mask = count - 1 };
    return recall->slots == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

void
recall_fini(struct recall *recall)
{
    free(recall->slots);
    recall->slots = NULL;
}

void
recall_note(const struct recall *recall, const struct recall_slot *noted)
{
    struct recall_slot *pair = &recall->slots[noted->hash & recall->mask & ~UINT64_C(1)];

    if (pair[0].hash != noted->hash && pair[0].place.offset != 0)
        pair[1] = pair[0];
    pair[0] = *noted;
}
