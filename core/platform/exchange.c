/* exchange.c - one question and its answer, asked again with less where the answer says that this
 * helps.
 *
 *   start ──► build, send ──► answer ──► learned what is lacking? ──no──► judge each part ──► done
 *                  ▲                                │yes, and something is left to ask
 *                  └────────────────────────────────┘  at most EXCHANGE_TRIES_MAX times
 *
 * Each try takes something out of the document, so it ends; there is no waiting in between, and no
 * asking again for any other reason: back-off is the caller's. */
#include "clock.h"
#include "err.h"
#include "platform_internal.h"

#include <assert.h>
#include <stdio.h>

#define VARIABLES_MAX_BYTES ((size_t)16 * 1024 * 1024)

struct exchange {
    struct exchange *prev, *next;
    struct session *session;
    struct exchange_order order;
    char digest[CRYPTO_HEX_SIZE];
    unsigned tries;
    struct transport_send *send;
    exchange_done *done;
    void *context;
};

int
session_init(struct session *s, struct transport *transport, struct log *log, const char *name,
             const char *token_hint, struct gantry_error **err)
{
    *s = (struct session){.transport = transport, .token_hint = text_dup(token_hint)};
    negotiate_init(&s->negotiate, log, name);
    if (s->token_hint)
        return 0;
    session_clear(s);
    return err_nomem(err);
}

static void
order_clear(struct exchange_order *order)
{
    for (size_t i = 0; i < order->count; i++) {
        struct exchange_part *part = &order->parts[i];
        if (part->value)
            secret_wipe(part->value,
                        strlen(part->value)); /* the configuration of `add` has secrets */
        free(part->value);
        err_clear(&part->error);
    }
    order->count = 0;
}

static void
exchange_free(struct session *s, struct exchange *x)
{
    if (x->prev)
        x->prev->next = x->next;
    else if (s->first == x)
        s->first = x->next;
    if (x->next)
        x->next->prev = x->prev;
    s->active--;
    order_clear(&x->order);
    free(x);
}

void
session_cancel(struct session *s)
{
    while (s->first) {
        struct exchange *x = s->first;
        assert(!x->prev);
        if (x->send)
            s->transport->kind->cancel(x->send);
        exchange_free(s, x);
    }
}

void
session_clear(struct session *s)
{
    session_cancel(s);
    negotiate_clear(&s->negotiate);
    transport_free(s->transport);
    free(s->token_hint);
    *s = (struct session){0};
}

/* Leave a part out; err: taken, may be NULL. */
static void
leave_out(struct exchange_part *part, bool quiet, int code, struct gantry_error *err)
{
    part->left_out = true;
    part->quiet = quiet;
    part->code = code;
    err_clear(&part->error);
    part->error = err;
}

/* Parts that need not be asked for. */
static void
leave_out_known(struct exchange *x)
{
    const struct negotiate *n = &x->session->negotiate;
    for (size_t i = 0; i < x->order.count; i++) {
        struct exchange_part *part = &x->order.parts[i];
        const char *field = operation_row(part->op)->field;
        struct gantry_error *err = NULL;
        if (part->left_out)
            continue;
        if (negotiate_is_lacking(n, part->op))
            (void)err_set(&err, GANTRY_E_UNSUPPORTED, "the platform lacks %s", field);
        else if (x->order.report && clock_mono_ms() < n->slots[part->op].denied_until_ms)
            (void)err_set(&err, GANTRY_E_UNSUPPORTED, "the platform refused %s a moment ago",
                          field);
        else
            continue;
        leave_out(part, true, GANTRY_E_UNSUPPORTED, err);
    }
}

/* The operations that are asked for. */
static size_t
asked(const struct exchange *x, enum operation ops[EXCHANGE_PARTS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < x->order.count; i++)
        if (!x->order.parts[i].left_out)
            ops[count++] = x->order.parts[i].op;
    return count;
}

