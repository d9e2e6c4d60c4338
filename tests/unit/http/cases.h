/* cases.h: the case files of tests/strict, read for the parser alone. Their format: tests/strict/cases.py. */
#ifndef UNIT_HTTP_CASES_H
#define UNIT_HTTP_CASES_H

#include <larder/base/text.h>

struct strict_case {
    char        expect[8], name[256];
    struct text wire;
    bool        above; /* "? above": the parser has nothing against it, others do */
};

/* Calls `take` with each case of "requests" or "answers"; how many there were. */
unsigned cases_each(const char *kind, void (*take)(const struct strict_case *read));

#endif
