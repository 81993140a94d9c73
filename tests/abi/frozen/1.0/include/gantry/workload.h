/* gantry/workload.h - what is run, as it crosses the plugin border: its labels, what is to run, what the
 * runtime says of it, lines of its log, events.
 *
 * A part of plugin.h, which includes it and has the rules: size and stride, ownership, secrets. */
#ifndef GANTRY_WORKLOAD_H
#define GANTRY_WORKLOAD_H

#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- labels and variables ------------------------------------------------------------------------- */

/* The labels of every workload; the connector's id is what identifies it.  The first three are XTM
 * Composer's, so that each can take over from the other.  The host puts all of them, and the variable,
 * into the spec; a plugin stores labels as it gets them, where list() can find them. */
#define GANTRY_LABEL_MANAGER   "opencti-manager"      /* id of the manager */
#define GANTRY_LABEL_CONNECTOR "opencti-connector-id" /* id of the connector */
#define GANTRY_LABEL_PLATFORM  "opencti-platform"     /* kind: opencti, openaev, local, custom */
#define GANTRY_LABEL_NAMED     "gantry.platform"      /* NAME of [platform NAME] */
#define GANTRY_LABEL_HASH      "gantry.hash" /* hash of the configuration it was made from */
/* Environment variable with that hash.  inspect() fills status.hash from it where the label is missing. */
#define GANTRY_HASH_VARIABLE "OPENCTI_CONFIG_HASH"

/* A key and a value: a label. */
struct gantry_pair {
    const char *key;
    const char *value;
};

/* ---- workloads ------------------------------------------------------------------------------------ */

/* Names one workload.  handle is what the plugin emitted as gantry_status.handle; id is the connector's;
 * name is the workload's name when it was last seen. */
struct gantry_ref {
    uint32_t size; /* sizeof(struct gantry_ref) */
    uint32_t reserved;
    const char *handle;
    const char *id;   /* may be NULL */
    const char *name; /* may be NULL */
};

struct gantry_variable {
    const char *key;
    const char *value; /* any characters but NUL, newlines too; passed on unchanged */
    uint32_t secret;   /* 1: never shown */
    uint32_t reserved;
};

struct gantry_file {
    const char *path; /* absolute, in the workload */
    const void *bytes;
    uint64_t bytes_size;
    uint32_t mode;   /* permission bits, such as 0400 */
    uint32_t secret; /* 1: never shown */
};

struct gantry_registry {
    uint32_t size; /* sizeof(struct gantry_registry) */
    uint32_t reserved;
    const char *host; /* such as registry.example.org:5000 */
    const char *username;
    const char *password; /* secret */
};

#define GANTRY_PULL_IF_NOT_PRESENT 0u
#define GANTRY_PULL_ALWAYS         1u
#define GANTRY_PULL_NEVER          2u

/* What is to run. */
struct gantry_spec {
    uint32_t size;        /* sizeof(struct gantry_spec) */
    uint32_t pull_policy; /* GANTRY_PULL_* */
    const char *id;       /* of the connector */
    const char *name;     /* of the workload: [a-z0-9][a-z0-9-]*, at most 63 */
    const char *hash;     /* of its configuration */
    const char *image;    /* full reference, with tag or digest */
    const char *platform; /* OCI platform such as linux/arm64; may be NULL */
    const struct gantry_pair *labels;
    const struct gantry_variable *environment; /* keys are unique */
    const struct gantry_file *files;           /* may be NULL when file_count is 0 */
    const struct gantry_registry *registry;    /* credentials for image; may be NULL: anonymous */
    const struct gantry_settings *settings;    /* those of GANTRY_SCOPE_WORKLOAD */
    uint32_t label_count, label_stride;
    uint32_t environment_count, environment_stride;
    uint32_t file_count, file_stride;
    uint32_t stop_grace_ms;    /* between the polite and the hard stop */
    uint32_t pull_stall_ms;    /* a pull without progress for this long has failed */
    uint32_t start_timeout_ms; /* from the request to start it until it runs */
    /* Not 0: the registry wants no request for so long.  What is there may be used; if it takes a pull, fail
     * with GANTRY_E_UNAVAILABLE and ask nobody. */
    uint32_t pull_pause_ms;
};

/* An image that start() or pull() has fetched, and that remove_image() removes. */
struct gantry_image {
    uint32_t size; /* sizeof(struct gantry_image) */
    uint32_t reserved;
    const char *reference; /* as the spec has it */
    const char *digest;    /* sha256:..., by which its registry knows it */
};