static void answered(void *context, struct http_answer *answer);

static int
send_question(struct exchange *x, struct gantry_error **err)
{
    struct session *s = x->session;
    enum operation ops[EXCHANGE_PARTS_MAX];
    size_t count = asked(x, ops);
    AUTO_BUF struct buf document = BUF_INIT(65536);
    AUTO(buf_wipe) struct buf variables = BUF_INIT(VARIABLES_MAX_BYTES);
    int code = negotiate_document(&s->negotiate, ops, count, &document, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < x->order.count; i++) {
        const struct exchange_part *part = &x->order.parts[i];
        if (part->left_out || !part->value)
            continue;
        buf_add_char(&variables, variables.len == 0 ? '{' : ',');
        buf_add_json(&variables, str_of(operation_row(part->op)->variable));
        buf_add_char(&variables, ':');
        buf_add_text(&variables, part->value);
    }
    if (variables.len > 0)
        buf_add_char(&variables, '}');
    if (buf_failed(&variables) == GANTRY_E_INVALID)
        return err_set(err, GANTRY_E_INVALID, "the question is larger than 16 MiB; send less");
    if (buf_failed(&variables) || buf_failed(&document))
        return err_nomem(err);
    const struct transport_request request = {
        .document = buf_view(&document),
        .variables = buf_view(&variables),
        .timeout_ms = x->order.timeout_ms,
    };
    x->tries++;
    return s->transport->kind->send(s->transport, &request, answered, x, &x->send, err);
}

/* Ends it.  code, err: what went wrong with the whole; 0: each part has its own outcome. */
static void
finish(struct exchange *x, int code, const struct gantry_error *err, const struct answer *answer,
       bool unchanged)
{
    struct exchange_result result = {
        .code = code,
        .error = err,
        .parts = x->order.parts,
        .count = x->order.count,
        .answer = answer,
        .unchanged = unchanged,
        .digest = x->digest[0] ? x->digest : NULL,
    };
    const struct exchange_part *quiet = NULL;
    bool well = false;
    for (size_t i = 0; i < x->order.count && result.code == 0; i++) {
        const struct exchange_part *part = &x->order.parts[i];
        if (part->code == 0) {
            well = true;
        } else if (part->quiet) {
            quiet = quiet ? quiet : part;
        } else {
            result.code = part->code;
            result.error = part->error;
        }
    }
    if (result.code == 0 && !well && quiet) {
        result.code = quiet->code;
        result.error = quiet->error;
    }
    exchange_done *done = x->done;
    void *context = x->context;
    done(context, &result);
    exchange_free(x->session, x);
}

static void
judge(struct exchange *x, const struct answer *answer)
{
    struct session *s = x->session;
    for (size_t i = 0; i < x->order.count; i++) {
        struct exchange_part *part = &x->order.parts[i];
        if (part->left_out)
            continue;
        const char *field = operation_row(part->op)->field;
        if (answer_field(answer, field))
            continue;
        struct problem problem;
        part->code = problem_error(part->op, answer, s->token_hint, &part->error);
        bool refused = answer_field_problem(answer, field, &problem) && problem.field &&
                       strcmp(problem.code, "FORBIDDEN_ACCESS") == 0;
        if (refused && x->order.report)
            s->negotiate.slots[part->op].denied_until_ms = clock_mono_ms() + NEGOTIATE_DENIED_MS;
    }
}

/* One part's variable is refused, which fails the whole document: the others are sent without it.
 */
static bool
leave_out_refused(struct exchange *x, const struct answer *answer)
{
    enum operation ops[EXCHANGE_PARTS_MAX];
    bool left_out = false;
    for (size_t i = 0; i < x->order.count && asked(x, ops) > 1; i++) {
        struct exchange_part *part = &x->order.parts[i];
        const struct operation_row *row = operation_row(part->op);
        struct problem problem;
        if (part->left_out || !answer_field_problem(answer, row->field, &problem) || problem.field)
            continue;
        char name[64];
        (void)snprintf(name, sizeof name, "\"$%s\"", row->variable);
        if (!strstr(problem.message, name))
            continue;
        struct gantry_error *err = NULL;
        int code = problem_error(part->op, answer, x->session->token_hint, &err);
        leave_out(part, false, code, err);
        left_out = true;
    }
    return left_out;
}

