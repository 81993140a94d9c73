/* life_calls.c - calls of a plugin through a session, and what they emit. */
#include "life.h"

#include <pthread.h>
#include <sys/stat.h>

/* ---- what was seen -------------------------------------------------------------------------------- */

static void
copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "(none)");
}

static void
see_status(struct seen *seen, const struct gantry_status *s)
{
    struct status *to = &seen->status[seen->statuses++];
    to->s = *s;
    copy(to->handle, sizeof to->handle, s->handle);
    copy(to->name, sizeof to->name, s->name);
    copy(to->hash, sizeof to->hash, s->hash);
    copy(to->image, sizeof to->image, s->image);
    copy(to->digest, sizeof to->digest, s->image_digest);
    copy(to->error, sizeof to->error, s->error);
    to->labels[0] = '\0';
    for (uint32_t i = 0; i < s->label_count; i++) {
        const struct gantry_pair *p = GANTRY_AT(struct gantry_pair, s->labels, s->label_stride, i);
        size_t at = strlen(to->labels);
        snprintf(to->labels + at, sizeof to->labels - at, "%s=%s ", p->key, p->value);
    }
}

static void
see_line(struct seen *seen, const struct gantry_line *l)
{
    struct line *to = &seen->line[seen->lines++];
    to->l = *l;
    snprintf(to->text, sizeof to->text, "%.*s", (int)l->text_size, l->text);
    copy(to->cursor, sizeof to->cursor, l->cursor);
}

static int
see(void *context, uint32_t kind, const void *item)
{
    struct seen *seen = context;
    const struct gantry_event *e = item;
    const struct gantry_image *i = item;
    const struct gantry_traits *t = item;
    static const char *const kinds[] = {"?", "changed", "synced", "lost"};
    assert_true(seen->statuses < MANY && seen->lines < MANY && seen->events < MANY);
    switch (kind) {
    case GANTRY_EMIT_STATUS:
        see_status(seen, item);
        break;
    case GANTRY_EMIT_LINE:
        see_line(seen, item);
        break;
    case GANTRY_EMIT_EVENT:
        snprintf(seen->event[seen->events++], 80, "%s %s %s", kinds[e->kind],
                 e->handle ? e->handle : "-", e->id ? e->id : "-");
        return seen->events == seen->enough ? 1 : 0;
    case GANTRY_EMIT_TRAITS:
        copy(seen->product, sizeof seen->product, t->product);
        copy(seen->version, sizeof seen->version, t->version);
        copy(seen->detail, sizeof seen->detail, t->detail);
        seen->traits++;
        break;
    case GANTRY_EMIT_IMAGE:
        snprintf(seen->image, sizeof seen->image, "%s %s", i->reference, i->digest);
        seen->images++;
        break;
    default:
        fail_msg("kind %u was emitted", (unsigned)kind);
    }
    return 0;
}

void
expect_line(const struct seen *seen, const char *text)
{
    for (unsigned i = 0; i < seen->lines; i++)
        if (strcmp(seen->line[i].text, text) == 0)
            return;
    for (unsigned i = 0; i < seen->lines; i++)
        print_error("  has: %s\n", seen->line[i].text);
    fail_msg("no line '%s'", text);
}

/* ---- a session ------------------------------------------------------------------------------------ */

char trace[200000];
static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;

static void
take_trace(void *context, const char *line)
{
    (void)context;
    pthread_mutex_lock(&trace_lock);
    size_t at = strlen(trace);
    snprintf(trace + at, sizeof trace - at, "%s\n", line);
    pthread_mutex_unlock(&trace_lock);
}

void
expect_trace(const char *words)
{
    pthread_mutex_lock(&trace_lock);
    int there = strstr(trace, words) != NULL;
    if (!there)
        print_error("%s", trace);
    pthread_mutex_unlock(&trace_lock);
    if (!there)
        fail_msg("the trace lacks '%s'", words);
}

int
try_open(const char *lines, struct gantry_session **out, struct gantry_error **err)
{
    char path[100];
    snprintf(path, sizeof path, "%s/gantry.ini", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "[manager]\nstate_dir = %s/state\n[backend %s]\n%s", folder, plugin_name, lines);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    struct gantry_session_options options = {
        .size = sizeof options, .plugin = plugin_file, .settings_file = path, .trace = take_trace};
    trace[0] = '\0';
    return gantry_session_open(&options, out, err);
}

