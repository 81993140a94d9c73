/* promise_process.c - a plugin is a guest in a process: what it must leave as it was. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#define MOST 4096 /* descriptors and threads that are looked at */

/* A life of the plugin, from open() to close(). */
static int
visit(struct kit *kit)
{
    return kit_apart(kit, kit_live_once);
}

/* ---- threads and descriptors ---------------------------------------------------------------------- */

static bool
holds(const int *list, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}

/* What is there now, and was not before; after a while in which it may go.  *stranger: -1: nothing. */
static int
find_stranger(struct kit *kit, const char *folder, const int *before, size_t count, int *stranger)
{
    int *now = arena_alloc_array(&kit->arena, MOST, sizeof *now);
    for (int64_t until_ms = clock_mono_ms() + KIT_SOON_MS; now;) {
        size_t n;
        *stranger = -1;
        if (!kit_read_numbers(folder, now, MOST, &n))
            return kit_not_offered(kit, "%s cannot be read", folder);
        for (size_t i = 0; i < n && *stranger < 0; i++)
            if (!holds(before, count, now[i]))
                *stranger = now[i];
        if (*stranger < 0 || clock_mono_ms() > until_ms)
            return KIT_OK;
        kit_pause(kit);
    }
    return kit_broken(kit, "the kit ran out of memory");
}

/* What it is, for a person. */
static const char *
read_target(const char *folder, int number, char *target, size_t size)
{
    char link[64];
    snprintf(link, sizeof link, "%s/%d", folder, number);
    ssize_t length = readlink(link, target, size - 1);
    target[MAX(length, 0)] = '\0';
    return target;
}

/* Twice: the first life may bring what the host itself keeps. */
static int
expect_none_left(struct kit *kit, const char *folder, const char *what)
{
    int *before = arena_alloc_array(&kit->arena, MOST, sizeof *before), stranger = -1;
    size_t count;
    if (!before)
        return kit_broken(kit, "the kit ran out of memory");
    KIT_CHECK(visit(kit));
    if (!kit_read_numbers(folder, before, MOST, &count))
        return kit_not_offered(kit, "%s cannot be read", folder);
    KIT_CHECK(visit(kit));
    KIT_CHECK(find_stranger(kit, folder, before, count, &stranger));
    if (stranger < 0)
        return KIT_OK;
    char target[128];
    return kit_broken(kit, "%s %d is left after close(): %s", what, stranger,
                      read_target(folder, stranger, target, sizeof target));
}

int
kit_try_process_no_thread_is_left(struct kit *kit)
{
    return expect_none_left(kit, KIT_THREADS, "thread");
}

int
kit_try_process_no_descriptor_is_left(struct kit *kit)
{
    return expect_none_left(kit, KIT_DESCRIPTORS, "descriptor");
}

int
kit_try_process_no_child_is_left(struct kit *kit)
{
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        return kit_not_offered(kit, "this process has children of its own");
    KIT_CHECK(visit(kit));
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        return kit_broken(kit,
                          info.si_pid ? "child process %d was not waited for"
                                      : "a child process is left that runs",
                          (int)info.si_pid);
    return KIT_OK;
}

/* A plugin that waits for any child takes away those of the program. */
int
kit_try_process_waits_for_its_own_children(struct kit *kit)
{
    pid_t child = fork();
    int status;
    if (child == 0)
        _exit(7);
    if (child < 0)
        return kit_not_offered(kit, "no process can be made");
    siginfo_t info;
    (void)waitid(P_PID, (id_t)child, &info,
                 WEXITED | WNOWAIT); /* from now on anybody can take it */
    int came = visit(kit);
    if (waitpid(child, &status, 0) != child)
        return kit_broken(kit, "it has waited for a child process of the program");
    return came;
}

/* ---- while it is open ----------------------------------------------------------------------------- */

