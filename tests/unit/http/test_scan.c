/* test_scan.c: the three scanners are one: equal for every byte, length and alignment, and none reads
 * outside. */
#include <criterion/criterion.h>
#include <larder/http/scan.h>

#include "bytes.h"
#include "given.h"

#include <sys/mman.h>
#include <unistd.h>

enum { LENGTHS = 131, ALIGNMENTS = 64 };

static const char *const names[] = { "scalar", "sse4.2", "avx2" };

/* The table, byte by byte: what each scanner must find. */
static size_t
expected(struct span span, enum byte_class class)
{
    size_t n = 0;
    while (n < span.len && byte_is(span.at[n], class))
        n++;
    return n;
}

static void
hold_against_table(struct span span)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct scan *scan = scan_by_name(names[i]);
        if (scan == NULL)
            continue; /* this processor lacks it */
        cr_assert_eq(scan->token(span), expected(span, BYTE_TOKEN), "%s token, length %zu", names[i],
                     span.len);
        cr_assert_eq(scan->value(span), expected(span, BYTE_VALUE), "%s value, length %zu", names[i],
                     span.len);
        cr_assert_eq(scan->target(span), expected(span, BYTE_TARGET), "%s target, length %zu", names[i],
                     span.len);
    }
}

Test(http_scan, the_best_is_one_of_the_three_and_stays)
{
    const struct scan *best = scan_best();

    cr_assert_eq(best, scan_best());
    cr_assert_eq(best, scan_by_name(best->name));
    cr_assert_not_null(scan_by_name("scalar"));
    cr_assert_null(scan_by_name("neon"));
}

Test(http_scan, an_empty_span_may_have_no_bytes_at_all)
{
    hold_against_table(SPAN_EMPTY);
}

Test(http_scan, every_byte_at_every_place)
{
    static const size_t lengths[] = { 1, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 20, 27, 31, 32, 33, 63, 64, 65, 97 };
    char                bytes[128];

    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
        for (size_t place = 0; place < lengths[l]; place++)
            for (int byte = 0; byte < 256; byte++) {
                memset(bytes, 'a', sizeof bytes);
                bytes[place] = (char)byte;
                hold_against_table(span_of(bytes, lengths[l]));
            }
}

Test(http_scan, random_bytes_at_every_length_and_alignment)
{
    static char bytes[LENGTHS + ALIGNMENTS] __attribute__((aligned(64)));
    uint32_t    random = 12345;

    for (size_t align = 0; align < ALIGNMENTS; align++)
        for (size_t length = 0; length < LENGTHS; length++) {
            for (size_t i = 0; i < length; i++) /* mostly legal, or every scan would end at once */
                bytes[align + i] = (char)('!' + given_random(&random) % 94);
            hold_against_table(span_of(bytes + align, length));
            if (length > 0)
                bytes[align + given_random(&random) % length] = (char)given_random(&random);
            hold_against_table(span_of(bytes + align, length));
        }
}

Test(http_scan, heads_as_they_come)
{
    struct span head =
        SPAN("GET /a/b?c=d%20e&f=[1] HTTP/1.1\r\nHost: example.org:8080\r\nUser-Agent: Mozilla/5.0 (X11; "
             "Linux x86_64)\r\nX-\xc3\xa4: caf\xc3\xa9\t\"quoted, string\"\r\nCookie: a=b; c=d\x7f\r\n\r\n");

    for (size_t from = 0; from < head.len; from++)
        for (size_t length = 0; length <= head.len - from; length++)
            hold_against_table(span_of(head.at + from, length));
}

/* A page of legal bytes between two that must not be touched. */
static char *
map_guarded_page(size_t page)
{
    char *pages = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    cr_assert_neq(pages, MAP_FAILED);
    cr_assert_eq(mprotect(pages + page, page, PROT_READ | PROT_WRITE), 0);
    memset(pages + page, 'a', page);
    return pages;
}

Test(http_scan, nothing_outside_of_the_span_is_read)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char  *pages = map_guarded_page(page);

    for (size_t length = 0; length < LENGTHS; length++) {
        hold_against_table(span_of(pages + page, length));
        hold_against_table(span_of(pages + 2 * page - length, length));
    }
    munmap(pages, 3 * page);
}