int
is_everything(void)
{
    return strcmp(plugin_name, "cpp") != 0;
}

struct gantry_session *
open_plain(void)
{
    struct gantry_session *s = NULL;
    struct gantry_error *err = NULL;
    if (try_open(is_everything() ? "url = http://host\n" : "", &s, &err) < 0)
        fail_msg("%s", err->message);
    return s;
}

/* ---- calls ---------------------------------------------------------------------------------------- */

const struct gantry_pair labels[3] = {
    {GANTRY_LABEL_MANAGER, "m"}, {GANTRY_LABEL_CONNECTOR, "c1"}, {GANTRY_LABEL_HASH, "h1"}};
const struct gantry_pair foreign_labels[2] = {{GANTRY_LABEL_MANAGER, "other"},
                                              {GANTRY_LABEL_CONNECTOR, "c2"}};

struct gantry_spec
plain_spec(void)
{
    return (struct gantry_spec){.size = sizeof(struct gantry_spec),
                                .id = "c1",
                                .name = "one",
                                .hash = "h1",
                                .image = "plain",
                                .labels = labels,
                                .label_count = 3,
                                .label_stride = sizeof labels[0]};
}

struct gantry_request
request(const char *operation, struct seen *seen)
{
    memset(seen, 0, sizeof *seen);
    return (struct gantry_request){.size = sizeof(struct gantry_request),
                                   .operation = operation,
                                   .timeout_ms = 20000,
                                   .emitted = see,
                                   .context = seen};
}

void
expect(struct gantry_session *s, const struct gantry_request *r, int code, const char *words)
{
    struct gantry_error *err = NULL;
    int rc = gantry_session_call(s, r, &err);
    if (rc != code)
        fail_msg("%s returned %s (%s), not %s", r->operation, gantry_code_name(rc),
                 err ? err->message : "", gantry_code_name(code));
    if (words && (!err || !strstr(err->message, words)))
        fail_msg("%s: '%s' lacks '%s'", r->operation, err ? err->message : "", words);
    gantry_error_free(err);
}

struct gantry_ref
ref_to(const char *handle)
{
    return (struct gantry_ref){
        .size = sizeof(struct gantry_ref), .handle = handle, .id = "c1", .name = "one"};
}

void
call_ref(struct gantry_session *s, const char *operation, const char *handle, struct seen *seen,
         int code)
{
    const struct gantry_ref ref = ref_to(handle);
    const struct gantry_log_limits limits = {
        .size = sizeof limits, .max_lines = 50, .max_bytes = 100000, .max_line_bytes = 1000};
    struct gantry_request r = request(operation, seen);
    r.ref = &ref;
    r.grace_ms = 1500;
    r.limits = &limits;
    expect(s, &r, code, NULL);
}

void
start(struct gantry_session *s, const char *existing, const struct gantry_spec *spec,
      uint32_t flags, struct seen *seen, int code, const char *words)
{
    const struct gantry_ref ref = ref_to(existing);
    struct gantry_request r = request("start", seen);
    r.ref = existing ? &ref : NULL;
    r.spec = spec;
    r.flags = flags;
    expect(s, &r, code, words);
    if (code == 0)
        assert_int_equal(seen->statuses, 1);
}

void
list(struct gantry_session *s, const struct gantry_pair *wanted, uint32_t count, struct seen *seen,
     unsigned found)
{
    struct gantry_request r = request("list", seen);
    r.labels = wanted;
    r.label_count = count;
    r.label_stride = sizeof wanted[0];
    expect(s, &r, 0, NULL);
    assert_int_equal(seen->statuses, found);
}

void
expect_status(const struct status *s, const char *handle, const char *name, uint32_t state)
{
    assert_string_equal(s->handle, handle);
    assert_string_equal(s->name, name);
    assert_int_equal(s->s.state, state);
    assert_string_equal(s->hash, "h1");
    assert_string_equal(s->labels, "opencti-manager=m opencti-connector-id=c1 gantry.hash=h1 ");
}
