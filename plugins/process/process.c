/* process - runs workloads as processes of this host, for machines without a container engine.
 *
 * This file has the plugin's table and its settings, and what every operation needs.  The manual is
 * process.md; process.h says what lies where. */
#include "process.h"

#include "cgroup.h"
#include "options.h"
#include "settings.h"
#include "words.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define SHIM "gantry-process-shim"

#define BACKEND_SETTING(k, t, def, what)                                                           \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = (t), .scope = GANTRY_SCOPE_BACKEND,         \
        .key = (k), .fallback = (def), .help = (what)                                              \
    }
#define WORKLOAD_SETTING(k, t, def, words, what)                                                   \
    {                                                                                              \
        .size = sizeof(struct gantry_setting), .type = (t), .scope = GANTRY_SCOPE_WORKLOAD,        \
        .key = (k), .fallback = (def), .choices = (words), .help = (what)                          \
    }

static const struct gantry_setting process_settings[] = {
    BACKEND_SETTING("images", GANTRY_TYPE_MAP, NULL,
                    "what runs for an image: REFERENCE=COMMAND; without a tag it is for all tags"),
    BACKEND_SETTING("program_folders", GANTRY_TYPE_LIST, NULL,
                    "folders; an image that is the path of a program below one of them is run"),
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_PATH,
     .scope = GANTRY_SCOPE_BACKEND,
     .flags = GANTRY_SETTING_PLACE,
     .key = "folder",
     .help = "where workloads and their logs are kept (default: below state_dir)"},
    BACKEND_SETTING("cgroup", GANTRY_TYPE_STRING, "auto",
                    "cgroup2 directory in which workloads get theirs: a path, auto or none"),

    WORKLOAD_SETTING("working_directory", GANTRY_TYPE_PATH, NULL, NULL,
                     "folder in which it runs (default: /)"),
    WORKLOAD_SETTING("user", GANTRY_TYPE_STRING, NULL, NULL,
                     "user to run as: NAME or UID, with :GROUP if wished (default: Gantry's own)"),
    WORKLOAD_SETTING("group", GANTRY_TYPE_STRING, NULL, NULL,
                     "group to run as, NAME or GID (default: the user's)"),
    WORKLOAD_SETTING("ulimits", GANTRY_TYPE_LIST, NULL, NULL,
                     "limits of its processes, each NAME=SOFT:HARD"),
    WORKLOAD_SETTING("memory", GANTRY_TYPE_SIZE, NULL, NULL, "most memory that it may use"),
    WORKLOAD_SETTING("cpus", GANTRY_TYPE_NUMBER, NULL, NULL,
                     "most CPUs that it may use, such as 1.5"),
    WORKLOAD_SETTING("pids_limit", GANTRY_TYPE_INTEGER, NULL, NULL, "most processes and threads"),
    WORKLOAD_SETTING("hardened", GANTRY_TYPE_BOOL, "no", NULL,
                     "no new privileges and no capabilities, also where it runs as root"),
    WORKLOAD_SETTING("no_new_privileges", GANTRY_TYPE_BOOL, "yes", NULL,
                     "its processes cannot gain rights by set-user-ID programs"),
    WORKLOAD_SETTING("secrets", GANTRY_TYPE_CHOICE, "environment", option_secrets_choices,
                     "how it gets secret variables: NAME, or NAME_FILE with the path of a file"),
    WORKLOAD_SETTING("restart", GANTRY_TYPE_CHOICE, "unless-stopped", option_restart_choices,
                     "when it is started again at once when it ends"),
    WORKLOAD_SETTING("log_max_size", GANTRY_TYPE_SIZE, "10MB", NULL,
                     "size at which a new log file begins"),
    WORKLOAD_SETTING("log_max_files", GANTRY_TYPE_INTEGER, "3", NULL,
                     "how many log files are kept"),
};

/* ---- errors and waiting ---------------------------------------------------------------------------- */

int
process_fail(struct process_task *task, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(task->error, sizeof task->error, format, args);
    va_end(args);
    return code;
}

static int
code_of_errno(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
        return GANTRY_E_DENIED;
    case ENOMEM:
        return GANTRY_E_NOMEM;
    case EBADMSG:
        return GANTRY_E_INTERNAL;
    default:
        return GANTRY_E_UNAVAILABLE;
    }
}

int
process_fail_errno(struct process_task *task, int error, const char *format, ...)
{
    char text[800];
    const char *words = error == -EBADMSG ? "it is damaged; remove its folder" : NULL;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!words)
        words = strerrordesc_np(-error);
    return process_fail(task, code_of_errno(-error), "%s: %s", text, words ? words : "unknown");
}

