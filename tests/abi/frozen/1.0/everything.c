/* everything.c - a plugin that uses all of the ABI, every operation, field and extension, and tells what it was
 * given: in its traits, in the logs of its workloads, in its statuses.  They live in memory alone.
 *
 * It was compiled on the day of ABI 1.0, and the test of tests/abi/README.md asks the same of it ever since. */
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <gantry/plugin.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLOTS = 16, LABELS = 12, NOTES = 64, CHANGES = 64 };

struct workload {
    int is_there;
    uint32_t state, present, label_count, note_count, once;
    char handle[16], name[80], id[80], image[80], hash[80];
    char labels[LABELS][2][80];
    struct gantry_pair pairs[LABELS];
    int64_t runs;
    struct note {
        char text[600];
        uint32_t stream;
    } notes[NOTES];
};

struct everything {
    const struct gantry_host *host;
    const struct gantry_http *http;
    const struct gantry_folder *folder;
    pthread_mutex_t lock;
    int changed[2];                         /* a pipe: one byte for each change */
    char changes[CHANGES][2][80];           /* handle and id, of those that watch() has not told */
    unsigned change_count, made, has_image; /* has_image: a paused registry need not be asked */
    char settings[2000], url[200], socket[200];
    struct workload slots[SLOTS];
};

/* ---- settings ------------------------------------------------------------------------------------- */

static const char *const modes[] = {"one", "two", NULL};

#define SETTING(type_, scope_, flags_, key_, fallback_)                                            \
    .size = sizeof(struct gantry_setting), .type = GANTRY_TYPE_##type_,                            \
    .scope = GANTRY_SCOPE_##scope_, .flags = (flags_), .key = (key_), .fallback = (fallback_)

static const struct gantry_setting settings[] = {
    {SETTING(STRING, BACKEND, GANTRY_SETTING_REQUIRED | GANTRY_SETTING_PLACE, "url", NULL),
     .environment = "EVERYTHING_URL", .help = "Where its HTTP server is."},
    {SETTING(PATH, BACKEND, GANTRY_SETTING_PLACE, "socket", NULL), .help = "And its socket."},
    {SETTING(STRING, BACKEND, 0, "text", "a b"), .help = "A text."},
    {SETTING(BOOL, BACKEND, 0, "flag", "yes"), .help = "A flag."},
    {SETTING(INTEGER, BACKEND, 0, "number", "-7"), .help = "An integer."},
    {SETTING(NUMBER, BACKEND, 0, "ratio", "0.5"), .help = "A fraction."},
    {SETTING(DURATION, BACKEND, 0, "pause", "1500ms"), .help = "A duration."},
    {SETTING(SIZE, BACKEND, 0, "room", "64KiB"), .help = "A size."},
    {SETTING(SECRET, BACKEND, 0, "token", NULL), .environment = "EVERYTHING_TOKEN",
     .help = "A secret."},
    {SETTING(CHOICE, BACKEND, 0, "mode", "one"), .choices = modes, .help = "A choice."},
    {SETTING(LIST, BACKEND, 0, "words", NULL), .help = "A list."},
    {SETTING(MAP, WORKLOAD, 0, "pairs", NULL), .help = "A map."},
    {SETTING(INTEGER, WORKLOAD, 0, "level", "3"), .help = "Of each workload."},
};

static int
is_number(uint32_t type)
{
    return type == GANTRY_TYPE_BOOL || type == GANTRY_TYPE_INTEGER ||
           type == GANTRY_TYPE_DURATION || type == GANTRY_TYPE_SIZE;
}

