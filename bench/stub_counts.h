/* stub_counts.h: what the stub origin has been asked, from its page /-/requests.
 *
 * Asked from outside the load, and in its own time: this blocks. Owner: the caller.
 */
#ifndef BENCH_STUB_COUNTS_H
#define BENCH_STUB_COUNTS_H

#include <larder/base/err.h>
#include <larder/base/span.h>

struct stub_counts {
    uint64_t requests, not_modified, bytes_sent;
    uint64_t page; /* bytes of the page itself, which it counts once it is sent */
};

/* `where`: "127.0.0.1:9000", or a URL whose path does not matter. The fault names it. */
MUST_CHECK enum err stub_counts_ask(struct span where, struct stub_counts *counts, struct fault *fault);

/* What others have asked for between two looks. */
struct stub_counts stub_counts_since(const struct stub_counts *now, const struct stub_counts *before);

/* Reads the page's JSON. False: it is another page. For stub_counts.c, and for tests. */
bool stub_counts_read(struct span json, struct stub_counts *counts);

#endif
