/* Are a workload's options written as they have to be?  See options.h.
 *
 * Only what no engine takes is refused here: what an engine offers beyond that (its networks, its runtimes,
 * the capabilities of its kernel) it knows itself, and says when the workload is made. */
#include "json.h"
#include "options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECCOMP_MAX ((size_t)1 << 20)
#define MIB         (INT64_C(1) << 20)

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS  "0123456789"

static bool
is_made_of(const char *text, const char *plain, size_t max)
{
    size_t length = strspn(text, plain);
    return length > 0 && length <= max && text[length] == '\0';
}

/* ---- one item each --------------------------------------------------------------------------------- */

static bool
is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static bool
is_host_name(const char *text)
{
    return is_made_of(text, LETTERS DIGITS "-.", 63) && text[0] != '-' && text[0] != '.';
}

static bool
is_domain(const char *text)
{
    return strcmp(text, ".") == 0 || is_made_of(text, LETTERS DIGITS "-._", 253);
}

static bool
is_host_line(const char *text)
{
    char name[256];
    size_t length = strcspn(text, ":");
    if (length >= sizeof name || text[length] != ':')
        return false;
    memcpy(name, text, length);
    name[length] = '\0';
    const char *address = text + length + 1;
    return is_made_of(name, LETTERS DIGITS "-._", 253) &&
           (strcmp(address, "host-gateway") == 0 || is_address(address));
}

static bool
is_user(const char *text)
{
    size_t length = strcspn(text, ":");
    return length > 0 && !strpbrk(text, " \t/") && text[0] != '-' &&
           (text[length] == '\0' || (text[length + 1] && !strchr(text + length + 1, ':')));
}

static bool
is_capability(const char *text)
{
    return is_made_of(text, LETTERS DIGITS "_", 64);
}

static bool
is_tmpfs(const char *text)
{
    char path[1024];
    const char *options;
    return option_parse_tmpfs(text, path, sizeof path, &options);
}

static bool
is_volume(const char *text)
{
    struct option_volume volume;
    return option_parse_volume(text, &volume);
}

static bool
is_sysctl(const char *text)
{
    char key[256];
    const char *value;
    return option_parse_pair(text, key, sizeof key, &value) && strpbrk(key, "./") &&
           is_made_of(key, LETTERS DIGITS "_./-", sizeof key) && value[0];
}

static bool
is_ulimit(const char *text)
{
    struct option_ulimit ulimit;
    return option_parse_ulimit(text, &ulimit) && is_made_of(ulimit.name, LETTERS, 32);
}

static bool
is_cpus(const char *text)
{
    long long nano;
    return option_parse_cpus(text, &nano);
}

static bool
is_word(const char *text)
{
    return !strpbrk(text, " \t");
}

static bool
is_security_option(const char *text)
{
    return is_word(text) && (strcmp(text, "no-new-privileges") == 0 ||
                             (strpbrk(text, "=:") && text[strcspn(text, "=:") + 1]));
}

static bool
is_constraint(const char *text)
{
    const char *equals = strstr(text, "==");
    const char *differs = strstr(text, "!=");
    const char *at = equals ? equals : differs;
    return at && at != text && at[2];
}

static bool
is_preference(const char *text)
{
    return strncmp(text, "spread=", 7) == 0 && text[7];
}

/* ---- all of them ----------------------------------------------------------------------------------- */

/* Lists, each item; texts, when they are not empty. */
static const struct form {
    const char *key;
    bool (*is_good)(const char *text);
    const char *written;
} forms[] = {
    {"extra_hosts", is_host_line, "NAME:ADDRESS, such as db:10.0.0.5 or gateway:host-gateway"},
    {"dns", is_address, "an IP address"},
    {"dns_search", is_domain, "a domain, such as example.org"},
    {"hostname", is_host_name, "a host name: letters, digits, dots and dashes, 63 at most"},
    {"user", is_user, "NAME or UID, with :GROUP if wished, such as 1000:1000"},
    {"cap_add", is_capability, "the name of a capability, such as NET_RAW"},
    {"cap_drop", is_capability, "the name of a capability, such as NET_RAW, or ALL"},
    {"tmpfs", is_tmpfs, "PATH or PATH:OPTIONS, such as /cache:size=64m"},
    {"volumes", is_volume,
     "NAME:PATH or /FOLDER:PATH, with :ro if wished, such as data:/var/lib/data"},
    {"sysctls", is_sysctl, "KEY=VALUE, such as net.core.somaxconn=1024"},
    {"ulimits", is_ulimit, "NAME=SOFT:HARD, such as nofile=1024:2048"},
    {"cpus", is_cpus, "a number above 0, such as 1.5"},
    {"cpus_reservation", is_cpus, "a number above 0, such as 0.5"},
    {"network_mode", is_word, "bridge, host, none, container:ID or the name of a network"},
    {"network", is_word, "the name or the id of a network"},
    {"security_opt", is_security_option, "such as apparmor=PROFILE or no-new-privileges:true"},
    {"runtime", is_word, "the name of a runtime of the engine"},
    {"placement_constraints", is_constraint, "such as node.role==worker or node.labels.zone!=a"},
    {"placement_preferences", is_preference, "spread=LABEL, such as spread=node.labels.zone"},
};

