/* herd_client.c: one client of the herd: connect, wait for the moment, ask, read to the end. See herd.h. */
#include "herd.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>

void
client_fail(struct client *client, enum load_error error)
{
    client->done = true;
    client->error = error;
    stream_close(&client->stream);
    client->herd->done++;
    if (!client->connected)
        client->herd->settled++;
}

static void
succeed(struct client *client)
{
    client->done = client->whole = true;
    client->digest = hash_stream_end(client->hash);
    stream_close(&client->stream);
    client->herd->done++;
}

/* ── the first byte ── */

static bool
find_timestamp(struct msghdr *message, struct timespec *time)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(time, CMSG_DATA(control), sizeof *time);
        return true;
    }
    return false;
}

/* Reads one byte with the time at which the kernel got it. */
static enum err
read_first_byte(struct client *client)
{
    struct herd    *herd = client->herd;
    struct timespec came;
    struct iovec    vector = { client->in, 1 };
    char            control[CMSG_SPACE(sizeof(struct timespec))];
    struct msghdr   message = {
          .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    ssize_t got = recvmsg(client->stream.watch.fd, &message, 0);
    if (got < 0)
        return err_from_errno(errno);
    if (got == 0)
        return ERR_CLOSED;
    herd->bytes++;
    client->in_len = 1;
    client->timed = true;
    if (find_timestamp(&message, &came))
        client->first_byte = (nsec)came.tv_sec * NSEC_PER_SEC + came.tv_nsec - herd->wall_begin.ns;
    else
        client->first_byte = mono_since(clock_mono(), herd->begin);
    return ERR_NONE;
}

/* ── the answer ── */

/* ERR_AGAIN: more must come. ERR_CLOSED: whole. */
static enum err
consume(struct client *client)
{
    struct span in = span_of(client->in, client->in_len), payload;
    enum err    err;
    while ((err = answer_feed(&client->answer, &in, &payload)) == ERR_NONE)
        hash_stream_add(client->hash, payload);
    if (in.len > 0)
        memmove(client->in, in.at, in.len);
    client->in_len = in.len;
    return err;
}

static enum err
read_more(struct client *client)
{
    size_t   got;
    enum err err =
        stream_read(&client->stream, client->in + client->in_len, HERD_BUFFER - client->in_len, &got);
    if (err == ERR_NONE) {
        client->herd->bytes += got;
        client->in_len += got;
    }
    return err;
}

static void
peer_ended(struct client *client, enum err err)
{
    if (err == ERR_CLOSED && answer_end(&client->answer) == ERR_CLOSED)
        succeed(client);
    else
        client_fail(client, LOAD_RESET);
}

static void
read_answer(struct client *client)
{
    while (!client->done) {
        enum err err = client->timed ? read_more(client) : read_first_byte(client);
        if (err == ERR_AGAIN)
            return;
        if (err != ERR_NONE) {
            peer_ended(client, err);
            return;
        }
        err = consume(client);
        if (err == ERR_CLOSED)
            succeed(client);
        else if (err != ERR_AGAIN)
            client_fail(client, LOAD_BAD_ANSWER);
    }
}

/* ── the question ── */

void
client_send(struct client *client)
{
    struct span request = text_span(&client->herd->requests.forms[0].text);
    while (!client->done && client->written < request.len) {
        struct span  rest = span_skip(request, client->written);
        struct iovec vector = { (void *)(uintptr_t)rest.at, rest.len };
        size_t       put;
        enum err     err = stream_write(&client->stream, &vector, 1, false, &put);
        if (err == ERR_AGAIN)
            return;
        if (err == ERR_NONE)
            client->written += put;
        else
            client_fail(client, LOAD_RESET);
    }
}

static void
ask_for_timestamps(int fd)
{
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on); /* else our own clock serves */
}

static void
finish_connect(struct client *client)
{
    enum err err = stream_connect_result(&client->stream);
    if (err == ERR_AGAIN)
        return;
    if (err != ERR_NONE) {
        client_fail(client, LOAD_CONNECT);
        return;
    }
    client->connected = true;
    ask_for_timestamps(client->stream.watch.fd);
    client->herd->settled++;
}

static void
ready(struct stream *stream, unsigned events)
{
    struct client *client = CONTAINER_OF(stream, struct client, stream);
    if (client->done)
        return;
    if (!client->connected) {
        finish_connect(client);
        return;
    }
    if (client->herd->sent && client->written > 0)
        client_send(client);
    if (!client->done && (events & STREAM_READ) != 0)
        read_answer(client);
}

void
client_connect(struct client *client)
{
    stream_init(&client->stream, ready);
    answer_begin(&client->answer);
    hash_stream_begin(client->hash);
    if (stream_connect(&client->stream, client->herd->loop, &client->herd->requests.addr) != ERR_NONE)
        client_fail(client, LOAD_CONNECT);
}