/* States of a workload. */
#define GANTRY_STATES(X)                                                                           \
    X(UNKNOWN, 0, "unknown")   /* the runtime's word is not one that the plugin knows */           \
    X(CREATED, 1, "created")   /* never ran */                                                     \
    X(STARTING, 2, "starting") /* on its way to running; not yet ready */                          \
    X(RUNNING, 3, "running")                                                                       \
    X(RESTARTING, 4, "restarting") /* the runtime waits before starting it again by itself */      \
    X(STOPPING, 5, "stopping")     /* on its way to its end */                                     \
    X(EXITED, 6, "exited")         /* ended with code 0, or because it was told to */              \
    X(FAILED, 7, "failed")         /* ended otherwise, or could not start */                       \
    X(PAUSED, 8, "paused")                                                                         \
    X(DEAD, 9, "dead")          /* its removal failed half way; only removing is left */           \
    X(REMOVING, 10, "removing") /* is being removed */
#define GANTRY_STATE_ENUM_(name, value, word) GANTRY_STATE_##name = (value),
enum gantry_state { GANTRY_STATES(GANTRY_STATE_ENUM_) };
#undef GANTRY_STATE_ENUM_

/* Health, where the runtime checks it. */
#define GANTRY_HEALTH_NONE      0u
#define GANTRY_HEALTH_STARTING  1u
#define GANTRY_HEALTH_HEALTHY   2u
#define GANTRY_HEALTH_UNHEALTHY 3u

/* Presence bits of gantry_status: the field is known. */
#define GANTRY_STATUS_EXIT_CODE     1u
#define GANTRY_STATUS_STARTED       2u
#define GANTRY_STATUS_FINISHED      4u
#define GANTRY_STATUS_RESTARTS      8u
#define GANTRY_STATUS_OUT_OF_MEMORY 16u
#define GANTRY_STATUS_CREATED       32u

/* What the runtime says of one workload.  list() may leave out what inspect() knows: everything that has
 * a presence bit, error, image_digest and health.  Never handle, labels, state and name. */
struct gantry_status {
    uint32_t size;    /* sizeof(struct gantry_status) */
    uint32_t present; /* GANTRY_STATUS_* */
    /* Stable for the life of the workload; what refs will carry.  1 to 1023 bytes without blanks and control
     * characters. */
    const char *handle;
    const char *name;                 /* as the runtime has it */
    const char *hash;                 /* may be NULL: neither label nor (inspect) variable */
    const char *image;                /* reference it was made from; may be NULL */
    const char *image_digest;         /* sha256:...; may be NULL */
    const char *error;                /* the runtime's reason, for a person; may be NULL */
    const struct gantry_pair *labels; /* all of them */
    uint32_t label_count, label_stride;
    uint32_t state;         /* enum gantry_state */
    uint32_t health;        /* GANTRY_HEALTH_* */
    int32_t exit_code;      /* of its last run; 128 and the number of the signal that ended it */
    uint32_t out_of_memory; /* 1: its last run was ended for lack of memory */
    int64_t created_ms;     /* Unix time in milliseconds */
    int64_t started_ms;     /* last start */
    int64_t finished_ms;    /* last end */
    int64_t restarts;       /* by the runtime itself; may start from 0 again */
};

#define GANTRY_STREAM_STDOUT 1u
#define GANTRY_STREAM_STDERR 2u

/* One line of a workload's log, without its line end.  Long lines come whole up to max_line_bytes. */
struct gantry_line {
    uint32_t size;    /* sizeof(struct gantry_line) */
    uint32_t stream;  /* GANTRY_STREAM_* */
    const char *text; /* text_size bytes as the program wrote them; not NUL-terminated */
    uint64_t text_size;
    int64_t time_ns;    /* Unix time in nanoseconds; 0: not known */
    const char *cursor; /* logs() with it continues after this line; like a handle */
};

/* Limits of one logs() call; 0: the plugin's own.  When more is there than fits, the oldest lines are left out, for
 * ever: the cursor goes past them. */
struct gantry_log_limits {
    uint32_t size; /* sizeof(struct gantry_log_limits) */
    uint32_t max_lines;
    uint64_t max_bytes;      /* of all texts together */
    uint32_t max_line_bytes; /* longer ones are cut, and end in " [cut]", which may come on top */
    uint32_t reserved;
};

/* Events of watch(). */
#define GANTRY_EVENT_CHANGED 1u /* something happened to this workload: inspect it */
#define GANTRY_EVENT_SYNCED  2u /* watching from now on: what was before is found by list() */
#define GANTRY_EVENT_LOST    3u /* not watching at present */

struct gantry_event {
    uint32_t size;      /* sizeof(struct gantry_event) */
    uint32_t kind;      /* GANTRY_EVENT_* */
    const char *handle; /* CHANGED; else NULL */
    const char *id;     /* CHANGED: the connector's id, where known; may be NULL */
};

/* What probe() says of the runtime. */
struct gantry_traits {
    uint32_t size; /* sizeof(struct gantry_traits) */
    uint32_t reserved;
    const char *product; /* such as "Docker Engine" */
    const char *version; /* such as "20.10.24" */
    const char *detail;  /* one line more, such as "API 1.41, linux/amd64"; may be NULL */
};

#ifdef __cplusplus
}
#endif
#endif
