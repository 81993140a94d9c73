/* Room for images.  See disk.h. */
#include "disk.h"
#include "settings.h"

#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB (INT64_C(1024) * 1024)

void
engine_disk_settings(struct engine *engine, const struct gantry_settings *settings)
{
    const struct gantry_value *value = settings_find(settings, "min_free_space");
    engine->min_free_bytes = value ? value->number : 0;
}

/* An engine behind a forwarded socket, or one that looks at other disks than we do from our container, has
 * another host's name. */
static bool
is_of_this_machine(const cJSON *info)
{
    char own[256] = "";
    const char *name = json_text(info, "Name");
    if (!name) /* Podman's own API */
        name = json_text(info, "host.hostname");
    return name && gethostname(own, sizeof own - 1) == 0 && strcmp(name, own) == 0;
}

static int
check_folder(struct engine_task *task, const char *image, const char *folder)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) < 0)
        return 0; /* it is not to be seen from here */
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (free_bytes >= (uint64_t)task->engine->min_free_bytes)
        return 0;
    return engine_fail(task, GANTRY_E_UNAVAILABLE,
                       "pull image '%s': only %lld MiB are free where the engine keeps images, in "
                       "'%s', and min_free_space is %lld MiB; make room there, or change "
                       "min_free_space",
                       image, (long long)(free_bytes / (uint64_t)MIB), folder,
                       (long long)(task->engine->min_free_bytes / MIB));
}

int
engine_disk_check(struct engine_task *task, const char *image)
{
    if (task->engine->min_free_bytes <= 0 || !task->engine->unix_socket)
        return 0;
    const struct engine_request request = {
        .method = "GET", .path = "/info", .doing = "ask for the disk of", .subject = "the engine"};
    struct engine_task own = engine_task_again(task);
    AUTO_REPLY reply = {0};
    if (engine_do(&own, &request, &reply) < 0)
        return 0; /* the pull itself will tell what is wrong */
    AUTO_JSON info = json_parse(&reply.body);
    const char *folder = json_text(info, "DockerRootDir");
    if (!folder)
        folder = json_text(info, "store.graphRoot");
    if (!folder || !folder[0] || !is_of_this_machine(info))
        return 0;
    return check_folder(task, image, folder);
}
