/* uncacheable.h: a table of fixed size of keys whose last answer could not be stored.
 *
 * Without it every request for a private page would wait for the one before it, only to learn that the
 * answer is not for sharing. With it they go to the origin side by side. The table holds 64 bits per key and nothing
 * else, forgets after two minutes, and overwrites the oldest of a set when it is full: forgetting costs one
 * collapsed round, never a wrong answer. (Varnish's hit-for-miss, without an object per key.)
 *
 * Any thread; each slot is one atomic word.
 */
#ifndef CACHE_UNCACHEABLE_H
#define CACHE_UNCACHEABLE_H

#include <larder/base/clock.h>
#include <larder/base/hash.h>
#include <stdbool.h>

struct uncacheable;

/* `slots`: a power of two, at least 8. NULL when memory ends. */
struct uncacheable *uncacheable_create(size_t slots);
void                uncacheable_destroy(struct uncacheable **table);

void uncacheable_remember(struct uncacheable *table, struct digest digest, mono_time now);
void uncacheable_forget(struct uncacheable *table, struct digest digest);
bool uncacheable_knows(const struct uncacheable *table, struct digest digest, mono_time now);

#endif
