/* language.h: Accept-Language in one form, and against a Content-Language (RFC 9110 §12.5.4, RFC 4647). */
#ifndef LARDER_HTTP_LANGUAGE_H
#define LARDER_HTTP_LANGUAGE_H

#include <larder/base/arena.h>
#include <larder/http/message.h>

/* Accept-Language so that equal wishes give equal bytes: lower case, without white space, ordered by weight,
 * then by name; weights of 1 left out, e.g. "da,en-gb;q=0.8,en;q=0.7". A range that is named twice keeps its
 * first weight. Of more than LANGUAGES_MAX ranges, and of a list with something else in it, the order stays
 * as sent. An absent field gives a span with NULL pointer, an empty one an empty span that is not NULL. */
enum { LANGUAGES_MAX = 32 };
MUST_CHECK enum err accept_language_normalise(struct arena *arena, const struct head *request,
                                              struct span *form);

/* How welcome (0 to 1000) an answer in these languages, a Content-Language value, is. For each of its tags
 * the longest range that matches by basic filtering (RFC 4647 §3.3.1: "en" matches "en-GB", `*` everything)
 * gives the weight; the best tag counts. 1000 without Accept-Language, and for an answer that names no
 * language: it is for all (RFC 9110 §8.5). */
unsigned accept_language_quality(const struct head *request, struct span content_language);

#endif
