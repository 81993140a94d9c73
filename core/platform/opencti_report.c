/* opencti_report.c - tells the platform of one connector: its status, health and logs share a
 * document. */
#include "clock.h"
#include "err.h"
#include "platform_internal.h"

static void
reported(void *context, const struct exchange_result *result)
{
    struct call *call = context;
    AUTO_ERR struct gantry_error *err = NULL;
    if (result->code < 0) {
        (void)err_set(&err, result->code, "%s", err_text(result->error));
        call_fail(call, result->code, &err);
    }
    call_end(call);
}

static void
add_part(struct exchange_order *order, enum operation op, char *value)
{
    order->parts[order->count++] = (struct exchange_part){.op = op, .value = value};
}

void
opencti_report(struct platform *p, const struct platform_report *report, struct call *call)
{
    struct exchange_order order = {.timeout_ms = p->request_timeout_ms, .report = true};
    if (report->status != PLATFORM_STATUS_NONE) {
        bool runs = report->status == PLATFORM_STATUS_STARTED;
        add_part(&order, OP_CURRENT_STATUS, value_status(report->id, runs ? "started" : "stopped"));
    }
    if (report->health)
        add_part(&order, OP_HEALTH, value_health(report->id, report->health, clock_wall_ms()));
    if (report->logs)
        add_part(&order, OP_LOGS, value_logs(report->id, report->logs, report->log_count));
    if (order.count > 0)
        opencti_ask(call, &order, reported);
    else
        call_end_later(call);
}
