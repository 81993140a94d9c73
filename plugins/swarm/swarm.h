/* swarm.h - connectors as services of a Docker swarm, of 0 or 1 replica.
 *
 *     swarm.c          the plugin's table, its settings
 *     service.c        one request about services and tasks, each; changes by version index
 *     resolve.c        which image: a reference with the registry's digest
 *     template.c       options of a workload -> members of the task template
 *     body.c           spec -> the whole of a service
 *     secret_files.c   files and secret values -> secrets of the swarm
 *     tasks.c          tasks -> what a service's state is (pure)
 *     seen.c           what is known of services over time: restarts, starts
 *     status.c, start.c, replace.c, stop.c, service_logs.c, watch.c   the operations
 *
 * A handle is the id of a service.  Requests and errors are those of plugins/engine; a task here is either the
 * struct engine_task of one call or, as cJSON, a task of the swarm: the attempt to run a container. */
#ifndef SWARM_SWARM_H
#define SWARM_SWARM_H

#include "engine.h"

/* Labels of this plugin's own on a service.  Those of a service can change at any time, without a restart. */
#define SWARM_LABEL_IMAGE   "gantry.swarm.image"   /* as asked for; the service's has the digest */
#define SWARM_LABEL_RESTART "gantry.swarm.restart" /* restart condition when not started ONCE */
#define SWARM_LABEL_EXIT    "gantry.swarm.exit" /* "CODE MS": the last end, when its task is gone */

#define SWARM_NAME_MAX 64 /* of services and of secrets, with the NUL */

struct secrets;     /* see secrets.h */
struct swarm_known; /* see seen.c */

struct swarm {
    struct engine engine; /* first: so a task's engine is the swarm */
    uint32_t watch_ms;
    pthread_mutex_t lock; /* of what follows */
    struct swarm_known *known;
    size_t known_count, known_size;
};

static inline struct swarm *
swarm_of(const struct engine_task *task)
{
    return (struct swarm *)(void *)task->engine;
}

/* ---- service.c ------------------------------------------------------------------------------------ */

/* What a refusal means, for struct engine. */
int swarm_classify(const struct engine_reply *reply, bool is_pull, char *message, size_t size);

/* *out: json_clear_secret().  NOT_FOUND only when the swarm says so.  id: also a name, and the beginning of
 * an id: look at what comes. */
int swarm_service(struct engine_task *task, const char *id, cJSON **out);
const char *swarm_name(const cJSON *service);
const char *swarm_label(const cJSON *service, const char *label); /* or NULL */
int64_t swarm_replicas(const cJSON *service);
int swarm_services(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                   uint32_t stride, cJSON **out);
/* Tasks of all services that had these labels when the task was made. */
int swarm_tasks_labelled(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                         uint32_t stride, cJSON **out);
int swarm_tasks_of(struct engine_task *task, const char *service, cJSON **out);

/* Posts a new service; id: ENGINE_ID_MAX. */
int swarm_create(struct engine_task *task, const char *name, const struct text *body,
                 const char *auth, char *id);
/* Posts a whole spec over service; CONFLICT when somebody else changed it meanwhile.  auth: X-Registry-Auth,
 * NULL keeps what it has.  rollback: the spec before this one, body is only looked at. */
int swarm_update(struct engine_task *task, const cJSON *service, const struct text *body,
                 const char *auth, bool rollback);
int swarm_delete(struct engine_task *task, const char *id);

/* Reads the service, lets change() alter its Spec in place, posts it; again when somebody else was quicker.
 * change: 1 post it, 0 nothing to do, negative: an error. */
typedef int swarm_change_fn(struct engine_task *task, const cJSON *service, cJSON *spec,
                            void *context);
int swarm_change(struct engine_task *task, const char *id, swarm_change_fn *change, void *context);
void swarm_print(struct text *out, cJSON *spec);
bool swarm_set_number(cJSON *object, const char *key, int64_t number);
bool swarm_set_text(cJSON *object, const char *key, const char *text);
cJSON *swarm_object(cJSON *parent, const char *key); /* made where it is missing; NULL: no memory */

/* ---- resolve.c, template.c, body.c, secret_files.c ------------------------------------------------ */

/* The reference that the nodes are told; nothing is changed yet. */
int swarm_resolve(struct engine_task *task, const struct gantry_spec *spec, struct text *reference);
/* X-Registry-Auth for a create or an update, "nobody" included. */
void swarm_auth(struct text *header, const struct gantry_spec *spec);

#define TEMPLATE_API_NO_PRIVILEGES                                                                 \
    46 /* minor version from which a service can be kept from new ones */

struct swarm_template {
    const struct gantry_settings *settings;
    const char *platform; /* may be NULL */
    bool once;
    int minor; /* of the API: what an older engine would ignore is refused */
    char *problem;
    size_t problem_size;
    bool wrong;
};
/* Members of ContainerSpec, each after a comma. */
void template_container(struct text *json, struct swarm_template *template);
/* Members of TaskTemplate, each after a comma. */
void template_task(struct text *json, struct swarm_template *template);
/* For open(): are the options well written? */
bool template_check(const struct gantry_settings *settings, char *problem, size_t size);
const char *template_restart(const struct gantry_settings *settings);

struct swarm_secret {
    char id[ENGINE_ID_MAX], name[SWARM_NAME_MAX];
};
struct swarm_secrets {
    struct swarm_secret *items; /* one for each file of the split spec; owned */
    uint32_t count;
};
/* As secrets_split(), but that an empty value stays a variable. */
int secret_files_split(struct engine_task *task, const struct gantry_spec *spec,
                       struct secrets *split);
