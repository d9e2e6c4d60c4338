/* directory.h: the directory of a store: whose it is, who uses it, and its superblock.
 *
 *      make it if it is not there ─▶ only our names in it? ─▶ lock ─▶ superblocks: ours? ─▶ begin
 *
 * Nothing is ever removed or written over that is not larder's: a directory with a file of another name, or
 * with files of our names and no superblock of ours, is refused.
 *
 * Owner: the store; used only while it opens and closes.
 */
#ifndef LARDER_STORAGE_DIRECTORY_H
#define LARDER_STORAGE_DIRECTORY_H

#include "super.h"

struct directory {
    const char  *path; /* the caller's */
    int          fd, lock;
    bool         made, made_lock; /* now, by us: taken back when opening fails */
    bool         was_store;       /* it had a superblock of ours */
    bool         was_valid;       /* ... and `super` is what it said */
    bool         other_format;    /* ... of another format */
    bool         begun;
    struct super super;
};

enum { DIRECTORY_NAME_SIZE = 32 };

/* Locks the directory and reads its superblock. ERR_IN_USE: the fault says by which process; ERR_EXISTS:
 * it is not ours. On failure all is as it was. */
MUST_CHECK enum err directory_open(struct directory *directory, const char *path, struct fault *fault);

/* Locks a directory that holds a store, to look at it, and reads its superblock; files that are not ours do
 * not matter. ERR_NOT_FOUND: there is none; ERR_IN_USE as above; ERR_UNSUPPORTED: of another format;
 * ERR_CORRUPT: no superblock is valid. Ends with directory_abandon and directory_close, which leave all as it was. */
MUST_CHECK enum err directory_inspect(struct directory *directory, const char *path, struct fault *fault);

/* Writes the superblock of a run, as the caller has set it: not closed in order. */
MUST_CHECK enum err directory_begin(struct directory *directory, struct fault *fault);

void directory_shard_name(unsigned number, char name[static DIRECTORY_NAME_SIZE]);
void directory_journal_name(unsigned number, char name[static DIRECTORY_NAME_SIZE]);
void directory_snapshot_name(unsigned number, char name[static DIRECTORY_NAME_SIZE]);

/* Removes files of ours that a store of so many shards does not use. */
void directory_tidy(struct directory *directory, unsigned shards);

/* The store was closed in order. */
void directory_finish(struct directory *directory, struct log *log);

/* Opening failed later: takes back what directory_open and directory_begin made. Then directory_close. */
void directory_abandon(struct directory *directory);

void directory_close(struct directory *directory);

#endif
