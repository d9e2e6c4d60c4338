/* report_style.h: the page's colours and layout, report/report.css, compiled in by embed.cmake. */
#ifndef BENCH_REPORT_STYLE_H
#define BENCH_REPORT_STYLE_H

#include "site.h"

extern const struct site_file report_files[];
extern const size_t           report_files_count;

#endif
