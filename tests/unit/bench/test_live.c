/* What a load shows while it runs. */
#include "live.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#define START ((mono_time){ 5 * NSEC_PER_SEC })

static struct tally now, before;

static void
answers(struct tally *tally, unsigned count, enum answer_cache cache, nsec service)
{
    struct answer answer = { .status = 200, .cache = cache };
    for (unsigned i = 0; i < count; i++) {
        tally_answer(tally, &answer);
        histogram_add(&tally->service, (uint64_t)service);
    }
}

static const char *
line(void)
{
    static char text[LIVE_LINE_SIZE];
    return live_line(&now, &before, text);
}

static void
begin(void)
{
    tally_init(&now);
    tally_init(&before);
}

Test(bench_live, says_that_it_connects, .init = begin)
{
    cr_assert_str_eq(line(), "connecting");
}

Test(bench_live, tells_of_the_last_second_alone, .init = begin)
{
    now.begin = START;
    answers(&now, 3000, ANSWER_STATUS_MISS, 2 * NSEC_PER_MSEC);
    now.end = mono_add(START, NSEC_PER_SEC);
    cr_assert_str_eq(line(), "   1 s        3,000/s   p50 2.00 ms   p99 2.00 ms   hits   0.0%   errors 0");

    before = now;
    answers(&now, 1000, ANSWER_STATUS_HIT, 500 * NSEC_PER_USEC);
    now.errors[LOAD_RESET] = 1234;
    now.end = mono_add(START, 3 * NSEC_PER_SEC);
    const char *text = line();
    cr_assert_not_null(strstr(text, "   3 s          500/s   p50  50"), "%s", text);
    cr_assert_not_null(strstr(text, " µs   hits 100.0%   errors 1,234"), "%s", text);
}

Test(bench_live, hits_are_told_only_where_somebody_tells, .init = begin)
{
    now.begin = START;
    answers(&now, 10, ANSWER_UNTOLD, NSEC_PER_MSEC);
    now.end = mono_add(START, NSEC_PER_SEC);
    cr_assert_null(strstr(line(), "hits"));
}

Test(bench_live, a_second_without_an_answer_is_nought, .init = begin)
{
    now.begin = START;
    answers(&now, 10, ANSWER_UNTOLD, NSEC_PER_MSEC);
    now.end = mono_add(START, NSEC_PER_SEC);
    before = now;
    now.end = mono_add(START, 2 * NSEC_PER_SEC);
    cr_assert_not_null(strstr(line(), " 0/s   p50       -   p99       -   errors 0"), "%s", line());
}

static void *
work(void *argument)
{
    struct live *live = argument;
    live_tell(live, 0, &now, now.end);
    live_leave(live);
    return NULL;
}

/* It ends with the last worker, whatever the clock says, and leaves nothing on the line. */
Test(bench_live, is_cleared_when_all_have_left, .init = begin)
{
    char        *text = NULL;
    size_t       size;
    FILE        *out = open_memstream(&text, &size);
    pthread_t    thread;
    struct live *live = live_create(1);
    cr_assert_not_null(live);
    cr_assert_eq(pthread_create(&thread, NULL, work, live), 0);
    live_watch(live, out);
    pthread_join(thread, NULL);
    fclose(out);
    cr_assert(size >= 4 && strcmp(text + size - 4, "\r\033[K") == 0);
    free(text);
    live_destroy(&live);
}

Test(bench_live, is_not_for_files)
{
    FILE *file = tmpfile();
    cr_assert_not(live_is_wanted(file));
    fclose(file);
}
