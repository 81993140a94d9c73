/* runc.c - the border, and the operations. */
#define _GNU_SOURCE /* strdup */
#include "runc.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { FINISH_MS = 30000 };

/* ---- start ---------------------------------------------------------------------------------------- */

static int
load(struct step *step, const struct gantry_ref *ref, struct bundle *bundle)
{
    int rc = bundle_load(step, ref->handle, bundle);
    return rc == GANTRY_E_NOT_FOUND
               ? FAIL(step, GANTRY_E_NOT_FOUND, "there is no workload '%s'", ref->handle)
               : rc;
}

static int
start_again(struct step *step, const struct gantry_ref *existing)
{
    struct bundle bundle;
    cJSON *states = NULL;
    int rc = run_ask(step, &states);
    if (rc == 0)
        rc = load(step, existing, &bundle);
    if (rc < 0) {
        cJSON_Delete(states);
        return rc;
    }
    uint32_t state = run_state(&bundle, run_word(states, bundle.handle));
    cJSON_Delete(states);
    if (state == GANTRY_STATE_PAUSED) {
        const char *const resume[] = {step->runc->program, "--root", step->runc->state, "resume",
                                      bundle.handle,       NULL};
        struct output output;
        rc = command_run(step, resume, &output);
        if (rc == 0)
            output_clear(&output);
    } else if (state == GANTRY_STATE_STARTING)
        rc = run_await(step, &bundle);
    else if (rc == 0 && state != GANTRY_STATE_RUNNING) {
        rc = run_end(step, &bundle, bundle.grace_ms); /* the end of a stop() that was cancelled */
        if (rc == 0)
            rc = run_begin(step, &bundle);
    }
    if (rc == 0)
        rc = run_emit_now(step, &bundle);
    bundle_clear(&bundle);
    return rc;
}

/* Make the new one run instead of the old one.  Once that is touched it is finished, or undone. */
static int
exchange(struct step *step, const struct bundle *old, const struct bundle *made)
{
    cJSON *states = NULL;
    int rc = run_ask(step, &states);
    bool ran = rc == 0 && run_state(old, run_word(states, old->handle)) == GANTRY_STATE_RUNNING;
    cJSON_Delete(states);
    if (rc == 0)
        rc = step_check(step);
    if (rc < 0)
        return rc;
    step_must_finish(step, FINISH_MS + old->grace_ms);
    rc = run_end(step, old, old->grace_ms);
    if (rc == 0)
        rc = run_begin(step, made);
    if (rc < 0 && ran) {
        struct step undo = step_undoing(step);
        if (bundle_has(old, "exit") && run_begin(&undo, old) < 0)
            gantry_log(step->runc->host, step->call, GANTRY_LOG_ERROR,
                       "workload '%s' could not be started again", old->name);
    }
    return rc;
}

/* A bundle that everybody can see, and that does not run yet. */
static int
make(struct step *step, const struct gantry_spec *spec, const struct bundle *old,
     struct bundle *made)
{
    char handle[sizeof made->handle];
    int rc = bundle_make(step, spec, made);
    if (rc < 0)
        return rc;
    rc = bundle_publish(step, spec, old, made);
    if (rc < 0) {
        bundle_discard(step, made);
        return rc;
    }
    memcpy(handle, made->handle, sizeof handle);
    bundle_clear(made);
    return bundle_load(step, handle, made);
}

static void
unmake(const struct step *step, struct bundle *made)
{
    struct step undo = step_undoing(step);
    if (!run_is_alive(made) || run_end(&undo, made, 0) == 0)
        (void)bundle_remove(&undo, made);
}

static int
start_new(struct step *step, const struct gantry_ref *existing, const struct gantry_spec *spec)
{
    struct bundle old = {0}, made = {0};
    cJSON *states = NULL;
    int rc = run_ask(step, &states); /* without runc nothing is even begun */
    cJSON_Delete(states);
    if (rc == 0 && existing)
        rc = load(step, existing, &old);
    if (rc == 0)
        rc = make(step, spec, existing ? &old : NULL, &made);
    if (rc == 0) {
        rc = existing ? exchange(step, &old, &made) : run_begin(step, &made);
        if (rc == 0) { /* it runs: who cancels now comes too late */
            step_must_finish(step, FINISH_MS);
            rc = run_emit_now(step, &made);
        } else
            unmake(step, &made);
    }
    bundle_clear(&old);
    bundle_clear(&made);
    return rc;
}

