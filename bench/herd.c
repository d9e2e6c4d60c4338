/* herd.c: `larder-bench herd`: runs the herd and tells. See herd.h. */
#include "herd.h"
#include "command.h"
#include "descriptors.h"
#include "load_print.h"

#include <inttypes.h>
#include <larder/base/units.h>
#include <stdlib.h>

struct settings {
    int64_t      clients, timeout;
    struct texts header;
    bool         json;
};

#define FLAG(name, type, least, most, initial, value, help)                                                  \
    {                                                                                                        \
#name, ROW_##type, offsetof(struct settings, name), least, most, initial, value, help                \
    }

static const struct row flags[] = {
    FLAG(clients, COUNT, 1, 100000, 1000, "N", "Clients, each with a connection of its own."),
    FLAG(timeout, TIME, NSEC_PER_MSEC, 3600 * NSEC_PER_SEC, 30 * NSEC_PER_SEC, "TIME",
         "For connecting all, and again for all answers."),
    FLAG(header, TEXTS, 0, 0, 0, "'Name: value'", "A further field line; may be repeated."),
    FLAG(json, SWITCH, 0, 0, 0, NULL, "Print JSON (bench/README.md names its members)."),
};

/* ── for people ── */

static void
print_line(const char *name, nsec time, const char *note)
{
    char text[UNITS_TEXT_SIZE];
    printf("  %-12s", name);
    print_right(time < 0 ? "-" : units_round_time(time, text), 12, stdout);
    printf("   %s\n", note);
}

static void
print_bodies(const struct herd_summary *summary)
{
    if (summary->bodies == 1)
        printf("  bodies      %12s   %" PRIu64 " bytes, XXH3 %016" PRIx64 "\n", "all equal",
               summary->body_size, summary->digest);
    else if (summary->bodies > 1)
        printf("  bodies      %12u   different ones\n", summary->bodies);
}

static void
print_text(const struct herd *herd, const struct herd_summary *summary, struct span url)
{
    char grouped[GROUPED_SIZE];
    printf("herd %.*s\n     %u clients\n\n", SPAN_ARG(url), herd->count);
    for (unsigned i = 0; i < TALLY_STATUSES; i++)
        if (summary->statuses[i] > 0)
            printf("  status %u  %12s\n", i, format_grouped(summary->statuses[i], grouped));
    for (unsigned i = 0; i < LOAD_ERRORS; i++)
        if (summary->errors[i] > 0)
            printf("  %-12s%12s   clients got no whole answer\n", load_error_name(i),
                   format_grouped(summary->errors[i], grouped));
    print_bodies(summary);
    printf("\n");
    print_line("first byte", summary->first, "of the first client");
    print_line("", summary->last, "of the last client");
    print_line("spread", summary->last < 0 ? -1 : summary->spread, "between them");
    print_line("total", mono_since(herd->end, herd->begin), "until the last client had it all");
    print_line("sending", herd->sending, "to ask with all clients");
}

/* ── for programs ── */

static void
print_ms(const char *name, nsec time, const char *after)
{
    if (time < 0)
        printf("\"%s\":null%s", name, after);
    else
        printf("\"%s\":%.3f%s", name, (double)time / (double)NSEC_PER_MSEC, after);
}

static void
print_json(const struct herd *herd, const struct herd_summary *summary, struct span url)
{
    printf("{\"url\":");
    print_json_string(url, stdout);
    printf(",\"clients\":%u,\"whole\":%u,\"equal\":%s,\"bodies\":%u,\"body_bytes\":%" PRIu64
           ",\"xxh3\":\"%016" PRIx64 "\",\"status\":",
           herd->count, summary->whole, summary->bodies == 1 ? "true" : "false", summary->bodies,
           summary->body_size, summary->digest);
    print_json_statuses(summary->statuses, stdout);
    printf(",\"errors\":{");
    for (unsigned i = 0; i < LOAD_ERRORS; i++)
        printf("%s\"%s\":%" PRIu64, i == 0 ? "" : ",", load_error_name(i), summary->errors[i]);
    printf("},\"bytes\":%" PRIu64 ",\"first_byte_ms\":{", herd->bytes);
    print_ms("first", summary->first, ",");
    print_ms("last", summary->last, ",");
    print_ms("spread", summary->last < 0 ? -1 : summary->spread, "},");
    print_ms("total_ms", mono_since(herd->end, herd->begin), ",");
    print_ms("sending_ms", herd->sending, "}\n");
}

/* ── run ── */

static int
tell(const struct herd *herd, const struct settings *settings, struct span url, struct fault *fault)
{
    struct herd_summary *summary = malloc(sizeof *summary);
    int                  code = EXIT_FAILURE;
    if (summary == NULL || herd_summarise(summary, herd->clients, herd->count) != ERR_NONE) {
        fault_set(fault, ERR_NO_MEMORY, "out of memory");
    } else {
        if (settings->json)
            print_json(herd, summary, url);
        else
            print_text(herd, summary, url);
        code = summary->whole > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    free(summary);
    return code;
}

static int
run(const void *given, const struct texts *operands, struct fault *fault)
{
    const struct settings *settings = given;
    struct herd            herd = { .count = 0 };
    int                    code = EXIT_FAILURE;
    if (descriptors_raise((unsigned)settings->clients, fault) != ERR_NONE)
        return code;
    if (herd_init(&herd, (unsigned)settings->clients, settings->timeout, operands, &settings->header, fault)
        == ERR_NONE) {
        herd_run(&herd);
        code = tell(&herd, settings, operands->at[0], fault);
    }
    herd_fini(&herd);
    return code;
}

const struct command command_herd = {
    .name = "herd",
    .operands = "URL",
    .operands_least = 1,
    .operands_most = 1,
    .summary = "The same request from a thousand clients at the same moment.",
    .help =
        "Opens all connections first, then asks for the URL on all of them at once, and tells whether all "
        "got the same\n"
        "whole answer, and when its first byte came. The exit code is 1 when no client got a whole answer.",
    .flags = ROW_TABLE(flags),
    .settings_size = sizeof(struct settings),
    .run = run,
};
