/* engine.h - the Docker Engine API, for every plugin that drives an engine which speaks it.
 *
 * A plugin fills a struct engine (where the engine is, how its TLS is done), makes a struct
 * engine_task for each call of the host, and uses the operations below; its table only has to pass
 * the arguments on.
 *
 *     engine_http.c, engine_version.c, engine_error.c   one request, the version, what a refusal
 * means pull.c, create.c, host_config.c, container.c      images and containers, one step each
 *     put_files.c, secrets.c, options.def, options.c, option_checks.c, option_powers.c
 *                                                       what a container is made of
 *     start.c, replace.c, remove.c, status.c, logs.c,
 *     events.c                                          the operations of the plugin ABI
 *
 * Errors: a function returns 0 or a negative GANTRY_E_* with the sentence in task->error;
 * engine_end() hands it to the host when the operation ends.  A clean-up after a failure uses a
 * task of its own (engine_task_again), so that the first reason is the one that is told. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "json.h"
#include "text.h"

#include <gantry/plugin.h>
#include <pthread.h>
#include <stdatomic.h>

/* API versions 1.MIN to 1.MAX are spoken.  1.40 is Docker 19.03; Docker 29 refuses what is
 * below 1.44. */
#define ENGINE_API_MIN 40
#define ENGINE_API_MAX 47

/* Labels of this plugin's own, beside the host's.  Labels cannot change during a container's life,
 * so they hold what was wished at its creation. */
#define ENGINE_LABEL_NAME    "gantry.engine.name"    /* the name that it has, or waits for */
#define ENGINE_LABEL_RESTART "gantry.engine.restart" /* restart policy when not started ONCE */

#define ENGINE_LABEL_STACK "com.docker.compose.project" /* what it is shown as a part of */

/* On the containers of a swarm's services.  The swarm plugin has these; a container of one is nobody
 * else's, though it bears our labels. */
#define ENGINE_LABEL_SERVICE "com.docker.swarm.service.id"

/* What a request may take that has to be finished, whatever becomes of the call. */
#define ENGINE_FINISH_MS 60000

#define ENGINE_HEADERS_MAX 4
#define ENGINE_DIGESTS     32
#define ENGINE_POWERS_MAX  512
struct engine;
struct engine_reply;
struct engine_task;
struct engine_digest {
    char *image, *reference, *digest;
};

/* What is different where a program stands before the engine that has paths, errors and rules of its own, such as
 * Portainer. */
struct engine_proxy {
    const char *name;
    /* Appends to base_url what leads to the engine; asked again when nothing is known of the engine (api_minor
     * is 0).  Fails as engine_fail() does. */
    int (*place)(struct engine_task *task, struct text *url);
    /* The refusal means that the engine is at another place now. */
    bool (*has_moved)(const struct engine_reply *reply);
    /* What stands for the image in a path; NULL: its reference.  GANTRY_E_IMAGE_MISSING: it is not there. */
    int (*image_name)(struct engine_task *task, const char *reference, char *name, size_t size);
    /* X-Registry-Auth for an image whose credentials it holds; adds nothing where it has none. */
    void (*registry_auth)(const struct engine *engine, const char *reference, struct text *header);
    /* The machine of a container of a listing, where there are several; or NULL. */
    const char *(*node_of)(const struct engine *engine, const cJSON *item);
    const char *node_header; /* of each request about one machine */
};

/* What is different at an engine that speaks nearly Docker's API, such as Podman with its own one. */
struct engine_dialect {
    const char *prefix; /* of the paths, where Docker's have /v1.N */
    /* Are the options of a workload well written?  Else the problem says which, and how. */
    bool (*check)(const struct gantry_settings *settings, char *problem, size_t size);
    /* Makes the container, not started, with its files and this name.  id: ENGINE_ID_MAX. */
    int (*create)(struct engine_task *task, const struct gantry_spec *spec, const char *name,
                  bool once, char *id);
    int (*stop)(struct engine_task *task, const char *id, int64_t grace_s);
    /* What inspect said, in and out: in Docker's words.  NOT_FOUND: it is not ours to touch. */
    int (*translate)(struct engine_task *task, cJSON *container);
    int (*emit_listed)(struct engine_task *task, const cJSON *item);
    /* The path that pulls the spec's image. */
    void (*pull_path)(const struct engine *engine, const struct gantry_spec *spec,
                      struct text *path);
};

