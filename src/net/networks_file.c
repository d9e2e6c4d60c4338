/* networks_file.c: networks from a file, one in a line. The first line that is none is the fault, and no set is made. */
#include <larder/net/networks.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── text ── */

struct list {
    struct network *rows;
    size_t          count, room;
};

static enum err
add(struct list *list, const struct network *network)
{
    if (list->count == NETWORKS_MAX)
        return ERR_LIMIT;
    if (list->count == list->room) {
        size_t          room = list->room == 0 ? 256 : 2 * list->room;
        struct network *rows = realloc(list->rows, room * sizeof rows[0]);
        if (rows == NULL)
            return ERR_NO_MEMORY;
        list->rows = rows;
        list->room = room;
    }
    list->rows[list->count++] = *network;
    return ERR_NONE;
}

/* A line without its comment, its spaces, and the CR of an editor elsewhere. */
static struct span
strip(struct span line)
{
    ssize_t comment = span_find(line, '#');

    if (comment >= 0)
        line = span_head(line, (size_t)comment);
    if (span_ends(line, SPAN("\r")))
        line.len--;
    return span_trim(line);
}

static enum err
read_lines(struct list *list, struct span text, const char *name, struct fault *fault)
{
    struct span    rest = text, line;
    struct network network;
    struct fault   why;

    for (unsigned number = 1; span_split(&rest, '\n', &line); number++) {
        line = strip(line);
        if (line.len == 0)
            continue;
        enum err err = network_parse(line, &network, &why);
        if (err != ERR_NONE)
            return fault_set(fault, err, "%s:%u: %s", name, number, why.text);
        err = add(list, &network);
        if (err == ERR_LIMIT)
            return fault_set(fault, err, "%s:%u: at most %d networks in a file", name, number, NETWORKS_MAX);
        if (err != ERR_NONE)
            return fault_set(fault, err, "%s:%u: %s", name, number, err_text(err));
    }
    return ERR_NONE;
}

enum err
networks_read(struct networks **networks, struct span text, const char *name, struct fault *fault)
{
    struct list list = { .rows = NULL };

    *networks = NULL;
    enum err err = read_lines(&list, text, name, fault);
    if (err == ERR_NONE && networks_create(networks, list.rows, list.count) != ERR_NONE)
        err = fault_set(fault, ERR_NO_MEMORY, "%s: out of memory", name);
    free(list.rows);
    return err;
}

/* ── files ── */

/* The whole of it, to be freed; a file that grows meanwhile is read as far as it was long. */
static enum err
read_whole(int fd, const char *path, char **text, size_t *len, struct fault *fault)
{
    struct stat stat;

    *text = NULL;
    if (fstat(fd, &stat) != 0)
        return fault_set_errno(fault, errno, "cannot read %s", path);
    if (!S_ISREG(stat.st_mode))
        return fault_set(fault, ERR_UNSUPPORTED, "cannot read %s: it is no file", path);
    if (stat.st_size > NETWORKS_FILE_MAX)
        return fault_set(fault, ERR_LIMIT, "cannot read %s: it is longer than %d bytes", path,
                         NETWORKS_FILE_MAX);
    size_t wanted = (size_t)stat.st_size;
    *text = malloc(wanted + 1);
    if (*text == NULL)
        return fault_set(fault, ERR_NO_MEMORY, "cannot read %s: out of memory", path);
    for (*len = 0; *len < wanted;) {
        ssize_t n = read(fd, *text + *len, wanted - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fault_set_errno(fault, errno, "cannot read %s", path);
        if (n == 0)
            break;
        *len += (size_t)n;
    }
    return ERR_NONE;
}

/* Without O_NONBLOCK the open of a FIFO would wait for its writer. */
enum err
networks_read_file(struct networks **networks, const char *path, struct fault *fault)
{
    char  *text = NULL;
    size_t len = 0;
    int    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    *networks = NULL;
    if (fd < 0)
        return fault_set_errno(fault, errno, "cannot read %s", path);
    enum err err = read_whole(fd, path, &text, &len, fault);
    close(fd);
    if (err == ERR_NONE)
        err = networks_read(networks, span_of(text, len), path, fault);
    free(text);
    return err;
}
