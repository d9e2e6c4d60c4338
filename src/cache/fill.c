/* fill.c: a chain of chunks with reference counts instead of a buffer with a lock.
 *
 * Publication: the writer copies bytes into the last chunk and then raises its `len` (release); a reader
 * that sees the length (acquire) sees the bytes. A new chunk is linked through `next` the same way. The state
 * is read before the bytes are counted, so "whole" with nothing left to read is really the end.
 *
 * Giving back: dropping the last reference on a chunk drops its reference on the next, and so on along
 * the chain, in a loop and not by recursion: a body may have thousands of chunks.
 */
#include <larder/base/check.h>
#include <larder/cache/fill.h>
#include <stdlib.h>

enum {
    CHUNK_SMALLEST = 16 * 1024,
    CHUNK_LARGEST = 64 * 1024,     /* of a body that passes: its window is given back in these */
    CHUNK_KEPT = 1024 * 1024,      /* of one that is kept whole, and stored in few pieces */
    CHUNK_KNOWN_MAX = 1024 * 1024, /* a body of known length up to this gets a single chunk */
    WINDOW = 256 * 1024
};

struct fill_chunk {
    _Atomic unsigned             refs;
    _Atomic(struct fill_chunk *) next; /* holds a reference */
    _Atomic size_t               len;
    size_t                       room;
    bool                         counted; /* in fill->live; written before the writer leaves the chunk */
    char                         bytes[];
};

struct fill {
    _Atomic unsigned        refs;
    _Atomic enum fill_state state;
    _Atomic uint64_t        size; /* appended */
    _Atomic uint64_t
        live; /* bytes in chunks that the writer has left and a reader has not: those can be given back */
    _Atomic bool paused;

    /* the writer's */
    struct fill_chunk *first; /* NULL once the fill passes */
    struct fill_chunk *last;
    uint64_t           expected;
    void (*drained)(void *owner);
    void *owner;
};

static struct fill_chunk *
chunk_create(size_t room)
{
    struct fill_chunk *chunk = malloc(sizeof *chunk + room);
    if (chunk == NULL)
        return NULL;
    atomic_init(&chunk->refs, 1);
    atomic_init(&chunk->next, NULL);
    atomic_init(&chunk->len, 0);
    chunk->room = room;
    chunk->counted = false;
    return chunk;
}

static void
chunk_acquire(struct fill_chunk *chunk)
{
    atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
}

/* Tells the writer once that there is room again. */
static void
tell_drained(struct fill *fill)
{
    if (atomic_load(&fill->live) <= WINDOW / 2 && atomic_exchange(&fill->paused, false))
        fill->drained(fill->owner);
}

static void
chunk_release(struct fill *fill, struct fill_chunk *chunk)
{
    bool freed = false;
    while (chunk != NULL && atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) == 1) {
        struct fill_chunk *next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        if (chunk->counted)
            atomic_fetch_sub(&fill->live, atomic_load_explicit(&chunk->len, memory_order_relaxed));
        free(chunk);
        freed = true;
        chunk = next;
    }
    if (freed && atomic_load(&fill->paused))
        tell_drained(fill);
}

struct fill *
fill_create(uint64_t expected)
{
    struct fill *fill = calloc(1, sizeof *fill);
    if (fill == NULL)
        return NULL;
    /* An empty chunk to stand on, so that a cursor always has a place. */
    fill->first = chunk_create(0);
    if (fill->first == NULL) {
        free(fill);
        return NULL;
    }
    fill->last = fill->first;
    chunk_acquire(fill->last);
    fill->expected = expected;
    atomic_init(&fill->refs, 1);
    atomic_init(&fill->state, FILL_OPEN);
    return fill;
}

struct fill *
fill_acquire(struct fill *fill)
{
    atomic_fetch_add_explicit(&fill->refs, 1, memory_order_relaxed);
    return fill;
}

void
fill_release(struct fill **pointer)
{
    struct fill *fill = *pointer;
    *pointer = NULL;
    if (fill == NULL || atomic_fetch_sub_explicit(&fill->refs, 1, memory_order_acq_rel) != 1)
        return;
    atomic_store(&fill->paused, false); /* nobody is left to be told */
    chunk_release(fill, fill->last);
    if (fill->first != NULL)
        chunk_release(fill, fill->first);
    CHECK(atomic_load(&fill->live) == 0);
    free(fill);
}

static size_t
next_room(const struct fill *fill, size_t needed)
{
    uint64_t size = fill_size(fill);
    uint64_t room = fill->last->room * 2, most = fill->first == NULL ? CHUNK_LARGEST : CHUNK_KEPT;

    if (fill->expected > size && fill->expected <= CHUNK_KNOWN_MAX)
        room = fill->expected - size;
    else if (room < CHUNK_SMALLEST)
        room = CHUNK_SMALLEST;
    else if (room > most)
        room = most;
    return room < needed ? needed : (size_t)room;
}

static void
link_chunk(struct fill *fill, struct fill_chunk *chunk)
{
    struct fill_chunk *before = fill->last;

    chunk_acquire(chunk); /* one for the link, one for the writer */
    atomic_store_explicit(&before->next, chunk, memory_order_release);
    fill->last = chunk;
    before->counted = true;
    atomic_fetch_add(&fill->live, atomic_load_explicit(&before->len, memory_order_relaxed));
    chunk_release(fill, before);
}