/* Where the engine is.  Written by open() alone; only the version and the digests change, and any thread
 * may do that. */
struct engine {
    const struct gantry_host *host; /* kept */
    const struct gantry_http *http; /* kept */
    char *address;                  /* as configured, for messages */
    char *unix_socket;              /* NULL: base_url's host */
    char *base_url;                 /* http://docker, https://host:port */
    char *ca_file, *cert_file, *key_file;
    struct gantry_http_tls tls;               /* used when base_url is https */
    const struct gantry_http_header *headers; /* of every request, such as an API key; secret */
    uint32_t header_count;                    /* at most ENGINE_HEADERS_MAX */
    /* What a refusal means, where the engine has its own way to say it; NULL: Docker's.  message: in and
     * out, size bytes, one line.  0: as Docker means it. */
    int (*classify)(const struct engine_reply *reply, bool is_pull, char *message, size_t size);
    const struct engine_proxy *proxy;     /* static; NULL: nothing stands before the engine */
    const struct engine_dialect *dialect; /* static; NULL: Docker's API */
    const char *absent_advice; /* what to do when unix_socket is not there; kept; NULL: the usual */
    const char *stack;         /* label com.docker.compose.project of what is made; may be NULL */
    char powers[ENGINE_POWERS_MAX]; /* that its section gives all workloads: options_powers() */
    int64_t watch_span_s;           /* how long one stream of events lasts */
    int64_t min_free_bytes;         /* disk.h; 0: any */
    atomic_int api_minor;           /* 0: not negotiated */
    pthread_mutex_t digests_lock;
    struct engine_digest digests[ENGINE_DIGESTS]; /* of images asked for; the oldest goes first */
    size_t digests_next;
};

struct engine_task {
    struct engine *engine;
    struct gantry_call *call;
    const char *node; /* the machine that it is about, where there are several; NULL: any */
    char error[1000];
    uint32_t finish_ms; /* not 0: requests go on after the call's end, each for at most so long */
    uint32_t
        each_ms; /* not 0: no request lasts longer, unless it says so: for calls without deadline */
};

struct engine_request {
    const char *method;
    const char *path;  /* after the version: /containers/json?all=1 */
    const char *doing; /* for messages: "stop container" */
    const char *subject;
    const char *content_type;
    const void *body;
    uint64_t body_size;
    const char *registry_auth; /* X-Registry-Auth; secret */
    const char *auth_holder;   /* who has the credentials that it stands for; NULL: the host */
    uint32_t stall_ms, first_byte_ms, total_ms;
    uint64_t max_bytes;
    /* Gets the head of every answer, before its body; may be NULL. */
    int (*on_head)(void *context, const struct gantry_http_part *part);
    int (*on_data)(void *context, const void *data,
                   size_t size); /* gets a 2xx body instead of the reply */
    void *context;
    bool unversioned;
    bool outside;      /* of the proxy's own: behind base_url; implies unversioned */
    bool is_pull;      /* the registry's words count when it is refused */
    bool secret_reply; /* the answer holds an environment */
};

struct engine_reply {
    uint32_t status;
    struct text body;
};
#define AUTO_REPLY __attribute__((cleanup(engine_reply_clear))) struct engine_reply

/* ---- engine_http.c, engine_version.c, engine_error.c
 * ---------------------------------------------- */

void engine_task_init(struct engine_task *task, struct engine *engine, struct gantry_call *call);
struct engine_task engine_task_again(const struct engine_task *task);
/* The same, to undo what was begun: also when the call has ended, so that nothing half made stays behind. */
struct engine_task engine_task_undo(const struct engine_task *task);
GANTRY_PRINTF(3, 4) int engine_fail(struct engine_task *task, int code, const char *format, ...);
int engine_end(struct engine_task *task, int code); /* returns code */
int engine_cancelled(struct engine_task *task);     /* 0, or GANTRY_E_CANCELLED with its text */

