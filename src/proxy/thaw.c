/* thaw.c: see thaw.h.
 *
 * The mail comes in any case, so a thaw lives until then, whether somebody still waits or not; the worker does
 * not end before.
 */
#include "thaw.h"

#include "relief.h"

#include <larder/base/check.h>

struct thaw {
    struct mail    mail;
    struct worker *worker;
    struct cold   *cold;
    struct list    exchanges;
};

/* A thread of the store. */
static void
post(void *context)
{
    struct thaw *thaw = context;
    loop_post(thaw->worker->loop, &thaw->mail);
}

static void
tell(struct exchange *exchange, const struct cold *cold)
{
    thaw_leave(exchange);
    if (exchange->step != STEP_LOOKUP)
        relief_take(exchange, cold);
    exchange_wake(exchange);
}

static void
deliver_mail(struct mail *mail)
{
    struct thaw   *thaw = CONTAINER_OF(mail, struct thaw, mail);
    struct worker *worker = thaw->worker;

    cold_end(thaw->cold);
    LIST_EACH(&thaw->exchanges, node)
    tell(CONTAINER_OF(node, struct exchange, thaw_node), thaw->cold);
    cold_release(&thaw->cold);
    slab_free(&worker->thaws_slab, thaw);
    worker->thaws--;
    worker_check_stopped(worker);
}

/* The thaw of that read, begun now if it was not; NULL when memory ends. Takes the reference over. */
static struct thaw *
open_thaw(struct worker *worker, struct cold *cold)
{
    struct thaw *thaw = cold_context(cold);

    if (thaw == NULL && (thaw = slab_alloc(&worker->thaws_slab)) != NULL) {
        *thaw = (struct thaw){ .mail = { .deliver = deliver_mail }, .worker = worker, .cold = cold };
        list_init(&thaw->exchanges);
        worker->thaws++;
        cold_begin(cold, post, thaw);
        return thaw;
    }
    cold_release(&cold);
    return thaw;
}

static void
join(struct thaw *thaw, struct exchange *exchange)
{
    CHECK(exchange->thaw == NULL);
    exchange->thaw = thaw;
    list_push_back(&thaw->exchanges, &exchange->thaw_node);
}

bool
thaw_read(struct exchange *exchange, struct cold *cold)
{
    struct cold_set *reads = &exchange->reads;

    if (reads->count == COLD_SET) {
        cold_release(&cold);
        return false;
    }
    struct thaw *thaw = open_thaw(exchange->worker, cold);
    if (thaw == NULL)
        return false;
    reads->reads[reads->count++] = cold_share(thaw->cold);
    join(thaw, exchange);
    return true;
}

bool
thaw_lease(struct exchange *exchange, struct cold *cold)
{
    struct thaw *thaw = open_thaw(exchange->worker, cold);
    if (thaw != NULL)
        join(thaw, exchange);
    return thaw != NULL;
}

void
thaw_leave(struct exchange *exchange)
{
    list_remove(&exchange->thaw_node);
    exchange->thaw = NULL;
}

size_t
thaw_size(void)
{
    return sizeof(struct thaw);
}
