/* promise_stop.c - what stop() promises. */
#include "logs.h"

#include <poll.h>

#define LONG_GRACE_MS  30000
#define AT_ONCE_MS     15000
#define SHORT_GRACE_MS 2000

static int
expect_ended(struct kit *kit, const char *handle, struct gantry_status *status)
{
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() after stop()", &a));
    if (!(KIT_ENDED & (1U << a.status.state)))
        return kit_broken(kit, "stop() succeeded, and the workload is %s",
                          kit_state_word(a.status.state));
    if (status)
        *status = a.status;
    return KIT_OK;
}

int
kit_try_stop_ends_it(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    return expect_ended(kit, handle, NULL);
}

int
kit_try_stop_twice(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    for (int i = 0; i < 3; i++) {
        struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
        KIT_CHECK(kit_expect_ok(kit, i ? "stop() of what is stopped" : "stop()", &a));
        KIT_CHECK(expect_ended(kit, handle, NULL));
    }
    return KIT_OK;
}

int
kit_try_stop_not_there(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    return kit_expect_ok(kit, "stop() of what is not there", &a);
}

int
kit_try_stop_leaves_others(struct kit *kit)
{
    struct kit_connector *c, *other;
    const char *handle, *others;
    KIT_CHECK(kit_make(kit, &other, &others));
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    return kit_expect_running(kit, "another workload", others);
}

/* ---- with workloads that obey --------------------------------------------------------------------- */

static int
start_program(struct kit *kit, const char *program, uint32_t flags, struct kit_connector **c,
              const char **handle)
{
    KIT_CHECK(kit_needs_workload(kit));
    if (!(*c = kit_connector(kit)))
        return KIT_BROKEN;
    (*c)->program = program;
    struct kit_answer a = kit_start(kit, *c, NULL, flags, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start()", &a));
    *handle = a.status.handle;
    return KIT_OK;
}

static void
let_it_end_once(void)
{
    int64_t until_ms = clock_mono_ms() + 1500;
    while (clock_mono_ms() < until_ms)
        (void)poll(NULL, 0, 100);
}

int
kit_try_stop_is_polite(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    struct gantry_status status = {0};
    KIT_CHECK(kit_run_speaking(kit, "lines 1; wait", &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, LONG_GRACE_MS, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    if (a.took_ms > AT_ONCE_MS)
        return kit_broken(kit, "stop() took %lld ms, and the workload ends at once",
                          (long long)a.took_ms);
    KIT_CHECK(expect_ended(kit, handle, &status));
    if (status.state != GANTRY_STATE_EXITED)
        return kit_broken(kit, "it ended because it was told to, with code 0, and is %s",
                          kit_state_word(status.state));
    if (status.present & GANTRY_STATUS_EXIT_CODE && status.exit_code != 0)
        return kit_broken(kit,
                          "it ends with code 0 when it is stopped politely, and its code is %d",
                          (int)status.exit_code);
    return KIT_OK;
}

int
kit_try_stop_stubborn_is_killed(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_run_stubborn(kit, &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, SHORT_GRACE_MS, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() of what ignores it", &a));
    if (a.took_ms < SHORT_GRACE_MS - 1000)
        return kit_broken(kit, "it was ended hard after %lld ms; grace_ms was %d",
                          (long long)a.took_ms, SHORT_GRACE_MS);
    if (a.took_ms > SHORT_GRACE_MS + AT_ONCE_MS)
        return kit_broken(kit, "stop() took %lld ms; grace_ms was %d", (long long)a.took_ms,
                          SHORT_GRACE_MS);
    return expect_ended(kit, handle, NULL);
}

int
kit_try_stop_ends_restarting(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(start_program(kit, "sleep 1; exit 1", 0, &c, &handle));
    let_it_end_once();
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() of what ends again and again", &a));
    KIT_CHECK(expect_ended(kit, handle, NULL));
    return kit_expect_stays_ended(kit, "what was stopped", handle);
}