/* Makes one secret of each file of the spec; what was made before a failure is removed again. */
int secret_files_make(struct engine_task *task, const struct gantry_spec *spec,
                      struct swarm_secrets *out);
void secret_files_clear(struct swarm_secrets *secrets);
/* Removes those that were made, after a failure; what cannot be removed is logged. */
void secret_files_undo(struct engine_task *task, const struct swarm_secrets *secrets);
/* Removes the connector's secrets that no service uses; gone: service was removed, and uses none. */
void secret_files_sweep(struct engine_task *task, const cJSON *service, bool gone);

struct swarm_body {
    const struct gantry_spec *spec; /* already split */
    const char *name;               /* that the service has, or gets */
    const char *image;              /* resolved */
    const struct swarm_secrets *secrets;
    int64_t force_update;
    bool once;
};
int swarm_body(struct engine_task *task, const struct swarm_body *body, struct text *json);

/* ---- tasks.c, seen.c ------------------------------------------------------------------------------ */

struct swarm_task {
    const cJSON *json;   /* borrowed */
    const char *service; /* borrowed */
    int64_t created_ns;
};
/* Sorted by service, then by age, oldest first; a task that cannot be read is left out. */
struct swarm_tasks {
    struct swarm_task *items; /* owned, free() */
    size_t count;
};
#define AUTO_TASKS __attribute__((cleanup(tasks_clear))) struct swarm_tasks
int tasks_sort(const cJSON *array, struct swarm_tasks *out); /* 0 or GANTRY_E_NOMEM */
void tasks_clear(struct swarm_tasks *tasks);
/* Those of one service: a view. */
struct swarm_tasks tasks_of(const struct swarm_tasks *all, const char *service);

bool task_is_over(const cJSON *task);          /* complete, failed, rejected, shut down ... */
bool task_is_being_removed(const cJSON *task); /* by the swarm itself: its service was stopped */
/* Did it run, or does it?  1 yes, 0 not yet, -1 it could not be started. */
int task_began(const cJSON *task);
const char *task_reason(const cJSON *task); /* or NULL */
int64_t task_time_ms(const cJSON *task);    /* of its last change; 0: not told */

struct swarm_state {
    uint32_t state; /* enum gantry_state */
    bool has_exit;
    int32_t exit_code;
    int64_t finished_ms; /* 0: not known */
    const cJSON *run;    /* the task that runs, or ran last; may be NULL */
    const cJSON *newest; /* may be NULL */
    const char *error;   /* may be NULL */
};
/* tasks: those of this service. */
void state_of_service(const cJSON *service, const struct swarm_tasks *tasks,
                      struct swarm_state *out);

/* What one look at the tasks adds: how often the swarm began anew since Gantry knows the service, and when
 * its present run began (0: not known). */
struct swarm_history {
    int64_t restarts, started_ms;
};
struct swarm_history seen_note(struct swarm *swarm, const char *service,
                               const struct swarm_tasks *tasks, const struct swarm_state *state);
/* A service that is made and removed between two looks of the watch would be missed: the host knows it, and the watch
 * never did.  Take: one that was made since the last look, of ENGINE_ID_MAX bytes; false: there is none. */
void seen_made(struct swarm *swarm, const char *service);
bool seen_take_made(struct swarm *swarm, char *service);
void seen_forget(struct swarm *swarm, const char *service);
void seen_clear(struct swarm *swarm);

/* ---- the operations ------------------------------------------------------------------------------- */

int swarm_emit(struct engine_task *task, const cJSON *service, const struct swarm_tasks *tasks,
               bool whole);
int swarm_emit_id(struct engine_task *task, const char *id);
int swarm_op_inspect(struct engine_task *task, const struct gantry_ref *ref);
int swarm_op_list(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                  uint32_t stride);
int swarm_op_probe(struct engine_task *task);
int swarm_op_start(struct engine_task *task, const struct gantry_ref *existing,
                   const struct gantry_spec *spec, uint32_t flags);
int swarm_op_stop(struct engine_task *task, const struct gantry_ref *ref, uint32_t grace_ms);
int swarm_op_remove(struct engine_task *task, const struct gantry_ref *ref);
int swarm_op_logs(struct engine_task *task, const struct gantry_ref *ref, const char *cursor,
                  const struct gantry_log_limits *limits);
int swarm_op_watch(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                   uint32_t stride);

/* Parts of start. */
/* CONFLICT when a service has the name of the spec, whose ever it is. */
int swarm_check_name(struct engine_task *task, const struct gantry_spec *spec);
int swarm_replace(struct engine_task *task, const struct gantry_ref *existing,
                  const struct gantry_spec *spec, bool once);
/* Waits for a task that is younger than after_ns: 0 when it runs or ran, TIMEOUT when none did in time, else
 * why it could not start.  heeds: ends early when the call is cancelled. */
int swarm_await_start(struct engine_task *task, const char *service, const char *name,
                      int64_t after_ns, int64_t limit_ms, bool heeds);
/* When the newest task was made; 0: there is none. */
int swarm_newest_ns(struct engine_task *task, const char *service, int64_t *newest_ns);
/* Waits ms, whatever becomes of the call. */
/* heeds: it ends with the call. */
void swarm_sleep(struct engine_task *task, int ms, bool heeds);
int64_t swarm_clock_ms(void);

#endif
