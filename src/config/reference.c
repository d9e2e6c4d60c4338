/* reference.c: the schema as a manual.
 *
 *      ttl TIME
 *          How long an answer is fresh whose origin says nothing about it; 0: such answers are not stored.
 *          in defaults or in a site · default 2m · 0 to 3650d · once
 */
#include <larder/config/reference.h>

#include "schema.h"

#include <inttypes.h>
#include <larder/base/units.h>
#include <larder/origin/pool.h>

enum { COLUMNS = 110 };

/* Text that began at column `at`, and goes on at column `indent` in further lines. */
static void
print_wrapped(const char *text, size_t at, size_t indent, FILE *out)
{
    struct span rest = span_of_text(text), word;

    for (bool first = true; span_split(&rest, ' ', &word); first = false) {
        if (!first && at + 1 + word.len > COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", SPAN_ARG(word));
        at += word.len;
    }
}

/* ── values ── */

static const char *
format_value(const struct option_row *row, int64_t value, char out[static UNITS_TEXT_SIZE])
{
    if (row->type == OPTION_TIME)
        return units_format_time(value, out);
    if (row->type == OPTION_SIZE)
        return units_format_size((uint64_t)value, out);
    if (row->type == OPTION_SWITCH)
        return value == 0 ? "off" : "on";
    snprintf(out, UNITS_TEXT_SIZE, "%" PRId64, value);
    return out;
}

static void
print_bounds(const struct option_row *row, FILE *out)
{
    char least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];

    if (row->type == OPTION_SWITCH)
        return;
    if (row->most == INT64_MAX && row->least == 0)
        return;
    if (row->most == INT64_MAX)
        fprintf(out, " · at least %s", format_value(row, row->least, least));
    else
        fprintf(out, " · %s to %s", format_value(row, row->least, least), format_value(row, row->most, most));
}

/* What holds without the directive, or NULL. */
static const char *
initial_of(const struct directive *directive, char out[static UNITS_TEXT_SIZE])
{
    if (directive->initial != NULL)
        return directive->initial;
    if (directive->row == NULL || directive->least != 1)
        return NULL;
    return format_value(directive->row, directive->row->initial, out);
}

/* ── entries ── */

static void
print_places(const struct directive *directive, FILE *out)
{
    const char *between = "    ";

    for (unsigned context = IN_TOP; context <= IN_SITE; context <<= 1)
        if (directive->contexts & context) {
            fprintf(out, "%s%s", between, schema_place(context));
            between = " or ";
        }
}

/* The words of `timeout` are rows of the pool's options. */
static void
print_timeouts(FILE *out)
{
    char text[UNITS_TEXT_SIZE];

    for (size_t i = 0; i < pool_options.count; i++) {
        const struct option_row *row = &pool_options.rows[i];
        struct span              word = schema_timeout_word(row);
        if (word.len == 0)
            continue;
        fprintf(out, "      %-12.*s %s [%s", SPAN_ARG(word), row->help,
                format_value(row, row->initial, text));
        print_bounds(row, out);
        fputs("]\n", out);
    }
}

static bool
is_timeout(const struct directive *directive)
{
    return directive->settings == SETTINGS_POOL && directive->row == NULL;
}

static void
print_directive(const struct directive *directive, FILE *out)
{
    char text[UNITS_TEXT_SIZE];

    fprintf(out, "%s%s%s%s\n    ", directive->name, *directive->syntax == '\0' ? "" : " ", directive->syntax,
            directive->opens == 0 ? "" : " { ... }");
    print_wrapped(directive->help, 4, 4, out);
    fputc('\n', out);
    if (is_timeout(directive))
        print_timeouts(out);
    print_places(directive, out);
    const char *initial = initial_of(directive, text);
    if (initial != NULL)
        fprintf(out, " · default %s", initial);
    if (directive->row != NULL)
        print_bounds(directive->row, out);
    fputs(directive->merge == MERGE_REPEAT ? " · any number of times\n" : " · once\n", out);
}

