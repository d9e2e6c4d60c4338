/* herd_run.c: the herd as a whole: connections in waves, then the moment, then waiting. See herd.h. */
#include "herd.h"

#include <stdlib.h>

enum { WAVE = 64 }; /* connections under way at once: more would overflow the backlog of a small server */
#define TURN (100 * NSEC_PER_MSEC)

static void
give_up(struct timer *timer)
{
    struct herd *herd = CONTAINER_OF(timer, struct herd, limit);
    for (unsigned i = 0; i < herd->opened; i++)
        if (!herd->clients[i].done)
            client_fail(&herd->clients[i], herd->clients[i].connected ? LOAD_TIMEOUT : LOAD_CONNECT);
}

static void
connect_all(struct herd *herd)
{
    timer_set(herd->loop, &herd->limit, mono_add(clock_mono(), herd->timeout));
    while (herd->settled < herd->count) {
        while (herd->opened < herd->count && herd->opened - herd->settled < WAVE)
            client_connect(&herd->clients[herd->opened++]);
        if (herd->settled < herd->opened)
            loop_turn(herd->loop, TURN);
    }
}

static void
send_all(struct herd *herd)
{
    herd->sent = true;
    herd->begin = clock_mono();
    herd->wall_begin = clock_wall();
    for (unsigned i = 0; i < herd->count; i++)
        client_send(&herd->clients[i]);
    herd->sending = mono_since(clock_mono(), herd->begin);
}

void
herd_run(struct herd *herd)
{
    connect_all(herd);
    send_all(herd);
    timer_set(herd->loop, &herd->limit, mono_add(herd->begin, herd->timeout));
    while (herd->done < herd->count)
        loop_turn(herd->loop, TURN);
    herd->end = clock_mono();
}

static enum err
client_init(struct client *client, struct herd *herd)
{
    client->herd = herd;
    client->stream.watch.fd = -1;
    client->in = malloc(HERD_BUFFER);
    client->hash = hash_stream_create();
    return client->in == NULL || client->hash == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

static void
client_fini(struct client *client)
{
    stream_close(&client->stream);
    hash_stream_destroy(&client->hash);
    free(client->in);
}

enum err
herd_init(struct herd *herd, unsigned clients, nsec timeout, const struct texts *url,
          const struct texts *fields, struct fault *fault)
{
    herd->timeout = timeout;
    timer_init(&herd->limit, give_up);
    struct requests_plan plan = { .urls = url, .fields = fields };
    enum err             err = requests_init(&herd->requests, &plan, fault);
    if (err != ERR_NONE)
        return err;
    err = loop_create(&herd->loop, fault);
    if (err != ERR_NONE)
        return err;
    herd->clients = calloc(clients, sizeof *herd->clients);
    while (herd->clients != NULL && err == ERR_NONE && herd->count < clients)
        err = client_init(&herd->clients[herd->count++], herd);
    if (herd->clients == NULL || err != ERR_NONE)
        return fault_set(fault, ERR_NO_MEMORY, "out of memory");
    return ERR_NONE;
}

void
herd_fini(struct herd *herd)
{
    while (herd->count > 0)
        client_fini(&herd->clients[--herd->count]);
    free(herd->clients);
    if (herd->loop != NULL) {
        timer_cancel(herd->loop, &herd->limit);
        loop_destroy(&herd->loop);
    }
    requests_fini(&herd->requests);
}
