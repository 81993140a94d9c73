/* Files of KEY=VALUE.  See record.h. */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
read_all(int fd, struct record *out)
{
    struct stat about;
    if (fstat(fd, &about) < 0)
        return -errno;
    if (!S_ISREG(about.st_mode) || about.st_size > (off_t)RECORD_MAX)
        return -EBADMSG;
    size_t size = (size_t)about.st_size, have = 0;
    char *data = malloc(size + 1);
    if (!data)
        return -ENOMEM;
    *out = (struct record){data, size};
    while (have < size) {
        ssize_t got = read(fd, data + have, size - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return -EBADMSG;
        have += (size_t)got;
    }
    data[size] = '\0';
    return size && data[size - 1] ? -EBADMSG : 0;
}

int
record_read(int folder, const char *name, struct record *out)
{
    struct record record = {0};
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int rc = read_all(fd, &record);
    close(fd);
    if (rc < 0)
        record_clear(&record);
    else
        *out = record;
    return rc;
}

void
record_clear(struct record *record)
{
    if (record->data)
        explicit_bzero(record->data, record->size);
    free(record->data);
    *record = (struct record){0};
}

const char *
record_next(const struct record *record, const char *key, const char *after)
{
    const char *end = record->data + record->size, *at = record->data;
    size_t length = strlen(key);
    if (after)
        at = after + strlen(after) + 1;
    for (; at && at < end; at += strlen(at) + 1)
        if (strncmp(at, key, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

const char *
record_find(const struct record *record, const char *key)
{
    return record_next(record, key, NULL);
}

int64_t
record_number(const struct record *record, const char *key, int64_t fallback)
{
    const char *text = record_find(record, key);
    char *end;
    if (!text || !*text)
        return fallback;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || *end ? fallback : value;
}

void
record_add(struct text *out, const char *key, const char *value)
{
    text_add(out, key);
    text_add_char(out, '=');
    text_add_bytes(out, value, strlen(value) + 1);
}

void
record_add_number(struct text *out, const char *key, int64_t value)
{
    text_addf(out, "%s=%lld", key, (long long)value);
    text_add_bytes(out, "", 1);
}

static int
write_all(int fd, const char *data, size_t size)
{
    while (size) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        data += wrote;
        size -= (size_t)wrote;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int
record_write(int folder, const char *name, const struct text *content)
{
    char beside[64];
    if (content->failed)
        return -ENOMEM;
    snprintf(beside, sizeof beside, ".%.40s.new", name);
    int fd = openat(folder, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int rc = write_all(fd, text_cstr(content), content->size);
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && renameat(folder, beside, folder, name) < 0)
        rc = -errno;
    if (rc < 0)
        unlinkat(folder, beside, 0);
    return rc;
}
