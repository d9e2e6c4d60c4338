/* date.c: dates of HTTP (RFC 9110 §5.6.7), by their forms.
 *
 *      IMF-fixdate   Sun, 06 Nov 1994 08:49:37 GMT
 *      RFC 850       Sunday, 06-Nov-94 08:49:37 GMT
 *      asctime       Sun Nov  6 08:49:37 1994
 *
 * A text fits one of the three to the byte, but for the case of letters, or it is no date: a date that two
 * caches read differently is fresh in one of them. The date must exist; the weekday is not held against it.
 * Days are counted in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms").
 */
#include <larder/http/date.h>

enum { SECONDS_PER_DAY = 86400, DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400, DAYS_TO_1970 = 719468 };

/* 0000-01-01 00:00:00 and 9999-12-31 23:59:59. */
#define FORMAT_FIRST INT64_C(-62167219200)
#define FORMAT_LAST INT64_C(253402300799)

struct civil {
    int64_t  year;
    unsigned month, day; /* from 1 */
    unsigned hour, minute, second;
};

/* Names of three letters, in lower case, as numbers. */
#define NAME(a, b, c) ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16)

static const uint32_t months[] = { NAME('j', 'a', 'n'), NAME('f', 'e', 'b'), NAME('m', 'a', 'r'),
                                   NAME('a', 'p', 'r'), NAME('m', 'a', 'y'), NAME('j', 'u', 'n'),
                                   NAME('j', 'u', 'l'), NAME('a', 'u', 'g'), NAME('s', 'e', 'p'),
                                   NAME('o', 'c', 't'), NAME('n', 'o', 'v'), NAME('d', 'e', 'c') };
static const uint32_t weekdays[] = { NAME('s', 'u', 'n'), NAME('m', 'o', 'n'), NAME('t', 'u', 'e'),
                                     NAME('w', 'e', 'd'), NAME('t', 'h', 'u'), NAME('f', 'r', 'i'),
                                     NAME('s', 'a', 't') };

static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2; /* the year begins in March, so that the leap day is its last */
    int64_t  era = (year >= 0 ? year : year - (YEARS_PER_ERA - 1)) / YEARS_PER_ERA;
    unsigned of_era = (unsigned)(year - era * YEARS_PER_ERA);
    unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