int
process_cancelled(struct process_task *task)
{
    if (gantry_cancelled(task->process->host, task->call))
        return process_fail(task, GANTRY_E_CANCELLED, "it was asked to end");
    if (gantry_remaining_ms(task->process->host, task->call) <= 0)
        return process_fail(task, GANTRY_E_TIMEOUT, "the time for it is over");
    return 0;
}

bool
process_wait(struct process_task *task, const int32_t *fds, uint32_t count, int64_t timeout_ms)
{
    return gantry_wait(task->process->host, task->call, fds, count, timeout_ms,
                       task->finishing ? GANTRY_WAIT_FINISH : 0) > 0;
}

/* ---- open and close ----------------------------------------------------------------------------------- */

static void
process_close(void *self)
{
    struct process *process = self;
    if (!process)
        return;
    for (size_t i = 0; i < process->image_count; i++)
        free(process->images[i].image);
    for (size_t i = 0; i < process->program_folder_count; i++)
        free(process->program_folders[i]);
    free(process->images);
    free(process->program_folders);
    free(process->folder);
    free(process->shim);
    free(process->cgroup);
    free(process);
}

static int
copy(struct process_task *task, const char *text, char **out)
{
    *out = strdup(text);
    return *out ? 0 : process_fail(task, GANTRY_E_NOMEM, "process: out of memory");
}

/* The shim lies beside this plugin. */
static int
find_shim(struct process_task *task)
{
    Dl_info here;
    char path[4200];
    if (!dladdr((const void *)process_settings, &here) || !here.dli_fname)
        return process_fail(task, GANTRY_E_INTERNAL, "this plugin does not know where it lies");
    const char *slash = strrchr(here.dli_fname, '/');
    int folder = slash ? (int)(slash - here.dli_fname) : 1;
    snprintf(path, sizeof path, "%.*s/" SHIM, folder, slash ? here.dli_fname : ".");
    if (access(path, X_OK) < 0)
        return process_fail(task, GANTRY_E_INVALID,
                            "'%s' cannot be run; it has to lie beside the plugin", path);
    task->process->shim = realpath(path, NULL);
    return task->process->shim ? 0 : process_fail(task, GANTRY_E_NOMEM, "process: out of memory");
}

static int
find_folder(struct process_task *task, const struct gantry_settings *settings)
{
    const struct gantry_folder *host =
        gantry_extension(task->process->host, GANTRY_EXTENSION_FOLDER);
    const char *folder = settings_text(settings, "folder");
    if (!folder && host)
        folder = host->path(task->process->host);
    if (!folder)
        return process_fail(task, GANTRY_E_INVALID, "folder: this host offers none; set it");
    return copy(task, folder, &task->process->folder);
}

static int
take_images(struct process_task *task, const struct gantry_value *value)
{
    struct process *process = task->process;
    uint32_t count = value ? value->item_count : 0;
    process->images = calloc(count + 1, sizeof *process->images);
    if (!process->images)
        return process_fail(task, GANTRY_E_NOMEM, "process: out of memory");
    for (uint32_t i = 0; i < count; i++) {
        struct process_map *row = &process->images[i];
        AUTO_TEXT words = TEXT(1 << 17);
        size_t used;
        int code = copy(task, value->items[i], &row->image);
        if (code < 0)
            return code;
        process->image_count++;
        row->command = strchr(row->image, '=');
        if (row->command)
            *row->command++ = '\0';
        row->image[strcspn(row->image, " \t")] = '\0'; /* blanks may stand around the = */
        const char *problem =
            row->command ? words_split(row->command, &words, &used) : "it is not REFERENCE=COMMAND";
        if (problem)
            return process_fail(task, GANTRY_E_INVALID, "images: the command of '%.200s': %s",
                                row->image, problem);
    }
    return 0;
}

static int
take_folders(struct process_task *task, const struct gantry_value *value)
{
    struct process *process = task->process;
    uint32_t count = value ? value->item_count : 0;
    process->program_folders = calloc(count + 1, sizeof *process->program_folders);
    if (!process->program_folders)
        return process_fail(task, GANTRY_E_NOMEM, "process: out of memory");
    for (uint32_t i = 0; i < count; i++) {
        if (value->items[i][0] != '/')
            return process_fail(task, GANTRY_E_INVALID,
                                "program_folders: '%.200s' is no absolute path", value->items[i]);
        int code = copy(task, value->items[i], &process->program_folders[i]);
        if (code < 0)
            return code;
        process->program_folder_count++;
    }
    return 0;
}

static int
take_cgroup(struct process_task *task, const struct gantry_settings *settings)
{
    const char *cgroup = settings_text(settings, "cgroup");
    if (!cgroup)
        cgroup = "auto";
    if (cgroup[0] != '/' && strcmp(cgroup, "auto") != 0 && strcmp(cgroup, "none") != 0)
        return process_fail(task, GANTRY_E_INVALID,
                            "cgroup: '%.200s' is neither auto, none nor an absolute path", cgroup);
    return copy(task, cgroup, &task->process->cgroup);
}

