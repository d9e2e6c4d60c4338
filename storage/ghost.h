/* ghost.h: what was dropped lately, as fingerprints: who comes back soon was dropped too early.
 *
 *      hash ─▶ line ─▶ { tag, stamp } × 8       stamp: the bytes dropped so far, when this one was
 *
 * The list stands for a window of bytes: an entry counts until as many bytes as the window has were dropped
 * after it. So nothing has to be queued or taken out: time alone, counted in bytes, ends an entry, and the
 * oldest of a line gives its slot to the next.
 *
 * Memory: 8 bytes for each entry. How many entries the window holds depends on the sizes of the objects, so
 * the table begins with room for objects of 16 KiB and grows a line at a time where entries that still
 * count lose their slots (linear hashing: Litwin 1980), to at most a quarter more slots than the window
 * seems to need. Tags have 32 bits; growing by 2^7 leaves 25 of them to tell entries of one line apart, and
 * a false match costs nothing but a place in the wrong log.
 *
 * Guard: as the policy that owns it.
 */
#ifndef LARDER_STORAGE_GHOST_H
#define LARDER_STORAGE_GHOST_H

#include <larder/base/err.h>
#include <stdbool.h>
#include <stdint.h>

enum { GHOST_WAYS = 8 };

struct ghost_entry {
    uint32_t tag, stamp;
};

struct ghost_line {
    struct ghost_entry entries[GHOST_WAYS];
};

struct ghost {
    struct ghost_line *lines;
    uint64_t           count, room;          /* lines in use; that have addresses */
    uint64_t           half;                 /* the power of two with half <= count < 2 * half */
    unsigned           base_bits;            /* of the first count */
    uint64_t           window;               /* bytes */
    uint64_t           dropped;              /* bytes, so far */
    unsigned           shift;                /* from bytes to stamps */
    uint64_t           lately, lately_bytes; /* how many were dropped in the last windows or two */
};

/* For a window of so many bytes. */
MUST_CHECK enum err ghost_init(struct ghost *ghost, uint64_t window);
void                ghost_fini(struct ghost *ghost);

/* An object of that size was dropped. */
void ghost_add(struct ghost *ghost, uint64_t hash, uint64_t size);

/* Was it dropped lately? It is forgotten with that: it is back. */
bool ghost_take(struct ghost *ghost, uint64_t hash);

#endif
