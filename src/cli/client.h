/* client.h: one question to the admin API of a running larder, over its Unix socket.
 *
 * Blocking, with time limits; the answer is bounded. Used by every command that talks to the server.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>
#include <larder/base/err.h>
#include <larder/base/text.h>

struct client_answer {
    struct text bytes; /* the whole answer */
    struct span body;  /* inside of it */
    unsigned    status;
    json_t     *json; /* the body */
};

/* Asks the server whose socket is `path` (NULL: the default one). `body` NULL: none; else JSON text. An
 * answer that is no 2xx is a fault with the server's own sentence. On success the caller ends it with
 * client_answer_fini. */
MUST_CHECK enum err client_ask(const char *path, const char *method, const char *target, const char *body,
                               struct client_answer *answer, struct fault *fault);

void client_answer_fini(struct client_answer *answer);

#endif
