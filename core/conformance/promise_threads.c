/* promise_threads.c - the thread model that the plugin declares holds: core/runtime lets in what it allows, and the
 * answers are right whatever comes together. */
#include "logs.h"
#include "process.h"

#include <time.h>

#define SIDE_BY_SIDE      12
#define SIDE_BY_SIDE_SLOW 4
#define ROUNDS            20
#define ENOUGH_MS         500 /* of rounds; one is made in any case */

struct crowd {
    unsigned count;
    struct kit_connector *connectors[SIDE_BY_SIDE];
    const char *handles[SIDE_BY_SIDE];
    struct kit_tap tap;
};

/* Rest in the midst of a call: others shall come in between. */
static void
rest(struct kit_tap *tap, const char *function)
{
    static const struct timespec moment = {.tv_nsec = 200000};
    (void)tap, (void)function;
    (void)nanosleep(&moment, NULL);
}

static int
rest_at_emit(struct kit_tap *tap, uint32_t kind, const void *item)
{
    (void)kind, (void)item;
    rest(tap, NULL);
    return 0;
}

static struct crowd *
crowd_new(struct kit *kit)
{
    struct crowd *crowd = arena_alloc(&kit->arena, sizeof *crowd);
    if (!crowd) {
        (void)kit_broken(kit, "the kit ran out of memory");
        return NULL;
    }
    crowd->count = kit->given.slow ? SIDE_BY_SIDE_SLOW : SIDE_BY_SIDE;
    for (unsigned i = 0; i < crowd->count; i++)
        if (!(crowd->connectors[i] = kit_connector(kit)))
            return NULL;
    crowd->tap = (struct kit_tap){.asked = rest, .emit = rest_at_emit};
    return crowd;
}

/* Is it worth to try again?  A race shows now and then. */
static bool
goes_on(const struct kit *kit, int round, int64_t began_ms)
{
    return round == 0 ||
           (!kit->given.slow && round < ROUNDS && clock_mono_ms() - began_ms < ENOUGH_MS);
}

/* The same operation for each of them, all at once. */
static int
all_at_once(struct kit *kit, struct crowd *crowd, enum runtime_op op,
            struct kit_answer answers[SIDE_BY_SIDE])
{
    struct runtime_job *jobs[SIDE_BY_SIDE];
    const struct kit_manner manner = {.tap = &crowd->tap};
    for (unsigned i = 0; i < crowd->count; i++) {
        const struct kit_connector *c = crowd->connectors[i];
        struct gantry_pair labels[] = {{GANTRY_LABEL_MANAGER, c->manager},
                                       {GANTRY_LABEL_CONNECTOR, c->id}};
        struct kit_call call = {.op = op,
                                .handle = op == RUNTIME_LIST ? NULL : crowd->handles[i],
                                .connector = c,
                                .without_spec = op != RUNTIME_START,
                                .grace_ms = 1000,
                                .limits = kit_all_lines,
                                .labels = op == RUNTIME_LIST ? labels : NULL,
                                .label_count = op == RUNTIME_LIST ? 2 : 0};
        jobs[i] = kit_begin(kit, &call, &manner);
    }
    int came = KIT_OK;
    for (unsigned i = 0; i < crowd->count; i++) {
        answers[i] = kit_finish(kit, jobs[i]);
        if (came == KIT_OK && (answers[i].code != GANTRY_E_UNSUPPORTED || op != RUNTIME_LOGS))
            came = kit_expect_ok(kit, runtime_op_name(op), &answers[i]);
    }
    return came;
}

/* Each answer is about the connector that was asked about. */
static int
expect_own(struct kit *kit, const struct crowd *crowd, const char *what,
           const struct kit_answer answers[SIDE_BY_SIDE])
{
    for (unsigned i = 0; i < crowd->count; i++) {
        const struct gantry_status *status = &answers[i].status;
        if (answers[i].status_count != 1)
            return kit_broken(kit, "%u of %s at once: %zu statuses came, and one was to come",
                              crowd->count, what, answers[i].status_count);
        if (!text_eq(kit_label(status, GANTRY_LABEL_CONNECTOR), crowd->connectors[i]->id) ||
            (crowd->handles[i] && !text_eq(status->handle, crowd->handles[i])))
            return kit_broken(kit, "%u of %s at once: one was answered with another's status",
                              crowd->count, what);
    }
    return KIT_OK;
}

