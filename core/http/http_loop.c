/* http_loop.c - requests side by side on one thread: curl's multi handle, the epoll set that its
 * sockets are in, its timer, and the order of things in one step.
 *
 * In a step curl works first, for the sockets that are ready and for its timer; then what its
 * callbacks started and cancelled is done, deadlines are looked at, and the ENDs are delivered
 * last, when curl has nothing in hand and everything is allowed. */
#include "http_internal.h"

#include "clock.h"
#include "err.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>

#define EVENTS_A_STEP    64
#define KEPT_CONNECTIONS 32L

static void
list_remove(struct http_transfer *t)
{
    struct http_list *list = t->list;

    if (t->prev)
        t->prev->next = t->next;
    else
        list->first = t->next;
    if (t->next)
        t->next->prev = t->prev;
    else
        list->last = t->prev;
    list->count--;
}

void
http_move(struct http_transfer *t, struct http_list *to)
{
    if (t->list)
        list_remove(t);
    t->list = to;
    t->prev = t->next = NULL;
    if (!to)
        return;
    t->prev = to->last;
    if (to->last)
        to->last->next = t;
    else
        to->first = t;
    to->last = t;
    to->count++;
}

/* --- what curl asks for */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct http_loop *loop = context;
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, &event); /* it may be closed already */
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    int rc = epoll_ctl(loop->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    /* The kernel takes a closed descriptor out by itself, and its number comes again. */
    if (rc < 0 && errno == ENOENT)
        rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    else if (rc < 0 && errno == EEXIST)
        rc = epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event);
    if (rc < 0)
        return -1;                                  /* curl then ends what it has with an error */
    (void)curl_multi_assign(loop->multi, fd, loop); /* next time it is known */
    return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct http_loop *loop = context;

    (void)multi;
    loop->curl_due_ms = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
    return 0;
}

/* --- life */

int
http_loop_new(struct http_loop **out, struct gantry_error **err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* counts, and is safe in any thread */
        return err_set(err, GANTRY_E_INTERNAL, "curl cannot be initialised");
    struct http_loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        curl_global_cleanup();
        return err_nomem(err);
    }
    loop->curl_due_ms = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        int rc = err_set_errno(err, err_code_of_errno(errno), errno, "cannot make an epoll set");
        http_loop_free(loop);
        return rc;
    }
    loop->multi = curl_multi_init();
    if (!loop->multi) {
        http_loop_free(loop);
        return err_nomem(err);
    }
    /* These store a value and cannot fail. */
    (void)curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    (void)curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    (void)curl_multi_setopt(loop->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    (void)curl_multi_setopt(loop->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
    *out = loop;
    return 0;
}

static void
drop_all(struct http_list *list)
{
    while (list->first)
        http_transfer_drop(list->first);
}

void
http_loop_free(struct http_loop *loop)
{
    if (!loop)
        return;
    assert(!loop->in_curl && !loop->in_step);
    drop_all(&loop->waiting);
    drop_all(&loop->active);
    drop_all(&loop->doomed);
    drop_all(&loop->ending);
    while (loop->idle.first)
        http_transfer_free(loop->idle.first);
    if (loop->multi)
        curl_multi_cleanup(loop->multi);
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    free(loop);
    curl_global_cleanup();
}

int
http_loop_fd(const struct http_loop *loop)
{
    return loop->epoll_fd;
}

size_t
http_loop_active(const struct http_loop *loop)
{
    return loop->waiting.count + loop->active.count + loop->ending.count;
}

int64_t
http_loop_timeout_ms(const struct http_loop *loop)
{
    int64_t due = loop->curl_due_ms < 0 ? INT64_MAX : loop->curl_due_ms;

    if (loop->waiting.first || loop->ending.first || loop->doomed.first)
        return 0;
    for (const struct http_transfer *t = loop->active.first; t; t = t->next)
        due = MIN(due, http_transfer_due_ms(t));
    if (due == INT64_MAX)
        return -1;
    int64_t now = clock_mono_ms();
    return due > now ? due - now : 0;
}

/* --- a step */

static void
feed(struct http_loop *loop, curl_socket_t fd, int what)
{
    int running = 0;

    loop->in_curl = true;
    if (curl_multi_socket_action(loop->multi, fd, what, &running) == CURLM_OUT_OF_MEMORY)
        loop->starved = true;
    loop->in_curl = false;
}

static void
feed_sockets(struct http_loop *loop)
{
    struct epoll_event events[EVENTS_A_STEP];
    int n = epoll_wait(loop->epoll_fd, events, EVENTS_A_STEP, 0);

    for (int i = 0; i < n; i++) {
        int what = 0;
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            what |= CURL_CSELECT_IN;
        /* Of a peer that is gone, reading and writing both learn.  Told of reading alone, curl
         * would wait for ever to write what is left of a body, and the hangup would come again at
         * once, for ever. */
        if (events[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
            what |= CURL_CSELECT_OUT;
        feed(loop, events[i].data.fd, what);
    }
}

static void
feed_timer(struct http_loop *loop)
{
    if (loop->curl_due_ms < 0 || clock_mono_ms() < loop->curl_due_ms)
        return;
    loop->curl_due_ms = -1;
    feed(loop, CURL_SOCKET_TIMEOUT, 0);
}

/* What callbacks of curl asked for. */
static void
catch_up(struct http_loop *loop)
{
    drop_all(&loop->doomed);
    while (loop->waiting.first)
        http_transfer_admit(loop->waiting.first);
}

/* curl's messages are read until none is left: handling one may take others back. */
static void
collect(struct http_loop *loop)
{
    int left = 0;

    for (CURLMsg *msg; (msg = curl_multi_info_read(loop->multi, &left));) {
        struct http_transfer *t = NULL;
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode rc = msg->data.result; /* gone with the handle */
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &t);
        if (t)
            http_transfer_done(t, rc);
    }
}

static void
check_deadlines(struct http_loop *loop)
{
    int64_t now = clock_mono_ms();

    for (struct http_transfer *t = loop->active.first, *next; t; t = next) {
        next = t->next;
        http_transfer_check(t, now);
    }
}

/* Nobody would ever look at the socket that curl could not note down: its request would wait for a
 * deadline, or for ever.  As it cannot be told which it is, all end. */
static void
end_starved(struct http_loop *loop)
{
    while (loop->starved && loop->active.first)
        http_transfer_fail(loop->active.first, GANTRY_E_NOMEM, "out of memory");
    loop->starved = false;
}

void
http_loop_step(struct http_loop *loop)
{
    assert(!loop->in_curl && !loop->in_step);
    loop->in_step = true;
    feed_sockets(loop);
    feed_timer(loop);
    catch_up(loop);
    collect(loop);
    end_starved(loop);
    check_deadlines(loop);
    while (loop->ending.first)
        http_transfer_deliver(loop->ending.first);
    loop->in_step = false;
}