/* Write down the values, in the order of the table above. */
static void
tell_settings(const struct gantry_settings *given, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, "[%s]", given->section);
    for (size_t k = 0; k < sizeof settings / sizeof settings[0]; k++)
        for (uint32_t i = 0; i < given->count && at < size; i++) {
            const struct gantry_value *v =
                GANTRY_AT(struct gantry_value, given->values, given->stride, i);
            if (strcmp(v->key, settings[k].key) != 0 || settings[k].type == GANTRY_TYPE_PATH ||
                (settings[k].flags & GANTRY_SETTING_REQUIRED))
                continue;
            if (settings[k].type == GANTRY_TYPE_SECRET)
                at += (size_t)snprintf(text + at, size - at, " %s=%zu bytes", v->key,
                                       strlen(v->text));
            else if (is_number(settings[k].type))
                at += (size_t)snprintf(text + at, size - at, " %s=%lld/%u", v->key,
                                       (long long)v->number, v->given);
            else
                at +=
                    (size_t)snprintf(text + at, size - at, " %s=%s/%u", v->key, v->text, v->given);
            for (uint32_t j = 0; j < v->item_count && at < size; j++)
                at += (size_t)snprintf(text + at, size - at, "<%s>", v->items[j]);
        }
}

static const char *
setting_text(const struct gantry_settings *given, const char *key)
{
    const struct gantry_value *value = gantry_find_value(given, key);
    return value ? value->text : "";
}

/* ---- its life ------------------------------------------------------------------------------------- */

