/* look.c: see look.h. */
#include "look.h"

#include <larder/base/check.h>
#include <larder/storage/inspect.h>

static void
count_damage(const struct inspect_damage *damage, void *context)
{
    (void)damage;
    ++*(unsigned *)context;
}

static bool
count_object(const struct inspect_object *object, void *context)
{
    CHECK(object->key.len + object->meta.len + object->body < object->size);
    ++*(unsigned *)context;
    return true;
}

unsigned
look_verify(const char *directory)
{
    struct inspect_cursor   cursor = { .shard = 0 };
    struct inspect_verified verified = { .segments = 0 };
    struct inspect         *inspect;
    struct fault            fault;
    unsigned                damaged = 0;

    if (inspect_open(&inspect, directory, false, &fault) != ERR_NONE)
        return 1;
    while (cursor.shard < inspect_shards(inspect)) {
        enum err err =
            inspect_verify(inspect_writer(inspect, cursor.shard), &cursor, &verified, count_damage, &damaged);
        CHECK(err == ERR_NONE);
    }
    inspect_close(&inspect);
    return damaged;
}

unsigned
look_list(const char *directory)
{
    struct inspect_cursor cursor = { .shard = 0 };
    struct inspect_info   info = { .shards = 0 };
    struct inspect       *inspect;
    struct fault          fault;
    unsigned              listed = 0;

    if (inspect_open(&inspect, directory, true, &fault) != ERR_NONE)
        return 0;
    while (cursor.shard < inspect_shards(inspect)) {
        enum err err = inspect_list(inspect_writer(inspect, cursor.shard), &cursor, count_object, &listed);
        CHECK(err == ERR_NONE);
    }
    for (unsigned i = 0; i < inspect_shards(inspect); i++)
        inspect_count(inspect_writer(inspect, i), &info);
    CHECK(listed <= info.objects);
    inspect_close(&inspect);
    return listed;
}
