/* apply.h: what the directives do that have a form of their own. Each checks its words, reports what is wrong
 * with them, and sets what it is about.
 */
#ifndef CONFIG_APPLY_H
#define CONFIG_APPLY_H

#include "build.h"

#define APPLY(name)                                                                                          \
    void apply_##name(struct build *build, struct scope *scope, const struct directive *directive,           \
                      const struct statement *statement)

APPLY(option); /* one value, by the directive's row */
APPLY(ram);
APPLY(cache);
APPLY(eviction);
APPLY(admin); /* apply_process.c, and the next three */
APPLY(log);
APPLY(user);
APPLY(sandbox);
APPLY(listen);
APPLY(origin);
APPLY(timeout);
APPLY(rate); /* apply_admit.c */
APPLY(deny); /* apply_deny.c */
APPLY(trust);
APPLY(limits);
APPLY(defaults);
APPLY(site);

/* Gives the snapshot those who are trusted. ERR_NO_MEMORY only. */
MUST_CHECK enum err apply_trusted(struct build *build);

/* Gives a site what it denies. ERR_NO_MEMORY only. */
MUST_CHECK enum err apply_denies(struct build *build, const struct deny_draft *drafts, struct site *site);

#endif
