/* Making a container from a spec: its name, its body, its files.  See engine.h. */
#include "engine.h"
#include "options.h"
#include "secrets.h"

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

static void
add_label(struct text *body, const char *key, const char *value)
{
    text_add_json(body, key);
    text_add_char(body, ':');
    text_add_json(body, value);
    text_add_char(body, ',');
}

static void
add_text(struct text *body, const char *member, const char *value)
{
    if (!value)
        return;
    text_addf(body, ",\"%s\":", member);
    text_add_json(body, value);
}

static int
make_body(struct engine_task *task, const struct gantry_spec *spec, bool once, struct text *body)
{
    const char *restart = engine_restart_wanted(spec->settings);
    char problem[400];
    text_add(body, "{\"Image\":");
    text_add_json(body, spec->image);
    add_text(body, "User", option_text(spec->settings, "user"));
    add_text(body, "Hostname", option_text(spec->settings, "hostname"));
    engine_add_volumes(body, spec);
    engine_environment_print(body, spec);
    text_add(body, ",\"Labels\":{");
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        add_label(body, label->key, label->value);
    }
    add_label(body, ENGINE_LABEL_RESTART, restart);
    if (task->engine->stack)
        add_label(body, ENGINE_LABEL_STACK, task->engine->stack);
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

int
engine_container_post(struct engine_task *task, const char *path, const char *name,
                      const struct text *body, char *id)
{
    const struct engine_request request = {
        .method = "POST",
        .path = path,
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
    AUTO_JSON answer = json_parse(&reply.body);
    const char *made = json_text(answer, "Id");
    if (!made || !made[0] || strlen(made) >= ENGINE_ID_MAX)
        return engine_fail(task, GANTRY_E_UNAVAILABLE,
                           "create container '%s': the engine's answer names no container", name);
    memcpy(id, made, strlen(made) + 1);
    log_warnings(task, name, answer);
    return 0;
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
    return engine_container_post(task, text_cstr(&path), name, body, id);
}

/* Rights over the host are worth a word; those that all workloads get were told when the backend was
 * opened. */
void
engine_warn_of_powers(struct engine_task *task, const struct gantry_spec *spec)
{
    char powers[ENGINE_POWERS_MAX];
    options_powers(spec->settings, powers, sizeof powers);
    if (powers[0] && strcmp(powers, task->engine->powers) != 0)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN,
                   "workload '%s' is given power over its host: %s", spec->name, powers);
}

/* Its name was temporary while its files were missing. */
static int
give_name(struct engine_task *task, const struct gantry_spec *spec, bool beside, const char *id)
{
    char name[ENGINE_NAME_MAX];
    int code = GANTRY_E_CONFLICT;
    for (int i = 0; code == GANTRY_E_CONFLICT && i < (beside ? NAME_TRIES : 1); i++) {
        if (beside)
            engine_name_make(name, spec->name, ENGINE_NAME_NEW);
        code = engine_container_rename(task, id, beside ? name : spec->name);
    }
    return code;
}

static int
create(struct engine_task *task, const struct gantry_spec *spec, bool beside, bool once, char *id)
{
    int code = engine_environment_check(task, spec);
    if (code == 0)
        code = engine_files_check(task, spec);
    if (code < 0)
        return code;
    const struct engine_dialect *dialect = task->engine->dialect;
    AUTO_TEXT body = TEXT_SECRET(128u << 20);
    code = dialect ? 0 : make_body(task, spec, once, &body);
    if (code < 0)
        return code;
    /* A container that lacks its files must not look like a finished one if we die in between: it
     * bears another name until they are there. */
    bool parts = spec->file_count > 0 && !dialect;
    const char *form = parts ? ENGINE_NAME_PART : beside ? ENGINE_NAME_NEW : NULL;
    char name[ENGINE_NAME_MAX];
    for (int i = 0; i < NAME_TRIES; i++) {
        if (form)
            engine_name_make(name, spec->name, form);
        else
            snprintf(name, sizeof name, "%s", spec->name);
        code = dialect ? dialect->create(task, spec, name, once, id)
                       : post_create(task, spec, name, &body, id);
        if (code != GANTRY_E_CONFLICT || !form)
            break;
    }
    if (code < 0 || !parts)
        return code;
    code = engine_put_files(task, spec, id);
    if (code == 0)
        code = give_name(task, spec, beside, id);
    if (code < 0) {
        struct engine_task undo = engine_task_undo(task);
        if (engine_container_delete(&undo, id) < 0)
            gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", undo.error);
    }
    return code;
}

int
engine_create(struct engine_task *task, const struct gantry_spec *spec, bool beside, bool once,
              char *id)
{
    char problem[400];
    AUTO_SECRETS split = {0};
    int code = secrets_split(spec, &split, problem, sizeof problem);
    if (code < 0)
        return engine_fail(task, code, "workload '%s': %s", spec->name, problem);
    engine_warn_of_powers(task, spec);
    return create(task, &split.spec, beside, once, id);
}
