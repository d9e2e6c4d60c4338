/* le.h: numbers as they lie in the files: little-endian, and of a type of their own, so that none is used
 * raw.
 */
#ifndef LARDER_STORAGE_LE_H
#define LARDER_STORAGE_LE_H

#include <endian.h>
#include <stdint.h>

typedef struct {
    uint32_t raw;
} le32;

typedef struct {
    uint64_t raw;
} le64;

static inline le32
le32_of(uint32_t value)
{
    return (le32){ htole32(value) };
}

static inline uint32_t
le32_get(le32 field)
{
    return le32toh(field.raw);
}

static inline le64
le64_of(uint64_t value)
{
    return (le64){ htole64(value) };
}

static inline uint64_t
le64_get(le64 field)
{
    return le64toh(field.raw);
}

#endif
