/* async.h - a runtime that is asynchronous inside: one thread owns all workloads; calls send it questions.
 *
 *   operation [worker, watch]                     the thread
 *     fills a struct ask, loop_send(ask)   --->     does what can be done at once; what takes time is parked
 *     waits for ask->done, or its call's end        at the workload that it waits for
 *     emits ask->answers                   <---     ask_answer(), any number; ask_end()
 *
 * Whoever asks waits for the end of his question, even when his call is over (loop_withdraw(), which the thread
 * answers at once), so that a question can point to what the host lent to the call.
 *
 * async.c is the border, loop.c the thread, work.c what it does, tell.c what it says, run.c one
 * workload's process and log. */
#ifndef STRANGERS_ASYNC_H
#define STRANGERS_ASYNC_H

#include <gantry/plugin.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* ---- questions ------------------------------------------------------------------------------------ */

enum ask_kind {
    ASK_START,
    ASK_STOP,
    ASK_REMOVE,
    ASK_LOGS,
    ASK_INSPECT,
    ASK_LIST,
    ASK_WATCH,
    ASK_CLOSE
};

/* A copy of what is to be emitted: its kind, and a struct gantry_status, _line or _event behind it. */
struct answer {
    struct answer *next;
    uint32_t kind;
    uint32_t reserved;
};

struct ask {
    enum ask_kind kind;
    const struct gantry_ref *ref; /* existing, for start */
    const struct gantry_spec *spec;
    const struct gantry_pair *labels;
    const struct gantry_log_limits *limits;
    const char *cursor;
    uint32_t label_count, label_stride, grace_ms;

    /* The thread's. */
    struct ask *next_parked;
    struct workload *waits_for; /* where it is parked */
    struct workload *made;      /* a replacement that waits for its old one's end */
    bool old_ran;

    /* Both sides', under loop.mutex. */
    struct answer *answers, **last_answer;
    int code; /* of the end */
    char text[256];
    bool ended;
    int done; /* eventfd: there are new answers, or the end */
    struct ask *next_sent;
    bool sent, withdrawn;
};

/* ---- workloads ------------------------------------------------------------------------------------ */

struct line {
    struct line *next;
    uint64_t number; /* from 1; the cursor */
    int64_t time_ns;
    size_t size;
    uint32_t stream;
    char bytes[];
};

enum source_kind { SOURCE_INBOX, SOURCE_STDOUT, SOURCE_STDERR, SOURCE_PROCESS };
struct source { /* what epoll gives back */
    enum source_kind kind;
    int fd; /* -1: none */
    struct workload *workload;
    char *partial; /* of a line that has no end yet */
    size_t partial_size, partial_room;
};

struct workload {
    struct workload *next;
    char *handle, *name, *id, *hash, *image, *program;
    char **environment; /* NULL-terminated, KEY=VALUE */
    struct gantry_pair *labels;
    uint32_t label_count;
    pid_t pid; /* 0: does not run */
    struct source out, err, process;
    uint32_t state;
    uint32_t grace_ms;
    bool told; /* to stop */
    bool ran;
    int32_t exit_code;
    int64_t created_ms, started_ms, finished_ms;
    int64_t kill_at_ms; /* monotonic; 0: never */
    struct line *lines, **last_line;
    uint64_t last_number;
    size_t line_bytes;
    struct ask *parked; /* who waits for the end of its process */
};

/* ---- the thread ----------------------------------------------------------------------------------- */

struct loop {
    const struct gantry_host *host; /* for its log */
    pthread_t thread;
    pthread_mutex_t mutex; /* of inbox and of what struct ask says */
    struct ask *inbox, **last_sent;
    struct source wake; /* eventfd */
    int epoll;
    bool closing;
    /* The thread's alone. */
    struct workload *workloads;
    struct ask *watchers;
    struct pair_list {
        char **items; /* NAME=PATH */
        uint32_t count;
    } programs;
    unsigned made, names;
    int64_t born_ms;
};

int loop_open(struct loop *loop);
void loop_close(struct loop *loop); /* ends all workloads */
void loop_send(struct loop *loop, struct ask *ask);
void loop_withdraw(struct loop *loop, struct ask *ask);
int loop_watch_source(struct loop *loop, struct source *source);

int ask_init(struct ask *ask, enum ask_kind kind);
void ask_clear(struct ask *ask);
int ask_answer_status(struct loop *loop, struct ask *ask, const struct gantry_status *status);
int ask_answer_line(struct loop *loop, struct ask *ask, const struct gantry_line *line);
int ask_answer_event(struct loop *loop, struct ask *ask, const struct gantry_event *event);
GANTRY_PRINTF(4, 5)
void ask_end(struct loop *loop, struct ask *ask, int code, const char *format, ...);

void work_begin(struct loop *loop, struct ask *ask);
void work_withdraw(struct loop *loop, struct ask *ask);
void work_exited(struct loop *loop, struct workload *workload);
struct workload *work_find(const struct loop *loop, const char *handle); /* or NULL */

/* Each but tell_changed() ends the question; tell_watch() only when it fails. */
void tell_end(struct loop *loop, struct ask *ask,
              const struct workload *workload); /* with its status */
void tell_logs(struct loop *loop, struct ask *ask);
void tell_inspect(struct loop *loop, struct ask *ask);
void tell_list(struct loop *loop, struct ask *ask);
void tell_watch(struct loop *loop, struct ask *ask);
void tell_no_more(struct loop *loop, struct ask *ask, int code,
                  const char *text); /* one who watches */
void tell_changed(struct loop *loop, const struct workload *workload);

struct workload *run_new(const struct gantry_spec *spec, const char *program);
void run_free(struct workload *workload);
int run_spawn(struct loop *loop, struct workload *workload); /* 0 or an errno */
void run_stop(struct workload *workload, uint32_t grace_ms);
void run_read(struct loop *loop, struct source *source);
void run_reap(struct loop *loop, struct workload *workload);
void run_time(struct loop *loop); /* kills who had long enough */
int run_next_ms(const struct loop *loop);

int64_t monotonic_ms(void);
int64_t unix_ms(void);
#endif
