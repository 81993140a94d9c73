/* emit.c - what a plugin hands out, checked and copied into the job.
 *
 * Everything here runs with the call's lock held, on the thread that entered.  What other rooms
 * read later has all fields of this version, valid UTF-8, and never NULL where plugin.h says so. */
#include "runtime_internal.h"

#include "map.h"
#include "states.h"
#include "str.h"

#include <inttypes.h>
#include <string.h>

#define ITEM_SIZE_MIN 8U /* size and the field behind it */
#define ITEM_SIZE_MAX 4096U
#define HANDLE_MAX    1023U
#define LABELS_MAX    10000U
/* What a label has in every version: an element has no size of its own, and a later one may be longer. */
#define LABEL_STRIDE_MIN (offsetof(struct gantry_pair, value) + sizeof(const char *))
#define CUT_SLACK        16U /* " [cut]" behind a line of max_line_bytes */

/* Copy a text for people or for comparing: bytes that are no UTF-8 become '?'.  NULL gives NULL. */
static const char *
copy_text(struct arena *arena, const char *text, bool *whole)
{
    if (!text)
        return NULL;
    char *copy = arena_dup_text(arena, text);
    if (!copy) {
        *whole = false;
        return NULL;
    }
    size_t len = strlen(copy);
    for (size_t at = 0; (at += str_utf8_valid_length((struct str){copy + at, len - at})) < len;
         at++)
        copy[at] = '?';
    return copy;
}

/* The same, but what the status before it has too is not copied again: most of its labels and its image. */
static const char *
copy_text_like(struct arena *arena, const char *text, const char *like, bool *whole)
{
    return like && text_eq(text, like) ? like : copy_text(arena, text, whole);
}

/* A name or a reference. */
static bool
is_name(const char *text)
{
    if (!text || !text[0])
        return false;
    size_t len = strnlen(text, HANDLE_MAX + 1);
    return len <= HANDLE_MAX && str_utf8_valid_length((struct str){text, len}) == len;
}

/* A handle or a cursor: it is stored, logged and typed as one word. */
static bool
is_identifier(const char *text)
{
    if (!is_name(text))
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    return true;
}

/* Take an item as far as its maker knew it and we do; the rest stays zero. */
static int
take_item(struct gantry_call *call, const char *what, const void *item, void *out, size_t out_size)
{
    uint32_t size;
    memcpy(&size, item, sizeof size);
    if (size < ITEM_SIZE_MIN || size > ITEM_SIZE_MAX)
        return call_break_locked(call, "it emitted a %s of %" PRIu32 " bytes: size is not set",
                                 what, size);
    memcpy(out, item, MIN(size, out_size));
    uint32_t ours = (uint32_t)out_size;
    memcpy(out, &ours, sizeof ours);
    return 0;
}

static int
out_of_memory(struct gantry_call *call)
{
    call->forced = GANTRY_E_NOMEM;
    err_clear(&call->error);
    (void)err_nomem(&call->error);
    return GANTRY_E_NOMEM;
}

static int
take_labels(struct gantry_call *call, struct gantry_status *s, const struct gantry_status *before)
{
    struct arena *arena = &call->job->arena;
    if (s->label_count == 0) {
        s->labels = NULL;
        s->label_stride = sizeof(struct gantry_pair);
        return 0;
    }
    if (!s->labels || s->label_count > LABELS_MAX || s->label_stride < LABEL_STRIDE_MIN ||
        s->label_stride > ITEM_SIZE_MAX)
        return call_break_locked(call, "its status of '%s' has a broken array of labels",
                                 s->handle);
    struct gantry_pair *copy = arena_alloc_array(arena, s->label_count, sizeof *copy);
    if (!copy)
        return out_of_memory(call);
    bool whole = true;
    for (uint32_t i = 0; i < s->label_count; i++) {
        const struct gantry_pair *from =
            GANTRY_AT(struct gantry_pair, s->labels, s->label_stride, i);
        if (!from->key || !from->value)
            return call_break_locked(call, "its status of '%s' has a label that is NULL",
                                     s->handle);
        bool other = i >= before->label_count;
        copy[i].key =
            copy_text_like(arena, from->key, other ? NULL : before->labels[i].key, &whole);
        copy[i].value =
            copy_text_like(arena, from->value, other ? NULL : before->labels[i].value, &whole);
    }
    s->labels = copy;
    s->label_stride = sizeof *copy;
    return whole ? 0 : out_of_memory(call);
}

/* list() emits what bears the labels that were asked for, and nothing else: what comes through here
 * is stopped and removed by rules that trust it. */
