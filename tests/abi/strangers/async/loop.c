/* loop.c - the thread: what it is sent, what it waits for, and the answers. */
#define _GNU_SOURCE /* pthread_setname_np */
#include "async.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int64_t
unix_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}

/* ---- answers -------------------------------------------------------------------------------------- */

int
ask_init(struct ask *ask, enum ask_kind kind)
{
    ask->kind = kind;
    ask->last_answer = &ask->answers;
    ask->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return ask->done < 0 ? GANTRY_E_UNAVAILABLE : 0;
}

void
ask_clear(struct ask *ask)
{
    close(ask->done);
}

static void
give(struct loop *loop, struct ask *ask, struct answer *answer)
{
    pthread_mutex_lock(&loop->mutex);
    *ask->last_answer = answer;
    ask->last_answer = &answer->next;
    (void)eventfd_write(ask->done, 1);
    pthread_mutex_unlock(&loop->mutex);
}

/* Copy a text to *at, which moves behind it. */
static const char *
put(char **at, const char *text, size_t size)
{
    char *copy = *at;
    memcpy(copy, text, size);
    copy[size] = '\0';
    *at += size + 1;
    return copy;
}

static size_t
room(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *
put_text(char **at, const char *text)
{
    return text ? put(at, text, strlen(text)) : NULL;
}

/* One block: the answer, the status, its labels, all texts. */
int
ask_answer_status(struct loop *loop, struct ask *ask, const struct gantry_status *status)
{
    size_t texts =
        room(status->handle) + room(status->name) + room(status->hash) + room(status->image);
    for (uint32_t i = 0; i < status->label_count; i++)
        texts += room(status->labels[i].key) + room(status->labels[i].value);
    size_t labels = status->label_count * sizeof status->labels[0];
    struct answer *answer = malloc(sizeof *answer + sizeof *status + labels + texts);
    if (!answer)
        return GANTRY_E_NOMEM;
    struct gantry_status *copy = (struct gantry_status *)(answer + 1);
    struct gantry_pair *pairs = (struct gantry_pair *)(copy + 1);
    char *at = (char *)(pairs + status->label_count);
    *answer = (struct answer){.kind = GANTRY_EMIT_STATUS};
    *copy = *status;
    copy->labels = pairs;
    copy->handle = put_text(&at, status->handle);
    copy->name = put_text(&at, status->name);
    copy->hash = put_text(&at, status->hash);
    copy->image = put_text(&at, status->image);
    for (uint32_t i = 0; i < status->label_count; i++) {
        pairs[i].key = put_text(&at, status->labels[i].key);
        pairs[i].value = put_text(&at, status->labels[i].value);
    }
    give(loop, ask, answer);
    return 0;
}

int
ask_answer_line(struct loop *loop, struct ask *ask, const struct gantry_line *line)
{
    struct answer *answer =
        malloc(sizeof *answer + sizeof *line + line->text_size + 1 + room(line->cursor));
    if (!answer)
        return GANTRY_E_NOMEM;
    struct gantry_line *copy = (struct gantry_line *)(answer + 1);
    char *at = (char *)(copy + 1);
    *answer = (struct answer){.kind = GANTRY_EMIT_LINE};
    *copy = *line;
    copy->text = put(&at, line->text, line->text_size);
    copy->cursor = put_text(&at, line->cursor);
    give(loop, ask, answer);
    return 0;
}

int
ask_answer_event(struct loop *loop, struct ask *ask, const struct gantry_event *event)
{
    struct answer *answer =
        malloc(sizeof *answer + sizeof *event + room(event->handle) + room(event->id));
    if (!answer)
        return GANTRY_E_NOMEM;
    struct gantry_event *copy = (struct gantry_event *)(answer + 1);
    char *at = (char *)(copy + 1);
    *answer = (struct answer){.kind = GANTRY_EMIT_EVENT};
    *copy = *event;
    copy->handle = put_text(&at, event->handle);
    copy->id = put_text(&at, event->id);
    give(loop, ask, answer);
    return 0;
}

static void
take_out(struct loop *loop, struct ask *ask)
{
    struct ask **at = &loop->inbox;
    while (*at != ask)
        at = &(*at)->next_sent;
    *at = ask->next_sent;
    if (!*at)
        loop->last_sent = at;
}

/* The end of a question: it may be gone as soon as the mutex is free, so it must not stay in the inbox, into
 * which it may have been put for the second time, as withdrawn. */
void
ask_end(struct loop *loop, struct ask *ask, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&loop->mutex);
    vsnprintf(ask->text, sizeof ask->text, format, args);
    ask->code = code;
    ask->ended = true;
    if (ask->sent)
        take_out(loop, ask);
    (void)eventfd_write(ask->done, 1);
    pthread_mutex_unlock(&loop->mutex);
    va_end(args);
}