static int
runc_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
           const struct gantry_spec *spec, uint32_t flags)
{
    struct step step = {.runc = self, .call = call};
    (void)flags; /* runc restarts nothing */
    return spec ? start_new(&step, existing, spec) : start_again(&step, existing);
}

/* ---- the others ----------------------------------------------------------------------------------- */

static int
runc_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct step step = {.runc = self, .call = call};
    struct bundle bundle;
    int rc = bundle_load(&step, ref->handle, &bundle);
    if (rc < 0)
        return rc == GANTRY_E_NOT_FOUND ? 0 : rc;
    rc = run_end(&step, &bundle, grace_ms);
    bundle_clear(&bundle);
    return rc;
}

/* Of the owner of the one that is gone: NAME-new-XXXX takes NAME. */
static int
inherit(struct step *step, struct bundle *heir, void *context)
{
    const struct bundle *gone = context;
    size_t tail = sizeof "-new-XXXX" - 1, size = strlen(heir->name);
    if (size <= tail || strncmp(heir->name + size - tail, "-new-", 5) != 0 ||
        !bundle_same_owner(heir, gone->labels, gone->label_count, sizeof gone->labels[0]))
        return 0;
    char *name = strndup(heir->name, size - tail);
    if (!name)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    int rc = bundle_take_name(step, heir, name);
    free(name);
    return rc;
}

static int
runc_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct step step = {.runc = self, .call = call};
    struct bundle bundle;
    int rc = bundle_load(&step, ref->handle, &bundle);
    if (rc < 0)
        return rc == GANTRY_E_NOT_FOUND ? 0 : rc;
    rc = run_end(&step, &bundle, 0);
    if (rc == 0) {
        pthread_mutex_lock(&step.runc->naming);
        rc = bundle_remove(&step, &bundle);
        if (rc == 0)
            rc = bundle_each(&step, inherit, &bundle);
        pthread_mutex_unlock(&step.runc->naming);
    }
    bundle_clear(&bundle);
    return rc < 0 ? rc : 0;
}

static int
runc_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
          const struct gantry_log_limits *limits)
{
    struct step step = {.runc = self, .call = call};
    struct bundle bundle;
    int rc = load(&step, ref, &bundle);
    if (rc == 0)
        rc = logs_emit(&step, &bundle, cursor, limits);
    bundle_clear(&bundle);
    return rc;
}

static int
runc_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct step step = {.runc = self, .call = call};
    struct bundle bundle;
    cJSON *states = NULL;
    int rc =
        run_ask(&step, &states); /* first: what has gone since then has its exit written down */
    if (rc == 0)
        rc = load(&step, ref, &bundle);
    if (rc == 0) {
        rc = run_emit(&step, &bundle, run_word(states, bundle.handle));
        bundle_clear(&bundle);
    }
    cJSON_Delete(states);
    return rc;
}

struct listing {
    const struct gantry_pair *labels;
    uint32_t count, stride;
    cJSON *states;
};

static int
list_one(struct step *step, struct bundle *bundle, void *context)
{
    const struct listing *listing = context;
    return bundle_bears(bundle, listing->labels, listing->count, listing->stride)
               ? run_emit(step, bundle, run_word(listing->states, bundle->handle))
               : 0;
}

static int
runc_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
          uint32_t stride)
{
    struct step step = {.runc = self, .call = call};
    struct listing listing = {.labels = labels, .count = count, .stride = stride};
    int rc = run_ask(&step, &listing.states);
    if (rc == 0)
        rc = bundle_each(&step, list_one, &listing);
    cJSON_Delete(listing.states);
    return rc;
}

