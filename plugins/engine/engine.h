/* engine.h - the Docker Engine API, for every plugin that drives an engine which speaks it.
 *
 * A plugin fills a struct engine (where the engine is, how its TLS is done), makes a struct
 * engine_task for each call of the host, and uses the operations below; its table only has to pass
 * the arguments on.
 *
 *     engine_http.c, engine_version.c, engine_error.c   one request, the version, what a refusal
 * means pull.c, create.c, host_config.c, container.c      images and containers, one step each
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

#define ENGINE_DIGESTS 32
struct engine_digest {
    char *image, *reference, *digest;
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
    struct gantry_http_tls tls; /* used when base_url is https */
    int64_t watch_span_s;       /* how long one stream of events lasts */
    atomic_int api_minor;       /* 0: not negotiated */
    pthread_mutex_t digests_lock;
    struct engine_digest digests[ENGINE_DIGESTS]; /* of images asked for; the oldest goes first */
    size_t digests_next;
};

struct engine_task {
    struct engine *engine;
    struct gantry_call *call;
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
    uint32_t stall_ms, first_byte_ms, total_ms;
    uint64_t max_bytes;
    /* Gets the head of every answer, before its body; may be NULL. */
    int (*on_head)(void *context, const struct gantry_http_part *part);
    int (*on_data)(void *context, const void *data,
                   size_t size); /* gets a 2xx body instead of the reply */
    void *context;
    bool unversioned;
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

/* The version to speak, 1.*minor; asked of the engine when it is not known. */
int engine_version(struct engine_task *task, int *minor);
bool engine_version_refused(const struct engine_reply *reply);

/* What a refusal means, by its status and its words. */
int engine_classify(uint32_t status, const char *message, bool is_pull);
void engine_message(const struct engine_reply *reply, char *text, size_t size);
int engine_refused(struct engine_task *task, const struct engine_request *request,
                   const struct engine_reply *reply);

/* ---- pull.c
 * --------------------------------------------------------------------------------------- */

/* Is the image there, by the spec's policy?  Fetches it if need be. */
int engine_image_ensure(struct engine_task *task, const struct gantry_spec *spec);

/* ---- host_config.c, create.c
 * ---------------------------------------------------------------------- */

extern const char *const engine_restart_choices[];
/* The rows for a plugin's table of settings: what every engine understands for a workload. */
#define ENGINE_WORKLOAD_SETTING(k, t, def, words, what)                                            \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = (t), .scope = GANTRY_SCOPE_WORKLOAD,        \
        .key = (k), .fallback = (def), .choices = (words), .help = (what)                          \
    }
/* Writes the members of HostConfig; false with problem filled: which setting is wrong, and how. */
bool engine_host_config(struct text *json, const struct gantry_settings *settings,
                        const char *restart_policy, char *problem, size_t problem_size);
/* The restart policy that the settings ask for. */
const char *engine_restart_wanted(const struct gantry_settings *settings);

/* Forms of the temporary name: NAME-new-XXXX waits for NAME; NAME-part-XXXX still lacks its files
 * and must never be started. */
#define ENGINE_NAME_NEW  "-new-"
#define ENGINE_NAME_PART "-part-"
#define ENGINE_NAME_OLD  "-old-"
#define ENGINE_NAME_MAX  192
#define ENGINE_ID_MAX    160

/* Makes the container, files and all, not started.  beside: as NAME-new-XXXX.  id: ENGINE_ID_MAX.
 */
int engine_create(struct engine_task *task, const struct gantry_spec *spec, bool beside, bool once,
                  char *id);
/* NAME, form and four hexadecimal digits. */
void engine_name_make(char *target, const char *name, const char *form);
bool engine_name_has_form(const char *name, const char *base, const char *form);

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
/* Waits, in small steps; ends early with the call's end. */
int engine_pause(struct engine_task *task, int ms);

/* ---- status.c, start.c, replace.c, remove.c, logs.c, events.c
 * ----------------------------------------------- */

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

/* Parts of start: is the name free for this spec, and the three forms. */
int engine_name_check(struct engine_task *task, const struct gantry_spec *spec, bool must_be_free);
int engine_replace(struct engine_task *task, const struct gantry_ref *existing,
                   const struct gantry_spec *spec, bool once);
int engine_emit_id(struct engine_task *task, const char *id);

#endif
