/* test_memory.c: slabs, arenas, buffers and texts: bounded, reused, given back. */
#include <criterion/criterion.h>
#include <larder/base/arena.h>
#include <larder/base/buf.h>
#include <larder/base/text.h>
#include <signal.h>

Test(base_slab, items_are_reused_and_capped)
{
    struct slab slab;
    void       *items[10];

    slab_init(&slab, 100, 10);
    for (int i = 0; i < 10; i++) {
        cr_assert_not_null(items[i] = slab_alloc(&slab));
        cr_assert_eq((uintptr_t)items[i] % 16, 0);
        memset(items[i], i, 100);
    }
    cr_assert_null(slab_alloc(&slab));
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 100; j++)
            cr_assert_eq(((unsigned char *)items[i])[j], i);
    void *last = items[9];
    slab_free(&slab, last);
    cr_assert_eq(slab_alloc(&slab), last);
    cr_assert_eq(slab.in_use, 10);
    for (int i = 0; i < 10; i++)
        slab_free(&slab, items[i]);
    slab_fini(&slab);
}

Test(base_slab, large_items_come_in_small_chunks)
{
    struct slab slab;
    slab_init(&slab, 1 << 20, 0);
    void *item = slab_alloc(&slab);
    memset(item, 1, 1 << 20);
    cr_assert_leq(slab.per_chunk, 4);
    slab_free(&slab, item);
    slab_fini(&slab);
}

Test(base_slab, a_lost_item_is_a_panic, .signal = SIGABRT)
{
    struct slab slab;
    slab_init(&slab, 16, 0);
    cr_assert_not_null(slab_alloc(&slab));
    slab_fini(&slab);
}

static struct slab chunks;

static void
begin(struct arena *arena, size_t limit)
{
    slab_init(&chunks, 1024, 0);
    arena_init(arena, &chunks, limit);
}

static void
end(struct arena *arena)
{
    arena_reset(arena);
    slab_fini(&chunks);
}

Test(base_arena, small_and_large_until_the_limit)
{
    struct arena arena;
    char        *pieces[20];

    begin(&arena, 20000);
    cr_assert_eq(chunks.in_use, 0);
    for (int i = 0; i < 20; i++) {
        cr_assert_not_null(pieces[i] = arena_alloc(&arena, (size_t)i * 50));
        memset(pieces[i], i, (size_t)i * 50);
    }
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < i * 50; j++)
            cr_assert_eq(pieces[i][j], i);
    cr_assert_not_null(arena_alloc(&arena, 5000));
    cr_assert_null(arena_alloc(&arena, 10000));
    cr_assert_null(arena_alloc(&arena, SIZE_MAX));
    cr_assert_leq(arena.used, 20000);
    arena_reset(&arena);
    cr_assert_eq(chunks.in_use, 0);
    cr_assert_not_null(arena_alloc(&arena, 15000));
    end(&arena);
}

Test(base_arena, marks_nest)
{
    struct arena arena;

    begin(&arena, 1 << 20);
    struct span       first = arena_copy(&arena, SPAN("first"));
    struct arena_mark outer = arena_mark(&arena);
    arena_alloc(&arena, 700);
    struct arena_mark inner = arena_mark(&arena);
    arena_alloc(&arena, 5000);
    arena_alloc(&arena, 700);
    arena_release(&arena, inner);
    arena_release(&arena, outer);
    cr_assert_eq(arena.used, 16);
    cr_assert_eq(chunks.in_use, 1);
    cr_assert(span_equal(first, SPAN("first")));
    struct span empty = arena_copy(&arena, SPAN_EMPTY);
    cr_assert_not_null(empty.at);
    cr_assert_eq(empty.len, 0);
    end(&arena);
}

Test(base_buf, lends_fills_consumes_returns)
{
    struct slab slab;
    struct buf  buf;

    slab_init(&slab, 64, 1);
    buf_init(&buf, &slab);
    cr_assert_eq(buf_held(&buf).len, 0);
    cr_assert_eq(buf_lend(&buf), ERR_NONE);
    cr_assert_eq(buf_lend(&buf), ERR_NONE);
    cr_assert_eq(slab.in_use, 1);
    cr_assert(buf_append(&buf, SPAN("hello world")));
    buf_consume(&buf, 6);
    cr_assert(span_equal(buf_held(&buf), SPAN("world")));
    cr_assert_eq(buf_room(&buf), 64 - 11);
    buf_compact(&buf);
    cr_assert(span_equal(buf_held(&buf), SPAN("world")));
    cr_assert_eq(buf_room(&buf), 59);
    cr_assert_not(buf_append(&buf, span_of(slab.chunks, 60)));
    memcpy(buf_tail(&buf), "!", 1);
    buf_filled(&buf, 1);
    buf_return_if_empty(&buf);
    cr_assert_eq(slab.in_use, 1, "it holds something");
    buf_consume(&buf, 6);
    buf_return_if_empty(&buf);
    cr_assert_eq(slab.in_use, 0);

    struct buf other;
    buf_init(&other, &slab);
    cr_assert_eq(buf_lend(&other), ERR_NONE);
    cr_assert_eq(buf_lend(&buf), ERR_NO_MEMORY);
    buf_fini(&other);
    buf_fini(&buf);
    slab_fini(&slab);
}

Test(base_text, grows_to_its_bound_and_says_so)
{
    struct text text;

    text_init(&text, 300);
    cr_assert_str_eq(text_cstr(&text), "");
    text_printf(&text, "%s-%d", "a", 7);
    text_append_byte(&text, '!');
    cr_assert_str_eq(text_cstr(&text), "a-7!");
    for (int i = 0; i < 296; i++)
        text_append(&text, SPAN("x"));
    cr_assert_eq(text.len, 300);
    cr_assert_not(text.failed);
    text_append(&text, SPAN("y"));
    cr_assert(text.failed);
    text_printf(&text, "more");
    cr_assert_eq(text.len, 300);
    text_clear(&text);
    text_append(&text, SPAN("again"));
    cr_assert(span_equal(text_span(&text), SPAN("again")));
    text_fini(&text);
    cr_assert_eq(text.len, 0);
}
