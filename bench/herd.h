/* herd.h: many clients that ask the same thing at the same moment, and what came back to them.
 *
 *      connect all ─▶ all are there ─▶ one write each, in one go ─▶ first bytes ─▶ whole bodies
 *
 * First-byte times are the kernel's: SO_TIMESTAMPNS says when the packet came, however long it takes us to
 * walk through a thousand sockets. (Where the kernel does not say, it is when we read.)
 */
#ifndef BENCH_HERD_H
#define BENCH_HERD_H

#include "answer.h"
#include "tally.h"
#include "requests.h"

#include <larder/base/hash.h>
#include <larder/net/stream.h>

/* Owner: the herd. */
struct client {
    struct stream       stream;
    struct herd        *herd;
    bool                connected, done, whole;
    enum load_error     error; /* when done and not whole */
    struct answer       answer;
    size_t              in_len; /* a part of a head, kept in `in` */
    char               *in;
    struct hash_stream *hash;
    uint64_t            digest;
    size_t              written;
    bool                timed;      /* first_byte is set */
    nsec                first_byte; /* since the first request was written */
};

enum { HERD_BUFFER = 32 * 1024 };

/* Owner: the main thread. */
struct herd {
    struct requests requests;
    struct loop    *loop;
    struct client  *clients;
    unsigned        count;
    unsigned        opened;  /* connections begun */
    unsigned        settled; /* of them made, or failed */
    unsigned        done;    /* clients that have their answer, or never will */
    bool            sent;    /* the moment is over */
    nsec            timeout;
    struct timer    limit;
    wall_time       wall_begin; /* when the first request was written, by both clocks */
    mono_time       begin, end;
    nsec            sending; /* from the first write to the last */
    uint64_t        bytes;
};

/* What is told. Times in nanoseconds since the first request was written. */
struct herd_summary {
    uint64_t statuses[TALLY_STATUSES];
    uint64_t errors[LOAD_ERRORS];
    unsigned whole;  /* clients that got a whole answer */
    unsigned bodies; /* how many different bodies they got */
    uint64_t digest; /* XXH3 of the body, when there is one only */
    uint64_t body_size;
    nsec     first, last, spread; /* first bytes: of the first client, of the last */
};

/* ── herd_client.c: these count herd->settled and herd->done ── */
void client_connect(struct client *client);
void client_send(struct client *client);
void client_fail(struct client *client, enum load_error error);

/* ── herd_run.c ── */

/* On failure herd_fini gives back what is there; *herd begins zeroed. */
MUST_CHECK enum err herd_init(struct herd *herd, unsigned clients, nsec timeout, const struct texts *url,
                              const struct texts *fields, struct fault *fault);
void                herd_run(struct herd *herd);
void                herd_fini(struct herd *herd);

/* ── herd_summary.c ── */
MUST_CHECK enum err herd_summarise(struct herd_summary *summary, const struct client *clients,
                                   unsigned count);

#endif
