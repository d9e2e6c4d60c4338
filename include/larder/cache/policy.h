/* policy.h: the decisions of RFC 9111 as pure functions: (request, answer, settings, now) → verdict with a reason.
 *
 * Nothing here looks anything up or sends anything. The reason goes to Cache-Status, to the log and to the counters;
 * `larder explain` will call the same functions.
 */
#ifndef LARDER_CACHE_POLICY_H
#define LARDER_CACHE_POLICY_H

#include <larder/base/metric.h>
#include <larder/cache/settings.h>
#include <larder/http/cache_control.h>
#include <larder/http/message.h>

/* Why an answer is not taken from the cache, or not put into it. The text is for people. */
#define REASON_TABLE(X)                                                                                      \
    X(NONE, "none", "nothing speaks against it")                                                             \
    X(METHOD, "method", "the method is neither GET nor HEAD")                                                \
    X(CLIENT, "client-directive", "the client asked for a fresh answer")                                     \
    X(BODY, "request-body", "a GET or HEAD with a body")                                                     \
    X(UPGRADE, "upgrade", "the client asks for another protocol")                                            \
    X(AUTHORIZATION, "authorization",                                                                        \
      "Authorization, and the answer does not allow sharing (RFC 9111 §3.5)")                                \
    X(COOKIE, "cookie", "Cookie, and the origin gives no explicit freshness")                                \
    X(NO_STORE, "no-store", "Cache-Control: no-store")                                                       \
    X(PRIVATE, "private", "Cache-Control: private")                                                          \
    X(SET_COOKIE, "set-cookie", "the answer sets a cookie")                                                  \
    X(STATUS, "status", "the status is not one to store without explicit freshness")                         \
    X(PARTIAL, "partial", "a partial answer")                                                                \
    X(CONDITION, "condition", "an answer to a condition, range or expectation of the request")               \
    X(VARY_CHANGED, "vary-changed", "Vary changed while the answer was validated")                           \
    X(DECEPTION, "deception", "HTML under the name of a file, and the origin gives no explicit freshness")    \
    X(NO_FRESHNESS, "no-freshness", "no lifetime, and nothing to revalidate with")                           \
    X(VARY_STAR, "vary-star", "Vary: *")                                                                     \
    X(VARY_LIMIT, "vary-limit", "too many selecting fields or variants")                                     \
    X(TOO_LARGE, "too-large", "the body is longer than a record of the store")                               \
    X(HEAD_TOO_LARGE, "head-too-large", "the head is longer than the store takes")                           \
    X(STALE, "stale", "stale, and sent while it is refreshed (stale-while-revalidate, grace)")               \
    X(STALE_IF_ERROR, "stale-if-error", "the origin failed, and a stale answer stands in")                   \
    X(ALWAYS_VALIDATE, "no-cache", "the answer has to be validated for each request")                        \
    X(KNOWN_UNCACHEABLE, "known-uncacheable", "the last answer could not be stored")                         \
    X(PURGED, "purged", "purged while it was fetched")                                                       \
    X(CUT, "cut", "the answer ended early")                                                                  \
    X(NO_ROOM, "no-room", "the store has no room")                                                           \
    X(NO_MEMORY, "no-memory", "memory ran out")

enum reason {
#define REASON_ENUM(id, name, text) REASON_##id,
    REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
        REASON_COUNT
};
const char *reason_name(enum reason reason);
const char *reason_text(enum reason reason);

/* Whether it lies in the answer, and so holds for the next request as well, not in this request or in us. */
bool reason_is_of_answer(enum reason reason);

/* How often each was given; a worker has its own. The rows say the texts. */
struct reason_metrics {
    metric_cell given[REASON_COUNT];
};
extern const struct metric_table reason_metrics_table;

/* May this request be answered from the cache, and may its answer be shared? REASON_NONE: yes. Others: pass. */
enum reason policy_request(const struct head *request, bool has_body);

/* Where a lifetime came from. */
enum lifetime_source {
    LIFETIME_NONE,
    LIFETIME_S_MAXAGE,
    LIFETIME_MAX_AGE,
    LIFETIME_EXPIRES,
    LIFETIME_HEURISTIC, /* from here on it is our assumption, not the origin's word */
    LIFETIME_DEFAULT
};
const char *lifetime_source_name(enum lifetime_source source);

/* How an answer may be kept. Times are wall times: `born` is the moment at which its Age was 0 (RFC 9111 §4.2.3). */
struct verdict {
    bool                 store;
    enum reason          reason; /* why not, when !store */
    enum lifetime_source source;
    bool                 always_validate; /* no-cache: never fresh, but worth keeping */
    bool                 strict;   /* must-revalidate and its kin: never stale without a word of the origin */
    bool                 implicit; /* the freshness is our assumption: not for requests with Cookie */
    bool                 reusable; /* it may answer other requests as it came, without asking again */
    wall_time            born;
    wall_time            fresh_until;   /* born + lifetime */
    wall_time            refresh_until; /* until then it may be sent while one request refreshes it */
    wall_time            error_until;   /* until then it may stand in for an origin that fails */
    wall_time            expires;       /* drop it then */
    struct span hidden[2]; /* fields that are not stored: no-cache="…", private="…" (RFC 9111 §5.2.2) */
};

void verdict_hide(struct verdict *verdict, const struct cache_control *said);
bool verdict_hides(const struct verdict *verdict, struct span name);

/* `requested` and `received`: when we asked and when the head came. A POST is only asked about when its answer says that it is the answer to
 * a GET of the same URL (RFC 9110 §9.3.3). Spans of the verdict point into the response. */
void policy_answer(const struct head *request, const struct head *response,
                   const struct cache_settings *settings, wall_time requested, wall_time received,
                   struct verdict *verdict);

#endif
