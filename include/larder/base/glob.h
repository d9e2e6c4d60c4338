/* glob.h: patterns with * (any bytes, none too) and ? (one byte); all else is itself.
 *
 * A * takes slashes as well. The time is bounded by the product of both lengths, whatever the pattern: there is no
 * stack of attempts, only the last * is tried again.
 */
#ifndef LARDER_BASE_GLOB_H
#define LARDER_BASE_GLOB_H

#include <larder/base/span.h>

/* Whether the pattern is the whole text; `nocase`: in any letter case of ASCII. */
bool glob_match(struct span pattern, struct span text, bool nocase);

#endif