/* One request.  0: there is an answer, whatever its status. */
int engine_call(struct engine_task *task, const struct engine_request *request,
                struct engine_reply *reply);
/* The same; an answer that is neither 2xx nor 304 is an error too. */
int engine_do(struct engine_task *task, const struct engine_request *request,
              struct engine_reply *reply);
void engine_reply_clear(struct engine_reply *reply);
/* The engine's clock, by the head of its answer; untouched where that does not tell. */
void engine_date_of(const struct gantry_http_part *part, int64_t *seconds);

/* The version to speak, 1.*minor; asked of the engine when it is not known. */
int engine_version(struct engine_task *task, int *minor);
bool engine_version_refused(const struct engine_reply *reply);

/* What a refusal means, by its status and its words. */
int engine_classify(uint32_t status, const char *message, bool is_pull);
void engine_message(const struct engine_reply *reply, char *text, size_t size);
int engine_refused(struct engine_task *task, const struct engine_request *request,
                   const struct engine_reply *reply);

/* ---- retry.c: somebody asks for a pause, which the host is told; pauses of a watch
 * ------------------------------------------------------------------------------------------- */

void engine_hear_header(struct engine_task *task, const struct gantry_http_part *head);
void engine_hear_words(struct engine_task *task, const char *message);
/* The pause in milliseconds; 0: none is said. */
int64_t engine_pause_of_words(const char *text); /* "toomanyrequests: retry-after: 1m2.5s, ..." */
int64_t engine_pause_of_header(const char *value, int64_t now_s); /* seconds, or an HTTP date */

#define ENGINE_BACKOFF_MIN_MS 100
/* The pause of a watch before its next try: between half of *ms and all of it, so that many managers do not come at
 * once.  *ms, from ENGINE_BACKOFF_MIN_MS on, doubles up to 10 s. */
int engine_back_off(struct engine_task *task, uint32_t *ms);
bool engine_is_final(int code); /* nothing of these gets better by trying again */

/* ---- pull.c
 * --------------------------------------------------------------------------------------- */

/* Is the image there, by the spec's policy?  Fetches it if need be. */
int engine_image_ensure(struct engine_task *task, const struct gantry_spec *spec);
/* What to do about a registry that refuses: its name, whether it was given credentials, and who holds those (NULL:
 * the host). */
const char *engine_registry_advice(const char *image, bool had_credentials, const char *holder,
                                   char *text, size_t size);
/* The value of X-Registry-Auth, as a request has it: secret. */
void engine_registry_header(struct text *header, const struct gantry_registry *registry);

/* ---- host_config.c, create.c
 * ---------------------------------------------------------------------- */

/* A row of a plugin's own settings. */
#define ENGINE_SETTING(k, t, marks, env, def, what)                                                \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = (t), .scope = GANTRY_SCOPE_BACKEND,         \
        .flags = (marks), .key = (k), .environment = (env), .fallback = (def), .help = (what),     \
    }
/* A row of options.def for a plugin's table of settings: what every engine understands for a workload. */
#define ENGINE_OPTION(k, t, def, words, what)                                                      \
    {                                                                                              \
        .size = sizeof(struct gantry_setting),                                                     \
        .type = (t),                                                                               \
        .scope = GANTRY_SCOPE_WORKLOAD,                                                            \
        .key = (k),                                                                                \
        .fallback = (def),                                                                         \
        .choices = (words),                                                                        \
        .help = (what),                                                                            \
    },
/* Writes the members of HostConfig; false with problem filled: which setting is wrong, and how. */
bool engine_host_config(struct text *json, const struct gantry_settings *settings,
                        const char *restart_policy, char *problem, size_t problem_size);
