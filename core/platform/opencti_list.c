/* opencti_list.c - the two steps of the poll: asks, and recognises a listing that has not changed
 * by its bytes, before it is parsed.
 *
 * They end in platform_step(), not in the exchange's callback: what is kept of a listing would else
 * be allocated between the pieces of the parsed answer, and hold their memory for ever. */
#include "err.h"
#include "platform_internal.h"

#include <stdio.h>

static void
listed(void *context, const struct exchange_result *result)
{
    struct call *call = context;
    struct opencti *o = call->platform->own;
    AUTO_ERR struct gantry_error *err = NULL;
    if (result->code < 0) {
        (void)err_set(&err, result->code, "%s", err_text(result->error));
        call_fail(call, result->code, &err);
    } else if (result->unchanged) {
        call->unchanged = true;
    } else {
        const cJSON *field = answer_field(result->answer, "connectorsForManagers");
        int code = opencti_read_listing(field, &call->listing, &err);
        if (code < 0)
            call_fail(call, code, &err);
        else
            (void)snprintf(o->listing_digest, sizeof o->listing_digest, "%s",
                           result->digest ? result->digest : "");
    }
    call_end_later(call);
}

void
opencti_list(struct platform *p, struct call *call)
{
    struct opencti *o = p->own;
    struct exchange_order order = {
        .parts[0].op = OP_CONNECTORS,
        .count = 1,
        .timeout_ms = p->list_timeout_ms,
        .digest = true,
        .known_digest = o->listing_digest,
    };
    opencti_ask(call, &order, listed);
}

void
opencti_forget(struct platform *p)
{
    struct opencti *o = p->own;
    o->listing_digest[0] = '\0';
}

static void
configured(void *context, const struct exchange_result *result)
{
    struct call *call = context;
    AUTO_ERR struct gantry_error *err = NULL;
    int code = result->code;
    if (code < 0)
        (void)err_set(&err, code, "%s", err_text(result->error));
    else
        code = opencti_read_configurations(answer_field(result->answer, "connectorsForManagers"),
                                           &call->configurations, &err);
    if (code < 0)
        call_fail(call, code, &err);
    call_end_later(call);
}

void
opencti_configure(struct platform *p, struct call *call)
{
    struct exchange_order order = {
        .parts[0].op = OP_CONFIGURATIONS,
        .count = 1,
        .timeout_ms = p->list_timeout_ms,
    };
    opencti_ask(call, &order, configured);
}
