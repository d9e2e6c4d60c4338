/* preface.c: what comes before the first request: who it is that we talk to.
 *
 *      accepted ──▶ the peer's address ──┬──────────────────────────────▶ requests
 *                                        └─ trusted? ─▶ PROXY header ───▶ requests, in the name of the client in it
 *
 * Where headers are expected there is no connection without one, and from who is not trusted there is none at all: else
 * anybody could choose his address. The header has the time of a head, from the moment of the connection.
 */
#include "client.h"

#include <larder/net/proxy_header.h>

void
client_set_peer(struct client *client, const struct addr *peer)
{
    char   text[ADDR_TEXT_SIZE];
    size_t len = strlen(addr_format_host(peer, text));

    client->loopback = addr_is_loopback(peer);
    client->host = network_of_addr(peer);
    client->trusted = networks_have(client->worker->config.trust, &client->host);
    client->address_len = (uint8_t)(len < sizeof client->address ? len : sizeof client->address);
    memcpy(client->address, text, client->address_len);
}

/* The log is told once a second at most: a flood would fill it. */
static void
refuse(struct client *client, const char *why)
{
    struct worker *worker = client->worker;
    int64_t        second = wall_seconds(loop_wall(worker->loop));

    metric_add(&worker->metrics.proxy_refused, 1);
    if (second == worker->proxy_told)
        return;
    worker->proxy_told = second;
    log_write(worker->config.log, LOG_WARN, "PROXY protocol: connection from %.*s refused: %s",
              (int)client->address_len, client->address, why);
}

bool
client_may_preface(struct client *client)
{
    if (!client->trusted)
        refuse(client, "it is not trusted (trust NETWORK)");
    return client->trusted;
}

enum err
client_take_preface(struct client *client)
{
    struct proxy_header header;
    const char         *why;
    size_t              size;

    enum err err = proxy_header_parse(buf_held(&client->in), &header, &size, &why);
    if (err == ERR_SYNTAX)
        refuse(client, why);
    if (err != ERR_NONE)
        return err;
    buf_consume(&client->in, size);
    client->prefaced = false;
    metric_add(&client->worker->metrics.proxy_headers, 1);
    if (header.has_source)
        client_set_peer(client, &header.source);
    return client_be_counted(client) ? ERR_NONE : ERR_LIMIT;
}
