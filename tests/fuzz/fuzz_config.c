/* fuzz_config.c: any bytes as a configuration: a file, one that it may include, and flags.
 *
 *      larder.conf NUL more.conf NUL flag LF flag ...        what is missing is empty
 *
 * Holds: a load ends; it gives a snapshot or says why not, never both; the same text says the same again; strict
 * differs in warnings alone; findings are whole lines of text; what a snapshot holds lies within the bounds of its
 * rows, and each of its hosts finds the site that has it.
 */
#include "fuzz.h"

#include <larder/base/option.h>
#include <larder/config/load.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 80, FLAGS_MAX = 16 };

static struct {
    char folder[PATH_SIZE - 20], file[PATH_SIZE], more[PATH_SIZE];
} fuzz;

/* What a load came to. */
struct outcome {
    enum err         err;
    struct snapshot *snapshot;
    struct report    report;
    char            *text; /* the findings and the fault */
    size_t           length;
};

typedef enum err load(bool strict, struct report *report, struct snapshot **snapshot, struct fault *fault);

/* ── where the files lie ── */

static void
remove_files(void)
{
    unlink(fuzz.file);
    unlink(fuzz.more);
    rmdir(fuzz.folder);
}

/* The environment may be asked for: it holds the same for everybody. */
static void
init(void)
{
    if (fuzz.folder[0] != '\0')
        return;
    snprintf(fuzz.folder, sizeof fuzz.folder, "/tmp/larder-fuzz-%ld", (long)getpid());
    snprintf(fuzz.file, sizeof fuzz.file, "%s/larder.conf", fuzz.folder);
    snprintf(fuzz.more, sizeof fuzz.more, "%s/more.conf", fuzz.folder);
    CHECK(mkdir(fuzz.folder, 0700) == 0);
    atexit(remove_files);
    clearenv();
    CHECK(setenv("PORT", "8080", 1) == 0 && setenv("EMPTY", "", 1) == 0
          && setenv("SPACE", "a b { }", 1) == 0);
}

/* An include must not leave the folder, or a pattern walks the whole disk: in such inputs '/' means nothing. */
static void
put_file(const char *path, struct span text, bool includes)
{
    char *copy = fuzz_copy(text);

    for (size_t i = 0; i < text.len && includes; i++)
        if (copy[i] == '/')
            copy[i] = '.';
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, copy, text.len) == (ssize_t)text.len);
    close(fd);
    free(copy);
}

/* Takes the bytes up to the separator, and it, off the front. */
static struct span
take_part(struct span *rest, char separator)
{
    ptrdiff_t   end = span_find(*rest, separator);
    struct span part = end < 0 ? *rest : span_head(*rest, (size_t)end);

    *rest = span_skip(*rest, end < 0 ? rest->len : (size_t)end + 1);
    return part;
}

/* ── what a snapshot holds ── */

static int64_t
value_of(const struct option_row *row, const void *settings)
{
    const char *member = (const char *)settings + row->offset;

    switch (row->type) {
    case OPTION_TIME:
        return *(const nsec *)(const void *)member;
    case OPTION_SIZE:
    case OPTION_COUNT:
        return (int64_t) * (const uint64_t *)(const void *)member;
    case OPTION_SWITCH:
        return *(const bool *)member;
    }
    UNREACHABLE();
}

/* A row's default may lie outside of what may be said: "0: no bound". */
static void
check_rows(const struct option_table *table, const void *settings)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        int64_t                  value = value_of(row, settings);
        CHECK(value == row->initial || (value >= row->least && value <= row->most));
    }
}

static void
check_site(const struct site_table *sites, const struct site *site)
{
    CHECK(site->name != NULL && site->host_count > 0 && site->pool != NULL);
    CHECK(pool_host(site->pool).len > 0 && pool_port(site->pool) != 0);
    check_rows(&cache_options, &site->cache);
    check_rows(&pool_options, pool_settings_of(site->pool));
    for (size_t i = 0; i < site->host_count; i++)
        if (!span_starts(site->hosts[i], SPAN("*")))
            CHECK(site_find(sites, site->hosts[i]) == site);
}

