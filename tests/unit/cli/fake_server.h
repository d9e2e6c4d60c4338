/* fake_server.h: something at the other end of an admin socket that says what the test wants, and keeps
 * what it was asked. */
#ifndef TEST_CLI_FAKE_SERVER_H
#define TEST_CLI_FAKE_SERVER_H

#include <larder/base/text.h>
#include <pthread.h>

struct fake_server {
    char        path[64];
    const char *answer; /* all its bytes; then it closes */
    struct text asked;  /* after fake_server_close */
    int         fd;
    pthread_t   thread;
};

/* Serves one connection. */
void fake_server_open(struct fake_server *server, const char *answer);
void fake_server_close(struct fake_server *server);

/* An answer of that status and body, with its length. free() it. */
char *fake_answer(const char *status, const char *body);

#endif
