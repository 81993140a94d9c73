/* promise_deadline.c - a call ends by its deadline, and a deadline is never taken for absence. */
#include "logs.h"
#include "stages.h"

int
kit_try_deadline_start(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_start, KIT_OVERDUE);
}

int
kit_try_deadline_start_of_a_stopped_one(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_start_again, KIT_OVERDUE);
}

int
kit_try_deadline_replace(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_replace, KIT_OVERDUE);
}

int
kit_try_deadline_stop(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_stop, KIT_OVERDUE);
}

int
kit_try_deadline_remove(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_remove, KIT_OVERDUE);
}

int
kit_try_deadline_reading(struct kit *kit)
{
    KIT_CHECK(kit_at_each_stage(kit, &kit_act_inspect, KIT_OVERDUE));
    KIT_CHECK(kit_at_each_stage(kit, &kit_act_logs, KIT_OVERDUE));
    return kit->table->probe ? kit_at_each_stage(kit, &kit_act_probe, KIT_OVERDUE) : KIT_OK;
}

int
kit_try_deadline_list(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_list, KIT_OVERDUE);
}

/* A call that waits for something when its time is over.  may_begin: it may also succeed, where the runtime goes on
 * by itself: the workload is on its way. */
static int
expect_timeout(struct kit *kit, const char *what, const struct kit_call *call, bool may_begin)
{
    int64_t timeout_ms = kit->given.slow ? 1000 : 100;
    struct kit_answer a = kit_do(kit, call, &(struct kit_manner){.timeout_ms = timeout_ms});
    if (a.hung || a.took_ms > timeout_ms + KIT_SOON_MS)
        return kit_broken(kit, "%s: it went on for %lld ms after its deadline", what,
                          (long long)(a.took_ms - timeout_ms));
    if (may_begin && a.code == 0 && a.status.state == GANTRY_STATE_STARTING)
        return KIT_OK;
    return kit_expect_code(kit, what, &a, GANTRY_E_TIMEOUT);
}

int
kit_try_deadline_slow_pull(struct kit *kit)
{
    if (!kit->given.slow_image)
        return kit_not_offered(kit, "[kit] does not say slow_image");
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    c->image = kit->given.slow_image;
    return expect_timeout(kit, "start() of an image that takes long to pull",
                          &(struct kit_call){.op = RUNTIME_START, .connector = c}, true);
}

int
kit_try_deadline_stop_that_waits(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_run_stubborn(kit, &c, &handle));
    KIT_CHECK(expect_timeout(
        kit, "stop() with a grace of one minute",
        &(struct kit_call){.op = RUNTIME_STOP, .handle = handle, .connector = c, .grace_ms = 60000},
        false));
    struct kit_answer answer = kit_stop(kit, handle, c, 1, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() after one that was late", &answer));
    return kit_await(kit, handle, KIT_ENDED, NULL);
}