static int
everything_open(struct gantry_call *call, const struct gantry_host *host,
                const struct gantry_settings *given, void **self)
{
    if (host->abi_major != GANTRY_ABI_MAJOR || !host->version || !host->version[0])
        return gantry_fail(host, call, GANTRY_E_INTERNAL, "the host does not say what it is");
    if (gantry_extension(host, "com.example.nothing/1"))
        return gantry_fail(host, call, GANTRY_E_INTERNAL, "the host offers what is not there");
    if (strcmp(setting_text(given, "url"), "refuse") == 0)
        return gantry_fail(host, call, GANTRY_E_DENIED, "url '%s' is refused; give another one",
                           setting_text(given, "url"));
    struct everything *e = (struct everything *)calloc(1, sizeof *e);
    if (!e)
        return GANTRY_E_NOMEM;
    e->host = host;
    e->http = (const struct gantry_http *)gantry_extension(host, GANTRY_EXTENSION_HTTP);
    e->folder = (const struct gantry_folder *)gantry_extension(host, GANTRY_EXTENSION_FOLDER);
    if (!e->http || !e->folder || pipe(e->changed) < 0) {
        free(e);
        return gantry_fail(host, call, GANTRY_E_UNSUPPORTED, "the host lacks an extension");
    }
    (void)fcntl(e->changed[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(e->changed[1], F_SETFL, O_NONBLOCK);
    pthread_mutex_init(&e->lock, NULL);
    tell_settings(given, e->settings, sizeof e->settings);
    snprintf(e->url, sizeof e->url, "%s", setting_text(given, "url"));
    snprintf(e->socket, sizeof e->socket, "%s", setting_text(given, "socket"));
    gantry_log(host, call, GANTRY_LOG_ERROR, "level %d", 0);
    gantry_log(host, call, GANTRY_LOG_WARN, "level %d", 1);
    gantry_log(host, call, GANTRY_LOG_INFO, "level %d", 2);
    gantry_log(host, call, GANTRY_LOG_DEBUG, "level %d", 3);
    *self = e;
    return 0;
}

static void
everything_close(void *self)
{
    struct everything *e = (struct everything *)self;
    gantry_log(e->host, NULL, GANTRY_LOG_INFO, "closed after %u workloads", e->made);
    close(e->changed[0]);
    close(e->changed[1]);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* ---- probe: HTTP ---------------------------------------------------------------------------------- */

struct answer {
    char text[300];
    size_t length;
};

static int
take_part(void *context, const struct gantry_http_part *part)
{
    struct answer *a = (struct answer *)context + part->index;
    char *end = a->text + a->length;
    size_t left = sizeof a->text - a->length;
    int n = 0;
    if (part->kind == GANTRY_HTTP_HEAD) {
        n = snprintf(end, left, "%u", part->status);
        for (uint32_t i = 0; i < part->header_count; i++) {
            const struct gantry_http_header *h =
                GANTRY_AT(struct gantry_http_header, part->headers, part->header_stride, i);
            if (strcmp(h->name, "X-Kind") == 0 || strcmp(h->name, "x-kind") == 0)
                n += snprintf(end + n, left - (size_t)n, " kind=%s", h->value);
        }
    } else if (part->kind == GANTRY_HTTP_DATA)
        n = snprintf(end, left, " <%.*s>", (int)part->data_size, (const char *)part->data);
    else
        n = snprintf(end, left, " end %d%s", part->code, part->message ? " with a message" : "");
    a->length += (size_t)n < left ? (size_t)n : left - 1;
    return 0;
}

/* The body in two pieces. */
static int64_t
read_body(void *context, void *buffer, uint64_t size)
{
    int *step = (int *)context;
    const char *piece = *step == 0 ? "one " : *step == 1 ? "two" : "";
    ++*step;
    if (strlen(piece) > size)
        return GANTRY_E_INVALID;
    memcpy(buffer, piece, strlen(piece));
    return (int64_t)strlen(piece);
}

static int
everything_probe(void *self, struct gantry_call *call)
{
    struct everything *e = (struct everything *)self;
    struct answer answers[2];
    char version_url[250], echo_url[250], detail[3000];
    int step = 0;
    const struct gantry_http_header headers[] = {{"X-Asked", "plugin"}};
    const struct gantry_http_tls tls = {.size = sizeof tls, .insecure = 0};
    memset(answers, 0, sizeof answers);
    snprintf(version_url, sizeof version_url, "%s/version", e->url);
    snprintf(echo_url, sizeof echo_url, "%s/echo", e->url);
    struct gantry_http_request requests[2];
    memset(requests, 0, sizeof requests);
    for (int i = 0; i < 2; i++) {
        requests[i].size = sizeof requests[i];
        requests[i].unix_socket = e->socket[0] ? e->socket : NULL;
        requests[i].headers = headers;
        requests[i].header_count = 1;
        requests[i].header_stride = sizeof headers[0];
        requests[i].connect_timeout_ms = 5000;
        requests[i].first_byte_timeout_ms = 5000;
        requests[i].total_timeout_ms = 10000;
        requests[i].stall_timeout_ms = 5000;
        requests[i].max_response_bytes = 10000;
        requests[i].tls = &tls;
        requests[i].proxy = "";
        requests[i].no_proxy = "example.org";
    }
    requests[0].method = "GET";
    requests[0].url = version_url;
    requests[0].flags = GANTRY_HTTP_FRESH_CONNECTION;
    requests[1].method = "POST";
    requests[1].url = echo_url;
    requests[1].body_size = 7;
    requests[1].read_body = read_body;
    requests[1].read_context = &step;
    int rc = e->http->perform(call, requests, 2, sizeof requests[0], take_part, answers);
    if (rc < 0)
        return rc; /* the call has the host's text */
    const char *folder = e->folder->path(e->host);
    snprintf(detail, sizeof detail, "%s; %s; %s; folder %s; %s left", answers[0].text,
             answers[1].text, e->settings, folder ? folder : "none",
             gantry_remaining_ms(e->host, call) == INT64_MAX ? "no limit" : "some time");
    const struct gantry_traits traits = {.size = sizeof traits,
                                         .product = "Everything",
                                         .version = e->host->version,
                                         .detail = detail};
    return gantry_emit_traits(e->host, call, &traits);
}

/* ---- workloads ------------------------------------------------------------------------------------ */

static struct workload *
find(struct everything *e, const char *handle) /* NULL: a free slot */
{
    for (struct workload *w = e->slots; w < e->slots + SLOTS; w++)
        if (handle ? w->is_there && strcmp(w->handle, handle) == 0 : !w->is_there)
            return w;
    return NULL;
}

static const char *
label(const struct workload *w, const char *key)
{
    const char *value = gantry_find_label(w->pairs, w->label_count, sizeof w->pairs[0], key);
    return value ? value : "";
}

GANTRY_PRINTF(3, 4)
static void
note(struct workload *w, uint32_t stream, const char *format, ...)
{
    va_list args;
    if (w->note_count == NOTES)
        return;
    va_start(args, format);
    vsnprintf(w->notes[w->note_count].text, sizeof w->notes[0].text, format, args);
    va_end(args);
    w->notes[w->note_count++].stream = stream;
}

static void
tell_change(struct everything *e, const struct workload *w)
{
    if (e->change_count == CHANGES)
        return;
    snprintf(e->changes[e->change_count][0], 80, "%s", w->handle);
    snprintf(e->changes[e->change_count++][1], 80, "%s", w->id);
    (void)!write(e->changed[1], "x", 1);
}

static int
emit(struct everything *e, struct gantry_call *call, const struct workload *w)
{
    if (!w)
        return gantry_fail(e->host, call, GANTRY_E_NOT_FOUND, "there is no such workload");
    struct gantry_status s = {.size = sizeof s, .present = w->present | GANTRY_STATUS_RESTARTS};
    s.handle = w->handle;
    s.name = w->name;
    s.hash = label(w, GANTRY_LABEL_HASH)[0] ? label(w, GANTRY_LABEL_HASH) : w->hash;
    s.image = w->image;
    s.image_digest = "sha256:cafe";
    s.error = w->state == GANTRY_STATE_EXITED ? "told to" : NULL;
    s.labels = w->pairs;
    s.label_count = w->label_count;
    s.label_stride = sizeof w->pairs[0];
    s.state = w->state;
    s.health = GANTRY_HEALTH_HEALTHY;
    s.exit_code = -3;
    s.out_of_memory = 1;
    s.created_ms = 1001;
    s.started_ms = 1002;
    s.finished_ms = 1003;
    s.restarts = w->runs - 1;
    return gantry_emit_status(e->host, call, &s);
}

/* What it was given, line by line. */
static void
note_spec(struct workload *w, const struct gantry_spec *spec)
{
    const uint32_t out = GANTRY_STREAM_STDOUT;
    char text[500];
    note(w, out, "id %s name %s hash %s", spec->id, spec->name, spec->hash);
    note(w, out, "image %s platform %s policy %u", spec->image,
         spec->platform ? spec->platform : "none", spec->pull_policy);
    note(w, out, "grace %u stall %u timeout %u pause %u", spec->stop_grace_ms, spec->pull_stall_ms,
         spec->start_timeout_ms, spec->pull_pause_ms);
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *v =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        if (v->secret)
            note(w, out, "secret %s of %zu bytes", v->key, strlen(v->value));
        else
            note(w, out, "variable %s=%s", v->key, v->value);
    }
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *f =
            GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
        note(w, out, "file %s mode %o secret %u of %llu bytes", f->path, f->mode, f->secret,
             (unsigned long long)f->bytes_size);
    }
    if (spec->registry)
        note(w, out, "registry %s user %s password of %zu bytes", spec->registry->host,
             spec->registry->username, strlen(spec->registry->password));
    if (spec->settings) {
        tell_settings(spec->settings, text, sizeof text);
        note(w, out, "settings %s", text);
    }
}

static void
take_spec(struct everything *e, struct workload *w, const struct gantry_spec *spec, int replaces)
{
    memset(w, 0, sizeof *w);
    w->is_there = 1;
    snprintf(w->handle, sizeof w->handle, "e%u", ++e->made);
    if (replaces)
        snprintf(w->name, sizeof w->name, "%.60s-new-%04x", spec->name, e->made & 0xffff);
    else
        snprintf(w->name, sizeof w->name, "%s", spec->name);
    snprintf(w->id, sizeof w->id, "%s", spec->id);
    snprintf(w->image, sizeof w->image, "%s", spec->image);
    for (uint32_t i = 0; i < spec->label_count && i < LABELS; i++) {
        const struct gantry_pair *from =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        snprintf(w->labels[i][0], sizeof w->labels[i][0], "%s", from->key);
        snprintf(w->labels[i][1], sizeof w->labels[i][1], "%s", from->value);
        w->pairs[i].key = w->labels[i][0];
        w->pairs[i].value = w->labels[i][1];
        w->label_count = i + 1;
    }
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *v =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        if (strcmp(v->key, GANTRY_HASH_VARIABLE) == 0)
            snprintf(w->hash, sizeof w->hash, "%s", v->value);
    }
    note_spec(w, spec);
}