/* For open(): is the section's default of all workloads well written (else the problem), and does it give
 * them power over the host?  That is told in the log. */
bool engine_workload_defaults(struct engine *engine, struct gantry_call *call,
                              const struct gantry_settings *settings, char *problem, size_t size);
/* Says in the log what the spec's own options give a workload over its host, beside the section's. */
void engine_warn_of_powers(struct engine_task *task, const struct gantry_spec *spec);
/* The restart policy that the settings ask for. */
const char *engine_restart_wanted(const struct gantry_settings *settings);

/* Forms of the temporary name: NAME-new-XXXX waits for NAME; NAME-part-XXXX still lacks its files
 * and must never be started. */
#define ENGINE_NAME_NEW   "-new-"
#define ENGINE_NAME_PART  "-part-"
#define ENGINE_NAME_OLD   "-old-"
#define ENGINE_NAME_MAX   192
#define ENGINE_ID_MAX     160
#define ENGINE_HANDLE_MAX 512

/* environment.c: names are usable and values are UTF-8; and as the member "Env", after a comma. */
int engine_environment_check(struct engine_task *task, const struct gantry_spec *spec);
void engine_environment_print(struct text *json, const struct gantry_spec *spec);
/* Posts the body of a container; id: of what was made, ENGINE_ID_MAX. */
int engine_container_post(struct engine_task *task, const char *path, const char *name,
                          const struct text *body, char *id);
/* Makes the container, files and all, not started.  beside: as NAME-new-XXXX.  id: ENGINE_ID_MAX.
 */
int engine_create(struct engine_task *task, const struct gantry_spec *spec, bool beside, bool once,
                  char *id);
/* NAME, form and four hexadecimal digits. */
void engine_name_make(char *target, const char *name, const char *form);
bool engine_name_has_form(const char *name, const char *base, const char *form);

/* ---- put_files.c
 * ---------------------------------------------------------------------------------- */

/* A user's or group's number, or root; *end is behind it. */
bool engine_read_id(const char *text, uint32_t *id, const char **end);
/* Can they be put where they belong? */
int engine_files_check(struct engine_task *task, const struct gantry_spec *spec);
/* The member Volumes, after a comma: folders that lie elsewhere than in the container's own layer. */
void engine_add_volumes(struct text *body, const struct gantry_spec *spec);
/* Into a container that was created and not started. */
int engine_put_files(struct engine_task *task, const struct gantry_spec *spec, const char *id);

/* ---- container.c
 * ---------------------------------------------------------------------------------- */

#define AUTO_CONTAINER AUTO_JSON_SECRET
/* *out: what the engine says of it; json_clear_secret().  NOT_FOUND only when it says "No such
 * container". */
int engine_inspect(struct engine_task *task, const char *id, cJSON **out);
const char *engine_name_of(const cJSON *container);                     /* without the slash */
const char *engine_label_of(const cJSON *container, const char *label); /* or NULL */
int engine_container_start(struct engine_task *task, const char *id);
int engine_container_unpause(struct engine_task *task, const char *id);
int engine_container_stop(struct engine_task *task, const char *id, uint32_t grace_ms);
int engine_container_rename(struct engine_task *task, const char *id, const char *name);
int engine_container_restart_policy(struct engine_task *task, const char *id, const char *policy);
/* By force, with its anonymous volumes; 0 when it is gone, also when another removal is waited for.
 */
int engine_container_delete(struct engine_task *task, const char *id);
/* ["KEY=VALUE",...], for a filter of the engine. */
void engine_add_labels(struct text *json, const struct gantry_pair *labels, uint32_t count,
                       uint32_t stride);
/* All containers with these labels, as the engine's array.  *out: json_clear(). */
int engine_containers(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                      uint32_t stride, cJSON **out);
/* The same, one at a time, so that only one is in memory as a tree; each's failure ends it.  An answer that
 * turns out broken fails after some were told: whoever emits them has emitted nothing then. */
int engine_each_container(struct engine_task *task, const struct gantry_pair *labels,
                          uint32_t count, uint32_t stride,
                          int (*each)(struct engine_task *task, const cJSON *item));
