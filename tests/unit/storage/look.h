/* look.h: a directory is looked into as `larder store` does it, and what comes out is noted.
 */
#ifndef LARDER_TESTS_STORAGE_LOOK_H
#define LARDER_TESTS_STORAGE_LOOK_H

#include "crash.h"

#include <larder/storage/inspect.h>

enum { LOOK_MANY = 300, LOOK_NUMBERS = 8192 };

struct looked {
    struct inspect_verified verified;
    unsigned                damaged;
    struct inspect_damage   last;
    char                    key[KEY_TEXT];
};

struct listed {
    unsigned times[LOOK_NUMBERS];
    unsigned count;
    unsigned visits_left; /* in one call; 0: any number */
};

/* The whole of the test's directory. */
struct looked look_verify(void);
void          look_list(struct listed *listed);

/* For calls in a running store; `context` is a struct looked, a struct listed. */
void look_note_damage(const struct inspect_damage *damage, void *context);
bool look_note_object(const struct inspect_object *object, void *context);

/* LOOK_MANY records; then every third is removed, and every third from 1 on replaced by a newer version. */
void look_append_many(struct fixture *fixture);
void look_append_and_remove(struct fixture *fixture);

/* A store that was stopped in order, with something in each of its files. */
void look_make_stopped(void);

/* Where in the shard's file the key of the record lies, and where the segment of a place begins. */
uint64_t look_place_of_key(uint64_t number);
uint64_t look_segment_of(uint64_t at);

#endif