/* ---- images --------------------------------------------------------------------------------------- */

/* Wait for the call's end, as for a registry that never answers. */
static int
wait_for_end(struct everything *e, struct gantry_call *call)
{
    while (!gantry_cancelled(e->host, call) && gantry_remaining_ms(e->host, call) > 0) {
        gantry_progress(e->host, call, "pulling", 1, 4);
        int rc = gantry_wait(e->host, call, NULL, 0, 10000, 0);
        if (rc < 0)
            return rc;
    }
    return gantry_fail(e->host, call, GANTRY_E_CANCELLED, "asked to end");
}

/* Not under the lock: it may take long. */
static int
fetch(struct everything *e, struct gantry_call *call, const struct gantry_spec *spec)
{
    const struct gantry_image image = {
        .size = sizeof image, .reference = spec->image, .digest = "sha256:cafe"};
    if (strcmp(spec->image, "missing") == 0)
        return gantry_fail(e->host, call, GANTRY_E_IMAGE_MISSING, "there is no image 'missing'");
    if (strcmp(spec->image, "denied") == 0)
        return gantry_fail(e->host, call, GANTRY_E_DENIED, "image 'denied' is not for you");
    if (strcmp(spec->image, "busy") == 0) {
        gantry_retry_after(e->host, call, 1234);
        return gantry_fail(e->host, call, GANTRY_E_UNAVAILABLE, "the registry is busy");
    }
    if (strcmp(spec->image, "slow") == 0)
        return wait_for_end(e, call);
    if (spec->pull_pause_ms > 0)
        return gantry_fail(e->host, call, GANTRY_E_UNAVAILABLE, "the registry wants %u ms of peace",
                           spec->pull_pause_ms);
    if (strcmp(spec->image, "new") != 0)
        return 0;
    gantry_progress(e->host, call, "pulling", 4, 4);
    return gantry_emit_image(e->host, call, &image);
}

