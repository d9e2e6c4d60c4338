/* source.c: reading files, once and whole, and refusing those that are no text. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── the memory of a load ── */

enum { CHUNK = 16 * 1024 };

void
loading_init(struct loading *loading, struct report *report, bool strict)
{
    *loading = (struct loading){ .report = report, .strict = strict };
    slab_init(&loading->slab, CHUNK, 0);
    arena_init(&loading->arena, &loading->slab, LOADING_LIMIT);
}

void
loading_fini(struct loading *loading)
{
    arena_reset(&loading->arena);
    slab_fini(&loading->slab);
}

void *
loading_alloc(struct loading *loading, size_t size)
{
    void *memory = arena_alloc(&loading->arena, size == 0 ? 1 : size);
    if (memory == NULL)
        loading->exhausted = true;
    else
        memset(memory, 0, size);
    return memory;
}

char *
loading_text(struct loading *loading, struct span text)
{
    char *copy = loading_alloc(loading, text.len + 1);
    if (copy != NULL && text.len > 0)
        memcpy(copy, text.at, text.len);
    return copy;
}

/* ── files ── */

static enum err
read_all(int fd, const char *path, char *into, size_t room, size_t *got, struct fault *fault)
{
    *got = 0;
    while (*got < room) {
        ssize_t n = read(fd, into + *got, room - *got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set_errno(fault, errno, "cannot read %s", path);
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return ERR_NONE;
}

/* A file may grow, or be a pipe: it is read to its end, or to one byte more than it may have. */
static enum err
read_open(struct loading *loading, int fd, const char *path, size_t most, struct span *bytes,
          struct fault *fault)
{
    struct stat stat;
    size_t      got;

    if (fstat(fd, &stat) != 0)
        return fault_set_errno(fault, errno, "cannot read %s", path);
    if (S_ISDIR(stat.st_mode))
        return fault_set_errno(fault, EISDIR, "cannot read %s", path);
    size_t room =
        S_ISREG(stat.st_mode) && (uint64_t)stat.st_size < most ? (size_t)stat.st_size + 1 : most + 1;
    char *into = loading_alloc(loading, room);
    if (into == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "cannot read %s: out of memory", path);
    enum err err = read_all(fd, path, into, room, &got, fault);
    if (err != ERR_NONE)
        return err;
    if (got > most)
        return fault_set(fault, ERR_LIMIT, "cannot read %s: it is longer than %zu bytes", path, most);
    *bytes = span_of(into, got);
    return ERR_NONE;
}

enum err
source_read_bytes(struct loading *loading, const char *path, size_t most, struct span *bytes,
                  struct fault *fault)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fault_set_errno(fault, errno, "cannot read %s", path);
    enum err err = read_open(loading, fd, path, most, bytes, fault);
    close(fd);
    return err;
}

/* ── text ── */

/* The length of the UTF-8 sequence (RFC 3629) at the front, 0 when there is none. */
static size_t
sequence_length(struct span text)
{
    unsigned char first = (unsigned char)text.at[0];
    size_t        length = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                           : first < 0xf5 ? 4
                                          : 0;

    if (length > text.len)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text.at[i] & 0xc0) != 0x80)
            return 0;
    unsigned char second = length < 2 ? 0 : (unsigned char)text.at[1];
    bool          overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    bool          outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    return overlong || outside ? 0 : length;
}

/* A CR is text only in the end of a line: elsewhere it would be part of words, and in messages hide what is before it. */
static bool
is_control(struct span text)
{
    char c = text.at[0];

    if (c == '\r')
        return text.len < 2 || text.at[1] != '\n';
    return ((unsigned char)c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

static enum err
check_text(struct span text, const char *path, struct fault *fault)
{
    unsigned line = 1;

    for (size_t i = 0; i < text.len;) {
        size_t length = sequence_length(span_skip(text, i));
        if (length == 0)
            return fault_set(fault, ERR_SYNTAX, "%s:%u: the file is not UTF-8 text", path, line);
        if (is_control(span_skip(text, i)))
            return fault_set(fault, ERR_SYNTAX, "%s:%u: control character 0x%02x", path, line,
                             (unsigned)(unsigned char)text.at[i]);
        line += text.at[i] == '\n';
        i += length;
    }
    return ERR_NONE;
}

enum err
source_read(struct loading *loading, const char *path, unsigned depth, struct source **out,
            struct fault *fault)
{
    if (loading->report->files == SOURCES_MAX)
        return fault_set(fault, ERR_LIMIT, "cannot read %s: at most %d files make up a configuration", path,
                         SOURCES_MAX);
    struct source *source = loading_alloc(loading, sizeof *source);
    char          *name = loading_text(loading, span_of_text(path));
    if (source == NULL || name == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "cannot read %s: out of memory", path);
    enum err err = source_read_bytes(loading, path, SOURCE_SIZE_MAX, &source->text, fault);
    if (err != ERR_NONE)
        return err;
    err = check_text(source->text, path, fault);
    if (err != ERR_NONE)
        return err;
    source->name = name;
    source->number = ++loading->report->files;
    source->depth = depth;
    *out = source;
    return ERR_NONE;
}

const char *
source_resolve(struct loading *loading, const struct source *source, struct span path)
{
    const char *slash = source->text.at == NULL ? NULL : strrchr(source->name, '/');

    if (slash == NULL || span_starts(path, SPAN("/")))
        return loading_text(loading, path);
    size_t folder = (size_t)(slash - source->name) + 1;
    char  *joined = loading_alloc(loading, folder + path.len + 1);
    if (joined == NULL)
        return NULL;
    memcpy(joined, source->name, folder);
    memcpy(joined + folder, path.at, path.len);
    return joined;
}
