/* run.c: see run.h. The table is the program's, with a stand-in for the server. */
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int
stand_in(int argc, char *argv[], const struct cli_io *io)
{
    fprintf(io->out, "run");
    for (int i = 0; i < argc; i++)
        fprintf(io->out, " %s", argv[i]);
    fputc('\n', io->out);
    return 0;
}

static const struct command command_run = {
    .name = "run", .usage = "[flags]", .summary = "Serves.", .help = "Really serves.\n", .run = stand_in
};

struct ran
run_command(char *argv[])
{
    static const struct command *const rows[] = { &command_run,    &command_check, &command_purge,
                                                  &command_stats,  &command_store, &command_config,
                                                  &command_version };
    const struct command_table         table = { rows, sizeof rows / sizeof rows[0] };
    struct ran                         ran;
    size_t                             out_size, err_size;
    struct cli_io io = { open_memstream(&ran.out, &out_size), open_memstream(&ran.err, &err_size) };
    int           argc = 0;

    while (argv[argc] != NULL)
        argc++;
    ran.code = cli_main(&table, argc, argv, &io);
    fclose(io.out);
    fclose(io.err);
    return ran;
}

void
ran_forget(struct ran *ran)
{
    free(ran->out);
    free(ran->err);
}

void
expect_run(char *argv[], int code, const char *out, const char *err)
{
    struct ran ran = run_command(argv);

    cr_expect_eq(ran.code, code, "%s %s: %d", argv[0], argv[1] == NULL ? "" : argv[1], ran.code);
    if (out != NULL)
        cr_expect_str_eq(ran.out, out);
    if (err != NULL)
        cr_expect_str_eq(ran.err, err);
    ran_forget(&ran);
}
