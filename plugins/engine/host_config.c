/* Settings of a workload -> the engine's HostConfig.  Most are a row of a table: key, member, shape.
 * What is written wrong is refused before anything is printed. */
#include "engine.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static const struct option_member options[] = {
    {"network_mode", "NetworkMode", OPTION_TEXT},
    {"extra_hosts", "ExtraHosts", OPTION_LIST},
    {"dns", "Dns", OPTION_LIST},
    {"dns_search", "DnsSearch", OPTION_LIST},
    {"privileged", "Privileged", OPTION_BOOL},
    {"read_only", "ReadonlyRootfs", OPTION_BOOL},
    {"cap_add", "CapAdd", OPTION_LIST},
    {"cap_drop", "CapDrop", OPTION_LIST},
    {"userns_mode", "UsernsMode", OPTION_TEXT},
    {"pid_mode", "PidMode", OPTION_TEXT},
    {"ipc_mode", "IpcMode", OPTION_TEXT},
    {"uts_mode", "UTSMode", OPTION_TEXT},
    {"runtime", "Runtime", OPTION_TEXT},
    {"shm_size", "ShmSize", OPTION_INTEGER},
    {"sysctls", "Sysctls", OPTION_MAP},
    {"pids_limit", "PidsLimit", OPTION_INTEGER},
    {"init", "Init", OPTION_BOOL},
};

/* ---- checks that are Docker's own ------------------------------------------------------------------ */

static const struct mode {
    const char *key;
    const char *words[5];
    bool takes_container;
    const char *written;
} modes[] = {
    {"userns_mode", {"host"}, false, "host, or nothing for the engine's"},
    {"uts_mode", {"host"}, false, "host, or nothing for its own"},
    {"pid_mode", {"host"}, true, "host or container:ID, or nothing for its own"},
    {"ipc_mode",
     {"none", "private", "shareable", "host"},
     true,
     "none, private, shareable, host or container:ID"},
};

static bool
check_mode(const struct mode *mode, const struct gantry_settings *settings, char *problem,
           size_t size)
{
    const char *text = option_text(settings, mode->key);
    if (!text || (mode->takes_container && strncmp(text, "container:", 10) == 0 && text[10]))
        return true;
    for (size_t i = 0; mode->words[i]; i++)
        if (strcmp(text, mode->words[i]) == 0)
            return true;
    snprintf(problem, size, "%s: '%.200s' is wrong; write %s", mode->key, text, mode->written);
    return false;
}

static bool
check(const struct gantry_settings *settings, char *problem, size_t size)
{
    if (!options_check(settings, problem, size))
        return false;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (!check_mode(&modes[i], settings, problem, size))
            return false;
    return true;
}

/* ---- printing: everything is well written ---------------------------------------------------------- */

static void
write_ulimits(struct text *json, const struct gantry_value *value)
{
    text_add(json, ",\"Ulimits\":[");
    for (uint32_t i = 0; i < value->item_count; i++) {
        struct option_ulimit ulimit;
        if (!option_parse_ulimit(value->items[i], &ulimit))
            continue;
        text_add(json, i ? ",{\"Name\":" : "{\"Name\":");
        text_add_json(json, ulimit.name);
        text_addf(json, ",\"Soft\":%lld,\"Hard\":%lld}", ulimit.soft, ulimit.hard);
    }
    text_add_char(json, ']');
}

static void
write_tmpfs(struct text *json, const struct gantry_value *value)
{
    text_add(json, ",\"Tmpfs\":{");
    for (uint32_t i = 0; i < value->item_count; i++) {
        char path[1024];
        const char *how;
        if (!option_parse_tmpfs(value->items[i], path, sizeof path, &how))
            continue;
        text_add(json, i ? "," : "");
        text_add_json(json, path);
        text_add_char(json, ':');
        text_add_json(json, how);
    }
    text_add_char(json, '}');
}

/* Mounts and not Binds: with those the engine makes a folder that is missing, empty and root's. */
static void
write_volumes(struct text *json, const struct gantry_value *value)
{
    text_add(json, ",\"Mounts\":[");
    for (uint32_t i = 0; i < value->item_count; i++) {
        struct option_volume volume;
        if (!option_parse_volume(value->items[i], &volume))
            continue;
        text_addf(json, "%s{\"Type\":\"%s\",\"Source\":", i ? "," : "",
                  volume.is_folder ? "bind" : "volume");
        text_add_json(json, volume.source);
        text_add(json, ",\"Target\":");
        text_add_json(json, volume.target);
        text_addf(json, ",\"ReadOnly\":%s}", volume.read_only ? "true" : "false");
    }
    text_add_char(json, ']');
}

