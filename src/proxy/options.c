/* options.c: the tables of the proxy: limits of the client side, and counters. */
#include <larder/http/range.h>
#include <larder/proxy/worker.h>

#define ROW(name, type, member, least, most, initial, help)                                                  \
    {                                                                                                        \
        name, OPTION_##type, offsetof(struct proxy_settings, member), least, most, initial, help             \
    }

#define HOUR (3600 * NSEC_PER_SEC)

static const struct option_row rows[] = {
    ROW("idle-timeout", TIME, idle_timeout, NSEC_PER_MSEC, 24 * HOUR, 60 * NSEC_PER_SEC,
        "A connection without a request is closed after this time."),
    ROW("head-timeout", TIME, head_timeout, NSEC_PER_MSEC, HOUR, 10 * NSEC_PER_SEC,
        "A request's head must be whole this long after its first byte, else the answer is 408."),
    ROW("body-timeout", TIME, body_timeout, NSEC_PER_MSEC, HOUR, 30 * NSEC_PER_SEC,
        "The longest pause between two pieces of a request's body."),
    ROW("send-timeout", TIME, send_timeout, NSEC_PER_MSEC, HOUR, 60 * NSEC_PER_SEC,
        "A client that takes nothing of its answer for this long is disconnected."),
    ROW("exchange-timeout", TIME, exchange_timeout, 0, 24 * HOUR, 0,
        "The longest time from the first byte of a request to the last of its answer, however both move on; then the answer is 408 when the "
        "client was late, 504 when the origin was, and one that has begun is broken off. Not for upgraded connections. 0: any time."),
    ROW("stop-timeout", TIME, stop_timeout, 0, 24 * HOUR, 30 * NSEC_PER_SEC,
        "After SIGTERM, answers under way may take this long to end."),
    ROW("head-size", SIZE, head_size, 1024, 24 * 1024, 16 * 1024,
        "The longest head of a request, else the answer is 431."),
    ROW("head-fields", COUNT, head_fields, 16, 256, 128,
        "The most fields in the head of a request, else the answer is 431."),
    ROW("target-size", SIZE, target_size, 256, 16 * 1024, 8 * 1024,
        "The longest target (path and query) of a request, else the answer is 414."),
    ROW("body-size", SIZE, body_size, 0, INT64_MAX, 0,
        "The longest body of a request, else the answer is 413; 0: any length."),
    ROW("extension-size", SIZE, extension_size, 0, 1024 * 1024, 16 * 1024,
        "The most bytes of chunk extensions in a request's body, else the answer is 400; and in an origin's answer, else it is broken off."),
    ROW("trailer-size", SIZE, trailer_size, 1024, 1024 * 1024, 8 * 1024,
        "The longest trailer section behind a request's body, else the answer is 400; and behind an origin's answer, else it is broken off."),
    ROW("body-rate", SIZE, body_rate, 0, INT64_MAX, 0,
        "A request's body must come with so many bytes each second, over 5 seconds; 0: as slowly as body-timeout lets it."),
    ROW("send-rate", SIZE, send_rate, 0, INT64_MAX, 0,
        "A client must take so many bytes of its answer each second, over 5 seconds; 0: as slowly as send-timeout lets it."),
    ROW("requests-per-connection", COUNT, requests_each, 0, INT64_MAX, 0,
        "A connection is closed after so many requests; 0: any number."),
    ROW("pipelined-requests", COUNT, pipeline_turn, 1, 1000, 32,
        "Requests that a client sent without waiting and that are answered in one go; those behind them come after all that wait."),
    ROW("ranges", COUNT, ranges, 1, RANGES_MAX, RANGES_MAX,
        "The most ranges in one request. With more, Range is ignored, and the answer is the whole."),
    ROW("connections", COUNT, connections, 0, INT64_MAX, 0,
        "Connections of all clients. When there are so many, idle ones are closed for new ones, and if there is none the new one is refused; 0: as many as there are descriptors."),
    ROW("connections-per-client", COUNT, connections_each, 0, INT64_MAX, 0,
        "Connections of one client (an address; of IPv6, a /64). More are refused; 0: any number."),
};

const struct option_table proxy_options = { rows, sizeof rows / sizeof rows[0] };

#define METRIC_TYPE_ struct proxy_metrics
METRIC_TABLE(proxy_metrics, "proxy", PROXY_METRICS);

static const struct metric_row refusal_rows[] = {
#define REFUSAL_METRIC(id, status, name)                                                                     \
    { name, METRIC_COUNTER, "requests", "Requests refused (" #status "): " name ".",                         \
      offsetof(struct refusal_metrics, given) + REFUSAL_##id * sizeof(metric_cell) },
    REFUSAL_TABLE(REFUSAL_METRIC)
#undef REFUSAL_METRIC
};

/* The first is for what is not refused. */
const struct metric_table refusal_metrics_table = { "refused", refusal_rows + 1, REFUSAL_COUNT - 1 };