static void
append_to_last(struct fill *fill, struct span bytes)
{
    struct fill_chunk *chunk = fill->last;
    size_t             len = atomic_load_explicit(&chunk->len, memory_order_relaxed);

    if (bytes.len == 0)
        return;
    memcpy(chunk->bytes + len, bytes.at, bytes.len);
    atomic_store_explicit(&chunk->len, len + bytes.len, memory_order_release);
}

/* A chunk gets its last bytes before it is linked on, so a reader that sees `next` sees a final `len`. */
enum err
fill_append(struct fill *fill, struct span bytes)
{
    CHECK(atomic_load(&fill->state) == FILL_OPEN);
    size_t             room = fill->last->room - atomic_load_explicit(&fill->last->len, memory_order_relaxed);
    size_t             fits = bytes.len < room ? bytes.len : room;
    struct fill_chunk *fresh = NULL;

    if (fits < bytes.len && (fresh = chunk_create(next_room(fill, bytes.len - fits))) == NULL)
        return ERR_NO_MEMORY;
    append_to_last(fill, span_head(bytes, fits));
    if (fresh != NULL) {
        link_chunk(fill, fresh);
        append_to_last(fill, span_skip(bytes, fits));
    }
    atomic_fetch_add(&fill->size, bytes.len);
    return ERR_NONE;
}

void
fill_end(struct fill *fill)
{
    CHECK(atomic_load(&fill->state) == FILL_OPEN);
    atomic_store_explicit(&fill->state, FILL_WHOLE, memory_order_release);
}

void
fill_cut(struct fill *fill)
{
    CHECK(atomic_load(&fill->state) == FILL_OPEN);
    atomic_store_explicit(&fill->state, FILL_CUT, memory_order_release);
}

void
fill_pass(struct fill *fill)
{
    struct fill_chunk *first = fill->first;
    if (first == NULL)
        return;
    fill->first = NULL;
    chunk_release(fill, first);
}

bool
fill_is_kept(const struct fill *fill)
{
    return fill->first != NULL;
}

void
fill_on_drained(struct fill *fill, void (*drained)(void *owner), void *owner)
{
    fill->drained = drained;
    fill->owner = owner;
}

bool
fill_is_over_window(struct fill *fill)
{
    if (fill->first != NULL || atomic_load(&fill->live) <= WINDOW)
        return false;
    CHECK(fill->drained != NULL);
    atomic_store(&fill->paused, true);
    /* A reader may have made room before it could see the flag: then nobody else will tell us. */
    if (atomic_load(&fill->live) <= WINDOW / 2 && atomic_exchange(&fill->paused, false))
        return false;
    return true;
}

bool
fill_forget_drained(struct fill *fill)
{
    return atomic_exchange(&fill->paused, false);
}

uint64_t
fill_size(const struct fill *fill)
{
    return atomic_load_explicit(&((struct fill *)(uintptr_t)fill)->size, memory_order_relaxed);
}

bool
fill_pieces(const struct fill *fill, struct iovec *pieces, int *count)
{
    int n = 0;
    CHECK(fill->first != NULL);
    for (struct fill_chunk *chunk = fill->first; chunk != NULL; chunk = atomic_load(&chunk->next)) {
        size_t len = atomic_load(&chunk->len);
        if (len == 0)
            continue;
        if (n == *count)
            return false;
        pieces[n++] = (struct iovec){ chunk->bytes, len };
    }
    *count = n;
    return true;
}

void
cursor_open(struct cursor *cursor, struct fill *fill)
{
    CHECK(fill->first != NULL);
    cursor->fill = fill_acquire(fill);
    cursor->chunk = fill->first;
    cursor->at = 0;
    chunk_acquire(cursor->chunk);
}

void
cursor_close(struct cursor *cursor)
{
    if (cursor->fill == NULL)
        return;
    chunk_release(cursor->fill, cursor->chunk);
    cursor->chunk = NULL;
    fill_release(&cursor->fill);
}

/* Leaves chunks that are read to their end. */
static void
skip_read_chunks(struct cursor *cursor)
{
    for (;;) {
        struct fill_chunk *next = atomic_load_explicit(&cursor->chunk->next, memory_order_acquire);
        if (next == NULL || cursor->at < atomic_load_explicit(&cursor->chunk->len, memory_order_acquire))
            return;
        chunk_acquire(next);
        chunk_release(cursor->fill, cursor->chunk);
        cursor->chunk = next;
        cursor->at = 0;
    }
}

size_t
cursor_peek(struct cursor *cursor, struct iovec *pieces, int *count, enum fill_state *state)
{
    size_t total = 0;
    int    n = 0;

    *state = atomic_load_explicit(&cursor->fill->state, memory_order_acquire);
    skip_read_chunks(cursor);
    size_t at = cursor->at;
    for (struct fill_chunk *chunk = cursor->chunk; chunk != NULL && n < *count; at = 0) {
        struct fill_chunk *next = atomic_load_explicit(&chunk->next, memory_order_acquire);
        size_t             len = atomic_load_explicit(&chunk->len, memory_order_acquire);
        if (len > at) {
            pieces[n++] = (struct iovec){ chunk->bytes + at, len - at };
            total += len - at;
        }
        chunk = next;
    }
    *count = n;
    return total;
}

void
cursor_advance(struct cursor *cursor, size_t bytes)
{
    while (bytes > 0) {
        skip_read_chunks(cursor);
        size_t here = atomic_load_explicit(&cursor->chunk->len, memory_order_acquire) - cursor->at;
        size_t step = bytes < here ? bytes : here;
        CHECK(step > 0); /* nobody reads what was not there */
        cursor->at += step;
        bytes -= step;
    }
    skip_read_chunks(cursor); /* so that a chunk is given back as soon as it is read */
}