/* Ask again with less?  Returns true when it was sent again, or has ended. */
static bool
again(struct exchange *x, const struct answer *answer)
{
    enum operation ops[EXCHANGE_PARTS_MAX];
    size_t count = asked(x, ops);
    bool learned = negotiate_learn(&x->session->negotiate, ops, count, answer);
    if (!learned && !leave_out_refused(x, answer))
        return false;
    leave_out_known(x);
    if (asked(x, ops) == 0) {
        finish(x, 0, NULL, answer, false);
        return true;
    }
    if (x->tries >= EXCHANGE_TRIES_MAX)
        return false;
    AUTO_ERR struct gantry_error *err = NULL;
    int code = send_question(x, &err);
    if (code < 0)
        finish(x, code, err, NULL, false);
    return true;
}

static int
read_answer(struct exchange *x, struct http_answer *from, struct answer *out,
            struct gantry_error **err)
{
    int code = answer_parse(from->body, from->body_len, from->status, from->content_type, out, err);
    if (code == GANTRY_E_DENIED)
        return err_wrap(err, code, "check the %s", x->session->token_hint);
    if (code < 0 && from->retry_after_ms >= 0)
        return err_wrap(err, code, "the platform asks to wait for %lld s",
                        (long long)((from->retry_after_ms + 999) / 1000));
    return code;
}

static void
answered(void *context, struct http_answer *answer)
{
    struct exchange *x = context;
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_ANSWER struct answer a = {0};
    x->send = NULL;
    bool good = answer->code == 0 && answer->status >= 200 && answer->status <= 299;
    if (good && x->order.digest &&
        crypto_sha256_hex((struct str){answer->body, answer->body_len}, x->digest) < 0)
        x->digest[0] = '\0'; /* then it is only not recognised when it comes again */
    if (answer->code < 0) {
        finish(x, answer->code, answer->error, NULL, false);
    } else if (x->digest[0] && text_eq(x->digest, x->order.known_digest)) {
        finish(x, 0, NULL, NULL, true);
    } else {
        int code = read_answer(x, answer, &a, &err);
        if (code < 0) {
            finish(x, code, err, NULL, false);
        } else if (!(a.errors && again(x, &a))) {
            judge(x, &a);
            finish(x, 0, NULL, &a, false);
        }
    }
    if (answer->body)
        secret_wipe(answer->body, answer->body_len);
    http_answer_clear(answer);
}

int
exchange_start(struct session *s, struct exchange_order *order, exchange_done *done, void *context,
               struct gantry_error **err)
{
    enum operation ops[EXCHANGE_PARTS_MAX];
    bool complete = true;
    for (size_t i = 0; i < order->count; i++)
        complete &= order->parts[i].value || !operation_row(order->parts[i].op)->variable;
    struct exchange *x = complete ? calloc(1, sizeof *x) : NULL;
    if (!x) { /* or there was no memory for a variable's value */
        order_clear(order);
        return err_nomem(err);
    }
    x->session = s;
    x->order = *order;
    order->count = 0;
    x->done = done;
    x->context = context;
    x->next = s->first;
    if (s->first)
        s->first->prev = x;
    s->first = x;
    s->active++;
    leave_out_known(x);
    int code;
    if (asked(x, ops) == 0) {
        code = x->order.parts[0].code;
        err_move(err, &x->order.parts[0].error);
    } else {
        code = send_question(x, err);
    }
    if (code < 0)
        exchange_free(s, x);
    return code;
}
