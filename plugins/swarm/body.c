/* A spec -> the whole of a service, as it is created or posted over the old one.  See swarm.h. */
#include "options.h"
#include "swarm.h"

#include <string.h>

static void
add_labels(struct text *json, const struct gantry_spec *spec)
{
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        if (i)
            text_add_char(json, ',');
        text_add_json(json, label->key);
        text_add_char(json, ':');
        text_add_json(json, label->value);
    }
}

/* The number of `user = UID` or `UID:GID`, which a secret's file then belongs to; 0 else. */
static void
owner_of(const struct gantry_spec *spec, char *uid, char *gid, size_t size)
{
    const char *user = NULL;
    for (uint32_t i = 0; spec->settings && i < spec->settings->count; i++) {
        const struct gantry_value *value =
            GANTRY_AT(struct gantry_value, spec->settings->values, spec->settings->stride, i);
        if (strcmp(value->key, "user") == 0)
            user = value->text;
    }
    size_t digits = user ? strspn(user, "0123456789") : 0;
    bool numeric = digits > 0 && digits < size && (user[digits] == '\0' || user[digits] == ':');
    const char *group = numeric && user[digits] == ':' ? user + digits + 1 : "";
    bool numeric_group =
        group[0] && strlen(group) < size && group[strspn(group, "0123456789")] == '\0';
    snprintf(uid, size, "%.*s", numeric ? (int)digits : 1, numeric ? user : "0");
    snprintf(gid, size, "%s", numeric_group ? group : "0");
}

static void
add_secrets(struct text *json, const struct swarm_body *body)
{
    const struct gantry_spec *spec = body->spec;
    char uid[16], gid[16];
    if (spec->file_count == 0)
        return;
    owner_of(spec, uid, gid, sizeof uid);
    text_add(json, ",\"Secrets\":[");
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const struct gantry_file *file =
            GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
        text_add(json, i ? ",{\"SecretID\":" : "{\"SecretID\":");
        text_add_json(json, body->secrets->items[i].id);
        text_add(json, ",\"SecretName\":");
        text_add_json(json, body->secrets->items[i].name);
        text_add(json, ",\"File\":{\"Name\":");
        text_add_json(json, file->path);
        text_addf(json, ",\"UID\":\"%s\",\"GID\":\"%s\",\"Mode\":%u}}", uid, gid,
                  file->mode & 07777u);
    }
    text_add_char(json, ']');
}

static void
add_container(struct text *json, const struct swarm_body *body, struct swarm_template *template)
{
    text_add(json, "{\"ContainerSpec\":{\"Image\":");
    text_add_json(json, body->image);
    /* Also here, so that they are seen on the containers. */
    text_add(json, ",\"Labels\":{");
    add_labels(json, body->spec);
    text_addf(json, "},\"StopGracePeriod\":%lld", (long long)body->spec->stop_grace_ms * 1000000);
    engine_environment_print(json, body->spec);
    add_secrets(json, body);
    template_container(json, template);
    text_add_char(json, '}');
    template_task(json, template);
    text_addf(json, ",\"ForceUpdate\":%lld}", (long long)body->force_update);
}

static void
warn(struct engine_task *task, const struct swarm_template *template, const char *name)
{
    if (option_is_on(template->settings, "no_new_privileges") &&
        template->minor < TEMPLATE_API_NO_PRIVILEGES)
        gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN,
                   "service '%s': hardened, but this engine (API 1.%d) cannot forbid a service new "
                   "privileges; 1.%d can",
                   name, template->minor, TEMPLATE_API_NO_PRIVILEGES);
}

/* A swarm keeps what a service was before beside what it is, in one message of at most 1.5 MiB: with more than half
 * of that, a service could be made, and never changed, not even stopped. */
#define BODY_MAX_BYTES (700 << 10)

static int
check_size(struct engine_task *task, const struct gantry_spec *spec, const struct text *json)
{
    if (json->failed)
        return engine_fail(task, GANTRY_E_NOMEM, "workload '%s': its configuration is too large",
                           spec->name);
    if (json->size <= BODY_MAX_BYTES)
        return 0;
    return engine_fail(task, GANTRY_E_UNSUPPORTED,
                       "workload '%s': its configuration has %zu bytes, and a swarm takes %d; make "
                       "its variables shorter",
                       spec->name, json->size, BODY_MAX_BYTES);
}

int
swarm_body(struct engine_task *task, const struct swarm_body *body, struct text *json)
{
    const struct gantry_spec *spec = body->spec;
    char problem[400];
    struct swarm_template template = {
        .settings = spec->settings,
        .platform = spec->platform && spec->platform[0] ? spec->platform : NULL,
        .once = body->once,
        .problem = problem,
        .problem_size = sizeof problem,
    };
    int code = engine_environment_check(task, spec);
    if (code == 0)
        code = engine_version(task, &template.minor);
    if (code < 0)
        return code;
    if (!options_check(spec->settings, problem, sizeof problem))
        return engine_fail(task, GANTRY_E_INVALID, "workload '%s': %s", spec->name, problem);
    text_add(json, "{\"Name\":");
    text_add_json(json, body->name);
    text_add(json, ",\"Labels\":{");
    add_labels(json, spec);
    text_add(json,
             spec->label_count ? ",\"" SWARM_LABEL_IMAGE "\":" : "\"" SWARM_LABEL_IMAGE "\":");
    text_add_json(json, spec->image);
    text_add(json, ",\"" SWARM_LABEL_RESTART "\":");
    text_add_json(json, template_restart(spec->settings));
    text_add(json, "},\"TaskTemplate\":");
    add_container(json, body, &template);
    /* One replica: the new task may begin only when the old one has ended.  What becomes of an update that
     * fails is decided by this plugin; it goes back only from what never began, so nothing has to end first,
     * and a task that waits for a node, for which the swarm would wait a minute, holds nothing up. */
    text_add(json,
             ",\"Mode\":{\"Replicated\":{\"Replicas\":1}},\"UpdateConfig\":{\"Parallelism\":1,"
             "\"Order\":\"stop-first\",\"FailureAction\":\"continue\"},"
             "\"RollbackConfig\":{\"Parallelism\":1,\"Order\":\"start-first\","
             "\"FailureAction\":\"continue\"}}");
    if (template.wrong)
        return engine_fail(task, GANTRY_E_INVALID, "workload '%s': %s", spec->name, problem);
    engine_warn_of_powers(task, spec);
    warn(task, &template, body->name);
    return check_size(task, spec, json);
}
