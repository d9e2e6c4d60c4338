/* look.c: see look.h.
 *
 * The index tells a record's size up to a sixteenth too large. All of that in memory: warm, by one question.
 * Else the first bytes are asked for alone: if they are there, the header says how long the record really is.
 */
#include "look.h"

#include <larder/base/check.h>

/* ── warm or cold ── */

static size_t
bound_length(const struct shard *shard, const struct shard_match *match)
{
    size_t room = shard_room(shard, match->place).len;
    return match->size < room ? (size_t)match->size : room;
}

/* The index said too much, or the record is cold. *len becomes what is to be read. */
static bool
is_warm_by_header(struct shard *shard, struct index_place place, uint64_t at, size_t *len)
{
    struct record record;
    struct digest digest;

    if (!disk_is_warm(&shard->disk, at, RECORD_HEAD))
        return false;
    if (!shard_parse(shard, place, &record, &digest))
        return true; /* no record: who looks at it finds that out */
    uint64_t exact = record_size(record_content(&record));
    if (exact >= *len)
        return false;
    *len = (size_t)exact;
    return disk_is_warm(&shard->disk, at, *len);
}

/* *len: how many bytes are to be read if it is not. */
static bool
is_warm(struct shard *shard, const struct look_question *question, const struct shard_match *match,
        size_t *len)
{
    *len = bound_length(shard, match);
    if (match->unverified)
        return false;
    if (!shard->disk.in_file)
        return true;
    struct warm *warm = &shard->warm[question->reader];
    if (warm_knows(warm, match->place, question->now))
        return true;
    uint64_t at = shard_offset(shard, match->place);
    if (disk_is_warm(&shard->disk, at, *len) || is_warm_by_header(shard, match->place, at, len))
        return true;
    warm_was_wrong(warm, match->place, question->now);
    return false;
}

/* ── one match ── */

static bool
suits(const struct record *record, struct digest digest, const struct look_question *question)
{
    return digest_equal(digest, question->key->digest) && span_equal(record->key, question->key->text)
           && question->now.ns < record->expires.ns;
}

/* From the buffer of a read that is over. The lease needs no pin then. */
static enum find
look_in_buffer(struct shard *shard, const struct look_question *question, const struct shard_match *match,
               struct cold *cold, struct lease *lease)
{
    struct digest digest;
    struct span   bytes = span_of(cold->buffer->bytes, cold->len);
    bool found = record_parse(bytes, &lease->record, &digest) && suits(&lease->record, digest, question);

    pins_drop(&shard->pins, question->reader, match->place.segment);
    if (!found)
        return FIND_MISSING;
    cold->buffer->refs++;
    lease_set(lease, shard, question->reader, match->place.segment, cold->buffer);
    return FIND_FOUND;
}

/* Its pages are in memory. */
static enum find
look_in_map(struct shard *shard, const struct look_question *question, const struct shard_match *match,
            struct lease *lease, struct shard_damage *damage)
{
    if (!shard_is_wanted(shard, match, question->key, question->now, &lease->record, damage)) {
        pins_drop(&shard->pins, question->reader, match->place.segment);
        return FIND_MISSING;
    }
    if (shard->disk.in_file)
        warm_note(&shard->warm[question->reader], match->place, question->now);
    shard_recall(shard, question->reader, question->key->digest.low, match);
    lease_set(lease, shard, question->reader, match->place.segment, NULL);
    return FIND_FOUND;
}

static enum find
fail(struct shard *shard, const struct look_question *question, const struct shard_match *match,
     const struct cold *cold, struct shard_damage *damage)
{
    if (cold->err != ERR_NO_MEMORY)
        *damage = (struct shard_damage){ true, question->key->digest.low, match->place };
    pins_drop(&shard->pins, question->reader, match->place.segment);
    return FIND_MISSING;
}

static struct cold *
find_read(const struct look_question *question, const struct shard *shard, struct index_place place)
{
    return question->reads == NULL ? NULL : cold_set_find(question->reads, shard, place);
}

static enum find
look_at(struct shard *shard, const struct look_question *question, struct shard_match *match,
        struct lease *lease, struct cold **cold, struct shard_damage *damage)
{
    size_t       len;
    struct cold *read = find_read(question, shard, match->place);

    if (read != NULL && read->over) {
        if (read->err != ERR_NONE)
            return fail(shard, question, match, read, damage);
        if (read->buffer != NULL)
            return look_in_buffer(shard, question, match, read, lease);
        match->unverified = false; /* it was verified, and its pages have just been read */
        return look_in_map(shard, question, match, lease, damage);
    }
    if (is_warm(shard, question, match, &len))
        return look_in_map(shard, question, match, lease, damage);
    *cold = cold_acquire(shard, question->reader, question->key->digest.low, match->place, len,
                         match->unverified, question->now);
    return *cold == NULL ? FIND_MISSING : FIND_COLD;
}

enum find
shard_look(struct shard *shard, const struct look_question *question, struct lease *lease, struct cold **cold,
           struct shard_damage *damage)
{
    struct shard_match found[INDEX_MATCHES];
    enum find          result = FIND_MISSING;

    lease->shard = lease->buffer = NULL;
    *cold = NULL;
    damage->found = false;
    if (!atomic_load_explicit(&shard->ready, memory_order_acquire))
        return FIND_MISSING;
    unsigned count = shard_pin_matches(shard, question->reader, question->key->digest.low, question->now,
                                       question->reads, found);
    for (unsigned i = 0; i < count; i++) {
        if (result == FIND_MISSING)
            result = look_at(shard, question, &found[i], lease, cold, damage);
        else
            pins_drop(&shard->pins, question->reader, found[i].place.segment);
    }
    return result;
}
