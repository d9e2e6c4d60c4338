/* test_load.c: whole files against whole answers.
 *
 * Each cases/NAME.conf has a NAME.expected: the findings and the closing line, or, when nothing is wrong,
 * what the snapshot holds. Compared in full.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <larder/base/text.h>
#include <larder/base/units.h>
#include <larder/config/load.h>
#include <stdlib.h>
#include <unistd.h>

/* ── a snapshot as text ── */

static void
put_time(FILE *out, const char *name, nsec time)
{
    char text[UNITS_TEXT_SIZE];
    fprintf(out, " %s=%s", name, units_format_time(time, text));
}

/* What was said about the pool: the rest is the business of its own layer. */
static void
put_pool(FILE *out, const struct pool_settings *pool)
{
    struct pool_settings usual;

    option_defaults(&pool_options, &usual);
    if (pool->connect_timeout != usual.connect_timeout)
        put_time(out, "connect", pool->connect_timeout);
    if (pool->first_byte_timeout != usual.first_byte_timeout)
        put_time(out, "first-byte", pool->first_byte_timeout);
    if (pool->idle_timeout != usual.idle_timeout)
        put_time(out, "idle", pool->idle_timeout);
}

static void
put_rates(FILE *out, const struct site *site)
{
    static const char *const names[] = { [RATE_BY_CLIENT] = "client", [RATE_BY_KEY] = "key" };

    for (unsigned by = 0; by < RATE_BY_COUNT; by++)
        if (site->rates[by].interval > 0)
            fprintf(out, " rate-per-%s=%lldns,%d", names[by], (long long)site->rates[by].interval,
                    (int)site->rates[by].burst);
}

static void
put_denied(FILE *out, const struct deny *deny)
{
    if (deny == NULL)
        return;
    fprintf(out, "\n  deny networks=%zu files=%zu paths:", networks_count(deny->from), deny->file_count);
    for (size_t i = 0; i < deny->path_count; i++)
        fprintf(out, " %.*s", SPAN_ARG(deny->paths[i]));
    fputs(" methods:", out);
    for (size_t i = 0; i < deny->method_count; i++)
        fprintf(out, " %.*s", SPAN_ARG(deny->methods[i]));
    fputs(" fields:", out);
    for (size_t i = 0; i < deny->field_count; i++)
        fprintf(out, " %.*s=%.*s", SPAN_ARG(deny->fields[i].name), SPAN_ARG(deny->fields[i].pattern));
}

static void
put_site(FILE *out, const struct site *site)
{

    fprintf(out, "site %s:", site->name);
    for (size_t i = 0; i < site->host_count; i++)
        fprintf(out, " %.*s", SPAN_ARG(site->hosts[i]));
    fprintf(out, "\n  origin=%.*s:%u", SPAN_ARG(pool_host(site->pool)), pool_port(site->pool));
    put_time(out, "ttl", site->cache.ttl);
    put_time(out, "keep", site->cache.keep);
    fprintf(out, " variants=%d cookies=%d", (int)site->cache.variants, site->cache.ignore_cookies);
    put_pool(out, pool_settings_of(site->pool));
    put_rates(out, site);
    put_denied(out, site->deny);
    fputc('\n', out);
}

/* What the process becomes, where it is said. */
static void
put_process(FILE *out, const struct snapshot_settings *settings)
{
    static const char *const names[] = {
        [SANDBOX_ON] = "on", [SANDBOX_OFF] = "off", [SANDBOX_STRICT] = "strict"
    };

    if (settings->user.name != NULL)
        fprintf(out, "user %s uid=%u gid=%u\n", settings->user.name, (unsigned)settings->user.uid,
                (unsigned)settings->user.gid);
    if (settings->sandbox != SANDBOX_ON)
        fprintf(out, "sandbox %s\n", names[settings->sandbox]);
    if (settings->admin_group != (gid_t)-1)
        fprintf(out, "admin group=%u\n", (unsigned)settings->admin_group);
}