static void
print_context(const struct schema *schema, enum context context, const char *title, FILE *out)
{
    fprintf(out, "%s\n\n", title);
    for (size_t i = 0; i < schema->count; i++)
        if (schema->rows[i].contexts & context) {
            print_directive(&schema->rows[i], out);
            fputc('\n', out);
        }
}

static const char grammar[] =
    "A configuration is statements: a name and its values, to the end of the line or a \";\", or with a "
    "block in { }.\n"
    "    #  begins a comment         \\  at the end of a line joins it with the next\n"
    "    \"  \" go around values with spaces        ${NAME}, ${NAME:-default}: from the environment\n"
    "    @path: the content of a file        include PATH: the statements of other files (* ? [ ] allowed)\n"
    "Times have a unit (ms s m h d w), sizes too (k M G T, of 1024).\n\n";

void
reference_print(FILE *out)
{
    struct schema schema;

    schema_init(&schema);
    fputs(grammar, out);
    print_context(&schema, IN_TOP, "AT THE TOP LEVEL", out);
    print_context(&schema, IN_LIMITS, "IN limits { }", out);
    print_context(&schema, IN_SITE, "IN site HOST { } AND IN defaults { }", out);
}

enum err
reference_print_one(struct span name, FILE *out, struct fault *fault)
{
    struct schema           schema;
    const struct directive *guess;
    bool                    found = false;

    schema_init(&schema);
    for (size_t i = 0; i < schema.count; i++)
        if (span_equal(name, span_of_text(schema.rows[i].name))) {
            print_directive(&schema.rows[i], out);
            found = true;
        }
    if (found)
        return ERR_NONE;
    name = span_head(name, 64);
    if (schema_is_later(name))
        return fault_set(fault, ERR_UNSUPPORTED, "\"%.*s\" is not offered yet by this version of larder",
                         SPAN_ARG(name));
    guess = schema_guess(&schema, name, ~0U);
    if (guess != NULL)
        return fault_set(fault, ERR_NOT_FOUND, "unknown directive \"%.*s\"; did you mean \"%s\"?",
                         SPAN_ARG(name), guess->name);
    return fault_set(fault, ERR_NOT_FOUND, "unknown directive \"%.*s\"", SPAN_ARG(name));
}

/* ── flags ── */

enum { FLAG_COLUMN = 33 };

static void
print_flag(const struct directive *directive, FILE *out)
{
    char        left[64], value[UNITS_TEXT_SIZE], help[512];
    const char *initial = initial_of(directive, value);

    size_t shown = directive->flag_takes_one ? strcspn(directive->syntax, " ") : strlen(directive->syntax);
    snprintf(left, sizeof left, "--%s %.*s", directive->name, (int)shown, directive->syntax);
    fprintf(out, "  %-30s ", left);
    if (is_timeout(directive))
        snprintf(help, sizeof help, "Time limits of the origin: --timeout \"connect 2s first-byte 15s\".");
    else
        snprintf(help, sizeof help, "%s%s%s%s", directive->help, initial == NULL ? "" : " [",
                 initial == NULL ? "" : initial, initial == NULL ? "" : "]");
    print_wrapped(help, FLAG_COLUMN, FLAG_COLUMN, out);
    fputc('\n', out);
}

void
reference_print_flags(FILE *out)
{
    static const char *const titles[] = { "\nLimits:\n", "\nThe site:\n", "\nThe server:\n" };
    static const unsigned    contexts[] = { IN_LIMITS, IN_SITE, IN_TOP };
    struct schema            schema;

    schema_init(&schema);
    for (size_t part = 3; part-- > 0;) {
        fputs(titles[part], out);
        for (size_t i = 0; i < schema.count; i++) {
            const struct directive *directive = &schema.rows[i];
            bool                    here = (directive->contexts & contexts[part])
                        && (contexts[part] != IN_SITE || !(directive->contexts & IN_TOP));
            if (here && directive->opens == 0)
                print_flag(directive, out);
        }
    }
}
