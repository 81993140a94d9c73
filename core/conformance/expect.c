/* expect.c - what the promises have in common: workloads that are there, and what is expected of them. */
#include "conformance_internal.h"

#include <string.h>

int
kit_expect_ok(struct kit *kit, const char *what, const struct kit_answer *a)
{
    return a->code == 0
               ? KIT_OK
               : kit_broken(kit, "%s failed (%s): %s", what, gantry_code_name(a->code), a->text);
}

int
kit_expect_code(struct kit *kit, const char *what, const struct kit_answer *a, int code)
{
    if (a->code == 0)
        return kit_broken(kit, "%s succeeded; it has to fail with '%s'", what,
                          gantry_code_name(code));
    if (a->code != code)
        return kit_broken(kit, "%s failed with '%s', and has to with '%s': %s", what,
                          gantry_code_name(a->code), gantry_code_name(code), a->text);
    if (strstr(a->text, "gives no reason"))
        return kit_broken(kit, "%s failed with '%s', as it should, without a text", what,
                          gantry_code_name(code));
    return KIT_OK;
}

#define REFUSAL GANTRY_E_UNSUPPORTED

/* context: how many statuses there were. */
static int
refuse_status(struct kit_tap *tap, uint32_t kind, const void *item)
{
    (void)item;
    if (kind != GANTRY_EMIT_STATUS)
        return 0;
    ++*(unsigned *)tap->context;
    return REFUSAL;
}

int
kit_expect_emit_ends(struct kit *kit, const char *what, const struct kit_call *call)
{
    struct kit_tap *tap = arena_alloc(&kit->arena, sizeof *tap);
    unsigned *count = arena_alloc(&kit->arena, sizeof *count);
    if (!tap || !count)
        return kit_broken(kit, "the kit ran out of memory");
    tap->emit = refuse_status;
    tap->context = count;
    struct kit_answer a = kit_do(kit, call, &(struct kit_manner){.tap = tap});
    if (*count == 0)
        return kit_broken(kit, "%s emitted no status: %s", what, a.text);
    if (*count > 1)
        return kit_broken(kit, "%s emitted %u statuses more after emit had said stop", what,
                          *count - 1);
    if (a.code != REFUSAL)
        return kit_broken(kit, "emit returned '%s', and %s returned '%s'",
                          gantry_code_name(REFUSAL), what, gantry_code_name(a.code));
    return KIT_OK;
}

int
kit_run(struct kit *kit, const struct kit_connector *connector, const char **handle)
{
    if (!connector)
        return KIT_BROKEN;
    struct kit_answer a = kit_start(kit, connector, NULL, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() with a spec", &a));
    *handle = a.status.handle;
    return kit_await(kit, *handle, 1U << GANTRY_STATE_RUNNING, NULL);
}

int
kit_make(struct kit *kit, struct kit_connector **connector, const char **handle)
{
    *connector = kit_connector(kit);
    return kit_run(kit, *connector, handle);
}

int
kit_expect_running(struct kit *kit, const char *what, const char *handle)
{
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    if (a.code == GANTRY_E_NOT_FOUND)
        return kit_broken(kit, "%s is gone", what);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    if (!(KIT_LIVE & (1U << a.status.state)))
        return kit_broken(kit, "%s is %s", what, kit_state_word(a.status.state));
    return KIT_OK;
}

int
kit_expect_count(struct kit *kit, const char *when, const struct kit_connector *of, size_t n)
{
    struct kit_answer a = kit_list(kit, of, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list()", &a));
    if (a.status_count == n)
        return KIT_OK;
    return kit_broken(kit, "%s, list() emits %zu workloads, and there should be %zu", when,
                      a.status_count, n);
}

int
kit_await(struct kit *kit, const char *handle, uint32_t states, struct gantry_status *status)
{
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    for (;;) {
        struct kit_answer a = kit_inspect(kit, handle, NULL);
        KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
        if (states & (1U << a.status.state)) {
            if (status)
                *status = a.status;
            return KIT_OK;
        }
        if (clock_mono_ms() >= until_ms)
            return kit_broken(kit, "workload '%s' is %s (%s), and does not become what it should",
                              a.status.name, kit_state_word(a.status.state),
                              a.status.error ? a.status.error : "no error is given");
        kit_pause(kit);
    }
}

int
kit_make_and_remove(struct kit *kit, struct kit_connector **connector, const char **handle)
{
    KIT_CHECK(kit_make(kit, connector, handle));
    struct kit_answer a = kit_stop(kit, *handle, *connector, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_remove(kit, *handle, *connector, NULL);
    return kit_expect_ok(kit, "remove()", &a);
}

int
kit_expect_labels(struct kit *kit, const char *what, const struct gantry_status *status,
                  const struct gantry_spec *spec)
{
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        const char *value = kit_label(status, label->key);
        if (!value)
            return kit_broken(kit, "%s lacks the label '%s'", what, label->key);
        if (!text_eq(value, label->value))
            return kit_broken(kit, "%s has the label %s='%s'; it was given as '%s'", what,
                              label->key, value, label->value);
    }
    return KIT_OK;
}

int
kit_expect_stays_ended(struct kit *kit, const char *what, const char *handle)
{
    int64_t until_ms = clock_mono_ms() + (kit->given.slow ? 4000 : 200);
    do {
        struct kit_answer a = kit_inspect(kit, handle, NULL);
        KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
        if (!(KIT_ENDED & (1U << a.status.state)))
            return kit_broken(kit, "%s is %s again", what, kit_state_word(a.status.state));
        kit_pause(kit);
    } while (clock_mono_ms() < until_ms);
    return KIT_OK;
}
