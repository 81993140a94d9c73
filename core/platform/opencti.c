/* opencti.c - kind opencti: makes it, and keeps the manager known and alive there.
 *
 *   ping ──► registered? ──no──► register ──► done
 *               │yes                ▲
 *               └──► ping ──► another version, or forgotten
 *
 * A platform that cannot register managers is asked for its version instead: when that changes, it
 * may. */
#include "err.h"
#include "platform_internal.h"

#include <stdio.h>

static int
make_transport(const struct platform *p, const struct config_platform *s, struct transport **out,
               struct gantry_error **err)
{
    const struct transport_http_options options = {
        .url = s->url,
        .token = s->token ? secret_bytes(s->token) : STR_NONE,
        .ca_file = s->ca_file,
        .proxy = s->proxy,
        .no_proxy = s->no_proxy,
        .tls_verify = s->tls_verify,
        .connect_timeout_ms = s->connect_timeout_ms,
    };
    return transport_http_new(p->http, &options, out, err);
}

static int
opencti_new(struct platform *p, const struct platform_context *context,
            const struct config_platform *settings, struct gantry_error **err)
{
    (void)context;
    struct opencti *o = calloc(1, sizeof *o);
    if (!o)
        return err_nomem(err);
    p->own = o;
    struct transport *transport = NULL;
    int code = make_transport(p, settings, &transport, err);
    if (code < 0)
        return code;
    char hint[320];
    (void)snprintf(hint, sizeof hint, "token of [platform %s]", p->name);
    return session_init(&o->session, transport, p->log, p->name, hint, err);
}

/* What was refused may be allowed with another token. */
static int
opencti_take(struct platform *p, const struct config_platform *fresh, struct gantry_error **err)
{
    struct opencti *o = p->own;
    struct transport *transport = NULL;
    int code = make_transport(p, fresh, &transport, err);
    if (code < 0)
        return code;
    transport_free(o->session.transport); /* requests in progress hold it until they end */
    o->session.transport = transport;
    negotiate_doubt(&o->session.negotiate);
    return 0;
}

static void
opencti_free(struct platform *p)
{
    struct opencti *o = p->own;
    if (!o)
        return;
    session_clear(&o->session);
    free(o);
    p->own = NULL;
}

void
opencti_ask(struct call *call, struct exchange_order *order, exchange_done *done)
{
    struct opencti *o = call->platform->own;
    AUTO_ERR struct gantry_error *err = NULL;
    int code = exchange_start(&o->session, order, done, call, &err);
    if (code < 0) {
        call_fail(call, code, &err);
        call_end_later(call);
    }
}

/* Take over how a question went; true when it went well. */
static bool
take_outcome(struct call *call, const struct exchange_result *result)
{
    call->code = result->code;
    if (result->code < 0)
        (void)err_set(&call->error, result->code, "%s", err_text(result->error));
    return result->code == 0;
}

static const char *
version_of(const struct exchange_result *result, const char *member)
{
    return answer_text(answer_field(result->answer, operation_row(result->parts[0].op)->field),
                       member);
}

static void
registered(void *context, const struct exchange_result *result)
{
    struct call *call = context;
    struct opencti *o = call->platform->own;
    if (take_outcome(call, result)) {
        const char *version = version_of(result, "about_version");
        (void)negotiate_version(&o->session.negotiate, version);
        if (!o->registered)
            log_info(call->platform->log, "manager registered",
                     F_STR("platform", platform_name(call->platform)), F_STR("version", version));
        o->registered = true;
    }
    call_end(call);
}

/* In a callback done may be called at once, in a call only later: `now` tells which. */
static void
ask_in_callback(struct call *call, struct exchange_order *order, exchange_done *done)
{
    opencti_ask(call, order, done);
    if (call->ended)
        call_end(call);
}

static void
order_registration(struct platform *p, struct exchange_order *order)
{
    *order = (struct exchange_order){
        .parts[0] = {.op = OP_REGISTER,
                     .value = value_manager(p->manager_id, p->manager_name,
                                            p->public_key ? p->public_key : "")},
        .count = 1,
        .timeout_ms = p->request_timeout_ms,
    };
}

static void
pinged(void *context, const struct exchange_result *result)
{
    struct call *call = context;
    struct platform *p = call->platform;
    struct opencti *o = p->own;
    struct exchange_order order;
    if (result->code == GANTRY_E_NOT_FOUND) {
        log_warn(p->log, "the platform has forgotten this manager: it registers again",
                 F_STR("platform", platform_name(p)));
        o->registered = false;
        order_registration(p, &order);
        ask_in_callback(call, &order, registered);
        return;
    }
    if (result->code == GANTRY_E_UNSUPPORTED) { /* registering keeps it alive as well */
        order_registration(p, &order);
        ask_in_callback(call, &order, registered);
        return;
    }
    if (take_outcome(call, result)) {
        const char *version = version_of(result, "about_version");
        if (negotiate_version(&o->session.negotiate, version)) {
            log_info(p->log, "the platform's version has changed: the manager registers again",
                     F_STR("platform", platform_name(p)), F_STR("version", version));
            order_registration(p, &order);
            ask_in_callback(call, &order, registered);
            return;
        }
    }
    call_end(call);
}

/* The answer of a platform that lacked registration when it was last asked. */
static void
versioned(void *context, const struct exchange_result *result)
{
    struct call *call = context;
    struct platform *p = call->platform;
    struct opencti *o = p->own;
    struct negotiate *n = &o->session.negotiate;
    bool first = n->version == NULL, ask = false;
    if (result->code == 0) {
        ask = negotiate_version(n, version_of(result, "version"));
        if (first && n->version) {
            negotiate_doubt(n); /* it may be newer than the answer that said what is lacking */
            ask = true;
        }
    } else if (result->code == GANTRY_E_UNSUPPORTED) {
        negotiate_doubt(n); /* it does not even tell: ask it directly */
        ask = true;
    }
    if (ask) {
        struct exchange_order order;
        order_registration(p, &order);
        ask_in_callback(call, &order, registered);
        return;
    }
    if (take_outcome(call, result)) {
        call->code = err_set(&call->error, GANTRY_E_UNSUPPORTED,
                             "the platform (version %s) cannot register managers; it takes OpenCTI "
                             "6.8 or later",
                             n->version ? n->version : "unknown");
    }
    call_end(call);
}

static void
opencti_ping(struct platform *p, struct call *call)
{
    struct opencti *o = p->own;
    struct exchange_order order = {.count = 1, .timeout_ms = p->request_timeout_ms};
    if (negotiate_is_lacking(&o->session.negotiate, OP_REGISTER)) {
        order.parts[0].op = OP_VERSION;
        opencti_ask(call, &order, versioned);
    } else if (!o->registered || negotiate_is_lacking(&o->session.negotiate, OP_PING)) {
        order_registration(p, &order);
        opencti_ask(call, &order, registered);
    } else {
        order.parts[0].op = OP_PING;
        order.parts[0].value = value_id(p->manager_id);
        opencti_ask(call, &order, pinged);
    }
}

const struct platform_kind platform_kind_opencti = {
    .label = "opencti",
    .new = opencti_new,
    .free = opencti_free,
    .ping = opencti_ping,
    .list = opencti_list,
    .forget = opencti_forget,
    .configure = opencti_configure,
    .report = opencti_report,
    .take = opencti_take,
};