static int
check_asked_labels(struct gantry_call *call, const struct gantry_status *s)
{
    const struct runtime_job *job = call->job;
    for (uint32_t i = 0; job->op == RUNTIME_LIST && i < job->label_count; i++)
        if (!text_eq(
                gantry_find_label(s->labels, s->label_count, s->label_stride, job->labels[i].key),
                job->labels[i].value))
            return call_break_locked(call, "it listed '%s', which lacks the label %s=%s", s->handle,
                                     job->labels[i].key, job->labels[i].value);
    return 0;
}

static int
check_status(struct gantry_call *call, struct gantry_status *s)
{
    if (!is_identifier(s->handle))
        return call_break_locked(call, "it emitted a status without a handle: 1 to 1023 bytes of "
                                       "UTF-8 without blanks");
    if (!is_name(s->name))
        return call_break_locked(call, "its status of '%s' has no name in UTF-8", s->handle);
    if (s->state >= STATES_COUNT) {
        /* A newer plugin may know states that we do not; unknown is what nothing is done about. */
        if (call->backend->table.abi_minor <= GANTRY_ABI_MINOR)
            return call_break_locked(call, "its status of '%s' has state %" PRIu32, s->handle,
                                     s->state);
        s->state = GANTRY_STATE_UNKNOWN;
    }
    if (s->health > GANTRY_HEALTH_UNHEALTHY) {
        if (call->backend->table.abi_minor <= GANTRY_ABI_MINOR)
            return call_break_locked(call, "its status of '%s' has health %" PRIu32, s->handle,
                                     s->health);
        s->health = GANTRY_HEALTH_NONE;
    }
    return 0;
}

static int
emit_status(struct gantry_call *call, const void *item)
{
    struct runtime_job *job = call->job;
    struct gantry_status s = {0}, before = {0};
    size_t count = job->statuses.len;
    if (count > 0)
        before = job->statuses.ptr[count - 1];
    int rc = take_item(call, "status", item, &s, sizeof s);
    if (rc < 0 || (rc = check_status(call, &s)) < 0)
        return rc;
    if (call->emits_max && count >= call->emits_max)
        return call_break_locked(call, "it emitted more than one status");
    if ((rc = take_labels(call, &s, &before)) < 0 || (rc = check_asked_labels(call, &s)) < 0)
        return rc;
    bool whole = true;
    s.handle = copy_text(&job->arena, s.handle, &whole);
    s.name = copy_text(&job->arena, s.name, &whole);
    s.hash = copy_text(&job->arena, s.hash, &whole);
    s.image = copy_text_like(&job->arena, s.image, before.image, &whole);
    s.image_digest = copy_text(&job->arena, s.image_digest, &whole);
    s.error = copy_text(&job->arena, s.error, &whole);
    struct gantry_status *slot = vec_push(&job->statuses);
    if (!slot || !whole)
        return out_of_memory(call);
    *slot = s;
    return 0;
}

static int
emit_line(struct gantry_call *call, const void *item)
{
    struct runtime_job *job = call->job;
    const struct gantry_log_limits *limits = &job->limits;
    struct gantry_line line = {0};
    int rc = take_item(call, "line", item, &line, sizeof line);
    if (rc < 0)
        return rc;
    if (!is_identifier(line.cursor))
        return call_break_locked(call,
                                 "it emitted a line without a cursor: 1 to 1023 bytes of UTF-8 "
                                 "without blanks");
    if (line.stream != GANTRY_STREAM_STDOUT && line.stream != GANTRY_STREAM_STDERR)
        return call_break_locked(call, "it emitted a line of stream %" PRIu32, line.stream);
    if (!line.text && line.text_size)
        return call_break_locked(call, "it emitted a line whose text is NULL");
    if (limits->max_line_bytes && line.text_size > (uint64_t)limits->max_line_bytes + CUT_SLACK)
        return call_break_locked(call,
                                 "it emitted a line of %" PRIu64 " bytes; the limit is %" PRIu32,
                                 line.text_size, limits->max_line_bytes);
    if (limits->max_lines && job->lines.len >= limits->max_lines)
        return call_break_locked(call, "it emitted more than %" PRIu32 " lines, the limit",
                                 limits->max_lines);
    call->line_bytes += line.text_size;
    if (limits->max_bytes &&
        call->line_bytes > limits->max_bytes + limits->max_line_bytes + CUT_SLACK)
        return call_break_locked(call,
                                 "it emitted lines of %" PRIu64 " bytes; the limit is %" PRIu64,
                                 call->line_bytes, limits->max_bytes);
    bool whole = true;
    line.text = arena_dup(&job->arena, (struct str){line.text, (size_t)line.text_size});
    line.cursor = copy_text(&job->arena, line.cursor, &whole);
    struct gantry_line *slot = vec_push(&job->lines);
    if (!slot || !whole || !line.text)
        return out_of_memory(call);
    *slot = line;
    return 0;
}

