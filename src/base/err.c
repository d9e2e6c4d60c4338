/* err.c: errors as names, sentences and lines for the user. */
#include <larder/base/err.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const texts[ERR_COUNT] = {
#define ERR_ROW(name, text) [ERR_##name] = text,
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static const char *const names[ERR_COUNT] = {
    [ERR_NONE] = "none",
    [ERR_AGAIN] = "again",
    [ERR_CLOSED] = "closed",
    [ERR_RESET] = "reset",
    [ERR_REFUSED] = "refused",
    [ERR_UNREACHABLE] = "unreachable",
    [ERR_TIMEOUT] = "timeout",
    [ERR_SYNTAX] = "syntax",
    [ERR_RANGE] = "range",
    [ERR_LIMIT] = "limit",
    [ERR_UNSUPPORTED] = "unsupported",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_FULL] = "full",
    [ERR_NO_MEMORY] = "no-memory",
    [ERR_NO_DESCRIPTORS] = "no-descriptors",
    [ERR_DENIED] = "denied",
    [ERR_IN_USE] = "in-use",
    [ERR_CORRUPT] = "corrupt",
    [ERR_IO] = "io",
    [ERR_STOPPING] = "stopping",
    [ERR_SYSTEM] = "system",
};

const char *
err_name(enum err err)
{
    return names[err];
}

const char *
err_text(enum err err)
{
    return texts[err];
}

enum err
err_from_errno(int number)
{
    switch (number) {
    case 0:
        return ERR_NONE;
    case EAGAIN:
    case EINPROGRESS:
        return ERR_AGAIN;
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
        return ERR_RESET;
    case ECONNREFUSED:
        return ERR_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EADDRNOTAVAIL:
    case ENETDOWN:
        return ERR_UNREACHABLE;
    case ETIMEDOUT:
        return ERR_TIMEOUT;
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOMEM:
    case ENOBUFS:
        return ERR_NO_MEMORY;
    case EMFILE:
    case ENFILE:
        return ERR_NO_DESCRIPTORS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case EADDRINUSE:
    case EBUSY:
        return ERR_IN_USE;
    case EIO:
        return ERR_IO;
    default:
        return ERR_SYSTEM;
    }
}

enum err
fault_set(struct fault *fault, enum err code, const char *format, ...)
{
    va_list arguments;

    fault->code = code;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return code;
}

enum err
fault_set_errno(struct fault *fault, int number, const char *format, ...)
{
    va_list arguments;
    char    words[128];

    va_start(arguments, format);
    int len = vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    fault->code = err_from_errno(number);
    if (len >= 0 && (size_t)len < sizeof fault->text)
        snprintf(fault->text + len, sizeof fault->text - (size_t)len, ": %s",
                 strerror_r(number, words, sizeof words));
    return fault->code;
}
