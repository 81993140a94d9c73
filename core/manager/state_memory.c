/* state_memory.c - what the state file has of one connector: its runs and exits, so that a restart of the
 * manager neither forgets a loop nor counts an exit twice (S9), and what the last good listing said of it.
 *
 * Keys that are missing or of another type are as if nothing were known; unknown ones are left alone.  The
 * monotonic clock begins anew with the machine, so its times are written as those of the wall clock. */
#include "manager_internal.h"

#include "clock.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

static int64_t
wall_of(int64_t mono_ms)
{
    return mono_ms > 0 ? clock_wall_ms() + mono_ms - clock_mono_ms() : 0;
}

static double
number_of(const cJSON *json, const char *key, double least, double most, double otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    bool good = cJSON_IsNumber(item) && item->valuedouble >= least && item->valuedouble <= most;
    return good ? item->valuedouble : otherwise;
}

static int64_t
time_of(const cJSON *json, const char *key)
{
    return (int64_t)number_of(json, key, 0, 9e15, 0);
}

/* As a time of the monotonic clock; 0: none. */
static int64_t
mono_of(const cJSON *json, const char *key)
{
    int64_t wall = time_of(json, key);
    return wall > 0 ? MAX(clock_mono_ms() + wall - clock_wall_ms(), 1) : 0;
}

static uint32_t
count_of(const cJSON *json, const char *key)
{
    return (uint32_t)number_of(json, key, 0, UINT32_MAX, 0);
}

static bool
flag_of(const cJSON *json, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static const char *
flag(bool on)
{
    return on ? "true" : "false";
}

void
state_add_runs(struct buf *b, const struct connector *c)
{
    const struct reconcile_memory *memory = &c->memory;
    buf_add_fmt(b,
                ",\"runs\":{\"in_loop\":%s,\"short\":%" PRIu32 ",\"starts\":%" PRIu32
                ",\"next_start_ms\":%" PRId64,
                flag(memory->in_loop), memory->short_runs, memory->loop_starts,
                wall_of(memory->start_ms));
    buf_add_fmt(b, ",\"watched\":\"%" PRIu64 "\",\"ran\":%s,\"own_stop\":%s,\"own_start\":%s",
                memory->watched, flag(memory->watched_ran), flag(memory->own_stop),
                flag(memory->own_start));
    buf_add_fmt(b, ",\"up_since_ms\":%" PRId64 ",\"started_ms\":%" PRId64 ",\"restarts\":%" PRId64,
                wall_of(memory->watched_since_ms), memory->watched_started_ms,
                memory->watched_restarts);
    buf_add_fmt(b, ",\"place\":\"%" PRIu64 "\"}", text_digest(c->platform->backend->place));
}

/* On another backend it begins anew: that it is not there yet is no end of a run. */
static bool
is_of_another_place(const cJSON *json, const struct connector *c)
{
    const char *place = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "place"));
    uint64_t digest = 0;
    return place && str_to_uint64(str_of(place), &digest) &&
           digest != text_digest(c->platform->backend->place);
}

void
state_read_runs(const cJSON *json, struct connector *c)
{
    struct reconcile_memory *memory = &c->memory;
    if (!cJSON_IsObject(json) || is_of_another_place(json, c))
        return;
    const char *watched = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "watched"));
    uint64_t identity = 0;
    int64_t now = clock_mono_ms();
    memory->in_loop = flag_of(json, "in_loop");
    memory->short_runs = count_of(json, "short");
    memory->loop_starts = count_of(json, "starts");
    int64_t start = mono_of(json, "next_start_ms");
    memory->start_ms = start > now ? MIN(start, now + RECONCILE_BACKOFF_MAX_MS) : 0;
    if (!watched || !str_to_uint64(str_of(watched), &identity) || identity == 0)
        return;
    memory->watched = identity;
    memory->watched_ran = flag_of(json, "ran");
    memory->own_stop = flag_of(json, "own_stop");
    memory->own_start = flag_of(json, "own_start");
    memory->watched_since_ms = MIN(mono_of(json, "up_since_ms"), now);
    memory->watched_started_ms = time_of(json, "started_ms");
    memory->watched_restarts = (int64_t)number_of(json, "restarts", -1, 9e15, -1);
}

/* ---- the last good listing ------------------------------------------------------------------- */

static const char *const wishes[] = {
    [PLATFORM_WISH_UNKNOWN] = "unknown",
    [PLATFORM_WISH_STARTING] = "starting",
    [PLATFORM_WISH_STOPPING] = "stopping",
};

static const char *const statuses[] = {
    [PLATFORM_STATUS_NONE] = "none",
    [PLATFORM_STATUS_STARTED] = "started",
    [PLATFORM_STATUS_STOPPED] = "stopped",
};

static size_t
word_of(const cJSON *json, const char *key, const char *const *words, size_t count)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    for (size_t i = 0; i < count; i++) {
        if (text_eq(text, words[i]))
            return i;
    }
    return 0; /* unknown, none */
}

void
state_add_listing(struct buf *b, const struct connector *c)
{
    buf_add_text(b, ",\"listing\":{\"image\":");
    buf_add_json(b, str_of(c->image ? c->image : ""));
    buf_add_text(b, ",\"hash\":");
    buf_add_json(b, str_of(c->hash ? c->hash : ""));
    buf_add_fmt(b, ",\"wish\":\"%s\",\"known\":\"%s\"}", wishes[c->wish], statuses[c->known]);
}

int
state_read_listing(const cJSON *json, struct connector *c)
{
    const char *image = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "image"));
    const char *hash = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "hash"));
    if (!hash || !hash[0])
        return 0;
    if (text_set(&c->hash, hash) < 0 || connector_set_image(c, image ? image : "") < 0)
        return GANTRY_E_NOMEM;
    c->wish = (enum platform_wish)word_of(json, "wish", wishes, ARRAY_LENGTH(wishes));
    c->known = (enum platform_status)word_of(json, "known", statuses, ARRAY_LENGTH(statuses));
    c->remembered = true;
    return 0;
}