/* Judge each thread or descriptor that is there while the plugin is open, and was not before. */
static int
judge_new(struct kit *kit, const char *folder, int (*judge)(struct kit *kit, int number))
{
    int *before = arena_alloc_array(&kit->arena, MOST, sizeof *before);
    int *now = arena_alloc_array(&kit->arena, MOST, sizeof *now);
    size_t count, n;
    if (!before || !now)
        return kit_broken(kit, "the kit ran out of memory");
    KIT_CHECK(kit_live_once(kit)); /* so that the host has its worker */
    if (!kit_read_numbers(folder, before, MOST, &count))
        return kit_not_offered(kit, "%s cannot be read", folder);
    struct runtime_backend *own = kit->backend, *other = NULL;
    if (kit_open(kit, NULL, NULL, &other, NULL) < 0)
        return kit_broken(kit, "the plugin cannot be opened once more");
    kit->backend = other;
    int came = kit_live_once(kit);
    kit->backend = own;
    bool known = kit_read_numbers(folder, now, MOST, &n);
    for (size_t i = 0; came == KIT_OK && known && i < n; i++)
        if (!holds(before, count, now[i]))
            came = judge(kit, now[i]);
    runtime_close(other);
    return came;
}

/* libcurl makes a pair of sockets without a name for each HTTP client of the host, and does not mark them. */
static bool
is_socket_pair(int fd)
{
    struct sockaddr_un peer = {0};
    socklen_t size = sizeof peer;
    return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && peer.sun_family == AF_UNIX &&
           size <= offsetof(struct sockaddr_un, sun_path);
}

/* Else each program that is started has it.  The host's own are all close-on-exec. */
static int
judge_descriptor(struct kit *kit, int fd)
{
    char target[128];
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) || is_socket_pair(fd))
        return KIT_OK;
    return kit_broken(kit, "descriptor %d of the plugin is not close-on-exec: %s", fd,
                      read_target(KIT_DESCRIPTORS, fd, target, sizeof target));
}

static int
judge_descriptors(struct kit *kit)
{
    return judge_new(kit, KIT_DESCRIPTORS, judge_descriptor);
}

int
kit_try_process_descriptors_are_not_inherited(struct kit *kit)
{
    return kit_apart(kit, judge_descriptors);
}

/* Nobody blocks the C library's own signals but the library itself, and SIGKILL and SIGSTOP cannot be blocked. */
#define OF_THE_LIBRARY (UINT64_C(3) << (__SIGRTMIN - 1))
#define NOT_BLOCKED    (UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1) | OF_THE_LIBRARY)

/* What a thread blocks; all, when it is gone. */
static uint64_t
read_blocked(int thread)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, KIT_THREADS "/%d/status", thread);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    text[MAX(n, 0)] = '\0';
    const char *at = strstr(text, "SigBlk:\t");
    return at ? strtoull(at + 8, NULL, 16) : UINT64_MAX;
}

/* While a thread begins and while it ends, the C library blocks its own signals too: what it blocks in its life is
 * not to be seen then. */
static int
judge_thread(struct kit *kit, int thread)
{
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    uint64_t blocked = read_blocked(thread);
    while (blocked != UINT64_MAX && (blocked & OF_THE_LIBRARY) && clock_mono_ms() < until_ms) {
        kit_pause(kit);
        blocked = read_blocked(thread);
    }
    return ~blocked & ~NOT_BLOCKED
               ? kit_broken(kit, "thread %d of the plugin does not block all signals", thread)
               : KIT_OK;
}

static int
judge_threads(struct kit *kit)
{
    return judge_new(kit, KIT_THREADS, judge_thread);
}

int
kit_try_process_threads_block_signals(struct kit *kit)
{
    return kit_apart(kit, judge_threads);
}

/* ---- what the kernel keeps for the process -------------------------------------------------------- */

struct kit_surroundings {
    struct sigaction actions[64];
    sigset_t mask;
    char folder[4096];
    mode_t umask_bits;
    uint64_t environment;
    char locale[256];
};

/* Its flags do not count: the host's HTTP client sets SIGPIPE and sets it back, by which the C library adds one. */
static bool
same_handler(const struct sigaction *a, const struct sigaction *b)
{
    return a->sa_handler == b->sa_handler;
}

