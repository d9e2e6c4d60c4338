/* apply_admit.c: the directives about who may ask, and how often. */
#include "apply.h"

#include <larder/base/check.h>
#include <larder/base/units.h>

/* ── trust ── */

APPLY(trust)
{
    struct fault fault;

    (void)scope;
    (void)directive;
    build->trust_said = true;
    for (const struct word *word = statement->words; word != NULL; word = word->next) {
        struct deny_draft *draft = loading_alloc(build->loading, sizeof *draft);
        if (draft == NULL)
            return;
        draft->next = build->trusted;
        if (network_parse(word->text, &draft->network, &fault) == ERR_NONE)
            build->trusted = draft;
        else
            build_refuse(build, word, "%s", fault.text);
    }
}

enum err
apply_trusted(struct build *build)
{
    size_t count = 0;

    if (build->trusted == NULL)
        return ERR_NONE;
    for (const struct deny_draft *draft = build->trusted; draft != NULL; draft = draft->next)
        count++;
    struct network *list = loading_alloc(build->loading, count * sizeof list[0]);
    if (list == NULL)
        return ERR_NO_MEMORY;
    count = 0;
    for (const struct deny_draft *draft = build->trusted; draft != NULL; draft = draft->next)
        list[count++] = draft->network;
    return networks_create(&build->snapshot->trust, list, count);
}

/* ── rate 50/s per client burst 100 ── */

static bool
read_by(struct build *build, const struct word *per, unsigned *by)
{
    static const struct span names[RATE_BY_COUNT] = {
        [RATE_BY_CLIENT] = SPAN("client"), [RATE_BY_KEY] = SPAN("key")
    };

    if (!span_equal(per->text, SPAN("per"))) {
        build_refuse(build, per, "\"%.*s\" is not known here: write per client or per key",
                     SPAN_ARG(span_head(per->text, 64)));
        return false;
    }
    for (*by = 0; *by < RATE_BY_COUNT; ++*by)
        if (span_equal(per->next->text, names[*by]))
            return true;
    build_refuse(build, per->next, "\"%.*s\" is not known here: write per client or per key",
                 SPAN_ARG(span_head(per->next->text, 64)));
    return false;
}

/* `word` is "burst" or what stands in its place; NULL: nothing does. */
static bool
read_burst(struct build *build, const struct word *word, uint64_t *burst)
{
    if (word == NULL)
        return true;
    if (!span_equal(word->text, SPAN("burst")) || word->next == NULL) {
        build_refuse(build, word, "only burst NUMBER may stand here, for example burst 100");
        return false;
    }
    if (span_to_u64(word->next->text, RATE_BURST_MAX, burst) && *burst > 0)
        return true;
    build_refuse(build, word->next, "\"%.*s\" is no burst: a number from 1 to %d",
                 SPAN_ARG(span_head(word->next->text, 64)), RATE_BURST_MAX);
    return false;
}

static bool
read_rate(struct build *build, const struct statement *statement, struct rate *rate)
{
    const struct word *word = statement->words, *burst_word = word->next->next->next;
    struct fault       fault;
    uint64_t           count, burst;
    nsec               period;

    *rate = (struct rate){ .interval = 0 };
    if (span_equal(word->text, SPAN("off"))) {
        if (burst_word != NULL)
            build_refuse(build, burst_word, "off has no burst");
        return burst_word == NULL;
    }
    if (units_parse_rate(word->text, &count, &period, &fault) != ERR_NONE) {
        build_refuse(build, word, "%s", fault.text);
        return false;
    }
    burst = count < RATE_BURST_MAX ? count : RATE_BURST_MAX;
    if (!read_burst(build, burst_word, &burst))
        return false;
    if (rate_set(rate, count, period, burst) == ERR_NONE)
        return true;
    build_refuse(build, word, "at this rate the burst would take more than a year to be there again");
    return false;
}

APPLY(rate)
{
    struct rate rate;
    unsigned    by;

    (void)directive;
    if (!read_by(build, statement->words->next, &by) || !read_rate(build, statement, &rate))
        return;
    if (scope->rates[by] != NULL) {
        build_refuse(build, &statement->name, "a rate per %.*s is given twice",
                     SPAN_ARG(statement->words->next->next->text));
        return;
    }
    scope->rates[by] = &statement->name;
    scope->settings->rates[by] = rate;
}
