/* The local platform: a folder of files, where a file that cannot be read is never one that is
 * gone. */
#include "platform_test.h"

#include <sys/stat.h>

#define IMAGE "[connector]\nimage = docker.io/library/busybox:1\n"

struct folder {
    char path[64];
};

static void
folder_new(struct folder *f)
{
    (void)snprintf(f->path, sizeof f->path, "/tmp/gantry-local-XXXXXX");
    assert_non_null(mkdtemp(f->path));
}

static char *
folder_file(const struct folder *f, const char *name)
{
    char *path = file_join(f->path, name);
    assert_non_null(path);
    return path;
}

static void
put(const struct folder *f, const char *name, const char *text)
{
    char *path = folder_file(f, name);
    assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, NULL));
    free(path);
}

static void
drop(const struct folder *f, const char *name)
{
    char *path = folder_file(f, name);
    assert_int_equal(0, remove(path));
    free(path);
}

static void
folder_free(const struct folder *f)
{
    static const char *const names[] = {"a.ini", "b.ini", "c.ini", ".d.ini", "e.txt", "secret"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *path = folder_file(f, names[i]);
        (void)remove(path);
        free(path);
    }
    assert_int_equal(0, rmdir(f->path));
}

static void
the_files_of_the_folder_are_its_connectors_by_name(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "b.ini", IMAGE "requested = stopping\nid = other\n");
    put(&f, "a.ini", IMAGE);
    put(&f, ".d.ini", IMAGE);
    put(&f, "e.txt", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_true(platform_is_local(s->platform));
    assert_string_equal("local", platform_label(s->platform));
    assert_string_equal("main", platform_name(s->platform));
    assert_int_equal(0, side_list(s));
    assert_int_equal(2, s->listing->count);
    assert_true(s->listing->complete);
    const struct platform_connector *c = s->listing->connectors;
    assert_string_equal("a", c[0].id);
    assert_string_equal("a", c[0].name);
    assert_string_equal("docker.io/library/busybox:1", c[0].image);
    assert_int_equal(PLATFORM_WISH_STARTING, c[0].wish);
    assert_int_equal(16, strlen(c[0].hash));
    assert_int_equal(PLATFORM_STATUS_NONE, c[0].known);
    assert_string_equal("other", c[1].id);
    assert_int_equal(PLATFORM_WISH_STOPPING, c[1].wish);
    side_free(s);
    folder_free(&f);
}

static void
hash_of(struct side *s, char hash[32])
{
    platform_forget_listing(s->platform);
    assert_int_equal(0, side_list(s));
    (void)snprintf(hash, 32, "%s", s->listing->connectors[0].hash);
}

static void
the_hash_is_of_image_and_environment_alone(void **state)
{
    (void)state;
    struct folder f;
    char first[32], next[32];
    folder_new(&f);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    put(&f, "a.ini", IMAGE "[environment]\nA = 1\nB = 2\n");
    hash_of(s, first);
    assert_string_equal("90b771212074bab2",
                        first); /* it must never change from release to release */
    put(&f, "a.ini", IMAGE "requested = stopping\n[environment]\nB = 2\nA = 1\n");
    hash_of(s, next);
    assert_string_equal(first, next);
    static const char *const others[] = {
        IMAGE "[environment]\nA = 1\nB = 3\n",
        IMAGE "[environment]\nA = 1\n",
        IMAGE "[environment]\nA = 1\nC = 2\n",
        IMAGE "[environment]\nA = 1\nB = 2\nC = 3\n",
        "[connector]\nimage = busybox:2\n[environment]\nA = 1\nB = 2\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        put(&f, "a.ini", others[i]);
        hash_of(s, next);
        assert_string_not_equal(first, next);
    }
    side_free(s);
    folder_free(&f);
}

static void
a_folder_that_says_the_same_is_unchanged(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "a.ini", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    put(&f, "a.ini", "# a comment\n" IMAGE);
    assert_int_equal(0, side_list(s));
    assert_true(s->unchanged);
    put(&f, "a.ini", IMAGE "requested = stopping\n");
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    platform_forget_listing(s->platform);
    assert_int_equal(0, side_list(s));
    assert_false(s->unchanged);
    side_free(s);
    folder_free(&f);
}

static void
a_bad_file_keeps_its_connector_listed_under_its_last_id(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "a.ini", IMAGE "id = mine\n");
    put(&f, "b.ini", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_int_equal(0, side_list(s));
    put(&f, "a.ini", "[connector]\nimag = x\n");
    assert_int_equal(0, side_list(s));
    assert_int_equal(2, s->listing->count);
    assert_string_equal("mine", s->listing->connectors[0].id);
    assert_contains(s->listing->connectors[0].problem, "a.ini");
    assert_null(s->listing->connectors[1].problem);
    assert_true(s->listing->complete);
    assert_int_equal(0, side_configure(s));
    assert_int_equal(1, s->configurations->count);
    assert_string_equal("b", s->configurations->items[0].id);
    assert_int_equal(1, s->configurations->unusable_count);
    assert_string_equal("mine", s->configurations->unusable[0].id);
    side_free(s);
    folder_free(&f);
}

