/* key.h: what names an answer: scheme, host, path and query, in one form.
 *
 *      http://shop.example.com/list?page=2          the primary key: object, or marker of variants
 *      http://shop.example.com/list?page=2\n        the variant key: the marker's edition follows, then
 *      9f86d081884c7d65\n                           the selecting fields' values, normalised, one a line,
 *      accept-encoding: br,gzip\n                   names in order
 *
 * The text is the truth; the digest (128-bit XXH3 with the store's seed) only finds it. All keys of one URL take the top 8 bits
 * of their digest from the primary one, so that they live in one shard and one job may write them together. What the key sees is what the
 * origin sees: path and query are brought to their form once, by key_normalise, and the request is sent with that form.
 */
#ifndef LARDER_CACHE_KEY_H
#define LARDER_CACHE_KEY_H

#include <larder/base/arena.h>
#include <larder/http/parse.h>
#include <larder/http/range.h>
#include <larder/storage/store.h>

/* The target in the form that key and origin share: query parameters that only trackers read (utm_*, gclid, fbclid and their
 * like) are dropped. Path and the order of parameters stay as sent. ERR_NO_MEMORY only. */
MUST_CHECK enum err key_normalise(struct arena *arena, const struct target *sent, struct target *normal);

/* The primary key: host in lower case, default port dropped. `host` stands in when the target has none (HTTP/1.0). */
MUST_CHECK enum err key_primary(struct arena *arena, const struct hash_seed *seed, struct span scheme,
                                const struct target *normal, struct span host, struct store_key *key);

/* The primary key of a URL as an operator types it ("http://host/path?query", scheme and host required; https too). */
MUST_CHECK enum err key_of_url(struct arena *arena, const struct hash_seed *seed, struct span url,
                               struct store_key *key, struct fault *fault);

/* The primary key of what a reference in an answer (Location, Content-Location) names, when that is on the host of `base` (a primary key).
 * ERR_NOT_FOUND: on another host, or of another scheme; ERR_SYNTAX: not a reference; ERR_NO_MEMORY. */
MUST_CHECK enum err key_of_reference(struct arena *arena, const struct hash_seed *seed,
                                     const struct store_key *base, struct span reference,
                                     struct store_key *key);

/* The variant key below `primary`; `edition` is its marker's, `values` is what vary_values wrote. */
MUST_CHECK enum err key_variant(struct arena *arena, const struct hash_seed *seed,
                                const struct store_key *primary, uint64_t edition, struct span values,
                                struct store_key *key);

/* The key under which a part of what `whole` names is fetched. Nothing is stored under it: parts are stored under `whole`. */
MUST_CHECK enum err key_part(struct arena *arena, const struct hash_seed *seed, const struct store_key *whole,
                             struct range_spec part, struct store_key *key);

/* The key of slice `number` of a generation of what `primary` names. Its digest is its own: slices spread over the shards. */
MUST_CHECK enum err key_slice(struct arena *arena, const struct hash_seed *seed,
                              const struct store_key *primary, uint64_t generation, uint64_t number,
                              struct store_key *key);

#endif
