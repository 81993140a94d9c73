/* What the tasks of a service say of it: its state, its end, how often it began anew. */
#include "swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SERVICE(replicas, condition, rest)                                                         \
    "{\"ID\":\"s\",\"Spec\":{\"Name\":\"n\",\"Labels\":{" rest                                     \
    "},\"Mode\":{\"Replicated\":{\"Replicas\":" replicas                                           \
    "}},\"TaskTemplate\":{\"RestartPolicy\":{\"Condition\":\"" condition "\"}}}"
#define TASK(id, second, state, desired, more)                                                     \
    "{\"ID\":\"" id "\",\"ServiceID\":\"s\",\"CreatedAt\":\"2026-11-21T10:00:" second              \
    ".5Z\",\"DesiredState\":\"" desired                                                            \
    "\",\"Spec\":{\"ForceUpdate\":1},\"Status\":{\"State\":\"" state                               \
    "\",\"Timestamp\":\"2026-11-21T10:01:" second "Z\"" more "}}"
#define EXIT(code)  ",\"ContainerStatus\":{\"ContainerID\":\"c\",\"ExitCode\":" #code "}"
#define ERR(reason) ",\"Err\":\"" reason "\""

static const int64_t minute_ms = INT64_C(1795255260000); /* 2026-11-21T10:01:00Z */

struct look {
    cJSON *service, *list;
    struct swarm_tasks tasks;
    struct swarm_state state;
};

static void
look_at(struct look *look, const char *service, const char *list)
{
    look->service = cJSON_Parse(service);
    look->list = cJSON_Parse(list);
    assert_non_null(look->service);
    assert_non_null(look->list);
    assert_int_equal(tasks_sort(look->list, &look->tasks), 0);
    state_of_service(look->service, &look->tasks, &look->state);
}

static void
look_away(struct look *look)
{
    tasks_clear(&look->tasks);
    cJSON_Delete(look->service);
    cJSON_Delete(look->list);
}

