/* A local platform's folder tells of its changes; where it cannot, listing goes on. */
#include "platform_test.h"

#include <errno.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define IMAGE "[connector]\nimage = busybox:1\n"

/* As the system's own, but for the errors that cannot be had from it here. */
static int watch_errno; /* 0: none */

int
inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    if (watch_errno) {
        errno = watch_errno;
        return -1;
    }
    return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

static char folder[64];

static char *
in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % ARRAY_LENGTH(paths)];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void
put(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(0, fclose(f));
}

static int
remove_all(void **state)
{
    static const char *const names[] = {"a.ini", "b.ini", ".a.ini.tmp", "a.log", "l.ini", "..data"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        (void)remove(in_folder(names[i]));
    return rmdir(folder);
}

static int
make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/gantry-watch-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static struct side *
watched(void)
{
    put("a.ini", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, folder);
    assert_true(platform_fd(s->platform) >= 0);
    assert_false(platform_changed(s->platform)); /* nothing is watched before the first listing */
    assert_int_equal(0, side_list(s));
    assert_false(platform_changed(s->platform));
    return s;
}

static bool
is_readable(const struct side *s)
{
    struct pollfd p = {.fd = platform_fd(s->platform), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* Exactly one listing is due, and it is told by the descriptor. */
static void
assert_changed(struct side *s)
{
    assert_true(is_readable(s));
    assert_true(platform_changed(s->platform));
    assert_false(is_readable(s));
    assert_false(platform_changed(s->platform));
}

static void
what_is_done_to_a_file_is_told(void **state)
{
    (void)state;
    struct side *s = watched();
    put("b.ini", IMAGE);
    assert_changed(s);
    put("b.ini", IMAGE "requested = stopping\n");
    assert_changed(s);
    assert_int_equal(0, chmod(in_folder("b.ini"), 0400));
    assert_changed(s);
    assert_int_equal(0, remove(in_folder("b.ini")));
    assert_changed(s);
    put(".a.ini.tmp", IMAGE "id = z\n");
    assert_false(platform_changed(s->platform));
    assert_int_equal(0, rename(in_folder(".a.ini.tmp"), in_folder("a.ini"))); /* as editors do */
    assert_changed(s);
    assert_int_equal(0, side_list(s));
    assert_string_equal("z", s->listing->connectors[0].id);
    assert_int_equal(0, symlink("a.ini", in_folder("l.ini")));
    assert_changed(s);
    assert_int_equal(0, link(in_folder("a.ini"), in_folder("b.ini")));
    assert_changed(s);
    side_free(s);
}

/* A folder of links to the files of another one, which is changed by renaming a link. */
static void
a_renamed_link_is_told(void **state)
{
    (void)state;
    struct side *s = watched();
    assert_int_equal(0, symlink("/tmp", in_folder(".a.ini.tmp")));
    assert_false(platform_changed(s->platform));
    assert_int_equal(0, rename(in_folder(".a.ini.tmp"), in_folder("..data")));
    assert_changed(s);
    side_free(s);
}

static void
what_is_no_connectors_file_is_not_told(void **state)
{
    (void)state;
    struct side *s = watched();
    put("a.log", "x");
    put(".a.ini.tmp", "x");
    assert_true(is_readable(s));
    assert_false(platform_changed(s->platform));
    assert_false(is_readable(s));
    side_free(s);
}

static void
a_file_is_told_when_its_writing_ends(void **state)
{
    (void)state;
    struct side *s = watched();
    FILE *f = fopen(in_folder("b.ini"), "w");
    assert_non_null(f);
    assert_true(fputs(IMAGE, f) >= 0);
    assert_int_equal(0, fflush(f));
    assert_false(platform_changed(s->platform));
    assert_int_equal(0, fclose(f));
    assert_changed(s);
    side_free(s);
}

static void
many_writes_are_one_listing(void **state)
{
    (void)state;
    struct side *s = watched();
    for (int i = 0; i < 100; i++)
        put(i % 2 ? "a.ini" : "b.ini", IMAGE);
    assert_changed(s);
    side_free(s);
}

static void
what_a_listing_has_read_is_not_told_again(void **state)
{
    (void)state;
    struct side *s = watched();
    put("b.ini", IMAGE);
    assert_int_equal(0, side_list(s)); /* its time had come */
    assert_int_equal(2, s->listing->count);
    assert_false(is_readable(s));
    assert_false(platform_changed(s->platform));
    side_free(s);
}

static void
a_queue_that_runs_over_is_a_change(void **state)
{
    (void)state;
    struct side *s = watched();
    FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    long most = 0;
    if (!f || fscanf(f, "%ld", &most) != 1 || most > 200000)
        most = 0;
    if (f)
        (void)fclose(f);
    if (most == 0) {
        side_free(s);
        skip();
    }
    put("a.log", "x"); /* what does not matter, over and over: nothing but the overflow does */
    put(".a.ini.tmp", "x");
    for (long i = 0; i < most; i++)
        assert_int_equal(0, chmod(in_folder(i % 2 ? "a.log" : ".a.ini.tmp"), 0600));
    assert_changed(s);
    side_free(s);
}

static void
a_folder_that_is_made_again_is_watched_again(void **state)
{
    (void)state;
    struct side *s = watched();
    assert_int_equal(0, remove(in_folder("a.ini")));
    assert_int_equal(0, rmdir(folder));
    assert_changed(s);
    assert_int_equal(GANTRY_E_UNAVAILABLE, side_list(s));
    assert_int_equal(0, mkdir(folder, 0700));
    put("a.ini", IMAGE);
    assert_false(is_readable(s)); /* the next listing finds it */
    assert_int_equal(0, side_list(s));
    assert_false(platform_changed(s->platform));
    put("b.ini", IMAGE);
    assert_changed(s);
    assert_int_equal(0, occurrences(buf_text(&s->logged), "cannot tell of changes"));
    side_free(s);
}

/* Another folder takes its name: only the new one is heard. */
static void
a_folder_that_is_replaced_is_watched_instead(void **state)
{
    (void)state;
    char aside[80], file[128];
    struct side *s = watched();
    (void)snprintf(aside, sizeof aside, "%s-aside", folder);
    (void)snprintf(file, sizeof file, "%s/a.ini", aside);
    assert_int_equal(0, rename(folder, aside));
    assert_changed(s);
    assert_int_equal(0, mkdir(folder, 0700));
    put("a.ini", IMAGE);
    assert_int_equal(0, side_list(s));
    assert_false(platform_changed(s->platform));
    assert_int_equal(0, chmod(file, 0400));
    assert_false(platform_changed(s->platform));
    put("b.ini", IMAGE);
    assert_changed(s);
    assert_int_equal(0, remove(file));
    assert_int_equal(0, rmdir(aside));
    side_free(s);
}

static void
without_watches_listing_goes_on_and_that_is_said_once(void **state)
{
    (void)state;
    put("a.ini", IMAGE);
    struct side *s = side_new(CONFIG_PLATFORM_LOCAL, folder);
    watch_errno = ENOSPC;
    for (int i = 0; i < 3; i++)
        assert_int_equal(0, side_list(s));
    assert_int_equal(1, occurrences(buf_text(&s->logged), "cannot tell of changes"));
    assert_contains(buf_text(&s->logged), "No space left on device");
    put("b.ini", IMAGE);
    assert_false(platform_changed(s->platform));
    watch_errno = 0;
    assert_int_equal(0, side_list(s));
    assert_int_equal(2, s->listing->count);
    put("b.ini", IMAGE);
    assert_changed(s);
    watch_errno = ENOSPC; /* lost again: said again, and what was watched is not any more */
    assert_int_equal(0, side_list(s));
    put("b.ini", IMAGE);
    assert_false(platform_changed(s->platform));
    assert_int_equal(2, occurrences(buf_text(&s->logged), "cannot tell of changes"));
    watch_errno = 0;
    side_free(s);
}

static void
without_inotify_there_is_no_descriptor(void **state)
{
    (void)state;
    put("a.ini", IMAGE);
    struct side *s = watched();
    const struct platform_context context = {
        .http = s->http, .log = &s->log, .manager_id = "m", .manager_name = "Gantry"};
    struct platform *platform = NULL;
    struct rlimit limit, none;
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &limit));
    none = limit;
    none.rlim_cur = 3;
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &none));
    int code = platform_new(&s->settings, &context, &platform, NULL);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &limit));
    assert_int_equal(0, code);
    assert_int_equal(-1, platform_fd(platform));
    assert_false(platform_changed(platform));
    assert_int_equal(1, occurrences(buf_text(&s->logged), "cannot tell of changes"));
    platform_free(s->platform);
    s->platform = platform;
    assert_int_equal(0, side_list(s));
    assert_int_equal(1, s->listing->count);
    assert_int_equal(1, occurrences(buf_text(&s->logged), "cannot tell of changes"));
    side_free(s);
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_all)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(what_is_done_to_a_file_is_told),
        FOLDER_TEST(a_renamed_link_is_told),
        FOLDER_TEST(what_is_no_connectors_file_is_not_told),
        FOLDER_TEST(a_file_is_told_when_its_writing_ends),
        FOLDER_TEST(many_writes_are_one_listing),
        FOLDER_TEST(what_a_listing_has_read_is_not_told_again),
        FOLDER_TEST(a_queue_that_runs_over_is_a_change),
        FOLDER_TEST(a_folder_that_is_made_again_is_watched_again),
        FOLDER_TEST(a_folder_that_is_replaced_is_watched_instead),
        FOLDER_TEST(without_watches_listing_goes_on_and_that_is_said_once),
        FOLDER_TEST(without_inotify_there_is_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
