/* test_arguments.c: the flags of `larder run`. */
#include <criterion/criterion.h>

#include <larder/config/load.h>
#include <larder/config/reference.h>
#include <stdlib.h>
#include <unistd.h>

#include "schema.h"

struct loaded {
    struct report    report;
    struct snapshot *snapshot;
    struct fault     fault;
    enum err         err;
};

static void
load(struct loaded *loaded, char *const argv[])
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    report_init(&loaded->report);
    loaded->err = config_load_arguments(argc, argv, &loaded->report, &loaded->snapshot, &loaded->fault);
}

static void
forget(struct loaded *loaded)
{
    snapshot_release(&loaded->snapshot);
    report_fini(&loaded->report);
}

#define ARGS(...) ((char *const[]){ __VA_ARGS__, NULL })

/* One line of fault, and no report. */
static void
expect_fault(char *const argv[], const char *text)
{
    struct loaded loaded;

    load(&loaded, argv);
    cr_expect_neq(loaded.err, ERR_NONE, "no error, but expected: %s", text);
    cr_expect_null(loaded.snapshot);
    if (loaded.err != ERR_NONE)
        cr_expect_str_eq(loaded.fault.text, text);
    cr_expect_eq(loaded.report.count, 0);
    forget(&loaded);
}

Test(config_arguments, a_site_without_a_file)
{
    struct loaded loaded;

    load(&loaded, ARGS("--listen", "127.0.0.1:0", "--origin", "http://shop.internal", "--workers=3", "--ram",
                       "64M", "--ttl", "5m", "--idle-timeout", "3s", "--timeout", "connect 250ms  idle 4s",
                       "--listen", "[::1]:81", "--admin", "/tmp/x.sock", "--sandbox", "off", "--variants", "7"));
    cr_assert_eq(loaded.err, ERR_NONE, "%s", loaded.err == ERR_NONE ? "" : loaded.fault.text);
    const struct snapshot *snapshot = loaded.snapshot;
    cr_expect_eq(snapshot->settings.workers, 3);
    cr_expect_eq(snapshot->settings.storage_size, 64 << 20);
    cr_expect_null(snapshot->settings.storage_directory);
    cr_expect_str_eq(snapshot->settings.admin_path, "/tmp/x.sock");
    cr_expect_eq(snapshot->settings.sandbox, SANDBOX_OFF);
    cr_expect_eq(snapshot->limits.idle_timeout, 3 * NSEC_PER_SEC);
    cr_expect_eq(snapshot->listen_count, 2);
    cr_expect_eq(addr_port(&snapshot->listens[1].addr), 81);
    cr_assert_eq(snapshot->sites.count, 1);
    const struct site *site = snapshot->sites.sites;
    cr_expect_str_eq(site->name, "*");
    cr_expect(span_equal(pool_host(site->pool), SPAN("shop.internal")));
    cr_expect_eq(pool_port(site->pool), 80);
    cr_expect_eq(site->cache.ttl, 300 * NSEC_PER_SEC);
    cr_expect_eq(site->cache.variants, 7);
    cr_expect_eq(pool_settings_of(site->pool)->connect_timeout, 250 * NSEC_PER_MSEC);
    cr_expect_eq(pool_settings_of(site->pool)->idle_timeout, 4 * NSEC_PER_SEC);
    forget(&loaded);
}

Test(config_arguments, defaults)
{
    struct loaded loaded;

    load(&loaded, ARGS("--origin", "127.0.0.1:8080"));
    cr_assert_eq(loaded.err, ERR_NONE);
    cr_expect_eq(loaded.snapshot->settings.workers, 0);
    cr_expect_eq(loaded.snapshot->settings.storage_size, 256 << 20);
    cr_expect_null(loaded.snapshot->settings.admin_path);
    cr_expect_eq(loaded.snapshot->listen_count, 1);
    cr_expect_str_eq(loaded.snapshot->listens[0].text, ":8000");
    cr_expect_eq(addr_port(&loaded.snapshot->listens[0].addr), 8000);
    forget(&loaded);
}

Test(config_arguments, files_instead_of_memory)
{
    struct loaded loaded;

    load(&loaded, ARGS("--origin", "127.0.0.1:8080", "--cache", "/var/cache/larder", "20G"));
    cr_assert_eq(loaded.err, ERR_NONE);
    cr_expect_str_eq(loaded.snapshot->settings.storage_directory, "/var/cache/larder");
    cr_expect_eq(loaded.snapshot->settings.storage_size, UINT64_C(20) << 30);
    forget(&loaded);
}

