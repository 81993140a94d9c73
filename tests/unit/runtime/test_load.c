/* test_load.c - which shared objects are taken, and that they work: real files, built in tests/abi.
 */
#include "fake_plugin.h"

#include "file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PLUGINS GANTRY_BINARY_DIR "/tests/plugins"

static char folder[] = "/tmp/gantry-load-XXXXXX";

/* Put a copy of a built plugin into the test's folder. */
static char *
copy_of(const char *from, const char *name)
{
    char *bytes = NULL;
    size_t len = 0;
    char *path = file_join(folder, name);
    assert_non_null(path);
    assert_int_equal(file_read(from, 10 << 20, &bytes, &len, NULL), 0);
    assert_int_equal(file_write_atomic(path, (struct str){bytes, len}, 0644, NULL), 0);
    free(bytes);
    return path;
}

static void
expect_refused(const char *file, int code, const char *words)
{
    struct runtime_plugin *plugin = NULL;
    struct gantry_error *err = NULL;
    assert_int_equal(runtime_plugin_load(file, NULL, 0, &plugin, &err), code);
    assert_null(plugin);
    if (!strstr(err_text(err), words))
        fail_msg("'%s' lacks '%s'", err_text(err), words);
    gantry_error_free(err);
    assert_int_equal(runtime_plugin_load(file, NULL, 0, &plugin, NULL), code); /* err may be NULL */
}

static void
what_does_not_fit_is_refused_with_its_reason(void **state)
{
    (void)state;
    expect_refused(PLUGINS "/refused/gantry-memory.so", GANTRY_E_INVALID,
                   "plugin 'memory' has ABI version 2, this Gantry has 1");
    expect_refused(PLUGINS "/refused/gantry-missing-stop.so", GANTRY_E_INVALID,
                   "required operation 'stop' is missing");
    expect_refused(PLUGINS "/refused/gantry-wrong-name.so", GANTRY_E_INVALID,
                   "the plugin in it is called 'memory'");
    expect_refused(PLUGINS "/refused/gantry-no-table.so", GANTRY_E_INVALID, "gives no table");
    expect_refused(PLUGINS "/refused/gantry-no-entry.so", GANTRY_E_INVALID,
                   "does not export gantry_plugin_entry()");
    expect_refused(PLUGINS "/refused/gantry-bad-setting.so", GANTRY_E_INVALID,
                   "setting 'odd' has type 99");
    expect_refused(PLUGINS "/gantry-nothing.so", GANTRY_E_NOT_FOUND, "gantry-nothing.so");
    expect_refused(PLUGINS "/memory.so", GANTRY_E_INVALID, "gantry-NAME.so");
    expect_refused("Memory", GANTRY_E_INVALID, "is no plugin's name");
    expect_refused("../memory", GANTRY_E_INVALID, "gantry-NAME.so");
    char *text = copy_of(GANTRY_SOURCE_DIR "/CMakeLists.txt", "gantry-text.so");
    expect_refused(text, GANTRY_E_INVALID, "plugin 'text' cannot be loaded");
    free(text);
}

static void
what_others_can_write_is_refused(void **state)
{
    (void)state;
    char *file = copy_of(PLUGINS "/gantry-memory.so", "gantry-memory.so");
    struct runtime_plugin *plugin = NULL;
    assert_int_equal(runtime_plugin_load(file, NULL, 0, &plugin, NULL), 0);
    assert_string_equal(runtime_plugin_file(plugin), file);
    runtime_plugin_free(plugin);

    assert_int_equal(chmod(file, 0664), 0);
    expect_refused(file, GANTRY_E_DENIED, "can be written to by others");
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(chmod(folder, 01777), 0);
    expect_refused(file, GANTRY_E_DENIED, "plugin folder");
    assert_int_equal(chmod(folder, 0700), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(file, 12345, 0), 0);
        expect_refused(file, GANTRY_E_DENIED, "belongs to user 12345");
        assert_int_equal(chown(file, 0, 0), 0);
    }
    /* Neither does a link from a good folder make a bad one better. */
    char *good = file_join(folder, "good"), *linked = file_join(folder, "good/gantry-memory.so");
    assert_int_equal(mkdir(good, 0700), 0);
    assert_int_equal(symlink(file, linked), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    expect_refused(linked, GANTRY_E_DENIED, "plugin folder");
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(runtime_plugin_load(linked, NULL, 0, &plugin, NULL), 0);
    runtime_plugin_free(plugin);
    unlink(linked);
    rmdir(good);
    free(good);
    free(linked);
    free(file);
}

