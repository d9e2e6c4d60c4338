/* method.c: methods, and what RFC 9110 §9.2 says of each.
 *
 * A method that is none of the table is METHOD_OTHER: it passes, but nothing good is presumed of it.
 */
#include <larder/http/message.h>

static const struct span names[] = {
#define METHOD_SPAN(name) [METHOD_##name] = { #name, sizeof(#name) - 1 },
    METHOD_TABLE(METHOD_SPAN)
#undef METHOD_SPAN
};

enum { METHOD_COUNT = sizeof names / sizeof names[0] };

enum method
method_lookup(struct span name)
{
    for (unsigned i = METHOD_OTHER + 1; i < METHOD_COUNT; i++)
        if (span_equal(names[i], name))
            return (enum method)i;
    return METHOD_OTHER;
}

bool
method_is_safe(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_OPTIONS
           || method == METHOD_TRACE;
}

bool
method_is_idempotent(enum method method)
{
    return method_is_safe(method) || method == METHOD_PUT || method == METHOD_DELETE;
}
