/* promise_cancel.c - a call ends soon after it was told to, and leaves nothing half made. */
#include "logs.h"
#include "stages.h"

#include <poll.h>

int
kit_try_cancel_start(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_start, KIT_CANCEL);
}

int
kit_try_cancel_start_of_a_stopped_one(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_start_again, KIT_CANCEL);
}

int
kit_try_cancel_replace(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_replace, KIT_CANCEL);
}

int
kit_try_cancel_stop(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_stop, KIT_CANCEL);
}

int
kit_try_cancel_remove(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_remove, KIT_CANCEL);
}

int
kit_try_cancel_inspect(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_inspect, KIT_CANCEL);
}

int
kit_try_cancel_list(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_list, KIT_CANCEL);
}

int
kit_try_cancel_logs(struct kit *kit)
{
    return kit_at_each_stage(kit, &kit_act_logs, KIT_CANCEL);
}

int
kit_try_cancel_probe(struct kit *kit)
{
    KIT_CHECK(kit_needs_operation(kit, kit->table->probe != NULL, "probe"));
    return kit_at_each_stage(kit, &kit_act_probe, KIT_CANCEL);
}

int
kit_try_cancel_pull(struct kit *kit)
{
    KIT_CHECK(kit_needs_operation(kit, kit->table->pull != NULL, "pull"));
    return kit_at_each_stage(kit, &kit_act_pull, KIT_CANCEL);
}

/* ---- calls that wait ------------------------------------------------------------------------------ */

/* Cancel a call that is in the midst of waiting for something. */
static int
cancel_later(struct kit *kit, const char *what, const struct kit_call *call)
{
    struct runtime_job *job = kit_begin(kit, call, NULL);
    if (!job)
        return kit_broken(kit, "the kit ran out of memory");
    (void)poll(NULL, 0, kit->given.slow ? 1000 : 100);
    int64_t asked_ms = clock_mono_ms();
    runtime_cancel(job);
    struct kit_answer answer = kit_finish(kit, job);
    int64_t obeyed_ms = clock_mono_ms() - asked_ms;
    if (answer.hung || obeyed_ms > KIT_SOON_MS)
        return kit_broken(kit, "%s: it went on for %lld ms after it was cancelled", what,
                          (long long)obeyed_ms);
    return kit_expect_code(kit, what, &answer, GANTRY_E_CANCELLED);
}

int
kit_try_cancel_slow_pull(struct kit *kit)
{
    size_t count;
    if (!kit->given.slow_image)
        return kit_not_offered(kit, "[kit] does not say slow_image");
    struct kit_connector *c = kit_connector(kit);
    if (!c)
        return KIT_BROKEN;
    c->image = kit->given.slow_image;
    KIT_CHECK(cancel_later(kit, "start() of an image that takes long to pull",
                           &(struct kit_call){.op = RUNTIME_START, .connector = c}));
    KIT_CHECK(kit_count(kit, c, &count));
    return count == 0 ? KIT_OK : kit_broken(kit, "the cancelled start() left a workload behind");
}

int
kit_try_cancel_stop_that_waits(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_run_stubborn(kit, &c, &handle));
    KIT_CHECK(
        cancel_later(kit, "stop() with a grace of one minute",
                     &(struct kit_call){
                         .op = RUNTIME_STOP, .handle = handle, .connector = c, .grace_ms = 60000}));
    struct kit_answer answer = kit_stop(kit, handle, c, 1, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() after a cancelled one", &answer));
    return kit_await(kit, handle, KIT_ENDED, NULL);
}
