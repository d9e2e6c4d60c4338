/* units.c: sizes and times, read and written. */
#include <larder/base/units.h>

#include <inttypes.h>
#include <stdio.h>

struct unit {
    const char *name;
    uint64_t    factor;
};

/* From the largest to the smallest; the last one is the base of the quantity. */
static const struct unit sizes[] = {
    { "T", UINT64_C(1) << 40 }, { "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 }
};
static const struct unit times[] = { { "w", 604800000000000 }, { "d", 86400000000000 },
                                     { "h", 3600000000000 },   { "m", 60000000000 },
                                     { "s", 1000000000 },      { "ms", 1000000 } };

enum { SIZES = sizeof sizes / sizeof sizes[0], TIMES = sizeof times / sizeof times[0] };

static size_t
count_digits(struct span text)
{
    size_t n = 0;
    while (n < text.len && text.at[n] >= '0' && text.at[n] <= '9')
        n++;
    return n;
}

static const struct unit *
find_unit(const struct unit *units, size_t count, struct span name, bool any_case)
{
    for (size_t i = 0; i < count; i++)
        if (any_case ? span_equal_nocase(name, span_of_text(units[i].name))
                     : span_equal(name, span_of_text(units[i].name)))
            return &units[i];
    return NULL;
}

static enum err
parse(struct span text, const struct unit *units, size_t count, bool any_case, uint64_t most, uint64_t *value)
{
    size_t   digits = count_digits(text);
    uint64_t number;

    if (digits == 0)
        return ERR_SYNTAX;
    if (!span_to_u64(span_head(text, digits), UINT64_MAX, &number))
        return ERR_RANGE;
    if (digits == text.len) {
        if (number != 0)
            return ERR_NOT_FOUND; /* of what? */
        *value = 0;
        return ERR_NONE;
    }
    const struct unit *unit = find_unit(units, count, span_skip(text, digits), any_case);
    if (unit == NULL)
        return ERR_SYNTAX;
    if (__builtin_mul_overflow(number, unit->factor, value) || *value > most)
        return ERR_RANGE;
    return ERR_NONE;
}

enum err
units_parse_decimal(struct span text, double *number, struct fault *fault)
{
    enum { WHOLE_MAX = 1000000000, DIGITS_MAX = 6 };
    struct span rest = text, whole;
    uint64_t    units = 0, parts = 0;
    double      scale = 1;

    (void)span_split(&rest, '.', &whole);
    bool has_point = rest.at != NULL;
    if (!span_to_u64(whole, WHOLE_MAX, &units) || rest.len > DIGITS_MAX
        || (has_point && !span_to_u64(rest, UINT64_MAX, &parts)))
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\" is not a number like 1 or 0.7", SPAN_ARG(text));
    for (size_t i = 0; i < rest.len; i++)
        scale *= 10;
    *number = (double)units + (double)parts / scale;
    return ERR_NONE;
}

enum err
units_parse_rate(struct span text, uint64_t *count, nsec *period, struct fault *fault)
{
    enum { COUNT_MAX = 1000000000 };
    struct span rest = text, number;
    uint64_t    scale = 1;

    (void)span_split(&rest, '/', &number);
    if (span_ends(number, SPAN("k"))) {
        number.len--;
        scale = 1000;
    }
    const struct unit *unit = find_unit(times, TIMES, rest, false);
    if (unit == NULL || unit->factor < (uint64_t)NSEC_PER_SEC || !span_to_u64(number, UINT64_MAX, count))
        return fault_set(fault, ERR_SYNTAX,
                         "\"%.*s\" is not a rate; a rate is a number in s, m, h, d or w, like 50/s",
                         SPAN_ARG(span_head(text, 64)));
    if (*count == 0 || *count > COUNT_MAX / scale)
        return fault_set(fault, ERR_RANGE, "\"%.*s\" is out of range: from 1 to %d",
                         SPAN_ARG(span_head(text, 64)), COUNT_MAX);
    *count *= scale;
    *period = (nsec)unit->factor;
    return ERR_NONE;
}

enum err
units_parse_size(struct span text, uint64_t *bytes, struct fault *fault)
{
    switch (parse(text, sizes, SIZES, true, INT64_MAX, bytes)) {
    case ERR_NONE:
        return ERR_NONE;
    case ERR_NOT_FOUND:
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\" has no unit; write %.*sk, %.*sM or %.*sG",
                         SPAN_ARG(text), SPAN_ARG(text), SPAN_ARG(text), SPAN_ARG(text));
    case ERR_RANGE:
        return fault_set(fault, ERR_RANGE, "\"%.*s\" is too large", SPAN_ARG(text));
    default:
        return fault_set(fault, ERR_SYNTAX,
                         "\"%.*s\" is not a size; a size is a number with k, M, G or T, like 64M",
                         SPAN_ARG(text));
    }
}

enum err
units_parse_time(struct span text, nsec *time, struct fault *fault)
{
    uint64_t value = 0;

    switch (parse(text, times, TIMES, false, INT64_MAX, &value)) {
    case ERR_NONE:
        *time = (nsec)value;
        return ERR_NONE;
    case ERR_NOT_FOUND:
        return fault_set(fault, ERR_SYNTAX, "\"%.*s\" has no unit; write %.*ss, %.*sm or %.*sh",
                         SPAN_ARG(text), SPAN_ARG(text), SPAN_ARG(text), SPAN_ARG(text));
    case ERR_RANGE:
        return fault_set(fault, ERR_RANGE, "\"%.*s\" is too long", SPAN_ARG(text));
    default:
        return fault_set(fault, ERR_SYNTAX,
                         "\"%.*s\" is not a time; a time is a number with ms, s, m, h, d or w, like 90s",
                         SPAN_ARG(text));
    }
}

static const char *
format_exact(uint64_t value, const struct unit *units, size_t count, const char *base, char *out)
{
    for (size_t i = 0; i < count; i++)
        if (value != 0 && value % units[i].factor == 0) {
            snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value / units[i].factor, units[i].name);
            return out;
        }
    snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "%s", value, value == 0 ? "" : base);
    return out;
}

const char *
units_format_size(uint64_t bytes, char out[static UNITS_TEXT_SIZE])
{
    return format_exact(bytes, sizes, SIZES, "", out);
}

const char *
units_format_time(nsec time, char out[static UNITS_TEXT_SIZE])
{
    return format_exact(time < 0 ? 0 : (uint64_t)time, times, TIMES, "ns", out);
}

/* Three significant digits. */
static void
format_three(double value, const char *unit, char *out)
{
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(out, UNITS_TEXT_SIZE, "%.*f %s", decimals, value, unit);
}

const char *
units_round_size(uint64_t bytes, char out[static UNITS_TEXT_SIZE])
{
    static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double                   value = (double)bytes;
    int                      step = -1;

    if (bytes < 1024) {
        snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 " B", bytes);
        return out;
    }
    while (value >= 1023.5) {
        value /= 1024;
        step++;
    }
    format_three(value, names[step], out);
    return out;
}

const char *
units_round_time(nsec time, char out[static UNITS_TEXT_SIZE])
{
    static const struct {
        const char *name;
        double      factor;
    } names[] = { { "s", 1e9 }, { "ms", 1e6 }, { "µs", 1e3 } };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if ((double)time >= names[i].factor * 0.9995) {
            format_three((double)time / names[i].factor, names[i].name, out);
            return out;
        }
    snprintf(out, UNITS_TEXT_SIZE, "%" PRId64 " ns", time);
    return out;
}