static void
a_file_that_was_always_bad_makes_the_listing_doubtful(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "a.ini", "nonsense");
    char *path = folder_file(&f, "b.ini");
    assert_int_equal(0, mkdir(path, 0700));
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_int_equal(0, side_list(s));
    assert_int_equal(2, s->listing->count);
    assert_string_equal("a", s->listing->connectors[0].id);
    assert_non_null(s->listing->connectors[0].problem);
    assert_non_null(s->listing->connectors[1].problem);
    assert_false(s->listing->complete);
    assert_contains(s->listing->doubt, "a.ini");
    side_free(s);
    free(path);
    folder_free(&f);
}

static void
a_deleted_file_is_a_connector_that_is_gone(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "a.ini", IMAGE);
    put(&f, "b.ini", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_int_equal(0, side_list(s));
    drop(&f, "a.ini");
    assert_int_equal(0, side_list(s));
    assert_int_equal(1, s->listing->count);
    assert_true(s->listing->complete);
    side_free(s);
    folder_free(&f);
}

static void
a_folder_that_is_not_there_is_an_error_and_no_empty_listing(void **state)
{
    (void)state;
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, "/nonexistent/folder");
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_list(s));
    assert_contains(s->message, "/nonexistent/folder");
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_configure(s));
    side_free(s);
}

static void
two_files_of_one_id_are_one_connector_with_a_problem(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "a.ini", IMAGE);
    put(&f, "b.ini", IMAGE "id = a\n");
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_int_equal(0, side_list(s));
    assert_int_equal(1, s->listing->count);
    assert_non_null(s->listing->connectors[0].problem);
    assert_false(s->listing->complete);
    assert_int_equal(0, side_configure(s));
    assert_int_equal(0, s->configurations->count);
    side_free(s);
    folder_free(&f);
}

static void
configurations_have_the_variables_and_which_are_secret(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "secret", "hunter2\n");
    char *secret = folder_file(&f, "secret");
    struct buf text = BUF_INIT(4096);
    buf_add_fmt(&text, IMAGE "[environment]\nA = a=b=c\n[environment_from]\nPASSWORD = file:%s\n",
                secret);
    put(&f, "a.ini", buf_text(&text));
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    assert_int_equal(0, side_configure(s));
    assert_int_equal(1, s->configurations->count);
    const struct platform_configuration *c = &s->configurations->items[0];
    assert_int_equal(2, c->entry_count);
    assert_string_equal("A", c->entries[0].key);
    assert_string_equal("a=b=c", c->entries[0].value);
    assert_false(c->entries[0].secret);
    assert_int_equal(PLATFORM_SEALED_NO, c->entries[0].sealed);
    assert_string_equal("hunter2", c->entries[1].value);
    assert_true(c->entries[1].secret);
    side_free(s);
    buf_clear(&text);
    free(secret);
    folder_free(&f);
}

static void
reports_are_accepted_and_the_status_is_listed(void **state)
{
    (void)state;
    struct folder f;
    folder_new(&f);
    put(&f, "a.ini", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, f.path);
    struct platform_report report = {.id = "a", .status = PLATFORM_STATUS_STARTED};
    assert_int_equal(0, side_ping(s));
    assert_int_equal(0, side_list(s));
    assert_int_equal(0, side_report(s, &report));
    assert_int_equal(0, side_list(s));
    assert_true(s->unchanged); /* who reported it knows it */
    platform_forget_listing(s->platform);
    assert_int_equal(0, side_list(s));
    assert_int_equal(PLATFORM_STATUS_STARTED, s->listing->connectors[0].known);
    side_free(s);
    folder_free(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_files_of_the_folder_are_its_connectors_by_name),
        cmocka_unit_test(the_hash_is_of_image_and_environment_alone),
        cmocka_unit_test(a_folder_that_says_the_same_is_unchanged),
        cmocka_unit_test(a_bad_file_keeps_its_connector_listed_under_its_last_id),
        cmocka_unit_test(a_file_that_was_always_bad_makes_the_listing_doubtful),
        cmocka_unit_test(a_deleted_file_is_a_connector_that_is_gone),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error_and_no_empty_listing),
        cmocka_unit_test(two_files_of_one_id_are_one_connector_with_a_problem),
        cmocka_unit_test(configurations_have_the_variables_and_which_are_secret),
        cmocka_unit_test(reports_are_accepted_and_the_status_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
