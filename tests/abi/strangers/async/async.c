/* async.c - the border: each operation is a question to the thread, and a wait for its end. */
#include "async.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct async {
    const struct gantry_host *host;
    bool offline;
    struct loop loop;
};

static void
free_programs(struct async *self)
{
    for (uint32_t i = 0; i < self->loop.programs.count; i++)
        free(self->loop.programs.items[i]);
    free(self->loop.programs.items);
}

static int
copy_programs(struct async *self, const struct gantry_value *value)
{
    struct pair_list *programs = &self->loop.programs;
    programs->items = calloc(value->item_count + 1, sizeof *programs->items);
    if (!programs->items)
        return GANTRY_E_NOMEM;
    for (; programs->count < value->item_count; programs->count++) {
        programs->items[programs->count] = strdup(value->items[programs->count]);
        if (!programs->items[programs->count])
            return GANTRY_E_NOMEM;
    }
    return 0;
}

static int
async_open(struct gantry_call *call, const struct gantry_host *host,
           const struct gantry_settings *settings, void **out)
{
    struct async *self = calloc(1, sizeof *self);
    if (!self)
        return gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
    self->host = host;
    self->loop.host = host;
    const struct gantry_value *offline = gantry_find_value(settings, "offline");
    self->offline = offline && offline->number;
    const struct gantry_value *programs = gantry_find_value(settings, "programs");
    int rc = programs ? copy_programs(self, programs) : 0;
    if (rc == 0)
        rc = loop_open(&self->loop);
    if (rc < 0) {
        free_programs(self);
        free(self);
        return gantry_fail(host, call, rc,
                           "the thread cannot be started: give it memory, descriptors");
    }
    *out = self;
    return 0;
}

static void
async_close(void *state)
{
    struct async *self = state;
    loop_close(&self->loop);
    free_programs(self);
    free(self);
}

/* ---- asking --------------------------------------------------------------------------------------- */

/* Take what was answered so far.  *ended: is that all? */
static struct answer *
take_answers(struct async *self, struct ask *ask, bool *ended)
{
    eventfd_t ignored;
    pthread_mutex_lock(&self->loop.mutex);
    (void)eventfd_read(ask->done, &ignored);
    struct answer *answers = ask->answers;
    ask->answers = NULL;
    ask->last_answer = &ask->answers;
    *ended = ask->ended;
    pthread_mutex_unlock(&self->loop.mutex);
    return answers;
}

/* Emits them until the host has enough, which rc other than 0 says, and frees them. */
static int
emit_all(struct async *self, struct gantry_call *call, struct answer *answers, int rc)
{
    while (answers) {
        struct answer *next = answers->next;
        if (rc == 0)
            rc = self->host->emit(call, answers->kind, answers + 1);
        free(answers);
        answers = next;
    }
    return rc;
}

/* Say that nobody wants the answer any more, and wait for the end, which then comes at once, or soon, when the
 * question is one that has to be finished. */
static struct answer *
give_up(struct async *self, struct ask *ask)
{
    bool ended = false;
    struct answer *answers = NULL;
    loop_withdraw(&self->loop, ask);
    while (!ended) {
        struct pollfd fd = {.fd = ask->done, .events = POLLIN};
        (void)poll(&fd, 1, -1);
        struct answer **end = &answers;
        while (*end)
            end = &(*end)->next;
        *end = take_answers(self, ask, &ended);
    }
    return answers;
}

static int
wait_and_emit(struct async *self, struct gantry_call *call, struct ask *ask)
{
    for (;;) {
        int rc = gantry_wait(self->host, call, &ask->done, 1, INT64_MAX, 0);
        if (rc <= 0) { /* the call is to end */
            int emitted = emit_all(self, call, give_up(self, ask), 0);
            return ask->code < 0 ? ask->code : emitted;
        }
        bool ended;
        rc = emit_all(self, call, take_answers(self, ask, &ended), 0);
        if (rc != 0 && !ended)
            emit_all(self, call, give_up(self, ask), rc);
        if (rc != 0 || ended)
            return rc != 0 ? rc : ask->code;
    }
}

