/* api.c: paths and methods. A new question to the server is one row here and one handler. */
#include "api.h"

struct route {
    enum method method;
    const char *path;
    void (*handle)(struct conn *conn, const struct api_request *request);
};

static const struct route routes[] = {
    { METHOD_GET, "/v1/stats", stats_handle },
    { METHOD_POST, "/v1/purge", purge_handle },
    { METHOD_GET, "/v1/store/info", store_info_handle },
    { METHOD_GET, "/v1/store/objects", store_objects_handle },
    { METHOD_GET, "/v1/store/verify", store_verify_handle },
};

/* HEAD is GET without the body (RFC 9110 §9.3.2); the connection leaves that out. */
static enum method
effective(enum method method)
{
    return method == METHOD_HEAD ? METHOD_GET : method;
}

static void
refuse_method(struct conn *conn, const struct route *route)
{
    const char *allow = route->method == METHOD_GET ? "GET, HEAD" : "POST";
    conn_answer(conn, 405,
                json_pack("{s:o}", "error", json_sprintf("%s takes only the method %s.", route->path, allow)),
                allow);
}

void
api_handle(struct conn *conn, const struct api_request *request)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!span_equal(request->path, span_of_text(routes[i].path)))
            continue;
        if (effective(request->method) == routes[i].method)
            routes[i].handle(conn, request);
        else
            refuse_method(conn, &routes[i]);
        return;
    }
    conn_refuse(conn, 404,
                "There is nothing at this path; there are /v1/stats, /v1/purge, /v1/store/info, "
                "/v1/store/objects and /v1/store/verify.");
}
