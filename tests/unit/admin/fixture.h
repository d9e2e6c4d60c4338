/* fixture.h: an admin API on a loop of the test's own, with a client on its socket.
 *
 * Nothing runs unless the test turns the loop; the metrics are two made-up tables; the cache is a real one,
 * in memory.
 */
#ifndef TEST_ADMIN_FIXTURE_H
#define TEST_ADMIN_FIXTURE_H

#include <criterion/criterion.h>
#include <jansson.h>
#include <larder/admin/admin.h>
#include <larder/base/text.h>
#include <semaphore.h>

#define FAKE_METRICS(X)                                                                                      \
    X(ups, COUNTER, "things", "Things that went up.")                                                        \
    X(level, GAUGE, "bytes", "How high it is now.")
METRIC_STRUCT(fake_metrics, FAKE_METRICS);

#define OTHER_METRICS(X) X(single, COUNTER, "turns", "Told once.")
METRIC_STRUCT(other_metrics, OTHER_METRICS);

struct fixture {
    struct loop         *loop;
    struct store        *store;
    struct cache        *cache;
    struct admin        *admin;
    struct admin_config  config;
    struct fake_metrics  fakes[3];
    struct other_metrics other;
    char                 path[64];
    sem_t                gate; /* of a job that holds the store's thread */
};

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* Ends the admin alone, and starts it again, with fixture->config. */
void fixture_restart(struct fixture *fixture);

/* A client, connected and accepted. */
int client_open(struct fixture *fixture);

/* Writes bytes, then turns the loop once. */
void client_send(struct fixture *fixture, int fd, const char *bytes);

/* Turns the loop until a whole answer is there; its status. `json` (or NULL) gets the body, for
 * json_decref. */
int client_answer(struct fixture *fixture, int fd, json_t **json);

/* Turns the loop until the server has closed the connection; what came before that. */
char *client_rest(struct fixture *fixture, int fd);

/* One request on a connection of its own. */
int ask(struct fixture *fixture, const char *method, const char *path, const char *body, json_t **json);

/* Stores a record under the key of the URL, and waits until it is there. */
void store_url(struct fixture *fixture, const char *url);
bool is_stored(struct fixture *fixture, const char *url);

/* The store's thread stands still until fixture->gate is posted. */
void hold_store(struct fixture *fixture);

#endif
