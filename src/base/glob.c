/* glob.c: the last * alone is tried again: what an earlier one could take more of, the later one can take as well. */
#include <larder/base/glob.h>

static bool
fits(char pattern, char byte, bool nocase)
{
    return pattern == '?' || pattern == byte || (nocase && ascii_lower(pattern) == ascii_lower(byte));
}

bool
glob_match(struct span pattern, struct span text, bool nocase)
{
    size_t at = 0, star = SIZE_MAX, resume = 0; /* behind the last *, and where its bytes end */

    for (size_t i = 0; i < text.len;) {
        if (at < pattern.len && pattern.at[at] == '*') {
            star = ++at;
            resume = i;
        } else if (at < pattern.len && fits(pattern.at[at], text.at[i], nocase)) {
            at++;
            i++;
        } else if (star != SIZE_MAX) {
            at = star;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.at[at] == '*')
        at++;
    return at == pattern.len;
}
