/* test_dispatch.c: from words to commands, and the commands that need no server. */
#include "run.h"

#include <criterion/criterion.h>
#include <larder/base/span.h>
#include <stdlib.h>
#include <unistd.h>

Test(cli_dispatch, finds_the_command)
{
    expect_run(ARGS("run", "--a", "b"), 0, "run --a b\n", "");
    expect_run(ARGS("version"), 0, "larder " LARDER_VERSION "\n", "");
    expect_run(ARGS("--version"), 0, "larder " LARDER_VERSION "\n", "");
    expect_run(ARGS("version", "x"), 1, "", "larder version: no arguments are expected\n");
}

Test(cli_dispatch, what_is_unknown_is_one_line)
{
    expect_run(ARGS("nonsense"), 1, "", "larder: unknown command \"nonsense\" (see larder help)\n");
    expect_run(ARGS("prge"), 1, "", "larder: unknown command \"prge\"; did you mean \"purge\"?\n");
    expect_run((char *[]){ "larder", NULL }, 1, "", "larder: a command is missing (see larder help)\n");
    expect_run(ARGS("help", "nonsense"), 1, "", "larder: unknown command \"nonsense\" (see larder help)\n");
    expect_run(ARGS("help", "run", "check"), 1, "", "larder help: one command at a time\n");
}

Test(cli_dispatch, help_lists_the_table)
{
    struct ran ran = run_command(ARGS("help"));

    cr_expect_eq(ran.code, 0);
    cr_expect_str_eq(ran.err, "");
    for (size_t i = 0; i < 7; i++) {
        static const char *const names[] = { "run", "check", "purge", "stats", "store", "config", "version" };
        char                     line[32];
        snprintf(line, sizeof line, "\n  %-10s ", names[i]);
        cr_expect_not_null(strstr(ran.out, line), "%s", names[i]);
    }
    expect_run(ARGS("--help"), 0, ran.out, "");
    expect_run(ARGS("-h"), 0, ran.out, "");
    ran_forget(&ran);
}

Test(cli_dispatch, help_of_a_command)
{
    static const char text[] =
        "usage: larder purge URL [--admin PATH]\n\n"
        "Removes what is stored of a URL, in all its variants, at once, and says how many "
        "objects that were.\n"
        "Answers that are on their way while it runs are delivered, but not kept.\n\n"
        "  --admin PATH     The admin socket of the server.\n";

    expect_run(ARGS("help", "purge"), 0, text, "");
    expect_run(ARGS("purge", "--help"), 0, text, "");
    expect_run(ARGS("purge", "http://a/", "-h"), 0, text, "");
    expect_run(ARGS("run", "--help"), 0, "usage: larder run [flags]\n\nReally serves.\n", "");
}

/* ── flags ── */

Test(cli_flags, bad_ones_are_one_line)
{
    expect_run(ARGS("stats", "--jsn"), 1, "", "larder stats: unknown flag --jsn; did you mean --json?\n");
    expect_run(ARGS("stats", "--quite-else"), 1, "", "larder stats: unknown flag --quite-else\n");
    expect_run(ARGS("stats", "-j"), 1, "", "larder stats: unknown flag -j\n");
    expect_run(ARGS("stats", "--json=yes"), 1, "", "larder stats: --json takes no value\n");
    expect_run(ARGS("stats", "--admin"), 1, "",
               "larder stats: --admin is not complete: write --admin PATH\n");
    expect_run(ARGS("stats", "x"), 1, "", "larder stats: unexpected argument \"x\"\n");
    expect_run(ARGS("purge"), 1, "", "larder purge: a URL is missing: write larder purge http://HOST/PATH\n");
    expect_run(ARGS("purge", "a", "b"), 1, "", "larder purge: unexpected argument \"b\"\n");
    expect_run(ARGS("purge", "--", "--admin", "b"), 1, "", "larder purge: unexpected argument \"b\"\n");
}

/* ── check and config ── */

static void
write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

Test(cli_check, good)
{
    char path[] = "/tmp/larder-check-XXXXXX";

    write_file(path, "site a b { origin c:1 }\nsite d { origin c:1 }\n");
    expect_run(ARGS("check", path), 0, "1 file, 2 sites: the configuration is good\n", "");
    unlink(path);
}

Test(cli_check, bad)
{
    char path[] = "/tmp/larder-check-XXXXXX", text[512];

    write_file(path, "site a { orign c:1 ; origin d:1 }\n");
    snprintf(text, sizeof text,
             "%s:1:10: error: unknown directive \"orign\" in site \"a\"\n"
             "    1 | site a { orign c:1 ; origin d:1 }\n"
             "      |          ^~~~~ did you mean \"origin\"?\n"
             "1 file, 1 error: configuration not loaded\n",
             path);
    expect_run(ARGS("check", path), 1, "", text);
    unlink(path);
}

Test(cli_check, warnings)
{
    char path[] = "/tmp/larder-check-XXXXXX";

    write_file(path, "site a { origin d:1 ; ttl 1000d }\n");
    expect_run(ARGS("check", path), 0, "1 file, 1 warning, 1 site: the configuration is good\n", NULL);
    expect_run(ARGS("check", path, "--strict"), 1, "", NULL);
    unlink(path);
}

Test(cli_check, unreadable)
{
    expect_run(ARGS("check", "/no/such/file"), 1, "",
               "larder check: cannot read /no/such/file: No such file or directory\n");
}

Test(cli_config, reference)
{
    struct ran ran = run_command(ARGS("config", "reference"));

    cr_expect_eq(ran.code, 0);
    cr_expect_not_null(strstr(ran.out, "\nttl TIME\n"));
    ran_forget(&ran);
    ran = run_command(ARGS("config", "reference", "origin"));
    cr_expect_eq(ran.code, 0);
    cr_expect(span_starts(span_of_text(ran.out), SPAN("origin [http://]HOST:PORT\n")), "%s", ran.out);
    ran_forget(&ran);
    expect_run(ARGS("config", "reference", "orign"), 1, "",
               "larder config reference: unknown directive \"orign\"; did you mean \"origin\"?\n");
    expect_run(ARGS("config", "reference", "a", "b"), 1, "",
               "larder config reference: one directive at a time\n");
    expect_run(ARGS("config"), 1, "", "larder config: write larder config reference [NAME]\n");
    expect_run(ARGS("config", "x"), 1, "", "larder config: write larder config reference [NAME]\n");
}
