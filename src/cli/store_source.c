/* store_source.c: see store_source.h. */
#include "store_source.h"

#include "client.h"

#include <larder/admin/store_json.h>
#include <stdio.h>
#include <stdlib.h>

enum err
store_source_open(struct store_source *source, const char *directory, const char *admin, bool records,
                  struct fault *fault)
{
    *source = (struct store_source){ .admin = admin };
    if (directory == NULL)
        return ERR_NONE;
    if (admin != NULL)
        return fault_set(fault, ERR_SYNTAX, "give a directory or --admin, not both");
    enum err err = inspect_open(&source->inspect, directory, records, fault);
    if (err != ERR_IN_USE)
        return err;
    struct fault why = *fault;
    return fault_set(fault, err, "%s: while it runs, ask it: leave the directory out, or give --admin PATH",
                     why.text);
}

void
store_source_close(struct store_source *source)
{
    inspect_close(&source->inspect);
}

/* ── a server ── */

static enum err
ask_server(const struct store_source *source, const char *target, json_t **json, struct fault *fault)
{
    struct client_answer answer;

    enum err err = client_ask(source->admin, "GET", target, NULL, &answer, fault);
    if (err != ERR_NONE)
        return err;
    *json = json_incref(answer.json);
    client_answer_fini(&answer);
    return ERR_NONE;
}

/* ── a directory ── */

static enum err
out_of_memory(struct fault *fault)
{
    return fault_set(fault, ERR_NO_MEMORY, "out of memory");
}

static enum err
count_directory(struct inspect *inspect, json_t **info, struct fault *fault)
{
    struct inspect_info sum = { .shards = 0 };

    for (unsigned i = 0; i < inspect_shards(inspect); i++)
        inspect_count(inspect_writer(inspect, i), &sum);
    *info = store_info_json(&sum, clock_wall());
    return *info == NULL ? out_of_memory(fault) : ERR_NONE;
}

static enum err
read_directory(struct inspect *inspect, enum store_question question, const char *text, json_t **page,
               struct fault *fault)
{
    struct inspect_cursor cursor = { .shard = 0 };
    unsigned              shards = inspect_shards(inspect);

    if (text != NULL && (!inspect_cursor_parse(span_of_text(text), &cursor) || cursor.shard >= shards))
        return fault_set(fault, ERR_SYNTAX, "this is no cursor: %.64s", text);
    struct store_writer *writer = inspect_writer(inspect, cursor.shard);
    enum err             err = question == STORE_OBJECTS
                                   ? store_objects_json(writer, &cursor, shards, STORE_PAGE_MAX, clock_wall(), page)
                                   : store_verify_json(writer, &cursor, shards, page);
    return err == ERR_NONE ? ERR_NONE : out_of_memory(fault);
}

/* ── both ── */

enum err
store_source_info(struct store_source *source, json_t **info, struct fault *fault)
{
    if (source->inspect != NULL)
        return count_directory(source->inspect, info, fault);
    return ask_server(source, "/v1/store/info", info, fault);
}

enum err
store_source_page(struct store_source *source, enum store_question question, const char *cursor,
                  json_t **page, struct fault *fault)
{
    char target[256];

    if (source->inspect != NULL)
        return read_directory(source->inspect, question, cursor, page, fault);
    int len = snprintf(target, sizeof target, "/v1/store/%s%s%s",
                       question == STORE_OBJECTS ? "objects?limit=256" : "verify",
                       cursor == NULL              ? ""
                       : question == STORE_OBJECTS ? "&cursor="
                                                   : "?cursor=",
                       cursor == NULL ? "" : cursor);
    if ((size_t)len >= sizeof target)
        return fault_set(fault, ERR_SYNTAX, "this is no cursor: %.64s", cursor);
    return ask_server(source, target, page, fault);
}

enum err
store_source_next(const json_t *page, char **cursor, struct fault *fault)
{
    const char *text = json_string_value(json_object_get(page, "cursor"));
    char       *next = text == NULL ? NULL : strdup(text);

    if (text != NULL && next == NULL)
        return out_of_memory(fault);
    if (next != NULL && *cursor != NULL && strcmp(next, *cursor) == 0) {
        free(next);
        return fault_set(fault, ERR_SYNTAX, "what answers gives the same page again and again");
    }
    free(*cursor);
    *cursor = next;
    return ERR_NONE;
}
