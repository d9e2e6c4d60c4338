/* super.h: the superblock: what kind of store a directory holds.
 *
 * There are two copies, super.A and super.B; each change goes to the older one, so that a torn write leaves
 * the other. The valid one with the larger generation counts. FORMAT.md has the table.
 */
#ifndef LARDER_STORAGE_SUPER_H
#define LARDER_STORAGE_SUPER_H

#include "layout.h"

#include <larder/base/err.h>

enum { SUPER_SIZE = 4096, SUPER_CLEAN = 1, SUPER_COPIES = 2 };

struct super {
    unsigned char magic[8]; /* "larderSB" */
    le32          format;
    le32          flags; /* SUPER_CLEAN: it was closed in order */
    le64          generation;
    unsigned char store[16]; /* random; a new one whenever the store begins empty */
    le32          shards;
    le32          segment_size;
    le64          shard_size;
    le64          begun; /* ms since 1970: when it began empty */
    unsigned char boot[16];
    unsigned char seed[HASH_SEED_SIZE];
    le64          run;                 /* counts the starts since it began empty, from 1 */
    char          policy[POLICY_NAME]; /* name of the eviction policy, zeros behind it */
    le64          sum;                 /* xxh3 of the bytes before */
};

static_assert(sizeof(struct super) == 144, "superblock");
static_assert(offsetof(struct super, store) == 24, "superblock");
static_assert(offsetof(struct super, shard_size) == 48, "superblock");
static_assert(offsetof(struct super, seed) == 80, "superblock");
static_assert(offsetof(struct super, run) == 112, "superblock");
static_assert(offsetof(struct super, sum) == 136, "superblock");

enum super_state {
    SUPER_NONE,    /* not there, or cut off before it was whole */
    SUPER_FOREIGN, /* something else */
    SUPER_DAMAGED, /* ours, but its sum is wrong */
    SUPER_OTHER,   /* ours, of another format */
    SUPER_VALID
};

extern const char *const super_names[SUPER_COPIES];

enum super_state super_read(int directory, const char *name, struct super *super);

/* Sums and writes it to the copy that its generation names, and waits for the disk. */
MUST_CHECK enum err super_write(int directory, const char *path, struct super *super, struct fault *fault);

/* 16 bytes that are the same for all that runs between two boots. Zeros where nothing says so. */
void super_read_boot(unsigned char boot[static 16]);

#endif