/* ---- questions ------------------------------------------------------------------------------------ */

static void
put_in(struct loop *loop, struct ask *ask)
{
    if (!ask->sent) { /* else it is still in the inbox */
        ask->sent = true;
        ask->next_sent = NULL;
        *loop->last_sent = ask;
        loop->last_sent = &ask->next_sent;
    }
    (void)eventfd_write(loop->wake.fd, 1);
}

void
loop_send(struct loop *loop, struct ask *ask)
{
    pthread_mutex_lock(&loop->mutex);
    put_in(loop, ask);
    pthread_mutex_unlock(&loop->mutex);
}

void
loop_withdraw(struct loop *loop, struct ask *ask)
{
    pthread_mutex_lock(&loop->mutex);
    ask->withdrawn = true;
    if (!ask->ended)
        put_in(loop, ask);
    pthread_mutex_unlock(&loop->mutex);
}

static struct ask *
take_sent(struct loop *loop, bool *withdrawn)
{
    pthread_mutex_lock(&loop->mutex);
    struct ask *ask = loop->inbox;
    if (ask) {
        loop->inbox = ask->next_sent;
        if (!loop->inbox)
            loop->last_sent = &loop->inbox;
        ask->sent = false;
        *withdrawn = ask->withdrawn;
    }
    pthread_mutex_unlock(&loop->mutex);
    return ask;
}

static void
read_inbox(struct loop *loop)
{
    eventfd_t ignored;
    bool withdrawn;
    (void)eventfd_read(loop->wake.fd, &ignored);
    for (struct ask *ask; (ask = take_sent(loop, &withdrawn)) != NULL;)
        if (withdrawn)
            work_withdraw(loop, ask);
        else
            work_begin(loop, ask);
}

/* ---- the thread ----------------------------------------------------------------------------------- */

int
loop_watch_source(struct loop *loop, struct source *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0 ? 0 : errno;
}

/* One event at a time: what it does may free the source of the next. */
static void *
run(void *context)
{
    struct loop *loop = context;
    (void)pthread_setname_np(pthread_self(), "async-loop");
    while (!loop->closing || loop->workloads) {
        struct epoll_event event;
        if (epoll_wait(loop->epoll, &event, 1, run_next_ms(loop)) == 1) {
            struct source *source = event.data.ptr;
            if (source->kind == SOURCE_INBOX)
                read_inbox(loop);
            else if (source->kind == SOURCE_PROCESS)
                run_reap(loop, source->workload);
            else
                run_read(loop, source);
        }
        run_time(loop);
    }
    return NULL;
}

static void
close_all(struct loop *loop)
{
    if (loop->wake.fd >= 0)
        close(loop->wake.fd);
    if (loop->epoll >= 0)
        close(loop->epoll);
    pthread_mutex_destroy(&loop->mutex);
}

int
loop_open(struct loop *loop)
{
    sigset_t all, before;
    loop->last_sent = &loop->inbox;
    loop->born_ms = unix_ms();
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake =
        (struct source){.kind = SOURCE_INBOX, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    pthread_mutex_init(&loop->mutex, NULL);
    if (loop->epoll < 0 || loop->wake.fd < 0 || loop_watch_source(loop, &loop->wake) != 0) {
        close_all(loop);
        return GANTRY_E_UNAVAILABLE;
    }
    sigfillset(&all); /* the host's signals are the business of the host's threads */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&loop->thread, NULL, run, loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        close_all(loop);
        return GANTRY_E_NOMEM;
    }
    return 0;
}

void
loop_close(struct loop *loop)
{
    struct ask ask = {.kind = ASK_CLOSE};
    loop_send(loop, &ask);
    pthread_join(loop->thread, NULL);
    close_all(loop);
}
