/* apply_process.c: the directives about the process itself: whom it becomes, what it takes from itself, who may ask it.
 *
 * Users and groups are looked up while the configuration is read: a name that nobody has is a mistake in the file, told
 * with its line, and `larder check` finds it without a start.
 */
#include "apply.h"

#include <errno.h>
#include <grp.h>
#include <larder/config/admin_path.h>
#include <pwd.h>

enum { ENTRY_SIZE = 16 * 1024, NAME_SIZE = 64 };

/* ── names of the system ── */

/* The word as text. False: it can be no name. */
static bool
copy_name(struct build *build, const struct word *word, struct span name, char out[static NAME_SIZE])
{
    if (name.len > 0 && name.len < NAME_SIZE && span_find(name, '\0') < 0) {
        memcpy(out, name.at, name.len);
        out[name.len] = '\0';
        return true;
    }
    build_refuse(build, word, "\"%.*s\" can be no name", SPAN_ARG(span_head(name, NAME_SIZE)));
    return false;
}

static bool
find_user(struct build *build, const struct word *word, struct span name, struct user *user)
{
    char             text[NAME_SIZE], buffer[ENTRY_SIZE];
    struct passwd    entry, *found = NULL;
    struct snapshot *snapshot = build->snapshot;

    if (!copy_name(build, word, name, text))
        return false;
    int error = getpwnam_r(text, &entry, buffer, sizeof buffer, &found);
    if (found == NULL) {
        build_refuse(build, word,
                     error == 0 || error == ENOENT
                         ? "there is no user \"%s\" here; make one: useradd --system %s"
                         : "the user \"%s\" cannot be looked up; is %s in /etc/passwd?",
                     text, text);
        return false;
    }
    *user =
        (struct user){ .name = snapshot_text(snapshot, name), .uid = found->pw_uid, .gid = found->pw_gid };
    return true;
}

static bool
find_group(struct build *build, const struct word *word, struct span name, gid_t *gid)
{
    char         text[NAME_SIZE], buffer[ENTRY_SIZE];
    struct group entry, *found = NULL;

    if (!copy_name(build, word, name, text))
        return false;
    int error = getgrnam_r(text, &entry, buffer, sizeof buffer, &found);
    if (found == NULL) {
        build_refuse(build, word,
                     error == 0 || error == ENOENT
                         ? "there is no group \"%s\" here; make one: groupadd --system %s"
                         : "the group \"%s\" cannot be looked up; is %s in /etc/group?",
                     text, text);
        return false;
    }
    *gid = found->gr_gid;
    return true;
}

/* ── user ── */

APPLY(user)
{
    const struct word *word = statement->words;
    struct span        group = word->text, name;
    struct user        user;

    (void)scope;
    (void)directive;
    bool has_group = span_find(word->text, ':') >= 0;
    (void)span_split(&group, ':', &name);
    if (find_user(build, word, name, &user) && (!has_group || find_group(build, word, group, &user.gid)))
        build->snapshot->settings.user = user;
}

/* ── sandbox ── */

APPLY(sandbox)
{
    static const struct {
        struct span  name;
        enum sandbox sandbox;
    } words[] = { { SPAN("off"), SANDBOX_OFF },
                  { SPAN("on"), SANDBOX_ON },
                  { SPAN("strict"), SANDBOX_STRICT } };
    const struct word *word = statement->words;

    (void)scope;
    (void)directive;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (span_equal(word->text, words[i].name)) {
            build->snapshot->settings.sandbox = words[i].sandbox;
            return;
        }
    build_refuse(build, word, "\"%.*s\" is not known here: write off, on or strict",
                 SPAN_ARG(span_head(word->text, 64)));
}

/* ── the admin API ── */

static void
set_admin_group(struct build *build, const struct word *word)
{
    struct span key = SPAN("group=");

    if (span_starts(word->text, key))
        (void)find_group(build, word, span_skip(word->text, key.len), &build->snapshot->settings.admin_group);
    else
        build_refuse(build, word, "\"%.*s\" is not known here: write group=NAME",
                     SPAN_ARG(span_head(word->text, 64)));
}

APPLY(admin)
{
    const struct word *path = statement->words;
    struct fault       fault;

    (void)scope;
    (void)directive;
    if (admin_path_check(path->text, &fault) != ERR_NONE)
        build_refuse(build, path, "%s", fault.text);
    else
        build->snapshot->settings.admin_path = snapshot_text(build->snapshot, path->text);
    build->snapshot->settings.admin_group = (gid_t)-1; /* a flag replaces all of the file's line */
    if (path->next != NULL)
        set_admin_group(build, path->next);
}

/* ── the access log ── */

static void
set_format(struct build *build, const struct word *word)
{
    if (span_equal(word->text, SPAN("combined")))
        build->snapshot->settings.access_format = ACCESS_COMBINED;
    else if (!span_equal(word->text, SPAN("json")))
        build_refuse(build, word, "\"%.*s\" is not known here: write json or combined",
                     SPAN_ARG(span_head(word->text, 64)));
}

APPLY(log)
{
    const struct word *path = statement->words;

    (void)scope;
    (void)directive;
    if (path->text.len == 0 || span_find(path->text, '\0') >= 0)
        build_refuse(build, path, "the path of the access log is empty");
    else
        build->snapshot->settings.access_path = snapshot_text(build->snapshot, path->text);
    build->snapshot->settings.access_format = ACCESS_JSON; /* a flag replaces all of the file's line */
    if (path->next != NULL)
        set_format(build, path->next);
}
