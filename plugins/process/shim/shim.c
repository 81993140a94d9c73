/* The shim's loop: signals, the two pipes, one timer.  See shim.h.
 *
 *     start ─► RUNNING ◄─► PAUSED
 *                │ ends                      told to end: STOPPING ─► EXITED
 *                ├─► RESTARTING ─► start
 *                └─► EXITED, FAILED: the shim ends
 *
 * Each change is written down first and acted on then, so that whoever finds the folder without its
 * shim knows what was meant. */
#include "shim.h"
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DELAY_MIN_MS     100
#define DELAY_MAX_MS     60000
#define STEADY_MS        10000 /* who ran so long is started again at once */
#define GRACE_DEFAULT_MS 10000
#define NEVER_MS         INT64_MAX
#define READ_SIZE        65536

enum policy { POLICY_NO, POLICY_ON_FAILURE, POLICY_ALWAYS };

struct shim {
    int folder, signals;
    const char *name, *cgroup_parent;
    struct process_state state;
    struct child child;
    struct log_writer log;
    struct log_lines out, err;
    enum policy policy;
    bool once, told, over;
    int64_t delay_ms, began_ms; /* monotonic */
    int64_t timer_ms;           /* start again, or kill, then; NEVER_MS */
};

static int64_t
clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t
next_delay(struct shim *shim)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = 0;
    if (clock_ms(CLOCK_MONOTONIC) - shim->began_ms >= STEADY_MS || shim->delay_ms == 0)
        shim->delay_ms = DELAY_MIN_MS;
    else if (shim->delay_ms < DELAY_MAX_MS)
        shim->delay_ms = shim->delay_ms * 2 < DELAY_MAX_MS ? shim->delay_ms * 2 : DELAY_MAX_MS;
    return shim->delay_ms + random % (uint32_t)(shim->delay_ms / 10 + 1);
}

/* ---- telling ----------------------------------------------------------------------------------- */

static int
change_state(struct shim *shim, enum gantry_state state)
{
    shim->state.state = state;
    return state_write(shim->folder, &shim->state);
}

/* To whoever started us, once. */
static void
tell(struct shim *shim, int32_t code, const char *text)
{
    struct shim_told told = {.code = code};
    if (shim->told)
        return;
    shim->told = true;
    snprintf(told.text, sizeof told.text, "%s", text);
    ssize_t ignored = write(SHIM_TOLD_FD, &told, sizeof told);
    (void)ignored; /* nobody may wait any more */
    close(SHIM_TOLD_FD);
}

/* A disk may be slow: the time counts from when others can see it. */
static void
wait_for_restart(struct shim *shim)
{
    int64_t delay_ms = next_delay(shim);
    change_state(shim, GANTRY_STATE_RESTARTING);
    shim->timer_ms = clock_ms(CLOCK_MONOTONIC) + delay_ms;
}

static void
end_with(struct shim *shim, enum gantry_state state)
{
    shim->over = true;
    shim->timer_ms = NEVER_MS;
    change_state(shim, state);
}

/* It could not become the program.  What time may heal is tried again, if it ran before. */
static void
fail_start(struct shim *shim, int32_t code, int32_t exit_code, const char *text)
{
    snprintf(shim->state.error, sizeof shim->state.error, "%s", text);
    cgroup_remove(shim->state.cgroup);
    shim->state.cgroup[0] = '\0';
    if (code == GANTRY_E_UNAVAILABLE && shim->told && !shim->once && !shim->state.stopped) {
        wait_for_restart(shim);
        return;
    }
    shim->state.exit_code = exit_code;
    shim->state.finished_ms = clock_ms(CLOCK_REALTIME);
    shim->state.present |= GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_FINISHED;
    end_with(shim, GANTRY_STATE_FAILED);
    tell(shim, code, text);
}

/* ---- output ------------------------------------------------------------------------------------ */