static int
everything_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec)
{
    return fetch((struct everything *)self, call, spec);
}

static int
everything_remove_image(void *self, struct gantry_call *call, const struct gantry_image *image)
{
    struct everything *e = (struct everything *)self;
    if (strcmp(image->digest, "sha256:cafe") != 0)
        return gantry_fail(e->host, call, GANTRY_E_INVALID, "digest '%s' is not of image '%s'",
                           image->digest, image->reference);
    int rc = 0;
    pthread_mutex_lock(&e->lock);
    for (struct workload *w = e->slots; w < e->slots + SLOTS; w++)
        if (w->is_there && strcmp(w->image, image->reference) == 0)
            rc = GANTRY_E_CONFLICT;
    pthread_mutex_unlock(&e->lock);
    return rc ? gantry_fail(e->host, call, rc, "image '%s' is used", image->reference) : 0;
}

/* ---- the operations ------------------------------------------------------------------------------- */

/* May a workload of this spec be made, where there is none to replace? */
static int
check_name(struct everything *e, struct gantry_call *call, const struct gantry_spec *spec)
{
    const char *manager = gantry_find_label(spec->labels, spec->label_count, spec->label_stride,
                                            GANTRY_LABEL_MANAGER);
    const char *connector = gantry_find_label(spec->labels, spec->label_count, spec->label_stride,
                                              GANTRY_LABEL_CONNECTOR);
    for (struct workload *w = e->slots; w < e->slots + SLOTS; w++) {
        if (!w->is_there || strcmp(w->name, spec->name) != 0)
            continue;
        int ours = manager && connector && strcmp(label(w, GANTRY_LABEL_MANAGER), manager) == 0 &&
                   strcmp(label(w, GANTRY_LABEL_CONNECTOR), connector) == 0;
        return gantry_fail(e->host, call, ours ? GANTRY_E_UNAVAILABLE : GANTRY_E_CONFLICT,
                           "'%s' is there already, and is %s", w->name, ours ? "ours" : "foreign");
    }
    return 0;
}

