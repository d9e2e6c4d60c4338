/* test_glob.c: patterns, held against the plain recursive reading of them. */
#include <larder/base/glob.h>

#include <criterion/criterion.h>

static bool
matches(const char *pattern, const char *text)
{
    return glob_match(span_of_text(pattern), span_of_text(text), false);
}

Test(base_glob, means_what_it_says)
{
    cr_expect(matches("", "") && !matches("", "a") && !matches("a", ""));
    cr_expect(matches("*", "") && matches("*", "/a/b") && matches("**", "x"));
    cr_expect(matches("/.git/*", "/.git/config") && matches("/.git/*", "/.git/")
              && !matches("/.git/*", "/.git"));
    cr_expect(matches("*.php~", "/a/b.php~") && !matches("*.php~", "/a/b.php~1"));
    cr_expect(matches("a?c", "abc") && !matches("a?c", "ac") && !matches("a?c", "abbc"));
    cr_expect(matches("*ab*ab", "abab") && matches("*ab*ab", "xabyabab") && !matches("*ab*ab", "ab"));
    cr_expect(!matches("ABC", "abc") && glob_match(SPAN("*Bot*"), SPAN("a bOT b"), true));
}

static bool
plainly(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return plainly(pattern + 1, text) || (*text != '\0' && plainly(pattern, text + 1));
    return *text != '\0' && (*pattern == '?' || *pattern == *text) && plainly(pattern + 1, text + 1);
}

/* All patterns of up to 5 and texts of up to 6 bytes of a small alphabet. */
static void
spell(unsigned number, const char *alphabet, unsigned letters, char *out)
{
    for (; number > 0; number = (number - 1) / letters)
        *out++ = alphabet[(number - 1) % letters];
    *out = '\0';
}

Test(base_glob, says_what_the_plain_reading_says)
{
    char pattern[16], text[16];

    for (unsigned p = 0; p < 1 + 4 + 16 + 64 + 256 + 1024; p++)
        for (unsigned t = 0; t < 127; t++) {
            spell(p, "ab*?", 4, pattern);
            spell(t, "ab", 2, text);
            cr_assert_eq(matches(pattern, text), plainly(pattern, text), "%s %s", pattern, text);
        }
}