static int
emit_traits(struct gantry_call *call, const void *item)
{
    struct runtime_job *job = call->job;
    struct gantry_traits t = {0};
    int rc = take_item(call, "struct of traits", item, &t, sizeof t);
    if (rc < 0)
        return rc;
    if (!t.product || !t.version)
        return call_break_locked(call, "it emitted traits without product or version");
    if (job->traits.size)
        return call_break_locked(call, "it emitted its traits twice");
    bool whole = true;
    t.product = copy_text(&job->arena, t.product, &whole);
    t.version = copy_text(&job->arena, t.version, &whole);
    t.detail = copy_text(&job->arena, t.detail, &whole);
    if (!whole)
        return out_of_memory(call);
    job->traits = t;
    return 0;
}

static int
wrong_kind(struct gantry_call *call, uint32_t kind)
{
    static const char *const kinds[] = {"nothing",  "a status", "a line",
                                        "an event", "traits",   "an image"};
    return call_break_locked(call, "it emitted %s, which this operation may not",
                             kind < ARRAY_LENGTH(kinds) ? kinds[kind] : "something unknown");
}

int
emit_check_event(struct gantry_call *call, uint32_t kind, const void *item,
                 struct gantry_event *out)
{
    struct gantry_event event = {0};
    if (kind != GANTRY_EMIT_EVENT)
        return wrong_kind(call, kind);
    int rc = take_item(call, "event", item, &event, sizeof event);
    if (rc < 0)
        return rc;
    if (event.kind < GANTRY_EVENT_CHANGED || event.kind > GANTRY_EVENT_LOST)
        return call_break_locked(call, "it emitted an event of kind %" PRIu32, event.kind);
    if (event.id && !event.id[0])
        event.id = NULL;
    if (event.kind == GANTRY_EVENT_CHANGED && !is_identifier(event.handle))
        return call_break_locked(call, "it emitted a change without a handle in UTF-8");
    if (event.kind == GANTRY_EVENT_CHANGED && event.id && !is_name(event.id))
        return call_break_locked(call, "its change of '%s' has an id that is not UTF-8",
                                 event.handle);
    if (event.kind != GANTRY_EVENT_CHANGED)
        event.handle = event.id = NULL;
    *out = event;
    return 0;
}

static int
emit_image(struct gantry_call *call, const void *item)
{
    struct runtime_job *job = call->job;
    struct gantry_image image = {0};
    int rc = take_item(call, "struct of an image", item, &image, sizeof image);
    if (rc < 0)
        return rc;
    if (!is_name(image.reference) || !is_name(image.digest))
        return call_break_locked(call, "it emitted an image without reference or digest in UTF-8");
    if (job->fetched.size)
        return call_break_locked(call, "it emitted an image twice");
    bool whole = true;
    image.reference = copy_text(&job->arena, image.reference, &whole);
    image.digest = copy_text(&job->arena, image.digest, &whole);
    if (!whole)
        return out_of_memory(call);
    job->fetched = image;
    return 0;
}

int
emit_locked(struct gantry_call *call, uint32_t kind, const void *item)
{
    const struct runtime_job *job = call->job;
    if (kind == GANTRY_EMIT_IMAGE && job && (job->op == RUNTIME_START || job->op == RUNTIME_PULL))
        return emit_image(call, item);
    if (kind != call->emits || !job)
        return wrong_kind(call, kind);
    if (kind == GANTRY_EMIT_STATUS)
        return emit_status(call, item);
    if (kind == GANTRY_EMIT_LINE)
        return emit_line(call, item);
    return emit_traits(call, item);
}

/* The same handle twice would look like two workloads of one connector. */
static int
check_handles_differ(struct gantry_call *call, struct runtime_job *job)
{
    AUTO_MAP struct map seen;
    map_init_borrowing(&seen);
    vec_each (&job->statuses, s) {
        void *old = NULL;
        if (map_set(&seen, str_of(s->handle), s, &old) < 0)
            return out_of_memory(call);
        if (old)
            return call_break_locked(call, "it listed '%s' twice", s->handle);
    }
    return 0;
}

int
emit_check_whole(struct gantry_call *call, struct runtime_job *job)
{
    int rc = 0;
    pthread_mutex_lock(&call->lock);
    if ((job->op == RUNTIME_START || job->op == RUNTIME_INSPECT) && job->statuses.len == 0)
        rc = call_break_locked(call, "it returned success without a status");
    else if (job->op == RUNTIME_PROBE && !job->traits.size)
        rc = call_break_locked(call, "it returned success without its traits");
    else if (job->op == RUNTIME_LIST)
        rc = check_handles_differ(call, job);
    pthread_mutex_unlock(&call->lock);
    return rc;
}
