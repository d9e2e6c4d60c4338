/* store_info.c: `larder store info`.
 *
 *      store 1b4e28ba-2fa1-11d2-883f-0016d3cca427, format 2, policy sc, stopped in order
 *
 *        objects                   1,234
 *        bytes                  12.3 MiB of 64.0 MiB
 *        oldest                    3d 4h or more
 *        segments                     64 of 1.00 MiB: 50 free, 2 open, 12 sealed, 0 pinned, in 2 shards
 *
 *        log   segments      objects        bytes
 *          0          7          812     10.1 MiB
 */
#include "show.h"
#include "store.h"

#include <inttypes.h>

static const char *
words_of(const char *state)
{
    if (strcmp(state, "running") == 0)
        return "in use";
    return strcmp(state, "stopped") == 0 ? "stopped in order" : "not stopped in order";
}

static void
print_segments(const json_t *info, FILE *out)
{
    const json_t *segments = json_object_get(info, "segments");
    uint64_t      shards = show_number(info, "shards");
    char          text[UNITS_TEXT_SIZE];

    fprintf(out, "  %-12s %16s of ", "segments", show_count(show_number(segments, "total"), text));
    fprintf(out,
            "%s: %" PRIu64 " free, %" PRIu64 " open, %" PRIu64 " sealed, %" PRIu64 " pinned, in %" PRIu64
            " shard%s\n",
            units_round_size(show_number(segments, "size"), text), show_number(segments, "free"),
            show_number(segments, "open"), show_number(segments, "sealed"), show_number(segments, "pinned"),
            shards, shards == 1 ? "" : "s");
}

static void
print_occupancy(const json_t *info, FILE *out)
{
    char text[UNITS_TEXT_SIZE];

    fprintf(out, "  %-12s %16s\n", "objects", show_count(show_number(info, "objects"), text));
    fprintf(out, "  %-12s %16s of ", "bytes", units_round_size(show_number(info, "bytes_live"), text));
    fprintf(out, "%s\n", units_round_size(show_number(info, "bytes_size"), text));
    if (json_is_integer(json_object_get(info, "oldest")))
        fprintf(out, "  %-12s %16s or more\n", "oldest", show_time(show_number(info, "oldest"), text));
    print_segments(info, out);
}

static void
print_logs(const json_t *logs, FILE *out)
{
    size_t  index;
    json_t *log;

    fprintf(out, "\n  %3s %10s %12s %12s\n", "log", "segments", "objects", "bytes");
    json_array_foreach(logs, index, log)
    {
        char objects[UNITS_TEXT_SIZE], bytes[UNITS_TEXT_SIZE];
        if (show_number(log, "segments") == 0)
            continue;
        fprintf(out, "  %3" PRIu64 " %10" PRIu64 " %12s %12s\n", show_number(log, "log"),
                show_number(log, "segments"), show_count(show_number(log, "objects"), objects),
                units_round_size(show_number(log, "bytes"), bytes));
    }
}

static void
print_info(const json_t *info, FILE *out)
{
    uint64_t damaged = show_number(info, "shards_damaged");

    fprintf(out, "store %s, format %" PRIu64 ", policy %s, %s\n", show_text(info, "uuid"),
            show_number(info, "format"), show_text(info, "policy"), words_of(show_text(info, "state")));
    if (damaged > 0)
        fprintf(out,
                "a start will begin without what is in %" PRIu64
                " of the shards, whose journals are damaged\n",
                damaged);
    fputc('\n', out);
    print_occupancy(info, out);
    print_logs(json_object_get(info, "logs"), out);
}

enum err
store_info(struct store_source *source, const struct store_flags *flags, FILE *out, bool *failed,
           struct fault *fault)
{
    json_t *info;

    (void)failed;
    enum err err = store_source_info(source, &info, fault);
    if (err != ERR_NONE)
        return err;
    if (flags->json)
        err = store_print_json(info, out, fault);
    else
        print_info(info, out);
    json_decref(info);
    return err;
}
