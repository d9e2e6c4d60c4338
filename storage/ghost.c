/* ghost.c: see ghost.h.
 */
#include "ghost.h"

#include <larder/base/check.h>
#include <sys/mman.h>

enum { OBJECT_FIRST = 16 * 1024, GROW_BITS = 7, WINDOW_BITS = 28 };

/* ── life ── */

/* So many lines at first: for objects of 16 KiB; at least one. */
static unsigned
base_bits_of(uint64_t window)
{
    unsigned bits = 0;
    while (bits < 32 && (UINT64_C(2) << bits) * GHOST_WAYS * OBJECT_FIRST <= window)
        bits++;
    return bits;
}

/* Pages that are not touched cost nothing. */
enum err
ghost_init(struct ghost *ghost, uint64_t window)
{
    unsigned bits = base_bits_of(window);

    *ghost = (struct ghost){ .window = window, .base_bits = bits, .count = UINT64_C(1) << bits };
    ghost->half = ghost->count;
    ghost->room = ghost->count << GROW_BITS;
    while (window >> ghost->shift >= UINT64_C(1) << WINDOW_BITS)
        ghost->shift++;
    ghost->dropped = window + (UINT64_C(2) << ghost->shift); /* zeroed entries are older than the window */
    void *memory = mmap(NULL, ghost->room * sizeof(struct ghost_line), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return ERR_NO_MEMORY;
    ghost->lines = memory;
    return ERR_NONE;
}

void
ghost_fini(struct ghost *ghost)
{
    if (ghost->lines != NULL)
        munmap(ghost->lines, ghost->room * sizeof(struct ghost_line));
    ghost->lines = NULL;
}

/* ── lines and entries ── */

/* A line's number is the low bits of the hash, so many of them as there are lines. */
static struct ghost_line *
line_of(const struct ghost *ghost, uint64_t hash)
{
    uint64_t number = hash & (2 * ghost->half - 1);
    return &ghost->lines[number < ghost->count ? number : number - ghost->half];
}

/* The bits above those that chose among the first lines: with the line's number they are the hash again, as
 * far as growing needs it. */
static uint32_t
tag_of(const struct ghost *ghost, uint64_t hash)
{
    return (uint32_t)(hash >> ghost->base_bits);
}

/* Stamps wrap around after 16 windows. */
static uint32_t
age_of(const struct ghost *ghost, const struct ghost_entry *entry)
{
    return (uint32_t)(ghost->dropped >> ghost->shift) - entry->stamp;
}

static bool
counts(const struct ghost *ghost, const struct ghost_entry *entry)
{
    return age_of(ghost, entry) <= ghost->window >> ghost->shift;
}

/* An entry that does not count any more. */
static struct ghost_entry
outdated(const struct ghost *ghost)
{
    uint64_t windows = (ghost->window >> ghost->shift) + 1;
    return (struct ghost_entry){ 0, (uint32_t)((ghost->dropped >> ghost->shift) - windows) };
}

/* ── growing ── */

/* The line `count - half` gives those entries away whose hash has the next bit set. */
static void
split_line(struct ghost *ghost)
{
    struct ghost_line *from = &ghost->lines[ghost->count - ghost->half], *to = &ghost->lines[ghost->count];
    uint32_t           bit = (uint32_t)(ghost->half >> ghost->base_bits);

    for (unsigned i = 0; i < GHOST_WAYS; i++) {
        bool moves = (from->entries[i].tag & bit) != 0;
        to->entries[i] = moves ? from->entries[i] : outdated(ghost);
        if (moves)
            from->entries[i] = outdated(ghost);
    }
    ghost->count++;
    if (ghost->count == 2 * ghost->half)
        ghost->half = ghost->count;
}

/* A quarter more slots than entries: by then few lines are full, and the oldest of those would end soon. */
static bool
may_grow(const struct ghost *ghost)
{
    if (ghost->count == ghost->room || ghost->lately_bytes == 0)
        return false;
    double wanted = (double)ghost->window / (double)ghost->lately_bytes * (double)ghost->lately;
    return (double)(ghost->count * GHOST_WAYS) < wanted * 1.25;
}

/* ── in and out ── */

static void
count_drop(struct ghost *ghost, uint64_t size)
{
    ghost->dropped += size;
    ghost->lately++;
    ghost->lately_bytes += size;
    if (ghost->lately_bytes <= 2 * ghost->window)
        return;
    ghost->lately /= 2;
    ghost->lately_bytes /= 2;
}

/* The slot of the same tag, else that of the oldest. */
static struct ghost_entry *
slot_for(const struct ghost *ghost, struct ghost_line *line, uint32_t tag)
{
    struct ghost_entry *oldest = &line->entries[0];
    for (unsigned i = 0; i < GHOST_WAYS; i++) {
        struct ghost_entry *entry = &line->entries[i];
        if (entry->tag == tag && counts(ghost, entry))
            return entry;
        if (age_of(ghost, entry) > age_of(ghost, oldest))
            oldest = entry;
    }
    return oldest;
}

void
ghost_add(struct ghost *ghost, uint64_t hash, uint64_t size)
{
    uint32_t            tag = tag_of(ghost, hash);
    struct ghost_entry *slot = slot_for(ghost, line_of(ghost, hash), tag);
    bool                displaces = counts(ghost, slot) && slot->tag != tag;

    count_drop(ghost, size);
    *slot = (struct ghost_entry){ tag, (uint32_t)(ghost->dropped >> ghost->shift) };
    if (displaces && may_grow(ghost))
        split_line(ghost);
}

bool
ghost_take(struct ghost *ghost, uint64_t hash)
{
    struct ghost_line *line = line_of(ghost, hash);
    uint32_t           tag = tag_of(ghost, hash);

    if (ghost->lately == 0) /* nothing was dropped yet: a start finds a million records again */
        return false;
    for (unsigned i = 0; i < GHOST_WAYS; i++) {
        struct ghost_entry *entry = &line->entries[i];
        if (entry->tag == tag && counts(ghost, entry)) {
            *entry = outdated(ghost);
            return true;
        }
    }
    return false;
}
