/* What is said of a workload: inspect, list, logs.  See process.h. */
#include "log_file.h"
#include "process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies of "label=KEY=VALUE", cut in two.  *pairs: free() it, and *texts. */
static int
labels_of(const struct workload *workload, struct gantry_status *status, struct gantry_pair **pairs,
          char **texts)
{
    uint32_t count = 0;
    size_t size = 0, used = 0;
    const char *label = NULL;
    *pairs = NULL;
    *texts = NULL;
    while ((label = record_next(&workload->about, "label", label))) {
        count++;
        size += strlen(label) + 1;
    }
    *pairs = calloc(count + 1, sizeof **pairs);
    *texts = malloc(size + 1);
    if (!*pairs || !*texts)
        return GANTRY_E_NOMEM;
    uint32_t i = 0;
    while (i < count && (label = record_next(&workload->about, "label", label))) {
        char *copy = *texts + used;
        memcpy(copy, label, strlen(label) + 1);
        used += strlen(label) + 1;
        char *equals = strchr(copy, '=');
        if (!equals)
            continue;
        *equals = '\0';
        (*pairs)[i++] = (struct gantry_pair){copy, equals + 1};
    }
    status->labels = *pairs;
    status->label_count = i;
    status->label_stride = sizeof **pairs;
    return 0;
}

static void
fill(const struct workload *workload, struct gantry_status *status)
{
    const struct process_state *state = &workload->state;
    bool runs = workload->shim_lives && state->state != GANTRY_STATE_RESTARTING;
    uint32_t of_end =
        GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_FINISHED | GANTRY_STATUS_OUT_OF_MEMORY;
    const char *hash = workload_label(workload, GANTRY_LABEL_HASH);
    *status = (struct gantry_status){
        .size = sizeof *status,
        .present = (uint32_t)state->present & ~(runs ? of_end : 0),
        .handle = workload->handle,
        .name = workload_name(workload),
        .hash = hash ? hash : workload_text(workload, "hash"),
        .image = workload_text(workload, "image"),
        .error = *state->error ? state->error : NULL,
        .state = (uint32_t)state->state,
        .exit_code = (int32_t)state->exit_code,
        .out_of_memory = state->out_of_memory != 0,
        .created_ms = record_number(&workload->about, "created_ms", 0),
        .started_ms = state->started_ms,
        .finished_ms = state->finished_ms,
        .restarts = state->restarts,
    };
    if (status->created_ms > 0)
        status->present |= GANTRY_STATUS_CREATED;
}

int
process_emit(struct process_task *task, const struct workload *workload)
{
    struct gantry_status status;
    struct gantry_pair *pairs;
    char *texts;
    fill(workload, &status);
    int code = labels_of(workload, &status, &pairs, &texts);
    if (code < 0)
        process_fail(task, code, "out of memory");
    else
        code = gantry_emit_status(task->process->host, task->call, &status);
    free(pairs);
    free(texts);
    return code;
}

int
process_op_inspect(struct process_task *task, const struct gantry_ref *ref)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    int code = workload_open(task, ref->handle, &workload);
    return code < 0 ? code : process_emit(task, &workload);
}

struct filter {
    const struct gantry_pair *labels;
    uint32_t count, stride;
};

static int
list_one(struct process_task *task, struct workload *workload, void *context)
{
    const struct filter *filter = context;
    int code = process_cancelled(task);
    if (code < 0 || !workload_has_labels(workload, filter->labels, filter->count, filter->stride))
        return code;
    return process_emit(task, workload);
}

int
process_op_list(struct process_task *task, const struct gantry_pair *labels, uint32_t count,
                uint32_t stride)
{
    struct filter filter = {labels, count, stride};
    return workload_each(task, list_one, &filter);
}

/* ---- logs ------------------------------------------------------------------------------------------ */

struct telling {
    struct process_task *task;
    int code; /* of the host */
};

static int
tell_line(void *context, const struct log_line *line, const char *text, size_t size)
{
    struct telling *telling = context;
    char cursor[64];
    snprintf(cursor, sizeof cursor, "%llu:%llu", (unsigned long long)line->number,
             (unsigned long long)line->next);
    const struct gantry_line item = {
        .size = sizeof item,
        .stream = line->stream == 'e' ? GANTRY_STREAM_STDERR : GANTRY_STREAM_STDOUT,
        .text = text,
        .text_size = size,
        .time_ns = line->time_ns,
        .cursor = cursor,
    };
    telling->code = gantry_emit_line(telling->task->process->host, telling->task->call, &item);
    return telling->code ? -ECANCELED : 0;
}

int
process_op_logs(struct process_task *task, const struct gantry_ref *ref, const char *cursor,
                const struct gantry_log_limits *limits)
{
    AUTO_WORKLOAD workload = {.folder = -1};
    struct telling telling = {task, 0};
    int code = workload_open(task, ref->handle, &workload);
    if (code < 0)
        return code;
    int rc = log_read(workload.folder, cursor, limits, tell_line, &telling);
    if (rc == -EINVAL) /* the cursor means nothing: as without one */
        rc = log_read(workload.folder, NULL, limits, tell_line, &telling);
    if (telling.code)
        return telling.code;
    return rc < 0 ? process_fail_errno(task, rc, "the log of '%s' cannot be read",
                                       workload_name(&workload))
                  : 0;
}
