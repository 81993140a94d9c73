/* command.c - a command that is run within a call: it ends with the call. */
#define _GNU_SOURCE /* pipe2 */
#include "runc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { OUTPUT_MAX_BYTES = 64 << 20 };

static char *const environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};

int64_t
monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
step_must_finish(struct step *step, int64_t ms)
{
    step->finish_by_ms = monotonic_ms() + ms;
}

struct step
step_undoing(const struct step *step)
{
    struct step undo = {.runc = step->runc, .call = step->call, .undoes = true};
    step_must_finish(&undo, 30000);
    return undo;
}

int
step_check(struct step *step)
{
    if (step->finish_by_ms > 0)
        return monotonic_ms() < step->finish_by_ms
                   ? 0
                   : FAIL(step, GANTRY_E_TIMEOUT, "what was begun could not be finished in time");
    if (gantry_cancelled(step->runc->host, step->call))
        return FAIL(step, GANTRY_E_CANCELLED, "the call was cancelled");
    if (gantry_remaining_ms(step->runc->host, step->call) == 0)
        return FAIL(step, GANTRY_E_TIMEOUT, "the call's time was over");
    return 0;
}

int
step_wait(struct step *step, const int32_t *fds, uint32_t n, int64_t ms)
{
    int rc = gantry_wait(step->runc->host, step->call, fds, n, ms,
                         step->finish_by_ms > 0 ? GANTRY_WAIT_FINISH : 0);
    if (rc < 0)
        return rc;
    return step_check(step);
}

void
output_clear(struct output *output)
{
    free(output->text);
    output->text = NULL;
}

/* Returns 1 when something came, 0 at the end, else a code. */
static int
read_text(struct step *step, int fd, struct output *output)
{
    enum { PIECE = 65536 };
    char *more = realloc(output->text, output->size + PIECE + 1);
    if (!more || output->size > OUTPUT_MAX_BYTES)
        return FAIL(step, GANTRY_E_NOMEM, "a command wrote more than fits into memory");
    output->text = more;
    ssize_t got = read(fd, more + output->size, PIECE);
    if (got > 0)
        output->size += (size_t)got;
    more[output->size] = '\0';
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static int
read_error(int fd, struct output *output)
{
    char bytes[512];
    size_t have = strlen(output->error);
    ssize_t got = read(fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got && have + 1 < sizeof output->error; i++)
        output->error[have++] = bytes[i] == '\n' ? ' ' : bytes[i];
    output->error[have] = '\0';
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static int
spawn(struct step *step, const char *const *arguments, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawn_file_actions_init(&files);
    if (rc != 0)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    rc = posix_spawnattr_init(&how);
    if (rc ==
        0) { /* a session of its own: the terminal's signals are not for it, nor for what it starts */
        posix_spawnattr_setsigmask(&how, &none);
        posix_spawnattr_setsigdefault(&how, &all);
        posix_spawnattr_setflags(
            &how, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID));
        rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        if (rc == 0)
            rc = posix_spawn_file_actions_adddup2(&files, out, 1);
        if (rc == 0)
            rc = posix_spawn_file_actions_adddup2(&files, err, 2);
        if (rc == 0) /* posix_spawn() changes no argument: its type is older than const */
            rc = posix_spawnp(pid, arguments[0], &files, &how, (char *const *)(uintptr_t)arguments,
                              environment);
        posix_spawnattr_destroy(&how);
    }
    posix_spawn_file_actions_destroy(&files);
    return rc == 0 ? 0
                   : FAIL(step, GANTRY_E_UNAVAILABLE,
                          "command '%s' cannot be run (error %d): install it", arguments[0], rc);
}

static int
read_all(struct step *step, int out, int err, struct output *output)
{
    int32_t fds[2] = {out, err};
    uint32_t open = 2;
    int rc = 0;
    while (open > 0 && rc == 0) {
        rc = step_wait(step, fds, open, 60000);
        struct pollfd ready[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
        if (rc != 0 || poll(ready, 2, 0) < 0)
            continue;
        if (out >= 0 && ready[0].revents) {
            rc = read_text(step, out, output);
            if (rc == 0)
                out = -1;
        }
        if (rc >= 0 && err >= 0 && ready[1].revents && read_error(err, output) == 0)
            err = -1;
        rc = rc < 0 ? rc : 0;
        open = 0;
        if (out >= 0)
            fds[open++] = out;
        if (err >= 0)
            fds[open++] = err;
    }
    return rc;
}

int
command_run(struct step *step, const char *const *arguments, struct output *output)
{
    int out[2], err[2], how = 0;
    pid_t pid = 0;
    *output = (struct output){.text = calloc(1, 1)};
    if (!output->text)
        return FAIL(step, GANTRY_E_NOMEM, "out of memory");
    if (pipe2(out, O_CLOEXEC) != 0) {
        output_clear(output);
        return FAIL(step, GANTRY_E_UNAVAILABLE, "no descriptor is free");
    }
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        output_clear(output);
        return FAIL(step, GANTRY_E_UNAVAILABLE, "no descriptor is free");
    }
    int rc = spawn(step, arguments, out[1], err[1], &pid);
    close(out[1]);
    close(err[1]);
    if (rc == 0) {
        rc = read_all(step, out[0], err[0], output);
        if (rc < 0)
            kill(pid,
                 SIGKILL); /* it alone: the shell beside a workload may have been started by it */
        while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
            ;
        output->code = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
    }
    close(out[0]);
    close(err[0]);
    if (rc < 0)
        output_clear(output);
    return rc;
}
