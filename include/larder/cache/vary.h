/* vary.h: which request fields select the answer (RFC 9111 §4.1), as text that can be stored and compared.
 *
 * A spec is the sorted, comma-joined list of lower-case field names of a Vary field ("accept-encoding,origin"). The values
 * of a request under a spec are lines "name: value\n"; a field that is absent gives the line "name\n", so a missing field matches only a missing field.
 * Values are normalised: lines joined, white space around commas removed, Accept-Encoding reduced to the codings we know.
 */
#ifndef LARDER_CACHE_VARY_H
#define LARDER_CACHE_VARY_H

#include <larder/base/arena.h>
#include <larder/http/message.h>

enum { VARY_NAMES_MAX = 16 };

/* The spec of a response: empty without Vary. *star: there is a `*` somewhere, no request can be matched. ERR_LIMIT: more names than
 * VARY_NAMES_MAX, ERR_SYNTAX: a member that is no field name, ERR_NO_MEMORY. */
MUST_CHECK enum err vary_spec(struct arena *arena, const struct head *response, struct span *spec,
                              bool *star);

/* The union of two specs. ERR_LIMIT above VARY_NAMES_MAX. */
MUST_CHECK enum err vary_union(struct arena *arena, struct span a, struct span b, struct span *both);

/* The values of `request` under the spec. ERR_NO_MEMORY. */
MUST_CHECK enum err vary_values(struct arena *arena, const struct head *request, struct span spec,
                                struct span *values);

/* ── languages ──
 *
 * An answer that says its Content-Language is not only for those who send the same Accept-Language: it is for all who want that language
 * before any other. So it can also be found under values in which the line "accept-language=de" stands for the whole of Accept-Language. */

/* The values of a request that wants one language most, in that form. ERR_NOT_FOUND: the spec does not have Accept-Language, or none is
 * wanted most; ERR_NO_MEMORY. */
MUST_CHECK enum err vary_values_by_wish(struct arena *arena, const struct head *request, struct span values,
                                        struct span *by_wish);

/* The same for an answer in one language; `values` are those of the request that it answers. */
MUST_CHECK enum err vary_values_by_language(struct arena *arena, struct span values,
                                            struct span content_language, struct span *by_language);

#endif
