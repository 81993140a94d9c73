/* run.c - one workload: its process, and the lines that it has written. */
#define _GNU_SOURCE /* pipe2, syscall */
#include "async.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2 << 20, LOG_MAX_BYTES = 8 << 20 };

/* ---- making one ----------------------------------------------------------------------------------- */

static bool
copy_environment(struct workload *workload, const struct gantry_spec *spec)
{
    workload->environment = calloc(spec->environment_count + 2, sizeof *workload->environment);
    if (!workload->environment)
        return false;
    bool path = false;
    uint32_t i;
    for (i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable =
            GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
        size_t size = strlen(variable->key) + strlen(variable->value) + 2;
        path = path || strcmp(variable->key, "PATH") == 0;
        workload->environment[i] = malloc(size);
        if (!workload->environment[i])
            return false;
        snprintf(workload->environment[i], size, "%s=%s", variable->key, variable->value);
    }
    return path || (workload->environment[i] = strdup("PATH=/usr/bin:/bin"));
}

static bool
copy_labels(struct workload *workload, const struct gantry_spec *spec)
{
    workload->labels = calloc(spec->label_count + 1, sizeof workload->labels[0]);
    if (!workload->labels)
        return false;
    for (uint32_t i = 0; i < spec->label_count; i++) {
        const struct gantry_pair *from =
            GANTRY_AT(struct gantry_pair, spec->labels, spec->label_stride, i);
        struct gantry_pair *to = &workload->labels[workload->label_count++];
        to->key = strdup(from->key);
        to->value = strdup(from->value);
        if (!to->key || !to->value)
            return false;
    }
    return true;
}

static void
clear_source(struct source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    free(source->partial);
    source->fd = -1;
    source->partial = NULL;
    source->partial_size = source->partial_room = 0;
}

struct workload *
run_new(const struct gantry_spec *spec, const char *program)
{
    struct workload *workload = calloc(1, sizeof *workload);
    if (!workload)
        return NULL;
    workload->out = (struct source){.kind = SOURCE_STDOUT, .fd = -1, .workload = workload};
    workload->err = (struct source){.kind = SOURCE_STDERR, .fd = -1, .workload = workload};
    workload->process = (struct source){.kind = SOURCE_PROCESS, .fd = -1, .workload = workload};
    workload->last_line = &workload->lines;
    workload->state = GANTRY_STATE_CREATED;
    workload->created_ms = unix_ms();
    workload->grace_ms = spec->stop_grace_ms;
    workload->name = strdup(spec->name);
    workload->id = strdup(spec->id);
    workload->hash = strdup(spec->hash);
    workload->image = strdup(spec->image);
    workload->program = strdup(program);
    if (workload->name && workload->id && workload->hash && workload->image && workload->program &&
        copy_environment(workload, spec) && copy_labels(workload, spec))
        return workload;
    run_free(workload);
    return NULL;
}

/* A pair's texts are this workload's own: const is for those who read them. */
static void
free_text(const char *text)
{
    free((void *)(uintptr_t)text);
}

static void
wipe_and_free(char *text)
{
    for (volatile char *byte = text; byte && *byte; byte++)
        *byte = 0;
    free(text);
}

void
run_free(struct workload *workload)
{
    if (!workload)
        return;
    for (char **variable = workload->environment; variable && *variable; variable++)
        wipe_and_free(*variable);
    for (uint32_t i = 0; i < workload->label_count; i++) {
        free_text(workload->labels[i].key);
        free_text(workload->labels[i].value);
    }
    for (struct line *line = workload->lines, *next; line; line = next) {
        next = line->next;
        free(line);
    }
    clear_source(&workload->out);
    clear_source(&workload->err);
    clear_source(&workload->process);
    free(workload->environment);
    free(workload->labels);
    free(workload->handle);
    free(workload->name);
    free(workload->id);
    free(workload->hash);
    free(workload->image);
    free(workload->program);
    free(workload);
}

/* ---- its process ---------------------------------------------------------------------------------- */

/* As a program expects it: no signal blocked or ignored, a process group of its own. */
static int
spawn_with(struct workload *workload, int out, int err)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    char *const arguments[] = {workload->program, NULL};
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawn_file_actions_init(&files);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&how);
    if (rc == 0) {
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setsigdefault(&how, &all);
        posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                           POSIX_SPAWN_SETPGROUP);
        rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        if (rc == 0)
            rc = posix_spawn_file_actions_adddup2(&files, out, 1);
        if (rc == 0)
            rc = posix_spawn_file_actions_adddup2(&files, err, 2);
        if (rc == 0)
            rc = posix_spawn(&workload->pid, workload->program, &files, &how, arguments,
                             workload->environment);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

static int
listen_to(struct loop *loop, struct source *source, int fd)
{
    clear_source(source);
    source->fd = fd;
    return loop_watch_source(loop, source);
}

