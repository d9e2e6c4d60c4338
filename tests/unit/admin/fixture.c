/* fixture.c: see fixture.h. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <larder/cache/key.h>
#include <larder/net/listener.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define METRIC_TYPE_ struct fake_metrics
METRIC_TABLE(fake_metrics, "fake", FAKE_METRICS);
#undef METRIC_TYPE_
#define METRIC_TYPE_ struct other_metrics
METRIC_TABLE(other_metrics, "other", OTHER_METRICS);

enum { TURNS_MAX = 10000 };
#define TURN (10 * NSEC_PER_SEC)

static bool
metrics_at(void *owner, unsigned index, const struct metric_table **table, const void **cells)
{
    struct fixture *fixture = owner;

    if (index > 3)
        return false;
    *table = index == 1 ? &other_metrics_table : &fake_metrics_table;
    *cells = index == 1 ? (const void *)&fixture->other : &fixture->fakes[index == 0 ? 0 : index - 1];
    return true;
}

void
fixture_restart(struct fixture *fixture)
{
    struct fault fault;
    int          fd;

    admin_destroy(&fixture->admin);
    cr_assert_eq(listener_bind_unix(fixture->path, &fd, &fault), ERR_NONE);
    cr_assert_eq(admin_create(&fixture->admin, fd, &fixture->config, &fault), ERR_NONE);
}

void
fixture_open(struct fixture *fixture)
{
    struct fault fault;
    char         folder[] = "/tmp/larder-admin-XXXXXX";

    memset(fixture, 0, sizeof *fixture);
    cr_assert_not_null(mkdtemp(folder));
    snprintf(fixture->path, sizeof fixture->path, "%s/a.sock", folder);
    sem_init(&fixture->gate, 0, 0);
    cr_assert_eq(loop_create(&fixture->loop, &fault), ERR_NONE);
    const struct store_config store = { .size = STORE_SIZE_MIN, .readers = 1 };
    cr_assert_eq(store_open(&fixture->store, &store, &fault), ERR_NONE, "%s", fault.text);
    const struct cache_config cache = { .store = fixture->store, .workers = 1 };
    cr_assert_eq(cache_create(&fixture->cache, &cache), ERR_NONE);
    fixture->config = (struct admin_config){ .loop = fixture->loop,
                                             .cache = fixture->cache,
                                             .version = "9.8.7",
                                             .workers = 3,
                                             .group = (gid_t)-1,
                                             .started = clock_mono(),
                                             .metrics = metrics_at,
                                             .owner = fixture };
    fixture_restart(fixture);
}

/* As the server does: purges that are under way end with the store, and their mail with the loop. */
void
fixture_close(struct fixture *fixture)
{
    char folder[64];

    admin_destroy(&fixture->admin);
    store_close(&fixture->store);
    cache_destroy(&fixture->cache);
    loop_destroy(&fixture->loop);
    unlink(fixture->path);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(fixture->path, '/') - fixture->path),
             fixture->path);
    rmdir(folder);
    sem_destroy(&fixture->gate);
}

/* ── a client ── */

int
client_open(struct fixture *fixture)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, fixture->path);
    cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 3; i++) /* the event, and the task that accepts */
        loop_turn(fixture->loop, 0);
    return fd;
}

void
client_send(struct fixture *fixture, int fd, const char *bytes)
{
    cr_assert_eq(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), (ssize_t)strlen(bytes));
    loop_turn(fixture->loop, 0);
}

/* One byte, or 0 at the end; turns the loop while there is none. */
static char
next_byte(struct fixture *fixture, int fd)
{
    char c;

    for (int i = 0; i < TURNS_MAX; i++) {
        ssize_t got = recv(fd, &c, 1, 0);
        if (got == 1)
            return c;
        if (got == 0 || errno != EAGAIN)
            return '\0';
        loop_turn(fixture->loop, TURN);
    }
    cr_assert_fail("no answer comes");
    return '\0';
}

