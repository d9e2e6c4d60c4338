/* store.c: `larder store`: looks into a store, be it a running server's or a directory's.
 *
 *      larder store ── info ───▶ store_info.c
 *                   ├─ verify ─▶ store_verify.c
 *                   └─ list ───▶ store_list.c
 */
#include "store.h"

#include <larder/base/span.h>
#include <stdlib.h>

#define COMMON_ROWS                                                                                          \
    { "admin", "PATH", offsetof(struct store_flags, admin), "The admin socket of the server." },             \
    {                                                                                                        \
        "json", NULL, offsetof(struct store_flags, json), "For programs: a JSON document on each line."      \
    }

static const struct flag common_rows[] = { COMMON_ROWS };
static const struct flag list_rows[] = {
    COMMON_ROWS,
    { "match", "GLOB", offsetof(struct store_flags, match),
      "list: keys that fit, * and ? stand for any bytes: 'http://*/img/*'." },
    { "host", "HOST", offsetof(struct store_flags, host), "list: keys of that host." },
    { "min-size", "SIZE", offsetof(struct store_flags, min_size), "list: at least so large: 64k, 10M." },
    { "expired", NULL, offsetof(struct store_flags, expired), "list: only what nobody gets any more." },
    { "limit", "N", offsetof(struct store_flags, limit), "list: ends after so many." }
};
static const struct flag_table common_table = FLAG_TABLE(common_rows);
static const struct flag_table list_table = FLAG_TABLE(list_rows);

static void
print_store_flags(FILE *out)
{
    flags_print(&list_table, out);
}

struct part {
    const char              *name, *summary;
    const struct flag_table *table;
    bool                     records; /* see inspect_open */
    enum err (*run)(struct store_source *source, const struct store_flags *flags, FILE *out, bool *failed,
                    struct fault *fault);
};

static const struct part parts[] = {
    { "info", "What it is, how full it is, and of what.", &common_table, true, store_info },
    { "verify", "Checks every checksum; exits with 1 when something is damaged.", &common_table, false,
      store_verify },
    { "list", "The keys in it, with size, age, time left and status.", &list_table, true, store_list },
};

enum { PARTS = sizeof parts / sizeof parts[0] };

static const struct part *
find_part(const char *name)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(name, parts[i].name) == 0)
            return &parts[i];
    return NULL;
}

static void
print_parts(FILE *out)
{
    fputs("usage: larder store info|verify|list [DIR | --admin PATH] [flags]\n\n", out);
    for (size_t i = 0; i < PARTS; i++)
        fprintf(out, "  %-10s %s\n", parts[i].name, parts[i].summary);
    fputs("\nWith DIR the directory of a larder that does not run, else the running one. More: larder help "
          "store.\n",
          out);
}

enum err
store_print_json(const json_t *json, FILE *out, struct fault *fault)
{
    char *text = json_dumps(json, JSON_COMPACT);

    if (text == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    fprintf(out, "%s\n", text);
    free(text);
    return ERR_NONE;
}

static enum err
run_part(const struct part *part, int argc, char *argv[], FILE *out, bool *failed, struct fault *fault)
{
    struct store_flags  flags = { .admin = NULL };
    struct operands     operands;
    struct store_source source;

    enum err err = flags_parse(part->table, argc, argv, &flags, &operands, fault);
    if (err != ERR_NONE)
        return err;
    err = store_source_open(&source, operands.count == 0 ? NULL : operands.at[0], flags.admin, part->records,
                            fault);
    if (err != ERR_NONE)
        return err;
    err = part->run(&source, &flags, out, failed, fault);
    store_source_close(&source);
    return err;
}

static int
run_store(int argc, char *argv[], const struct cli_io *io)
{
    struct fault fault;
    bool         failed = false;

    if (argc == 0) {
        print_parts(io->out);
        return EXIT_SUCCESS;
    }
    const struct part *part = find_part(argv[0]);
    if (part == NULL) {
        fault_set(&fault, ERR_NOT_FOUND, "there is no \"%.64s\"; there are info, verify and list", argv[0]);
        return cli_complain(io, "store", fault.text);
    }
    if (run_part(part, argc - 1, argv + 1, io->out, &failed, &fault) != ERR_NONE)
        return cli_complain(io, "store", fault.text);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_store = {
    .name = "store",
    .usage = "info|verify|list [DIR | --admin PATH] [flags]",
    .summary = "Looks into the store: what it holds, and whether it is whole.",
    .help =
        "  info       What it is, how full it is, and of what.\n"
        "  verify     Checks every checksum; says what is damaged, and then exits with 1.\n"
        "  list       The keys in it, with size, age, time left and status.\n\n"
        "With DIR the directory of a larder that does not run, as its next start would find it; nothing in\n"
        "it is changed. Without, the store of the running larder, a piece at a time, while it serves.\n",
    .print_flags = print_store_flags,
    .run = run_store,
};