static void
write_items(struct text *json, const struct gantry_settings *settings, const char *key,
            void (*write)(struct text *json, const struct gantry_value *value))
{
    const struct gantry_value *value = option_items(settings, key);
    if (value)
        write(json, value);
}

/* One list of the engine's is three options here.  What security_opt says itself of new privileges
 * stands. */
static bool
write_security(struct text *json, const struct gantry_settings *settings, char *problem,
               size_t size)
{
    const struct gantry_value *given = option_items(settings, "security_opt");
    bool no_new_privileges = option_is_on(settings, "no_new_privileges");
    const char *comma = "";
    AUTO_TEXT seccomp = TEXT(2u << 20);
    text_add(&seccomp, "seccomp=");
    size_t prefix = seccomp.size;
    if (!option_seccomp(settings, &seccomp, problem, size))
        return false;
    text_add(json, ",\"SecurityOpt\":[");
    for (uint32_t i = 0; given && i < given->item_count; i++, comma = ",") {
        text_add(json, comma);
        text_add_json(json, given->items[i]);
        if (strncmp(given->items[i], "no-new-privileges", 17) == 0)
            no_new_privileges = false;
    }
    if (no_new_privileges) {
        text_addf(json, "%s\"no-new-privileges:true\"", comma);
        comma = ",";
    }
    if (seccomp.size > prefix) {
        text_add(json, comma);
        text_add_json(json, text_cstr(&seccomp));
    }
    text_add_char(json, ']');
    json->failed |= seccomp.failed;
    return true;
}

static void
write_limits(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *memory = option_find(settings, "memory");
    const char *cpus = option_text(settings, "cpus");
    long long nano;
    /* MemorySwap is the sum of both: equal means no swap, so that the limit is what it says. */
    if (memory)
        text_addf(json, ",\"Memory\":%lld,\"MemorySwap\":%lld", (long long)memory->number,
                  (long long)memory->number);
    if (cpus && option_parse_cpus(cpus, &nano))
        text_addf(json, ",\"NanoCpus\":%lld", nano);
}

/* json-file keeps logs without any limit unless told otherwise. */
static void
write_log(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *size = option_find(settings, "log_max_size");
    const struct gantry_value *files = option_find(settings, "log_max_files");
    text_addf(json,
              ",\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"%lld\","
              "\"max-file\":\"%lld\"}}",
              size ? (long long)size->number : 10000000, files ? (long long)files->number : 3);
}

const char *
engine_restart_wanted(const struct gantry_settings *settings)
{
    const char *restart = option_text(settings, "restart");
    return restart ? restart : option_restart_choices[0];
}

bool
engine_host_config(struct text *json, const struct gantry_settings *settings,
                   const char *restart_policy, char *problem, size_t problem_size)
{
    problem[0] = '\0';
    if (!check(settings, problem, problem_size))
        return false;
    text_add(json, "{\"RestartPolicy\":{\"Name\":");
    text_add_json(json, restart_policy);
    text_add_char(json, '}');
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)option_write(json, settings, &options[i]);
    write_items(json, settings, "ulimits", write_ulimits);
    write_items(json, settings, "tmpfs", write_tmpfs);
    write_items(json, settings, "volumes", write_volumes);
    if (!write_security(json, settings, problem, problem_size))
        return false;
    write_limits(json, settings);
    write_log(json, settings);
    text_add_char(json, '}');
    return true;
}

bool
engine_workload_defaults(struct engine *engine, struct gantry_call *call,
                         const struct gantry_settings *settings, char *problem, size_t size)
{
    AUTO_TEXT unused = TEXT(4 << 20);
    const struct engine_dialect *dialect = engine->dialect;
    if (dialect ? !dialect->check(settings, problem, size)
                : !engine_host_config(&unused, settings, "no", problem, size))
        return false;
    options_powers(settings, engine->powers, sizeof engine->powers);
    if (engine->powers[0])
        gantry_log(engine->host, call, GANTRY_LOG_WARN,
                   "[backend %s] gives every connector power over the host: %s", settings->section,
                   engine->powers);
    return true;
}
