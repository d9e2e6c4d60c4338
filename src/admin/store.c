/* store.c: questions about the store, from the request over its threads and back.
 *
 *      control: GET ──▶ ticket ──store_submit──▶ store thread: one piece of work ──mail──▶ control: answer
 *                         ▲                                                           │
 *                         └──────────────── info: the next shard ◀────────────────────┘
 *
 * A list and a verification answer in pages: the cursor in the answer is sent back for the next one, so the
 * server keeps nothing between two pages and a client that goes away leaves nothing behind. The ticket outlives
 * its client, as that of a purge does.
 */
#include "api.h"

#include <larder/admin/store_json.h>
#include <stdlib.h>

enum { LIMIT_USUAL = 100 };

struct ticket;
typedef enum err ticket_work(struct ticket *ticket, struct store_writer *writer);

struct ticket {
    struct store_job      job;
    struct mail           mail;
    struct loop          *loop;
    struct store         *store;
    struct conn          *conn; /* NULL: it left */
    ticket_work          *work; /* on the store thread */
    bool                  all;  /* of each shard, then one answer */
    unsigned              shards, limit;
    struct inspect_cursor cursor;
    struct inspect_info   info;
    json_t               *page;
    enum err              err;
};

/* ── on the store thread ── */

static enum err
work_info(struct ticket *ticket, struct store_writer *writer)
{
    inspect_count(writer, &ticket->info);
    ticket->cursor.shard++;
    return ERR_NONE;
}

static enum err
work_objects(struct ticket *ticket, struct store_writer *writer)
{
    return store_objects_json(writer, &ticket->cursor, ticket->shards, ticket->limit, clock_wall(),
                              &ticket->page);
}

static enum err
work_verify(struct ticket *ticket, struct store_writer *writer)
{
    return store_verify_json(writer, &ticket->cursor, ticket->shards, &ticket->page);
}

static void
run(struct store_job *job, struct store_writer *writer)
{
    struct ticket *ticket = CONTAINER_OF(job, struct ticket, job);

    ticket->err = ticket->work(ticket, writer);
    loop_post(ticket->loop, &ticket->mail);
}

/* ── on the control loop ── */

static void
ticket_free(struct ticket *ticket)
{
    json_decref(ticket->page);
    free(ticket);
}

static void
cancel(void *waiting)
{
    struct ticket *ticket = waiting;
    ticket->conn = NULL;
}

/* True: the ticket is the store thread's until its mail comes, and must not be touched. */
static bool
submit(struct ticket *ticket)
{
    enum err err = store_submit(ticket->store, inspect_digest(ticket->cursor.shard), &ticket->job);
    if (err == ERR_NONE)
        return true;
    ticket->err = err;
    return false;
}

static void
answer(struct ticket *ticket)
{
    struct conn *conn = ticket->conn;

    if (ticket->err == ERR_STOPPING) {
        conn_refuse(conn, 503, "larder is stopping.");
    } else if (ticket->err != ERR_NONE) {
        conn_refuse(conn, 503, "Out of memory.");
    } else if (ticket->all) {
        conn_answer(conn, 200, store_info_json(&ticket->info, clock_wall()), NULL);
    } else {
        conn_answer(conn, 200, json_incref(ticket->page), NULL);
    }
}

static void
deliver(struct mail *mail)
{
    struct ticket *ticket = CONTAINER_OF(mail, struct ticket, mail);
    struct conn   *conn = ticket->conn;

    if (conn != NULL && ticket->all && ticket->cursor.shard < ticket->shards && submit(ticket))
        return;
    if (conn != NULL)
        answer(ticket);
    ticket_free(ticket);
    if (conn != NULL)
        conn_resume(conn);
}

/* ── requests ── */

static bool
read_parameter(struct ticket *ticket, struct span name, struct span value)
{
    uint64_t number;

    if (span_equal(name, SPAN("cursor")))
        return inspect_cursor_parse(value, &ticket->cursor) && ticket->cursor.shard < ticket->shards;
    if (!span_equal(name, SPAN("limit")) || !span_to_u64(value, STORE_PAGE_MAX, &number) || number == 0)
        return false;
    ticket->limit = (unsigned)number;
    return true;
}

static bool
read_query(struct ticket *ticket, struct span query)
{
    struct span part, name;

    if (query.len == 0)
        return true;
    while (span_split(&query, '&', &part)) {
        (void)span_split(&part, '=', &name);
        if (part.at == NULL || !read_parameter(ticket, name, part))
            return false;
    }
    return true;
}

static struct ticket *
ticket_create(struct conn *conn, ticket_work *work)
{
    struct ticket *ticket = calloc(1, sizeof *ticket);

    if (ticket == NULL)
        return NULL;
    ticket->job.run = run;
    ticket->mail.deliver = deliver;
    ticket->loop = conn->admin->config.loop;
    ticket->store = cache_store(conn->admin->config.cache);
    ticket->conn = conn;
    ticket->work = work;
    ticket->shards = store_metrics_count(ticket->store);
    ticket->limit = LIMIT_USUAL;
    return ticket;
}

static void
begin(struct ticket *ticket)
{
    struct conn *conn = ticket->conn;

    conn_wait(conn, cancel, ticket);
    if (submit(ticket))
        return;
    answer(ticket);
    ticket_free(ticket);
}

static void
ask(struct conn *conn, const struct api_request *request, ticket_work *work, bool all)
{
    struct ticket *ticket = ticket_create(conn, work);

    if (ticket == NULL) {
        conn_refuse(conn, 503, "Out of memory.");
        return;
    }
    ticket->all = all;
    if (all ? request->query.len == 0 : read_query(ticket, request->query)) {
        begin(ticket);
        return;
    }
    ticket_free(ticket);
    conn_refuse(conn, 400,
                all ? "This takes no parameters."
                    : "The parameters are cursor, as an answer gave it, and limit, 1 to 256.");
}

void
store_info_handle(struct conn *conn, const struct api_request *request)
{
    ask(conn, request, work_info, true);
}

void
store_objects_handle(struct conn *conn, const struct api_request *request)
{
    ask(conn, request, work_objects, false);
}

void
store_verify_handle(struct conn *conn, const struct api_request *request)
{
    ask(conn, request, work_verify, false);
}
