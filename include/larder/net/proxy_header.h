/* proxy_header.h: the PROXY protocol: what a load balancer that only passes bytes on says before them of the client.
 *
 *      "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n"  GET / HTTP/1.1 ...        version 1
 *      \r\n\r\n\0\r\nQUIT\n 0x21 0x11 len  addresses  TLVs   GET / HTTP/1.1 ...     version 2
 *
 * Source: "The PROXY protocol, versions 1 and 2", W. Tarreau, 2020 (HAProxy's doc/proxy-protocol.txt). Strict where it leaves a
 * choice: one header, exactly as the grammar says, or none of the connection is believed. Refused are lines of more than 107
 * bytes, addresses that are not of the family that was said, datagrams, and headers of version 2 of more than PROXY_HEADER_MAX
 * bytes. TLVs must fit into the header and are skipped; a checksum among them is not looked at.
 *
 * Bytes in, a header out; no I/O, no memory. Who may send one at all is the caller's business.
 */
#ifndef LARDER_NET_PROXY_HEADER_H
#define LARDER_NET_PROXY_HEADER_H

#include <larder/net/addr.h>

enum { PROXY_LINE_MAX = 107, PROXY_HEADER_MAX = 4096 };

struct proxy_header {
    bool has_source; /* false: UNKNOWN, LOCAL, or a Unix socket: the connection's own addresses count */
    struct addr source, destination;
};

/* Parses a header at the start of `bytes`. ERR_NONE: *size bytes belong to it. ERR_AGAIN: not all there yet, and
 * nothing wrong so far. ERR_SYNTAX: it is none; *why says it in words. However the bytes are cut, the verdict is the
 * same. */
MUST_CHECK enum err proxy_header_parse(struct span bytes, struct proxy_header *header, size_t *size,
                                       const char **why);

#endif
