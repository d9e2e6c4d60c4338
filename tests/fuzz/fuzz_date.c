/* fuzz_date.c: any bytes as a date.
 *
 * Holds: letter case does not matter; what is read and written is read as the same second; an IMF-fixdate is
 * what sscanf and the libc's calendar make of it; any `now` ends.
 */
#include "fuzz.h"

#include <larder/http/date.h>

#include <ctype.h>
#include <stdio.h>
#include <time.h>

#define NOW ((wall_time){ INT64_C(1717200000) * NSEC_PER_SEC })

static void
check_letter_case(struct span text, bool is_date, int64_t seconds)
{
    char   *copy = fuzz_copy(text);
    int64_t other = 0;

    for (size_t i = 0; i < text.len; i++)
        copy[i] = (char)(i % 2 == 0 ? tolower((unsigned char)copy[i]) : toupper((unsigned char)copy[i]));
    CHECK(date_parse(span_of(copy, text.len), NOW, &other) == is_date);
    CHECK(!is_date || other == seconds);
    free(copy);
}

static void
check_round_trip(int64_t seconds)
{
    char    text[DATE_SIZE];
    int64_t again;

    date_format(seconds, text);
    CHECK(date_parse(span_of(text, DATE_SIZE), NOW, &again) && again == seconds);
}

/* The format that is 29 bytes long, read a second time. */
static void
check_with_libc(struct span text, int64_t seconds)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    char              copy[DATE_SIZE + 1], month[4];
    struct tm         tm = { 0 };

    if (text.len != DATE_SIZE || text.at[3] != ',')
        return;
    for (size_t i = 0; i < DATE_SIZE; i++)
        copy[i] = (char)tolower((unsigned char)text.at[i]);
    copy[DATE_SIZE] = '\0';
    CHECK(sscanf(copy + 5, "%2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
                 &tm.tm_min, &tm.tm_sec)
          == 6);
    const char *found = strstr(months, month);
    CHECK(found != NULL && (found - months) % 3 == 0);
    tm.tm_mon = (int)(found - months) / 3;
    tm.tm_year -= 1900;
    CHECK(timegm(&tm) == seconds);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t moments[] = { INT64_MIN, INT64_MIN / 2, -1, 0, INT64_MAX / 2, INT64_MAX };
    char                *copy = fuzz_copy(span_of(data, size));
    struct span          text = span_of(copy, size);
    int64_t              seconds = 0, other;

    bool is_date = date_parse(text, NOW, &seconds);
    check_letter_case(text, is_date, seconds);
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        bool then = date_parse(text, (wall_time){ moments[i] }, &other);
        CHECK(then == is_date || text.len > DATE_SIZE); /* 29-Feb-00 depends on the century */
    }
    if (is_date) {
        check_round_trip(seconds);
        check_with_libc(text, seconds);
    }
    free(copy);
    return 0;
}
