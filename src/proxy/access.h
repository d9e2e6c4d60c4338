/* access.h: an exchange that is over becomes a record of the access log. */
#ifndef PROXY_ACCESS_H
#define PROXY_ACCESS_H

struct exchange;

/* Nothing without a log, or when there was no request. Before anything of the exchange is given back. */
void access_write(struct exchange *exchange);

#endif
