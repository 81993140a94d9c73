/* Options of a workload -> members of a service's task template.  Most are a row of a table: key, member,
 * shape.  See swarm.h.
 *
 * What an older engine would leave out without a word is refused: whoever asks for fewer rights must not get
 * more. */
#include "options.h"
#include "swarm.h"

#include <inttypes.h>
#include <string.h>

#define API_CAPABILITIES 41 /* also process limits and ulimits */

static const struct {
    struct option_member option;
    int since; /* minor version of the API; 0: all */
} options[] = {
    {{"hostname", "Hostname", OPTION_TEXT}, 0},
    {{"user", "User", OPTION_TEXT}, 0},
    {{"cap_add", "CapabilityAdd", OPTION_LIST}, API_CAPABILITIES},
    {{"cap_drop", "CapabilityDrop", OPTION_LIST}, API_CAPABILITIES},
    {{"read_only", "ReadOnly", OPTION_BOOL}, 0},
    {{"sysctls", "Sysctls", OPTION_MAP}, 0},
    {{"init", "Init", OPTION_BOOL}, 0},
};

GANTRY_PRINTF(3, 4)
static void
wrong(struct swarm_template *template, const char *key, const char *format, ...)
{
    if (template->wrong)
        return;
    template->wrong = true;
    int used = snprintf(template->problem, template->problem_size, "%s: ", key);
    va_list args;
    va_start(args, format);
    if (used > 0 && (size_t)used < template->problem_size)
        vsnprintf(template->problem + used, template->problem_size - (size_t)used, format, args);
    va_end(args);
}

static void
needs(struct swarm_template *template, const char *key, int minor)
{
    if (template->minor < minor)
        wrong(template, key,
              "services have it from API 1.%d on, this engine speaks 1.%d; leave it out, "
              "or upgrade the engine",
              minor, template->minor);
}

static void
member(struct text *json, const char *name)
{
    text_addf(json, ",\"%s\":", name);
}

/* "db:10.0.0.5" is told as a line of /etc/hosts: "10.0.0.5 db". */
static void
write_hosts(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *value = option_items(template->settings, "extra_hosts");
    if (!value)
        return;
    member(json, "Hosts");
    text_add_char(json, '[');
    for (uint32_t i = 0; i < value->item_count; i++) {
        const char *item = value->items[i], *colon = strchr(item, ':');
        AUTO_TEXT line = TEXT(1 << 16);
        if (!colon || colon == item || !colon[1]) {
            wrong(template, "extra_hosts", "'%s' is not NAME:ADDRESS, such as db:10.0.0.5", item);
            return;
        }
        text_add(&line, colon + 1);
        text_add_char(&line, ' ');
        text_add_bytes(&line, item, (size_t)(colon - item));
        if (i)
            text_add_char(json, ',');
        text_add_json(json, text_cstr(&line));
        json->failed |= line.failed;
    }
    text_add_char(json, ']');
}

static void
write_dns(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *servers = option_items(template->settings, "dns");
    const struct gantry_value *search = option_items(template->settings, "dns_search");
    if (!servers && !search)
        return;
    member(json, "DNSConfig");
    text_add(json, "{\"Options\":[]");
    if (servers) {
        member(json, "Nameservers");
        option_print_list(json, servers);
    }
    if (search) {
        member(json, "Search");
        option_print_list(json, search);
    }
    text_add_char(json, '}');
}

static void
write_ulimits(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *value = option_items(template->settings, "ulimits");
    if (!value)
        return;
    needs(template, "ulimits", API_CAPABILITIES);
    member(json, "Ulimits");
    text_add_char(json, '[');
    for (uint32_t i = 0; i < value->item_count; i++) {
        struct option_ulimit ulimit;
        if (!option_parse_ulimit(value->items[i], &ulimit)) {
            wrong(template, "ulimits", "'%s' is not NAME=SOFT:HARD, such as nofile=1024:2048",
                  value->items[i]);
            return;
        }
        text_add(json, i ? ",{\"Name\":" : "{\"Name\":");
        text_add_json(json, ulimit.name);
        text_addf(json, ",\"Soft\":%lld,\"Hard\":%lld}", ulimit.soft, ulimit.hard);
    }
    text_add_char(json, ']');
}

/* ---- mounts --------------------------------------------------------------------------------------- */

/* "64m", "1g", "4096": bytes. */
static bool
parse_size(const char *text, size_t length, int64_t *bytes)
{
    int64_t value = 0;
    size_t i = 0;
    for (; i < length && text[i] >= '0' && text[i] <= '9' && value < INT64_MAX / 100; i++)
        value = value * 10 + (text[i] - '0');
    if (i == 0)
        return false;
    int shift = 0;
    if (i < length) {
        const char *at = strchr("kmg", text[i] | 0x20);
        shift = !at ? -1 : text[i] == 'k' || text[i] == 'K' ? 10 : *at == 'm' ? 20 : 30;
        i++;
    }
    if (i != length || shift < 0 || value > INT64_MAX >> shift)
        return false;
    *bytes = value << shift;
    return true;
}

