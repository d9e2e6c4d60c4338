/* structured_bytes.h: the classes of bytes in structured fields (RFC 8941 §3), for reading and writing. */
#ifndef LARDER_HTTP_STRUCTURED_BYTES_H
#define LARDER_HTTP_STRUCTURED_BYTES_H

#include <larder/base/span.h>

#include "bytes.h"

static inline bool
sf_is_alpha(char byte)
{
    return ascii_lower(byte) >= 'a' && ascii_lower(byte) <= 'z';
}

/* sf-token: ( ALPHA / "*" ) *( tchar / ":" / "/" ) */
static inline bool
sf_starts_token(char byte)
{
    return sf_is_alpha(byte) || byte == '*';
}

static inline bool
sf_continues_token(char byte)
{
    return byte_is(byte, BYTE_TOKEN) || byte == ':' || byte == '/';
}

/* key: ( lcalpha / "*" ) *( lcalpha / DIGIT / "_" / "-" / "." / "*" ) */
static inline bool
sf_starts_key(char byte)
{
    return (byte >= 'a' && byte <= 'z') || byte == '*';
}

static inline bool
sf_continues_key(char byte)
{
    return sf_starts_key(byte) || byte_is(byte, BYTE_DIGIT) || byte == '_' || byte == '-' || byte == '.';
}

#endif
