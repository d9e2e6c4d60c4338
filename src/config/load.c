/* load.c: one file, and all that it includes, to a snapshot. */
#include "build.h"
#include "load_impl.h"

enum err
load_source(struct build *build, const char *path, struct source **source, struct fault *fault)
{
    enum err err = source_read(build->loading, path, 0, source, fault);
    if (err == ERR_NONE)
        build_apply(build, parse_source(build->loading, *source));
    return err;
}

static enum err
load(struct loading *loading, const char *path, struct snapshot **snapshot, struct fault *fault)
{
    struct build   build;
    struct source *source;

    enum err err = build_init(&build, loading, fault);
    if (err != ERR_NONE)
        return err;
    err = load_source(&build, path, &source, fault);
    if (err == ERR_NONE)
        err = build_finish(&build, source, snapshot, fault);
    build_fini(&build);
    return err;
}

enum err
config_load_file(const char *path, bool strict, struct report *report, struct snapshot **snapshot,
                 struct fault *fault)
{
    struct loading loading;

    *snapshot = NULL;
    loading_init(&loading, report, strict);
    enum err err = load(&loading, path, snapshot, fault);
    loading_fini(&loading);
    return err;
}