static int
process_open(struct gantry_call *call, const struct gantry_host *host,
             const struct gantry_settings *settings, void **self)
{
    struct process *process = calloc(1, sizeof *process);
    struct process_task task = {.process = process, .call = call};
    char problem[600];
    if (!process)
        return gantry_fail(host, call, GANTRY_E_NOMEM, "process: out of memory");
    process->host = host;
    int code = find_shim(&task);
    if (code == 0)
        code = find_folder(&task, settings);
    if (code == 0)
        code = take_cgroup(&task, settings);
    if (code == 0)
        code = take_images(&task, settings_find(settings, "images"));
    if (code == 0)
        code = take_folders(&task, settings_find(settings, "program_folders"));
    /* The workloads' defaults are in the same section: what is wrong there is told now. */
    if (code == 0 && !spec_settings_check(settings, problem, sizeof problem))
        code = process_fail(&task, GANTRY_E_INVALID, "%s", problem);
    if (code < 0) {
        process_close(process);
        return gantry_fail(host, call, code, "%s", task.error);
    }
    *self = process;
    return 0;
}

/* ---- the table ------------------------------------------------------------------------------------------ */

static int
end(const struct process_task *task, int code)
{
    if (code < 0 && *task->error)
        return gantry_fail(task->process->host, task->call, code, "%s", task->error);
    return code;
}

#define TASK(self, call)                                                                           \
    {                                                                                              \
        .process = (self), .call = (call)                                                          \
    }

static int
process_start(void *self, struct gantry_call *call, const struct gantry_ref *existing,
              const struct gantry_spec *spec, uint32_t flags)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_start(&task, existing, spec, flags));
}

static int
process_stop(void *self, struct gantry_call *call, const struct gantry_ref *ref, uint32_t grace_ms)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_stop(&task, ref, grace_ms));
}

static int
process_remove(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_remove(&task, ref));
}

static int
process_logs(void *self, struct gantry_call *call, const struct gantry_ref *ref, const char *cursor,
             const struct gantry_log_limits *limits)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_logs(&task, ref, cursor, limits));
}

static int
process_inspect(void *self, struct gantry_call *call, const struct gantry_ref *ref)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_inspect(&task, ref));
}

static int
process_list(void *self, struct gantry_call *call, const struct gantry_pair *labels, uint32_t count,
             uint32_t stride)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_list(&task, labels, count, stride));
}

static int
process_watch(void *self, struct gantry_call *call, const struct gantry_pair *labels,
              uint32_t count, uint32_t stride)
{
    struct process_task task = TASK(self, call);
    return end(&task, process_op_watch(&task, labels, count, stride));
}

/* Nothing is fetched: the program is there, or it is not. */
static int
process_pull(void *self, struct gantry_call *call, const struct gantry_spec *spec)
{
    struct process_task task = TASK(self, call);
    AUTO_TEXT command = TEXT(1 << 17);
    return end(&task, spec_command(&task, spec, &command));
}

static int
process_probe(void *self, struct gantry_call *call)
{
    struct process_task task = TASK(self, call);
    struct utsname system;
    char parent[CGROUP_PATH_MAX] = "", detail[CGROUP_PATH_MAX + 32];
    int folder = workload_folder(&task);
    if (folder < 0)
        return end(&task, folder);
    close(folder);
    if (strcmp(task.process->cgroup, "auto") == 0 && !cgroup_own(parent, sizeof parent))
        parent[0] = '\0';
    if (task.process->cgroup[0] == '/')
        snprintf(parent, sizeof parent, "%s", task.process->cgroup);
    snprintf(detail, sizeof detail, "%s%s", *parent ? "cgroup " : "process groups, no cgroup",
             parent);
    const struct gantry_traits traits = {
        .size = sizeof traits,
        .product = "Linux processes",
        .version = uname(&system) == 0 ? system.release : "unknown",
        .detail = detail,
    };
    return gantry_emit_traits(task.process->host, call, &traits);
}

static const struct gantry_plugin process = {
    GANTRY_PLUGIN_HEAD,
    .name = "process",
    .version = GANTRY_VERSION_STRING,
    .summary = "runs connectors as processes of this host",
    .threads = GANTRY_THREADS_PARALLEL,
    GANTRY_SETTINGS(process_settings),
    .open = process_open,
    .close = process_close,
    .start = process_start,
    .stop = process_stop,
    .remove = process_remove,
    .logs = process_logs,
    .inspect = process_inspect,
    .list = process_list,
    .watch = process_watch,
    .pull = process_pull,
    .probe = process_probe,
};
GANTRY_PLUGIN(process)
