/* purge.c: a purge, from the request over the store thread and back.
 *
 *      control: purge_handle ──cache_purge──▶ store thread: removes ──done──▶ mail ──▶ control: answer
 *
 * The ticket outlives its client: who leaves only clears ticket->conn, and the mail frees it.
 */
#include "api.h"

#include <larder/cache/key.h>
#include <stdlib.h>

enum { CHUNK = 4096, KEY_MAX = 256 * 1024 };

struct ticket {
    struct cache_purge purge;
    struct mail        mail;
    struct loop       *loop;
    struct conn       *conn; /* NULL: it left */
    struct slab        slab;
    struct arena       arena; /* the text of the key */
};

static void
ticket_free(struct ticket *ticket)
{
    arena_reset(&ticket->arena);
    slab_fini(&ticket->slab);
    free(ticket);
}

static void
cancel(void *waiting)
{
    struct ticket *ticket = waiting;
    ticket->conn = NULL;
}

static void
deliver(struct mail *mail)
{
    struct ticket *ticket = CONTAINER_OF(mail, struct ticket, mail);
    struct conn   *conn = ticket->conn;
    unsigned       removed = ticket->purge.removed;

    ticket_free(ticket);
    if (conn == NULL)
        return;
    conn_answer(conn, 200, json_pack("{s:I}", "objects", (json_int_t)removed), NULL);
    conn_resume(conn);
}

/* On the store thread. */
static void
done(struct cache_purge *purge)
{
    struct ticket *ticket = CONTAINER_OF(purge, struct ticket, purge);
    loop_post(ticket->loop, &ticket->mail);
}

static struct ticket *
ticket_create(struct conn *conn)
{
    struct ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL)
        return NULL;
    ticket->purge.done = done;
    ticket->mail.deliver = deliver;
    ticket->loop = conn->admin->config.loop;
    ticket->conn = conn;
    slab_init(&ticket->slab, CHUNK, 0);
    arena_init(&ticket->arena, &ticket->slab, KEY_MAX);
    return ticket;
}

static enum err
submit(struct ticket *ticket, struct cache *cache, struct span url, struct fault *fault)
{
    enum err err = key_of_url(&ticket->arena, store_seed(cache_store(cache)), url, &ticket->purge.key, fault);
    if (err != ERR_NONE)
        return err;
    err = cache_purge(cache, &ticket->purge);
    if (err != ERR_NONE)
        return fault_set(fault, err, "The store is too busy to purge now; try again.");
    return ERR_NONE;
}

static void
purge_url(struct conn *conn, struct span url)
{
    struct ticket *ticket = ticket_create(conn);
    struct fault   fault;

    if (ticket == NULL) {
        conn_refuse(conn, 503, "Out of memory.");
        return;
    }
    conn_wait(conn, cancel, ticket);
    enum err err = submit(ticket, conn->admin->config.cache, url, &fault);
    if (err == ERR_NONE)
        return;
    ticket_free(ticket);
    conn_refuse(conn, err == ERR_SYNTAX ? 400 : 503, "%s", fault.text);
}

void
purge_handle(struct conn *conn, const struct api_request *request)
{
    json_t       *body = json_loadb(request->body.at, request->body.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *url = json_object_get(body, "url");

    if (body == NULL)
        conn_refuse(conn, 400, "The body is no JSON; write {\"url\": \"http://host/path\"}.");
    else if (!json_is_string(url) || json_object_size(body) != 1)
        conn_refuse(conn, 400,
                    "The body must be an object with the URL alone: {\"url\": \"http://host/path\"}.");
    else
        purge_url(conn, span_of(json_string_value(url), json_string_length(url)));
    json_decref(body);
}
