/* reuse.c: the questions at a hit, cheapest first.
 *
 * A client's directives can only make it stricter, but for max-stale: that one yields to an origin that forbids stale answers.
 */
#include <larder/cache/reuse.h>

/* Whether the request may have directives that we obey. */
static bool
has_directives(const struct head *request, const struct cache_settings *settings)
{
    bool any = settings->client_no_cache || settings->client_max_age || settings->client_max_stale
               || settings->client_min_fresh;
    return any && (head_has(request, FIELD_CACHE_CONTROL) || head_has(request, FIELD_PRAGMA));
}

/* RFC 9111 §5.4: Pragma is read where Cache-Control is absent. */
static bool
asks_for_validation(const struct head *request, const struct cache_control *asked)
{
    return asked->no_cache || (!asked->present && head_lists_token(request, FIELD_PRAGMA, SPAN("no-cache")));
}

/* RFC 9111 §5.2.1.1: who says max-age does not want a stale answer either, unless max-stale is there too. */
static bool
is_beyond_max_age(const struct object *object, const struct cache_control *asked,
                  const struct cache_settings *settings, wall_time now)
{
    bool stale_too = settings->client_max_stale && asked->max_stale != DELTA_ABSENT;

    return wall_since(now, object->born) > asked->max_age * NSEC_PER_SEC
           || (!stale_too && now.ns >= object->fresh_until.ns);
}

/* RFC 9111 §5.2.1.1, §5.2.1.3, §5.2.1.4 */
static bool
is_too_old_for(const struct object *object, const struct head *request, const struct cache_control *asked,
               const struct cache_settings *settings, wall_time now)
{
    if (settings->client_no_cache && asks_for_validation(request, asked))
        return true;
    if (settings->client_max_age && asked->max_age >= 0 && is_beyond_max_age(object, asked, settings, now))
        return true;
    return settings->client_min_fresh && asked->min_fresh >= 0
           && wall_since(object->fresh_until, now) < asked->min_fresh * NSEC_PER_SEC;
}

/* RFC 9111 §5.2.1.2 */
static bool
takes_stale(const struct object *object, const struct cache_control *asked,
            const struct cache_settings *settings, wall_time now)
{
    if (!settings->client_max_stale || (object->flags & OBJECT_STRICT))
        return false;
    return asked->max_stale == DELTA_ANY
           || (asked->max_stale >= 0
               && wall_since(now, object->fresh_until) <= asked->max_stale * NSEC_PER_SEC);
}

static enum reuse
decide(const struct object *object, wall_time now, enum reason *reason)
{
    if (object->flags & OBJECT_ALWAYS_VALIDATE) {
        *reason = REASON_ALWAYS_VALIDATE;
        return REUSE_VALIDATE;
    }
    if (now.ns < object->fresh_until.ns)
        return REUSE_FRESH;
    *reason = REASON_STALE;
    return now.ns < object->refresh_until.ns ? REUSE_STALE : REUSE_VALIDATE;
}

enum reuse
reuse_decide(const struct object *object, const struct head *request, const struct cache_settings *settings,
             wall_time now, enum reason *reason)
{
    struct cache_control asked;

    *reason = REASON_NONE;
    enum reuse reuse = decide(object, now, reason);
    if (*reason == REASON_ALWAYS_VALIDATE || !has_directives(request, settings))
        return reuse;
    cache_control_parse(request, &asked);
    if (is_too_old_for(object, request, &asked, settings, now)) {
        *reason = REASON_CLIENT;
        return REUSE_VALIDATE;
    }
    if (reuse == REUSE_VALIDATE && takes_stale(object, &asked, settings, now))
        return REUSE_STALE;
    return reuse;
}

bool
reuse_on_error(const struct object *object, wall_time now)
{
    return !(object->flags & OBJECT_ALWAYS_VALIDATE) && now.ns < object->error_until.ns;
}

bool
reuse_forbids_storing(const struct head *request, const struct cache_settings *settings)
{
    struct cache_control asked;

    if (!settings->client_no_store || !head_has(request, FIELD_CACHE_CONTROL))
        return false;
    cache_control_parse(request, &asked);
    return asked.no_store; /* RFC 9111 §5.2.1.5 */
}

bool
reuse_only_if_cached(const struct head *request, const struct cache_settings *settings)
{
    struct cache_control asked;

    if (!settings->client_only_if_cached || !head_has(request, FIELD_CACHE_CONTROL))
        return false;
    cache_control_parse(request, &asked);
    return asked.only_if_cached; /* RFC 9111 §5.2.1.7 */
}

bool
reuse_has_credentials(const struct head *request, const struct cache_settings *settings)
{
    return (head_has(request, FIELD_COOKIE) && !settings->ignore_cookies)
           || head_has(request, FIELD_AUTHORIZATION);
}
