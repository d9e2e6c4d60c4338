/* admin.c: the socket, and who is let in. */
#include "conn.h"
#include "peer.h"

#include <larder/base/check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNS_MAX = 64 };

#define METRIC_TYPE_ struct admin_metrics
METRIC_TABLE(admin_metrics, "admin", ADMIN_METRICS);

const struct admin_metrics *
admin_metrics_of(const struct admin *admin)
{
    return &admin->metrics;
}

/* Said in one go to whoever is not let in, or comes when the house is full; it is not read what they want. */
static void
turn_away(int fd, unsigned status, const char *sentence)
{
    char body[256], answer[512];

    int size = snprintf(body, sizeof body, "{\"error\":\"%s\"}\n", sentence);
    int len = snprintf(answer, sizeof answer,
                       "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\n"
                       "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                       status, status_reason(status), size, body);
    (void)!send(fd, answer, (size_t)len,
                MSG_NOSIGNAL | MSG_DONTWAIT); /* if it fails, the close says the same */
    close(fd);
}

static void
accepted(struct listener *listener, int fd, const struct addr *peer)
{
    struct admin *admin = listener->owner;
    struct ucred  who;

    (void)peer;
    if (!peer_is_welcome(fd, admin->config.group, &who)) {
        metric_add(&admin->metrics.refused, 1);
        log_write(admin->config.log, LOG_WARN, "admin: refused user %u, group %u, process %d",
                  (unsigned)who.uid, (unsigned)who.gid, (int)who.pid);
        turn_away(fd, 403,
                  "Only root, the user that runs larder and the group of the admin socket may use it.");
        return;
    }
    metric_add(&admin->metrics.connections, 1);
    if (admin->conn_count == CONNS_MAX)
        turn_away(fd, 503, "There are too many connections to the admin socket.");
    else
        conn_open(admin, fd);
}

static void
set_times(struct admin_config *config)
{
    if (config->idle_time == 0)
        config->idle_time = 60 * NSEC_PER_SEC;
    if (config->request_time == 0)
        config->request_time = 10 * NSEC_PER_SEC;
    if (config->send_time == 0)
        config->send_time = 10 * NSEC_PER_SEC;
}

enum err
admin_create(struct admin **out, int fd, const struct admin_config *config, struct fault *fault)
{
    struct admin *admin = calloc(1, sizeof *admin);

    *out = NULL;
    if (admin == NULL) {
        close(fd);
        return fault_set(fault, ERR_NO_MEMORY, "no memory for the admin API");
    }
    admin->config = *config;
    set_times(&admin->config);
    list_init(&admin->conns);
    enum err err = listener_open(&admin->listener, config->loop, fd, accepted, admin);
    if (err != ERR_NONE) {
        free(admin);
        return fault_set(fault, err, "the admin socket cannot accept: %s", err_text(err));
    }
    *out = admin;
    return ERR_NONE;
}

void
admin_destroy(struct admin **pointer)
{
    struct admin *admin = *pointer;
    struct list  *node;

    *pointer = NULL;
    if (admin == NULL)
        return;
    listener_close(&admin->listener);
    while ((node = list_first(&admin->conns)) != NULL)
        conn_close(CONTAINER_OF(node, struct conn, node));
    CHECK(admin->conn_count == 0);
    free(admin);
}
