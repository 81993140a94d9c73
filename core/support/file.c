/* file.c - whole files: read with a limit, written atomically. */
#include "file.h"

#include "err.h"
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static int
fail(struct gantry_error **err, const char *what, const char *path)
{
    int errnum = errno;
    return err_set_errno(err, err_code_of_errno(errnum), errnum, "cannot %s '%s'", what, path);
}

/* Read until the end.  size is the expected length, which files in /proc understate. */
static int
read_all(int fd, size_t size, size_t max_bytes, char **out, size_t *len)
{
    size_t room = MIN(size, max_bytes), used = 0;
    char *text = room < SIZE_MAX ? malloc(room + 1) : NULL;
    while (text) {
        char extra; /* a byte behind the expected end */
        ssize_t n = used < room ? read(fd, text + used, room - used) : read(fd, &extra, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n < 0)
                break;
            text[used] = '\0';
            *out = text;
            *len = used;
            return 0;
        }
        if (used < room) {
            used += (size_t)n;
            continue;
        }
        if (room >= max_bytes) {
            errno = EFBIG;
            break;
        }
        size_t more = room > (max_bytes - 1) / 2 ? max_bytes : room * 2 + 1;
        char *grown = more < SIZE_MAX ? malloc(more + 1) : NULL;
        if (grown) {
            memcpy(grown, text, used);
            grown[used++] = extra;
        }
        secret_wipe(text, room); /* it may be a key, and then no copy of it stays behind */
        free(text);
        text = grown;
        room = more;
    }
    if (!text) {
        errno = ENOMEM;
        return -1;
    }
    int errnum = errno;
    secret_wipe(text, used);
    free(text);
    errno = errnum;
    return -1;
}

int
file_read(const char *path, size_t max_bytes, char **out, size_t *len, struct gantry_error **err)
{
    /* Without O_NONBLOCK, opening a FIFO would wait for a writer. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat info;
    if (fd < 0)
        return fail(err, "open", path);
    if (fstat(fd, &info) < 0)
        return fail(err, "look at", path);
    if (!S_ISREG(info.st_mode))
        return err_set(err, GANTRY_E_INVALID, "'%s' is not a regular file; name one", path);
    char *text = NULL;
    size_t length = 0;
    bool too_large = (uint64_t)info.st_size > max_bytes;
    if (too_large || read_all(fd, (size_t)info.st_size, max_bytes, &text, &length) < 0) {
        if (too_large || errno == EFBIG)
            return err_set(err, GANTRY_E_INVALID, "'%s' is larger than %zu bytes, the limit", path,
                           max_bytes);
        return errno == ENOMEM ? err_nomem(err) : fail(err, "read", path);
    }
    *out = text;
    if (len)
        *len = length;
    return 0;
}

static int
write_all(int fd, struct str content)
{
    while (content.len) {
        ssize_t n = write(fd, content.ptr, content.len);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        content.ptr += n;
        content.len -= (size_t)n;
    }
    return 0;
}

/* The new name is safe only when the folder is, too.  Not every file system can do it: no error
 * then. */
static void
sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = !slash          ? text_dup(".")
                             : slash == path ? text_dup("/")
                                             : str_dup((struct str){path, (size_t)(slash - path)});
    if (!folder)
        return;
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fsync(fd);
}

int
file_write_atomic(const char *path, struct str content, mode_t mode, struct gantry_error **err)
{
    AUTO_FREE char *beside = NULL;
    if (asprintf(&beside, "%s.XXXXXX", path) < 0) {
        beside = NULL;
        return err_nomem(err);
    }
    AUTO_CLOSE int fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0)
        return fail(err, "make a file beside", path);
    if (fchmod(fd, mode) < 0 || write_all(fd, content) < 0 || fsync(fd) < 0 ||
        rename(beside, path) < 0) {
        int rc = fail(err, "write", path);
        (void)unlink(beside);
        return rc;
    }
    sync_folder_of(path);
    return 0;
}

int
file_make_folder(const char *path, mode_t mode, struct gantry_error **err)
{
    AUTO_FREE char *part = text_dup(path);
    if (!part)
        return err_nomem(err);
    for (char *at = part; *at;) {
        at += strspn(at, "/");
        at += strcspn(at, "/");
        char end = *at;
        *at = '\0';
        struct stat info;
        if (mkdir(part, mode) < 0) {
            int errnum = errno;
            if (stat(part, &info) < 0) {
                errno = errnum;
                return fail(err, "make the folder", path);
            }
            if (!S_ISDIR(info.st_mode))
                return err_set(err, GANTRY_E_CONFLICT,
                               "cannot make the folder '%s': '%s' is no folder", path, part);
        }
        *at = end;
    }
    return 0;
}

char *
file_join(const char *base, const char *name)
{
    size_t length = strlen(base);
    if (name[0] == '/' || length == 0)
        return text_dup(name);
    char *joined = NULL;
    if (asprintf(&joined, "%s%s%s", base, base[length - 1] == '/' ? "" : "/", name) < 0)
        return NULL;
    return joined;
}