Test(config_arguments, bad_flags_are_one_line)
{
    expect_fault(ARGS("--origin", "a:1", "--bogus"), "unknown flag --bogus");
    expect_fault(ARGS("--origni", "a:1"), "unknown flag --origni; did you mean --origin?");
    expect_fault(ARGS("--origin", "a:1", "-x"), "unknown flag -x");
    expect_fault(ARGS("--origin", "a:1", "--"), "unknown flag --");
    expect_fault(ARGS("--origin", "a:1", "--site", "x"), "unknown flag --site");
    expect_fault(ARGS("--origin", "a:1", "--compress"),
                 "--compress is not offered yet by this version of larder");
    expect_fault(ARGS("--origin", "a:1", "file"), "unexpected argument \"file\"");
    expect_fault(ARGS("--origin"), "--origin is not complete: write --origin [http://]HOST:PORT");
    expect_fault(ARGS("--origin", "a:1", "--cache", "/x"), "--cache is not complete: write --cache DIR SIZE");
    expect_fault(ARGS("--listen", ":80"),
                 "nothing to serve: give --origin HOST:PORT, or a configuration with -c FILE");
    expect_fault((char *const[]){ NULL },
                 "nothing to serve: give --origin HOST:PORT, or a configuration with -c FILE");
}

Test(config_arguments, bad_values_are_one_line)
{
    expect_fault(ARGS("--origin", "a:1", "--ram", "0"), "--ram: \"0\" is too small: at least 8M");
    expect_fault(ARGS("--origin", "a:1", "--ram", "10"), "--ram: \"10\" has no unit; write 10k, 10M or 10G");
    expect_fault(ARGS("--origin", "a:1", "--ram="),
                 "--ram: \"\" is not a size; a size is a number with k, M, G or T, like 64M");
    expect_fault(ARGS("--origin", "a:1", "--cache", "/x", "1M"), "--cache: \"1M\" is too small: at least 8M");
    expect_fault(ARGS("--origin", "a:1", "--cache", "", "10M"),
                 "--cache: the name of a folder is expected here");
    expect_fault(ARGS("--origin", "a:1", "--workers", "0"), "--workers: \"0\" is too small: at least 1");
    expect_fault(ARGS("--origin", "a:1", "--ttl", "5"), "--ttl: \"5\" has no unit; write 5s, 5m or 5h");
    expect_fault(ARGS("--origin", "a:1", "--ttl", "5s", "--ttl", "6s"),
                 "--ttl: \"ttl\" is given twice in site \"*\"");
    expect_fault(ARGS("--origin", "https://a:1"),
                 "--origin: https:// to an origin is not offered yet by this version of larder");
    expect_fault(ARGS("--origin", "http://a/b"),
                 "--origin: an origin is HOST:PORT or http://HOST, without a path");
    expect_fault(ARGS("--origin", "a:1", "--timeout", "connect"),
                 "--timeout: \"timeout\" is not complete: write timeout WORD TIME...");
    expect_fault(
        ARGS("--origin", "a:1", "--ram", "10M", "--cache", "/x", "10M"),
        "--cache: \"ram\" and \"cache\" exclude each other: objects are stored in memory or in files");
    expect_fault(ARGS("--origin", "a:1", "--admin", ""), "--admin: the path of the admin socket is empty");
}

Test(config_arguments, an_admin_path_with_a_space_is_one_word)
{
    struct loaded loaded;

    load(&loaded, ARGS("--origin", "a:1", "--admin", "/tmp/a b.sock"));
    cr_assert_eq(loaded.err, ERR_NONE);
    cr_expect_str_eq(loaded.snapshot->settings.admin_path, "/tmp/a b.sock");
    cr_expect_eq(loaded.snapshot->settings.admin_group, (gid_t)-1);
    forget(&loaded);
}

Test(config_arguments, a_long_admin_path)
{
    char path[200];

    memset(path, 'x', sizeof path);
    path[108] = '\0';
    expect_fault(ARGS("--origin", "a:1", "--admin", path),
                 "--admin: the path \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is too long for a "
                 "socket: at most 107 bytes");
    struct loaded loaded;
    path[107] = '\0';
    load(&loaded, ARGS("--origin", "a:1", "--admin", path));
    cr_expect_eq(loaded.err, ERR_NONE);
    forget(&loaded);
}

/* ── beside a file ── */

static void
write_file(char *path, const char *text)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

Test(config_arguments, flags_replace_what_a_file_says_once)
{
    struct loaded loaded;
    char          path[] = "/tmp/larder-config-XXXXXX";

    write_file(path, "cache /x 20M\nadmin /a\nworkers 9\nlimits { idle-timeout 1s head-timeout 2s }\n"
                     "site a { origin b:1 }\n");
    load(&loaded, ARGS("-c", path, "--ram", "16M", "--admin", "/b", "--idle-timeout", "9s"));
    cr_assert_eq(loaded.err, ERR_NONE, "%s", loaded.err == ERR_NONE ? "" : loaded.fault.text);
    cr_expect_null(loaded.snapshot->settings.storage_directory);
    cr_expect_eq(loaded.snapshot->settings.storage_size, 16 << 20);
    cr_expect_eq(loaded.snapshot->settings.workers, 9);
    cr_expect_str_eq(loaded.snapshot->settings.admin_path, "/b");
    cr_expect_eq(loaded.snapshot->limits.idle_timeout, 9 * NSEC_PER_SEC);
    cr_expect_eq(loaded.snapshot->limits.head_timeout, 2 * NSEC_PER_SEC);
    cr_expect_str_eq(loaded.snapshot->sites.sites[0].name, "a");
    forget(&loaded);
    unlink(path);
}

