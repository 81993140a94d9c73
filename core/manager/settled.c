/* settled.c - is anything left to do but what waits for its back-off?  GANTRY_RUN_ONCE and _DRY end by it.
 *
 * A platform or a backend that cannot be asked is settled, and all that hangs on it: the run has failed
 * there, and goes on elsewhere. */
#include "manager_internal.h"

#include "drain.h"

static bool
backend_is_settled(const struct backend_side *b)
{
    if (b->list.failing)
        return true;
    return b->list.answered && b->logs_in_flight == 0 && b->inspections_in_flight == 0 &&
           b->read_queue.len == 0 && images_are_settled(b);
}

/* Something is there that no listing of the platform has been held against yet: the next one decides. */
bool
platform_side_is_unjudged(const struct platform_side *p)
{
    if (p->doubt || p->ping.failing)
        return false; /* nothing is removed by such a listing, however often it comes */
    if (p->verdict == GUARD_AGREE || (p->verdict == GUARD_HOLD && p->manager->confirmed))
        return true;
    if (p->verdict != GUARD_NOTHING)
        return false;
    map_each (&p->connectors, e) {
        const struct connector *c = e->value;
        if (!c->listed && c->ours && !c->released && (c->seen.len > 0 || c->away))
            return true;
    }
    return false;
}

static bool
connector_is_settled(const struct connector *c, bool dry)
{
    if (!c->observed)
        return false;
    if (dry || c->decision.action == DO_NOTHING || c->platform->configure.failing)
        return true;
    return c->memory.retry_ms > 0 && c->memory.failures > 0;
}

static bool
platform_is_settled(const struct platform_side *p, bool dry)
{
    if (p->list.failing)
        return true;
    if (!p->list.answered || p->configure.in_flight || p->reports_in_flight > 0 ||
        p->report_queue.len > 0)
        return false;
    if (p->configure_wanted && !p->configure.failing)
        return false;
    if (!dry && (!p->ping_ended || p->ping.in_flight))
        return false;
    if (p->backend->list.failing || (!dry && p->refused))
        return true;
    if (!dry && platform_side_is_unjudged(p))
        return false;
    map_each (&p->connectors, e) {
        if (!connector_is_settled(e->value, dry))
            return false;
    }
    return true;
}

bool
manager_is_settled(const struct gantry_manager *m)
{
    if (m->actions_in_flight > 0 || m->waiting.len > 0 || m->touched.len > 0)
        return false;
    for (size_t i = 0; i < m->backend_count; i++) {
        if (!backend_is_settled(&m->backends[i]) || !drain_is_settled(&m->backends[i]))
            return false;
    }
    for (size_t i = 0; i < m->platform_count; i++) {
        if (!platform_is_settled(&m->platforms[i], m->how == GANTRY_RUN_DRY))
            return false;
    }
    return true;
}
