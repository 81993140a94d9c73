/* Whole files: limits, kinds, atomic writing, folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "file.h"

#include "err.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

static char folder[64];

static int
set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/gantry-test-file-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    DIR *dir = opendir(folder);
    for (struct dirent *it; dir && (it = readdir(dir));) {
        if (it->d_name[0] == '.')
            continue;
        AUTO_FREE char *path = file_join(folder, it->d_name);
        (void)remove(path);
    }
    if (dir)
        closedir(dir);
    return rmdir(folder);
}

static void
what_is_written_is_read_again_with_its_mode(void **state)
{
    (void)state;
    AUTO_FREE char *path = file_join(folder, "a");
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    struct stat info;
    assert_int_equal(file_write_atomic(path, STR("old"), 0644, NULL), 0);
    assert_int_equal(file_write_atomic(path, STR("a\0b\n"), 0600, NULL), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(file_read(path, 4, &text, &length, NULL), 0);
    assert_int_equal(length, 4);
    assert_memory_equal(text, "a\0b\n", 5);
}

static void
a_failed_write_leaves_nothing_beside(void **state)
{
    (void)state;
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_FREE char *path = file_join(folder, "no/such/folder");
    assert_int_equal(file_write_atomic(path, STR("x"), 0600, &err), GANTRY_E_NOT_FOUND);
    assert_non_null(strstr(err_text(err), path));
    AUTO_FREE char *busy = file_join(folder, "busy");
    assert_int_equal(mkdir(busy, 0700), 0);
    assert_true(file_write_atomic(busy, STR("x"), 0600, NULL) < 0); /* a folder is in the way */
    assert_int_equal(rmdir(busy), 0);
    DIR *dir = opendir(folder);
    for (struct dirent *it; (it = readdir(dir));)
        assert_int_equal(it->d_name[0], '.');
    closedir(dir);
}

static void
reading_is_limited_and_takes_regular_files_alone(void **state)
{
    (void)state;
    AUTO_FREE char *path = file_join(folder, "a");
    AUTO_FREE char *fifo = file_join(folder, "fifo");
    AUTO_ERR struct gantry_error *err = NULL;
    char *text = (char *)1;
    assert_int_equal(file_read(path, 10, &text, NULL, NULL), GANTRY_E_NOT_FOUND);
    assert_int_equal(file_write_atomic(path, STR("12345"), 0600, NULL), 0);
    assert_int_equal(file_read(path, 4, &text, NULL, &err), GANTRY_E_INVALID);
    assert_non_null(strstr(err_text(err), "larger than 4 bytes"));
    assert_int_equal(file_read(folder, 10, &text, NULL, NULL), GANTRY_E_INVALID);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_read(fifo, 10, &text, NULL, NULL),
                     GANTRY_E_INVALID); /* and does not wait */
    assert_ptr_equal(text, (char *)1);
    assert_int_equal(file_read("/proc/self/status", 3, &text, NULL, NULL), GANTRY_E_INVALID);
}

static void
files_that_understate_their_length_are_read_whole(void **state)
{
    (void)state;
    AUTO_FREE char *text = NULL;
    size_t length = 0;
    assert_int_equal(file_read("/proc/self/status", 100000, &text, &length, NULL), 0);
    assert_true(length > 100);
    assert_int_equal(strlen(text), length);
    assert_memory_equal(text, "Name:", 5);
}

static void
folders_are_made_with_their_parents(void **state)
{
    (void)state;
    AUTO_FREE char *one = file_join(folder, "one");
    AUTO_FREE char *two = file_join(one, "two//three/");
    AUTO_FREE char *file = file_join(folder, "file");
    AUTO_FREE char *below = file_join(file, "x");
    struct stat info;
    assert_int_equal(file_make_folder(two, 0700, NULL), 0);
    assert_int_equal(file_make_folder(two, 0700, NULL), 0);
    assert_int_equal(stat(two, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(file_write_atomic(file, STR("x"), 0600, NULL), 0);
    assert_int_equal(file_make_folder(below, 0700, NULL), GANTRY_E_CONFLICT);
    assert_int_equal(rmdir(two), 0);
    AUTO_FREE char *middle = file_join(one, "two");
    assert_int_equal(rmdir(middle), 0);
}

static void
joining_respects_absolute_names(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_FREE char *joined = file_join(cases[i][0], cases[i][1]);
        assert_string_equal(joined, cases[i][2]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_again_with_its_mode, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing_beside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reading_is_limited_and_takes_regular_files_alone, set_up,
                                        tear_down),
        cmocka_unit_test(files_that_understate_their_length_are_read_whole),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, set_up, tear_down),
        cmocka_unit_test(joining_respects_absolute_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
