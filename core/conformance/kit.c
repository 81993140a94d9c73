/* kit.c - tries one promise after the other, each on a plugin that is opened for it, and cleans up behind it. */
#include "process.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORKERS          16
#define ARENA_MAX_BYTES  ((size_t)256 << 20)
#define CLEANUP_GRACE_MS 1

/* ---- the table ------------------------------------------------------------------------------------ */

static const struct {
    struct gantry_promise promise;
    int (*try)(struct kit *kit);
} promises[] = {
#define PROMISE(group, words, text)                                                                \
    {{sizeof(struct gantry_promise), 0, #group "." #words, text}, kit_try_##group##_##words},
#include "promises.def"
#undef PROMISE
};

const struct gantry_promise *
gantry_promise_at(size_t index)
{
    return index < ARRAY_LENGTH(promises) ? &promises[index].promise : NULL;
}

/* ---- what a promise says -------------------------------------------------------------------------- */

PRINTF_LIKE(2, 0)
static void
set_detail(struct kit *kit, const char *format, va_list args)
{
    if (kit->detail[0])
        return; /* the first one tells most */
    vsnprintf(kit->detail, sizeof kit->detail, format, args);
    for (char *c = kit->detail; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
}

int
kit_broken(struct kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_detail(kit, format, args);
    va_end(args);
    return KIT_BROKEN;
}

int
kit_not_offered(struct kit *kit, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set_detail(kit, format, args);
    va_end(args);
    return KIT_NOT_OFFERED;
}

int
kit_needs_workload(struct kit *kit)
{
    return kit->given.runs_workload
               ? KIT_OK
               : kit_not_offered(kit, "[kit] does not say 'workload = yes': no image obeys it");
}

int
kit_connector_of(struct kit *kit, const char *program, struct kit_connector **connector)
{
    KIT_CHECK(kit_needs_workload(kit));
    *connector = kit_connector(kit);
    if (!*connector)
        return KIT_BROKEN;
    (*connector)->program = program;
    return KIT_OK;
}

/* ---- one promise ---------------------------------------------------------------------------------- */

int
kit_open(struct kit *kit, const struct gantry_settings *settings, const struct gantry_host *host,
         struct runtime_backend **out, struct gantry_error **err)
{
    return runtime_open_tapped(kit->runtime, kit->plugin, settings ? settings : kit->settings,
                               host ? host : &kit_host_functions, kit->plain, out, err);
}

static void
write_trace(void *context, enum log_level level, const char *line, size_t length)
{
    const struct gantry_conformance *request = context;
    (void)level;
    (void)length;
    request->trace(request->context, line);
}

static void
kit_clear(struct kit *kit)
{
    if (kit->plain)
        kit->plain->trace = NULL;
    runtime_end(kit->runtime);
    runtime_close(kit->backend);
    runtime_free(kit->runtime);
    vec_each (&kit->jobs, it)
        if (it->done) /* the others went with the runtime */
            runtime_job_free(it->job);
    vec_clear(&kit->jobs);
    vec_clear(&kit->managers);
    log_clear(&kit->log);
    if (kit->hung)
        return; /* a call may still use what follows: it stays for ever */
    arena_clear(&kit->arena);
    free(kit->plain);
}

/* *kit: kit_clear(), also on failure. */
static int
kit_init(struct kit *kit, const struct gantry_conformance *request, const struct kit_source *source,
         const char *folder, struct gantry_error **err)
{
    struct log_sink sink = {.write = request->trace ? write_trace : NULL,
                            .context = (void *)(uintptr_t)request};
    memset(kit, 0, sizeof *kit);
    kit->request = request;
    kit->source = source;
    kit->folder = folder;
    kit->plugin = source->plugin;
    kit->table = runtime_plugin_table(source->plugin);
    kit->settings = source->settings;
    kit->given = source->kit;
    arena_init(&kit->arena, ARENA_MAX_BYTES);
    log_init(&kit->log, LOG_DEBUG, LOG_TEXT, sink);
    kit_make_manager(kit->manager);
    kit->plain = calloc(1, sizeof *kit->plain);
    const char **manager = vec_push(&kit->managers);
    if (!kit->plain || !manager)
        return err_nomem(err);
    *manager = kit->manager;
    kit->plain->kit = kit;
    kit->plain->trace = request->trace;
    kit->plain->trace_context = request->context;
    int rc = runtime_new(WORKERS, &kit->log, &kit->runtime, err);
    if (rc == 0)
        runtime_allow_overtime(kit->runtime, KIT_SOON_MS);
    if (rc == 0 && runtime_keep_in(kit->runtime, folder) < 0)
        rc = err_nomem(err);
    return rc == 0 ? kit_open(kit, NULL, NULL, &kit->backend, err) : rc;
}

/* ---- cleaning up ---------------------------------------------------------------------------------- */

static int
remove_one(struct kit *kit, const struct gantry_status *status, const struct kit_manner *manner)
{
    const struct kit_connector of = {.id = kit_label(status, GANTRY_LABEL_CONNECTOR),
                                     .name = status->name};
    struct kit_answer a = kit_stop(kit, status->handle, &of, CLEANUP_GRACE_MS, manner);
    KIT_CHECK(kit_expect_ok(kit, "when the kit cleaned up, stop()", &a));
    a = kit_remove(kit, status->handle, &of, manner);
    return kit_expect_ok(kit, "when the kit cleaned up, remove()", &a);
}

static int
remove_all(struct kit *kit, const struct kit_manner *manner)
{
    for (size_t i = 0; i < kit->managers.len; i++) {
        const struct gantry_pair label = {GANTRY_LABEL_MANAGER, kit->managers.ptr[i]};
        struct kit_answer a =
            kit_do(kit, &(struct kit_call){.op = RUNTIME_LIST, .labels = &label, .label_count = 1},
                   manner);
        KIT_CHECK(kit_expect_ok(kit, "when the kit cleaned up, list()", &a));
        for (size_t j = 0; j < a.status_count; j++)
            KIT_CHECK(remove_one(kit, &a.statuses[j], manner));
    }
    return KIT_OK;
}

/* Whatever came of the promise.  A backend that hangs cannot be asked; another one can, where the workloads are
 * not the plugin's own memory. */
static int
clean_up(struct kit *kit, int outcome)
{
    static struct kit_tap *const no_tap;
    struct kit_manner manner = {0};
    kit->tap = no_tap;
    if (kit->hung && kit_open(kit, NULL, NULL, &manner.backend, NULL) < 0)
        return outcome;
    int came = remove_all(kit, &manner);
    runtime_close(manner.backend);
    return outcome == KIT_OK ? came : outcome;
}

static uint32_t
public_outcome(int outcome)
{
    return outcome == KIT_OK            ? GANTRY_PROMISE_OK
           : outcome == KIT_NOT_OFFERED ? GANTRY_PROMISE_NOT_OFFERED
                                        : GANTRY_PROMISE_FAILED;
}

/* *left: a call that hangs may still use what the kit has lent it. */
static int
try_one(const struct gantry_conformance *request, const struct kit_source *source,
        const char *folder, size_t index, bool *left, struct gantry_error **err)
{
    const struct gantry_promise *promise = &promises[index].promise;
    int64_t began_ms = clock_mono_ms();
    int rc = request->began ? request->began(request->context, promise) : 0;
    struct kit *kit = rc == 0 ? malloc(sizeof *kit) : NULL; /* a call that hangs may keep it */
    if (rc)
        return rc;
    if (!kit)
        return err_nomem(err);
    rc = kit_init(kit, request, source, folder, err);
    if (rc == 0) {
        int outcome = clean_up(kit, promises[index].try(kit));
        rc = request->ended(request->context, promise, public_outcome(outcome),
                            outcome == KIT_OK ? NULL : kit->detail, clock_mono_ms() - began_ms);
    }
    bool hung = kit->hung;
    *left = *left || hung;
    kit_clear(kit);
    if (!hung)
        free(kit);
    return rc;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static bool
is_wanted(const struct gantry_conformance *request, const char *name)
{
    for (uint32_t i = 0; i < request->only_count; i++)
        if (text_eq(request->only[i], name))
            return true;
    return request->only_count == 0;
}

static int
check_names(const struct gantry_conformance *request, struct gantry_error **err)
{
    for (uint32_t i = 0; i < request->only_count; i++) {
        const struct gantry_promise *promise = gantry_promise_at(0);
        for (size_t j = 0; promise && !text_eq(promise->name, request->only[i]);)
            promise = gantry_promise_at(++j);
        if (!promise)
            return err_set(err, GANTRY_E_INVALID, "there is no promise '%s'", request->only[i]);
    }
    return 0;
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    (void)remove(path);
    return 0;
}

int
gantry_plugin_test(const struct gantry_conformance *request, struct gantry_error **err)
{
    struct kit_source source;
    struct kit_surroundings *before;
    bool left = false;
    char folder[] = "/tmp/gantry-kit-XXXXXX";
    if (err)
        *err = NULL;
    int rc = check_names(request, err);
    if (rc < 0)
        return rc;
    if (!mkdtemp(folder))
        return err_set(err, GANTRY_E_UNAVAILABLE, "cannot make a folder in /tmp");
    before = kit_surroundings();
    rc = kit_source_open(&source, request->plugin, request->folders, request->folder_count,
                         request->settings_file, folder, err);
    if (rc == 0) {
        source.before = before;
        for (size_t i = 0; rc == 0 && i < ARRAY_LENGTH(promises); i++)
            if (is_wanted(request, promises[i].promise.name))
                rc = try_one(request, &source, folder, i, &left, err);
        if (!left)
            kit_source_clear(&source);
    }
    free(before);
    if (rmdir(folder) < 0) /* something was kept there */
        (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return rc;
}
