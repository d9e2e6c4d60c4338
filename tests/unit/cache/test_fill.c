/* test_fill.c: the body while it arrives: order, ends, giving back, and readers on other threads. */
#include <criterion/criterion.h>
#include <larder/cache/fill.h>
#include <pthread.h>
#include <stdlib.h>

/* Byte number n of the body that all tests send. */
static char
byte_at(uint64_t n)
{
    return (char)((n * 2654435761u) >> 13);
}

static void
append(struct fill *fill, size_t size)
{
    char    *bytes = malloc(size + 1);
    uint64_t from = fill_size(fill);
    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(from + i);
    cr_assert_eq(fill_append(fill, span_of(bytes, size)), ERR_NONE);
    free(bytes);
}

/* Reads what is there, checks it, and returns how much. */
static size_t
read_some(struct cursor *cursor, uint64_t at, int pieces_max, enum fill_state *state)
{
    struct iovec pieces[16];
    int          count = pieces_max;
    size_t       size = cursor_peek(cursor, pieces, &count, state), seen = 0;

    for (int i = 0; i < count; i++)
        for (size_t j = 0; j < pieces[i].iov_len; j++, seen++)
            if (((char *)pieces[i].iov_base)[j] != byte_at(at + seen))
                cr_assert_fail("byte %zu is wrong", (size_t)at + seen);
    cr_assert_eq(seen, size);
    return size;
}

Test(cache_fill, what_is_appended_is_read_in_order)
{
    struct fill    *fill = fill_create(0);
    struct cursor   cursor;
    enum fill_state state;
    uint64_t        at = 0;

    cursor_open(&cursor, fill);
    cr_assert_eq(read_some(&cursor, 0, 16, &state), 0);
    cr_assert_eq(state, FILL_OPEN);
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
        append(fill, size);
        while (at < fill_size(fill)) {
            size_t got = read_some(&cursor, at, 3, &state);
            cr_assert_gt(got, 0);
            size_t step = got > 7 ? got - got / 3 : got;
            cursor_advance(&cursor, step);
            at += step;
        }
    }
    fill_end(fill);
    cr_assert_eq(read_some(&cursor, at, 16, &state), 0);
    cr_assert_eq(state, FILL_WHOLE);
    cursor_close(&cursor);
    cursor_close(&cursor);
    fill_release(&fill);
    cr_assert_null(fill);
}

Test(cache_fill, a_late_reader_of_a_kept_fill_has_all)
{
    struct fill    *fill = fill_create(100000);
    struct cursor   cursor;
    enum fill_state state;

    append(fill, 60000);
    append(fill, 40000);
    fill_cut(fill);
    cursor_open(&cursor, fill);
    cr_assert_eq(read_some(&cursor, 0, 16, &state), 100000);
    cr_assert_eq(state, FILL_CUT);
    cursor_advance(&cursor, 100000);
    cr_assert_eq(read_some(&cursor, 100000, 16, &state), 0);
    cr_assert_eq(state, FILL_CUT);
    cursor_close(&cursor);
    fill_release(&fill);
}

Test(cache_fill, a_known_length_is_one_piece)
{
    struct fill *fill = fill_create(300000);
    struct iovec pieces[4];
    int          count = 4;

    for (int i = 0; i < 300; i++)
        append(fill, 1000);
    cr_assert(fill_pieces(fill, pieces, &count));
    cr_assert_eq(count, 1);
    cr_assert_eq(pieces[0].iov_len, 300000);
    fill_release(&fill);
}

Test(cache_fill, pieces_that_are_too_many_are_refused)
{
    struct fill *fill = fill_create(0);
    struct iovec pieces[2];
    int          count = 2;

    append(fill, 1000000);
    append(fill, 1000000);
    append(fill, 1000000);
    cr_assert_not(fill_pieces(fill, pieces, &count));
    fill_release(&fill);
}

static void
count_call(void *owner)
{
    ++*(int *)owner;
}

Test(cache_fill, a_passing_fill_is_a_window)
{
    struct fill    *fill = fill_create(0);
    struct cursor   cursor;
    enum fill_state state;
    int             drained = 0;
    uint64_t        at = 0;

    fill_on_drained(fill, count_call, &drained);
    cursor_open(&cursor, fill);
    append(fill, 1 << 20);
    append(fill, 1);
    cr_assert_not(fill_is_over_window(fill), "a fill that is kept has no window");
    cr_assert(fill_is_kept(fill));
    fill_pass(fill);
    cr_assert_not(fill_is_kept(fill));
    cr_assert(fill_is_over_window(fill));
    while (at <= (1 << 20)) {
        size_t got = read_some(&cursor, at, 1, &state);
        cursor_advance(&cursor, got);
        at += got;
    }
    cr_assert_eq(drained, 1);
    cr_assert_not(fill_is_over_window(fill));
    cr_assert_not(fill_forget_drained(fill), "it was called already");
    cursor_close(&cursor);
    fill_release(&fill);
}

Test(cache_fill, the_wish_to_be_told_can_be_taken_back)
{
    struct fill  *fill = fill_create(0);
    struct cursor cursor;
    int           drained = 0;

    fill_on_drained(fill, count_call, &drained);
    cursor_open(&cursor, fill);
    fill_pass(fill);
    append(fill, 1 << 20);
    append(fill, 1);
    cr_assert(fill_is_over_window(fill));
    cr_assert(fill_forget_drained(fill));
    cursor_close(&cursor);
    fill_release(&fill);
    cr_assert_eq(drained, 0);
}

Test(cache_fill, whoever_has_read_all_never_leaves_the_writer_waiting)
{
    struct fill    *fill = fill_create(0);
    struct cursor   cursor;
    enum fill_state state;
    int             drained = 0;
    uint64_t        at = 0;

    fill_on_drained(fill, count_call, &drained);
    cursor_open(&cursor, fill);
    for (size_t size = 1; size < (4 << 20); size = size * 2 + 1) {
        append(fill, size); /* also into one large chunk, in which both stand */
        if (size > 1000)
            fill_pass(fill);
        int before = drained;
        bool waits = fill_is_over_window(fill);
        while (at < fill_size(fill)) {
            size_t got = read_some(&cursor, at, 16, &state);
            cursor_advance(&cursor, got);
            at += got;
        }
        cr_assert_eq(drained - before, waits);
    }
    cursor_close(&cursor);
    fill_release(&fill);
}

struct reading {
    struct fill *fill;
    uint64_t     total;
};

static void *
read_all(void *argument)
{
    struct reading *reading = argument;
    struct cursor   cursor;
    enum fill_state state = FILL_OPEN;

    cursor_open(&cursor, reading->fill);
    for (;;) {
        size_t got = read_some(&cursor, reading->total, 5, &state);
        if (got == 0 && state == FILL_WHOLE)
            break;
        cursor_advance(&cursor, got);
        reading->total += got;
    }
    cursor_close(&cursor);
    return NULL;
}

Test(cache_fill, readers_on_other_threads_see_every_byte)
{
    enum { READERS = 3, PIECES = 400 };
    struct fill   *fill = fill_create(0);
    pthread_t      threads[READERS];
    struct reading readings[READERS];
    uint64_t       total = 0;

    for (int i = 0; i < READERS; i++) {
        readings[i] = (struct reading){ fill_acquire(fill), 0 };
        pthread_create(&threads[i], NULL, read_all, &readings[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        size_t size = i * 37 % 5000;
        append(fill, size);
        total += size;
    }
    fill_end(fill);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(readings[i].total, total);
        fill_release(&readings[i].fill);
    }
    fill_release(&fill);
}
