/* From fork to exec: the child becomes the program of the file "spec".
 *
 * The shim has one thread, so the child may do what it likes.  Only the child keeps the environment and
 * with it the secrets; the shim wipes what it has read. */
#include "cgroup.h"
#include "shim.h"
#include "ulimits.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BECOME_MS      20000
#define BECOME_STEP_MS 100
#define DEFAULT_PATH   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- in the child ------------------------------------------------------------------------------ */

struct becoming {
    struct record spec;
    int wrong;
    uid_t uid;
    gid_t gid;
    const char *home; /* NULL: not known */
};

GANTRY_PRINTF(4, 5)
_Noreturn static void
give_up(const struct becoming *b, int code, int exit_code, const char *format, ...)
{
    struct child_failure failure = {.code = code, .exit_code = exit_code};
    failure.again = code == GANTRY_E_UNAVAILABLE;
    va_list args;
    va_start(args, format);
    vsnprintf(failure.text, sizeof failure.text, format, args);
    va_end(args);
    ssize_t ignored = write(b->wrong, &failure, sizeof failure);
    (void)ignored;
    _exit(exit_code);
}

_Noreturn static void
refuse(const struct becoming *b, const char *what, const char *on)
{
    give_up(b, GANTRY_E_INVALID, 126, "%s '%s': %s", what, on, strerrordesc_np(errno));
}

/* A user or group was not found, by errno: is there none, or could nobody look? */
static void
check_lookup(const struct becoming *b, const char *what, const char *name)
{
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO || errno == EAGAIN ||
        errno == EINTR)
        give_up(b, GANTRY_E_UNAVAILABLE, 126, "%s '%s' cannot be looked up: %s", what, name,
                strerrordesc_np(errno));
}

static void
find_user(struct becoming *b)
{
    const char *user = record_find(&b->spec, "user"), *group = record_find(&b->spec, "group");
    uint32_t number = geteuid();
    b->gid = getegid();
    bool is_number = user && identity_parse_id(user, &number);
    errno = 0;
    const struct passwd *entry = user && !is_number ? getpwnam(user) : getpwuid(number);
    if (user && !entry)
        check_lookup(b, "user", user);
    if (user && !entry && !is_number)
        give_up(b, GANTRY_E_INVALID, 126, "user '%s': there is no such user", user);
    b->home = entry ? entry->pw_dir : NULL;
    b->uid = entry ? entry->pw_uid : number;
    if (user)
        b->gid = entry ? entry->pw_gid : number; /* never by chance the group of root */
    if (user && b->uid != geteuid() && entry && initgroups(entry->pw_name, entry->pw_gid) < 0)
        refuse(b, "become user", user);
    if (user && b->uid != geteuid() && !entry && setgroups(0, NULL) < 0)
        refuse(b, "become user", user);
    if (!group)
        return;
    if (identity_parse_id(group, &b->gid))
        return;
    errno = 0;
    const struct group *found = getgrnam(group);
    if (found) {
        b->gid = found->gr_gid;
        return;
    }
    check_lookup(b, "group", group);
    give_up(b, GANTRY_E_INVALID, 126, "group '%s': there is no such group", group);
}

static void
become_user(const struct becoming *b)
{
    const char *user = record_find(&b->spec, "user"), *group = record_find(&b->spec, "group");
    if (b->gid != getegid() && setgid(b->gid) < 0)
        refuse(b, "become group", group ? group : user);
    if (b->uid != geteuid() && setuid(b->uid) < 0)
        refuse(b, "become user", user);
}

/* What Gantry's own unit lets it pass on is not for another user, nor for one without capabilities. */
static void
clear_inherited(const struct becoming *b)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    bool cleared = syscall(SYS_capget, &head, sets) == 0;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].inheritable = 0; /* and with them the ambient ones */
    if (!cleared || syscall(SYS_capset, &head, sets) < 0)
        refuse(b, "drop", "capabilities");
}

