/* pins.c: see pins.h.
 */
#include "pins.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

static _Atomic uint32_t *
row_create(uint32_t segments)
{
    size_t size = (segments * sizeof(_Atomic uint32_t) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void  *row = aligned_alloc(CACHE_LINE, size);
    return row == NULL ? NULL : memset(row, 0, size);
}

enum err
pins_init(struct pins *pins, unsigned readers, uint32_t segments)
{
    *pins = (struct pins){ .readers = readers, .counts = calloc(readers, sizeof(pins->counts[0])) };
    if (pins->counts == NULL)
        return ERR_NO_MEMORY;
    for (unsigned i = 0; i < readers; i++) {
        pins->counts[i] = row_create(segments);
        if (pins->counts[i] == NULL) {
            pins_fini(pins);
            return ERR_NO_MEMORY;
        }
    }
    return ERR_NONE;
}

void
pins_fini(struct pins *pins)
{
    for (unsigned i = 0; pins->counts != NULL && i < pins->readers; i++)
        free((void *)pins->counts[i]);
    free((void *)pins->counts);
    pins->counts = NULL;
}

bool
pins_held(const struct pins *pins, uint32_t segment)
{
    for (unsigned i = 0; i < pins->readers; i++)
        if (atomic_load_explicit(&pins->counts[i][segment], memory_order_seq_cst) > 0)
            return true;
    return false;
}
