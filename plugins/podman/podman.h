/* podman.h - what the files of the podman plugin share.
 *
 * The operations are those of plugins/engine, by a struct engine_dialect: libpod, Podman's own API, has
 * nearly the paths of Docker's.  Here is what differs:
 *
 *     address.c    where the socket is, when nobody says
 *     error.c      what a refusal means: by its cause, never by its status alone
 *     spec.c       the options of a workload, as libpod writes them
 *     mounts.c     what is mounted into it
 *     files.c      its files, secret ones above all, as secrets of Podman
 *     create.c     the container
 *     life.c       stopping
 *     state.c      what libpod says of a container, in Docker's words
 *     health.c     health checks, which nobody runs where there is no systemd */
#ifndef PODMAN_PODMAN_H
#define PODMAN_PODMAN_H

#include "engine.h"

/* 4.0 is the oldest that is spoken to.  Podman itself takes every version of a path. */
#define PODMAN_API "/v4.0.0/libpod"

/* Containers of a systemd unit bear it: systemd starts and removes them, and nobody else. */
#define PODMAN_LABEL_UNIT "PODMAN_SYSTEMD_UNIT"

struct podman {
    struct engine engine;       /* first, so that its pointer is this one's */
    char advice[600];           /* how a missing socket is made */
    char **insecure_registries; /* owned, and each of them */
    size_t insecure_count;
};

/* ---- address.c */

/* The address to use where the settings name none, and what to do when nothing is there.
 * runtime_dir: of the user; may be NULL.  Returns an owned address, or NULL: out of memory. */
char *podman_find_address(const char *runtime_dir, unsigned uid, char *advice, size_t size);

/* ---- error.c */

/* For engine.classify. */
int podman_classify(const struct engine_reply *reply, bool is_pull, char *message, size_t size);

/* ---- spec.c */

/* The restart policy that is handed to Podman. */
const char *podman_restart_wanted(const struct gantry_settings *settings);
bool podman_check(const struct gantry_settings *settings, char *problem, size_t size);
/* Writes members of the spec, each after a comma.  The settings are well written. */
void podman_write_options(struct text *json, const struct gantry_settings *settings);

/* ---- mounts.c */

/* The members mounts and volumes, each after a comma. */
void podman_write_mounts(struct text *json, const struct gantry_spec *spec);

/* ---- files.c */

/* A workload's files as secrets of Podman, which it copies into a container when it makes it: so they are
 * there between podman_files_put() and podman_files_drop() alone. */
struct podman_files {
    char prefix[64]; /* of their names: the connector's */
    uint32_t count;
};
/* Makes them, and writes the member secrets, after a comma.  user: that the workload runs as; NULL: the image's.
 * To be dropped after a failure, too. */
int podman_files_put(struct engine_task *task, const struct gantry_spec *spec, const char *user,
                     struct podman_files *files, struct text *json);
/* Those of earlier calls that were cut off go with them. */
void podman_files_drop(struct engine_task *task, const struct podman_files *files);

/* ---- create.c, life.c, state.c, health.c */

int podman_create(struct engine_task *task, const struct gantry_spec *spec, const char *name,
                  bool once, char *id);
void podman_pull_path(const struct engine *engine, const struct gantry_spec *spec,
                      struct text *path);
int podman_stop(struct engine_task *task, const char *id, int64_t grace_s);
int podman_translate(struct engine_task *task, cJSON *container);
int podman_emit_listed(struct engine_task *task, const cJSON *item);
int podman_op_inspect(struct engine_task *task, const struct gantry_ref *ref);

#endif