/* A program that is run as root would have all of these again. */
static void
drop_capabilities(const struct becoming *b)
{
    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 && geteuid() == 0)
            refuse(b, "drop", "capabilities");
    clear_inherited(b);
}

static void
set_limits(const struct becoming *b)
{
    char problem[200];
    for (const char *limit = NULL; (limit = record_next(&b->spec, "ulimit", limit));)
        if (!ulimit_set(limit, problem, sizeof problem))
            give_up(b, GANTRY_E_INVALID, 126, "ulimits: %s", problem);
}

static size_t
count_of(const struct record *spec, const char *key)
{
    size_t count = 0;
    for (const char *at = NULL; (at = record_next(spec, key, at));)
        count++;
    return count;
}

static char **
texts_of(const struct becoming *b, const char *key, size_t room)
{
    char **list = calloc(count_of(&b->spec, key) + room + 1, sizeof *list);
    size_t used = 0;
    if (!list)
        give_up(b, GANTRY_E_NOMEM, 126, "out of memory");
    for (const char *at = NULL; (at = record_next(&b->spec, key, at));)
        list[used++] = (char *)(uintptr_t)at;
    return list;
}

/* A program gets what the spec says; of ours only where to find programs, and its home. */
static char **
environment_of(const struct becoming *b)
{
    static char home[512];
    char **list = texts_of(b, "env", 2);
    size_t used = 0;
    bool has_path = false, has_home = false;
    for (; list[used]; used++) {
        has_path |= strncmp(list[used], "PATH=", 5) == 0;
        has_home |= strncmp(list[used], "HOME=", 5) == 0;
    }
    if (!has_path)
        list[used++] = (char *)(uintptr_t) "PATH=" DEFAULT_PATH;
    if (!has_home && b->home) {
        snprintf(home, sizeof home, "HOME=%s", b->home);
        list[used] = home;
    }
    return list;
}

_Noreturn static void
become_program(const struct becoming *b)
{
    char **arguments = texts_of(b, "arg", 0);
    environ = environment_of(b);
    if (!arguments[0])
        give_up(b, GANTRY_E_INVALID, 126, "its spec has no command");
    execvp(arguments[0], arguments);
    int error = errno;
    if (error == ENOENT || error == ENOTDIR)
        give_up(b, GANTRY_E_INVALID, 127,
                "cannot run '%s': there is no such program, or its interpreter is missing",
                arguments[0]);
    if (error == E2BIG)
        give_up(b, GANTRY_E_INVALID, 126,
                "cannot run '%s': its environment is too large for this system", arguments[0]);
    give_up(b, error == EAGAIN || error == ENOMEM ? GANTRY_E_UNAVAILABLE : GANTRY_E_INVALID, 126,
            "cannot run '%s': %s", arguments[0], strerrordesc_np(error));
}

/* Each secret or other file that is meant for it must be within reach of the user that it becomes. */
static void
check_files(const struct becoming *b)
{
    for (const char *file = NULL; (file = record_next(&b->spec, "file", file));)
        if (access(file, R_OK) < 0)
            give_up(b, GANTRY_E_INVALID, 126,
                    "user '%s' cannot read its file '%s': %s; let 'folder' be one that the user "
                    "can pass through",
                    record_find(&b->spec, "user"), file, strerrordesc_np(errno));
}

