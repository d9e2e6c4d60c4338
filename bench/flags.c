/* flags.c: see flags.h. */
#include "flags.h"

#include <inttypes.h>
#include <larder/base/units.h>

/* A command line that is being read. */
struct walk {
    char **argv;
    int    argc, at;
    bool   only_operands;
};

static enum err
unknown_flag(const struct row_table *flags, struct span name, struct fault *fault)
{
    const struct row *guess = row_guess(flags, name);
    if (guess != NULL)
        return fault_set(fault, ERR_NOT_FOUND, "unknown flag --%.*s; did you mean --%s?", SPAN_ARG(name),
                         guess->name);
    return fault_set(fault, ERR_NOT_FOUND, "unknown flag --%.*s", SPAN_ARG(name));
}

/* The value after "=", or the next argument. */
static enum err
take_value(struct walk *walk, const struct row *row, struct span rest, struct span *value,
           struct fault *fault)
{
    if (row->type == ROW_SWITCH) {
        if (rest.at != NULL)
            return fault_set(fault, ERR_SYNTAX, "--%s takes no value", row->name);
        *value = SPAN_EMPTY;
        return ERR_NONE;
    }
    if (rest.at != NULL) {
        *value = rest;
        return ERR_NONE;
    }
    if (walk->at == walk->argc)
        return fault_set(fault, ERR_SYNTAX, "--%s needs a value: --%s %s", row->name, row->name, row->value);
    *value = span_of_text(walk->argv[walk->at++]);
    return ERR_NONE;
}

static enum err
read_flag(struct walk *walk, const struct row_table *flags, struct span arg, void *settings,
          struct fault *fault)
{
    struct span rest = span_skip(arg, 2), name;
    (void)span_split(&rest, '=', &name);
    const struct row *row = row_find(flags, name);
    if (row == NULL)
        return unknown_flag(flags, name, fault);

    struct span value;
    enum err    err = take_value(walk, row, rest, &value, fault);
    if (err != ERR_NONE)
        return err;
    struct fault why;
    err = row_set(row, settings, value, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "--%s \"%.*s\": %s", row->name, SPAN_ARG(value), why.text);
    return ERR_NONE;
}

static enum err
read_argument(struct walk *walk, const struct command *command, void *settings, struct texts *operands,
              struct fault *fault)
{
    struct span arg = span_of_text(walk->argv[walk->at++]);
    if (!walk->only_operands && span_equal(arg, SPAN("--"))) {
        walk->only_operands = true;
        return ERR_NONE;
    }
    if (!walk->only_operands && span_starts(arg, SPAN("--")))
        return read_flag(walk, &command->flags, arg, settings, fault);
    if (!walk->only_operands && arg.len > 1 && arg.at[0] == '-')
        return fault_set(fault, ERR_NOT_FOUND, "unknown flag %.*s", SPAN_ARG(arg));
    if (operands->count == command->operands_most || operands->count == ROW_TEXTS_MAX)
        return fault_set(fault, ERR_SYNTAX, "unexpected argument \"%.*s\"", SPAN_ARG(arg));
    operands->at[operands->count++] = arg;
    return ERR_NONE;
}

enum err
flags_parse(const struct command *command, int argc, char **argv, void *settings, struct texts *operands,
            struct fault *fault)
{
    struct walk walk = { .argv = argv, .argc = argc };
    row_defaults(&command->flags, settings);
    operands->count = 0;
    while (walk.at < walk.argc) {
        enum err err = read_argument(&walk, command, settings, operands, fault);
        if (err != ERR_NONE)
            return err;
    }
    if (operands->count < command->operands_least)
        return fault_set(fault, ERR_SYNTAX, "%s is missing", command->operands);
    return ERR_NONE;
}

bool
flags_ask_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static void
print_initial(const struct row *row, FILE *out)
{
    char text[UNITS_TEXT_SIZE];
    if (row->initial == ROW_ABSENT)
        return;
    if (row->type == ROW_TIME)
        fprintf(out, " [%s]", units_format_time(row->initial, text));
    else if (row->type == ROW_SIZE)
        fprintf(out, " [%s]", units_format_size((uint64_t)row->initial, text));
    else if (row->type == ROW_COUNT)
        fprintf(out, " [%" PRId64 "]", row->initial);
}

void
flags_print_help(const struct command *command, FILE *out)
{
    fprintf(out, "usage: larder-bench %s%s%s [flags]\n\n%s\n\n", command->name, *command->operands ? " " : "",
            command->operands, command->help);
    for (size_t i = 0; i < command->flags.count; i++) {
        const struct row *row = &command->flags.rows[i];
        char              left[48];
        snprintf(left, sizeof left, "--%s %s", row->name, row->value == NULL ? "" : row->value);
        fprintf(out, "  %-24s %s", left, row->help);
        print_initial(row, out);
        fputc('\n', out);
    }
    fprintf(out, "  %-24s %s\n", "--help", "This page.");
}
