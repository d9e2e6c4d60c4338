/* client.c: connect, send, read to the end of the connection, parse. */
#include "client.h"

#include <errno.h>
#include <larder/config/admin_path.h>
#include <larder/http/framing.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MAX = 16 << 20, HEAD_MAX = 16 * 1024, FIELDS_MAX = 64, WAIT_SECONDS = 30 };

/* ── the socket ── */

static void
set_time_limits(int fd)
{
    struct timeval wait = { .tv_sec = WAIT_SECONDS };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

static enum err
explain_connect(const char *path, int number, struct fault *fault)
{
    if (number == EACCES || number == EPERM)
        return fault_set(fault, ERR_DENIED,
                         "%s belongs to another user: run this as the user that runs larder, or as root",
                         path);
    return fault_set(
        fault, err_from_errno(number),
        "no larder answers at %s (%s): is it running? If its socket is elsewhere, give --admin PATH", path,
        strerror(number));
}

static enum err
connect_to(const char *path, int *fd, struct fault *fault)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    enum err err = admin_path_check(span_of_text(path), fault);
    if (err != ERR_NONE)
        return err;
    memcpy(address.sun_path, path, strlen(path));
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return fault_set_errno(fault, errno, "no socket to be had");
    set_time_limits(*fd);
    if (connect(*fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return ERR_NONE;
    err = explain_connect(path, errno, fault);
    close(*fd);
    return err;
}

static enum err
explain_broken(int number, const char *path, struct fault *fault)
{
    if (number == EAGAIN || number == EWOULDBLOCK)
        return fault_set(fault, ERR_TIMEOUT, "larder at %s did not answer in %d seconds", path, WAIT_SECONDS);
    return fault_set_errno(fault, number, "the connection to larder at %s broke", path);
}

static enum err
send_all(int fd, const char *path, struct span bytes, struct fault *fault)
{
    while (bytes.len > 0) {
        ssize_t put = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return explain_broken(errno, path, fault);
        bytes = span_skip(bytes, (size_t)put);
    }
    return ERR_NONE;
}

static enum err
read_all(int fd, const char *path, struct text *into, struct fault *fault)
{
    char piece[16 * 1024];

    for (;;) {
        ssize_t got = recv(fd, piece, sizeof piece, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0 || (got < 0 && errno == ECONNRESET && into->len > 0))
            return ERR_NONE; /* whether that was all is seen from its length */
        if (got < 0)
            return explain_broken(errno, path, fault);
        text_append(into, span_of(piece, (size_t)got));
        if (into->failed)
            return fault_set(fault, ERR_LIMIT, "the answer of larder at %s is too long", path);
    }
}

/* ── the question and the answer ── */

static enum err
exchange(const char *path, struct span request, struct text *answer, struct fault *fault)
{
    int fd;

    enum err err = connect_to(path, &fd, fault);
    if (err != ERR_NONE)
        return err;
    err = send_all(fd, path, request, fault);
    /* A server that has no room for us says so and closes, without having read what we want. */
    if (err == ERR_NONE || err == ERR_CLOSED || err == ERR_RESET)
        err = read_all(fd, path, answer, fault);
    close(fd);
    return err;
}

static enum err
parse_answer(struct client_answer *answer, const char *path, struct fault *fault)
{
    static const struct parse_limits limits = { .head = HEAD_MAX, .target = HEAD_MAX };
    struct field                     fields[FIELDS_MAX];
    struct head                      head;
    struct framing                   framing;
    enum refusal                     refusal;
    size_t                           size;

    head_init(&head, fields, FIELDS_MAX);
    if (parse_response(&head, text_span(&answer->bytes), &limits, &size, &refusal) != ERR_NONE
        || framing_of_response(&head, METHOD_GET, &framing, &refusal) != ERR_NONE
        || framing.kind != BODY_LENGTH || framing.length != answer->bytes.len - size)
        return fault_set(fault, ERR_SYNTAX, "what answers at %s is not larder, or it broke off", path);
    answer->status = head.status;
    answer->body = span_skip(text_span(&answer->bytes), size);
    answer->json = json_loadb(answer->body.at, answer->body.len, 0, NULL);
    if (answer->json == NULL)
        return fault_set(fault, ERR_SYNTAX, "the answer of larder at %s is no JSON", path);
    return ERR_NONE;
}

/* The server's own sentence. */
static enum err
check_status(const struct client_answer *answer, struct fault *fault)
{
    const char *sentence = json_string_value(json_object_get(answer->json, "error"));

    if (answer->status >= 200 && answer->status < 300)
        return ERR_NONE;
    return fault_set(fault, ERR_SYNTAX, "%s",
                     sentence == NULL ? "larder refused, and did not say why" : sentence);
}

static void
compose(struct text *request, const char *method, const char *target, const char *body)
{
    text_printf(request, "%s %s HTTP/1.1\r\nHost: larder\r\nConnection: close\r\n", method, target);
    if (body != NULL)
        text_printf(request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    text_printf(request, "\r\n%s", body == NULL ? "" : body);
}

static enum err
ask(const char *path, struct span request, struct client_answer *answer, struct fault *fault)
{
    enum err err = exchange(path, request, &answer->bytes, fault);
    if (err == ERR_NONE)
        err = parse_answer(answer, path, fault);
    if (err == ERR_NONE)
        err = check_status(answer, fault);
    return err;
}

enum err
client_ask(const char *path, const char *method, const char *target, const char *body,
           struct client_answer *answer, struct fault *fault)
{
    char        usual[ADMIN_PATH_SIZE];
    struct text request;
    enum err    err = ERR_NONE;

    if (path == NULL) {
        err = admin_path_default(false, usual, fault);
        path = usual;
    }
    if (err != ERR_NONE)
        return err;
    *answer = (struct client_answer){ .json = NULL };
    text_init(&answer->bytes, ANSWER_MAX);
    text_init(&request, 1 << 20);
    compose(&request, method, target, body);
    if (request.failed)
        err = fault_set(fault, ERR_LIMIT, "this is too long to ask");
    else
        err = ask(path, text_span(&request), answer, fault);
    text_fini(&request);
    if (err != ERR_NONE)
        client_answer_fini(answer);
    return err;
}

void
client_answer_fini(struct client_answer *answer)
{
    json_decref(answer->json);
    answer->json = NULL;
    text_fini(&answer->bytes);
}
