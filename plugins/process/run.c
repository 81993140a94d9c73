/* Shims: started, asked, waited for.  See process.h and shim/shim.h.
 *
 * Every signal goes by a pidfd that was compared first (identity.h). */
#include "cgroup.h"
#include "process.h"
#include "shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define START_MS  30000 /* from the shim's start until the program runs */
#define MARGIN_MS 10000 /* from SIGKILL until everything has ended */

static int64_t
clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until the descriptor can be read; false: the time is over, or the call's. */
static bool
wait_for(struct process_task *task, int fd, int64_t timeout_ms)
{
    int64_t until_ms = clock_ms() + timeout_ms, left;
    while ((left = until_ms - clock_ms()) > 0) {
        const int32_t fds[] = {fd};
        if (process_wait(task, fds, 1, left) && identity_has_ended(fd, 0))
            return true;
        if (!task->finishing && process_cancelled(task) < 0)
            return false;
    }
    return identity_has_ended(fd, 0);
}

/* ---- start ------------------------------------------------------------------------------------------ */

/* 0, or an errno.  *pid: the first process of the shim, which ends at once. */
static int
spawn(const struct process *process, char *const *arguments, int told, pid_t *pid)
{
    static char *const no_variables[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&files);
    if (error)
        return error;
    error = posix_spawnattr_init(&how);
    if (error) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    error = posix_spawn_file_actions_adddup2(&files, told, SHIM_TOLD_FD);
    for (int fd = 0; error == 0 && fd < 3; fd++)
        error =
            posix_spawn_file_actions_addopen(&files, fd, "/dev/null", fd ? O_WRONLY : O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn(pid, process->shim, &files, &how, arguments, no_variables);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

static void
reap(pid_t pid)
{
    siginfo_t info;
    /* Where the host ignores SIGCHLD there is nothing to reap. */
    while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
        ;
}

static int
hear(struct process_task *task, int fd, const char *name)
{
    struct shim_told told = {0};
    if (!wait_for(task, fd, START_MS))
        return process_fail(task, GANTRY_E_TIMEOUT, "'%s' does not start: its shim says nothing",
                            name);
    ssize_t got = read(fd, &told, sizeof told);
    told.text[sizeof told.text - 1] = '\0';
    if (got != (ssize_t)sizeof told)
        return process_fail(task, GANTRY_E_UNAVAILABLE, "start '%s': its shim ended at once", name);
    if (told.code < 0)
        return process_fail(task, told.code, "start '%s': %s", name, told.text);
    return 0;
}

int
run_start(struct process_task *task, const char *handle, bool once)
{
    const struct process *process = task->process;
    char parent[CGROUP_PATH_MAX] = "", name[PROCESS_HANDLE_MAX];
    AUTO_TEXT path = TEXT(4096);
    int told[2];
    pid_t pid;
    snprintf(name, sizeof name, "%s", handle);
    text_addf(&path, "%s/workloads/%s", process->folder, handle);
    if (strcmp(process->cgroup, "auto") == 0) {
        if (!cgroup_own(parent, sizeof parent))
            parent[0] = '\0';
    } else if (strcmp(process->cgroup, "none") != 0)
        snprintf(parent, sizeof parent, "%s", process->cgroup);
    if (path.failed || pipe2(told, O_CLOEXEC) < 0)
        return process_fail(task, GANTRY_E_UNAVAILABLE, "start '%s': no pipe can be made", name);
    char program[] = "gantry-process-shim", once_word[] = "once", restart_word[] = "restart";
    char *const arguments[] = {program, path.data, parent, once ? once_word : restart_word, NULL};
    int error = spawn(process, arguments, told[1], &pid);
    close(told[1]);
    int code = 0;
    if (error)
        code = process_fail_errno(task, -error, "the program '%s' cannot be run", process->shim);
    else {
        reap(pid);
        struct process_task own = *task;
        own.finishing = true; /* it takes milliseconds, and what it says is the result */
        code = hear(&own, told[0], name);
        memcpy(task->error, own.error, sizeof task->error);
    }
    close(told[0]);
    return code;
}

/* ---- ask ---------------------------------------------------------------------------------------------- */

/* 0, or a negative errno. */
static int
send(int pidfd, int signal_number, int value)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal_number;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return pidfd_send_signal(pidfd, signal_number, &info, 0) < 0 ? -errno : 0;
}

static int
send_failed(struct process_task *task, const struct workload *workload, int error)
{
    return process_fail_errno(task, error, "the shim of '%s' cannot be reached",
                              workload_name(workload));
}

int
run_go_on(struct process_task *task, struct workload *workload, bool once)
{
    char path[64];
    int shim = identity_open(&workload->state.shim);
    if (shim < 0)
        return send_failed(task, workload, shim);
    int changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    snprintf(path, sizeof path, "/proc/self/fd/%d", workload->folder);
    bool watched = changes >= 0 && inotify_add_watch(changes, path, IN_MOVED_TO) >= 0;
    int rc = send(shim, SIGUSR1, once);
    int64_t until_ms = clock_ms() + MARGIN_MS;
    int code = rc < 0 ? send_failed(task, workload, rc) : workload_look(task, workload);
    while (code == 0 && watched && workload->shim_lives && clock_ms() < until_ms &&
           workload->state.state != GANTRY_STATE_RUNNING) {
        char events[4096];
        if (!wait_for(task, changes, until_ms - clock_ms()))
            break;
        while (read(changes, events, sizeof events) > 0)
            ;
        code = workload_look(task, workload);
    }
    if (changes >= 0)
        close(changes);
    close(shim);
    return code;
}

void
run_clear(struct workload *workload)
{
    char *cgroup = workload->state.cgroup;
    if (!*cgroup || workload->shim_lives || workload->child_lives)
        return;
    cgroup_kill(cgroup);
    cgroup_remove(cgroup);
    *cgroup = '\0';
}

/* ---- stop --------------------------------------------------------------------------------------------- */

static int
not_ended(struct process_task *task, const struct workload *workload)
{
    int code = task->finishing ? 0 : process_cancelled(task);
    return code < 0 ? code
                    : process_fail(task, GANTRY_E_TIMEOUT,
                                   "'%s' does not end, though it was killed; is it stuck in the "
                                   "kernel?",
                                   workload_name(workload));
}

static int
stop_by_shim(struct process_task *task, const struct workload *workload, uint32_t grace_ms)
{
    int shim = identity_open(&workload->state.shim);
    if (shim == -ESRCH)
        return 0;
    int value = grace_ms > INT32_MAX ? INT32_MAX : (int)grace_ms;
    int rc = shim < 0 ? shim : send(shim, SIGTERM, value);
    int code = rc < 0 && rc != -ESRCH ? send_failed(task, workload, rc) : 0;
    if (code == 0 && !wait_for(task, shim, (int64_t)grace_ms + MARGIN_MS))
        code = not_ended(task, workload);
    if (shim >= 0)
        close(shim);
    return code;
}

/* Its shim was killed.  The group is its own as long as its first process lives. */
static int
stop_orphan(struct process_task *task, struct workload *workload, uint32_t grace_ms)
{
    struct process_state *state = &workload->state;
    pid_t group = -(pid_t)state->child.pid;
    int child = identity_open(&state->child);
    if (child == -ESRCH)
        return 0;
    if (child < 0)
        return process_fail_errno(task, child, "'%s' cannot be reached", workload_name(workload));
    kill(group, SIGTERM);
    kill(group, SIGCONT);
    bool ended = wait_for(task, child, grace_ms);
    if (!ended && (task->finishing || process_cancelled(task) == 0)) {
        if (!cgroup_kill(state->cgroup))
            kill(group, SIGKILL);
        ended = wait_for(task, child, MARGIN_MS);
    }
    /* It has only just ended, so the group's number is not used again: what is left in it is its own. */
    if (ended)
        kill(group, SIGKILL);
    close(child);
    if (!ended)
        return not_ended(task, workload);
    workload->child_lives = false;
    run_clear(workload);
    state->stopped = 1;
    state->state = GANTRY_STATE_EXITED;
    state->error[0] = '\0';
    int rc = state_write(workload->folder, state);
    return rc < 0 ? process_fail_errno(task, rc, "the end of '%s' cannot be written down",
                                       workload_name(workload))
                  : 0;
}

int
run_stop(struct process_task *task, struct workload *workload, uint32_t grace_ms)
{
    int code = 0;
    if (workload->state.state == GANTRY_STATE_UNKNOWN)
        return process_fail(task, GANTRY_E_UNAVAILABLE, "'%s': %s", workload_name(workload),
                            workload->state.error);
    if (workload->shim_lives) {
        code = stop_by_shim(task, workload, grace_ms);
        if (code == 0)
            code = workload_look(task, workload);
    }
    if (code == 0 && workload->child_lives) {
        code = stop_orphan(task, workload, grace_ms);
        if (code == 0)
            code = workload_look(task, workload);
    }
    return code;
}