static void
set_date(struct civil *civil, int64_t days)
{
    days += DAYS_TO_1970;
    int64_t  era = (days >= 0 ? days : days - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    unsigned of_era = (unsigned)(days - era * DAYS_PER_ERA);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
    unsigned month = (5 * of_year + 2) / 153;
    civil->day = of_year - (153 * month + 2) / 5 + 1;
    civil->month = month < 10 ? month + 3 : month - 9;
    civil->year = (int64_t)year + era * YEARS_PER_ERA + (civil->month <= 2);
}

static bool
is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned
days_in(int64_t year, unsigned month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t
seconds_of(const struct civil *civil)
{
    unsigned of_day = civil->hour * 3600 + civil->minute * 60 + civil->second;
    return days_of(civil->year, civil->month, civil->day) * SECONDS_PER_DAY + of_day;
}

/* Second 60 is a leap second, which this count of seconds does not have: it is the next minute's first. */
static bool
exists(const struct civil *civil)
{
    return civil->day >= 1 && civil->day <= days_in(civil->year, civil->month) && civil->hour <= 23
           && civil->minute <= 59 && civil->second <= 60;
}

/* ── reading ── */

/* A form: what stands between its parts, and where these begin. */
struct form {
    uint8_t len;
    uint8_t day, month, year, year_digits, time, zone; /* zone 0: it has none */
    bool    weekday;                                   /* it begins with one, of three letters */
    bool    padded;                                    /* a day under 10 begins with SP, or with 0 */
    struct {
        uint8_t at;
        char    byte;
    } marks[8];
};

static const struct form imf_fixdate = { /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    .len = 29, .day = 5, .month = 8, .year = 12, .year_digits = 4, .time = 17, .zone = 26, .weekday = true,
    .marks = { { 3, ',' }, { 4, ' ' }, { 7, ' ' }, { 11, ' ' }, { 16, ' ' }, { 19, ':' }, { 22, ':' }, { 25, ' ' } }
};
static const struct form rfc850_date = { /* ", 06-Nov-94 08:49:37 GMT", behind the weekday */
    .len = 24, .day = 2, .month = 5, .year = 9, .year_digits = 2, .time = 12, .zone = 21,
    .marks = { { 0, ',' }, { 1, ' ' }, { 4, '-' }, { 8, '-' }, { 11, ' ' }, { 14, ':' }, { 17, ':' }, { 20, ' ' } }
};
static const struct form asctime_date = { /* "Sun Nov  6 08:49:37 1994" */
    .len = 24, .day = 8, .month = 4, .year = 20, .year_digits = 4, .time = 11, .weekday = true, .padded = true,
    .marks = { { 3, ' ' }, { 7, ' ' }, { 10, ' ' }, { 13, ':' }, { 16, ':' }, { 19, ' ' } }
};

/* Only a letter becomes a lower-case letter by that bit. */
static uint32_t
name_at(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    return NAME(byte[0], byte[1], byte[2]) | UINT32_C(0x202020);
}

/* Which of the names stands at `at`, or -1. */
static int
find_name(const uint32_t *names, int count, const char *at)
{
    uint32_t name = name_at(at);

    for (int i = 0; i < count; i++)
        if (names[i] == name)
            return i;
    return -1;
}

static bool
read_digits(const char *at, size_t count, unsigned *number)
{
    *number = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned char)at[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        *number = *number * 10 + digit;
    }
    return true;
}

static bool
has_marks(const struct form *form, struct span text)
{
    for (unsigned i = 0; i < sizeof form->marks / sizeof form->marks[0] && form->marks[i].byte != '\0'; i++)
        if (text.at[form->marks[i].at] != form->marks[i].byte)
            return false;
    return true;
}

static bool
read_day(const struct form *form, const char *at, struct civil *civil)
{
    bool space = form->padded && at[0] == ' ';
    return space ? read_digits(at + 1, 1, &civil->day) : read_digits(at, 2, &civil->day);
}

static bool
read_month(const char *at, struct civil *civil)
{
    int month = find_name(months, 12, at);
    civil->month = (unsigned)(month + 1);
    return month >= 0;
}

static bool
read_year(const char *at, size_t digits, struct civil *civil)
{
    unsigned year;
    bool     read = read_digits(at, digits, &year);
    civil->year = (int64_t)year;
    return read;
}

static bool
read_time(const char *at, struct civil *civil)
{
    return read_digits(at, 2, &civil->hour) && read_digits(at + 3, 2, &civil->minute)
           && read_digits(at + 6, 2, &civil->second);
}

static bool
fits(const struct form *form, struct span text, struct civil *civil)
{
    return text.len == form->len && has_marks(form, text) && (!form->weekday || find_name(weekdays, 7, text.at) >= 0)
           && read_day(form, text.at + form->day, civil) && read_month(text.at + form->month, civil)
           && read_year(text.at + form->year, form->year_digits, civil) && read_time(text.at + form->time, civil)
           && (form->zone == 0 || name_at(text.at + form->zone) == NAME('g', 'm', 't'));
}

/* The part before the comma of an RFC 850 date: 0 when it is no weekday in full. */
static size_t
long_weekday(struct span text)
{
    static const char *const names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                         "Thursday", "Friday", "Saturday" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (span_starts_nocase(text, span_of_text(names[i])))
            return strlen(names[i]);
    return 0;
}

/* RFC 9110 §5.6.7: a two-digit year that appears to be more than 50 years in the future is of the past. */
static void
settle_century(struct civil *civil, int64_t now)
{
    struct civil today = { 0 }, earlier;

    set_date(&today, now / SECONDS_PER_DAY);
    civil->year += today.year / 100 * 100 + 100;
    for (;;) {
        earlier = *civil;
        earlier.year -= 50;
        if (seconds_of(&earlier) <= now)
            return;
        civil->year -= 100;
    }
}

static bool
read_rfc850(struct span text, wall_time now, struct civil *civil)
{
    size_t weekday = long_weekday(text);

    if (weekday == 0 || !fits(&rfc850_date, span_skip(text, weekday), civil))
        return false;
    settle_century(civil, wall_seconds(now));
    return true;
}

bool
date_parse(struct span text, wall_time now, int64_t *seconds)
{
    struct civil civil = { 0 };

    if (!fits(&imf_fixdate, text, &civil) && !fits(&asctime_date, text, &civil)
        && !read_rfc850(text, now, &civil))
        return false;
    if (!exists(&civil))
        return false;
    *seconds = seconds_of(&civil);
    return true;
}

/* ── writing ── */

static char *
put_number(char *at, unsigned number, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, number /= 10)
        at[i - 1] = (char)('0' + number % 10);
    return at + digits;
}

static char *
put_text(char *at, const char *text, size_t length)
{
    memcpy(at, text, length);
    return at + length;
}

static char *
put_name(char *at, uint32_t name)
{
    at[0] = (char)(name & 0xdf); /* a capital */
    at[1] = (char)(name >> 8 & 0xff);
    at[2] = (char)(name >> 16 & 0xff);
    return at + 3;
}

static char *
put_date(char *at, int64_t days)
{
    struct civil civil;
    unsigned     weekday = (unsigned)(((days + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */

    set_date(&civil, days);
    at = put_name(at, weekdays[weekday]);
    at = put_number(put_text(at, ", ", 2), civil.day, 2);
    at = put_name(put_text(at, " ", 1), months[civil.month - 1]);
    return put_number(put_text(at, " ", 1), (unsigned)civil.year, 4);
}

void
date_format(int64_t seconds, char out[static DATE_SIZE])
{
    seconds = seconds < FORMAT_FIRST ? FORMAT_FIRST : seconds > FORMAT_LAST ? FORMAT_LAST : seconds;
    int64_t  days = (seconds >= 0 ? seconds : seconds - (SECONDS_PER_DAY - 1)) / SECONDS_PER_DAY;
    unsigned of_day = (unsigned)(seconds - days * SECONDS_PER_DAY);

    char *at = put_date(out, days);
    at = put_number(put_text(at, " ", 1), of_day / 3600, 2);
    at = put_number(put_text(at, ":", 1), of_day / 60 % 60, 2);
    at = put_number(put_text(at, ":", 1), of_day % 60, 2);
    put_text(at, " GMT", 4);
}