/* The options of a tmpfs that a service knows: size and mode. */
static bool
write_tmpfs_options(struct text *json, const char *given)
{
    int64_t size = 0, mode = -1;
    while (*given) {
        size_t length = strcspn(given, ",");
        if (length > 5 && strncmp(given, "size=", 5) == 0) {
            if (!parse_size(given + 5, length - 5, &size))
                return false;
        } else if (length > 5 && length <= 10 && strncmp(given, "mode=", 5) == 0) {
            mode = 0;
            for (const char *at = given + 5; at < given + length; at++) {
                if (*at < '0' || *at > '7')
                    return false;
                mode = mode * 8 + (*at - '0');
            }
        } else {
            return false;
        }
        given += length + (given[length] == ',');
    }
    if (size == 0 && mode < 0)
        return true;
    text_addf(json, ",\"TmpfsOptions\":{\"SizeBytes\":%" PRId64, size);
    if (mode >= 0)
        text_addf(json, ",\"Mode\":%" PRId64, mode);
    text_add_char(json, '}');
    return true;
}

static bool
write_tmpfs(struct text *json, struct swarm_template *template, bool first)
{
    const struct gantry_value *value = option_items(template->settings, "tmpfs");
    for (uint32_t i = 0; value && i < value->item_count; i++, first = false) {
        char path[1024];
        const char *given;
        if (!option_parse_tmpfs(value->items[i], path, sizeof path, &given)) {
            wrong(template, "tmpfs", "'%s' is not PATH or PATH:OPTIONS, such as /tmp:size=64m",
                  value->items[i]);
            return first;
        }
        text_add(json,
                 first ? "{\"Type\":\"tmpfs\",\"Target\":" : ",{\"Type\":\"tmpfs\",\"Target\":");
        text_add_json(json, path);
        if (!write_tmpfs_options(json, given))
            wrong(template, "tmpfs", "'%s': services know the options size=64m and mode=1777 alone",
                  value->items[i]);
        text_add_char(json, '}');
    }
    return first;
}

static void
write_mounts(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *volumes = option_items(template->settings, "volumes");
    if (!volumes && !option_items(template->settings, "tmpfs"))
        return;
    member(json, "Mounts");
    text_add_char(json, '[');
    bool first = write_tmpfs(json, template, true);
    for (uint32_t i = 0; volumes && i < volumes->item_count; i++, first = false) {
        struct option_volume volume;
        if (!option_parse_volume(volumes->items[i], &volume)) {
            wrong(template, "volumes", "'%s' is not NAME:PATH or /FOLDER:PATH, with :ro if wished",
                  volumes->items[i]);
            return;
        }
        text_addf(json, "%s{\"Type\":\"%s\",\"Source\":", first ? "" : ",",
                  volume.is_folder ? "bind" : "volume");
        text_add_json(json, volume.source);
        text_add(json, ",\"Target\":");
        text_add_json(json, volume.target);
        text_addf(json, ",\"ReadOnly\":%s}", volume.read_only ? "true" : "false");
    }
    text_add_char(json, ']');
}

void
template_container(struct text *json, struct swarm_template *template)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (option_write(json, template->settings, &options[i].option))
            needs(template, options[i].option.key, options[i].since);
    write_hosts(json, template);
    write_dns(json, template);
    write_ulimits(json, template);
    write_mounts(json, template);
    /* Only hardened asks for it, and says so in the manual: below that version there is no such thing. */
    if (option_is_on(template->settings, "no_new_privileges") &&
        template->minor >= TEMPLATE_API_NO_PRIVILEGES)
        text_add(json, ",\"Privileges\":{\"NoNewPrivileges\":true}");
}

/* ---- members of the task -------------------------------------------------------------------------- */

const char *
template_restart(const struct gantry_settings *settings)
{
    const char *condition = option_text(settings, "restart_condition");
    return condition ? condition : option_condition_choices[0];
}

static void
write_restart(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *delay = option_find(template->settings, "restart_delay");
    const struct gantry_value *attempts = option_find(template->settings, "restart_max_attempts");
    member(json, "RestartPolicy");
    text_add(json, "{\"Condition\":");
    text_add_json(json, template->once ? "none" : template_restart(template->settings));
    if (delay && (delay->number < 0 || delay->number > 86400000))
        wrong(template, "restart_delay", "it has to be between 0s and 24h");
    else if (delay)
        text_addf(json, ",\"Delay\":%lld", (long long)delay->number * 1000000);
    if (attempts && attempts->number < 0)
        wrong(template, "restart_max_attempts", "%lld is below 0", (long long)attempts->number);
    else if (attempts)
        text_addf(json, ",\"MaxAttempts\":%lld", (long long)attempts->number);
    text_add_char(json, '}');
}

