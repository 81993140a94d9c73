/* connector_folder.h - the local platform's folder, as a person would keep it, and folders that go
 * again. */
#ifndef TESTS_MANAGER_CONNECTOR_FOLDER_H
#define TESTS_MANAGER_CONNECTOR_FOLDER_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Written beside and renamed: the manager never sees half a file. */
static inline void
folder_write(const char *folder, const char *name, const char *image, const char *requested)
{
    char path[256], temporary[272];
    snprintf(path, sizeof path, "%s/%s.ini", folder, name);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *f = fopen(temporary, "w");
    assert_non_null(f);
    fprintf(f, "[connector]\nimage = %s\nrequested = %s\n\n[environment]\nNAME = %s\n", image,
            requested, name);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(temporary, path), 0);
}

static inline void
folder_remove(const char *folder, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.ini", folder, name);
    assert_int_equal(unlink(path), 0);
}

/* A folder that nobody else has; its path is written to home. */
static inline void
make_home(char home[64])
{
    snprintf(home, 64, "/tmp/gantry-test.XXXXXX");
    assert_non_null(mkdtemp(home));
}

/* With all that is in it. */
static inline void
remove_tree(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char child[1024];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int n = snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        assert_true(n > 0 && (size_t)n < sizeof child);
        remove_tree(child);
    }
    if (folder)
        closedir(folder);
    remove(path);
}

#endif
