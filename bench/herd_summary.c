/* herd_summary.c: what the clients of the herd got, as a few numbers. Pure. See herd.h. */
#include "herd.h"

#include <stdlib.h>

static int
compare_digests(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static unsigned
count_different(uint64_t *digests, unsigned count)
{
    unsigned different = 0;
    qsort(digests, count, sizeof *digests, compare_digests);
    for (unsigned i = 0; i < count; i++)
        if (i == 0 || digests[i] != digests[i - 1])
            different++;
    return different;
}

static void
add_first_byte(struct herd_summary *summary, nsec time)
{
    if (summary->first < 0 || time < summary->first)
        summary->first = time;
    if (time > summary->last)
        summary->last = time;
    summary->spread = summary->last - summary->first;
}

static void
add_client(struct herd_summary *summary, const struct client *client, uint64_t *digests)
{
    if (client->timed)
        add_first_byte(summary, client->first_byte);
    if (!client->whole) {
        summary->errors[client->error]++;
        return;
    }
    summary->statuses[client->answer.status]++;
    summary->digest = client->digest;
    summary->body_size = client->answer.body;
    digests[summary->whole++] = client->digest;
}

enum err
herd_summarise(struct herd_summary *summary, const struct client *clients, unsigned count)
{
    uint64_t *digests = calloc(count, sizeof *digests);
    if (digests == NULL)
        return ERR_NO_MEMORY;
    *summary = (struct herd_summary){ .first = -1, .last = -1 };
    for (unsigned i = 0; i < count; i++)
        add_client(summary, &clients[i], digests);
    summary->bodies = count_different(digests, summary->whole);
    free(digests);
    return ERR_NONE;
}
