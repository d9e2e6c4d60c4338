/* fuzz_store.c: a store's directory after a kill, a clean stop or a power failure, damaged as the bytes say.
 *
 *      templates (made once): killed │ stopped │ other boot ──copy──▶ directory ──edits──▶ store_open ──▶ look
 *
 * The first byte chooses the template, each 8 that follow are one edit: a file, what is done, where. Some edits
 * make the sums true again, so that what is behind them is reached.
 *
 * Holds: a start never crashes; what is found is byte for byte what was written under that key; what was removed
 * is not found, unless sums were forged; the store then goes on taking and evicting records. Looking at the
 * directory before (inspect.h) ends too, finds nothing damaged where nothing was, and where it finds nothing lists
 * what the start will find.
 */
#include "look.h"

#include "layout.h"
#include "recover.h"
#include "store_open.h"
#include "super.h"

#include <larder/base/check.h>
#include <larder/storage/store.h>

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SIZE = 8 << 20,
    SEGMENT = 256 * 1024,
    RECORDS = 90,
    REMOVED = 5,
    REPLACED = 3,
    BODY_MAX = 30000,
    KEY = 32
};
enum { FILES = 5, TEMPLATES = 3, EDIT = 8, EDITS_MAX = 64, SECTOR = 512 };

static const char *const names[FILES] = { "shard-00.dat", "journal-00.log", "index-00.snap", "super.A",
                                          "super.B" };

struct image {
    char  *bytes; /* NULL: there is no such file */
    size_t size;
};

static struct {
    char         directory[64];
    struct image images[TEMPLATES][FILES];
} fuzz;

/* ── records ── */

static void
fill_body(char *at, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i += sizeof seed) {
        seed = (seed + i) * UINT64_C(6364136223846793005) + 1442695040888963407;
        memcpy(at + i, &seed, len - i < sizeof seed ? len - i : sizeof seed);
    }
}

static size_t
body_len(unsigned number, unsigned version)
{
    return (number * 7919u + version * 977u) % BODY_MAX;
}

static struct store_key
key_of(struct store *store, unsigned number, char text[static KEY])
{
    struct span span = span_of(text, (size_t)snprintf(text, KEY, "http://fuzz/%u", number));
    return (struct store_key){ hash_digest(store_seed(store), span), span };
}

struct task {
    struct store_job     job;
    struct record_parts *parts; /* NULL: remove `key`; or nothing at all */
    struct store_key     key;
    sem_t                done;
};

static void
run_task(struct store_job *job, struct store_writer *writer)
{
    struct task *task = (struct task *)(void *)job;
    enum err     err = ERR_NONE;
    if (task->parts != NULL)
        err = writer_append(writer, task->parts);
    else if (task->key.text.at != NULL)
        writer_remove(writer, &task->key);
    (void)err; /* a full store is an answer too */
    sem_post(&task->done);
}

static void
run(struct store *store, struct record_parts *parts, struct store_key key)
{
    struct task task = { .job = { .cost = 1, .run = run_task }, .parts = parts, .key = key };
    CHECK(sem_init(&task.done, 0, 0) == 0);
    enum err err = store_submit(store, key.digest, &task.job);
    CHECK(err == ERR_NONE);
    while (sem_wait(&task.done) != 0)
        CHECK(errno == EINTR);
    sem_destroy(&task.done);
}

static void
append(struct store *store, unsigned number, unsigned version)
{
    static char         body[BODY_MAX];
    char                text[KEY];
    struct iovec        piece = { body, body_len(number, version) };
    struct record_parts parts = { .key = key_of(store, number, text),
                                  .meta = span_of(&version, sizeof version),
                                  .body = &piece,
                                  .body_count = 1,
                                  .created = clock_wall(),
                                  .expires = wall_add(clock_wall(), 3600 * NSEC_PER_SEC) };
    fill_body(body, piece.iov_len, number * 1000 + version);
    run(store, &parts, parts.key);
}

