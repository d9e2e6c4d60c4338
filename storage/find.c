/* find.c: what readers ask of a store: the shard that has the digest answers.
 *
 * A record that is not what was written is a miss, and its shard is told to forget it.
 */
#include "catalog.h"
#include "lease.h"
#include "look.h"
#include "store_impl.h"
#include "writer.h"

#include <larder/base/check.h>
#include <stdlib.h>

struct dropping {
    struct store_job    job;
    struct shard_damage damage;
};

static void
drop(struct store_job *job, struct store_writer *writer)
{
    struct dropping *dropping = CONTAINER_OF(job, struct dropping, job);
    catalog_drop_damaged(writer->shard, dropping->damage.hash, dropping->damage.place);
    free(dropping);
}

/* Only the store thread takes entries out. Where the job cannot be had the next one who finds it tries
 * again. */
static void
drop_damaged(struct store *store, struct digest digest, const struct shard_damage *damage)
{
    struct dropping *dropping = malloc(sizeof *dropping);
    if (dropping == NULL)
        return;
    *dropping = (struct dropping){ .job = { .cost = sizeof *dropping, .run = drop }, .damage = *damage };
    if (store_submit(store, digest, &dropping->job) != ERR_NONE)
        free(dropping);
}

static struct shard *
shard_of(const struct store *store, const struct store_key *key)
{
    return store->shards[shard_of_digest(key->digest, store->shape.shards)];
}

bool
store_knows(struct store *store, const struct store_key *key, wall_time now)
{
    return shard_knows(shard_of(store, key), key->digest.low, now);
}

bool
store_find(struct store *store, unsigned reader, const struct store_key *key, wall_time now,
           struct lease *lease)
{
    struct shard *shard = shard_of(store, key);
    CHECK(reader < shard_own_reader(shard));
    struct shard_damage damage;
    bool                found = shard_find(shard, reader, key, now, lease, &damage);
    if (damage.found)
        drop_damaged(store, key->digest, &damage);
    return found;
}

enum find
store_look(struct store *store, unsigned reader, const struct store_key *key, wall_time now,
           const struct cold_set *reads, struct lease *lease, struct cold **cold)
{
    struct shard        *shard = shard_of(store, key);
    struct look_question question = { reader, key, now, reads };
    struct shard_damage  damage;

    CHECK(reader < shard_own_reader(shard));
    enum find found = shard_look(shard, &question, lease, cold, &damage);
    if (damage.found)
        drop_damaged(store, key->digest, &damage);
    return found;
}

bool
store_wants_leases(const struct store *store)
{
    for (unsigned i = 0; i < store->shape.shards; i++)
        if (shard_wants_leases(store->shards[i]))
            return true;
    return false;
}
