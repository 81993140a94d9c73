/* gantry_plugin_show.c - what a plugin emits, as JSON: the names are those of the structs in plugin.h. */
#include "gantry_json.h"
#include "gantry_plugin_run.h"

#include <string.h>

static const char *
state_word(uint32_t state)
{
#define WORD(name, value, word) [value] = word,
    static const char *const words[] = {GANTRY_STATES(WORD)};
#undef WORD
    return state < sizeof words / sizeof words[0] ? words[state] : "?";
}

static const char *
health_word(uint32_t health)
{
    static const char *const words[] = {NULL, "starting", "healthy",
                                        "unhealthy"}; /* NONE is left out */
    return health < sizeof words / sizeof words[0] ? words[health] : "?";
}

static void
show_if(struct json *json, const char *key, int64_t number, uint32_t is_known)
{
    if (is_known)
        json_number(json, key, number);
}

static void
show_status(struct json *json, const struct gantry_status *s)
{
    json_text(json, "handle", s->handle);
    json_text(json, "name", s->name);
    json_text(json, "state", state_word(s->state));
    json_text(json, "health", health_word(s->health));
    json_text(json, "hash", s->hash);
    json_text(json, "image", s->image);
    json_text(json, "image_digest", s->image_digest);
    json_text(json, "error", s->error);
    show_if(json, "exit_code", s->exit_code, s->present & GANTRY_STATUS_EXIT_CODE);
    show_if(json, "out_of_memory", s->out_of_memory, s->present & GANTRY_STATUS_OUT_OF_MEMORY);
    show_if(json, "created_ms", s->created_ms, s->present & GANTRY_STATUS_CREATED);
    show_if(json, "started_ms", s->started_ms, s->present & GANTRY_STATUS_STARTED);
    show_if(json, "finished_ms", s->finished_ms, s->present & GANTRY_STATUS_FINISHED);
    show_if(json, "restarts", s->restarts, s->present & GANTRY_STATUS_RESTARTS);
    struct json labels = json_object(json, "labels");
    for (uint32_t i = 0; i < s->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, s->labels, s->label_stride, i);
        json_text(&labels, label->key, label->value);
    }
    json_close(&labels);
}

static void
show_log_line(struct json *json, const struct gantry_line *line)
{
    json_text(json, "stream", line->stream == GANTRY_STREAM_STDERR ? "stderr" : "stdout");
    json_bytes(json, "text", line->text, line->text_size);
    show_if(json, "time_ns", line->time_ns, line->time_ns != 0);
    json_text(json, "cursor", line->cursor);
}

static void
show_event(struct json *json, const struct gantry_event *event)
{
    static const char *const kinds[] = {"?", "changed", "synced", "lost"};
    json_text(json, "kind",
              event->kind < sizeof kinds / sizeof kinds[0] ? kinds[event->kind] : "?");
    json_text(json, "handle", event->handle);
    json_text(json, "id", event->id);
}

int
run_show(void *context, uint32_t kind, const void *item)
{
    (void)context;
    struct json json = json_begin(stdout);
    if (kind == GANTRY_EMIT_STATUS) {
        json_text(&json, "emitted", "status");
        show_status(&json, item);
    } else if (kind == GANTRY_EMIT_LINE) {
        json_text(&json, "emitted", "line");
        show_log_line(&json, item);
    } else if (kind == GANTRY_EMIT_EVENT) {
        json_text(&json, "emitted", "event");
        show_event(&json, item);
    } else if (kind == GANTRY_EMIT_TRAITS) {
        const struct gantry_traits *traits = item;
        json_text(&json, "emitted", "traits");
        json_text(&json, "product", traits->product);
        json_text(&json, "version", traits->version);
        json_text(&json, "detail", traits->detail);
    } else {
        const struct gantry_image *image = item;
        json_text(&json, "emitted", "image");
        json_text(&json, "reference", image->reference);
        json_text(&json, "digest", image->digest);
    }
    json_end(&json);
    fflush(stdout);
    return 0;
}
