/* life.c - a plugin's whole life through gantry/host.h: everything that the ABI has, asked and compared.
 *
 *   life GANTRY-NAME.SO...
 *
 * Made for the plugins of frozen/, their past and their future (README.md): what is asked of one must be so whatever
 * version of the ABI it and this host were compiled with.  A plugin whose table ends before the optional operations
 * is asked for the others. */
#include "life.h"
#include <gantry/host.h>

#include <unistd.h>

const char *plugin_file;
char plugin_name[64], folder[64];
int is_whole;

/* ---- every plugin --------------------------------------------------------------------------------- */

void
starts_replaces_stops_and_removes(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    char first[40], second[40];
    list(s, labels, 1, &seen, 0);
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    snprintf(first, sizeof first, "%s", seen.status[0].handle);
    expect_status(&seen.status[0], first, "one", GANTRY_STATE_RUNNING);
    start(s, NULL, &spec, 0, &seen, GANTRY_E_UNAVAILABLE, "one");
    start(s, first, &spec, 0, &seen, 0, NULL);
    snprintf(second, sizeof second, "%s", seen.status[0].handle);
    assert_string_not_equal(first, second);
    assert_int_equal(strncmp(seen.status[0].name, "one-new-", 8), 0);
    assert_int_equal(strlen(seen.status[0].name), strlen("one-new-0000"));
    list(s, labels, 2, &seen, 2);
    expect_status(&seen.status[0], first, "one", GANTRY_STATE_EXITED);
    call_ref(s, "remove", first, &seen, 0);
    call_ref(s, "inspect", second, &seen, 0);
    expect_status(&seen.status[0], second, "one", GANTRY_STATE_RUNNING);
    call_ref(s, "stop", second, &seen, 0);
    call_ref(s, "stop", second, &seen, 0);
    list(s, labels, 1, &seen, 1);
    expect_status(&seen.status[0], second, "one", GANTRY_STATE_EXITED);
    start(s, second, NULL, GANTRY_START_ONCE, &seen, 0, NULL);
    expect_status(&seen.status[0], second, "one", GANTRY_STATE_RUNNING);
    if (is_whole) {
        assert_true(seen.status[0].s.present & GANTRY_STATUS_RESTARTS);
        assert_int_equal(seen.status[0].s.restarts, 1);
    }
    call_ref(s, "remove", second, &seen, 0);
    call_ref(s, "remove", second, &seen, 0);
    call_ref(s, "stop", second, &seen, 0);
    call_ref(s, "inspect", second, &seen, GANTRY_E_NOT_FOUND);
    start(s, second, NULL, 0, &seen, GANTRY_E_NOT_FOUND, NULL);
    list(s, labels, 1, &seen, 0);
    gantry_session_free(s);
}

void
foreign_workload_is_a_conflict_and_not_listed(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec theirs = plain_spec(), ours = plain_spec();
    theirs.id = "c2";
    theirs.labels = foreign_labels;
    theirs.label_count = 2;
    start(s, NULL, &theirs, 0, &seen, 0, NULL);
    start(s, NULL, &ours, 0, &seen, GANTRY_E_CONFLICT, "one");
    list(s, labels, 1, &seen, 0);
    list(s, foreign_labels, 1, &seen, 1);
    assert_string_equal(seen.status[0].labels, "opencti-manager=other opencti-connector-id=c2 ");
    gantry_session_free(s);
}

void
logs_go_on_after_a_cursor(void **state)
{
    (void)state;
    static struct seen seen;
    struct gantry_session *s = open_plain();
    struct gantry_spec spec = plain_spec();
    start(s, NULL, &spec, 0, &seen, 0, NULL);
    char handle[40], cursor[40];
    snprintf(handle, sizeof handle, "%s", seen.status[0].handle);
    call_ref(s, "logs", handle, &seen, 0);
    expect_line(&seen, "run 1");
    const struct line last = seen.line[seen.lines - 1];
    snprintf(cursor, sizeof cursor, "%s", last.cursor);
    call_ref(s, "stop", handle, &seen, 0);
    start(s, handle, NULL, GANTRY_START_ONCE, &seen, 0, NULL);

    const struct gantry_ref ref = ref_to(handle);
    struct gantry_log_limits limits = {.size = sizeof limits, .max_lines = 10, .max_bytes = 10000};
    limits.max_line_bytes = 1000;
    struct gantry_request r = request("logs", &seen);
    r.ref = &ref;
    r.cursor = cursor;
    r.limits = &limits;
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.lines, 2);
    assert_int_equal(strncmp(seen.line[0].text, "stopped within 1500 ms", 22), 0);
    assert_string_equal(seen.line[1].text, "run 2, once");
    limits.max_lines = 1;
    r = request("logs", &seen);
    r.ref = &ref;
    r.limits = &limits;
    expect(s, &r, 0, NULL);
    assert_int_equal(seen.lines, 1);
    assert_string_equal(seen.line[0].text, "run 2, once");
    gantry_session_free(s);
}

/* ---- the program ---------------------------------------------------------------------------------- */

static int
test_one(const char *file)
{
    const struct CMUnitTest of_cpp[] = {EVERY_PLUGIN, cmocka_unit_test(cpp_reads_its_settings)};
    struct gantry_loaded_plugin *loaded = NULL;
    struct gantry_error *err = NULL;
    if (gantry_plugin_load(file, NULL, 0, &loaded, &err) < 0) {
        print_error("%s\n", err->message);
        gantry_error_free(err);
        return 1;
    }
    plugin_file = file;
    snprintf(plugin_name, sizeof plugin_name, "%s", gantry_loaded_plugin_table(loaded)->name);
    is_whole = gantry_loaded_plugin_table(loaded)->probe != NULL;
    int is_later = gantry_loaded_plugin_table(loaded)->abi_minor > GANTRY_ABI_MINOR;
    gantry_loaded_plugin_free(loaded);
    int failed = is_everything() ? test_everything(file)
                                 : cmocka_run_group_tests_name(file, of_cpp, NULL, NULL);
    if (is_later)
        failed += test_later_version(file);
    return failed;
}

int
main(int argc, char **argv)
{
    int failed = argc < 2;
    snprintf(folder, sizeof folder, "/tmp/gantry-life-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    for (int i = 1; i < argc; i++)
        failed += test_one(argv[i]);
    char left[2][100];
    snprintf(left[0], sizeof left[0], "%s/gantry.ini", folder);
    snprintf(left[1], sizeof left[1], "%s/state", folder);
    (void)unlink(left[0]);
    (void)rmdir(left[1]);
    (void)rmdir(folder);
    return failed != 0;
}
