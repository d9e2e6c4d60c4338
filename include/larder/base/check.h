/* check.h: assertions that stay on in release builds.
 *
 * A cache that goes on with a broken invariant serves one client's page to another; it is better to
 * stop. CHECK stands at borders and transitions, never on what a peer may send: bad input is an
 * `enum err`, a bad program is a panic. The panic line names the place and, through the context of
 * the thread, what was being done (exchange, step, object).
 */
#ifndef LARDER_BASE_CHECK_H
#define LARDER_BASE_CHECK_H

#include <stddef.h>

#define CHECK(condition) \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, __func__, #condition))

#define UNREACHABLE() check_failed(__FILE__, __LINE__, __func__, "unreachable")

_Noreturn void check_failed(const char *file, int line, const char *function, const char *condition);

/* What this thread is doing, for the panic line: `describe` writes at most `size` bytes, NUL
 * included, and may touch only memory that outlives the context. NULL clears it. */
typedef void check_describe(const void *subject, char *out, size_t size);
void check_set_context(check_describe *describe, const void *subject);

#endif
