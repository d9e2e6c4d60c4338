/* runner.c: runs the Criterion tests of a layer in the sanitizer builds.
 *
 *      each test of section cr_tst ──▶ fork ──▶ set up, run, tear down ──▶ exit, leak check ──▶ verdict
 *
 * The tests stay Criterion's, every macro and every assertion; only what runs them is replaced. Criterion's
 * own runner cannot be used there: it places shared memory at addresses that belong to the thread sanitizer's
 * shadow, and its workers leave by _exit, before the leak sanitizer has looked. Here a test is a plain child
 * process that ends by exit(). The functions below stand in for Criterion's; the program finds them first.
 *
 * The closing line has the form of Criterion's, so that `./dev test` reads both alike.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child tells its parent. Guard: the parent reads only after the child has ended. */
struct verdict {
    int failed_asserts;
    int skipped;
};

struct tally {
    unsigned tested, passed, failed, crashed;
};

/* The test of this process: set before the fork, read by the child. A child runs one test and ends, so this
 * is as constant as a command line; Criterion's functions take no argument through which it could come. */
static struct {
    const struct criterion_test  *test;
    const struct criterion_suite *suite; /* NULL when the tests have no TestSuite() */
    void                         *param; /* of a parameterized test */
    struct verdict               *verdict;
} current;

extern struct criterion_test  *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite *__start_cr_sts[] __attribute__((weak)), *__stop_cr_sts[] __attribute__((weak));

/* ---- what the macros of a test call ---- */

void
criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (stats->passed)
        return;
    current.verdict->failed_asserts++;
    fprintf(stderr, "[----] %s:%u: Assertion failed: %s\n", stats->file, stats->line, stats->message);
}

void
cri_asserts_passed_incr(void)
{
}

void
criterion_continue_test(void)
{
}

void
criterion_abort_test(void)
{
    /* What the test still holds is no leak of larder's. */
    _exit(EXIT_SUCCESS);
}

void
criterion_skip_test(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "[SKIP] %s::%s: ", current.test->category, current.test->name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    current.verdict->skipped = 1;
    _exit(EXIT_SUCCESS);
}

void
criterion_internal_test_setup(void)
{
    if (current.suite != NULL && current.suite->data->init != NULL)
        current.suite->data->init();
    if (current.test->data->init != NULL)
        current.test->data->init();
}

void
criterion_internal_test_main(void (*body)(void))
{
    if (current.test->data->kind_ == CR_TEST_PARAMETERIZED)
        ((void (*)(void *))(void *)body)(current.param);
    else
        body();
}

void
criterion_internal_test_teardown(void)
{
    if (current.test->data->fini != NULL)
        current.test->data->fini();
    if (current.suite != NULL && current.suite->data->fini != NULL)
        current.suite->data->fini();
}

/* ---- the runner ---- */

/* The address sanitizer puts poisoned gaps between the pointers of a section: they read as NULL. */
__attribute__((no_sanitize("address"))) static const struct criterion_suite *
find_suite(const char *name)
{
    for (struct criterion_suite **at = __start_cr_sts; at < __stop_cr_sts; at++)
        if (*at != NULL && strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

static void
run_child(double timeout)
{
    if (timeout > 0)
        alarm((unsigned)ceil(timeout));
    current.test->test();
    exit(EXIT_SUCCESS); /* not _exit: the leak check runs on the way out */
}

/* A setting of the test, else of its suite. */
static int
expected_signal(void)
{
    if (current.test->data->signal != 0 || current.suite == NULL)
        return current.test->data->signal;
    return current.suite->data->signal;
}

static int
expected_exit(void)
{
    if (current.test->data->exit_code != 0 || current.suite == NULL)
        return current.test->data->exit_code;
    return current.suite->data->exit_code;
}

static double
allowed_seconds(void)
{
    if (current.test->data->timeout > 0 || current.suite == NULL)
        return current.test->data->timeout;
    return current.suite->data->timeout;
}

static void
judge(int status, struct tally *tally)
{
    if (current.verdict->skipped)
        return;
    tally->tested++;
    bool crashed = WIFSIGNALED(status) && WTERMSIG(status) != expected_signal();
    bool as_told = WIFSIGNALED(status)
                       ? WTERMSIG(status) == expected_signal()
                       : expected_signal() == 0 && WEXITSTATUS(status) == expected_exit();
    if (as_told && current.verdict->failed_asserts == 0) {
        tally->passed++;
        return;
    }
    tally->failed++;
    tally->crashed += crashed;
    fprintf(stderr, "[FAIL] %s::%s (%s %d)\n", current.test->category, current.test->name,
            WIFSIGNALED(status) ? "signal" : "exit status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void
run_one(struct tally *tally)
{
    *current.verdict = (struct verdict){ 0 };
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        run_child(allowed_seconds());
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("runner");
        exit(EXIT_FAILURE);
    }
    judge(status, tally);
}

static void
run_test(const struct criterion_test *test, struct tally *tally)
{
    current.test = test;
    current.suite = find_suite(test->category);
    if (test->data->disabled || (current.suite != NULL && current.suite->data->disabled)) {
        fprintf(stderr, "[SKIP] %s::%s: disabled\n", test->category, test->name);
        return;
    }
    if (test->data->kind_ != CR_TEST_PARAMETERIZED) {
        run_one(tally);
        return;
    }
    struct criterion_test_params params = test->data->param_();
    for (size_t i = 0; i < params.length; i++) {
        current.param = (char *)params.params + i * params.size;
        run_one(tally);
    }
    if (params.cleanup != NULL)
        params.cleanup(&params);
}

__attribute__((no_sanitize("address"))) static void
run_all(struct tally *tally)
{
    for (struct criterion_test **at = __start_cr_tst; at < __stop_cr_tst; at++)
        if (*at != NULL)
            run_test(*at, tally);
}

int
main(void)
{
    struct tally tally = { 0 };
    current.verdict =
        mmap(NULL, sizeof *current.verdict, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (current.verdict == MAP_FAILED) {
        perror("runner");
        return EXIT_FAILURE;
    }
    run_all(&tally);
    fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: %u\n", tally.tested,
            tally.passed, tally.failed, tally.crashed);
    return tally.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
