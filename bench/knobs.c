/* knobs.c: see knobs.h. */
#include "knobs.h"

#include <larder/base/clock.h>
#include <larder/http/scan.h>

#define KNOB(name, type, member, least, most, initial, value, help)                                          \
    {                                                                                                        \
        name, ROW_##type, offsetof(struct knobs, member), least, most, initial, value, help                  \
    }
#define SWITCH(name, member, help) KNOB(name, SWITCH, member, 0, 0, 0, NULL, help)
#define SECONDS(name, member, help) KNOB(name, COUNT, member, 0, INT64_MAX, ROW_ABSENT, "SECONDS", help)
#define HOUR (3600 * NSEC_PER_SEC)
#define TERABYTE (INT64_C(1) << 40)

static const struct row rows[] = {
    KNOB("size", SIZE, size, 0, TERABYTE, 1024, "SIZE", "Length of the body."),
    KNOB("delay", TIME, delay, 0, HOUR, ROW_ABSENT, "TIME", "Wait before the head (else what --delay says)."),
    KNOB("drip", TIME, drip, 0, HOUR, 0, "TIME",
         "Send the head at once, and the body over this time in 20 pieces."),
    KNOB("status", COUNT, status, 200, 599, 200, "NNN", "The status; 301 to 308 lead to /."),
    SECONDS("max-age", max_age, "Cache-Control: max-age."),
    SECONDS("s-maxage", s_maxage, "Cache-Control: s-maxage, for shared caches only."),
    SECONDS("stale-while-revalidate", stale_while_revalidate, "Cache-Control: stale-while-revalidate."),
    SECONDS("stale-if-error", stale_if_error, "Cache-Control: stale-if-error."),
    SWITCH("no-store", no_store, "Cache-Control: no-store."),
    SWITCH("no-cache", no_cache, "Cache-Control: no-cache."),
    SWITCH("private", is_private, "Cache-Control: private."),
    SWITCH("public", is_public, "Cache-Control: public."),
    SWITCH("must-revalidate", must_revalidate, "Cache-Control: must-revalidate."),
    SECONDS("age", age, "Age, as if another cache had kept the answer."),
    SECONDS("expires", expires, "Expires, so many seconds after Date."),
    SWITCH("etag", etag, "A strong ETag; If-None-Match gets 304."),
    SWITCH("last-modified", last_modified, "Last-Modified; If-Modified-Since gets 304."),
    KNOB("vary", TEXTS, vary, 0, 0, 0, "NAME",
         "Vary: NAME, and the body differs by that field. May be repeated."),
    SWITCH("cookie", cookie, "Set-Cookie with a value that is new each time."),
    SWITCH("count", count, "The body names the number of the request: no two answers are equal."),
    KNOB("object", COUNT, object, 0, INT64_MAX, ROW_ABSENT, "N",
         "One of many: paths that differ by it alone have different bodies."),
    SWITCH("chunked", chunked, "Chunked coding instead of Content-Length."),
    SWITCH("no-length", no_length, "Neither: the end of the connection ends the body."),
    SWITCH("close", close, "Connection: close."),
    KNOB("cut", SIZE, cut, 0, TERABYTE, ROW_ABSENT, "SIZE",
         "Break the connection after so much of the body."),
};

const struct row_table knobs_table = ROW_TABLE(rows);

bool
knobs_begin(struct span path)
{
    struct span rest = span_skip(path, 1), name;
    return span_split(&rest, '/', &name) && row_find(&knobs_table, name) != NULL;
}

static enum err
unknown_knob(struct span name, struct fault *fault)
{
    const struct row *guess = row_guess(&knobs_table, name);
    if (guess != NULL)
        return fault_set(fault, ERR_NOT_FOUND, "unknown knob \"%.*s\"; did you mean \"%s\"?", SPAN_ARG(name),
                         guess->name);
    return fault_set(fault, ERR_NOT_FOUND, "unknown knob \"%.*s\"; /knobs has the list", SPAN_ARG(name));
}

/* What becomes part of a head must be a token, or a client could write our fields (RFC 9110 §5.1). */
static enum err
check_name(struct span value, struct fault *fault)
{
    enum { LONGEST = 64 };
    if (value.len == 0 || value.len > LONGEST || scan_best()->token(value) != value.len)
        return fault_set(fault, ERR_SYNTAX, "expected the name of a field, at most %d bytes", LONGEST);
    return ERR_NONE;
}

static enum err
turn(const struct row *row, struct span value, struct knobs *knobs, struct fault *fault)
{
    struct fault why;
    enum err     err = row->type == ROW_TEXTS ? check_name(value, &why) : ERR_NONE;
    if (err == ERR_NONE)
        err = row_set(row, knobs, value, &why);
    if (err != ERR_NONE)
        return fault_set(fault, err, "/%s/%.*s: %s", row->name, SPAN_ARG(value), why.text);
    return ERR_NONE;
}

static enum err
check_together(const struct knobs *knobs, struct fault *fault)
{
    if (knobs->chunked && knobs->no_length)
        return fault_set(fault, ERR_SYNTAX, "chunked and no-length exclude each other");
    return ERR_NONE;
}

enum err
knobs_parse(struct span path, struct knobs *knobs, struct fault *fault)
{
    row_defaults(&knobs_table, knobs);
    struct span rest = span_skip(path, 1), name;
    while (span_split(&rest, '/', &name)) {
        if (name.len == 0 && rest.at == NULL)
            break; /* a slash at the end */
        const struct row *row = row_find(&knobs_table, name);
        if (row == NULL)
            return unknown_knob(name, fault);
        struct span value = SPAN_EMPTY;
        if (row->type != ROW_SWITCH && !span_split(&rest, '/', &value))
            return fault_set(fault, ERR_SYNTAX, "/%s needs a value: /%s/%s", row->name, row->name,
                             row->value);
        enum err err = turn(row, value, knobs, fault);
        if (err != ERR_NONE)
            return err;
    }
    return check_together(knobs, fault);
}
