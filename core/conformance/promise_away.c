/* promise_away.c - an error is never absence: each operation while the runtime is out of reach, or refuses. */
#include "logs.h"

#define TIMEOUT_MS 20000

/* A workload that is there, and the same plugin with settings by which it cannot reach it. */
struct cut_off {
    struct kit_connector *connector;
    const char *handle;
    struct runtime_backend *backend;
};

static int
cut_off(struct kit *kit, const struct gantry_settings *settings, const char *key, struct cut_off *c)
{
    AUTO_ERR struct gantry_error *err = NULL;
    if (!settings)
        return kit_not_offered(kit, "[kit] has no '%s'", key);
    KIT_CHECK(kit_make(kit, &c->connector, &c->handle));
    if (kit_open(kit, settings, NULL, &c->backend, &err) < 0)
        return kit_broken(kit, "open() failed with '%s': %s", key, err_text(err));
    return KIT_OK;
}

static struct kit_answer
call_cut_off(struct kit *kit, const struct cut_off *c, struct kit_call call, bool existing)
{
    call.handle = existing ? c->handle : NULL;
    return kit_do(kit, &call,
                  &(struct kit_manner){.backend = c->backend, .timeout_ms = TIMEOUT_MS});
}

static int
expect_unreachable(struct kit *kit, const char *what, const struct kit_answer *a)
{
    if (a->hung)
        return kit_broken(kit, "%s does not come back", what);
    if (a->code == 0)
        return kit_broken(kit, "%s succeeded, though nobody could be asked", what);
    if (a->code != GANTRY_E_UNAVAILABLE && a->code != GANTRY_E_DENIED &&
        a->code != GANTRY_E_TIMEOUT)
        return kit_broken(kit, "%s failed with '%s', though nobody could be asked: %s", what,
                          gantry_code_name(a->code), a->text);
    return kit_expect_code(kit, what, a, a->code); /* its text */
}

/* One operation; and what is there is as it was. */
static int
try_away(struct kit *kit, const char *what, struct kit_call call, bool existing)
{
    struct cut_off c = {0};
    int came = cut_off(kit, kit->given.away, "away", &c);
    if (came == KIT_OK) {
        call.connector = call.connector ? call.connector : c.connector;
        struct kit_answer a = call_cut_off(kit, &c, call, existing);
        came = a.code == GANTRY_E_UNSUPPORTED && call.op == RUNTIME_LOGS
                   ? kit_not_offered(kit, "it has no logs")
                   : expect_unreachable(kit, what, &a);
    }
    runtime_close(c.backend);
    KIT_CHECK(came);
    KIT_CHECK(kit_expect_running(kit, "the workload that could not be reached", c.handle));
    return kit_expect_count(kit, "afterwards", NULL, 1);
}

int
kit_try_away_list(struct kit *kit)
{
    const struct gantry_pair label = {GANTRY_LABEL_MANAGER, kit->manager};
    return try_away(kit, "list()",
                    (struct kit_call){.op = RUNTIME_LIST, .labels = &label, .label_count = 1},
                    false);
}

int
kit_try_away_inspect(struct kit *kit)
{
    return try_away(kit, "inspect()", (struct kit_call){.op = RUNTIME_INSPECT}, true);
}

int
kit_try_away_start(struct kit *kit)
{
    struct kit_call call = {.op = RUNTIME_START, .connector = kit_connector(kit)};
    return call.connector ? try_away(kit, "start() with a spec", call, false) : KIT_BROKEN;
}

int
kit_try_away_start_existing(struct kit *kit)
{
    return try_away(kit, "start() with existing alone",
                    (struct kit_call){.op = RUNTIME_START, .without_spec = true}, true);
}

int
kit_try_away_replace(struct kit *kit)
{
    return try_away(kit, "start() with existing and spec", (struct kit_call){.op = RUNTIME_START},
                    true);
}

int
kit_try_away_stop(struct kit *kit)
{
    return try_away(kit, "stop()", (struct kit_call){.op = RUNTIME_STOP, .grace_ms = 1000}, true);
}

int
kit_try_away_remove(struct kit *kit)
{
    return try_away(kit, "remove()", (struct kit_call){.op = RUNTIME_REMOVE}, true);
}

/* A plugin that keeps the logs itself may have them, all of them, without its runtime. */
static int
try_away_talk(struct kit *kit, const struct kit_talk *talk)
{
    struct runtime_backend *backend = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    if (!kit->given.away)
        return kit_not_offered(kit, "[kit] has no 'away'");
    if (kit_open(kit, kit->given.away, NULL, &backend, &err) < 0)
        return kit_broken(kit, "open() failed with 'away': %s", err_text(err));
    struct kit_answer a =
        kit_logs(kit, talk->handle, NULL, &kit_all_lines,
                 &(struct kit_manner){.backend = backend, .timeout_ms = TIMEOUT_MS});
    runtime_close(backend);
    return a.code == 0
               ? kit_same_lines(kit, "out of reach", &a, talk->all.lines, talk->all.line_count)
               : expect_unreachable(kit, "logs()", &a);
}

int
kit_try_away_logs(struct kit *kit)
{
    struct kit_talk talk = {0};
    int came = kit_talk(kit, &talk);
    if (came != KIT_NOT_OFFERED)
        return came == KIT_OK ? try_away_talk(kit, &talk) : came;
    return try_away(kit, "logs()", (struct kit_call){.op = RUNTIME_LOGS, .limits = kit_all_lines},
                    true);
}

int
kit_try_away_probe(struct kit *kit)
{
    if (!kit->table->probe)
        return kit_not_offered(kit, "it has no probe()");
    return try_away(kit, "probe()", (struct kit_call){.op = RUNTIME_PROBE}, false);
}

/* ---- refused -------------------------------------------------------------------------------------- */

static int
expect_denied(struct kit *kit, const struct cut_off *c)
{
    const struct gantry_pair label = {GANTRY_LABEL_MANAGER, kit->manager};
    struct kit_answer a = call_cut_off(
        kit, c, (struct kit_call){.op = RUNTIME_LIST, .labels = &label, .label_count = 1}, false);
    KIT_CHECK(kit_expect_code(kit, "list()", &a, GANTRY_E_DENIED));
    a = call_cut_off(kit, c, (struct kit_call){.op = RUNTIME_INSPECT}, true);
    KIT_CHECK(kit_expect_code(kit, "inspect()", &a, GANTRY_E_DENIED));
    a = call_cut_off(kit, c, (struct kit_call){.op = RUNTIME_STOP, .connector = c->connector},
                     true);
    KIT_CHECK(kit_expect_code(kit, "stop()", &a, GANTRY_E_DENIED));
    a = call_cut_off(kit, c, (struct kit_call){.op = RUNTIME_REMOVE, .connector = c->connector},
                     true);
    KIT_CHECK(kit_expect_code(kit, "remove()", &a, GANTRY_E_DENIED));
    a = call_cut_off(
        kit, c, (struct kit_call){.op = RUNTIME_START, .connector = kit_connector(kit)}, false);
    return kit_expect_code(kit, "start()", &a, GANTRY_E_DENIED);
}

int
kit_try_refused_is_denied(struct kit *kit)
{
    struct cut_off c = {0};
    int came = cut_off(kit, kit->given.refused, "refused", &c);
    if (came == KIT_OK)
        came = expect_denied(kit, &c);
    runtime_close(c.backend);
    KIT_CHECK(came);
    return kit_expect_running(kit, "the workload behind the refusal", c.handle);
}