int
client_answer(struct fixture *fixture, int fd, json_t **json)
{
    struct text head;

    text_init(&head, 1 << 20);
    while (!span_ends(text_span(&head), SPAN("\r\n\r\n"))) {
        char c = next_byte(fixture, fd);
        cr_assert_neq(c, '\0', "the connection ended in a head: %s", text_cstr(&head));
        text_append_byte(&head, c);
    }
    const char *at = strstr(text_cstr(&head), "Content-Length: ");
    size_t      length = at == NULL ? 0 : strtoul(at + 16, NULL, 10);
    int         status = atoi(text_cstr(&head) + 9);
    text_clear(&head);
    for (size_t i = 0; i < length; i++)
        text_append_byte(&head, next_byte(fixture, fd));
    json_t *body = length == 0 ? NULL : json_loads(text_cstr(&head), 0, NULL);
    cr_expect(length == 0 || body != NULL, "no JSON: %s", text_cstr(&head));
    text_fini(&head);
    if (json != NULL)
        *json = body;
    else
        json_decref(body);
    return status;
}

char *
client_rest(struct fixture *fixture, int fd)
{
    struct text rest;
    char        c;

    text_init(&rest, 1 << 20);
    while ((c = next_byte(fixture, fd)) != '\0')
        text_append_byte(&rest, c);
    return rest.at == NULL ? strdup("") : rest.at;
}

int
ask(struct fixture *fixture, const char *method, const char *path, const char *body, json_t **json)
{
    char request[2048];
    int  fd = client_open(fixture);

    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", method,
             path, strlen(body), body);
    client_send(fixture, fd, request);
    int status = client_answer(fixture, fd, json);
    close(fd);
    loop_turn(fixture->loop, 0);
    return status;
}

/* ── the store ── */

struct put {
    struct store_job job;
    struct store_key key;
    sem_t            done;
};

static void
append(struct store_job *job, struct store_writer *writer)
{
    struct put         *put = CONTAINER_OF(job, struct put, job);
    wall_time           now = clock_wall();
    struct record_parts parts = { .key = put->key,
                                  .meta = SPAN("not an object"),
                                  .created = now,
                                  .expires = wall_add(now, 3600 * NSEC_PER_SEC) };

    cr_assert_eq(writer_append(writer, &parts), ERR_NONE);
    sem_post(&put->done);
}

struct key_memory {
    struct slab      slab;
    struct arena     arena;
    struct store_key key;
};

static void
key_open(struct fixture *fixture, const char *url, struct key_memory *memory)
{
    struct fault fault;

    slab_init(&memory->slab, 4096, 0);
    arena_init(&memory->arena, &memory->slab, 1 << 20);
    cr_assert_eq(
        key_of_url(&memory->arena, store_seed(fixture->store), span_of_text(url), &memory->key, &fault),
        ERR_NONE);
}

static void
key_close(struct key_memory *memory)
{
    arena_reset(&memory->arena);
    slab_fini(&memory->slab);
}

void
store_url(struct fixture *fixture, const char *url)
{
    struct key_memory memory;
    struct put        put = { .job = { .cost = 100, .run = append } };

    key_open(fixture, url, &memory);
    put.key = memory.key;
    sem_init(&put.done, 0, 0);
    cr_assert_eq(store_submit(fixture->store, put.key.digest, &put.job), ERR_NONE);
    sem_wait(&put.done);
    sem_destroy(&put.done);
    key_close(&memory);
}

bool
is_stored(struct fixture *fixture, const char *url)
{
    struct key_memory memory;
    struct lease      lease;

    key_open(fixture, url, &memory);
    bool found = store_find(fixture->store, 0, &memory.key, clock_wall(), &lease);
    if (found)
        lease_release(&lease);
    key_close(&memory);
    return found;
}

struct hold {
    struct store_job job;
    sem_t           *gate;
};

static void
wait_at_gate(struct store_job *job, struct store_writer *writer)
{
    struct hold *hold = CONTAINER_OF(job, struct hold, job);

    (void)writer;
    sem_wait(hold->gate);
    free(hold);
}

void
hold_store(struct fixture *fixture)
{
    struct hold *hold = calloc(1, sizeof *hold);

    hold->job = (struct store_job){ .cost = 1, .run = wait_at_gate };
    hold->gate = &fixture->gate;
    cr_assert_eq(store_submit(fixture->store, (struct digest){ 0, 0 }, &hold->job), ERR_NONE);
}