Test(config_arguments, sites_belong_to_the_file)
{
    char line[512], path[] = "/tmp/larder-config-XXXXXX";

    write_file(path, "site a { origin b:1 }\n");
    snprintf(line, sizeof line, "--ttl cannot stand beside -c: say it in %s", path);
    expect_fault(ARGS("-c", path, "--ttl", "1s"), line);
    snprintf(line, sizeof line, "--listen cannot stand beside -c: say it in %s", path);
    expect_fault(ARGS("--listen", ":80", "-c", path), line);
    expect_fault(ARGS("-c", path, "-c", path), "-c is given twice");
    expect_fault(ARGS("-c"), "-c is not complete: write -c FILE");
    expect_fault(ARGS("-c", "/no/such/file", "--admin", "/x"),
                 "cannot read /no/such/file: No such file or directory");
    expect_fault(ARGS("-c", path, "--ram", "1"), "--ram: \"1\" has no unit; write 1k, 1M or 1G");
    unlink(path);
}

Test(config_arguments, errors_of_the_file_are_reported)
{
    struct loaded loaded;
    char          path[] = "/tmp/larder-config-XXXXXX";

    write_file(path, "site a { origin b }\n");
    load(&loaded, ARGS("-c", path, "--ram", "16M"));
    cr_expect_neq(loaded.err, ERR_NONE);
    cr_expect_str_eq(loaded.fault.text, "1 file, 1 error: configuration not loaded");
    cr_expect_eq(loaded.report.count, 1);
    forget(&loaded);
    unlink(path);
}

Test(config_arguments, a_warning_is_no_error)
{
    struct loaded loaded;
    char         *text;
    size_t        size;

    load(&loaded, ARGS("--origin", "a:1", "--ttl", "400d"));
    cr_expect_eq(loaded.err, ERR_NONE);
    FILE *out = open_memstream(&text, &size);
    report_print(&loaded.report, out);
    fclose(out);
    cr_expect_str_eq(text, "--ttl: warning: a ttl of more than a year\n");
    free(text);
    forget(&loaded);
}

/* ── one table for all ── */

Test(config_arguments, each_flag_means_one_directive)
{
    struct schema schema;

    schema_init(&schema);
    cr_assert_gt(schema.count, 20);
    for (size_t i = 0; i < schema.count; i++)
        for (size_t j = i + 1; j < schema.count; j++)
            cr_expect_str_neq(schema.rows[i].name, schema.rows[j].name);
}

Test(config_arguments, no_word_is_both_offered_and_not_yet)
{
    struct schema schema;

    schema_init(&schema);
    for (size_t i = 0; i < schema.count; i++) {
        const struct directive *row = &schema.rows[i];
        size_t                  len = strlen(row->help);
        cr_expect_not(schema_is_later(span_of_text(row->name)), "%s", row->name);
        cr_expect(len > 10 && (row->help[len - 1] == '.' || row->help[len - 1] == ':'), "%s", row->help);
        cr_expect_not_null(row->apply);
    }
}

static char *
print_one(const char *name, enum err *err, struct fault *fault)
{
    char  *text;
    size_t size;
    FILE  *out = open_memstream(&text, &size);

    *err = reference_print_one(span_of_text(name), out, fault);
    fclose(out);
    return text;
}

Test(config_reference, one_directive)
{
    struct fault fault;
    enum err     err;

    char *text = print_one("ttl", &err, &fault);
    cr_expect_eq(err, ERR_NONE);
    cr_expect_str_eq(text, "ttl TIME\n"
                           "    How long an answer is fresh whose origin says nothing about it; 0: such "
                           "answers are not stored.\n"
                           "    in defaults or in a site · default 2m · 0 to 3650d · once\n");
    free(text);
    text = print_one("tll", &err, &fault);
    cr_expect_eq(err, ERR_NOT_FOUND);
    cr_expect_str_eq(fault.text, "unknown directive \"tll\"; did you mean \"ttl\"?");
    cr_expect_str_eq(text, "");
    free(text);
    text = print_one("rule", &err, &fault);
    cr_expect_eq(err, ERR_UNSUPPORTED);
    free(text);
    text = print_one("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", &err,
                     &fault);
    cr_expect_eq(err, ERR_NOT_FOUND);
    free(text);
}

Test(config_reference, has_every_directive_and_flag)
{
    struct schema schema;
    char         *text;
    size_t        size;
    FILE         *out = open_memstream(&text, &size);

    reference_print(out);
    reference_print_flags(out);
    fclose(out);
    schema_init(&schema);
    for (size_t i = 0; i < schema.count; i++) {
        char line[128];
        snprintf(line, sizeof line, "\n%s ", schema.rows[i].name);
        cr_expect_not_null(strstr(text, line), "%s", line);
        snprintf(line, sizeof line, "\n  --%s ", schema.rows[i].name);
        cr_expect_eq(strstr(text, line) == NULL, schema.rows[i].opens != 0, "%s", line);
    }
    free(text);
}
