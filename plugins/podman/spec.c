/* The options of a workload -> members of libpod's create spec.  Most are a row of a table: key, member, shape.
 * See podman.h. */
#include "options.h"
#include "podman.h"

#include <stdio.h>
#include <string.h>

#define CPU_PERIOD_US    100000
#define LOG_SIZE_DEFAULT 10000000LL
#define SECURITY_MAX     32

static const struct option_member options[] = {
    {"extra_hosts", "hostadd", OPTION_LIST},
    {"dns", "dns_server", OPTION_LIST},
    {"dns_search", "dns_search", OPTION_LIST},
    {"hostname", "hostname", OPTION_TEXT},
    {"user", "user", OPTION_TEXT},
    {"cap_add", "cap_add", OPTION_LIST},
    {"cap_drop", "cap_drop", OPTION_LIST},
    {"read_only", "read_only_filesystem", OPTION_BOOL},
    {"sysctls", "sysctl", OPTION_MAP},
    {"init", "init", OPTION_BOOL},
    {"privileged", "privileged", OPTION_BOOL},
    {"runtime", "oci_runtime", OPTION_TEXT},
    {"shm_size", "shm_size", OPTION_INTEGER},
};

/* These are not one word: write_namespace(). */
static const struct {
    const char *key;
    const char *member;
} namespaces[] = {
    {"userns_mode", "userns"},
    {"pid_mode", "pidns"},
    {"ipc_mode", "ipcns"},
    {"uts_mode", "utsns"},
};

/* ---- checks that are Podman's own */

static const char *
value_after(const char *item, const char *key)
{
    size_t length = strlen(key);
    bool fits = strncmp(item, key, length) == 0 && (item[length] == '=' || item[length] == ':');
    return fits && item[length + 1] ? item + length + 1 : NULL;
}

static bool
is_security_option(const char *item)
{
    static const char *const keys[] = {"no-new-privileges", "apparmor", "seccomp", "label"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (value_after(item, keys[i]))
            return true;
    return strcmp(item, keys[0]) == 0;
}

bool
podman_check(const struct gantry_settings *settings, char *problem, size_t size)
{
    if (!options_check(settings, problem, size))
        return false;
    const struct gantry_value *value = option_items(settings, "security_opt");
    for (uint32_t i = 0; value && i < value->item_count; i++)
        if (!is_security_option(value->items[i])) {
            snprintf(problem, size,
                     "security_opt: '%.200s' is wrong; write apparmor=PROFILE, seccomp=FILE, "
                     "label=... or no-new-privileges",
                     value->items[i]);
            return false;
        }
    if (value && value->item_count > SECURITY_MAX) {
        snprintf(problem, size, "security_opt: at most %d", SECURITY_MAX);
        return false;
    }
    return true;
}

/* ---- printing: everything is well written */

static void
add_texts(struct text *json, const char *const *items, uint32_t count)
{
    text_add_char(json, '[');
    for (uint32_t i = 0; i < count; i++) {
        text_add(json, i ? "," : "");
        text_add_json(json, items[i]);
    }
    text_add_char(json, ']');
}

/* "host", "container:ID", "ns:PATH", "keep-id:uid=1": a word, and what stands behind its colon. */
static void
write_namespace(struct text *json, const char *mode)
{
    size_t length = strcspn(mode, ":");
    char word[32];
    snprintf(word, sizeof word, "%.*s", (int)length, mode);
    text_add(json, "{\"nsmode\":");
    text_add_json(json, strcmp(word, "ns") == 0 ? "path" : word);
    if (mode[length]) {
        text_add(json, ",\"value\":");
        text_add_json(json, mode + length + 1);
    }
    text_add_char(json, '}');
}

static void
write_namespaces(struct text *json, const struct gantry_settings *settings)
{
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
        const char *mode = option_text(settings, namespaces[i].key);
        if (!mode)
            continue;
        text_addf(json, ",\"%s\":", namespaces[i].member);
        write_namespace(json, mode);
    }
}

/* A word of Podman's, or the name of a network. */
static void
write_network(struct text *json, const struct gantry_settings *settings)
{
    static const char *const words[] = {"bridge",  "host",        "none",
                                        "private", "slirp4netns", "pasta"};
    const char *mode = option_text(settings, "network_mode");
    if (!mode)
        return;
    size_t length = strcspn(mode, ":");
    bool known = strncmp(mode, "container:", 10) == 0 || strncmp(mode, "ns:", 3) == 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        known |= strlen(words[i]) == length && strncmp(mode, words[i], length) == 0;
    text_add(json, ",\"netns\":");
    write_namespace(json, known ? mode : "bridge");
    if (known)
        return;
    text_add(json, ",\"Networks\":{");
    text_add_json(json, mode);
    text_add(json, ":{}}");
}