static void
first_folder_that_has_the_name_decides(void **state)
{
    (void)state;
    char *file = copy_of(PLUGINS "/gantry-memory.so", "gantry-memory.so");
    const char *folders[] = {"/nowhere", folder, PLUGINS};
    struct runtime_plugin *plugin = NULL;
    struct gantry_error *err = NULL;
    assert_int_equal(runtime_plugin_load("memory", folders, 3, &plugin, NULL), 0);
    assert_string_equal(runtime_plugin_file(plugin), file);
    runtime_plugin_free(plugin);
    plugin = NULL;
    assert_int_equal(unlink(file), 0);
    assert_int_equal(runtime_plugin_load("memory", folders, 3, &plugin, NULL), 0);
    assert_string_equal(runtime_plugin_file(plugin), PLUGINS "/gantry-memory.so");
    runtime_plugin_free(plugin);
    plugin = NULL;
    assert_int_equal(runtime_plugin_load("nothing", folders, 2, &plugin, &err), GANTRY_E_NOT_FOUND);
    assert_non_null(strstr(err_text(err), "/nowhere, /tmp/gantry-load-"));
    gantry_error_free(err);
    free(file);
}

/* ---- and they work --------------------------------------------------------------------------- */

static const struct gantry_pair labels[] = {
    {GANTRY_LABEL_MANAGER, "m"}, {GANTRY_LABEL_CONNECTOR, "c1"}, {GANTRY_LABEL_HASH, "h1"}};

static int
make_spec(void *context, struct runtime_job *job, struct gantry_spec *spec,
          struct gantry_error **err)
{
    (void)context;
    (void)err;
    spec->id = job->id;
    spec->name = job->name;
    spec->hash = "h1";
    spec->image = "none";
    spec->labels = labels;
    spec->label_count = 3;
    spec->label_stride = sizeof labels[0];
    return 0;
}

static struct runtime_job *
do_op(const struct rig *rig, enum runtime_op op, const char *handle, bool with_spec)
{
    struct runtime_job *job = runtime_job_new(op, rig->backend);
    job->id = "c1";
    job->name = "one";
    job->handle = handle;
    job->prepare = with_spec ? make_spec : NULL;
    job->labels = labels;
    job->label_count = 1;
    return rig_do(rig, job);
}

static struct rig
rig_load(const char *name)
{
    const char *folders[] = {PLUGINS};
    struct rig rig = {0};
    struct gantry_settings settings = {.size = sizeof settings, .section = name};
    assert_int_equal(runtime_plugin_load(name, folders, 1, &rig.plugin, NULL), 0);
    assert_int_equal(runtime_new(2, NULL, &rig.runtime, NULL), 0);
    assert_int_equal(runtime_open(rig.runtime, rig.plugin, &settings, &rig.backend, NULL), 0);
    return rig;
}

static void
expect_status(struct runtime_job *job, size_t count, const char *handle, const char *name,
              uint32_t state)
{
    assert_int_equal(job->code, 0);
    assert_int_equal(job->statuses.len, count);
    if (count) {
        assert_string_equal(job->statuses.ptr[0].handle, handle);
        assert_string_equal(job->statuses.ptr[0].name, name);
        assert_string_equal(job->statuses.ptr[0].hash, "h1");
        assert_int_equal(job->statuses.ptr[0].state, state);
    }
    runtime_job_free(job);
}

/* Start, replace, stop, start again, remove. */
static void
live(const char *plugin)
{
    struct rig rig = rig_load(plugin);
    expect_status(do_op(&rig, RUNTIME_LIST, NULL, false), 0, NULL, NULL, 0);
    expect_status(do_op(&rig, RUNTIME_START, NULL, true), 1, "w1", "one", GANTRY_STATE_RUNNING);
    expect_status(do_op(&rig, RUNTIME_START, "w1", true), 1, "w2", "one-new-0001",
                  GANTRY_STATE_RUNNING);
    expect_status(do_op(&rig, RUNTIME_LIST, NULL, false), 2, "w1", "one", GANTRY_STATE_EXITED);
    expect_status(do_op(&rig, RUNTIME_REMOVE, "w1", false), 0, NULL, NULL, 0);
    expect_status(do_op(&rig, RUNTIME_INSPECT, "w2", false), 1, "w2", "one", GANTRY_STATE_RUNNING);
    expect_status(do_op(&rig, RUNTIME_STOP, "w2", false), 0, NULL, NULL, 0);
    expect_status(do_op(&rig, RUNTIME_LIST, NULL, false), 1, "w2", "one", GANTRY_STATE_EXITED);
    expect_status(do_op(&rig, RUNTIME_START, "w2", false), 1, "w2", "one", GANTRY_STATE_RUNNING);
    expect_status(do_op(&rig, RUNTIME_REMOVE, "w2", false), 0, NULL, NULL, 0);
    expect_status(do_op(&rig, RUNTIME_REMOVE, "w2", false), 0, NULL, NULL, 0); /* once more */
    struct runtime_job *job = do_op(&rig, RUNTIME_INSPECT, "w2", false);
    assert_int_equal(job->code, GANTRY_E_NOT_FOUND);
    runtime_job_free(job);
    rig_close(&rig);
}

static void
smallest_plugin_lives(void **state)
{
    (void)state;
    live("memory");
}

static int
make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int
remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"gantry-memory.so", "gantry-text.so"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *path = file_join(folder, names[i]);
        unlink(path);
        free(path);
    }
    return rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_refused_with_its_reason),
        cmocka_unit_test(what_others_can_write_is_refused),
        cmocka_unit_test(first_folder_that_has_the_name_decides),
        cmocka_unit_test(smallest_plugin_lives),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
