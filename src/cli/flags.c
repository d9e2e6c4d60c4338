/* flags.c: see flags.h. */
#include "flags.h"

#include <larder/base/span.h>

struct walk {
    char **argv;
    int    argc, at;
    bool   only_operands;
};

static const struct flag *
find(const struct flag_table *table, struct span name)
{
    for (size_t i = 0; i < table->count; i++)
        if (span_equal(name, span_of_text(table->rows[i].name)))
            return &table->rows[i];
    return NULL;
}

static enum err
unknown(const struct flag_table *table, struct span name, struct fault *fault)
{
    const char *best = NULL;
    unsigned    least = 3;

    name = span_head(name, 64);
    for (size_t i = 0; i < table->count; i++) {
        unsigned distance = span_distance(name, span_of_text(table->rows[i].name));
        if (distance < least) {
            least = distance;
            best = table->rows[i].name;
        }
    }
    if (best != NULL)
        return fault_set(fault, ERR_NOT_FOUND, "unknown flag --%.*s; did you mean --%s?", SPAN_ARG(name),
                         best);
    return fault_set(fault, ERR_NOT_FOUND, "unknown flag --%.*s", SPAN_ARG(name));
}

static enum err
read_flag(struct walk *walk, const struct flag_table *table, struct span argument, void *settings,
          struct fault *fault)
{
    struct span rest = span_skip(argument, 2), name;
    (void)span_split(&rest, '=', &name);
    const struct flag *flag = find(table, name);
    if (flag == NULL)
        return unknown(table, name, fault);

    void *member = (char *)settings + flag->offset;
    if (flag->value == NULL) {
        if (rest.at != NULL)
            return fault_set(fault, ERR_SYNTAX, "--%s takes no value", flag->name);
        *(bool *)member = true;
        return ERR_NONE;
    }
    if (rest.at == NULL && walk->at == walk->argc)
        return fault_set(fault, ERR_SYNTAX, "--%s is not complete: write --%s %s", flag->name, flag->name,
                         flag->value);
    *(const char **)member = rest.at != NULL ? rest.at : walk->argv[walk->at++];
    return ERR_NONE;
}

static enum err
read_argument(struct walk *walk, const struct flag_table *table, void *settings, struct operands *operands,
              struct fault *fault)
{
    struct span argument = span_of_text(walk->argv[walk->at++]);

    if (!walk->only_operands && span_equal(argument, SPAN("--"))) {
        walk->only_operands = true;
        return ERR_NONE;
    }
    if (!walk->only_operands && span_starts(argument, SPAN("--")))
        return read_flag(walk, table, argument, settings, fault);
    if (!walk->only_operands && span_starts(argument, SPAN("-")))
        return fault_set(fault, ERR_NOT_FOUND, "unknown flag %.*s", SPAN_ARG(span_head(argument, 64)));
    if (operands->count == OPERANDS_MAX)
        return fault_set(fault, ERR_SYNTAX, "unexpected argument \"%.*s\"",
                         SPAN_ARG(span_head(argument, 64)));
    operands->at[operands->count++] = argument.at;
    return ERR_NONE;
}

enum err
flags_parse(const struct flag_table *table, int argc, char *argv[], void *settings, struct operands *operands,
            struct fault *fault)
{
    struct walk walk = { .argv = argv, .argc = argc };

    operands->count = 0;
    while (walk.at < walk.argc) {
        enum err err = read_argument(&walk, table, settings, operands, fault);
        if (err != ERR_NONE)
            return err;
    }
    return ERR_NONE;
}

void
flags_print(const struct flag_table *table, FILE *out)
{
    fputc('\n', out);
    for (size_t i = 0; i < table->count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", table->rows[i].name,
                 table->rows[i].value == NULL ? "" : table->rows[i].value);
        fprintf(out, "  %-16s %s\n", left, table->rows[i].help);
    }
}