#define NO_EXIT (-1)
static const struct row {
    const char *what, *service, *tasks;
    uint32_t state;
    int exit_code;
    const char *error;
} rows[] = {
    {"just made", SERVICE("1", "any", "") "}", "[]", GANTRY_STATE_STARTING, NO_EXIT, NULL},
    {"being prepared", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "preparing", "running", "") "]", GANTRY_STATE_STARTING, NO_EXIT, NULL},
    {"no node for it", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "pending", "running", ERR("no suitable node")) "]", GANTRY_STATE_STARTING,
     NO_EXIT, "no suitable node"},
    {"running", SERVICE("1", "any", "") "}", "[" TASK("a", "01", "running", "running", EXIT(0)) "]",
     GANTRY_STATE_RUNNING, NO_EXIT, NULL},
    {"the newest counts, in whatever order they come", SERVICE("1", "any", "") "}",
     "[" TASK("b", "02", "running", "running", "") "," TASK("a", "01", "failed", "shutdown",
                                                            EXIT(5)) "]",
     GANTRY_STATE_RUNNING, NO_EXIT, NULL},
    {"its end is not seen by the swarm yet", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "failed", "running", EXIT(5) ERR("task: non-zero exit (5)")) "]",
     GANTRY_STATE_RESTARTING, 5, "task: non-zero exit (5)"},
    {"the next one waits", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "failed", "shutdown",
              EXIT(5) ERR("task: non-zero exit (5)")) "," TASK("b", "02", "ready", "ready", "") "]",
     GANTRY_STATE_RESTARTING, 5, "task: non-zero exit (5)"},
    {"no restart is wanted", SERVICE("1", "none", "") "}",
     "[" TASK("a", "01", "failed", "running", EXIT(5) ERR("task: non-zero exit (5)")) "]",
     GANTRY_STATE_FAILED, 5, "task: non-zero exit (5)"},
    {"attempts used up", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "failed", "shutdown", EXIT(5) ERR("task: non-zero exit (5)")) "]",
     GANTRY_STATE_FAILED, 5, "task: non-zero exit (5)"},
    {"done, on failure only", SERVICE("1", "on-failure", "") "}",
     "[" TASK("a", "01", "complete", "running", EXIT(0)) "]", GANTRY_STATE_EXITED, 0, NULL},
    {"no image", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "rejected", "shutdown",
              EXIT(0) ERR("No such image: x:1")) "," TASK("b", "02", "pending", "ready", "") "]",
     GANTRY_STATE_FAILED, NO_EXIT, "No such image: x:1"},
    {"no program", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "failed", "running", EXIT(127) ERR("starting container failed: x")) "]",
     GANTRY_STATE_FAILED, 127, "starting container failed: x"},
    {"an update stops the old one first", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "running", "shutdown", "") "," TASK("b", "02", "ready", "ready", "") "]",
     GANTRY_STATE_STARTING, NO_EXIT, NULL},
    {"being stopped", SERVICE("0", "any", "") "}",
     "[" TASK("a", "01", "running", "remove", EXIT(-1)) "]", GANTRY_STATE_STOPPING, NO_EXIT, NULL},
    {"stopped, its end is told by the task", SERVICE("0", "any", "") ",\"PreviousSpec\":{}}",
     "[" TASK("a", "01", "shutdown", "remove", EXIT(143)) "]", GANTRY_STATE_EXITED, 143, NULL},
    {"stopped, its end is written down",
     SERVICE("0", "any", "\"gantry.swarm.exit\":\"7 1795255261000\"") "}",
     "[" TASK("a", "01", "failed", "shutdown", EXIT(5)) "]", GANTRY_STATE_EXITED, 7, NULL},
    {"stopped, nobody knows how",
     SERVICE("0", "any", "\"gantry.swarm.exit\":\"- 1795255261000\"") "}", "[]",
     GANTRY_STATE_EXITED, NO_EXIT, NULL},
    {"stopped by somebody else", SERVICE("0", "any", "") ",\"PreviousSpec\":{}}", "[]",
     GANTRY_STATE_EXITED, NO_EXIT, NULL},
    {"never started", SERVICE("0", "any", "") "}", "[]", GANTRY_STATE_CREATED, NO_EXIT, NULL},
    {"its node is lost", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "orphaned", "shutdown", "") "]", GANTRY_STATE_UNKNOWN, NO_EXIT, NULL},
    {"a newer swarm's word", SERVICE("1", "any", "") "}",
     "[" TASK("a", "01", "levitating", "running", "") "]", GANTRY_STATE_STARTING, NO_EXIT, NULL},
};

static void
state_is_told_by_the_tasks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct look look;
        look_at(&look, rows[i].service, rows[i].tasks);
        const struct swarm_state *seen = &look.state;
        if (seen->state != rows[i].state ||
            (seen->has_exit ? seen->exit_code : NO_EXIT) != rows[i].exit_code)
            fail_msg("%s: state %u, exit %d %d", rows[i].what, seen->state, seen->has_exit,
                     seen->exit_code);
        if (rows[i].error)
            assert_string_equal(seen->error, rows[i].error);
        else if (seen->error)
            fail_msg("%s: %s", rows[i].what, seen->error);
        look_away(&look);
    }
}

static void
end_is_when_the_task_ended(void **state)
{
    struct look look;
    (void)state;
    look_at(&look, SERVICE("1", "any", "") "}",
            "[" TASK("a", "07", "failed", "shutdown", EXIT(5)) "," TASK("b", "09", "ready", "ready",
                                                                        "") "]");
    assert_int_equal(look.state.finished_ms, minute_ms + 7000);
    assert_string_equal(json_text(look.state.run, "ID"), "a");
    look_away(&look);
}

static void
what_is_no_task_is_left_out(void **state)
{
    struct look look;
    (void)state;
    look_at(&look, SERVICE("1", "any", "") "}",
            "[{},null,{\"ID\":\"a\"},{\"ID\":\"x\",\"ServiceID\":\"s\",\"CreatedAt\":\"soon\","
            "\"Status\":{\"State\":\"running\"}}," TASK("b", "02", "running", "running", "") "]");
    assert_int_equal(look.tasks.count, 1);
    assert_int_equal(tasks_of(&look.tasks, "s").count, 1);
    assert_int_equal(tasks_of(&look.tasks, "r").count, 0);
    assert_int_equal(tasks_of(&look.tasks, "t").count, 0);
    look_away(&look);
}

