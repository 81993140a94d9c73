/* Allocations fail in turn while a manager is made and runs to rest: it neither crashes nor hangs,
 * no workload is lost or made twice (S1), what runs runs on (S4), and the next run mends the rest.
 *
 * Each fault has a process of its own, as workers and what they leave behind would blur the next
 * one's count; what is lost for good, the sanitizer finds at its end. */
#include "scripted_world.h"

#include "faults.h"
#include "interpose.h"

#include <sys/wait.h>

enum { HANGS_S = 60, NOT_REACHED = 3 };

static void
set_up_settings(struct world *w)
{
    make_home(w->home);
    snprintf(w->folder, sizeof w->folder, "%s/connectors", w->home);
    assert_int_equal(mkdir(w->folder, 0700), 0);
    add_settings(w,
                 "[manager]\ninterval = 100ms\nstate_dir = %s/state\nplugin_path = %s/tests/"
                 "plugins\n[log]\nlevel = debug\n[platform local]\npath = %s\n[backend scripted]\n",
                 w->home, GANTRY_BINARY_DIR, w->folder);
}

static int
open_manager(struct world *w, struct gantry_error **err)
{
    const struct gantry_options options = {
        .size = sizeof options, .text = w->settings, .log = take_line, .log_context = w};
    int rc = gantry_manager_new(&options, &w->manager, err);
    fault_assert((rc == 0) == (w->manager != NULL));
    return rc < 0 ? rc : gantry_manager_open(w->manager, err);
}

/* To rest, in this thread. */
static int
run_once(struct world *w, struct gantry_error **err)
{
    int rc = open_manager(w, err);
    if (rc == 0)
        rc = gantry_manager_run(w->manager, GANTRY_RUN_ONCE, err);
    gantry_manager_free(w->manager);
    w->manager = NULL;
    return rc;
}

static void
run_without_fault(struct world *w)
{
    struct gantry_error *err = NULL;
    if (run_once(w, &err) < 0)
        fail_msg("%s", err->message);
}

/* One stays, one is replaced, one is made, one goes. */
static void
change_wishes(const struct world *w)
{
    write_connector(w, "replaced", "i:2", "starting");
    write_connector(w, "made", "i:1", "starting");
    remove_connector(w, "gone");
}

static void
check_nothing_is_lost(void)
{
    fault_assert(scripted_count("stays", GANTRY_STATE_RUNNING) == 1);
    fault_assert(scripted_count("stays", -1) == 1);
    fault_assert(scripted_count("replaced", GANTRY_STATE_RUNNING) == 1);
    fault_assert(scripted_count("replaced", -1) <= 2);
    fault_assert(scripted_count("made", -1) <= 1);
    fault_assert(scripted_count("gone", -1) <= 1);
}

static bool
all_is_as_wished(void)
{
    return scripted_count("stays", GANTRY_STATE_RUNNING) == 1 &&
           scripted_count("replaced", GANTRY_STATE_RUNNING) == 1 &&
           scripted_count("made", GANTRY_STATE_RUNNING) == 1 && scripted_count(NULL, -1) == 3;
}

/* Returns whether the nth allocation was asked for. */
static bool
run_with_fault(size_t nth, bool all_after)
{
    struct world w = {.runs = false};
    struct gantry_error *err = NULL;
    set_up_settings(&w);
    write_connector(&w, "stays", "i:1", "starting");
    write_connector(&w, "replaced", "i:1", "starting");
    write_connector(&w, "gone", "i:1", "starting");
    run_without_fault(&w);
    change_wishes(&w);
    interpose_arm(nth, all_after);
    int rc = run_once(&w, &err);
    interpose_disarm();
    fault_assert((rc == 0) == (err == NULL));
    gantry_error_free(err);
    check_nothing_is_lost();
    run_without_fault(&w);
    for (int i = 0; i < 30 && !all_is_as_wished(); i++) {
        pause_ms(100); /* a failure's back-off */
        run_without_fault(&w);
    }
    check_nothing_is_lost();
    fault_assert(all_is_as_wished());
    remove_tree(w.home);
    return interpose_tripped();
}

/* ---- changing the backend -------------------------------------------------------------------- */

static void
use_backends(struct world *w, const char *state, const char *backends)
{
    w->settings[0] = '\0';
    add_settings(w,
                 "[manager]\ninterval = 100ms\nstate_dir = %s/%s\nplugin_path = %s/tests/"
                 "plugins\n[log]\nlevel = debug\n[platform local]\npath = %s\n%s",
                 w->home, state, GANTRY_BINARY_DIR, w->folder, backends);
}

