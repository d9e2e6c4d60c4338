/* report.h: what is wrong with a configuration, said so that the place is found at a glance.
 *
 *      larder.conf:14:5: error: unknown directive "orign" in site "shop.example.com"
 *         14 |     orign 127.0.0.1:8080
 *            |     ^~~~~ did you mean "origin"?
 *
 * All findings of a load are collected, not only the first, and printed in the order of the files. A report
 * is bounded: what is over REPORT_MAX is only counted. Owner: whoever loads.
 */
#ifndef LARDER_CONFIG_REPORT_H
#define LARDER_CONFIG_REPORT_H

#include <larder/base/span.h>
#include <stdio.h>

enum { REPORT_MAX = 100 };

struct finding {
    unsigned file; /* in the order of reading */
    unsigned line, column;
    bool     is_warning;
    char    *text; /* all its lines */
};

struct report {
    struct finding findings[REPORT_MAX];
    size_t         count;
    unsigned       files; /* read so far */
    unsigned       errors, warnings;
};

void report_init(struct report *report);
void report_fini(struct report *report);

/* The findings in order, without a closing line. */
void report_print(const struct report *report, FILE *out);

/* "1 file, 3 errors" / "2 files, 1 error, 4 warnings"; NUL-terminated, returns out. */
enum { REPORT_COUNTS_SIZE = 96 };
const char *report_counts(const struct report *report, char out[static REPORT_COUNTS_SIZE]);

#endif
