/* load_print.h: the report of a load, for people and for programs.
 *
 * The JSON's names are documented in bench/README.md and stay as they are: scripts read them.
 */
#ifndef BENCH_LOAD_PRINT_H
#define BENCH_LOAD_PRINT_H

#include "load.h"

#include <stdio.h>

/* What is reported, beside the numbers. */
struct load_report {
    const struct texts     *urls;
    struct span             list; /* as given; empty: none */
    const struct load_plan *plan;
    const struct tally     *tally;
    const struct summary   *summary;
};

void load_print_text(const struct load_report *report, FILE *out);
void load_print_json(const struct load_report *report, FILE *out);

/* The same without its head and what it asked; of the JSON the members, without braces. */
void load_print_seen(const struct load_report *report, FILE *out);
void load_print_json_seen(const struct load_report *report, FILE *out);

/* The width for printf that gives so many columns: "µ" is one column and two bytes. */
int format_width(const char *text, int columns);

/* Right-aligned to `columns`. */
void print_right(const char *text, int columns, FILE *out);

/* A string with its quotes. */
void print_json_string(struct span text, FILE *out);

/* {"200":12,"404":1} of counts by status. */
void print_json_statuses(const uint64_t *counts, FILE *out);

/* 1234567 as "1,234,567". NUL-terminated, returns out. */
enum { GROUPED_SIZE = 32 };
const char *format_grouped(uint64_t number, char out[static GROUPED_SIZE]);

#endif