/* It has run on its new backend for long, or the move would take each run its time. */
static void
make_old(const struct world *w)
{
    static char text[TEXT_BYTES];
    char path[128];
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    FILE *f = fopen(path, "r+");
    size_t size = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[size] = '\0';
    char *since = strstr(text, "\"up_since_ms\":");
    assert_non_null(since);
    since += strlen("\"up_since_ms\":");
    *since++ = '1';
    while (*since >= '0' && *since <= '9')
        *since++ = ' ';
    rewind(f);
    assert_int_equal(size, fwrite(text, 1, size, f));
    fclose(f);
}

#define OLD_PLACE "[backend old]\nplugin = scripted\nplace = a\n"
#define NEW_PLACE "[backend new]\nplugin = scripted\nplace = b\n"

/* One runs on both, one shall not run, one is not listed any more. */
static void
half_a_move(struct world *w)
{
    set_up_settings(w);
    write_connector(w, "moves", "i:1", "starting");
    write_connector(w, "halted", "i:1", "starting");
    write_connector(w, "gone", "i:1", "starting");
    use_backends(w, "elsewhere", OLD_PLACE);
    run_without_fault(w);
    remove_connector(w, "halted");
    remove_connector(w, "gone");
    use_backends(w, "state", NEW_PLACE);
    run_without_fault(w);
    make_old(w);
    write_connector(w, "halted", "i:1", "stopping");
    use_backends(w, "state", OLD_PLACE "drain = yes\n" NEW_PLACE);
}

static bool
has_moved(void)
{
    return scripted_count(NULL, -1) == 1 && scripted_count_in("b", "moves", GANTRY_STATE_RUNNING);
}

static bool
move_with_fault(size_t nth, bool all_after)
{
    struct world w = {.runs = false};
    struct gantry_error *err = NULL;
    half_a_move(&w);
    fault_assert(scripted_count_in("a", NULL, GANTRY_STATE_RUNNING) == 3);
    interpose_arm(nth, all_after);
    int rc = run_once(&w, &err);
    interpose_disarm();
    fault_assert((rc == 0) == (err == NULL));
    gantry_error_free(err);
    for (int i = 0; i < 30 && !has_moved(); i++) {
        fault_assert(scripted_count_in("b", "moves", GANTRY_STATE_RUNNING) == 1);
        fault_assert(scripted_count_in("b", NULL, -1) == 1);
        if (i > 0)
            pause_ms(100); /* a failure's back-off */
        run_without_fault(&w);
    }
    fault_assert(has_moved());
    remove_tree(w.home);
    return interpose_tripped();
}

/* ---- each fault in a process of its own ------------------------------------------------------ */

typedef bool (*faulty_run)(size_t nth, bool all_after);

static bool
in_a_process(faulty_run faulty, size_t nth, bool all_after)
{
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(HANGS_S);
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* a check that fails ends the process */
        exit(faulty(nth, all_after) ? 0 : NOT_REACHED);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != NOT_REACHED))
        fail_msg("allocation %zu%s fails: the process ends with %x%s", nth,
                 all_after ? " and all behind it" : "", (unsigned)status,
                 WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ", as it hangs" : "");
    return WEXITSTATUS(status) == 0;
}

static void
sweep(faulty_run faulty)
{
    const char *stride_given = getenv("FAULT_STRIDE"), *first = getenv("FAULT_FIRST");
    size_t stride = stride_given ? strtoul(stride_given, NULL, 10) : 97;
    for (int all_after = 0; all_after < 2; all_after++) {
        size_t nth = first ? strtoul(first, NULL, 10) : 1;
        while (in_a_process(faulty, nth, all_after != 0))
            nth += stride;
        print_message("%zu allocations\n", nth);
        assert_true(nth > 200);
    }
}

static void
no_workload_is_lost_or_made_twice(void **state)
{
    (void)state;
    sweep(run_with_fault);
}

static void
nothing_is_lost_by_a_move(void **state)
{
    (void)state;
    sweep(move_with_fault);
}

static int
make_and_free(void *context, struct gantry_error **err)
{
    static char id[64]; /* what is made is what workloads are known by */
    struct world *w = context;
    int rc = open_manager(w, err);
    if (rc == 0 && !id[0])
        snprintf(id, sizeof id, "%s", w->manager->settings->id);
    fault_assert(rc < 0 || strcmp(w->manager->settings->id, id) == 0);
    gantry_manager_free(w->manager);
    w->manager = NULL;
    return rc;
}

static void
a_manager_is_made_whole_or_not_at_all(void **state)
{
    struct world w = {.runs = false};
    (void)state;
    set_up_settings(&w);
    fault_sweep(
        "making a manager",
        &(struct fault_sweep){.run = make_and_free, .context = &w, .tolerance = FAULT_TOLERATED});
    remove_tree(w.home);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_workload_is_lost_or_made_twice), /* forks: before threads are made */
        cmocka_unit_test(nothing_is_lost_by_a_move),
        cmocka_unit_test(a_manager_is_made_whole_or_not_at_all),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
