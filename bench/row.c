/* row.c: see row.h. Each type has one function; the table of them is the switch. */
#include "row.h"

#include <inttypes.h>
#include <stdio.h>
#include <larder/base/check.h>
#include <larder/base/units.h>

void
row_defaults(const struct row_table *table, void *settings)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        char             *member = (char *)settings + row->offset;
        switch (row->type) {
        case ROW_TIME:
        case ROW_SIZE:
        case ROW_COUNT:
            *(int64_t *)(void *)member = row->initial;
            break;
        case ROW_SWITCH:
            *(bool *)(void *)member = false;
            break;
        case ROW_TEXT:
            *(struct span *)(void *)member = SPAN_EMPTY;
            break;
        case ROW_TEXTS:
            ((struct texts *)(void *)member)->count = 0;
            break;
        }
    }
}

const struct row *
row_find(const struct row_table *table, struct span name)
{
    for (size_t i = 0; i < table->count; i++)
        if (span_equal(name, span_of_text(table->rows[i].name)))
            return &table->rows[i];
    return NULL;
}

const struct row *
row_guess(const struct row_table *table, struct span name)
{
    enum { NEAR = 3 }; /* a distance from which on a guess would be a joke */
    const struct row *best = NULL;
    unsigned          nearest = NEAR;
    for (size_t i = 0; i < table->count; i++) {
        unsigned distance = span_distance(name, span_of_text(table->rows[i].name));
        if (distance < nearest && distance < name.len) {
            nearest = distance;
            best = &table->rows[i];
        }
    }
    return best;
}

static const char *
format_bound(const struct row *row, int64_t bound, char out[static UNITS_TEXT_SIZE])
{
    if (row->type == ROW_TIME)
        return units_format_time(bound, out);
    if (row->type == ROW_SIZE)
        return units_format_size((uint64_t)bound, out);
    snprintf(out, UNITS_TEXT_SIZE, "%" PRId64, bound);
    return out;
}

static enum err
parse_number(const struct row *row, struct span text, int64_t *number, struct fault *fault)
{
    if (row->type == ROW_TIME)
        return units_parse_time(text, number, fault);

    uint64_t read = 0;
    if (row->type == ROW_SIZE && !span_to_u64(text, INT64_MAX, &read)) { /* a bare number is bytes */
        enum err err = units_parse_size(text, &read, fault);
        if (err != ERR_NONE)
            return err;
    } else if (row->type == ROW_COUNT && !span_to_u64(text, INT64_MAX, &read)) {
        return fault_set(fault, ERR_SYNTAX, "expected a whole number");
    }
    *number = read > INT64_MAX ? INT64_MAX : (int64_t)read;
    return ERR_NONE;
}

static enum err
set_number(const struct row *row, int64_t *member, struct span text, struct fault *fault)
{
    int64_t  number = 0;
    enum err err = parse_number(row, text, &number, fault);
    if (err != ERR_NONE)
        return err;
    if (number < row->least || number > row->most) {
        char least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];
        return fault_set(fault, ERR_RANGE, "expected %s to %s", format_bound(row, row->least, least),
                         format_bound(row, row->most, most));
    }
    *member = number;
    return ERR_NONE;
}

static enum err
set_text(struct span *member, struct span text, struct fault *fault)
{
    if (text.len == 0)
        return fault_set(fault, ERR_SYNTAX, "expected a value, found nothing");
    *member = text;
    return ERR_NONE;
}

static enum err
add_text(struct texts *texts, struct span text, struct fault *fault)
{
    if (texts->count == ROW_TEXTS_MAX)
        return fault_set(fault, ERR_LIMIT, "at most %d of these", ROW_TEXTS_MAX);
    enum err err = set_text(&texts->at[texts->count], text, fault);
    if (err == ERR_NONE)
        texts->count++;
    return err;
}

enum err
row_set(const struct row *row, void *settings, struct span value, struct fault *fault)
{
    void *member = (char *)settings + row->offset;
    switch (row->type) {
    case ROW_TIME:
    case ROW_SIZE:
    case ROW_COUNT:
        return set_number(row, member, value, fault);
    case ROW_SWITCH:
        *(bool *)member = true;
        return ERR_NONE;
    case ROW_TEXT:
        return set_text(member, value, fault);
    case ROW_TEXTS:
        return add_text(member, value, fault);
    }
    UNREACHABLE();
}
