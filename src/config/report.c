/* report.c: findings are written out at once, with their line of the source, and sorted when they are
 * printed. */
#include "source.h"

#include <larder/base/text.h>
#include <stdarg.h>
#include <stdlib.h>

enum { FINDING_SIZE = 4096, LINE_SHOWN = 160 };

void
report_init(struct report *report)
{
    *report = (struct report){ .count = 0 };
}

void
report_fini(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->findings[i].text);
    report_init(report);
}

/* ── one finding as text ── */

static struct span
line_at(const struct place *place)
{
    struct span text = place->source->text;
    size_t      begin = place->offset, end = place->offset;

    while (begin > 0 && text.at[begin - 1] != '\n')
        begin--;
    while (end < text.len && text.at[end] != '\n' && text.at[end] != '\r')
        end++;
    return span_of(text.at + begin, end - begin);
}

/* One mark for each character of `bytes`; tabs stay tabs, so that the marks stand below what they mark. */
static void
put_marks(struct text *out, struct span bytes, char mark)
{
    for (size_t i = 0; i < bytes.len; i++)
        if ((bytes.at[i] & 0xc0) != 0x80)
            text_append_byte(out, bytes.at[i] == '\t' ? '\t' : mark);
}

static void
put_line(struct text *out, const struct place *place, const char *hint)
{
    struct span line = line_at(place);
    size_t      indent = place->offset - (size_t)(line.at - place->source->text.at);

    text_printf(out, "%5u | ", place->line);
    text_append(out, line);
    text_append(out, SPAN("\n      | "));
    put_marks(out, span_head(line, indent), ' ');
    text_append_byte(out, '^');
    struct span marked = span_head(span_skip(line, indent), place->length);
    size_t      first = 1;
    while (first < marked.len && (marked.at[first] & 0xc0) == 0x80)
        first++;
    put_marks(out, span_skip(marked, first), '~');
    if (hint != NULL)
        text_printf(out, " %s", hint);
    text_append_byte(out, '\n');
}

/* A line that would fill the screen is not shown: the column must do. */
static void
put_context(struct text *out, const struct place *place, const char *hint)
{
    if (place->line > 0 && line_at(place).len <= LINE_SHOWN)
        put_line(out, place, hint);
    else if (hint != NULL)
        text_printf(out, "      | %s\n", hint);
}

static void
put_head(struct text *out, enum severity severity, const struct place *place)
{
    text_printf(out, "%s:", place->source->name);
    if (place->line > 0)
        text_printf(out, "%u:%u:", place->line, place->column);
    text_printf(out, " %s: ", severity == SEVERITY_ERROR ? "error" : "warning");
}

/* A flag has no text to show: what is wrong with it is one line, and an error of one becomes a fault. */
static void
put_flag(struct text *out, enum severity severity, const struct place *place, const char *message)
{
    if (severity == SEVERITY_WARNING)
        text_printf(out, "%s: warning: %s\n", place->source->name, message);
    else
        text_printf(out, "%s: %s", place->source->name, message);
}

static void
compose(struct text *out, enum severity severity, const struct place *place, const char *hint,
        const char *message)
{
    if (place->source->text.at == NULL) {
        put_flag(out, severity, place, message);
        return;
    }
    put_head(out, severity, place);
    text_printf(out, "%s\n", message);
    put_context(out, place, hint);
}

void
report_add(struct loading *loading, enum severity severity, const struct place *place, const char *hint,
           const char *format, ...)
{
    struct report *report = loading->report;
    struct text    out;
    char           message[1024];
    va_list        arguments;

    if (loading->strict)
        severity = SEVERITY_ERROR;
    if (severity == SEVERITY_ERROR)
        report->errors++;
    else
        report->warnings++;
    if (report->count == REPORT_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    text_init(&out, FINDING_SIZE);
    compose(&out, severity, place, hint, message);
    if (out.at == NULL)
        return;
    report->findings[report->count++] = (struct finding){ place->source->number, place->line, place->column,
                                                          severity == SEVERITY_WARNING, out.at };
}

/* ── all of them ── */

static int
compare(const void *a, const void *b)
{
    const struct finding *left = *(const struct finding *const *)a,
                         *right = *(const struct finding *const *)b;

    if (left->file != right->file)
        return left->file < right->file ? -1 : 1;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    if (left->column != right->column)
        return left->column < right->column ? -1 : 1;
    return left < right ? -1 : 1; /* as they were found */
}

void
report_print(const struct report *report, FILE *out)
{
    const struct finding *order[REPORT_MAX];

    for (size_t i = 0; i < report->count; i++)
        order[i] = &report->findings[i];
    qsort(order, report->count, sizeof order[0], compare);
    for (size_t i = 0; i < report->count; i++)
        fputs(order[i]->text, out);
    size_t all = (size_t)report->errors + report->warnings;
    if (all > report->count)
        fprintf(out, "... and %zu more\n", all - report->count);
}

static const char *
plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

const char *
report_counts(const struct report *report, char out[static REPORT_COUNTS_SIZE])
{
    struct text text;

    text_init(&text, REPORT_COUNTS_SIZE - 1);
    text_printf(&text, "%u file%s", report->files, plural(report->files));
    if (report->errors > 0)
        text_printf(&text, ", %u error%s", report->errors, plural(report->errors));
    if (report->warnings > 0)
        text_printf(&text, ", %u warning%s", report->warnings, plural(report->warnings));
    snprintf(out, REPORT_COUNTS_SIZE, "%s", text_cstr(&text));
    text_fini(&text);
    return out;
}
