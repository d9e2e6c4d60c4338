/* cdn_loop.h: CDN-Loop (RFC 8586): whether a request was here before. */
#ifndef LARDER_HTTP_CDN_LOOP_H
#define LARDER_HTTP_CDN_LOOP_H

#include <larder/http/message.h>

/* How often `id` (a host, host:port or pseudonym) is a member of CDN-Loop, in any letter case, parameters
 * ignored. */
unsigned cdn_loop_count(const struct head *request, struct span id);

#endif