static void
write_ulimits(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *value = option_items(settings, "ulimits");
    text_add(json, value ? ",\"r_limits\":[" : "");
    for (uint32_t i = 0; value && i < value->item_count; i++) {
        struct option_ulimit ulimit;
        if (!option_parse_ulimit(value->items[i], &ulimit))
            continue;
        text_add(json, i ? ",{\"type\":" : "{\"type\":");
        text_add_json(json, ulimit.name);
        /* libpod has no -1: unlimited is the largest number. */
        text_addf(json, ",\"soft\":%llu,\"hard\":%llu}", (unsigned long long)ulimit.soft,
                  (unsigned long long)ulimit.hard);
    }
    text_add(json, value ? "]" : "");
}

static void
write_resources(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *memory = option_find(settings, "memory");
    const struct gantry_value *pids = option_find(settings, "pids_limit");
    const char *cpus = option_text(settings, "cpus");
    const char *comma = "";
    long long nano;
    if (!memory && !cpus && !pids)
        return; /* else a user's Podman warns that it cannot limit what nobody limits */
    text_add(json, ",\"resource_limits\":{");
    if (memory) {
        /* swap is the sum of both: equal means no swap, so that the limit is what it says. */
        text_addf(json, "\"memory\":{\"limit\":%lld,\"swap\":%lld}", (long long)memory->number,
                  (long long)memory->number);
        comma = ",";
    }
    if (cpus && option_parse_cpus(cpus, &nano)) {
        text_addf(json, "%s\"cpu\":{\"period\":%d,\"quota\":%lld}", comma, CPU_PERIOD_US,
                  nano / (1000000000 / CPU_PERIOD_US));
        comma = ",";
    }
    if (pids)
        text_addf(json, "%s\"pids\":{\"limit\":%lld}", comma, (long long)pids->number);
    text_add_char(json, '}');
}

/* One list of the option's is several members. */
static void
write_security(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *value = option_items(settings, "security_opt");
    const char *seccomp = option_text(settings, "seccomp_profile"), *apparmor = NULL;
    const char *labels[SECURITY_MAX] = {NULL};
    uint32_t label_count = 0;
    bool no_new = option_is_on(settings, "no_new_privileges");
    for (uint32_t i = 0; value && i < value->item_count; i++) {
        const char *item = value->items[i], *text;
        if (strncmp(item, "no-new-privileges", 17) == 0)
            no_new = strcmp(item + 17, ":false") != 0 && strcmp(item + 17, "=false") != 0;
        else if ((text = value_after(item, "apparmor")))
            apparmor = text;
        else if ((text = value_after(item, "seccomp")))
            seccomp = text;
        else if ((text = value_after(item, "label")) && label_count < SECURITY_MAX)
            labels[label_count++] = text;
    }
    text_addf(json, ",\"no_new_privileges\":%s,\"selinux_opts\":", no_new ? "true" : "false");
    add_texts(json, labels, label_count);
    text_add(json, apparmor ? ",\"apparmor_profile\":" : "");
    if (apparmor)
        text_add_json(json, apparmor);
    text_add(json, seccomp ? ",\"seccomp_profile_path\":" : "");
    if (seccomp)
        text_add_json(json, seccomp);
}

/* One file, which begins anew at that size: k8s-file, whatever the engine's own default is, as a journal
 * cannot be limited for one container. */
static void
write_log(struct text *json, const struct gantry_settings *settings)
{
    const struct gantry_value *size = option_find(settings, "log_max_size");
    text_addf(json, ",\"log_configuration\":{\"driver\":\"k8s-file\",\"size\":%lld}",
              size ? (long long)size->number : LOG_SIZE_DEFAULT);
}

const char *
podman_restart_wanted(const struct gantry_settings *settings)
{
    const char *restart = option_text(settings, "restart");
    return restart ? restart : "no";
}

void
podman_write_options(struct text *json, const struct gantry_settings *settings)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)option_write(json, settings, &options[i]);
    write_namespaces(json, settings);
    write_network(json, settings);
    write_ulimits(json, settings);
    write_resources(json, settings);
    write_security(json, settings);
    write_log(json, settings);
}
