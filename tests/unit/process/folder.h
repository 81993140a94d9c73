/* folder.h - a folder of the test's own, which goes with it. */
#ifndef PROCESS_TEST_FOLDER_H
#define PROCESS_TEST_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folder {
    char path[64];
    int fd;
};

static inline int
folder_setup(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    snprintf(folder->path, sizeof folder->path, "/tmp/gtu.XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(folder->fd >= 0);
    *state = folder;
    return 0;
}

static inline int
folder_teardown(void **state)
{
    struct folder *folder = *state;
    DIR *entries = opendir(folder->path);
    const struct dirent *entry;
    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.' || entry->d_name[1] > '.')
            unlinkat(folder->fd, entry->d_name, 0);
    closedir(entries);
    rmdir(folder->path);
    close(folder->fd);
    free(folder);
    return 0;
}

static inline void
folder_put(const struct folder *folder, const char *name, const void *bytes, size_t size)
{
    int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

static inline const char *
folder_get(const struct folder *folder, const char *name)
{
    static char text[4096];
    int fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, folder_setup, folder_teardown)

#endif
