/* err.c - making, wrapping and releasing errors. */
#include "err.h"

#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 4096 };

/* One allocation holds the error and its message. */
struct own_error {
    struct gantry_error base;
    char text[];
};

static void
release_own(struct gantry_error *self)
{
    gantry_error_free(self->cause);
    free(self);
}

static void
release_static(struct gantry_error *self)
{
    (void)self;
}

static const struct gantry_error no_memory = {sizeof no_memory, GANTRY_E_NOMEM, release_static,
                                              "out of memory; free some, then repeat", NULL};

/* It is never written to; the type of *err is shared with errors that own memory. */
static struct gantry_error *
no_memory_error(void)
{
    return (struct gantry_error *)&no_memory;
}

/* Copy text so that it is one line of UTF-8, cut between characters at MESSAGE_MAX. */
static void
clean_copy(char *to, struct str from)
{
    if (from.len > MESSAGE_MAX) {
        from.len = MESSAGE_MAX;
        while (from.len && ((unsigned char)from.ptr[from.len] & 0xc0) == 0x80)
            from.len--;
    }
    size_t valid = 0; /* up to here it is known to be UTF-8 */
    for (size_t i = 0; i < from.len; i++) {
        if (i == valid)
            valid += str_utf8_valid_length((struct str){from.ptr + i, from.len - i});
        unsigned char c = (unsigned char)from.ptr[i];
        if (i == valid) {
            to[i] = '?';
            valid++;
        } else {
            to[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
        }
    }
    to[from.len] = '\0';
}

/* A message being put together; what is longer than a message may be is cut. */
struct draft {
    char text[MESSAGE_MAX + 8];
    size_t len;
};

static void
draft_added(struct draft *d, int n)
{
    if (n > 0)
        d->len = MIN(d->len + (size_t)n, sizeof d->text - 1);
}

PRINTF_LIKE(2, 0)
static void
draft_add_vfmt(struct draft *d, const char *fmt, va_list args)
{
    draft_added(d, vsnprintf(d->text + d->len, sizeof d->text - d->len, fmt, args));
}

static void
draft_add_text(struct draft *d, const char *text)
{
    draft_added(d, snprintf(d->text + d->len, sizeof d->text - d->len, "%s", text));
}

/* An error with this text, or NULL when there is no memory. */
static struct gantry_error *
make(int code, const struct draft *draft, struct gantry_error *cause)
{
    struct own_error *own = malloc(sizeof *own + MIN(draft->len, (size_t)MESSAGE_MAX) + 1);
    if (!own)
        return NULL;
    own->base = (struct gantry_error){sizeof own->base, code, release_own, own->text, cause};
    clean_copy(own->text, (struct str){draft->text, draft->len});
    return &own->base;
}

static void
replace(struct gantry_error **err, struct gantry_error *with)
{
    struct gantry_error *old = *err;
    *err = with ? with : no_memory_error();
    gantry_error_free(old);
}

int
err_set(struct gantry_error **err, int code, const char *fmt, ...)
{
    code = code == 0 ? GANTRY_E_INTERNAL : code;
    if (!err)
        return code;
    struct draft draft = {.len = 0};
    va_list args;
    va_start(args, fmt);
    draft_add_vfmt(&draft, fmt, args);
    va_end(args);
    replace(err, make(code, &draft, NULL));
    return code;
}

int
err_set_errno(struct gantry_error **err, int code, int errnum, const char *fmt, ...)
{
    code = code == 0 ? GANTRY_E_INTERNAL : code;
    if (!err)
        return code;
    struct draft draft = {.len = 0};
    va_list args;
    va_start(args, fmt);
    draft_add_vfmt(&draft, fmt, args);
    va_end(args);
    char space[128];
    draft_add_text(&draft, ": ");
    draft_add_text(&draft, strerror_r(errnum, space, sizeof space));
    replace(err, make(code, &draft, NULL));
    return code;
}

int
err_wrap(struct gantry_error **err, int code, const char *fmt, ...)
{
    code = code == 0 ? GANTRY_E_INTERNAL : code;
    if (!err || *err == &no_memory)
        return code; /* what is static stays so: saying that memory ran out takes none */
    struct draft draft = {.len = 0};
    va_list args;
    va_start(args, fmt);
    draft_add_vfmt(&draft, fmt, args);
    va_end(args);
    if (*err) {
        draft_add_text(&draft, ": ");
        draft_add_text(&draft, err_text(*err));
    }
    struct gantry_error *wrapped = make(code, &draft, *err);
    if (wrapped)
        *err = wrapped;
    else if (!*err)
        *err = no_memory_error();
    return code;
}

int
err_nomem(struct gantry_error **err)
{
    if (err)
        replace(err, NULL);
    return GANTRY_E_NOMEM;
}

const char *
err_text(const struct gantry_error *err)
{
    return err && err->message ? err->message : "no reason was given";
}

void
err_clear(struct gantry_error **err)
{
    if (!err)
        return;
    gantry_error_free(*err);
    *err = NULL;
}

void
err_move(struct gantry_error **to, struct gantry_error **from)
{
    if (to && *from)
        replace(to, *from);
    else
        gantry_error_free(*from);
    *from = NULL;
}

int
err_code_of_errno(int errnum)
{
    switch (errnum) {
    case 0:
        return GANTRY_E_INTERNAL;
    case ENOENT:
    case ENOTDIR:
        return GANTRY_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return GANTRY_E_DENIED;
    case ENOMEM:
        return GANTRY_E_NOMEM;
    case EINVAL:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EFBIG:
        return GANTRY_E_INVALID;
    case EEXIST:
    case EBUSY:
    case ENOTEMPTY:
    case EADDRINUSE:
        return GANTRY_E_CONFLICT;
    case ETIMEDOUT:
        return GANTRY_E_TIMEOUT;
    case ECANCELED:
        return GANTRY_E_CANCELLED;
    case ENOSYS:
    case EOPNOTSUPP:
        return GANTRY_E_UNSUPPORTED;
    default: /* the network's and the disk's troubles: later it may work */
        return GANTRY_E_UNAVAILABLE;
    }
}

bool
err_is_code(int code)
{
#define IS_(name, value, word, action) code == (value) ||
    return GANTRY_CODES(IS_) false;
#undef IS_
}
