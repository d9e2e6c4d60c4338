/* fuzz_proxy_header.c: any bytes as the beginning of a connection from a load balancer.
 *
 * Holds: what every prefix says does not contradict what the whole says; nothing is waited for beyond the bounds; the
 * addresses that were taken, written as a line, are read as the same.
 */
#include "fuzz.h"

#include <larder/net/proxy_header.h>
#include <stdio.h>

static void
check_prefixes(struct span bytes, enum err err, size_t size)
{
    struct proxy_header header;
    size_t              part_size;
    const char         *why;

    for (size_t length = 0; length < bytes.len && length <= PROXY_HEADER_MAX; length++) {
        enum err part = proxy_header_parse(span_head(bytes, length), &header, &part_size, &why);
        CHECK(part == ERR_AGAIN || part == err);
        CHECK(part != ERR_NONE || part_size == size);
        CHECK(err != ERR_NONE || (part == ERR_NONE) == (length >= size));
    }
}

static void
check_again(const struct proxy_header *header)
{
    char                source[ADDR_TEXT_SIZE], destination[ADDR_TEXT_SIZE], line[PROXY_LINE_MAX + 64];
    bool                is_ipv6 = header->source.storage.ss_family == AF_INET6;
    struct proxy_header again;
    size_t              size;
    const char         *why;

    addr_format_host(&header->source, source);
    addr_format_host(&header->destination, destination);
    if (is_ipv6 && (strchr(source, ':') == NULL || strchr(destination, ':') == NULL))
        return; /* IPv4 in IPv6 is written as IPv4 */
    int length = snprintf(line, sizeof line, "PROXY %s %s %s %u %u\r\n", is_ipv6 ? "TCP6" : "TCP4", source,
                          destination, (unsigned)addr_port(&header->source),
                          (unsigned)addr_port(&header->destination));
    CHECK(length > 0 && length <= PROXY_LINE_MAX);
    CHECK(proxy_header_parse(span_of(line, (size_t)length), &again, &size, &why) == ERR_NONE);
    CHECK(size == (size_t)length && again.has_source);
    CHECK(addr_equal(&again.source, &header->source) && addr_equal(&again.destination, &header->destination));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char               *copy = fuzz_copy(span_of(data, size));
    struct span         bytes = span_of(copy, size);
    struct proxy_header header;
    size_t              taken;
    const char         *why;

    enum err err = proxy_header_parse(bytes, &header, &taken, &why);
    CHECK(err == ERR_NONE || err == ERR_AGAIN || err == ERR_SYNTAX);
    CHECK(err != ERR_AGAIN || size < PROXY_HEADER_MAX);
    CHECK(err != ERR_NONE || (taken > 0 && taken <= size && taken <= PROXY_HEADER_MAX));
    CHECK((err == ERR_SYNTAX) == (*why != '\0'));
    check_prefixes(bytes, err, taken);
    if (err == ERR_NONE && header.has_source)
        check_again(&header);
    free(copy);
    return 0;
}
