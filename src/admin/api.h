/* api.h: the table of what can be asked, and the handlers. */
#ifndef ADMIN_API_H
#define ADMIN_API_H

#include "conn.h"

struct api_request {
    enum method method;
    struct span path;  /* without the query */
    struct span query; /* without the "?" */
    struct span body;
};

/* Finds the handler and calls it; what has none is refused (404, 405). */
void api_handle(struct conn *conn, const struct api_request *request);

/* GET /v1/stats */
void stats_handle(struct conn *conn, const struct api_request *request);

/* POST /v1/purge */
void purge_handle(struct conn *conn, const struct api_request *request);

/* GET /v1/store/info, /v1/store/objects?cursor=...&limit=..., /v1/store/verify?cursor=... */
void store_info_handle(struct conn *conn, const struct api_request *request);
void store_objects_handle(struct conn *conn, const struct api_request *request);
void store_verify_handle(struct conn *conn, const struct api_request *request);

#endif
