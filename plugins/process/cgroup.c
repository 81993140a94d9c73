/* cgroup v2 by its files.  See cgroup.h. */
#include "cgroup.h"
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REMOVE_TRIES   50
#define REMOVE_STEP_MS 10
#define PERIOD_US      100000

static int
write_file(const char *folder, const char *name, const char *text)
{
    char path[CGROUP_PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = write(fd, text, strlen(text)) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

/* ---- where ------------------------------------------------------------------------------------- */

static bool
mount_point(char *path, size_t size)
{
    struct mntent entry;
    char text[4096];
    bool found = false;
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    if (!mounts)
        return false;
    while (!found && getmntent_r(mounts, &entry, text, sizeof text))
        if (strcmp(entry.mnt_type, "cgroup2") == 0)
            found = (size_t)snprintf(path, size, "%s", entry.mnt_dir) < size;
    endmntent(mounts);
    return found;
}

/* Behind the line "0::" of /proc/self/cgroup. */
static bool
own_name(char *name, size_t size)
{
    char line[CGROUP_PATH_MAX];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            found = (size_t)snprintf(name, size, "%s", line + 3) < size;
        }
    fclose(file);
    return found;
}

bool
cgroup_own(char *path, size_t size)
{
    char point[256], name[CGROUP_PATH_MAX];
    if (!mount_point(point, sizeof point) || !own_name(name, sizeof name))
        return false;
    int length = snprintf(path, size, "%s%s", point, strcmp(name, "/") == 0 ? "" : name);
    return length > 0 && (size_t)length < size && access(path, W_OK) == 0;
}

/* ---- limits ------------------------------------------------------------------------------------ */

struct limit {
    const char *setting, *controller, *file;
    char value[64];
};

/* A controller counts below a directory only when that says so; fails where processes are in it. */
static void
want_controller(const char *parent, const char *controller)
{
    char word[32];
    snprintf(word, sizeof word, "+%s", controller);
    (void)write_file(parent, "cgroup.subtree_control", word);
}

static int
set_limit(const char *parent, const char *path, const struct limit *limit, char *problem,
          size_t size)
{
    int rc = write_file(path, limit->file, limit->value);
    if (rc == 0)
        return 0;
    if (rc == -ENOENT)
        snprintf(problem, size,
                 "%s: the cgroup '%s' has no controller '%s' for what is below it; let 'cgroup' be "
                 "one that has, or leave the limit out",
                 limit->setting, parent, limit->controller);
    else
        snprintf(problem, size, "%s: '%s/%s' does not take '%s': %s", limit->setting, path,
                 limit->file, limit->value, strerrordesc_np(-rc));
    return rc;
}

static size_t
read_limits(const struct record *spec, struct limit *limits)
{
    size_t count = 0;
    const char *memory = record_find(spec, "memory"), *cpus = record_find(spec, "cpus");
    const char *pids = record_find(spec, "pids_limit");
    if (memory) {
        limits[count] = (struct limit){"memory", "memory", "memory.max", ""};
        snprintf(limits[count++].value, sizeof limits->value, "%s", memory);
    }
    if (pids) {
        limits[count] = (struct limit){"pids_limit", "pids", "pids.max", ""};
        snprintf(limits[count++].value, sizeof limits->value, "%s", pids);
    }
    long long nano;
    if (cpus && option_parse_cpus(cpus, &nano)) {
        limits[count] = (struct limit){"cpus", "cpu", "cpu.max", ""};
        snprintf(limits[count++].value, sizeof limits->value, "%lld %d",
                 nano / (1000000000 / PERIOD_US), PERIOD_US);
    }
    return count;
}

int
cgroup_make(const char *parent, const char *name, const struct record *spec, char *path,
            char *problem, size_t problem_size)
{
    struct limit limits[3];
    size_t count = read_limits(spec, limits);
    int length = snprintf(path, CGROUP_PATH_MAX, "%s/gantry-%s", parent, name);
    int rc = !*parent || length >= CGROUP_PATH_MAX ? -ENOENT : 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        want_controller(parent, limits[i].controller);
    if (rc == 0 && mkdir(path, 0755) < 0 && errno != EEXIST)
        rc = -errno;
    if (rc < 0) {
        path[0] = '\0';
        snprintf(problem, problem_size,
                 "%s: there is no cgroup2 directory that this process may write to; let 'cgroup' "
                 "be one, or leave the limit out",
                 count ? limits[0].setting : "");
        return count ? rc : 0;
    }
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = set_limit(parent, path, &limits[i], problem, problem_size);
    if (rc == 0 && record_find(spec, "memory"))
        (void)write_file(path, "memory.swap.max", "0"); /* is not there without swap accounting */
    if (rc < 0) {
        rmdir(path);
        path[0] = '\0';
    }
    return rc;
}

/* ---- use --------------------------------------------------------------------------------------- */

int
cgroup_enter(const char *path)
{
    return write_file(path, "cgroup.procs", "0");
}

bool
cgroup_kill(const char *path)
{
    return *path && write_file(path, "cgroup.kill", "1") == 0;
}

int64_t
cgroup_oom_kills(const char *path)
{
    char name[CGROUP_PATH_MAX + 64], line[128];
    long long found = 0;
    snprintf(name, sizeof name, "%s/memory.events", path);
    FILE *file = *path ? fopen(name, "re") : NULL;
    if (!file)
        return 0;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "oom_kill ", 9) == 0)
            found = strtoll(line + 9, NULL, 10);
    fclose(file);
    return found;
}

void
cgroup_remove(const char *path)
{
    const struct timespec step = {.tv_nsec = REMOVE_STEP_MS * 1000000L};
    if (!*path)
        return;
    /* What was killed is counted until it is reaped. */
    for (int i = 0; i < REMOVE_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
        nanosleep(&step, NULL);
}