static bool
is_removed(unsigned number)
{
    return number % REMOVED == 0;
}

/* What is found is what was written: this is the point of it all. */
static bool
look_at(struct store *store, unsigned number, bool forged)
{
    static char      body[BODY_MAX];
    char             text[KEY];
    struct store_key key = key_of(store, number, text);
    struct lease     lease;
    unsigned         version;

    if (!store_find(store, 0, &key, clock_wall(), &lease))
        return false;
    CHECK(span_equal(lease.record.key, key.text) && lease.record.meta.len == sizeof version);
    memcpy(&version, lease.record.meta.at, sizeof version);
    CHECK(version == 1 || (version == 2 && number % REPLACED == 0));
    CHECK(forged || !is_removed(number));
    CHECK(lease.record.body.len == body_len(number, version));
    fill_body(body, lease.record.body.len, number * 1000 + version);
    CHECK(memcmp(body, lease.record.body.at, lease.record.body.len) == 0);
    lease_release(&lease);
    return true;
}

/* ── files ── */

static int
open_file(const char *name, int flags)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz.directory, name);
    return open(path, flags | O_CLOEXEC, 0600);
}

static void
remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", fuzz.directory, name);
    CHECK(unlink(path) == 0 || errno == ENOENT);
}

static void
remove_all(void)
{
    for (int i = 0; i < FILES; i++)
        remove_file(names[i]);
    remove_file("lock");
}

static void
remove_directory(void)
{
    remove_all();
    rmdir(fuzz.directory);
}

static void
take_image(struct image *image, const char *name)
{
    struct stat status;
    int         fd = open_file(name, O_RDONLY);
    if (fd < 0)
        return;
    CHECK(fstat(fd, &status) == 0);
    image->size = (size_t)status.st_size;
    image->bytes = malloc(image->size + 1);
    CHECK(image->bytes != NULL && pread(fd, image->bytes, image->size, 0) == status.st_size);
    close(fd);
}

static void
put_image(const struct image *image, const char *name)
{
    int fd = open_file(name, O_RDWR | O_CREAT | O_TRUNC);
    CHECK(fd >= 0 && pwrite(fd, image->bytes, image->size, 0) == (ssize_t)image->size);
    close(fd);
}

/* ── templates ── */

/* The disk is not waited for: nothing here asks what a power failure leaves. */
static int
no_sync(int fd)
{
    (void)fd;
    return 0;
}

static const struct disk_calls calls = {
    .pwritev = pwritev, .pread = pread, .fallocate = fallocate, .fdatasync = no_sync, .mono = clock_mono
};

static struct store *
try_open(void)
{
    struct store_config config = { .directory = fuzz.directory, .size = SIZE, .readers = 1 };
    struct store       *store;
    struct fault        fault;
    return store_open_with(&store, &config, &calls, &fault) == ERR_NONE ? store : NULL;
}

static void
fill_store(struct store *store)
{
    char text[KEY];
    for (unsigned i = 0; i < RECORDS; i++)
        append(store, i, 1);
    for (unsigned i = 0; i < RECORDS; i += REPLACED)
        append(store, i, 2);
    for (unsigned i = 0; i < RECORDS; i += REMOVED)
        run(store, NULL, key_of(store, i, text));
}