/* Ask, emit the answers, and give the call the text of an error. */
static int
ask_and_emit(struct async *self, struct gantry_call *call, struct ask *ask)
{
    if (self->offline)
        return gantry_fail(self->host, call, GANTRY_E_UNAVAILABLE,
                           "the thread is out of reach: the setting offline says so");
    if (ask_init(ask, ask->kind) < 0)
        return gantry_fail(self->host, call, GANTRY_E_UNAVAILABLE,
                           "no descriptor is free: close some");
    loop_send(&self->loop, ask);
    int rc = wait_and_emit(self, call, ask);
    if (rc == GANTRY_E_CANCELLED && !gantry_cancelled(self->host, call))
        rc = GANTRY_E_TIMEOUT;
    if (ask->text[0] && ask->code < 0)
        gantry_fail(self->host, call, rc, "%s", ask->text);
    ask_clear(ask);
    return rc;
}

/* ---- the operations ------------------------------------------------------------------------------- */

static int
async_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
            const struct gantry_spec *spec, uint32_t flags)
{
    (void)flags; /* nothing is restarted here */
    struct ask ask = {.kind = ASK_START, .ref = existing, .spec = spec};
    return ask_and_emit(self, call, &ask);
}

static int
async_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct ask ask = {.kind = ASK_STOP, .ref = ref, .grace_ms = grace_ms};
    return ask_and_emit(self, call, &ask);
}

static int
async_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct ask ask = {.kind = ASK_REMOVE, .ref = ref};
    return ask_and_emit(self, call, &ask);
}

static int
async_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
           const struct gantry_log_limits *limits)
{
    struct ask ask = {.kind = ASK_LOGS, .ref = ref, .cursor = cursor, .limits = limits};
    return ask_and_emit(self, call, &ask);
}

static int
async_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct ask ask = {.kind = ASK_INSPECT, .ref = ref};
    return ask_and_emit(self, call, &ask);
}

static int
async_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
           uint32_t stride)
{
    struct ask ask = {
        .kind = ASK_LIST, .labels = labels, .label_count = count, .label_stride = stride};
    return ask_and_emit(self, call, &ask);
}

static int
async_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
            uint32_t stride)
{
    struct ask ask = {
        .kind = ASK_WATCH, .labels = labels, .label_count = count, .label_stride = stride};
    return ask_and_emit(self, call, &ask);
}

static int
async_probe(void *state, struct gantry_call *call)
{
    struct async *self = state;
    struct gantry_traits traits = {
        .size = sizeof traits, .product = "children of one thread", .version = "1"};
    if (self->offline)
        return gantry_fail(self->host, call, GANTRY_E_UNAVAILABLE,
                           "the thread is out of reach: the setting offline says so");
    return gantry_emit_traits(self->host, call, &traits);
}

static const struct gantry_setting settings[] = {
    {.size = sizeof settings[0],
     .type = GANTRY_TYPE_MAP,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "programs",
     .help = "the images that there are: IMAGE=PATH of a program"},
    {.size = sizeof settings[0],
     .type = GANTRY_TYPE_BOOL,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "offline",
     .fallback = "no",
     .help = "answer as a runtime that cannot be reached"},
};

static const struct gantry_plugin plugin = {
    GANTRY_PLUGIN_HEAD,
    .threads = GANTRY_THREADS_PARALLEL,
    .name = "async",
    .summary = "runs programs as children of one thread, which end with it",
    GANTRY_SETTINGS(settings),
    .open = async_open,
    .close = async_close,
    .start = async_start,
    .stop = async_stop,
    .remove = async_remove,
    .logs = async_logs,
    .inspect = async_inspect,
    .list = async_list,
    .watch = async_watch,
    .probe = async_probe,
};
GANTRY_PLUGIN(plugin)
