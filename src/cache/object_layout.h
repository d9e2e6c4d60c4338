/* object_layout.h: the fixed beginning of a meta, for the files that write it (object.c, object_edit.c).
 *
 * Read and written by memcpy: a record's meta is aligned to nothing.
 */
#ifndef CACHE_OBJECT_LAYOUT_H
#define CACHE_OBJECT_LAYOUT_H

#include <larder/cache/object.h>

enum { OBJECT_MAGIC = 0x4f42, OBJECT_VERSION = 3, NO_ETAG = 0xffff, FIELDS_MAX = 256 };

struct object_header {
    uint16_t magic, version;
    uint32_t flags;
    uint32_t status;
    uint32_t head_len;
    uint32_t vary_len;
    uint32_t variants;
    uint32_t etag_at;  /* in the head */
    uint16_t etag_len; /* NO_ETAG: none */
    uint8_t  has_modified, has_date;
    int64_t  modified, date;                                         /* seconds since 1970 */
    int64_t  born, fresh_until, refresh_until, error_until, expires; /* ns since 1970 */
    int64_t  first, complete;                                        /* of a marker `first` is its edition */
    uint64_t generation;
    uint32_t slice_bits;
    uint32_t zero;
};
_Static_assert(sizeof(struct object_header) == 120, "the layout is the same everywhere");

#endif
