/* err.h: the one error enum, and the error that a user reads.
 *
 * `enum err` says what kind of thing went wrong, so that code can decide; `struct fault` says it to
 * a person: what, where, and what to do about it, in one line. Functions that a user's input can
 * make fail fill a fault; functions in the path of a request return an `enum err` alone.
 */
#ifndef LARDER_BASE_ERR_H
#define LARDER_BASE_ERR_H

#include <stdarg.h>

#define MUST_CHECK __attribute__((warn_unused_result))

#define ERR_TABLE(X)                                                      \
    X(NONE, "no error")                                                   \
    X(AGAIN, "not yet: wait for an event and call again")                 \
    X(CLOSED, "the peer closed in an orderly way")                        \
    X(RESET, "the connection broke")                                      \
    X(REFUSED, "the peer refused the connection")                         \
    X(UNREACHABLE, "no route to the peer")                                \
    X(TIMEOUT, "the time limit passed")                                   \
    X(SYNTAX, "the input breaks its grammar")                             \
    X(RANGE, "a value is out of its bounds")                              \
    X(LIMIT, "a configured limit was reached")                            \
    X(UNSUPPORTED, "understood, and deliberately not offered")            \
    X(NOT_FOUND, "no such thing")                                         \
    X(EXISTS, "it is there already")                                      \
    X(FULL, "no room")                                                    \
    X(NO_MEMORY, "out of memory")                                         \
    X(NO_DESCRIPTORS, "out of file descriptors")                          \
    X(DENIED, "permission denied")                                        \
    X(IN_USE, "somebody else holds it")                                   \
    X(CORRUPT, "stored bytes do not match their checksum")                \
    X(IO, "a read or write failed")                                       \
    X(STOPPING, "the server is stopping")                                 \
    X(SYSTEM, "the system refused")

enum err {
#define ERR_ENUM(name, text) ERR_##name,
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
    ERR_COUNT
};

/* The error's short name in lower case with hyphens ("not-found"), and its sentence. */
const char *err_name(enum err err);
const char *err_text(enum err err);

/* The error that stands for an errno value; ERR_SYSTEM where none fits. */
enum err err_from_errno(int number);

/* An error in words. `text` is one line without a newline, cut at the end if too long. */
struct fault {
    enum err code;
    char     text[512];
};

/* Sets the fault and returns `code`, so that a caller writes `return fault_set(...)`. */
enum err fault_set(struct fault *fault, enum err code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As fault_set, and ends the text with ": " and the sentence of the errno value. */
enum err fault_set_errno(struct fault *fault, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
