/* purge.c: `larder purge`: the objects of a URL, all variants, are removed now. */
#include "client.h"
#include "flags.h"

#include <larder/cli/command.h>
#include <stdlib.h>

struct purge_flags {
    const char *admin;
};

static const struct flag       purge_rows[] = { { "admin", "PATH", offsetof(struct purge_flags, admin),
                                                  "The admin socket of the server." } };
static const struct flag_table purge_table = FLAG_TABLE(purge_rows);

static void
print_purge_flags(FILE *out)
{
    flags_print(&purge_table, out);
}

static void
print_result(json_int_t objects, const char *url, FILE *out)
{
    fprintf(out, "purged %" JSON_INTEGER_FORMAT " object%s of %s%s\n", objects, objects == 1 ? "" : "s", url,
            objects == 0 ? ": nothing of it was stored" : "");
}

static enum err
purge(const char *admin, const char *url, FILE *out, struct fault *fault)
{
    struct client_answer answer;
    json_t              *body = json_pack("{s:s}", "url", url);
    char                *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);

    json_decref(body);
    if (text == NULL) /* jansson takes UTF-8 only, and a URL has not even all of ASCII */
        return fault_set(fault, ERR_SYNTAX, "this is not a URL: its bytes are no text");
    enum err err = client_ask(admin, "POST", "/v1/purge", text, &answer, fault);
    free(text);
    if (err != ERR_NONE)
        return err;
    const json_t *objects = json_object_get(answer.json, "objects");
    if (json_is_integer(objects))
        print_result(json_integer_value(objects), url, out);
    else
        err = fault_set(fault, ERR_SYNTAX, "larder did not say how many objects were removed");
    client_answer_fini(&answer);
    return err;
}

static int
run_purge(int argc, char *argv[], const struct cli_io *io)
{
    struct purge_flags flags = { .admin = NULL };
    struct operands    operands;
    struct fault       fault;

    enum err err = flags_parse(&purge_table, argc, argv, &flags, &operands, &fault);
    if (err == ERR_NONE && operands.count == 0)
        err = fault_set(&fault, ERR_SYNTAX, "a URL is missing: write larder purge http://HOST/PATH");
    if (err == ERR_NONE)
        err = purge(flags.admin, operands.at[0], io->out, &fault);
    return err == ERR_NONE ? EXIT_SUCCESS : cli_complain(io, "purge", fault.text);
}

const struct command command_purge = {
    .name = "purge",
    .usage = "URL [--admin PATH]",
    .summary = "Removes the objects of a URL from the cache.",
    .help = "Removes what is stored of a URL, in all its variants, at once, and says how many objects that "
            "were.\n"
            "Answers that are on their way while it runs are delivered, but not kept.\n",
    .print_flags = print_purge_flags,
    .run = run_purge,
};
