/* cdn_loop.c: CDN-Loop (RFC 8586 §2): #( cdn-id *( OWS ";" OWS parameter ) ). */
#include <larder/http/cdn_loop.h>

/* Hosts have no letter case, and a pseudonym that differs in nothing else is nobody else. */
unsigned
cdn_loop_count(const struct head *request, struct span id)
{
    struct list_walk walk = { 0 };
    struct span      member, name;
    unsigned         count = 0;

    while (head_walk(request, FIELD_CDN_LOOP, &walk, &member)) {
        span_split(&member, ';', &name);
        count += span_equal_nocase(span_trim(name), id);
    }
    return count;
}
