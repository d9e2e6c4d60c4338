/* replay.c: runs a fuzz target over files, once each, where there is no libFuzzer.
 *
 *      fuzz-request corpus/request/a corpus/request/b …
 *
 * So every build, whatever its compiler, holds the corpora against the invariants: ctest does.
 */
#include "fuzz.h"

#include <stdio.h>

enum { FILE_MAX = 1 << 20 };

static bool
replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    uint8_t *bytes = malloc(FILE_MAX);
    CHECK(bytes != NULL);
    size_t size = fread(bytes, 1, FILE_MAX, file);
    bool   read = ferror(file) == 0;
    fclose(file);
    if (read)
        LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return read;
}

int
main(int count, char **paths)
{
    for (int i = 1; i < count; i++)
        if (!replay(paths[i]))
            return EXIT_FAILURE;
    printf("%d passed, 0 failed\n", count - 1); /* an invariant that does not hold aborts before this */
    return count > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