static void
make_template(int which)
{
    pid_t pid = fork(), ended;
    int   status;

    CHECK(pid >= 0);
    if (pid == 0) {
        struct store *store = try_open();
        CHECK(store != NULL);
        fill_store(store);
        if (which != 0)
            store_close(&store);
        kill(getpid(), SIGKILL);
    }
    do
        ended = waitpid(pid, &status, 0);
    while (ended < 0 && errno == EINTR); /* libFuzzer's clock ticks by a signal */
    CHECK(ended == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    for (int i = 0; i < FILES; i++)
        take_image(&fuzz.images[which][i], names[i]);
    remove_all();
}

static void
sum_header(char *segment)
{
    struct segment_header *header = (struct segment_header *)(void *)segment;
    header->sum = le64_of(hash_checksum(span_of(header, offsetof(struct segment_header, sum))));
}

/* As after a power failure: no snapshot, not closed in order, and segments of a boot that is over. */
static void
age_template(struct image images[FILES])
{
    free(images[2].bytes);
    images[2].bytes = NULL;
    for (size_t at = 0; at < images[0].size; at += SEGMENT) {
        struct segment_header *header = (struct segment_header *)(void *)(images[0].bytes + at);
        header->boot[0] ^= 1;
        if (le32_get(header->magic) == SEGMENT_MAGIC)
            sum_header(images[0].bytes + at);
    }
}

static void
prepare(void)
{
    snprintf(fuzz.directory, sizeof fuzz.directory, "/tmp/larder-fuzz-XXXXXX");
    CHECK(mkdtemp(fuzz.directory) != NULL);
    for (int i = 0; i < TEMPLATES; i++)
        make_template(i);
    age_template(fuzz.images[2]);
    atexit(remove_directory);
}

/* ── edits ── */

enum action { FLIP, SET, ZERO_SECTOR, CUT, FORGE_HEADER, FORGE_FOOTER, FORGE_SLOT, FORGE_SUPER, ACTIONS };

struct edit {
    unsigned    file;
    enum action action;
    uint32_t    at;
    uint8_t     value;
};

static struct edit
read_edit(const uint8_t *bytes)
{
    uint32_t at;
    memcpy(&at, bytes + 2, sizeof at);
    return (struct edit){ bytes[0] % FILES, bytes[1] % ACTIONS, at, bytes[6] };
}

static void
forge_footer(char *segment, uint32_t at, uint8_t value, struct hash_stream *stream)
{
    struct footer_trailer *trailer = (struct footer_trailer *)(void *)(segment + SEGMENT - sizeof *trailer);
    uint32_t               count = le32_get(trailer->count);
    size_t                 len = (size_t)count * sizeof(struct footer_entry);

    if (le32_get(trailer->magic) != FOOTER_MAGIC || len > SEGMENT / 2)
        return;
    segment[SEGMENT - 1 - at % (len + sizeof *trailer)] ^= (char)value;
    count = le32_get(trailer->count);
    len = (size_t)count * sizeof(struct footer_entry);
    if (len > SEGMENT / 2)
        return;
    const char *entries = (const char *)trailer - len;
    trailer->sum = le64_of(footer_sum(trailer, (const struct footer_entry *)(const void *)entries, stream));
}

static void
forge_slot(const struct image *super, char *journal, size_t size, uint32_t at, uint8_t value)
{
    struct {
        unsigned char store[16];
        le32          shard, number;
        unsigned char slot[24];
    } all = { .number = le32_of(at % 64) };
    size_t place = JOURNAL_HEAD + (size_t)(at % 64) * JOURNAL_SLOT;
    if (super->bytes == NULL || place + JOURNAL_SLOT > size)
        return;
    journal[place + (at >> 8) % 24] ^= (char)value;
    memcpy(all.store, super->bytes + offsetof(struct super, store), sizeof all.store);
    memcpy(all.slot, journal + place, sizeof all.slot);
    le64 sum = le64_of(hash_checksum(span_of(&all, sizeof all)));
    memcpy(journal + place + 24, &sum, sizeof sum);
}

static void
forge_super(struct super *super, uint32_t at, uint8_t value)
{
    ((char *)super)[12 + at % (offsetof(struct super, sum) - 12)] ^= (char)value;
    super->sum = le64_of(hash_checksum(span_of(super, offsetof(struct super, sum))));
}

static void
zero_sector(struct image *image, size_t at)
{
    size_t left = image->size - at;
    memset(image->bytes + at, 0, left < SECTOR ? left : SECTOR);
}

/* True: sums were forged. */
static bool
apply(struct image images[FILES], const struct edit *edit, struct hash_stream *stream)
{
    struct image *image = &images[edit->file];
    char         *segment = images[0].bytes + (size_t)(edit->at >> 20) % (SIZE / SEGMENT) * SEGMENT;

    switch (edit->action) {
    case FORGE_HEADER:
        segment[edit->at % offsetof(struct segment_header, sum)] ^= (char)edit->value;
        sum_header(segment);
        return true;
    case FORGE_FOOTER:
        forge_footer(segment, edit->at % (1 << 20), edit->value, stream);
        return true;
    case FORGE_SLOT:
        forge_slot(&images[3], images[1].bytes, images[1].size, edit->at, edit->value);
        return true;
    case FORGE_SUPER:
        forge_super((struct super *)(void *)images[3 + edit->value % 2].bytes, edit->at, edit->value);
        return true;
    default:
        break;
    }
    if (image->bytes == NULL || image->size == 0)
        return false;
    size_t at = edit->at % image->size;
    if (edit->action == FLIP)
        image->bytes[at] ^= (char)(1 << edit->value % 8);
    else if (edit->action == SET)
        image->bytes[at] = (char)edit->value;
    else if (edit->action == CUT)
        image->size = at;
    else
        zero_sector(image, at / SECTOR * SECTOR);
    return false;
}

static char *
copy_of(const struct image *image)
{
    char *copy = malloc(image->size + 1);
    CHECK(copy != NULL);
    return memcpy(copy, image->bytes, image->size);
}

static bool
lay_out(unsigned which, const uint8_t *data, size_t size)
{
    struct image        images[FILES];
    struct hash_stream *stream = hash_stream_create();
    bool                forged = false;

    CHECK(stream != NULL);
    for (int i = 0; i < FILES; i++) {
        images[i] = fuzz.images[which][i];
        if (images[i].bytes != NULL)
            images[i].bytes = copy_of(&images[i]);
    }
    for (size_t i = 0; i + EDIT <= size && i < (size_t)EDITS_MAX * EDIT; i += EDIT) {
        struct edit edit = read_edit(data + i);
        if (images[edit.file].size > 0 && images[0].size == SIZE && images[3].size >= sizeof(struct super)
            && images[4].size >= sizeof(struct super))
            forged |= apply(images, &edit, stream);
    }
    remove_all();
    for (int i = 0; i < FILES; i++) {
        if (images[i].bytes != NULL)
            put_image(&images[i], names[i]);
        free(images[i].bytes);
    }
    hash_stream_destroy(&stream);
    return forged;
}

/* ── one input ── */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How many of the template's records are there. */
static unsigned
use(struct store *store, bool forged)
{
    struct store_key nothing = { .digest = { 0, 0 } };
    unsigned         found = 0;

    for (int i = 0; i < 2; i++) /* recovered, and open to readers */
        run(store, NULL, nothing);
    for (unsigned i = 0; i < RECORDS; i++)
        found += look_at(store, i, forged);
    for (unsigned i = 0; i < 700; i++) /* more than it holds: all that was there is cleaned */
        append(store, RECORDS + i, 1);
    for (unsigned i = 0; i < RECORDS + 700; i++)
        look_at(store, i, true);
    return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (fuzz.directory[0] == '\0')
        prepare();
    if (size == 0)
        return 0;
    bool     forged = lay_out(data[0] % TEMPLATES, data + 1, size - 1);
    unsigned damaged = look_verify(fuzz.directory), listed = look_list(fuzz.directory);
    CHECK(size > EDIT || damaged == 0);
    struct store *store = try_open(); /* who has no superblock of ours is refused */
    if (store == NULL)
        return 0;
    unsigned found = use(store, forged);
    CHECK(found <= listed || damaged > 0);                      /* both read the directory by the same code */
    CHECK(size > EDIT || found == RECORDS - RECORDS / REMOVED); /* undamaged: all is back */
    store_close(&store);
    store = try_open(); /* and once more, after a clean stop */
    CHECK(store != NULL);
    use(store, true);
    store_close(&store);
    return 0;
}
