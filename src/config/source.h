/* source.h: the text that a configuration is read from, and places in it.
 *
 * A source is a file or, for the command line, one flag, which has a name and no text. The memory of a load
 * (struct loading) holds sources, tokens and statements, and goes away as a whole when the snapshot is
 * built.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <larder/base/arena.h>
#include <larder/base/err.h>
#include <larder/config/report.h>

enum { SOURCE_SIZE_MAX = 4 << 20, SOURCES_MAX = 256, INCLUDE_DEPTH_MAX = 8, LOADING_LIMIT = 64 << 20 };

struct source {
    const char *name;
    struct span text;   /* NULL pointer: a flag */
    unsigned    number; /* in the order of reading, from 1 */
    unsigned    depth;  /* 0: the file that was asked for */
};

/* A stretch of a source within one line. */
struct place {
    const struct source *source;
    size_t               offset, length; /* bytes */
    unsigned             line, column;   /* from 1; column counts characters. line 0: the source as a whole */
};

struct loading {
    struct slab    slab;
    struct arena   arena;
    struct report *report;
    bool           strict;
    bool           exhausted; /* memory ended; what follows is not to be trusted */
};

void loading_init(struct loading *loading, struct report *report, bool strict);
void loading_fini(struct loading *loading);

/* Zeroed; NULL sets `exhausted`. */
void *loading_alloc(struct loading *loading, size_t size);

/* A copy with a NUL behind it; NULL sets `exhausted`. */
char *loading_text(struct loading *loading, struct span text);

/* Reads a whole file as a source. The fault names the path. Text that is no UTF-8, or has control
 * characters, is refused. */
MUST_CHECK enum err source_read(struct loading *loading, const char *path, unsigned depth,
                                struct source **source, struct fault *fault);

/* The bytes of a file of at most `most` bytes, in the memory of the loading. */
MUST_CHECK enum err source_read_bytes(struct loading *loading, const char *path, size_t most,
                                      struct span *bytes, struct fault *fault);

/* A path as the source means it: relative ones begin at the folder of its file. NULL: memory ended. */
const char *source_resolve(struct loading *loading, const struct source *source, struct span path);

/* ── findings ── */
enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

/* `hint` (NULL: none) stands behind the caret. */
void report_add(struct loading *loading, enum severity severity, const struct place *place, const char *hint,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
