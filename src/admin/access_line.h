/* access_line.h: a record of the access log as a line. */
#ifndef ADMIN_ACCESS_LINE_H
#define ADMIN_ACCESS_LINE_H

#include <larder/http/write.h>
#include <larder/proxy/access.h>

/* No line is longer: every byte of a text is six at most. */
enum { ACCESS_LINE_MAX = 64 * 1024 };

/* The texts of dates, made once a second. */
struct access_dates {
    int64_t second; /* begin with INT64_MIN */
    char    json[24], combined[32];
    size_t  json_len, combined_len;
};

/* Appends the line with its newline. There must be room for ACCESS_LINE_MAX. */
void access_line_write(struct writer *writer, enum access_format format, struct access_dates *dates,
                       const struct access_record *record);

#endif
