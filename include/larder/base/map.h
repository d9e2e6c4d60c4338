/* map.h: an intrusive hash table: chains of nodes that live inside what they name.
 *
 * The caller gives a 64-bit hash that an attacker cannot predict (hash.h), and compares itself. The
 * table doubles when it is as full as it has chains. Owner or guard: whoever embeds it.
 */
#ifndef LARDER_BASE_MAP_H
#define LARDER_BASE_MAP_H

#include <larder/base/err.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t         hash;
};

struct map {
    struct map_node **chains;
    size_t            mask; /* chains - 1; chains is a power of two */
    size_t            count;
};

typedef bool map_match(const struct map_node *node, const void *wanted);

MUST_CHECK enum err map_init(struct map *map, size_t chains);

/* Frees the chains; nodes belong to the caller and must be out. */
void map_fini(struct map *map);

struct map_node *map_find(const struct map *map, uint64_t hash, map_match *match, const void *wanted);

/* Sets node->hash. When memory for growing ends the table stays as it is: slower, not wrong. */
void map_insert(struct map *map, struct map_node *node, uint64_t hash);
void map_remove(struct map *map, struct map_node *node);

/* Any node, or NULL when empty: for emptying a table. */
struct map_node *map_any(const struct map *map);

#endif
