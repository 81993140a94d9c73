/* Making a container from a spec: its name, its body, its files.  See engine.h. */
#include "engine.h"
#include "tar.h"

#include <string.h>
#include <sys/random.h>

#define NAME_TRIES 4

/* ---- names
 * ---------------------------------------------------------------------------------------- */

void
engine_name_make(char *target, const char *name, const char *form)
{
    unsigned char bytes[2] = {0, 0};
    /* Without randomness the engine's refusal of a taken name still keeps them apart. */
    if (getrandom(bytes, sizeof bytes, GRND_NONBLOCK) != (ssize_t)sizeof bytes)
        bytes[0] = 0;
    snprintf(target, ENGINE_NAME_MAX, "%.128s%s%02x%02x", name, form, (unsigned)bytes[0],
             (unsigned)bytes[1]);
}

bool
engine_name_has_form(const char *name, const char *base, const char *form)
{
    size_t base_length = strlen(base), form_length = strlen(form);
    if (strncmp(name, base, base_length) != 0 ||
        strncmp(name + base_length, form, form_length) != 0)
        return false;
    const char *digits = name + base_length + form_length;
    return strlen(digits) == 4 && strspn(digits, "0123456789abcdef") == 4;
}

/* ---- the body
 * ------------------------------------------------------------------------------------- */

static int
check_spec(struct engine_task *task, const struct gantry_spec *spec)
{
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        if (!variable->key[0] || strchr(variable->key, '=') || !text_is_utf8(variable->key))
            return engine_fail(task, GANTRY_E_INVALID,
                               "workload '%s': environment variable %u has no usable name",
                               spec->name, i + 1);
        /* JSON has no other bytes; the engine would replace them without a word. */
        if (!text_is_utf8(variable->value))
            return engine_fail(
                task, GANTRY_E_INVALID,
                "workload '%s': the value of environment variable '%s' is not UTF-8, "
                "and the engine's API cannot take it",
                spec->name, variable->key);
    }
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
        if (!tar_path_is_good(file->path))
            return engine_fail(task, GANTRY_E_INVALID,
                               "workload '%s': file path '%s' is not absolute and plain",
                               spec->name, file->path);
    }
    return 0;
}

static void
add_environment(struct text *body, const struct gantry_spec *spec)
{
    AUTO_TEXT entry = TEXT_SECRET(64u << 20);
    text_add(body, ",\"Env\":[");
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        text_reset(&entry);
        text_add(&entry, variable->key);
        text_add_char(&entry, '=');
        text_add(&entry, variable->value);
        if (i)
            text_add_char(body, ',');
        text_add_json(body, text_cstr(&entry));
    }
    text_add(body, "]");
    body->failed |= entry.failed;
}

static void
add_label(struct text *body, const char *key, const char *value)
{
    text_add_json(body, key);
    text_add_char(body, ':');
    text_add_json(body, value);
    text_add_char(body, ',');
}

static int
make_body(struct engine_task *task, const struct gantry_spec *spec, bool once, struct text *body)
{
    const char *restart = engine_restart_wanted(spec->settings);
    char problem[400];
    text_add(body, "{\"Image\":");
    text_add_json(body, spec->image);
    add_environment(body, spec);
    text_add(body, ",\"Labels\":{");
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        add_label(body, label->key, label->value);
    }
    add_label(body, ENGINE_LABEL_RESTART, restart);
    text_addf(body, "\"%s\":", ENGINE_LABEL_NAME);
    text_add_json(body, spec->name);
    text_addf(body, "},\"StopTimeout\":%u,\"HostConfig\":", (spec->stop_grace_ms + 999) / 1000);
    if (!engine_host_config(body, spec->settings, once ? "no" : restart, problem, sizeof problem))
        return engine_fail(task, GANTRY_E_INVALID, "workload '%s': %s", spec->name, problem);
    text_add(body, "}");
    if (body->failed)
        return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': its configuration is too large",
                           spec->name);
    return 0;
}

/* ---- the requests
 * --------------------------------------------------------------------------------- */