int
run_spawn(struct loop *loop, struct workload *workload)
{
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    if (pipe2(err, O_CLOEXEC | O_NONBLOCK) != 0) {
        int problem = errno;
        close(out[0]);
        close(out[1]);
        return problem;
    }
    for (int i = 0; i < 2; i++) /* the program's ends wait, as programs expect */
        (void)fcntl(i ? err[1] : out[1], F_SETFL, O_WRONLY);
    int rc = spawn_with(workload, out[1], err[1]);
    close(out[1]);
    close(err[1]);
    int rc_out = listen_to(loop, &workload->out, out[0]);
    int rc_err = listen_to(loop, &workload->err, err[0]);
    if (rc != 0) {
        workload->pid = 0;
        clear_source(&workload->out);
        clear_source(&workload->err);
        return rc;
    }
    rc = rc_out ? rc_out : rc_err;
    int process = (int)syscall(SYS_pidfd_open, workload->pid, 0);
    if (process < 0 && rc == 0)
        rc = errno;
    if (process >= 0 && rc == 0)
        rc = listen_to(loop, &workload->process, process);
    if (rc != 0) { /* nobody would notice its end */
        kill(-workload->pid, SIGKILL);
        waitpid(workload->pid, NULL, 0);
        workload->pid = 0;
        clear_source(&workload->out);
        clear_source(&workload->err);
        clear_source(&workload->process);
        return rc;
    }
    workload->state = GANTRY_STATE_RUNNING;
    workload->started_ms = unix_ms();
    workload->kill_at_ms = 0;
    workload->told = false;
    workload->ran = true;
    return 0;
}

void
run_stop(struct workload *workload, uint32_t grace_ms)
{
    int64_t kill_at_ms = monotonic_ms() + grace_ms;
    if (!workload->told)
        kill(-workload->pid, SIGTERM);
    if (!workload->told || kill_at_ms < workload->kill_at_ms)
        workload->kill_at_ms = kill_at_ms;
    workload->told = true;
    workload->state = GANTRY_STATE_STOPPING;
}

void
run_reap(struct loop *loop, struct workload *workload)
{
    int how = 0;
    if (waitpid(workload->pid, &how, WNOHANG) == 0)
        return;
    kill(-workload->pid, SIGKILL); /* what it has left behind */
    workload->pid = 0;
    workload->kill_at_ms = 0;
    workload->finished_ms = unix_ms();
    workload->exit_code = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
    workload->state =
        workload->told || workload->exit_code == 0 ? GANTRY_STATE_EXITED : GANTRY_STATE_FAILED;
    run_read(loop, &workload->out);
    run_read(loop, &workload->err);
    clear_source(&workload->process);
    gantry_log(loop->host, NULL, GANTRY_LOG_DEBUG, "workload '%s' ended with code %d",
               workload->name, (int)workload->exit_code);
    work_exited(loop, workload);
}

void
run_time(struct loop *loop)
{
    int64_t now = monotonic_ms();
    for (struct workload *workload = loop->workloads; workload; workload = workload->next)
        if (workload->kill_at_ms && workload->kill_at_ms <= now) {
            kill(-workload->pid, SIGKILL);
            workload->kill_at_ms = 0;
        }
}

int
run_next_ms(const struct loop *loop)
{
    int64_t now = monotonic_ms(), next = -1;
    for (const struct workload *workload = loop->workloads; workload; workload = workload->next)
        if (workload->kill_at_ms && (next < 0 || workload->kill_at_ms - now < next))
            next = workload->kill_at_ms > now ? workload->kill_at_ms - now : 0;
    return next > 60000 ? 60000 : (int)next;
}

/* ---- its log -------------------------------------------------------------------------------------- */

static void
add_line(struct workload *workload, uint32_t stream, const char *bytes, size_t size)
{
    struct timespec now;
    struct line *line = malloc(sizeof *line + size);
    workload->last_number++;
    if (!line)
        return; /* a log has gaps when memory runs out; its program runs on */
    clock_gettime(CLOCK_REALTIME, &now);
    *line = (struct line){.number = workload->last_number,
                          .time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
                          .size = size,
                          .stream = stream};
    memcpy(line->bytes, bytes, size);
    *workload->last_line = line;
    workload->last_line = &line->next;
    workload->line_bytes += size;
    while (workload->line_bytes > LOG_MAX_BYTES && workload->lines != line) {
        struct line *oldest = workload->lines;
        workload->lines = oldest->next;
        workload->line_bytes -= oldest->size;
        free(oldest);
    }
}

static void
add_partial(struct source *source, const char *bytes, size_t size)
{
    size_t room = source->partial_size + size;
    if (room > LINE_MAX_BYTES)
        size = LINE_MAX_BYTES - source->partial_size;
    if (room > source->partial_room) {
        char *more = realloc(source->partial, 2 * room);
        if (!more)
            return;
        source->partial = more;
        source->partial_room = 2 * room;
    }
    memcpy(source->partial + source->partial_size, bytes, size);
    source->partial_size += size;
}

static void
end_line(struct source *source)
{
    add_line(source->workload,
             source->kind == SOURCE_STDOUT ? GANTRY_STREAM_STDOUT : GANTRY_STREAM_STDERR,
             source->partial ? source->partial : "", source->partial_size);
    source->partial_size = 0;
}

/* Read what is there; at its end, or when the process has ended, close it. */
void
run_read(struct loop *loop, struct source *source)
{
    char bytes[65536];
    ssize_t got = -1;
    (void)loop;
    while (source->fd >= 0 && (got = read(source->fd, bytes, sizeof bytes)) > 0) {
        const char *at = bytes, *end = bytes + got;
        for (const char *newline; (newline = memchr(at, '\n', (size_t)(end - at)));
             at = newline + 1) {
            add_partial(source, at, (size_t)(newline - at));
            end_line(source);
        }
        add_partial(source, at, (size_t)(end - at));
        if (source->workload->pid)
            return; /* the others' turn */
    }
    bool waits = got < 0 && (errno == EAGAIN || errno == EINTR);
    if (source->fd >= 0 && (!waits || !source->workload->pid)) {
        if (source->partial_size > 0)
            end_line(source);
        clear_source(source);
    }
}