_Noreturn static void
become(int folder, const char *cgroup, int wrong)
{
    struct becoming b = {.wrong = wrong};
    int rc = record_read(folder, "spec", &b.spec);
    if (rc < 0)
        give_up(&b, GANTRY_E_INTERNAL, 126, "its file 'spec' cannot be read: %s",
                strerrordesc_np(-rc));
    if (*cgroup && (rc = cgroup_enter(cgroup)) < 0)
        give_up(&b, GANTRY_E_UNAVAILABLE, 126, "cgroup '%s' cannot be entered: %s", cgroup,
                strerrordesc_np(-rc));
    find_user(&b);
    set_limits(&b); /* few open files are too few to find a user */
    if (record_number(&b.spec, "hardened", 0))
        drop_capabilities(&b);
    else if (b.uid != geteuid())
        clear_inherited(&b);
    become_user(&b);
    const char *directory = record_find(&b.spec, "directory");
    umask(022);
    if (chdir(directory ? directory : "/") < 0)
        refuse(&b, "working_directory", directory ? directory : "/");
    check_files(&b);
    if (record_number(&b.spec, "no_new_privileges", 0) &&
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        refuse(&b, "set", "no_new_privileges");
    become_program(&b);
}

_Noreturn static void
child_main(int folder, const char *cgroup, const int out[2], const int err[2], const int go[2],
           int wrong)
{
    char byte;
    sigset_t none;
    sigemptyset(&none);
    setsid();
    close(go[1]);
    /* Not before the shim has written down who we are; if it dies, neither do we begin. */
    ssize_t got;
    do
        got = read(go[0], &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(126);
    if (dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
        _exit(126);
    for (int signal_number = 1; signal_number < NSIG; signal_number++)
        signal(signal_number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    become(folder, cgroup, wrong);
}

/* ---- in the shim ------------------------------------------------------------------------------- */

static void
close_pairs(int pairs[4][2])
{
    for (int i = 0; i < 4; i++)
        for (int end = 0; end < 2; end++)
            if (pairs[i][end] >= 0)
                close(pairs[i][end]);
}

int
child_fork(int folder, const char *cgroup, struct child *child)
{
    int pairs[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    for (int i = 0; i < 4; i++)
        if (pipe2(pairs[i], O_CLOEXEC) < 0) {
            int rc = -errno;
            close_pairs(pairs);
            return rc;
        }
    pid_t pid = fork();
    if (pid == 0)
        child_main(folder, cgroup, pairs[0], pairs[1], pairs[2], pairs[3][1]);
    int rc = pid < 0 ? -errno : identity_of(pid, &child->identity);
    if (rc < 0) {
        close_pairs(pairs); /* the child sees it and ends */
        if (pid > 0)
            waitpid(pid, NULL, 0);
        return rc;
    }
    child->out = pairs[0][0];
    child->err = pairs[1][0];
    child->go = pairs[2][1];
    child->wrong = pairs[3][0];
    pairs[0][0] = pairs[1][0] = pairs[2][1] = pairs[3][0] = -1;
    close_pairs(pairs);
    fcntl(child->out, F_SETFL, O_NONBLOCK);
    fcntl(child->err, F_SETFL, O_NONBLOCK);
    return 0;
}

static bool
is_told_to_end(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1 ||
            sigismember(&pending, SIGHUP) == 1);
}

/* Users, folders and files may be on a host that does not answer, and a cgroup may be frozen: it does not
 * wait for that longer than others wait for it.  false: it was ended for being too slow. */
static bool
wait_until_it_has(const struct child *child)
{
    struct pollfd wrong = {.fd = child->wrong, .events = POLLIN};
    for (int waited_ms = 0; waited_ms < BECOME_MS; waited_ms += BECOME_STEP_MS) {
        if (poll(&wrong, 1, BECOME_STEP_MS) > 0)
            return true;
        if (is_told_to_end()) {
            kill((pid_t)child->identity.pid, SIGKILL);
            return true;
        }
    }
    kill((pid_t)child->identity.pid, SIGKILL);
    return false;
}

void
child_go(struct child *child, struct child_failure *failure)
{
    ssize_t got = write(child->go, "g", 1);
    close(child->go);
    bool in_time = wait_until_it_has(child);
    do
        got = read(child->wrong, failure, sizeof *failure);
    while (got < 0 && errno == EINTR);
    close(child->wrong);
    child->go = child->wrong = -1;
    if (got != (ssize_t)sizeof *failure)
        *failure = (struct child_failure){0};
    if (in_time || got > 0)
        return;
    failure->code = GANTRY_E_UNAVAILABLE;
    failure->exit_code = 126;
    snprintf(failure->text, sizeof failure->text,
             "it did not begin within %d s; is its user, folder or cgroup out of reach?",
             BECOME_MS / 1000);
}