static struct swarm_history
note(struct swarm *swarm, const char *tasks)
{
    struct look look;
    look_at(&look, SERVICE("1", "any", "") "}", tasks);
    struct swarm_history history = seen_note(swarm, "s", &look.tasks, &look.state);
    look_away(&look);
    return history;
}

/* The swarm forgets old tasks, and the time of one that is being stopped changes. */
static void
restarts_are_counted_and_starts_remembered(void **state)
{
    struct swarm swarm = {.lock = PTHREAD_MUTEX_INITIALIZER};
    (void)state;
    assert_int_equal(note(&swarm, "[" TASK("a", "01", "running", "running", "") "]").started_ms,
                     minute_ms + 1000);
    struct swarm_history now =
        note(&swarm, "[" TASK("a", "02", "running", "shutdown", EXIT(-1)) "]");
    assert_int_equal(now.started_ms, minute_ms + 1000);
    assert_int_equal(now.restarts, 0);
    now = note(&swarm, "[" TASK("a", "02", "failed", "shutdown",
                                EXIT(5)) "," TASK("b", "05", "running", "running", "") "]");
    assert_int_equal(now.restarts, 1);
    assert_int_equal(now.started_ms, minute_ms + 5000);
    now = note(&swarm, "[" TASK("b", "05", "failed", "shutdown",
                                EXIT(5)) "," TASK("c", "08", "running", "running", "") "]");
    assert_int_equal(now.restarts, 2); /* a is forgotten, and counts */
    now = note(&swarm, "[" TASK("b", "05", "failed", "shutdown", EXIT(5)) "," TASK(
                           "d", "09", "rejected", "shutdown",
                           ERR("No such image")) "," TASK("e", "10", "running", "running", "") "]");
    assert_int_equal(now.restarts, 2); /* what never ran did not run again */
    seen_forget(&swarm, "s");
    assert_int_equal(note(&swarm, "[" TASK("e", "10", "running", "running", "") "]").restarts, 0);
    seen_clear(&swarm);
}

/* cJSON alone would write 1e+15, which the engine does not take. */
static void
numbers_stay_integers(void **state)
{
    AUTO_TEXT out = TEXT(4096);
    (void)state;
    cJSON *spec = cJSON_Parse("{\"a\":1000000000000000,\"b\":[{\"c\":9223372036854775807}],"
                              "\"d\":-1,\"e\":0.5,\"f\":5000000000}");
    swarm_print(&out, spec);
    assert_string_equal(text_cstr(&out),
                        "{\"a\":1000000000000000,\"b\":[{\"c\":9223372036854775807}],"
                        "\"d\":-1,\"e\":0.5,\"f\":5000000000}");
    cJSON_Delete(spec);
}

static void
refusals_are_told_apart(void **state)
{
    static const struct {
        uint32_t status;
        const char *message;
        int code;
    } refusals[] = {
        {404, "service x not found", GANTRY_E_NOT_FOUND},
        {404, "page not found", 0},
        {404, "network x not found", 0},
        {500, "service x not found", 0},
        {500, "rpc error: code = Unknown desc = update out of sequence", GANTRY_E_CONFLICT},
        {503, "This node is not a swarm manager. Use \"docker swarm init\"", GANTRY_E_UNAVAILABLE},
        {500, "rpc error: code = DeadlineExceeded", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct engine_reply reply = {.status = refusals[i].status};
        char message[400];
        snprintf(message, sizeof message, "%s", refusals[i].message);
        assert_int_equal(swarm_classify(&reply, false, message, sizeof message), refusals[i].code);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_told_by_the_tasks),
        cmocka_unit_test(end_is_when_the_task_ended),
        cmocka_unit_test(what_is_no_task_is_left_out),
        cmocka_unit_test(restarts_are_counted_and_starts_remembered),
        cmocka_unit_test(numbers_stay_integers),
        cmocka_unit_test(refusals_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