/* Its id, by a listing; NOT_FOUND: there is none that may be seen.  id: ENGINE_ID_MAX. */
int engine_container_named(struct engine_task *task, const char *name, char *id);
/* Waits, in small steps; ends early with the call's end. */
int engine_pause(struct engine_task *task, int ms);

/* ---- status.c, start.c, replace.c, remove.c, logs.c, events.c
 * ----------------------------------------------- */

int engine_labels_of(const cJSON *labels, struct gantry_status *status, struct gantry_pair **pairs);
const char *engine_label_hash(const cJSON *labels);
uint32_t engine_state_of_word(const char *word);  /* GANTRY_STATE_* */
uint32_t engine_health_of_word(const char *word); /* GANTRY_HEALTH_* */
/* Was a container that ended with this code told to? */
bool engine_ended_as_told(int32_t exit_code);
int engine_emit_container(struct engine_task *task, const cJSON *container);
void engine_find_digest(struct engine_task *task, const cJSON *container, char *digest,
                        size_t size);
void engine_forget_digests(struct engine *engine);

int engine_op_list(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                   uint32_t stride);
int engine_op_inspect(struct engine_task *task, const struct gantry_ref *ref);
int engine_op_start(struct engine_task *task, const struct gantry_ref *existing,
                    const struct gantry_spec *spec, uint32_t flags);
int engine_op_stop(struct engine_task *task, const struct gantry_ref *ref, uint32_t grace_ms);
int engine_op_remove(struct engine_task *task, const struct gantry_ref *ref);
int engine_op_logs(struct engine_task *task, const struct gantry_ref *ref, const char *cursor,
                   const struct gantry_log_limits *limits);
/* Returns only when it is cancelled, or by an error that does not heal. */
int engine_op_watch(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                    uint32_t stride);
int engine_op_probe(struct engine_task *task);
int engine_op_remove_image(struct engine_task *task, const struct gantry_image *image);

/* ---- events_proof.c
 * --------------------------------------------------------------------------------------- */

enum engine_proof { ENGINE_UNPROVEN, ENGINE_PROVEN, ENGINE_BLIND };
/* Does a stream of the events of such workloads come through the proxy at once?  UNPROVEN: nothing happened by
 * which that could be seen.  filters: of the stream, as in the URL. */
int engine_events_prove(struct engine_task *task, const struct gantry_pair *labels, uint32_t count,
                        uint32_t stride, const char *filters, enum engine_proof *proof);

/* Parts of start: is the name free for this spec, and the three forms. */
int engine_name_check(struct engine_task *task, const struct gantry_spec *spec, bool must_be_free);
int engine_replace(struct engine_task *task, const struct gantry_ref *existing,
                   const struct gantry_spec *spec, bool once);
int engine_emit_id(struct engine_task *task, const char *id);

/* ---- operations.c --------------------------------------------------------------------------------- */

/* The state of a plugin: size zeroed bytes that begin with its struct engine, which knows its host.  For open():
 * a failure is told.  engine_free() frees what this made, and what the engine has learned. */
int engine_new(size_t size, const char *plugin, struct gantry_call *call,
               const struct gantry_host *host, void **out);
void engine_free(void *self);

/* Those of the plugin ABI, for a plugin whose state begins with its struct engine. */
int engine_plugin_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
                        const struct gantry_spec *spec, uint32_t flags);
int engine_plugin_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                       uint32_t grace_ms);
int engine_plugin_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref);
int engine_plugin_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                       const char *cursor, const struct gantry_log_limits *limits);
int engine_plugin_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref);
int engine_plugin_list(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                       uint32_t count, uint32_t stride);
int engine_plugin_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels,
                        uint32_t count, uint32_t stride);
int engine_plugin_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec);
int engine_plugin_probe(void *self, struct gantry_call *call);
int engine_plugin_remove_image(void *self, struct gantry_call *call,
                               const struct gantry_image *image);

#endif
