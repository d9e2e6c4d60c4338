/* kept.c: connections between two fetches.
 *
 * The latest one is used first: the others grow old and are closed. A kept connection that becomes readable has ended or says something
 * that nobody asked for; either way it is closed and never used again. So is one to an address that the origin's name no longer has:
 * else an origin that moved would be asked at its old place for as long as there is traffic.
 */
#include "fetch_impl.h"
#include "pool_impl.h"

#include <larder/base/check.h>

static void
handle_ready(struct stream *stream, unsigned events)
{
    struct connection *connection = CONTAINER_OF(stream, struct connection, stream);

    if (events & STREAM_END)
        connection->ending = true;
    if (connection->fetch != NULL)
        fetch_handle(connection->fetch);
    else
        kept_handle(connection);
}

static void
fire_timer(struct timer *timer)
{
    struct connection *connection = CONTAINER_OF(timer, struct connection, timer);
    connection_close(&connection, false);
}

struct connection *
connection_create(struct origin *origin, struct pool *pool)
{
    struct connection *connection = slab_alloc(&origin->connections);
    if (connection == NULL)
        return NULL;
    *connection = (struct connection){ .origin = origin, .pool = pool_acquire(pool) };
    stream_init(&connection->stream, handle_ready);
    list_init(&connection->node);
    timer_init(&connection->timer, fire_timer);
    buf_init(&connection->in, &origin->buffers);
    metric_add(&origin->metrics->connections, 1);
    return connection;
}

static void
leave_list(struct connection *connection)
{
    if (list_empty(&connection->node))
        return;
    list_remove(&connection->node);
    connection->origin->kept_count--;
    timer_cancel(connection->origin->loop, &connection->timer);
    metric_sub(&connection->origin->metrics->connections_unused, 1);
}

void
connection_close(struct connection **pointer, bool abort)
{
    struct connection *connection = *pointer;
    *pointer = NULL;
    if (connection == NULL)
        return;
    struct origin *origin = connection->origin;
    leave_list(connection);
    if (abort)
        stream_abort(&connection->stream);
    else
        stream_close(&connection->stream);
    buf_fini(&connection->in);
    pool_release(&connection->pool);
    metric_sub(&origin->metrics->connections, 1);
    slab_free(&origin->connections, connection);
}

void
kept_handle(struct connection *connection)
{
    if (!stream_is_quiet(&connection->stream))
        connection_close(&connection, false);
}

/* Its address is looked for only when the pool's have changed. */
static bool
leads_to_pool(struct connection *connection)
{
    unsigned generation = pool_generation(connection->pool);

    if (connection->generation == generation)
        return true;
    connection->generation = generation;
    return pool_has(connection->pool, &connection->addr);
}

struct connection *
kept_take(struct origin *origin, struct pool *pool)
{
    LIST_EACH(&origin->kept, node)
    {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);
        if (connection->pool != pool)
            continue;
        leave_list(connection);
        if (leads_to_pool(connection) && stream_is_quiet(&connection->stream))
            return connection;
        connection_close(&connection, false);
    }
    return NULL;
}

static uint64_t
count_of(struct origin *origin, const struct pool *pool, struct connection **oldest)
{
    uint64_t count = 0;
    LIST_EACH(&origin->kept, node)
    {
        struct connection *connection = CONTAINER_OF(node, struct connection, node);
        if (connection->pool == pool) {
            *oldest = connection;
            count++;
        }
    }
    return count;
}

/* Neither an end nor bytes behind the answer. What came together with it has no event of its own any more, and is looked for, unless the last
 * read has shown that there is nothing. */
static bool
has_nothing_to_say(struct connection *connection)
{
    return !connection->ending && (connection->drained || stream_is_quiet(&connection->stream));
}

void
kept_put(struct connection **pointer)
{
    struct connection          *connection = *pointer, *oldest = NULL;
    struct origin              *origin = connection->origin;
    const struct pool_settings *settings = pool_settings_of(connection->pool);

    if (settings->keep_connections == 0 || !has_nothing_to_say(connection)) {
        connection_close(pointer, false);
        return;
    }
    *pointer = NULL;
    if (origin->kept_count >= settings->keep_connections /* of all pools: seldom */
        && count_of(origin, connection->pool, &oldest) >= settings->keep_connections)
        connection_close(&oldest, false);
    connection->fetch = NULL;
    buf_return_if_empty(&connection->in);
    list_push_front(&origin->kept, &connection->node);
    origin->kept_count++;
    timer_set(origin->loop, &connection->timer, mono_add(loop_now(origin->loop), settings->keep_time));
    metric_add(&origin->metrics->connections_unused, 1);
}
