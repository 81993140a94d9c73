/* platform.c - platform.h's functions: dispatches by the kind of platform, and ends calls that need
 * no network when their turn comes, so that done is never called inside the call that it answers.
 */
#include "err.h"
#include "platform_internal.h"

#include <assert.h>

static const struct platform_kind *
kind_of(enum config_platform_kind kind)
{
    switch (kind) {
    case CONFIG_PLATFORM_OPENCTI:
        return &platform_kind_opencti;
    case CONFIG_PLATFORM_CUSTOM:
        return &platform_kind_custom;
    case CONFIG_PLATFORM_LOCAL:
        break;
    }
    return &platform_kind_local;
}

static void
take_timeouts(struct platform *p, const struct config_platform *settings)
{
    p->request_timeout_ms = settings->request_timeout_ms;
    p->list_timeout_ms = settings->list_timeout_ms;
}

int
platform_new(const struct config_platform *settings, const struct platform_context *context,
             struct platform **out, struct gantry_error **err)
{
    struct platform *p = calloc(1, sizeof *p);
    if (!p)
        return err_nomem(err);
    p->kind = kind_of(settings->kind);
    p->http = context->http;
    p->log = context->log;
    p->environment = context->environment;
    p->manager_id = text_dup(context->manager_id);
    p->manager_name = text_dup(context->manager_name);
    p->public_key = text_dup(context->public_key);
    p->name = text_dup(settings->name);
    p->path = text_dup(settings->path);
    take_timeouts(p, settings);
    bool copied = p->manager_id && p->manager_name && (p->public_key || !context->public_key) &&
                  p->name && (p->path || !settings->path);
    int code = copied ? p->kind->new (p, context, settings, err) : err_nomem(err);
    if (code < 0) {
        platform_free(p);
        return code;
    }
    *out = p;
    return 0;
}

int
platform_take_settings(struct platform *p, const struct config_platform *fresh,
                       struct gantry_error **err)
{
    assert(strcmp(p->name, fresh->name) == 0 && kind_of(fresh->kind) == p->kind);
    int code = p->kind->take ? p->kind->take(p, fresh, err) : 0;
    if (code == 0)
        take_timeouts(p, fresh);
    return code;
}

static void
call_free(struct platform *p, struct call *call)
{
    if (call->prev)
        call->prev->next = call->next;
    else
        p->first = call->next;
    if (call->next)
        call->next->prev = call->prev;
    else
        p->last = call->prev;
    p->active--;
    err_clear(&call->error);
    platform_listing_free(call->listing);
    platform_configurations_free(call->configurations);
    free(call);
}

void
platform_free(struct platform *p)
{
    if (!p)
        return;
    p->kind->free(p);
    while (p->first) {
        assert(!p->first->prev);
        call_free(p, p->first);
    }
    free(p->manager_id);
    free(p->manager_name);
    free(p->public_key);
    free(p->name);
    free(p->path);
    free(p);
}

const char *
platform_name(const struct platform *p)
{
    return p->name;
}

const char *
platform_label(const struct platform *p)
{
    return p->kind->label;
}

bool
platform_is_local(const struct platform *p)
{
    return p->kind == &platform_kind_local;
}

int
platform_fd(const struct platform *p)
{
    return p->kind->fd ? p->kind->fd(p) : -1;
}

bool
platform_changed(struct platform *p)
{
    return p->kind->changed && p->kind->changed(p);
}

void
call_fail(struct call *call, int code, struct gantry_error **error)
{
    call->code = code;
    err_move(&call->error, error);
}

void
call_end_later(struct call *call)
{
    call->ended = true;
}

void
call_end(struct call *call)
{
    bool well = call->code == 0;
    const struct gantry_error *error = well ? NULL : call->error;
    switch (call->kind) {
    case CALL_DONE:
        call->done.plain(call->context, call->code, error);
        break;
    case CALL_LISTED:
        call->done.listed(call->context, call->code, error, well ? TAKE(call->listing) : NULL,
                          well && call->unchanged);
        break;
    case CALL_CONFIGURED:
        call->done.configured(call->context, call->code, error,
                              well ? TAKE(call->configurations) : NULL);
        break;
    }
    call_free(call->platform, call);
}

/* NULL when memory ran out: then done has been called at once, for want of anything to remember it
 * by. */
static struct call *
call_new(struct platform *p, struct call *outcome)
{
    struct call *call = calloc(1, sizeof *call);
    if (!call) {
        struct gantry_error *error = NULL;
        int code = err_nomem(&error);
        switch (outcome->kind) {
        case CALL_DONE:
            outcome->done.plain(outcome->context, code, error);
            break;
        case CALL_LISTED:
            outcome->done.listed(outcome->context, code, error, NULL, false);
            break;
        case CALL_CONFIGURED:
            outcome->done.configured(outcome->context, code, error, NULL);
            break;
        }
        return NULL;
    }
    *call = *outcome;
    call->platform = p;
    call->prev = p->last;
    if (p->last)
        p->last->next = call;
    else
        p->first = call;
    p->last = call;
    p->active++;
    return call;
}

void
platform_ping(struct platform *p, platform_done *done, void *context)
{
    struct call *call =
        call_new(p, &(struct call){.kind = CALL_DONE, .done.plain = done, .context = context});
    if (call)
        p->kind->ping(p, call);
}

void
platform_list(struct platform *p, platform_listed *done, void *context)
{
    struct call *call =
        call_new(p, &(struct call){.kind = CALL_LISTED, .done.listed = done, .context = context});
    if (call)
        p->kind->list(p, call);
}

void
platform_forget_listing(struct platform *p)
{
    p->kind->forget(p);
}

void
platform_configure(struct platform *p, platform_configured *done, void *context)
{
    struct call *call = call_new(
        p, &(struct call){.kind = CALL_CONFIGURED, .done.configured = done, .context = context});
    if (call)
        p->kind->configure(p, call);
}

void
platform_report(struct platform *p, const struct platform_report *report, platform_done *done,
                void *context)
{
    struct call *call =
        call_new(p, &(struct call){.kind = CALL_DONE, .done.plain = done, .context = context});
    if (call)
        p->kind->report(p, report, call);
}

bool
platform_step(struct platform *p)
{
    for (struct call *call = p->first; call; call = call->next) {
        if (call->ended) {
            call_end(call);
            return true;
        }
    }
    return false;
}

size_t
platform_active(const struct platform *p)
{
    return p->active;
}