static void
write_amounts(struct text *json, struct swarm_template *template, const char *memory_key,
              const char *cpus_key, const char *pids_key)
{
    const struct gantry_value *memory = option_find(template->settings, memory_key);
    const struct gantry_value *pids = pids_key ? option_find(template->settings, pids_key) : NULL;
    const char *cpus = option_text(template->settings, cpus_key);
    const char *comma = "";
    text_add_char(json, '{');
    if (memory && memory->number > 0) {
        text_addf(json, "\"MemoryBytes\":%lld", (long long)memory->number);
        comma = ",";
    }
    if (cpus) {
        long long nano = 0;
        if (!option_parse_cpus(cpus, &nano))
            wrong(template, cpus_key, "'%s' is not a number above 0, such as 1.5", cpus);
        text_addf(json, "%s\"NanoCPUs\":%lld", comma, nano);
        comma = ",";
    }
    if (pids && pids->number > 0) {
        needs(template, pids_key, API_CAPABILITIES);
        text_addf(json, "%s\"Pids\":%lld", comma, (long long)pids->number);
    }
    text_add_char(json, '}');
}

/* json-file keeps logs without any limit unless told otherwise. */
static void
write_log(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *size = option_find(template->settings, "log_max_size");
    const struct gantry_value *files = option_find(template->settings, "log_max_files");
    long long bytes = size && size->number > 0 ? (long long)size->number : 10000000;
    long long count = files ? (long long)files->number : 3;
    if (count < 1 || count > 1000)
        wrong(template, "log_max_files", "%lld is not between 1 and 1000", count);
    member(json, "LogDriver");
    text_addf(json,
              "{\"Name\":\"json-file\",\"Options\":{\"max-size\":\"%lld\",\"max-file\":\"%lld\"}}",
              bytes, count);
}

static void
write_networks(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *value = option_items(template->settings, "network");
    if (!value)
        return;
    member(json, "Networks");
    text_add_char(json, '[');
    for (uint32_t i = 0; i < value->item_count; i++) {
        text_add(json, i ? ",{\"Target\":" : "{\"Target\":");
        text_add_json(json, value->items[i]);
        text_add_char(json, '}');
    }
    text_add_char(json, ']');
}

static void
write_preferences(struct text *json, struct swarm_template *template,
                  const struct gantry_value *value)
{
    text_add(json, ",\"Preferences\":[");
    for (uint32_t i = 0; i < value->item_count; i++) {
        const char *item = value->items[i];
        if (strncmp(item, "spread=", 7) != 0 || !item[7]) {
            wrong(template, "placement_preferences",
                  "'%s' is not spread=LABEL, such as spread=node.labels.zone", item);
            return;
        }
        text_add(json,
                 i ? ",{\"Spread\":{\"SpreadDescriptor\":" : "{\"Spread\":{\"SpreadDescriptor\":");
        text_add_json(json, item + 7);
        text_add(json, "}}");
    }
    text_add_char(json, ']');
}

/* "linux/arm64/v8": a node's platform has no variant. */
static void
write_platform(struct text *json, struct swarm_template *template)
{
    char os[64], architecture[64];
    const char *slash = strchr(template->platform, '/');
    size_t os_length = slash ? (size_t)(slash - template->platform) : sizeof os;
    size_t length = slash ? strcspn(slash + 1, "/") : 0;
    if (os_length == 0 || os_length >= sizeof os || length == 0 || length >= sizeof architecture) {
        wrong(template, "platform", "'%s' is not OS/ARCHITECTURE, such as linux/arm64",
              template->platform);
        return;
    }
    snprintf(os, sizeof os, "%.*s", (int)os_length, template->platform);
    snprintf(architecture, sizeof architecture, "%.*s", (int)length, slash + 1);
    text_add(json, ",\"Platforms\":[{\"OS\":");
    text_add_json(json, os);
    text_add(json, ",\"Architecture\":");
    text_add_json(json, architecture);
    text_add(json, "}]");
}

static void
write_placement(struct text *json, struct swarm_template *template)
{
    const struct gantry_value *constraints =
        option_items(template->settings, "placement_constraints");
    const struct gantry_value *preferences =
        option_items(template->settings, "placement_preferences");
    if (!constraints && !preferences && !template->platform)
        return;
    text_add(json, ",\"Placement\":{\"Constraints\":");
    if (constraints)
        option_print_list(json, constraints);
    else
        text_add(json, "[]");
    if (preferences)
        write_preferences(json, template, preferences);
    if (template->platform)
        write_platform(json, template);
    text_add_char(json, '}');
}

void
template_task(struct text *json, struct swarm_template *template)
{
    write_restart(json, template);
    text_add(json, ",\"Resources\":{\"Limits\":");
    write_amounts(json, template, "memory", "cpus", "pids_limit");
    text_add(json, ",\"Reservations\":");
    write_amounts(json, template, "memory_reservation", "cpus_reservation", NULL);
    text_add_char(json, '}');
    write_log(json, template);
    write_networks(json, template);
    write_placement(json, template);
}

bool
template_check(const struct gantry_settings *settings, char *problem, size_t size)
{
    if (!options_check(settings, problem, size))
        return false;
    AUTO_TEXT unused = TEXT(1 << 20);
    struct swarm_template template = {
        .settings = settings, .minor = ENGINE_API_MAX, .problem = problem, .problem_size = size};
    problem[0] = '\0';
    template_container(&unused, &template);
    template_task(&unused, &template);
    return !template.wrong;
}
