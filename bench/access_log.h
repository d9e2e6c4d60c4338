/* access_log.h: one line of an access log in the combined format, as nginx, Apache and Varnish write it.
 *
 *      1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a.png HTTP/1.1" 200 203023 "referer" "agent"
 *      └ a host before it? ┘                     └ method, URL ┘      └ status, bytes; the rest is not read
 *
 * The line comes from anywhere: nothing outside of it is read, and what does not have this form is refused.
 */
#ifndef BENCH_ACCESS_LOG_H
#define BENCH_ACCESS_LOG_H

#include <larder/base/span.h>

struct access {
    struct span host; /* Apache's vhost_combined begins with it; else empty (the URL may have one) */
    struct span date; /* between the brackets */
    struct span method, url;
    unsigned    status;
    uint64_t    bytes; /* "-" is 0 */
};

/* A line without its newline. False: it is not of this form. The spans point into it. */
bool access_log_parse(struct span line, struct access *access);

/* "17/May/2015:10:05:03 +0000" as seconds since 1970; 0 when it is no such date (then the trace's time stands
 * still), or is not one that 32 bits hold. */
uint32_t access_log_time(struct span date);

#endif
