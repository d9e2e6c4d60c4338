/* Content: equal names give equal bytes, whatever pieces they are taken in. */
#include "content.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct noise *
make_noise(void)
{
    struct noise *noise = malloc(sizeof *noise);
    cr_assert_not_null(noise);
    noise_fill(noise);
    return noise;
}

/* The bytes [from, from + len), taken through at most `vectors` vectors at a time. */
static void
copy(const struct content *content, const struct noise *noise, uint64_t from, uint64_t len, unsigned vectors,
     char *out)
{
    uint64_t end = from + len;
    while (from < end) {
        struct iovec into[8];
        uint64_t     covered, seen = 0;
        unsigned     count = content_map(content, noise, from, end - from, into, vectors, &covered);
        cr_assert(count > 0 && count <= vectors);
        for (unsigned i = 0; i < count; i++) {
            memcpy(out + seen, into[i].iov_base, into[i].iov_len);
            seen += into[i].iov_len;
        }
        cr_assert_eq(seen, covered);
        out += seen;
        from += seen;
    }
}

Test(bench_content, pieces_make_up_the_whole)
{
    enum { SIZE = 3 * NOISE_PERIOD + 77 };
    struct noise  *noise = make_noise();
    struct content content = { .intro = SPAN("hello\n"), .shift = UINT64_MAX - 5, .size = SIZE };
    char          *whole = malloc(SIZE), *pieces = malloc(SIZE);
    copy(&content, noise, 0, SIZE, 8, whole);
    for (uint64_t at = 0; at < SIZE; at += 1009)
        copy(&content, noise, at, SIZE - at < 1009 ? SIZE - at : 1009, 1, pieces + at);
    cr_assert_eq(memcmp(whole, pieces, SIZE), 0);
    cr_assert_eq(memcmp(whole, "hello\n", 6), 0);
    free(whole);
    free(pieces);
    free(noise);
}

Test(bench_content, a_short_body_cuts_the_intro)
{
    struct noise  *noise = make_noise();
    struct content content = { .intro = SPAN("hello\n"), .size = 3 };
    char           out[3];
    copy(&content, noise, 0, 3, 1, out);
    cr_assert_eq(memcmp(out, "hel", 3), 0);
    free(noise);
}

Test(bench_content, shifts_differ)
{
    struct noise  *noise = make_noise();
    struct content one = { .shift = 1, .size = 256 }, two = { .shift = 4097, .size = 256 };
    char           first[256], second[256];
    copy(&one, noise, 0, 256, 8, first);
    copy(&two, noise, 0, 256, 8, second);
    cr_assert_neq(memcmp(first, second, 256), 0);
    free(noise);
}

Test(bench_content, nothing_needs_no_vector)
{
    struct noise  *noise = make_noise();
    struct content content = { .size = 0 };
    struct iovec   into[1];
    uint64_t       covered = 99;
    cr_assert_eq(content_map(&content, noise, 0, 0, into, 1, &covered), 0);
    cr_assert_eq(covered, 0);
    free(noise);
}

Test(bench_content, the_noise_is_the_same_in_every_process)
{
    struct noise *noise = make_noise();
    cr_assert_eq(noise->at[79], '\n');
    for (size_t i = 0; i < NOISE_PERIOD; i++)
        cr_assert(noise->at[i] == '\n' || (noise->at[i] > ' ' && noise->at[i] < 127));
    struct noise *again = make_noise();
    cr_assert_eq(memcmp(noise, again, sizeof *noise), 0);
    free(noise);
    free(again);
}