static void
close_pipe(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Take what is there; false: nothing more for now. */
static bool
read_pipe(struct shim *shim, int *fd, struct log_lines *lines)
{
    static char block[READ_SIZE];
    ssize_t got = *fd < 0 ? 0 : read(*fd, block, sizeof block);
    if (got > 0) {
        log_lines_feed(lines, &shim->log, wall_ns(), block, (size_t)got);
        return true;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_pipe(fd);
    return false;
}

static void
drain(struct shim *shim)
{
    while (read_pipe(shim, &shim->child.out, &shim->out))
        ;
    while (read_pipe(shim, &shim->child.err, &shim->err))
        ;
    close_pipe(&shim->child.out);
    close_pipe(&shim->child.err);
    log_lines_end(&shim->out, &shim->log, wall_ns());
    log_lines_end(&shim->err, &shim->log, wall_ns());
}

/* ---- ending what runs --------------------------------------------------------------------------- */

static void
kill_group(const struct shim *shim, int signal_number)
{
    if (shim->child.identity.pid > 0)
        kill(-(pid_t)shim->child.identity.pid, signal_number);
}

/* Whoever has left group and session is our child by now, or will be when its parent has ended.  Nobody else
 * reaps them, so their pids are theirs.  false: /proc cannot be read. */
static bool
kill_children(void)
{
    char path[300];
    DIR *all = opendir("/proc");
    const struct dirent *entry;
    while (all && (entry = readdir(all))) {
        int64_t parent;
        long pid = strtol(entry->d_name, NULL, 10);
        snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
        if (pid > 0 && identity_parent(path, &parent) && parent == getpid())
            kill((pid_t)pid, SIGKILL);
    }
    if (all)
        closedir(all);
    return all != NULL;
}

/* The program has ended and is not reaped yet, so that its group is still its own. */
static void
end_rest(struct shim *shim)
{
    int status = 0;
    kill_group(shim, SIGKILL);
    cgroup_kill(shim->state.cgroup);
    for (;;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            pid = waitpid(-1, &status, kill_children() ? 0 : WNOHANG);
        if (pid == (pid_t)shim->child.identity.pid) {
            bool exited = WIFEXITED(status);
            shim->state.exit_code = exited ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        if (pid == 0 || (pid < 0 && errno != EINTR))
            break;
    }
    shim->child.identity = shim->state.child = (struct identity){0};
}

/* ---- starting ---------------------------------------------------------------------------------- */

static void
start(struct shim *shim)
{
    char problem[400] = "";
    struct child_failure failure;
    AUTO_RECORD spec = {0};
    shim->timer_ms = NEVER_MS;
    shim->state.error[0] = '\0';
    int rc = record_read(shim->folder, "spec", &spec);
    if (rc < 0) {
        fail_start(shim, GANTRY_E_INTERNAL, 126, "its file 'spec' cannot be read");
        return;
    }
    if (cgroup_make(shim->cgroup_parent, shim->name, &spec, shim->state.cgroup, problem,
                    sizeof problem) < 0) {
        fail_start(shim, GANTRY_E_INVALID, 126, problem);
        return;
    }
    record_clear(&spec);
    rc = child_fork(shim->folder, shim->state.cgroup, &shim->child);
    if (rc < 0) {
        fail_start(shim, GANTRY_E_UNAVAILABLE, 126, "no further process can be made");
        return;
    }
    shim->state.child = shim->child.identity;
    shim->state.started_ms = clock_ms(CLOCK_REALTIME);
    shim->state.present |= GANTRY_STATUS_STARTED | GANTRY_STATUS_RESTARTS;
    shim->began_ms = clock_ms(CLOCK_MONOTONIC);
    rc = change_state(shim, GANTRY_STATE_STARTING);
    if (rc < 0) {
        snprintf(problem, sizeof problem, "its file 'state' cannot be written: %s",
                 strerrordesc_np(-rc));
        close(shim->child.go);
        close(shim->child.wrong);
        end_rest(shim);
        fail_start(shim, GANTRY_E_UNAVAILABLE, 126, problem);
        return;
    }
    child_go(&shim->child, &failure);
    if (failure.code == 0) {
        change_state(shim, GANTRY_STATE_RUNNING);
        tell(shim, 0, "");
        return;
    }
    end_rest(shim);
    drain(shim);
    fail_start(shim, failure.code, failure.exit_code, failure.text);
}

/* ---- what happens ------------------------------------------------------------------------------- */

static void
ended(struct shim *shim)
{
    struct process_state *state = &shim->state;
    end_rest(shim);
    state->out_of_memory = cgroup_oom_kills(state->cgroup) > 0;
    cgroup_remove(state->cgroup);
    if (*state->cgroup)
        state->present |= GANTRY_STATUS_OUT_OF_MEMORY;
    state->present |= GANTRY_STATUS_EXIT_CODE | GANTRY_STATUS_FINISHED;
    state->cgroup[0] = '\0';
    drain(shim);
    state->finished_ms = clock_ms(CLOCK_REALTIME);
    bool again = shim->policy == POLICY_ALWAYS ||
                 (shim->policy == POLICY_ON_FAILURE && state->exit_code != 0);
    if (state->stopped || shim->once || !again) {
        end_with(shim, state->stopped || state->exit_code == 0 ? GANTRY_STATE_EXITED
                                                               : GANTRY_STATE_FAILED);
        return;
    }
    wait_for_restart(shim);
}

static void
told_to_end(struct shim *shim, const struct signalfd_siginfo *info)
{
    int64_t grace_ms = info->ssi_code == SI_QUEUE ? info->ssi_int : GRACE_DEFAULT_MS;
    int64_t kill_ms = clock_ms(CLOCK_MONOTONIC) + (grace_ms < 0 ? 0 : grace_ms);
    bool again = shim->state.stopped;
    shim->state.stopped = 1;
    if (shim->state.state == GANTRY_STATE_RESTARTING) {
        end_with(shim, GANTRY_STATE_EXITED);
        return;
    }
    if (!again || kill_ms < shim->timer_ms)
        shim->timer_ms = kill_ms;
    if (again)
        return;
    change_state(shim, GANTRY_STATE_STOPPING);
    kill_group(shim, SIGTERM);
    kill_group(shim, SIGCONT);
}

static void
told_to_go_on(struct shim *shim, const struct signalfd_siginfo *info)
{
    shim->once = info->ssi_code == SI_QUEUE && info->ssi_int == 1;
    if (shim->state.state == GANTRY_STATE_PAUSED)
        kill_group(shim, SIGCONT);
    if (shim->state.state == GANTRY_STATE_RESTARTING)
        shim->timer_ms = 0;
}

/* Returns true when the program has ended; others that it left behind are reaped. */
static bool
look_at_children(struct shim *shim)
{
    siginfo_t info;
    pid_t program = (pid_t)shim->child.identity.pid;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            break;
        if (info.si_pid == program)
            return true;
        waitpid(info.si_pid, NULL, WNOHANG);
    }
    info.si_pid = 0;
    if (program && waitid(P_PID, (id_t)program, &info, WSTOPPED | WCONTINUED | WNOHANG) == 0 &&
        info.si_pid) {
        bool stopped = info.si_code == CLD_STOPPED;
        if (stopped && shim->state.state == GANTRY_STATE_RUNNING)
            change_state(shim, GANTRY_STATE_PAUSED);
        else if (!stopped && shim->state.state == GANTRY_STATE_PAUSED)
            change_state(shim, GANTRY_STATE_RUNNING);
    }
    return false;
}

static void
on_timer(struct shim *shim)
{
    shim->timer_ms = NEVER_MS;
    if (shim->state.state == GANTRY_STATE_RESTARTING) {
        shim->state.restarts++;
        start(shim);
        return;
    }
    cgroup_kill(shim->state.cgroup);
    kill_group(shim, SIGKILL);
}

static void
on_signal(struct shim *shim)
{
    struct signalfd_siginfo info;
    if (read(shim->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD) {
        if (look_at_children(shim))
            ended(shim);
    } else if (info.ssi_signo == SIGUSR1)
        told_to_go_on(shim, &info);
    else
        told_to_end(shim, &info);
}

static void
loop(struct shim *shim)
{
    while (!shim->over) {
        int64_t left = NEVER_MS;
        if (shim->timer_ms != NEVER_MS)
            left = shim->timer_ms - clock_ms(CLOCK_MONOTONIC);
        struct pollfd fds[] = {
            {shim->signals, POLLIN, 0}, {shim->child.out, POLLIN, 0}, {shim->child.err, POLLIN, 0}};
        int timeout = left == NEVER_MS ? -1 : left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
        (void)poll(fds, 3, timeout); /* a failure passes; the program is not left alone for it */
        if (fds[1].revents)
            read_pipe(shim, &shim->child.out, &shim->out);
        if (fds[2].revents)
            read_pipe(shim, &shim->child.err, &shim->err);
        if (fds[0].revents)
            on_signal(shim);
        if (!shim->over && shim->timer_ms <= clock_ms(CLOCK_MONOTONIC))
            on_timer(shim);
    }
}

/* ---- beginning ---------------------------------------------------------------------------------- */

static bool
read_policy(struct shim *shim)
{
    AUTO_RECORD spec = {0};
    if (record_read(shim->folder, "spec", &spec) < 0)
        return false;
    const char *restart = record_find(&spec, "restart");
    shim->policy = restart && strcmp(restart, "no") == 0           ? POLICY_NO
                   : restart && strcmp(restart, "on-failure") == 0 ? POLICY_ON_FAILURE
                                                                   : POLICY_ALWAYS;
    log_writer_open(&shim->log, shim->folder,
                    (uint64_t)record_number(&spec, "log_max_size", 10000000),
                    (uint64_t)record_number(&spec, "log_max_files", 3));
    return true;
}

static int
take_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (const int *s = (const int[]){SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD, 0}; *s; s++)
        sigaddset(&set, *s);
    sigprocmask(SIG_SETMASK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log that may not grow costs lines, as a full disk does */
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
main(int argc, char **argv)
{
    struct shim shim = {.timer_ms = NEVER_MS, .child = {.out = -1, .err = -1}};
    shim.out.stream = 'o';
    shim.err.stream = 'e';
    if (argc != 4 || fcntl(SHIM_TOLD_FD, F_SETFD, FD_CLOEXEC) < 0)
        return 2; /* it is nothing to run by hand */
    /* Whoever started us waits for the first process alone, and never has us for a child. */
    pid_t pid = fork();
    if (pid != 0)
        _exit(pid < 0);
    setsid();
    close_range(SHIM_TOLD_FD + 1, ~0U, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0,
          0); /* it has read secrets; exec makes the program dumpable again */
    shim.name = strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1];
    shim.cgroup_parent = argv[2];
    shim.once = strcmp(argv[3], "once") == 0;
    shim.folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    shim.signals = take_signals();
    if (chdir("/") < 0 || shim.folder < 0 || shim.signals < 0 || !read_policy(&shim)) {
        tell(&shim, GANTRY_E_UNAVAILABLE, "its folder cannot be used");
        return 1;
    }
    int lock = state_lock(shim.folder); /* at most one shim lives for a folder */
    if (lock < 0) {
        if (lock == -EWOULDBLOCK)
            tell(&shim, GANTRY_E_CONFLICT, "it is run by another shim already");
        else
            tell(&shim, GANTRY_E_UNAVAILABLE, "its file 'lock' cannot be locked");
        return 1;
    }
    if (machine_read(&shim.state.machine) < 0 || identity_of(getpid(), &shim.state.shim) < 0) {
        tell(&shim, GANTRY_E_UNAVAILABLE, "/proc cannot be read");
        return 1;
    }
    start(&shim);
    loop(&shim);
    log_writer_close(&shim.log);
    close(shim.folder);
    return 0;
}
