/* pauses.c - registries that have asked for a pause ("too many requests").
 *
 * One connector hears it, all that pull from the same registry heed it: while the pause lasts, each spec says
 * so, and the plugin uses what is there or fails without asking.  A changed wish is tried at once all the
 * same (S6), as it may need no pull; the registry is not asked by it. */
#include "manager_internal.h"

#include "clock.h"
#include "random.h"

/* What is longer than this is asked again after it: registries that count by the day say so, too. */
#define PAUSE_MAX_MS (INT64_C(60) * 60 * 1000)
/* Where the registry does not say how long: so long, and twice that after each further refusal. */
#define PAUSE_FIRST_MS   INT64_C(15000)
#define PAUSE_OWN_MAX_MS (INT64_C(15) * 60 * 1000)

static struct pause *
find(const struct gantry_manager *m, struct str host)
{
    vec_each (&m->pauses, p) {
        if (str_eq_nocase(str_of(p->host), host))
            return p;
    }
    return NULL;
}

int64_t
pause_left_ms(const struct gantry_manager *m, const char *image, int64_t now_ms)
{
    const struct pause *p = find(m, config_registry_host(image));
    return p ? MAX(p->until_ms - now_ms, 0) : 0;
}

static int64_t
own_pause_ms(uint32_t refusals)
{
    int64_t ms = PAUSE_FIRST_MS;
    for (uint32_t i = 1; i < refusals && ms < PAUSE_OWN_MAX_MS; i++)
        ms *= 2;
    return MIN(ms, PAUSE_OWN_MAX_MS);
}

static struct pause *
add(struct gantry_manager *m, struct str host)
{
    struct pause *p = vec_push(&m->pauses);
    if (p && !(p->host = str_dup(host))) {
        vec_remove(&m->pauses, m->pauses.len - 1);
        return NULL;
    }
    return p;
}

static void
forget(struct gantry_manager *m, const struct pause *p)
{
    size_t i = (size_t)(p - m->pauses.ptr);
    free(m->pauses.ptr[i].host);
    vec_remove(&m->pauses, i);
}

/* The registry's own word; what a plugin says because we told it of the pause is no second one. */
static int64_t
take_word(struct gantry_manager *m, struct str host, const struct runtime_job *job, int64_t now_ms)
{
    struct pause *p = find(m, host);
    if (p && p->until_ms > job->queued_ms)
        return MAX(p->until_ms - now_ms, 0);
    if (!p && !(p = add(m, host)))
        return job->retry_after_ms; /* without memory, this one alone heeds it */
    p->refusals += p->refusals < UINT32_MAX;
    int64_t ms = job->retry_after_ms > 0 ? job->retry_after_ms : own_pause_ms(p->refusals);
    ms = MIN(ms, PAUSE_MAX_MS);
    p->until_ms = now_ms + ms;
    log_warn(&m->log, "registry asks for a pause", F_STR("registry", p->host), F_MS("pause", ms));
    return ms;
}

void
pause_hear(struct connector *c, const struct runtime_job *job, int64_t now_ms)
{
    struct gantry_manager *m = c->platform->manager;
    bool may_pull = c->doing == DO_CREATE || c->doing == DO_REPLACE;
    char *image = may_pull ? workload_image(c) : NULL;
    struct str host = image ? config_registry_host(image) : STR_NONE;
    if (job->code == 0 && job->fetched.size) {
        struct pause *p = host.len > 0 ? find(m, host) : NULL;
        if (p && p->until_ms <= now_ms)
            forget(m, p);
    } else if (job->code < 0 && job->retry_asked) {
        int64_t ms = host.len > 0 ? take_word(m, host, job, now_ms) : job->retry_after_ms;
        ms = MAX(ms, 0);
        /* Not all at the same moment. */
        reconcile_not_before(&c->memory,
                             now_ms + ms + (int64_t)(random_u64() % (uint64_t)(ms / 4 + 1)));
    }
    free(image);
}

void
pauses_clear(pause_list *pauses)
{
    vec_each (pauses, p)
        free(p->host);
    vec_clear(pauses);
}