/* The old one is touched: go on to the end, also when the call's own time is over. */
static void
finish(struct everything *e, struct gantry_call *call, struct workload *w)
{
    int rc = 0;
    while (rc == 0 && gantry_remaining_ms(e->host, call) > 0)
        rc = gantry_wait(e->host, call, NULL, 0, 20, GANTRY_WAIT_FINISH);
    if (rc == 0)
        rc = gantry_wait(e->host, call, NULL, 0, 20, GANTRY_WAIT_FINISH);
    note(w, GANTRY_STREAM_STDOUT, "finished, wait %d, %lld left", rc,
         (long long)gantry_remaining_ms(e->host, call));
}

static int
start_locked(struct everything *e, struct gantry_call *call, const struct gantry_ref *existing,
             const struct gantry_spec *spec, uint32_t flags)
{
    struct workload *old = existing ? find(e, existing->handle) : NULL;
    struct workload *w = old;
    if (existing && !old)
        return emit(e, call, NULL);
    if (spec) {
        int rc = old ? 0 : check_name(e, call, spec);
        if (rc < 0)
            return rc;
        w = find(e, NULL);
        if (!w)
            return gantry_fail(e->host, call, GANTRY_E_UNAVAILABLE, "all %d are taken", SLOTS);
        take_spec(e, w, spec, old != NULL);
    }
    if (spec && old) {
        old->state = GANTRY_STATE_EXITED;
        old->present |= GANTRY_STATUS_FINISHED | GANTRY_STATUS_EXIT_CODE;
        note(old, GANTRY_STREAM_STDERR, "replaced by %s", w->handle);
        tell_change(e, old);
    }
    if (spec && old && strcmp(spec->image, "finish") == 0)
        finish(e, call, w);
    w->state = GANTRY_STATE_RUNNING;
    w->present |= GANTRY_STATUS_CREATED | GANTRY_STATUS_STARTED;
    note(w, GANTRY_STREAM_STDOUT, "run %lld%s", (long long)++w->runs,
         flags & GANTRY_START_ONCE ? ", once" : "");
    tell_change(e, w);
    return emit(e, call, w);
}

static int
everything_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                 const struct gantry_spec *spec, uint32_t flags)
{
    struct everything *e = (struct everything *)self;
    int rc = spec ? fetch(e, call, spec) : 0;
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&e->lock);
    rc = start_locked(e, call, existing, spec, flags);
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int
everything_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                uint32_t grace_ms)
{
    struct everything *e = (struct everything *)self;
    (void)call;
    pthread_mutex_lock(&e->lock);
    struct workload *w = find(e, ref->handle);
    if (w && w->state == GANTRY_STATE_RUNNING) {
        w->state = GANTRY_STATE_EXITED;
        w->present |=
            GANTRY_STATUS_FINISHED | GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_OUT_OF_MEMORY;
        note(w, GANTRY_STREAM_STDERR, "stopped within %u ms, as %s %s", grace_ms,
             ref->id ? ref->id : "none", ref->name ? ref->name : "none");
        tell_change(e, w);
    }
    pthread_mutex_unlock(&e->lock);
    return 0;
}

static int
everything_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct everything *e = (struct everything *)self;
    (void)call;
    pthread_mutex_lock(&e->lock);
    struct workload *w = find(e, ref->handle);
    if (w) {
        w->is_there = 0;
        tell_change(e, w);
        for (struct workload *o = e->slots; o < e->slots + SLOTS; o++) /* who waits for its name */
            if (o->is_there && strcmp(o->id, w->id) == 0 &&
                strncmp(o->name, w->name, strlen(w->name)) == 0)
                memcpy(o->name, w->name, sizeof o->name);
    }
    pthread_mutex_unlock(&e->lock);
    return 0;
}

static int
emit_note(struct everything *e, struct gantry_call *call, const struct workload *w, uint32_t i,
          uint32_t max_line_bytes)
{
    char cursor[20], text[700];
    snprintf(cursor, sizeof cursor, "%u", i + 1);
    snprintf(text, sizeof text, "%s", w->notes[i].text);
    if (max_line_bytes && strlen(text) > max_line_bytes && max_line_bytes < sizeof w->notes[0].text)
        snprintf(text + max_line_bytes, sizeof text - max_line_bytes, " [cut]");
    struct gantry_line line = {.size = sizeof line, .stream = w->notes[i].stream, .text = text};
    line.text_size = strlen(text);
    line.time_ns = INT64_C(1700000000000000000) + i;
    line.cursor = cursor;
    return gantry_emit_line(e->host, call, &line);
}