static void
put_snapshot(FILE *out, const struct snapshot *snapshot)
{
    char size[UNITS_TEXT_SIZE], addr[ADDR_TEXT_SIZE];

    fprintf(out, "store %s in %s\n", units_format_size(snapshot->settings.storage_size, size),
            snapshot->settings.storage_directory == NULL ? "memory" : snapshot->settings.storage_directory);
    if (snapshot->settings.eviction != &eviction_sc || snapshot->settings.eviction_alpha != EVICTION_ALPHA)
        fprintf(out, "eviction %s alpha=%g\n", snapshot->settings.eviction->name,
                snapshot->settings.eviction_alpha);
    fprintf(out, "workers %d, admin %s\n", (int)snapshot->settings.workers,
            snapshot->settings.admin_path == NULL ? "by default" : snapshot->settings.admin_path);
    put_process(out, &snapshot->settings);
    for (size_t i = 0; i < snapshot->listen_count; i++)
        fprintf(out, "listen %s (%s)%s\n", snapshot->listens[i].text,
                addr_format(&snapshot->listens[i].addr, addr),
                snapshot->listens[i].proxy_protocol ? " proxy-protocol" : "");
    if (snapshot->trust != NULL)
        fprintf(out, "trust %zu networks\n", networks_count(snapshot->trust));
    fputs("limits", out);
    put_time(out, "idle", snapshot->limits.idle_timeout);
    put_time(out, "head", snapshot->limits.head_timeout);
    fprintf(out, " head-size=%s", units_format_size(snapshot->limits.head_size, size));
    fprintf(out, " head-fields=%d\n", (int)snapshot->limits.head_fields);
    for (size_t i = 0; i < snapshot->sites.count; i++)
        put_site(out, &snapshot->sites.sites[i]);
}

/* ── the cases ── */

static char *
load_to_text(const char *path, bool strict)
{
    struct report    report;
    struct snapshot *snapshot;
    struct fault     fault;
    char            *text;
    size_t           size;
    FILE            *out = open_memstream(&text, &size);

    report_init(&report);
    enum err err = config_load_file(path, strict, &report, &snapshot, &fault);
    report_print(&report, out);
    if (err != ERR_NONE) {
        cr_expect_null(snapshot);
        fprintf(out, "%s\n", fault.text);
    } else {
        put_snapshot(out, snapshot);
        snapshot_release(&snapshot);
    }
    report_fini(&report);
    fclose(out);
    return text;
}

static char *
read_text(const char *path)
{
    struct text text;
    char        piece[4096];
    size_t      got;
    FILE       *in = fopen(path, "r");

    cr_assert_not_null(in, "%s is missing", path);
    text_init(&text, 1 << 20);
    while ((got = fread(piece, 1, sizeof piece, in)) > 0)
        text_append(&text, span_of(piece, got));
    fclose(in);
    return text.at == NULL ? strdup("") : text.at;
}

static void
go_to_cases(void)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s", __FILE__);
    strcpy(strrchr(folder, '/') + 1, "cases");
    cr_assert_eq(chdir(folder), 0);
    setenv("LARDER_TEST_TTL", "7m", 1);
    setenv("LARDER_TEST_ODD", "} a { \"b c\" ${HOME}", 1);
    unsetenv("LARDER_TEST_UNSET");
}

static void
check_case(const char *conf)
{
    char expected[512];

    snprintf(expected, sizeof expected, "%.*s.expected", (int)(strlen(conf) - 5), conf);
    char *seen = load_to_text(conf, false);
    char *wanted = read_text(expected);
    cr_expect_str_eq(seen, wanted, "%s gives:\n%s\nand not:\n%s", conf, seen, wanted);
    free(seen);
    free(wanted);
}

static int
is_conf(const struct dirent *entry)
{
    return span_ends(span_of_text(entry->d_name), SPAN(".conf"));
}

