/* map.c: chains, doubled when there are as many nodes as chains. */
#include <larder/base/map.h>

#include <larder/base/check.h>
#include <stdlib.h>

enum err
map_init(struct map *map, size_t chains)
{
    CHECK(chains > 0 && (chains & (chains - 1)) == 0);
    *map = (struct map){ .chains = calloc(chains, sizeof map->chains[0]), .mask = chains - 1 };
    return map->chains == NULL ? ERR_NO_MEMORY : ERR_NONE;
}

void
map_fini(struct map *map)
{
    CHECK(map->count == 0);
    free(map->chains);
    *map = (struct map){ .chains = NULL };
}

struct map_node *
map_find(const struct map *map, uint64_t hash, map_match *match, const void *wanted)
{
    struct map_node *node = map->chains[hash & map->mask];
    while (node != NULL && (node->hash != hash || !match(node, wanted)))
        node = node->next;
    return node;
}

static void
push(struct map *map, struct map_node *node)
{
    struct map_node **chain = &map->chains[node->hash & map->mask];
    node->next = *chain;
    *chain = node;
}

static void
grow(struct map *map)
{
    struct map old = *map;
    size_t     chains = (old.mask + 1) * 2;

    map->chains = calloc(chains, sizeof map->chains[0]);
    if (map->chains == NULL) {
        map->chains = old.chains;
        return;
    }
    map->mask = chains - 1;
    for (size_t i = 0; i <= old.mask; i++)
        for (struct map_node *node = old.chains[i], *next; node != NULL; node = next) {
            next = node->next;
            push(map, node);
        }
    free(old.chains);
}

void
map_insert(struct map *map, struct map_node *node, uint64_t hash)
{
    if (map->count > map->mask)
        grow(map);
    node->hash = hash;
    push(map, node);
    map->count++;
}

void
map_remove(struct map *map, struct map_node *node)
{
    struct map_node **link = &map->chains[node->hash & map->mask];
    while (*link != node) {
        CHECK(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    map->count--;
}

struct map_node *
map_any(const struct map *map)
{
    for (size_t i = 0; map->count > 0 && i <= map->mask; i++)
        if (map->chains[i] != NULL)
            return map->chains[i];
    return NULL;
}
