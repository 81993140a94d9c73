/* Archives in the ustar format (POSIX.1-1988), with GNU's record for long names.  See tar.h. */
#include "tar.h"

#include <stdio.h>
#include <string.h>

#define BLOCK 512

/* Field offsets and sizes of a header block. */
enum {
    NAME = 0,
    NAME_SIZE = 100,
    MODE = 100,
    UID = 108,
    GID = 116,
    SIZE = 124,
    MTIME = 136,
    CHECKSUM = 148,
    TYPE = 156,
    MAGIC = 257
};

static void
add_padding(struct text *archive, uint64_t size)
{
    static const char zeroes[BLOCK];
    if (size % BLOCK)
        text_add_bytes(archive, zeroes, (size_t)(BLOCK - size % BLOCK));
}

static void
add_header(struct text *archive, const char *name, uint64_t size, uint32_t mode,
           const struct tar_owner *owner, char type)
{
    char block[BLOCK] = {0};
    size_t length = strlen(name);
    memcpy(block + NAME, name, length < NAME_SIZE ? length : NAME_SIZE);
    snprintf(block + MODE, 8, "%07o", mode & 07777u);
    snprintf(block + UID, 8, "%07o", owner->user & 07777777u);
    snprintf(block + GID, 8, "%07o", owner->group & 07777777u);
    snprintf(block + SIZE, 12, "%011llo", (unsigned long long)(size & 077777777777ull));
    snprintf(block + MTIME, 12, "%011o", 0u);
    block[TYPE] = type;
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): the field of the version has no NUL */
    memcpy(block + MAGIC, "ustar\00000", 8);
    /* The sum is taken with its own field as blanks. */
    memset(block + CHECKSUM, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + CHECKSUM, 7, "%06o", sum & 0777777u);
    text_add_bytes(archive, block, BLOCK);
}

void
tar_add_file(struct text *archive, const struct gantry_file *file, const char *name,
             const struct tar_owner *owner)
{
    size_t length = strlen(name);
    if (length > NAME_SIZE) {
        add_header(archive, "././@LongLink", length + 1, 0644, owner, 'L');
        text_add_bytes(archive, name, length + 1);
        add_padding(archive, length + 1);
    }
    add_header(archive, name, file->bytes_size, file->mode, owner, '0');
    text_add_bytes(archive, file->bytes, (size_t)file->bytes_size);
    add_padding(archive, file->bytes_size);
}

void
tar_finish(struct text *archive)
{
    static const char zeroes[BLOCK * 2];
    text_add_bytes(archive, zeroes, sizeof zeroes);
}

bool
tar_path_is_good(const char *path)
{
    size_t length = strlen(path);
    if (path[0] != '/' || length < 2 || length > 4000 || path[length - 1] == '/')
        return false;
    for (const char *part = path; part; part = strchr(part + 1, '/')) {
        size_t size = strcspn(part + 1, "/");
        if (size == 0 || (size == 1 && part[1] == '.') ||
            (size == 2 && part[1] == '.' && part[2] == '.'))
            return false;
    }
    return true;
}