static void
log_warnings(struct engine_task *task, const char *name, const cJSON *answer)
{
    const cJSON *warning;
    cJSON_ArrayForEach(warning, json_at(answer, "Warnings"))
    {
        char text[400];
        if (!cJSON_IsString(warning))
            continue;
        text_one_line(text, sizeof text, warning->valuestring);
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "create container '%s': %s",
                   name, text);
    }
}

static int
post_create(struct engine_task *task, const struct gantry_spec *spec, const char *name,
            const struct text *body, char *id)
{
    AUTO_TEXT path = TEXT(4096);
    text_add(&path, "/containers/create?name=");
    text_add_url(&path, name);
    if (spec->platform && spec->platform[0]) {
        text_add(&path, "&platform=");
        text_add_url(&path, spec->platform);
    }
    const struct engine_request request = {
        .method = "POST",
        .path = text_cstr(&path),
        .doing = "create container",
        .subject = name,
        .content_type = "application/json",
        .body = text_cstr(body),
        .body_size = body->size,
    };
    AUTO_REPLY reply = {0};
    int code = engine_do(task, &request, &reply);
    if (code < 0)
        return code;
    AUTO_JSON answer = cJSON_ParseWithLength(text_cstr(&reply.body), reply.body.size);
    const char *made = json_text(answer, "Id");
    if (!made || !made[0] || strlen(made) >= ENGINE_ID_MAX)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "create container '%s': the engine's answer names no container", name);
    memcpy(id, made, strlen(made) + 1);
    log_warnings(task, name, answer);
    return 0;
}

static int
put_files(struct engine_task *task, const struct gantry_spec *spec, const char *id)
{
    AUTO_TEXT archive = TEXT_SECRET(256u << 20);
    for (uint32_t i = 0; i < spec->file_count; i++)
        tar_add_file(&archive, GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i));
    tar_finish(&archive);
    if (archive.failed)
        return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': its files are too large",
                           spec->name);
    AUTO_TEXT path = TEXT(1024);
    text_add(&path, "/containers/");
    text_add_url(&path, id);
    text_add(&path, "/archive?path=%2F");
    const struct engine_request request = {
        .method = "PUT",
        .path = text_cstr(&path),
        .doing = "put files into container",
        .subject = spec->name,
        .content_type = "application/x-tar",
        .body = text_cstr(&archive),
        .body_size = archive.size,
    };
    AUTO_REPLY reply = {0};
    return engine_do(task, &request, &reply);
}

int
engine_create(struct engine_task *task, const struct gantry_spec *spec, bool beside, bool once,
              char *id)
{
    int code = check_spec(task, spec);
    if (code < 0)
        return code;
    AUTO_TEXT body = TEXT_SECRET(128u << 20);
    code = make_body(task, spec, once, &body);
    if (code < 0)
        return code;
    /* A container that lacks its files must not look like a finished one if we die in between: it
     * bears another name until they are there. */
    bool parts = spec->file_count > 0;
    const char *form = parts ? ENGINE_NAME_PART : beside ? ENGINE_NAME_NEW : NULL;
    char name[ENGINE_NAME_MAX];
    for (int i = 0; i < NAME_TRIES; i++) {
        if (form)
            engine_name_make(name, spec->name, form);
        else
            snprintf(name, sizeof name, "%s", spec->name);
        code = post_create(task, spec, name, &body, id);
        if (code != GANTRY_E_CONFLICT || !form)
            break;
    }
    if (code < 0 || !parts)
        return code;
    code = put_files(task, spec, id);
    for (int i = 0; code == 0 && i < NAME_TRIES; i++) {
        if (beside)
            engine_name_make(name, spec->name, ENGINE_NAME_NEW);
        code = engine_container_rename(task, id, beside ? name : spec->name);
        if (code != GANTRY_E_CONFLICT || !beside)
            break;
        code = i + 1 < NAME_TRIES ? 0 : code;
    }
    if (code < 0) {
        struct engine_task undo = engine_task_again(task);
        if (engine_container_delete(&undo, id) < 0)
            gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", undo.error);
    }
    return code;
}