static const struct range {
    const char *key;
    int64_t least, most;
    const char *written;
} ranges[] = {
    /* below, the kernel ends processes before they have begun */
    {"memory", 6 * MIB, INT64_MAX, "6MiB or more"},
    {"memory_reservation", MIB, INT64_MAX, "1MiB or more"},
    {"shm_size", 1, INT64_MAX, "above 0"},
    {"pids_limit", -1, INT32_MAX, "above 0, or -1 for no limit"},
    {"log_max_size", 4096, INT64_MAX, "4KiB or more"},
    {"log_max_files", 1, 1000, "between 1 and 1000"},
    {"restart_max_attempts", 0, INT32_MAX, "0 or more"},
};

static bool
check_forms(const struct gantry_settings *settings, char *problem, size_t size)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *form = &forms[i];
        const struct gantry_value *value = option_find(settings, form->key);
        uint32_t count = value ? value->item_count : 0;
        const char *wrong = NULL;
        if (value && count == 0 && value->text && value->text[0] && !form->is_good(value->text))
            wrong = value->text;
        for (uint32_t k = 0; k < count && !wrong; k++)
            if (!form->is_good(value->items[k]))
                wrong = value->items[k];
        if (wrong) {
            snprintf(problem, size, "%s: '%.200s' is wrong; write %s", form->key, wrong,
                     form->written);
            return false;
        }
    }
    return true;
}

static bool
check_ranges(const struct gantry_settings *settings, char *problem, size_t size)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const struct range *range = &ranges[i];
        const struct gantry_value *value = option_find(settings, range->key);
        if (!value || (value->number >= range->least && value->number <= range->most))
            continue;
        snprintf(problem, size, "%s: it has to be %s", range->key, range->written);
        return false;
    }
    return true;
}

/* Each target once, or the engine's refusal would come when the workload is made. */
static bool
check_targets(const struct gantry_settings *settings, char *problem, size_t size)
{
    const struct gantry_value *volumes = option_items(settings, "volumes");
    struct option_volume one, other;
    for (uint32_t i = 0; volumes && i < volumes->item_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (option_parse_volume(volumes->items[i], &one) &&
                option_parse_volume(volumes->items[k], &other) &&
                strcmp(one.target, other.target) == 0) {
                snprintf(problem, size, "volumes: '%.200s' is there twice; remove one", one.target);
                return false;
            }
    return true;
}

static bool
check_together(const struct gantry_settings *settings, char *problem, size_t size)
{
    if (option_is_on(settings, "hardened") && option_is_on(settings, "privileged")) {
        snprintf(problem, size, "hardened and privileged contradict each other; remove one");
        return false;
    }
    const struct gantry_value *security = option_items(settings, "security_opt");
    for (uint32_t i = 0; security && i < security->item_count; i++)
        if (strncmp(security->items[i], "seccomp", 7) == 0 &&
            option_text(settings, "seccomp_profile")) {
            snprintf(problem, size,
                     "seccomp_profile and seccomp in security_opt are the same; remove one");
            return false;
        }
    return check_targets(settings, problem, size);
}

bool
options_check(const struct gantry_settings *settings, char *problem, size_t size)
{
    AUTO_TEXT unused = TEXT(SECCOMP_MAX);
    return check_forms(settings, problem, size) && check_ranges(settings, problem, size) &&
           check_together(settings, problem, size) &&
           option_seccomp(settings, &unused, problem, size);
}

/* ---- seccomp_profile ------------------------------------------------------------------------------- */

static bool
read_file(const char *path, struct text *out, const char **why)
{
    char block[8192];
    size_t got;
    FILE *file = fopen(path, "re");
    if (!file) {
        *why = errno == ENOENT ? "there is no such file" : "it cannot be read";
        return false;
    }
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        text_add_bytes(out, block, got);
    bool broken = ferror(file) != 0;
    fclose(file);
    *why = broken ? "it cannot be read" : "it is larger than 1 MiB, or memory ran out";
    return !broken && !out->failed;
}

bool
option_seccomp(const struct gantry_settings *settings, struct text *out, char *problem, size_t size)
{
    const char *path = option_text(settings, "seccomp_profile");
    const char *why;
    size_t begin = out->size;
    if (!path)
        return true;
    if (!read_file(path, out, &why)) {
        snprintf(problem, size, "seccomp_profile: '%.300s': %s", path, why);
        return false;
    }
    AUTO_JSON profile = cJSON_ParseWithLength(text_cstr(out) + begin, out->size - begin);
    if (cJSON_IsObject(profile) && cJSON_IsString(json_at(profile, "defaultAction")))
        return true;
    snprintf(problem, size,
             "seccomp_profile: '%.300s' is no profile: it has to be a JSON object with a "
             "\"defaultAction\", as the engine's own profile",
             path);
    return false;
}
