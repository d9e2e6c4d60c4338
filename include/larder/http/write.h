/* write.h: heads written as HTTP/1.1, into memory of fixed size.
 *
 * Larder never passes a peer's bytes on as a head: it writes its own, from checked parts. The writer remembers that the room was too small,
 * or that a part had a byte that the parser would refuse there (`failed`), so that a caller checks once at the end; after it nothing is written.
 */
#ifndef LARDER_HTTP_WRITE_H
#define LARDER_HTTP_WRITE_H

#include <larder/http/message.h>

struct writer {
    char  *at;
    size_t len, room;
    bool   failed;
};

void writer_init(struct writer *writer, char *at, size_t room);
void write_request_line(struct writer *writer, struct span method, struct span path, struct span query);
void write_status_line(struct writer *writer, unsigned status, struct span reason); /* empty reason: the registered one */
void write_field(struct writer *writer, struct span name, struct span value);
void write_field_u64(struct writer *writer, struct span name, uint64_t value);
void write_raw(struct writer *writer, struct span bytes);
void write_end(struct writer *writer); /* the empty line */

static inline struct span
writer_span(const struct writer *writer)
{
    return (struct span){ writer->at, writer->len };
}

#endif
