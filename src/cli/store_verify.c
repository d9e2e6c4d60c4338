/* store_verify.c: `larder store verify`: page by page, each a segment, through the whole store.
 *
 *      shard-00.dat: segment 3, offset 1579008: the body of a record: http://example.com/a
 *      1 damaged; checked 24 segments, 1,234 records, 12.3 MiB
 */
#include "show.h"
#include "store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

struct tally {
    uint64_t damaged, segments, records, bytes, unsealed;
};

static void
print_damage(const json_t *damage, FILE *out)
{
    const json_t *segment = json_object_get(damage, "segment");
    const char   *key = show_text(damage, "key");

    fprintf(out, "%s: ", show_text(damage, "file"));
    if (segment != NULL)
        fprintf(out, "segment %" PRIu64 ", ", show_number(damage, "segment"));
    fprintf(out, "offset %" PRIu64 ": %s%s%s\n", show_number(damage, "offset"), show_text(damage, "what"),
            *key == '\0' ? "" : ": ", key);
}

static enum err
print_page(const json_t *page, bool json, FILE *out, struct fault *fault)
{
    uint64_t more = show_number(page, "more");
    size_t   index;
    json_t  *damage;

    json_array_foreach(json_object_get(page, "damage"), index, damage)
    {
        if (!json)
            print_damage(damage, out);
        else if (store_print_json(damage, out, fault) != ERR_NONE)
            return ERR_NO_MEMORY;
    }
    if (more > 0 && !json)
        fprintf(out, "and %" PRIu64 " more in this segment\n", more);
    return ERR_NONE;
}

static void
add_page(struct tally *tally, const json_t *page)
{
    const json_t *checked = json_object_get(page, "checked");

    tally->damaged += json_array_size(json_object_get(page, "damage")) + show_number(page, "more");
    tally->segments += show_number(checked, "segments");
    tally->records += show_number(checked, "records");
    tally->bytes += show_number(checked, "bytes");
    tally->unsealed += show_number(checked, "unsealed");
}

static void
print_tally(const struct tally *tally, FILE *out)
{
    char segments[UNITS_TEXT_SIZE], records[UNITS_TEXT_SIZE], bytes[UNITS_TEXT_SIZE];

    if (tally->damaged > 0)
        fprintf(out, "%" PRIu64 " damaged; ", tally->damaged);
    else
        fputs("nothing is damaged; ", out);
    fprintf(out, "checked %s segments, %s records, %s", show_count(tally->segments, segments),
            show_count(tally->records, records), units_round_size(tally->bytes, bytes));
    if (tally->unsealed > 0)
        fprintf(out, "; %" PRIu64 " segments had no final footer when it stopped", tally->unsealed);
    fputc('\n', out);
}

static enum err
print_tally_json(const struct tally *tally, FILE *out, struct fault *fault)
{
    json_t *json =
        json_pack("{s:I, s:{s:I, s:I, s:I, s:I}}", "damaged", (json_int_t)tally->damaged, "checked",
                  "segments", (json_int_t)tally->segments, "records", (json_int_t)tally->records, "bytes",
                  (json_int_t)tally->bytes, "unsealed", (json_int_t)tally->unsealed);
    enum err err = store_print_json(json, out, fault);
    json_decref(json);
    return err;
}

/* A server's store thread, and its disk, are to be busy with us for half of the time at most. */
static void
give_way(const struct store_source *source, nsec took)
{
    struct timespec pause = { took / NSEC_PER_SEC, took % NSEC_PER_SEC };
    if (source->inspect == NULL)
        nanosleep(&pause, NULL);
}

enum err
store_verify(struct store_source *source, const struct store_flags *flags, FILE *out, bool *failed,
             struct fault *fault)
{
    struct tally tally = { .damaged = 0 };
    char        *cursor = NULL;
    bool         first = true;
    enum err     err = ERR_NONE;

    for (; (first || cursor != NULL) && err == ERR_NONE; first = false) {
        json_t   *page;
        mono_time begun = clock_mono();
        err = store_source_page(source, STORE_VERIFY, cursor, &page, fault);
        if (err != ERR_NONE)
            break;
        add_page(&tally, page);
        err = print_page(page, flags->json, out, fault);
        if (err == ERR_NONE)
            err = store_source_next(page, &cursor, fault);
        json_decref(page);
        if (cursor != NULL)
            give_way(source, mono_since(clock_mono(), begun));
    }
    free(cursor);
    if (err == ERR_NONE && flags->json)
        err = print_tally_json(&tally, out, fault);
    else if (err == ERR_NONE)
        print_tally(&tally, out);
    *failed = tally.damaged > 0;
    return err;
}
