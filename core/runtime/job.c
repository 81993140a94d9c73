/* job.c - a request to a plugin, and its result. */
#include "runtime_internal.h"

#include <string.h>

/* Lists and logs are the largest results; what is beyond this is out of memory, not a listing. */
#define JOB_ARENA_MAX ((size_t)64 << 20)

static const struct {
    const char *name;
    uint32_t emits, emits_max; /* of statuses, lines, traits; an image is another matter */
} ops[RUNTIME_OP_COUNT] = {
    [RUNTIME_PROBE] = {"probe", GANTRY_EMIT_TRAITS, 1},
    [RUNTIME_LIST] = {"list", GANTRY_EMIT_STATUS, 0},
    [RUNTIME_INSPECT] = {"inspect", GANTRY_EMIT_STATUS, 1},
    [RUNTIME_START] = {"start", GANTRY_EMIT_STATUS, 1},
    [RUNTIME_STOP] = {"stop", 0, 0},
    [RUNTIME_REMOVE] = {"remove", 0, 0},
    [RUNTIME_LOGS] = {"logs", GANTRY_EMIT_LINE, 0},
    [RUNTIME_PULL] = {"pull", 0, 0},
    [RUNTIME_REMOVE_IMAGE] = {"remove_image", 0, 0},
};

const char *
runtime_op_name(enum runtime_op op)
{
    return ops[op].name;
}

void
job_op_emits(enum runtime_op op, uint32_t *kind, uint32_t *max)
{
    *kind = ops[op].emits;
    *max = ops[op].emits_max;
}

struct runtime_job *
runtime_job_new(enum runtime_op op, struct runtime_backend *backend)
{
    struct runtime_job *job = calloc(1, sizeof *job);
    struct runtime_job_private *p = calloc(1, sizeof *p);
    if (!job || !p || call_init(&p->call, backend, runtime_op_name(op)) < 0) {
        free(job);
        free(p);
        return NULL;
    }
    arena_init(&job->arena, JOB_ARENA_MAX);
    arena_init(&p->kept, 0);
    atomic_init(&p->refs, 1);
    p->job = job;
    p->state = JOB_NEW;
    job->op = op;
    job->backend = backend;
    job->private_ = p;
    return job;
}

/* The last one out takes the memory along. */
void
job_release(struct runtime_job_private *p)
{
    if (atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    if (p->free_owner)
        p->free_owner(p->owner);
    arena_clear(&p->kept);
    call_clear(&p->call);
    free(p);
}

void
runtime_job_free(struct runtime_job *job)
{
    if (!job)
        return;
    struct runtime_job_private *p = job->private_;
    if (job->hung)
        arena_clear(&job->arena); /* the first one is kept already */
    else
        p->kept = job->arena;
    /* The owner may hold what prepare_done() still needs; so it goes with the call, not before it.
     */
    p->owner = job->owner;
    p->free_owner = job->free_owner;
    gantry_error_free(job->error);
    vec_clear(&job->statuses);
    vec_clear(&job->lines);
    free(job);
    job_release(p);
}

const char *
runtime_progress(struct runtime_job *job, char *text, size_t size)
{
    struct gantry_call *call = &job->private_->call;
    if (size == 0)
        return text;
    pthread_mutex_lock(&call->lock);
    size_t len = MIN(strlen(call->progress), size - 1);
    memcpy(text, call->progress, len);
    pthread_mutex_unlock(&call->lock);
    text[len] = '\0';
    call_clean_text(text); /* a character may have been cut in two */
    return text;
}

uint64_t
runtime_progress_count(const struct runtime *runtime)
{
    return atomic_load(&runtime->progress_count);
}

void
job_list_add(struct job_list *list, struct runtime_job_private *p)
{
    p->next = NULL;
    p->before = list->last;
    if (list->last)
        list->last->next = p;
    else
        list->first = p;
    list->last = p;
}

void
job_list_remove(struct job_list *list, struct runtime_job_private *p)
{
    if (p->before)
        p->before->next = p->next;
    else
        list->first = p->next;
    if (p->next)
        p->next->before = p->before;
    else
        list->last = p->before;
    p->next = p->before = NULL;
}
