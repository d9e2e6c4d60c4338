/* live.h: what a load sees while it runs: one line on the terminal, drawn anew each second.
 *
 *      worker ──live_tell──▶ its tally, copied ─┐
 *      worker ──live_tell──▶ its tally, copied ─┴─▶ live_watch: all of them, less those of a second ago
 *
 *      "  12 s      54,321/s   p50  1.02 ms   p99  3.4 ms   hits  98.7%   errors 0"
 *
 * The main thread watches while the workers work; nothing of it is in the way of a request.
 */
#ifndef BENCH_LIVE_H
#define BENCH_LIVE_H

#include "tally.h"

#include <stdio.h>

struct live;

/* NULL when memory ends. */
struct live *live_create(unsigned workers);
void         live_destroy(struct live **live);

/* A worker: this is what I have seen so far. Now and then, and cheap beside its work. */
void live_tell(struct live *live, unsigned worker, const struct tally *tally, mono_time now);

/* A worker: I am done. Each says so once. */
void live_leave(struct live *live);

/* Draws a line a second until all workers have left, and clears it. */
void live_watch(struct live *live, FILE *out);

/* Whether a line that is drawn anew makes sense there: it is a terminal, and knows how. */
bool live_is_wanted(FILE *out);

/* The line, from two looks at one load. NUL-terminated, returns out. For live.c, and for tests. */
enum { LIVE_LINE_SIZE = 256 };
const char *live_line(const struct tally *now, const struct tally *before, char out[static LIVE_LINE_SIZE]);

#endif
