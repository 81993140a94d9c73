/* promise_errors.c - rule 5: each failure is a known code, with one line that says what failed, and on what. */
#include "logs.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1024 /* what gantry_fail() lets through, with its end */

/* Sees the plugin's own words, before the host has cleaned them. */
struct listener {
    struct kit_tap tap;
    pthread_mutex_t lock;
    char text[TEXT_MAX + 1];
    unsigned times;
};

static void
said(struct kit_tap *tap, const char *function, const char *text)
{
    struct listener *listener = tap->context;
    if (!text_eq(function, "fail"))
        return;
    pthread_mutex_lock(&listener->lock);
    snprintf(listener->text, sizeof listener->text, "%s", text ? text : "");
    listener->times++;
    pthread_mutex_unlock(&listener->lock);
}

/* Something that has to fail. */
struct failure {
    const char *what;
    struct kit_call call;
    const char *about[3]; /* any of these names the thing */
};

static bool
has_address(const char *text)
{
    for (const char *at = text; (at = strstr(at, "0x")); at++)
        if (strspn(at + 2, "0123456789abcdef") >= 8)
            return true;
    return false;
}

static int
judge_text(struct kit *kit, const struct failure *failure, const char *text)
{
    if (!text[0])
        return kit_broken(kit, "%s: it gives no reason", failure->what);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return kit_broken(kit,
                              "%s: the reason is more than one line, or has a control "
                              "character: %s",
                              failure->what, text);
    if (str_utf8_valid_length(str_of(text)) < strlen(text))
        return kit_broken(kit, "%s: the reason is no UTF-8: %s", failure->what, text);
    if (has_address(text))
        return kit_broken(kit, "%s: the reason has an address in it: %s", failure->what, text);
    for (size_t i = 0; i < ARRAY_LENGTH(failure->about); i++)
        if (failure->about[i] && strstr(text, failure->about[i]))
            return KIT_OK;
    return kit_broken(kit, "%s: the reason does not say on what ('%s'): %s", failure->what,
                      failure->about[0], text);
}

static int
provoke(struct kit *kit, struct listener *listener, const struct failure *failure)
{
    listener->text[0] = '\0';
    struct kit_answer a = kit_do(kit, &failure->call, &(struct kit_manner){.tap = &listener->tap});
    if (a.code == 0 || a.code == GANTRY_E_UNSUPPORTED)
        return KIT_OK; /* whether it may succeed is another promise's matter */
    if (a.code == GANTRY_E_INTERNAL)
        return kit_broken(kit, "%s: %s", failure->what, a.text);
    return judge_text(kit, failure, listener->text);
}

static struct listener *
listen(struct kit *kit)
{
    struct listener *listener = arena_alloc(&kit->arena, sizeof *listener);
    if (!listener || pthread_mutex_init(&listener->lock, NULL)) {
        (void)kit_broken(kit, "the kit ran out of memory");
        return NULL;
    }
    listener->tap = (struct kit_tap){.said = said, .context = listener};
    return listener;
}

int
kit_try_errors_say_what_and_on_what(struct kit *kit)
{
    struct kit_connector *c, *gone, *foreign, *missing = kit_connector(kit);
    struct listener *listener = listen(kit);
    const char *handle, *left;
    if (!missing || !listener)
        return KIT_BROKEN;
    KIT_CHECK(kit_make(kit, &c, &handle));
    KIT_CHECK(kit_make_and_remove(kit, &gone, &left));
    foreign = kit_connector(kit);
    if (!foreign)
        return KIT_BROKEN;
    foreign->name = c->name;
    missing->image = kit->given.missing_image ? kit->given.missing_image : missing->image;
    const struct failure failures[] = {
        {"inspect() of what is not there",
         {.op = RUNTIME_INSPECT, .handle = left, .connector = gone, .without_spec = true},
         {left, gone->name, gone->id}},
        {"logs() of what is not there",
         {.op = RUNTIME_LOGS,
          .handle = left,
          .connector = gone,
          .without_spec = true,
          .limits = kit_all_lines},
         {left, gone->name, gone->id}},
        {"start() of an existing workload that is not there",
         {.op = RUNTIME_START, .handle = left, .connector = gone, .without_spec = true},
         {left, gone->name, gone->id}},
        {"start() where the name is taken by another connector",
         {.op = RUNTIME_START, .connector = foreign},
         {c->name, handle, foreign->id}},
        {"start() where the workload is there already",
         {.op = RUNTIME_START, .connector = c},
         {c->name, handle, c->id}},
        {"start() of a missing image",
         {.op = RUNTIME_START, .connector = missing},
         {missing->image, missing->name, missing->id}},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++)
        KIT_CHECK(provoke(kit, listener, &failures[i]));
    return KIT_OK;
}

int
kit_try_errors_of_open_say_what(struct kit *kit)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_settings none = {.size = sizeof none,
                                   .stride = sizeof(struct gantry_value),
                                   .section = kit->settings->section};
    struct listener *listener = listen(kit);
    struct runtime_backend *backend = NULL;
    if (!listener)
        return KIT_BROKEN;
    listener->tap.kit = kit;
    kit->tap = &listener->tap;
    int rc = kit_open(kit, &none, NULL, &backend, &err);
    kit->tap = NULL;
    runtime_close(backend);
    if (rc == 0)
        return KIT_OK;
    if (rc == GANTRY_E_INTERNAL)
        return kit_broken(kit, "open() without settings: %s", err_text(err));
    return judge_text(kit, &(struct failure){.what = "open() without settings", .about = {""}},
                      listener->text);
}
