/* cgroups, on a folder that looks like one: which files get what. */
#include "cgroup.h"
#include "folder.h"

#include <errno.h>
#include <sys/stat.h>

/* A kernel would make these files with the directory; here they are there before. */
static void
pretend(const struct folder *folder, const char *const *files)
{
    assert_int_equal(mkdirat(folder->fd, "gantry-h", 0755), 0);
    for (; *files; files++) {
        char name[80];
        snprintf(name, sizeof name, "gantry-h/%s", *files);
        folder_put(folder, name, "", 0);
    }
}

static void
forget(const struct folder *folder, const char *const *files)
{
    for (; *files; files++) {
        char name[80];
        snprintf(name, sizeof name, "gantry-h/%s", *files);
        unlinkat(folder->fd, name, 0);
    }
    unlinkat(folder->fd, "gantry-h", AT_REMOVEDIR);
}

static struct record
limits(const char *text, size_t size)
{
    struct record record = {malloc(size), size};
    memcpy(record.data, text, size);
    return record;
}
#define LIMITS(text) limits(text, sizeof(text))

static void
limits_are_written_where_the_kernel_reads_them(void **state)
{
    static const char *const files[] = {"memory.max",  "memory.swap.max", "pids.max", "cpu.max",
                                        "cgroup.kill", "memory.events",   NULL};
    const struct folder *folder = *state;
    AUTO_RECORD spec = LIMITS("memory=67108864\0pids_limit=20\0cpus=1.5");
    char path[CGROUP_PATH_MAX], problem[400];
    pretend(folder, files);
    folder_put(folder, "cgroup.subtree_control", "", 0);
    assert_int_equal(cgroup_make(folder->path, "h", &spec, path, problem, sizeof problem), 0);
    assert_string_equal(path + strlen(folder->path), "/gantry-h");
    assert_string_equal(folder_get(folder, "gantry-h/memory.max"), "67108864");
    assert_string_equal(folder_get(folder, "gantry-h/memory.swap.max"), "0");
    assert_string_equal(folder_get(folder, "gantry-h/pids.max"), "20");
    assert_string_equal(folder_get(folder, "gantry-h/cpu.max"), "150000 100000");
    assert_true(cgroup_kill(path));
    assert_string_equal(folder_get(folder, "gantry-h/cgroup.kill"), "1");
    assert_int_equal(cgroup_oom_kills(path), 0);
    folder_put(folder, "gantry-h/memory.events", "low 0\noom 3\noom_kill 2\n", 23);
    assert_int_equal(cgroup_oom_kills(path), 2);
    forget(folder, files);
}

static void
limit_without_its_controller_is_refused(void **state)
{
    static const char *const files[] = {NULL};
    const struct folder *folder = *state;
    AUTO_RECORD spec = LIMITS("memory=67108864");
    char path[CGROUP_PATH_MAX], problem[400] = "";
    pretend(folder, files);
    assert_int_equal(cgroup_make(folder->path, "h", &spec, path, problem, sizeof problem), -ENOENT);
    assert_string_equal(path, "");
    assert_non_null(strstr(problem, "memory: "));
    assert_non_null(strstr(problem, folder->path));
    assert_int_equal(faccessat(folder->fd, "gantry-h", F_OK, 0), -1); /* nothing is left */
}

static void
without_a_tree_only_limits_are_an_error(void **state)
{
    AUTO_RECORD none = {0};
    AUTO_RECORD spec = LIMITS("pids_limit=5");
    char path[CGROUP_PATH_MAX], problem[400];
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *parent = i ? "/nonexistent" : "";
        assert_int_equal(cgroup_make(parent, "h", &none, path, problem, sizeof problem), 0);
        assert_string_equal(path, "");
        assert_true(cgroup_make(parent, "h", &spec, path, problem, sizeof problem) < 0);
        assert_non_null(strstr(problem, "pids_limit: "));
    }
    assert_false(cgroup_kill(""));
    assert_int_equal(cgroup_oom_kills(""), 0);
    cgroup_remove("");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(limits_are_written_where_the_kernel_reads_them),
        FOLDER_TEST(limit_without_its_controller_is_refused),
        FOLDER_TEST(without_a_tree_only_limits_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
