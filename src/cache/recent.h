/* recent.h: a table of fixed size of keys about which something was learned a short while ago.
 *
 * The cache has two. One knows the keys whose last answer could not be shared: without it every request for a private
 * page would wait for the one before it, only to learn that the answer is not for sharing; with it they go to the origin
 * side by side. (Varnish's hit-for-miss, without an object per key.) The other knows the keys whose origin failed, so
 * that not everybody waits for it to fail again.
 *
 * A table holds 64 bits per key and nothing else, forgets after its time, and overwrites the oldest of a set when it is
 * full: forgetting costs one more question, never a wrong answer.
 *
 * Any thread; each slot is one atomic word.
 */
#ifndef CACHE_UNCACHEABLE_H
#define CACHE_UNCACHEABLE_H

#include <larder/base/clock.h>
#include <larder/base/hash.h>
#include <stdbool.h>

struct recent;

/* `slots`: a power of two, at least 8. `seconds`: how long a key is known, less than 2^23. NULL when memory ends. */
struct recent *recent_create(size_t slots, unsigned seconds);
void           recent_destroy(struct recent **table);

void recent_remember(struct recent *table, struct digest digest, mono_time now);
void recent_forget(struct recent *table, struct digest digest);
bool recent_knows(const struct recent *table, struct digest digest, mono_time now);

#endif
