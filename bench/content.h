/* content.h: the bytes of a body, decided by its name, so that equal requests give equal bytes.
 *
 *      body = intro (a readable line, or a whole page) + noise from `shift` on, until `size`
 *
 * The noise is one block that all bodies share, each from another place in it, so a body of a gigabyte costs
 * no memory and goes out from where it lies. Its length is a prime: a body that was shifted by a power of
 * two or put together wrongly from pieces does not look right.
 */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include <larder/base/span.h>
#include <sys/uio.h>

enum { NOISE_PERIOD = 65521 };

/* Letters and line ends. Frozen after noise_fill. */
struct noise {
    char at[NOISE_PERIOD];
};

void noise_fill(struct noise *noise);

struct content {
    struct span intro; /* cut when `size` is shorter */
    uint64_t    shift; /* any number */
    uint64_t    size;
};

/* Describes the bytes [from, from + len) of the content, which must lie inside of it, with at most `max`
 * vectors. Returns how many vectors; *covered says how many bytes they reach. */
unsigned content_map(const struct content *content, const struct noise *noise, uint64_t from, uint64_t len,
                     struct iovec *into, unsigned max, uint64_t *covered);

#endif
