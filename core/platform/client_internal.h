/* client_internal.h - what client.c and client_calls.c share. */
#ifndef PLATFORM_CLIENT_INTERNAL_H
#define PLATFORM_CLIENT_INTERNAL_H

#include "platform_internal.h"

#include <gantry/client.h>

struct gantry_client {
    struct http_loop *http;
    struct session session;
    int cancel_fd; /* eventfd: written by gantry_client_cancel() */
    int64_t request_timeout_ms, list_timeout_ms;

    /* the call in progress, or the last */
    struct transport_send *query; /* of gantry_client_query() */
    bool done;
    int code;
    struct gantry_error *error;
    char *json;   /* owned: the value of the field, or the whole answer */
    bool is_null; /* the field is null, and there is no error */
    bool has_problem;
    char *problem_texts[3]; /* owned */
    struct gantry_client_problem problem;
};

/* Forget the last call. */
void client_begin(struct gantry_client *c);
/* Drive the call to its end.  Returns c->code, or why it ended before. */
MUST_CHECK int client_wait(struct gantry_client *c, struct gantry_error **err);
/* Keep an error of the answer for gantry_client_problem(). */
void client_keep_problem(struct gantry_client *c, const struct problem *problem);
/* Ask for one operation.  value: taken; NULL where it has no variable.  *json: may be NULL. */
MUST_CHECK int client_ask(struct gantry_client *c, enum operation op, char *value, char **json,
                          struct gantry_error **err);

#endif