static void
check_snapshot(const struct snapshot *snapshot)
{
    CHECK(snapshot->listen_count >= 1 && snapshot->listen_count <= SNAPSHOT_LISTENS_MAX);
    CHECK(snapshot->sites.count >= 1);
    CHECK(snapshot->settings.storage_size >= STORE_SIZE_MIN && snapshot->settings.eviction != NULL);
    CHECK(snapshot->settings.eviction_alpha >= 0 && snapshot->settings.eviction_alpha <= 1);
    check_rows(&proxy_options, &snapshot->limits);
    for (size_t i = 0; i < snapshot->sites.count; i++)
        check_site(&snapshot->sites, &snapshot->sites.sites[i]);
}

/* ── a load ── */

static void
check_text(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        struct span text = span_of_text(report->findings[i].text);
        CHECK(span_ends(text, SPAN("\n")));
        for (size_t at = 0; at < text.len; at++)
            CHECK((unsigned char)text.at[at] >= 0x20 || text.at[at] == '\n' || text.at[at] == '\t');
    }
}

static struct outcome
run(load *load_it, bool strict)
{
    struct outcome outcome;
    struct fault   fault = { .text = "" };

    report_init(&outcome.report);
    outcome.err = load_it(strict, &outcome.report, &outcome.snapshot, &fault);
    CHECK((outcome.err == ERR_NONE) == (outcome.snapshot != NULL));
    CHECK(outcome.err == ERR_NONE ? outcome.report.errors == 0 : fault.text[0] != '\0');
    check_text(&outcome.report);
    FILE *out = open_memstream(&outcome.text, &outcome.length);
    CHECK(out != NULL);
    report_print(&outcome.report, out);
    fprintf(out, "%s\n", outcome.err == ERR_NONE ? "" : fault.text);
    fclose(out);
    if (outcome.snapshot != NULL)
        check_snapshot(outcome.snapshot);
    return outcome;
}

static void
drop(struct outcome *outcome)
{
    report_fini(&outcome->report);
    snapshot_release(&outcome->snapshot);
    free(outcome->text);
}

static void
check_twice(load *load_it)
{
    struct outcome once = run(load_it, false), again = run(load_it, false);

    CHECK(once.err == again.err && once.length == again.length);
    CHECK(memcmp(once.text, again.text, once.length) == 0);
    drop(&once);
    drop(&again);
}

static void
check_strict(load *load_it)
{
    struct outcome loose = run(load_it, false), strict = run(load_it, true);

    bool clean = loose.err == ERR_NONE && loose.report.warnings == 0;
    CHECK((strict.err == ERR_NONE) == clean);
    CHECK(strict.report.errors + strict.report.warnings == loose.report.errors + loose.report.warnings);
    drop(&loose);
    drop(&strict);
}

static enum err
load_file(bool strict, struct report *report, struct snapshot **snapshot, struct fault *fault)
{
    return config_load_file(fuzz.file, strict, report, snapshot, fault);
}

/* ── flags ── */

static char *flags[FLAGS_MAX + 1];
static int   flag_count;

static enum err
load_flags(bool strict, struct report *report, struct snapshot **snapshot, struct fault *fault)
{
    (void)strict;
    return config_load_arguments(flag_count, flags, report, snapshot, fault);
}

static char *
copy_text(struct span text)
{
    char *copy = malloc(text.len + 1);
    CHECK(copy != NULL);
    if (text.len > 0)
        memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    return copy;
}

/* "-c" with no path of the input's own: the file is the one above. */
static void
take_flags(struct span text)
{
    for (flag_count = 0; flag_count < FLAGS_MAX && text.len > 0; flag_count++) {
        struct span word = take_part(&text, '\n');
        bool        is_path = flag_count > 0 && strcmp(flags[flag_count - 1], "-c") == 0;
        flags[flag_count] = copy_text(is_path ? span_of_text(fuzz.file) : word);
    }
    flags[flag_count] = NULL;
}

static void
drop_flags(void)
{
    while (flag_count > 0)
        free(flags[--flag_count]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_of(data, size), rest = all;
    bool        includes = memmem(data, size, "include", 7) != NULL;

    init();
    put_file(fuzz.file, take_part(&rest, '\0'), includes);
    put_file(fuzz.more, take_part(&rest, '\0'), includes);
    take_flags(rest);
    check_twice(load_file);
    check_strict(load_file);
    if (flag_count > 0)
        check_twice(load_flags);
    drop_flags();
    return 0;
}
