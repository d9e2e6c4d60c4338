/* check.c: the last words of a program that is broken.
 *
 * Written with dprintf in one go to standard error: no log thread, no heap, nothing that may be what broke.
 */
#include <larder/base/check.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Thread_local check_describe *describe_subject;
static _Thread_local const void     *described_subject;

void
check_set_context(check_describe *describe, const void *subject)
{
    describe_subject = describe;
    described_subject = subject;
}

_Noreturn void
check_failed(const char *file, int line, const char *function, const char *condition)
{
    char                  context[512] = "";
    check_describe *const describe = describe_subject;

    describe_subject = NULL; /* a panic inside of it must not come back here */
    if (describe != NULL)
        describe(described_subject, context, sizeof context);
    dprintf(STDERR_FILENO, "panic: %s:%d: %s: %s%s%s\n", file, line, function, condition,
            context[0] == '\0' ? "" : " while at ", context);
    abort();
}
