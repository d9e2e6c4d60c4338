/* reply_impl.h: what reply.c and reply_knobs.c share. */
#ifndef BENCH_REPLY_IMPL_H
#define BENCH_REPLY_IMPL_H

#include "reply.h"

#include <larder/http/conditional.h>

#define REPLY_TEXT SPAN("text/plain; charset=utf-8")
#define REPLY_JSON SPAN("application/json")

/* A request that sends something is told what arrived, wherever it was sent to. */
bool reply_is_upload(const struct head *head);

/* Starts the head. */
void reply_begin(struct reply *reply, unsigned status);

/* A short text as the whole body. */
void reply_say(struct reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* 200, 304 or 412: RFC 9110 §13.2.2. */
unsigned reply_condition(const struct ask *ask, const struct validators *validators);

void reply_plan_knobs(struct reply *reply, const struct stub *stub, const struct ask *ask);

#endif
