/* test_threads.c: panics, ranked locks and the log. */
#include <criterion/criterion.h>
#include <larder/base/check.h>
#include <larder/base/lock.h>
#include <larder/base/log.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
describe(const void *subject, char *out, size_t size)
{
    snprintf(out, size, "%s", (const char *)subject);
}

Test(base_check, a_broken_program_stops, .signal = SIGABRT)
{
    check_set_context(describe, "step test");
    CHECK(1 + 1 == 3);
}

Test(base_check, a_true_condition_does_not)
{
    CHECK(1 + 1 == 2);
}

Test(base_lock, inner_after_outer)
{
    struct lock outer, inner;

    lock_init(&outer, LOCK_RANK_FLIGHT, "outer");
    lock_init(&inner, LOCK_RANK_SHARD, "inner");
    lock_acquire(&outer);
    lock_acquire(&inner);
    lock_assert_held(&outer);
    lock_release(&inner);
    lock_release(&outer);
    lock_acquire(&inner);
    lock_release(&inner);
    lock_fini(&inner);
    lock_fini(&outer);
}

#ifndef NDEBUG
Test(base_lock, outer_after_inner_is_a_panic, .signal = SIGABRT)
{
    struct lock outer, inner;

    lock_init(&outer, LOCK_RANK_FLIGHT, "outer");
    lock_init(&inner, LOCK_RANK_SHARD, "inner");
    lock_acquire(&inner);
    lock_acquire(&outer);
}

Test(base_lock, two_of_one_rank_are_a_panic, .signal = SIGABRT)
{
    struct lock one, two;

    lock_init(&one, LOCK_RANK_SHARD, "one");
    lock_init(&two, LOCK_RANK_SHARD, "two");
    lock_acquire(&one);
    lock_acquire(&two);
}

Test(base_lock, a_missing_lock_is_a_panic, .signal = SIGABRT)
{
    struct lock lock;
    lock_init(&lock, LOCK_RANK_SHARD, "lock");
    lock_assert_held(&lock);
}
#endif

static size_t
read_all(int fd, char *into, size_t room)
{
    size_t  len = 0;
    ssize_t got;
    while (len + 1 < room && (got = read(fd, into + len, room - len - 1)) > 0)
        len += (size_t)got;
    into[len] = '\0';
    return len;
}

Test(base_log, lines_are_whole_stamped_and_escaped)
{
    int         ends[2];
    char        text[8192];
    struct log *log;

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(log_open(&log, ends[1], LOG_INFO), ERR_NONE);
    cr_assert_eq(log_start(log), ERR_NONE);
    log_write(log, LOG_INFO, "hello %d", 7);
    log_write(log, LOG_DEBUG, "not at this level");
    log_write(log, LOG_WARN, "forged\n2026 error\x1b[31m");
    log_write(NULL, LOG_ERROR, "to nobody");
    log_close(&log);
    close(ends[1]);
    read_all(ends[0], text, sizeof text);
    cr_assert_not_null(strstr(text, "Z info   hello 7\n"));
    cr_assert_null(strstr(text, "not at this level"));
    cr_assert_not_null(strstr(text, "Z warn   forged\\x0a2026 error\\x1b[31m\n"));
    close(ends[0]);
}

/* Until it starts, and also if it never does. */
Test(base_log, lines_wait_for_the_thread)
{
    int         ends[2];
    char        text[8192];
    struct log *log;

    cr_assert_eq(pipe(ends), 0);
    for (int start = 0; start < 2; start++) {
        cr_assert_eq(log_open(&log, ends[1], LOG_INFO), ERR_NONE);
        log_write(log, LOG_INFO, "before %d", start);
        if (start == 1)
            cr_assert_eq(log_start(log), ERR_NONE);
        log_close(&log);
    }
    cr_assert_eq(log_start(NULL), ERR_NONE);
    close(ends[1]);
    read_all(ends[0], text, sizeof text);
    cr_assert_not_null(strstr(text, "Z info   before 0\n"));
    cr_assert_not_null(strstr(text, "Z info   before 1\n"));
    close(ends[0]);
}

static void *
write_lines(void *log)
{
    for (int i = 0; i < 500; i++)
        log_write(log, LOG_INFO, "0123456789");
    return NULL;
}

Test(base_log, threads_do_not_mix_their_lines)
{
    enum { THREADS = 4 };
    FILE       *file = tmpfile();
    pthread_t   threads[THREADS];
    char        line[256];
    int         lines = 0;
    struct log *log;

    cr_assert_eq(log_open(&log, fileno(file), LOG_INFO), ERR_NONE);
    cr_assert_eq(log_start(log), ERR_NONE);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_lines, log);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t dropped = log_dropped(log);
    log_close(&log);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (strstr(line, "lost") == NULL) {
            cr_assert_not_null(strstr(line, " info   0123456789\n"), "%s", line);
            lines++;
        }
    cr_assert_eq((uint64_t)lines + dropped, THREADS * 500);
    fclose(file);
}

Test(base_log, a_stuck_reader_costs_lines_and_not_time)
{
    int         ends[2];
    char        drain[65536];
    struct log *log;

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(log_open(&log, ends[1], LOG_INFO), ERR_NONE);
    cr_assert_eq(log_start(log), ERR_NONE);
    while (log_dropped(log) == 0) /* nobody reads: pipe, then buffers fill */
        log_write(log, LOG_INFO, "%0500d", 1);
    pid_t reader = fork();
    if (reader == 0) {
        close(ends[1]);
        bool told = false;
        while (read_all(ends[0], drain, sizeof drain) > 0)
            told |= strstr(drain, "lines of the log were lost") != NULL;
        _exit(told ? 0 : 1);
    }
    close(ends[0]);
    log_close(&log);
    close(ends[1]);
    int status;
    waitpid(reader, &status, 0);
    cr_assert_eq(status, 0);
}
