/* stages.c - a call that is disturbed at each moment at which the plugin turns to the host. */
#include "stages.h"

#include <stdio.h>
#include <time.h>

#define MOMENTS      24 /* at most so many calls an act */
#define MOMENTS_SLOW 3
/* What a call that is to miss its deadline gets beyond the time that it takes. */
#define OVERDUE_MS      20
#define OVERDUE_SLOW_MS 400
/* Times that it gets twice as much, when it was over before the moment that was meant. */
#define TRIES 4

struct stage {
    struct kit_tap tap;
    enum kit_interference what;
    unsigned at; /* 1: the first moment */
    int64_t timeout_ms;
    atomic_uint moments;
    _Atomic int64_t acted_ms; /* 0: that moment has not come */
};

static void
sleep_until(int64_t at_ms)
{
    struct timespec until = {.tv_sec = (time_t)(at_ms / 1000),
                             .tv_nsec = (long)(at_ms % 1000) * 1000000};
    while (clock_mono_ms() < at_ms)
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static void
moment(struct stage *stage)
{
    struct runtime_job *job = atomic_load(&stage->tap.job);
    if (atomic_fetch_add(&stage->moments, 1) + 1 != stage->at || !job)
        return;
    if (stage->what == KIT_CANCEL)
        runtime_cancel(job);
    else if (stage->what == KIT_ASK_TO_END)
        runtime_ask_to_end(job);
    else if (stage->what == KIT_OVERDUE)
        sleep_until(job->started_ms + stage->timeout_ms + 2);
    atomic_store(&stage->acted_ms, clock_mono_ms());
}

static void
asked(struct kit_tap *tap, const char *function)
{
    if (!text_eq(function, "fail") && !text_eq(function, "log"))
        moment(tap->context);
}

static int
emitted(struct kit_tap *tap, uint32_t kind, const void *item)
{
    (void)kind, (void)item;
    moment(tap->context);
    return 0;
}

/* In kit->arena, for a call that hangs uses it later.  NULL: memory ran out, and the promise is broken. */
static struct stage *
stage_new(struct kit *kit, enum kit_interference what, unsigned at, int64_t timeout_ms)
{
    struct stage *stage = arena_alloc(&kit->arena, sizeof *stage);
    if (!stage) {
        (void)kit_broken(kit, "the kit ran out of memory");
        return NULL;
    }
    stage->what = what;
    stage->at = at;
    stage->timeout_ms = timeout_ms;
    stage->tap.asked = asked;
    stage->tap.emit = emitted;
    stage->tap.context = stage;
    return stage;
}

static struct kit_answer
call_disturbed(struct kit *kit, const struct kit_act *act, const struct kit_scene *scene,
               struct stage *stage)
{
    struct kit_manner manner = {.tap = &stage->tap};
    if (stage->what == KIT_OVERDUE)
        manner.timeout_ms = stage->timeout_ms;
    /* cppcheck-suppress returnDanglingLifetime; an answer keeps nothing of the manner */
    return act->call(kit, scene, &manner);
}

/* Its code, and how long it took to obey. */
static int
judge(struct kit *kit, const struct kit_act *act, const struct stage *stage,
      const struct kit_answer *answer, const char *when)
{
    bool late = stage->what == KIT_OVERDUE;
    int expected = late ? GANTRY_E_TIMEOUT : GANTRY_E_CANCELLED;
    int64_t acted_ms = atomic_load(&stage->acted_ms);
    int64_t obeyed_ms = clock_mono_ms() - acted_ms;
    if (answer->hung)
        return kit_broken(kit, "%s: it did not return within %d ms", when, KIT_SOON_MS);
    bool foreseen = late && answer->code == expected;
    if (answer->code != 0 && !acted_ms && !foreseen)
        return kit_broken(kit, "%s: it failed before that: %s", act->name, answer->text);
    if (answer->code != 0 && answer->code != expected)
        return kit_broken(kit, "%s: expected success or '%s', and got '%s': %s", when,
                          gantry_code_name(expected), gantry_code_name(answer->code), answer->text);
    if (acted_ms && obeyed_ms > KIT_SOON_MS && !act->may_finish)
        return kit_broken(kit, "%s: it went on for %lld ms", when, (long long)obeyed_ms);
    return KIT_OK;
}

/* It took so much longer than the time before that its deadline cut off something else than was meant: what a runtime
 * makes of a request whose answer nobody heard is not the plugin's. */
static bool
was_too_slow(const struct stage *stage, const struct kit_answer *answer)
{
    return stage->what == KIT_OVERDUE && answer->code == GANTRY_E_TIMEOUT && !answer->hung &&
           !atomic_load(&stage->acted_ms);
}

static int
try_moment(struct kit *kit, const struct kit_act *act, struct kit_scene *scene,
           const struct stage *meant, unsigned of)
{
    char when[160];
    struct stage *stage;
    struct kit_answer answer;
    snprintf(when, sizeof when, "%s, %s at moment %u of %u", act->name,
             meant->what == KIT_OVERDUE ? "overdue" : "cancelled", meant->at, of);
    for (int i = 0; i == 0 || (i < TRIES && was_too_slow(stage, &answer)); i++) {
        if (!act->reads)
            KIT_CHECK(act->set(kit, scene));
        stage = stage_new(kit, meant->what, meant->at, meant->timeout_ms << i);
        if (!stage)
            return KIT_BROKEN;
        answer = call_disturbed(kit, act, scene, stage);
    }
    KIT_CHECK(judge(kit, act, stage, &answer, when));
    return act->after(kit, scene, &answer, stage->what, when);
}

int
kit_at_each_stage(struct kit *kit, const struct kit_act *act, enum kit_interference what)
{
    struct kit_scene scene = {0};
    struct stage *plain = stage_new(kit, KIT_ONLY_COUNT, 0, 0);
    if (!plain)
        return KIT_BROKEN;
    KIT_CHECK(act->set(kit, &scene));
    struct kit_answer answer = call_disturbed(kit, act, &scene, plain);
    KIT_CHECK(kit_expect_ok(kit, act->name, &answer));
    KIT_CHECK(act->after(kit, &scene, &answer, KIT_ONLY_COUNT, act->name));
    if (what == KIT_CANCEL && act->may_finish)
        what = KIT_ASK_TO_END;
    unsigned of = atomic_load(&plain->moments), most = kit->given.slow ? MOMENTS_SLOW : MOMENTS;
    unsigned tries = MIN(of, most);
    int64_t timeout_ms = answer.took_ms + (kit->given.slow ? OVERDUE_SLOW_MS : OVERDUE_MS);
    for (unsigned i = 0; i < tries; i++) {
        unsigned at = tries < of ? 1 + i * (of - 1) / (tries - 1) : i + 1;
        const struct stage meant = {.what = what, .at = at, .timeout_ms = timeout_ms};
        KIT_CHECK(try_moment(kit, act, &scene, &meant, of));
    }
    return KIT_OK;
}

int
kit_needs_operation(struct kit *kit, bool offered, const char *name)
{
    return offered ? KIT_OK : kit_not_offered(kit, "the plugin has no operation '%s'", name);
}

int
kit_count(struct kit *kit, const struct kit_connector *connector, size_t *count)
{
    struct kit_answer listed = kit_list(kit, connector, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list", &listed));
    *count = listed.status_count;
    return KIT_OK;
}