Test(config_load, every_case)
{
    struct dirent **entries;

    go_to_cases();
    int count = scandir(".", &entries, is_conf, alphasort);
    cr_assert_geq(count, 20);
    for (int i = 0; i < count; i++) {
        check_case(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/* ── what no file can show ── */

Test(config_load, strict_makes_errors_of_warnings)
{
    go_to_cases();
    char *text = load_to_text("warning.conf", true);
    cr_expect_str_eq(text, "warning.conf:3:9: error: a ttl of more than a year\n"
                           "    3 |     ttl 400d\n"
                           "      |         ^~~~\n"
                           "1 file, 1 error: configuration not loaded\n");
    free(text);
}

Test(config_load, a_file_that_is_not_there_is_one_line)
{
    char *text = load_to_text("/no/such/file", false);
    cr_expect_str_eq(text, "cannot read /no/such/file: No such file or directory\n");
    free(text);
    text = load_to_text("/", false);
    cr_expect_str_eq(text, "cannot read /: Is a directory\n");
    free(text);
}

static char *
load_bytes(const char *bytes, size_t size)
{
    char path[] = "/tmp/larder-config-XXXXXX";
    int  fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    char *text = load_to_text(path, false);
    unlink(path);
    return text;
}

#define EXPECT_IN(bytes, part)                                                                               \
    do {                                                                                                     \
        char *text_ = load_bytes(bytes, sizeof bytes - 1);                                                   \
        cr_expect_not_null(strstr(text_, part), "%s is not in: %s", part, text_);                            \
        free(text_);                                                                                         \
    } while (0)

Test(config_load, only_text_is_read)
{
    EXPECT_IN("a\0b", ":1: control character 0x00");
    EXPECT_IN("a\n\n\x1b[2J", ":3: control character 0x1b");
    EXPECT_IN("\x7f", "control character 0x7f");
    EXPECT_IN("ram\r\nlisten a\rb\n", ":2: control character 0x0d"); /* no end of a line, found by the fuzzer */
    EXPECT_IN("ram\r", ":1: control character 0x0d");
    EXPECT_IN("# caf\xe9\n", ":1: the file is not UTF-8 text");
    EXPECT_IN("\xc0\xaf", "not UTF-8"); /* overlong */
    EXPECT_IN("\xe0\x80\xaf", "not UTF-8");
    EXPECT_IN("\xf0\x80\x80\xaf", "not UTF-8");
    EXPECT_IN("\xed\xa0\x80", "not UTF-8"); /* a surrogate */
    EXPECT_IN("\xf4\x90\x80\x80", "not UTF-8");
    EXPECT_IN("\xf5", "not UTF-8");
    EXPECT_IN("\xe2\x82", "not UTF-8"); /* cut */
    EXPECT_IN("# \xe2\x82\xac \xf0\x9f\x98\x80 \xc3\xa4\r\n", "there is no site");
}

Test(config_load, bounds_hold)
{
    size_t size = (4 << 20) + 1;
    char  *big = malloc(size);

    memset(big, ' ', size);
    char *text = load_bytes(big, size);
    cr_expect_not_null(strstr(text, "it is longer than 4194304 bytes"), "%s", text);
    free(text);

    memset(big, '{', 1 << 20);
    text = load_bytes(big, 1 << 20);
    cr_expect_not_null(strstr(text, "blocks are nested too deep"), "%s", text);
    free(text);

    memset(big, 'x', 1 << 20);
    text = load_bytes(big, 1 << 20);
    cr_expect_not_null(strstr(text, "this word is longer than 65536 bytes"), "%s", text);
    free(text);

    for (size_t i = 0; i < 1 << 20; i += 2)
        memcpy(big + i, "x ", 2);
    text = load_bytes(big, 1 << 20);
    cr_expect_not_null(strstr(text, "too many words for one statement"), "%s", text);
    free(text);

    for (size_t i = 0; i < 1 << 20; i += 2)
        memcpy(big + i, "x;", 2);
    text = load_bytes(big, 4000);
    cr_expect_not_null(strstr(text, "... and 1900 more\n1 file, 2000 errors"), "%s", text);
    free(text);
    free(big);
}

Test(config_load, many_sites)
{
    char  *text;
    size_t size;
    FILE  *out = open_memstream(&text, &size);

    for (int i = 0; i < 500; i++)
        fprintf(out, "site s%d.example www.s%d.example { origin o%d.example:80 }\n", i, i, i);
    fclose(out);
    char *seen = load_bytes(text, size);
    cr_expect_not_null(
        strstr(seen, "site s499.example: s499.example www.s499.example\n  origin=o499.example:80"), "%s",
        seen);
    free(seen);
    free(text);
}

Test(config_load, a_snapshot_lives_until_its_last_release)
{
    struct report    report;
    struct snapshot *snapshot;
    struct fault     fault;

    go_to_cases();
    report_init(&report);
    cr_assert_eq(config_load_file("quick_start.conf", false, &report, &snapshot, &fault), ERR_NONE);
    struct snapshot *second = snapshot_acquire(snapshot);
    snapshot_release(&snapshot);
    cr_expect_null(snapshot);
    cr_expect_str_eq(second->sites.sites[0].name, "example.com");
    snapshot_release(&second);
    cr_expect_null(second);
    report_fini(&report);
}