static int
everything_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                const char *cursor, const struct gantry_log_limits *limits)
{
    struct everything *e = (struct everything *)self;
    int rc = 0;
    pthread_mutex_lock(&e->lock);
    const struct workload *w = find(e, ref->handle);
    if (!w)
        rc = emit(e, call, NULL);
    else {
        uint32_t from = cursor ? (uint32_t)strtoul(cursor, NULL, 10) : 0, first = w->note_count;
        uint64_t bytes = 0;
        while (first > from && (!limits->max_lines || w->note_count - first < limits->max_lines)) {
            bytes += strlen(w->notes[first - 1].text);
            if (limits->max_bytes && bytes > limits->max_bytes)
                break;
            first--;
        }
        for (uint32_t i = first; rc == 0 && i < w->note_count; i++)
            rc = emit_note(e, call, w, i, limits->max_line_bytes);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int
everything_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct everything *e = (struct everything *)self;
    pthread_mutex_lock(&e->lock);
    int rc = emit(e, call, find(e, ref->handle));
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int
everything_list(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                uint32_t count, uint32_t stride)
{
    struct everything *e = (struct everything *)self;
    int rc = 0;
    pthread_mutex_lock(&e->lock);
    for (struct workload *w = e->slots; rc == 0 && w < e->slots + SLOTS; w++)
        if (w->is_there &&
            gantry_has_labels(w->pairs, w->label_count, sizeof w->pairs[0], labels, count, stride))
            rc = emit(e, call, w);
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int
emit_event(struct everything *e, struct gantry_call *call, uint32_t kind, const char *handle,
           const char *id)
{
    const struct gantry_event event = {
        .size = sizeof event, .kind = kind, .handle = handle, .id = id};
    return gantry_emit_event(e->host, call, &event);
}

/* Events go round one that was lost, so that each kind is told. */
static int
everything_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                 uint32_t count, uint32_t stride)
{
    struct everything *e = (struct everything *)self;
    (void)labels, (void)count, (void)stride;
    int rc = emit_event(e, call, GANTRY_EVENT_SYNCED, NULL, NULL);
    while (rc == 0 && !gantry_cancelled(e->host, call)) {
        char bytes[CHANGES], changes[CHANGES][2][80];
        const int32_t fds[] = {e->changed[0]};
        rc = gantry_wait(e->host, call, fds, 1, INT64_MAX, 0);
        if (rc <= 0)
            continue;
        pthread_mutex_lock(&e->lock);
        (void)!read(e->changed[0], bytes, sizeof bytes);
        unsigned n = e->change_count;
        memcpy(changes, e->changes, sizeof changes);
        e->change_count = 0;
        pthread_mutex_unlock(&e->lock);
        rc = 0;
        for (unsigned i = 0; rc == 0 && i < n; i++) {
            if (strcmp(changes[i][1], "lost") == 0) {
                rc = emit_event(e, call, GANTRY_EVENT_LOST, NULL, NULL);
                rc = rc ? rc : emit_event(e, call, GANTRY_EVENT_SYNCED, NULL, NULL);
            } else
                rc = emit_event(e, call, GANTRY_EVENT_CHANGED, changes[i][0], changes[i][1]);
        }
    }
    return rc ? rc : GANTRY_E_CANCELLED;
}

static const struct gantry_plugin everything = {
    GANTRY_PLUGIN_HEAD,
    .threads = GANTRY_THREADS_PARALLEL,
    .name = "everything",
    .version = "1",
    .summary = "uses all of the plugin ABI",
    GANTRY_SETTINGS(settings),
    .open = everything_open,
    .close = everything_close,
    .start = everything_start,
    .stop = everything_stop,
    .remove = everything_remove,
    .logs = everything_logs,
    .inspect = everything_inspect,
    .list = everything_list,
    .watch = everything_watch,
    .pull = everything_pull,
    .probe = everything_probe,
    .remove_image = everything_remove_image,
};
GANTRY_PLUGIN(everything)