static int
start_all(struct kit *kit, struct crowd *crowd)
{
    struct kit_answer answers[SIDE_BY_SIDE];
    for (unsigned i = 0; i < crowd->count; i++)
        crowd->handles[i] = NULL;
    KIT_CHECK(all_at_once(kit, crowd, RUNTIME_START, answers));
    KIT_CHECK(expect_own(kit, crowd, "start()", answers));
    for (unsigned i = 0; i < crowd->count; i++) {
        crowd->handles[i] = answers[i].status.handle;
        for (unsigned j = 0; j < i; j++)
            if (text_eq(crowd->handles[i], crowd->handles[j]))
                return kit_broken(kit, "%u of start() at once: two have the same handle",
                                  crowd->count);
    }
    return KIT_OK;
}

/* All that can be asked of them. */
static int
ask_all(struct kit *kit, struct crowd *crowd)
{
    struct kit_answer answers[SIDE_BY_SIDE];
    KIT_CHECK(all_at_once(kit, crowd, RUNTIME_INSPECT, answers));
    KIT_CHECK(expect_own(kit, crowd, "inspect()", answers));
    KIT_CHECK(all_at_once(kit, crowd, RUNTIME_LIST, answers));
    KIT_CHECK(expect_own(kit, crowd, "list()", answers));
    return all_at_once(kit, crowd, RUNTIME_LOGS, answers);
}

static int
end_all(struct kit *kit, struct crowd *crowd)
{
    struct kit_answer answers[SIDE_BY_SIDE];
    KIT_CHECK(all_at_once(kit, crowd, RUNTIME_STOP, answers));
    KIT_CHECK(all_at_once(kit, crowd, RUNTIME_REMOVE, answers));
    struct kit_answer left = kit_list(kit, NULL, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list()", &left));
    return left.status_count == 0 ? KIT_OK
                                  : kit_broken(kit, "%u of remove() at once left %zu workloads",
                                               crowd->count, left.status_count);
}

int
kit_try_threads_many_workloads_at_once(struct kit *kit)
{
    struct crowd *crowd = crowd_new(kit);
    int64_t began_ms = clock_mono_ms();
    for (int i = 0; crowd && goes_on(kit, i, began_ms); i++) {
        KIT_CHECK(start_all(kit, crowd));
        KIT_CHECK(ask_all(kit, crowd));
        KIT_CHECK(end_all(kit, crowd));
    }
    return crowd ? KIT_OK : KIT_BROKEN;
}

int
kit_try_threads_one_workload_at_once(struct kit *kit)
{
    struct crowd *crowd = crowd_new(kit);
    int64_t began_ms = clock_mono_ms();
    for (int i = 0; crowd && goes_on(kit, i, began_ms); i++) {
        const char *handle;
        KIT_CHECK(kit_run(kit, crowd->connectors[0], &handle));
        for (unsigned j = 0; j < crowd->count; j++) {
            crowd->connectors[j] = crowd->connectors[0];
            crowd->handles[j] = handle;
        }
        KIT_CHECK(ask_all(kit, crowd));
        KIT_CHECK(end_all(kit, crowd));
    }
    return crowd ? KIT_OK : KIT_BROKEN;
}

/* Rule 9.  The runtime makes a failure of it; here it gets its name. */
int
kit_try_threads_emit_and_http_where_entered(struct kit *kit)
{
    struct kit_tap *tap = arena_alloc(&kit->arena, sizeof *tap);
    if (!tap)
        return kit_broken(kit, "the kit ran out of memory");
    tap->kit = kit;
    kit->tap = tap;
    int came = kit_live_once(kit);
    kit->tap = NULL;
    const char *strayed = atomic_load(&tap->strayed);
    if (!strayed)
        return came;
    kit->detail[0] = '\0';
    return kit_broken(kit, "%s was used on another thread than the one that entered", strayed);
}
