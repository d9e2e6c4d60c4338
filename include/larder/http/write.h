/* write.h: heads written as HTTP/1.1, into memory of fixed size.
 *
 * Larder never passes a peer's bytes on as a head: it writes its own, from checked parts. The writer remembers that the room was too small,
 * or that a part had a byte that the parser would refuse there (`failed`), so that a caller checks once at the end; after it nothing is written.
 */
#ifndef LARDER_HTTP_WRITE_H
#define LARDER_HTTP_WRITE_H

#include <larder/http/message.h>
#include <string.h>

struct writer {
    char  *at;
    size_t len, room;
    bool   failed;
};

void writer_init(struct writer *writer, char *at, size_t room);
void write_request_line(struct writer *writer, struct span method, struct span path, struct span query);
void write_field(struct writer *writer, struct span name, struct span value);

/* An empty reason stands for the registered one. */
void write_status_line(struct writer *writer, unsigned status, struct span reason);

/* A field whose value is a number. `label` is a literal, "Age: ": it is not looked at. */
void write_number(struct writer *writer, struct span label, uint64_t number);

/* Bytes that were checked, or are ours. */
static inline void
write_raw(struct writer *writer, struct span bytes)
{
    if (writer->failed || bytes.len > writer->room - writer->len) {
        writer->failed = true;
        return;
    }
    if (bytes.len > 0)
        memcpy(writer->at + writer->len, bytes.at, bytes.len);
    writer->len += bytes.len;
}

/* The empty line. */
void write_end(struct writer *writer);

static inline struct span
writer_span(const struct writer *writer)
{
    return (struct span){ writer->at, writer->len };
}

#endif
