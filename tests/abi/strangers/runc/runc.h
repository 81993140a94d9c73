/* runc.h - OCI bundles, run by the command runc.
 *
 * An image is a folder with a root file system, named by the setting images.  Each workload has a folder of its own
 * below gantry.folder/1, which is the truth about it:
 *
 *   workloads/HANDLE/config.json     the OCI bundle; the labels are its annotations
 *                    facts.json      name, connector id, hash, image, grace
 *                    rootfs/         a copy of the image
 *                    files/N         the files of the spec, mounted into it
 *                    stdout, stderr  what it has written
 *                    marks           how long these were at the start of each run
 *                    pid             when it was started last, by runc
 *                    exit            how its last run ended; absent: it has not
 *                    told            it was told to stop
 *                    alive           locked by the shell beside it
 *                    runc.log        what runc says
 *   workloads/.HANDLE                is being made or removed: not there, for all who ask
 *   state/                           runc's own
 *
 * Each run has a shell beside it that waits for runc and writes down its exit code, so that both outlive the host.
 *
 * runc.c is the border, config.c and bundle.c make and read these folders, run.c starts and stops what is in them,
 * command.c runs a command within a call, logs.c reads what was written. */
#ifndef STRANGERS_RUNC_H
#define STRANGERS_RUNC_H

#include <gantry/plugin.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

struct cJSON;

struct runc {
    const struct gantry_host *host;
    char *program;          /* runc */
    char *state;            /* folder of runc */
    char *folder;           /* of both */
    char *workloads;        /* folder */
    char **images;          /* NAME=FOLDER, NULL-terminated */
    pthread_mutex_t naming; /* held while a name is looked for and taken */
    unsigned names;
};

/* One call, and how it waits: once something was begun that must be finished, the call's end does not count. */
struct step {
    struct runc *runc;
    struct gantry_call *call;
    int64_t finish_by_ms; /* monotonic; 0: nothing must be finished */
    bool undoes; /* the call has the text of what failed, which is not that of undoing it */
};

/* Give the call its text. */
#define FAIL(step, code, ...)                                                                      \
    ((step)->undoes ? (code) : gantry_fail((step)->runc->host, (step)->call, (code), __VA_ARGS__))

/* ---- command.c ------------------------------------------------------------------------------------ */

struct output {
    char *text; /* what it wrote to its standard output, NUL-terminated */
    size_t size;
    char error[512]; /* the beginning of what it wrote to the other one */
    int code;        /* exit code; 128 + N when signal N ended it */
};

/* Run a command to its end.  Returns 0 whatever its exit code; output: output_clear().  Else it has ended, and the
 * call has a text. */
int command_run(struct step *step, const char *const *arguments, struct output *output);
void output_clear(struct output *output);

/* Wait for up to ms.  0, or the code with which the call ends. */
int step_wait(struct step *step, const int32_t *fds, uint32_t n, int64_t ms);
int step_check(struct step *step);
void step_must_finish(struct step *step, int64_t ms);
struct step step_undoing(const struct step *step);
int64_t monotonic_ms(void);

/* ---- bundle.c ------------------------------------------------------------------------------------- */

struct bundle {
    char handle[40];
    char folder[PATH_MAX];
    char *name, *id, *hash, *image;
    uint32_t grace_ms;
    struct gantry_pair *labels; /* borrowed from config */
    uint32_t label_count;
    struct cJSON *config, *facts;
};

/* GANTRY_E_NOT_FOUND when there is none, without a text. */
int bundle_load(struct step *step, const char *handle, struct bundle *bundle);
void bundle_clear(struct bundle *bundle);
/* Make one in the folder .HANDLE, where nobody sees it; bundle_publish() names it, and makes it seen. */
int bundle_make(struct step *step, const struct gantry_spec *spec, struct bundle *bundle);
int bundle_publish(struct step *step, const struct gantry_spec *spec, const struct bundle *old,
                   struct bundle *bundle);
void bundle_discard(struct step *step, struct bundle *bundle); /* one that was not published */
/* Returns 1: it has this name now; 0: another one has it. */
int bundle_take_name(struct step *step, struct bundle *bundle, const char *name);
int bundle_remove(struct step *step, struct bundle *bundle);
/* Call each with every one, until it returns non-zero. */
int bundle_each(struct step *step,
                int (*each)(struct step *step, struct bundle *bundle, void *context),
                void *context);
bool bundle_same_owner(const struct bundle *bundle, const struct gantry_pair *labels,
                       uint32_t count, uint32_t stride);
bool bundle_bears(const struct bundle *bundle, const struct gantry_pair *labels, uint32_t count,
                  uint32_t stride);

/* A file of a bundle: its path in path[PATH_MAX]. */
const char *bundle_path(const struct bundle *bundle, const char *file, char *path);
bool bundle_has(const struct bundle *bundle, const char *file);
int bundle_touch(struct step *step, const struct bundle *bundle, const char *file);

/* The whole of a file, NUL-terminated; NULL: errno says why. */
char *file_read(const char *path);

/* ---- run.c ---------------------------------------------------------------------------------------- */

/* What runc knows of all containers; *out: cJSON_Delete(). */
int run_ask(struct step *step, struct cJSON **out);
const char *run_word(const struct cJSON *states, const char *handle); /* "": it does not know it */
/* GANTRY_STATE_*.  word: runc's, as of a moment ago. */
uint32_t run_state(const struct bundle *bundle, const char *word);
/* Is the shell there that waits for its end? */
bool run_is_alive(const struct bundle *bundle);
int run_begin(struct step *step, const struct bundle *bundle); /* one that does not run */
int run_await(struct step *step, const struct bundle *bundle); /* until it runs */
int run_end(struct step *step, const struct bundle *bundle, uint32_t grace_ms);
int run_emit(struct step *step, const struct bundle *bundle, const char *word);
int run_emit_now(struct step *step, const struct bundle *bundle);

/* ---- logs.c --------------------------------------------------------------------------------------- */

int logs_emit(struct step *step, const struct bundle *bundle, const char *cursor,
              const struct gantry_log_limits *limits);
#endif
