/* process.h - what the files of the plugin share.
 *
 *     FOLDER/                      0711: of this [backend]
 *         lock                     held while names are given
 *         workloads/               0700
 *             HANDLE/              a workload; a name that begins with a dot is half made or half removed
 *                 about            name, labels, image: what list() needs; holds no secret
 *                 spec             command, environment, limits: what the shim starts; 0600
 *                 state            what the shim says (state.h); missing: it never ran
 *                 log.N            what the program says (log_file.h)
 *                 lock             held by the shim
 *         files/HANDLE/            files that are meant for the program; 0700, of the user that it runs as
 *
 * A shim (shim/shim.h) lives beside each workload that runs; where there is none, the folder alone tells
 * what it was.  Errors are as in plugins/engine: 0 or GANTRY_E_*, with the sentence in task->error. */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "record.h"
#include "state.h"

#include <gantry/plugin.h>
#include <stdatomic.h>

#define PROCESS_HANDLE_MAX 33
#define PROCESS_NAME_MAX   96

struct process_map {
    char *image, *command; /* one block, of image */
};

struct process {
    const struct gantry_host *host; /* kept */
    char *folder;                   /* FOLDER */
    char *shim;                     /* path of the program */
    char *cgroup;                   /* as configured: auto, none or a path */
    struct process_map *images;
    size_t image_count;
    char **program_folders;
    size_t program_folder_count;
    atomic_bool was_there; /* FOLDER/workloads has been seen */
};

struct process_task {
    struct process *process;
    struct gantry_call *call;
    char error[1000];
    bool finishing; /* what was begun is ended, whatever becomes of the call */
};

/* ---- process.c ---------------------------------------------------------------------------------- */

GANTRY_PRINTF(3, 4) int process_fail(struct process_task *task, int code, const char *format, ...);
/* The same for a negative errno: the code that fits, and its words at the end. */
GANTRY_PRINTF(3, 4)
int process_fail_errno(struct process_task *task, int error, const char *format, ...);
int process_cancelled(
    struct process_task *task); /* 0, or GANTRY_E_CANCELLED or _TIMEOUT with its text */
/* Wait until one of the descriptors can be read, or the call is to end, or timeout_ms is over (INT64_MAX: no
 * such limit).  True: one can, or may. */
bool process_wait(struct process_task *task, const int32_t *fds, uint32_t count,
                  int64_t timeout_ms);

/* ---- workload.c: folders ------------------------------------------------------------------------- */

struct workload {
    char handle[PROCESS_HANDLE_MAX];
    int folder; /* its descriptor */
    struct record about;
    struct process_state state; /* CREATED without a file */
    bool shim_lives, child_lives;
};
#define AUTO_WORKLOAD __attribute__((cleanup(workload_close))) struct workload

/* NOT_FOUND: there is none. */
int workload_open(struct process_task *task, const char *handle, struct workload *out);
void workload_close(struct workload *workload);
/* Its state as it is now: what the file says, and whether that is still true. */
int workload_look(struct process_task *task, struct workload *workload);
const char *workload_text(const struct workload *workload, const char *key); /* of about; or NULL */
const char *workload_name(const struct workload *workload);
const char *workload_label(const struct workload *workload, const char *key); /* or NULL */
bool workload_has_labels(const struct workload *workload, const struct gantry_pair *labels,
                         uint32_t count, uint32_t stride);
/* Each of them, looked at; each's non-zero result ends it. */
int workload_each(struct process_task *task,
                  int (*each)(struct process_task *task, struct workload *workload, void *context),
                  void *context);
/* FOLDER/workloads, made if need be.  A descriptor, or a GANTRY_E_*. */
int workload_folder(struct process_task *task);
/* Everybody else who wants to give names waits until the descriptor is closed. */
int workload_lock(struct process_task *task);
/* Away with folder and files.  It does not run. */
int workload_delete(struct process_task *task, const char *handle);
int workload_rename(struct process_task *task, struct workload *workload, const char *name);

/* ---- spec.c: a workload's folder from a spec ------------------------------------------------------ */

/* The command of an image: adds "arg" entries.  IMAGE_MISSING: it has none, or its program is not there. */
int spec_command(struct process_task *task, const struct gantry_spec *spec, struct text *out);
/* Are the workload settings good?  Problem says which is not, and why. */
bool spec_settings_check(const struct gantry_settings *settings, char *problem, size_t size);
/* Make it, not started.  handle: PROCESS_HANDLE_MAX, set.  The lock is held. */
int spec_make(struct process_task *task, const struct gantry_spec *spec, const char *name,
              char *handle);

/* ---- run.c: shims ------------------------------------------------------------------------------- */

/* Start a shim, and wait until the program runs. */
int run_start(struct process_task *task, const char *handle, bool once);
/* Start one that waits for its restart, let one that is paused go on, and say whether its shim may start it again. */
int run_go_on(struct process_task *task, struct workload *workload, bool once);
/* What a shim that was killed has left behind: processes that escaped, and the cgroup. */
void run_clear(struct workload *workload);
/* End it: politely, then hard.  Its state is looked at anew. */
int run_stop(struct process_task *task, struct workload *workload, uint32_t grace_ms);

/* ---- the operations ------------------------------------------------------------------------------ */

int process_op_start(struct process_task *task, const struct gantry_ref *existing,
                     const struct gantry_spec *spec, uint32_t flags);
int process_op_stop(struct process_task *task, const struct gantry_ref *ref, uint32_t grace_ms);
int process_op_remove(struct process_task *task, const struct gantry_ref *ref);
int process_op_logs(struct process_task *task, const struct gantry_ref *ref, const char *cursor,
                    const struct gantry_log_limits *limits);
int process_op_inspect(struct process_task *task, const struct gantry_ref *ref);
int process_op_list(struct process_task *task, const struct gantry_pair *labels, uint32_t count,
                    uint32_t stride);
int process_op_watch(struct process_task *task, const struct gantry_pair *labels, uint32_t count,
                     uint32_t stride);
int process_emit(struct process_task *task, const struct workload *workload);

#endif