static uint64_t
digest_environment(void)
{
    uint64_t sum = 0;
    for (char **at = environ; at && *at; at++)
        sum = sum * 31 + text_digest(*at);
    return sum;
}

struct kit_surroundings *
kit_surroundings(void)
{
    struct kit_surroundings *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    for (int i = 1; i < 64; i++)
        (void)sigaction(i, NULL, &p->actions[i]);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &p->mask);
    if (!getcwd(p->folder, sizeof p->folder))
        p->folder[0] = '\0';
    p->umask_bits = umask(0);
    (void)umask(p->umask_bits);
    p->environment = digest_environment();
    snprintf(p->locale, sizeof p->locale, "%s", setlocale(LC_ALL, NULL));
    return p;
}

/* Compare what was before the plugin was loaded with what is after one more visit. */
static int
compare(struct kit *kit, int (*differ)(struct kit *kit, const struct kit_surroundings *before,
                                       const struct kit_surroundings *now))
{
    KIT_CHECK(visit(kit));
    struct kit_surroundings *now = kit_surroundings();
    int came = now && kit->source->before ? differ(kit, kit->source->before, now)
                                          : kit_broken(kit, "the kit ran out of memory");
    free(now);
    return came;
}

static int
signals_differ(struct kit *kit, const struct kit_surroundings *before,
               const struct kit_surroundings *now)
{
    for (int i = 1; i < 64; i++) {
        if (!same_handler(&before->actions[i], &now->actions[i]))
            return kit_broken(kit, "it has changed what signal %d does", i);
        if (sigismember(&before->mask, i) != sigismember(&now->mask, i))
            return kit_broken(kit, "it has changed whether signal %d is blocked", i);
    }
    return KIT_OK;
}

int
kit_try_process_signals_are_left_alone(struct kit *kit)
{
    return compare(kit, signals_differ);
}

static int
surroundings_differ(struct kit *kit, const struct kit_surroundings *before,
                    const struct kit_surroundings *now)
{
    if (!text_eq(before->folder, now->folder))
        return kit_broken(kit, "it has changed the working directory to '%s'", now->folder);
    if (before->umask_bits != now->umask_bits)
        return kit_broken(kit, "it has changed the umask to %03o", (unsigned)now->umask_bits);
    if (before->environment != now->environment)
        return kit_broken(kit, "it has changed the environment");
    if (!text_eq(before->locale, now->locale))
        return kit_broken(kit, "it has changed the locale to '%s'", now->locale);
    return KIT_OK;
}

int
kit_try_process_surroundings_are_left_alone(struct kit *kit)
{
    return compare(kit, surroundings_differ);
}

/* ---- standard output ------------------------------------------------------------------------------ */

/* Put something else in the place of a descriptor; returns a copy of what was there, or -1. */
static int
divert(int fd, int to)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy >= 0 && dup2(to, fd) < 0) {
        close(copy);
        return -1;
    }
    return copy;
}

static void
give_back(int fd, int copy)
{
    if (copy < 0)
        return;
    (void)dup2(copy, fd);
    close(copy);
}

int
kit_try_process_writes_nothing(struct kit *kit)
{
    FILE *caught = tmpfile();
    char text[200];
    if (kit->request->trace || !caught) {
        if (caught)
            fclose(caught);
        return kit_not_offered(kit, "what passes is shown, and may be shown on standard output");
    }
    (void)fflush(NULL);
    int out = divert(STDOUT_FILENO, fileno(caught)), err = divert(STDERR_FILENO, fileno(caught));
    int came = visit(kit);
    (void)fflush(NULL);
    give_back(STDOUT_FILENO, out);
    give_back(STDERR_FILENO, err);
    ssize_t n = pread(fileno(caught), text, sizeof text - 1, 0);
    fclose(caught);
    text[MAX(n, 0)] = '\0';
    if (n > 0)
        return kit_broken(kit, "it has written to standard output or standard error: %s", text);
    return came;
}
