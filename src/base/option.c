/* option.c: a row is read, checked and stored. */
#include <larder/base/option.h>

#include <larder/base/check.h>
#include <larder/base/units.h>
#include <inttypes.h>

static void
store(const struct option_row *row, void *settings, int64_t value)
{
    void *member = (char *)settings + row->offset;

    switch (row->type) {
    case OPTION_TIME:
        *(nsec *)member = value;
        return;
    case OPTION_SIZE:
    case OPTION_COUNT:
        *(uint64_t *)member = (uint64_t)value;
        return;
    case OPTION_SWITCH:
        *(bool *)member = value != 0;
        return;
    }
    UNREACHABLE();
}

void
option_defaults(const struct option_table *table, void *settings)
{
    for (size_t i = 0; i < table->count; i++)
        store(&table->rows[i], settings, table->rows[i].initial);
}

const struct option_row *
option_find(const struct option_table *table, struct span name)
{
    for (size_t i = 0; i < table->count; i++)
        if (span_equal(name, span_of_text(table->rows[i].name)))
            return &table->rows[i];
    return NULL;
}

static enum err
parse_switch(struct span value, int64_t *number, struct fault *fault)
{
    *number = span_equal(value, SPAN("on"));
    if (*number == 1 || span_equal(value, SPAN("off")))
        return ERR_NONE;
    return fault_set(fault, ERR_SYNTAX, "\"%.*s\" is neither on nor off", SPAN_ARG(value));
}

static enum err
parse(const struct option_row *row, struct span value, int64_t *number, struct fault *fault)
{
    uint64_t count = 0;
    enum err err;

    switch (row->type) {
    case OPTION_TIME:
        return units_parse_time(value, number, fault);
    case OPTION_SIZE:
        err = units_parse_size(value, &count, fault);
        *number = (int64_t)count;
        return err;
    case OPTION_COUNT:
        if (!span_to_u64(value, INT64_MAX, &count))
            return fault_set(fault, ERR_SYNTAX, "\"%.*s\" is not a number", SPAN_ARG(value));
        *number = (int64_t)count;
        return ERR_NONE;
    case OPTION_SWITCH:
        return parse_switch(value, number, fault);
    }
    UNREACHABLE();
}

static const char *
format(const struct option_row *row, int64_t number, char *out)
{
    if (row->type == OPTION_TIME)
        return units_format_time(number, out);
    return units_format_size((uint64_t)number, out);
}

enum err
option_set(const struct option_row *row, void *settings, struct span value, struct fault *fault)
{
    int64_t number = 0;
    char    least[UNITS_TEXT_SIZE], most[UNITS_TEXT_SIZE];

    enum err err = parse(row, value, &number, fault);
    if (err != ERR_NONE)
        return err;
    if (number < row->least)
        return fault_set(fault, ERR_RANGE, "\"%.*s\" is too small: at least %s", SPAN_ARG(value),
                         format(row, row->least, least));
    if (number > row->most)
        return fault_set(fault, ERR_RANGE, "\"%.*s\" is too large: at most %s", SPAN_ARG(value),
                         format(row, row->most, most));
    store(row, settings, number);
    return ERR_NONE;
}