static int
runc_probe(void *self, struct gantry_call *call)
{
    struct step step = {.runc = self, .call = call};
    const char *const version[] = {step.runc->program, "--version", NULL};
    struct output output;
    int rc = command_run(&step, version, &output);
    if (rc < 0)
        return rc;
    output.text[strcspn(output.text, "\n")] = '\0';
    struct gantry_traits traits = {
        .size = sizeof traits, .product = "runc", .version = output.text};
    if (output.code != 0)
        rc = FAIL(&step, GANTRY_E_UNAVAILABLE, "'%s --version' failed: %s", step.runc->program,
                  output.error);
    else
        rc = gantry_emit_traits(step.runc->host, call, &traits);
    output_clear(&output);
    return rc;
}

/* ---- open and close -------------------------------------------------------------------------------- */

static void
runc_close(void *self)
{
    struct runc *runc = self;
    for (char **item = runc->images; item && *item; item++)
        free(*item);
    free(runc->images);
    free(runc->program);
    free(runc->folder);
    free(runc->state);
    free(runc->workloads);
    pthread_mutex_destroy(&runc->naming);
    free(runc);
}

static char *
below(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static bool
copy_settings(struct runc *runc, const struct gantry_settings *settings)
{
    for (uint32_t i = 0; i < settings->count; i++) {
        const struct gantry_value *value =
            GANTRY_AT(struct gantry_value, settings->values, settings->stride, i);
        if (strcmp(value->key, "runc") == 0 && !(runc->program = strdup(value->text)))
            return false;
        if (strcmp(value->key, "images") != 0)
            continue;
        runc->images = calloc(value->item_count + 1, sizeof *runc->images);
        for (uint32_t j = 0; j < value->item_count && runc->images; j++)
            if (!(runc->images[j] = strdup(value->items[j])))
                return false;
    }
    return runc->images && runc->program;
}

static int
runc_open(struct gantry_call *call, const struct gantry_host *host,
          const struct gantry_settings *settings, void **self)
{
    const struct gantry_folder *folder = gantry_extension(host, GANTRY_EXTENSION_FOLDER);
    const char *path = folder ? folder->path(host) : NULL;
    if (!path)
        return gantry_fail(host, call, GANTRY_E_UNSUPPORTED,
                           "this host has no folder for what is run: give it a state_dir");
    struct runc *runc = calloc(1, sizeof *runc);
    if (!runc)
        return gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
    runc->host = host;
    runc->folder = strdup(path);
    runc->state = below(path, "state");
    runc->workloads = below(path, "workloads");
    pthread_mutex_init(&runc->naming, NULL);
    if (!copy_settings(runc, settings) || !runc->folder || !runc->state || !runc->workloads) {
        runc_close(runc);
        return gantry_fail(host, call, GANTRY_E_NOMEM, "out of memory");
    }
    *self = runc;
    return 0;
}

static const struct gantry_setting settings[] = {
    {.size = sizeof settings[0],
     .type = GANTRY_TYPE_MAP,
     .scope = GANTRY_SCOPE_BACKEND,
     .flags = GANTRY_SETTING_REQUIRED,
     .key = "images",
     .help = "the images that there are: IMAGE=FOLDER with a root file system"},
    {.size = sizeof settings[0],
     .type = GANTRY_TYPE_LIST,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "command",
     .fallback = "/entrypoint",
     .help = "program in the image, and its arguments"},
    {.size = sizeof settings[0],
     .type = GANTRY_TYPE_PATH,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "runc",
     .fallback = "/usr/sbin/runc",
     .help = "the command runc"},
};

static const struct gantry_plugin plugin = {
    GANTRY_PLUGIN_HEAD,
    .threads = GANTRY_THREADS_PER_WORKLOAD,
    .name = "runc",
    .summary = "runs OCI bundles by the command runc",
    GANTRY_SETTINGS(settings),
    .open = runc_open,
    .close = runc_close,
    .start = runc_start,
    .stop = runc_stop,
    .remove = runc_remove,
    .logs = runc_logs,
    .inspect = runc_inspect,
    .list = runc_list,
    .probe = runc_probe,
};
GANTRY_PLUGIN(plugin)
