/* Settings of a workload -> the engine's HostConfig.  Most are a row of a table: key, member,
 * shape. */
#include "engine.h"
#include "settings.h"

#include <stdlib.h>
#include <string.h>

const char *const engine_restart_choices[] = {"unless-stopped", "always", "on-failure", "no", NULL};

enum shape { SHAPE_TEXT, SHAPE_LIST, SHAPE_BOOL, SHAPE_INTEGER, SHAPE_MAP };

static const struct option {
    const char *key;
    const char *member;
    enum shape shape;
} options[] = {
    {"network_mode", "NetworkMode", SHAPE_TEXT},
    {"extra_hosts", "ExtraHosts", SHAPE_LIST},
    {"dns", "Dns", SHAPE_LIST},
    {"dns_search", "DnsSearch", SHAPE_LIST},
    {"privileged", "Privileged", SHAPE_BOOL},
    {"cap_add", "CapAdd", SHAPE_LIST},
    {"cap_drop", "CapDrop", SHAPE_LIST},
    {"security_opt", "SecurityOpt", SHAPE_LIST},
    {"userns_mode", "UsernsMode", SHAPE_TEXT},
    {"pid_mode", "PidMode", SHAPE_TEXT},
    {"ipc_mode", "IpcMode", SHAPE_TEXT},
    {"uts_mode", "UTSMode", SHAPE_TEXT},
    {"runtime", "Runtime", SHAPE_TEXT},
    {"shm_size", "ShmSize", SHAPE_INTEGER},
    {"sysctls", "Sysctls", SHAPE_MAP},
    {"pids_limit", "PidsLimit", SHAPE_INTEGER},
    {"init", "Init", SHAPE_BOOL},
};

struct writer {
    struct text *json;
    const struct gantry_settings *settings;
    char *problem;
    size_t problem_size;
    bool wrong;
};

GANTRY_PRINTF(3, 4)
static void
wrong(struct writer *writer, const char *key, const char *format, ...)
{
    if (writer->wrong)
        return;
    writer->wrong = true;
    int used = snprintf(writer->problem, writer->problem_size, "%s: ", key);
    va_list args;
    va_start(args, format);
    if (used > 0 && (size_t)used < writer->problem_size)
        vsnprintf(writer->problem + used, writer->problem_size - (size_t)used, format, args);
    va_end(args);
}

/* The member's name, after a comma. */
static void
member(struct writer *writer, const char *name)
{
    text_addf(writer->json, ",\"%s\":", name);
}

static void
write_list(struct writer *writer, const struct gantry_value *value)
{
    text_add_char(writer->json, '[');
    for (uint32_t i = 0; i < value->item_count; i++) {
        if (i)
            text_add_char(writer->json, ',');
        text_add_json(writer->json, value->items[i]);
    }
    text_add_char(writer->json, ']');
}

static void
write_map(struct writer *writer, const struct gantry_value *value)
{
    text_add_char(writer->json, '{');
    for (uint32_t i = 0; i < value->item_count; i++) {
        const char *equals = strchr(value->items[i], '=');
        char key[256];
        size_t length = equals ? (size_t)(equals - value->items[i]) : 0;
        if (length == 0 || length >= sizeof key) {
            wrong(writer, value->key, "'%s' is not KEY=VALUE", value->items[i]);
            return;
        }
        memcpy(key, value->items[i], length);
        key[length] = '\0';
        if (i)
            text_add_char(writer->json, ',');
        text_add_json(writer->json, key);
        text_add_char(writer->json, ':');
        text_add_json(writer->json, equals + 1);
    }
    text_add_char(writer->json, '}');
}

static void
write_option(struct writer *writer, const struct option *option)
{
    const struct gantry_value *value = settings_find(writer->settings, option->key);
    if (!value || (option->shape == SHAPE_TEXT && !value->text[0]))
        return;
    if ((option->shape == SHAPE_LIST || option->shape == SHAPE_MAP) && value->item_count == 0)
        return;
    member(writer, option->member);
    switch (option->shape) {
    case SHAPE_TEXT:
        text_add_json(writer->json, value->text);
        break;
    case SHAPE_LIST:
        write_list(writer, value);
        break;
    case SHAPE_BOOL:
        text_add(writer->json, value->number ? "true" : "false");
        break;
    case SHAPE_INTEGER:
        text_addf(writer->json, "%lld", (long long)value->number);
        break;
    case SHAPE_MAP:
        write_map(writer, value);
        break;
    }
}

/* "nofile=1024:2048" or "nofile=1024" (both); -1 is unlimited. */
static bool
parse_ulimit(const char *item, char *name, size_t size, long long *soft, long long *hard)
{
    size_t length = strcspn(item, "=");
    if (length == 0 || length >= size || item[length] != '=')
        return false;
    memcpy(name, item, length);
    name[length] = '\0';
    const char *number = item + length + 1;
    char *end;
    *soft = *hard = strtoll(number, &end, 10);
    if (end == number)
        return false;
    if (*end == ':') {
        number = end + 1;
        *hard = strtoll(number, &end, 10);
        if (end == number)
            return false;
    }
    return *end == '\0' && *soft >= -1 && *hard >= -1 &&
           (*hard == -1 || (*soft != -1 && *soft <= *hard));
}

static void
write_ulimits(struct writer *writer)
{
    const struct gantry_value *value = settings_find(writer->settings, "ulimits");
    if (!value || value->item_count == 0)
        return;
    member(writer, "Ulimits");
    text_add_char(writer->json, '[');
    for (uint32_t i = 0; i < value->item_count; i++) {
        char name[64];
        long long soft, hard;
        if (!parse_ulimit(value->items[i], name, sizeof name, &soft, &hard)) {
            wrong(writer, "ulimits", "'%s' is not NAME=SOFT:HARD, such as nofile=1024:2048",
                  value->items[i]);
            return;
        }
        text_add(writer->json, i ? ",{\"Name\":" : "{\"Name\":");
        text_add_json(writer->json, name);
        text_addf(writer->json, ",\"Soft\":%lld,\"Hard\":%lld}", soft, hard);
    }
    text_add_char(writer->json, ']');
}

/* "1.5" as thousand millionths, without the rounding of a floating-point number. */
static bool
parse_cpus(const char *text, long long *nano)
{
    long long value = 0, scale = 1000000000;
    bool fraction = false, digits = false;
    for (; *text; text++) {
        if (*text == '.' && !fraction) {
            fraction = true;
            continue;
        }
        if (*text < '0' || *text > '9' || value > 100000000000000000LL)
            return false;
        digits = true;
        if (fraction && scale == 1)
            continue;
        value = value * 10 + (*text - '0');
        if (fraction)
            scale /= 10;
    }
    if (!digits || value > INT64_MAX / scale)
        return false;
    *nano = value * scale;
    return *nano > 0;
}

static void
write_limits(struct writer *writer)
{
    const struct gantry_value *memory = settings_find(writer->settings, "memory");
    const char *cpus = settings_text(writer->settings, "cpus");
    if (memory && memory->number > 0) {
        /* MemorySwap is the sum of both: equal means no swap, so that the limit is what it says. */
        member(writer, "Memory");
        text_addf(writer->json, "%lld,\"MemorySwap\":%lld", (long long)memory->number,
                  (long long)memory->number);
    }
    if (cpus) {
        long long nano = 0;
        if (!parse_cpus(cpus, &nano)) {
            wrong(writer, "cpus", "'%s' is not a number above 0, such as 1.5", cpus);
            return;
        }
        member(writer, "NanoCpus");
        text_addf(writer->json, "%lld", nano);
    }
}

/* json-file keeps logs without any limit unless told otherwise. */
static void
write_log(struct writer *writer)
{
    const struct gantry_value *size = settings_find(writer->settings, "log_max_size");
    const struct gantry_value *files = settings_find(writer->settings, "log_max_files");
    long long bytes = size && size->number > 0 ? (long long)size->number : 10000000;
    long long count = files ? (long long)files->number : 3;
    if (count < 1 || count > 1000) {
        wrong(writer, "log_max_files", "%lld is not between 1 and 1000", count);
        return;
    }
    member(writer, "LogConfig");
    text_addf(writer->json,
              "{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"%lld\",\"max-file\":\"%lld\"}}",
              bytes, count);
}

const char *
engine_restart_wanted(const struct gantry_settings *settings)
{
    const char *restart = settings_text(settings, "restart");
    return restart ? restart : engine_restart_choices[0];
}

bool
engine_host_config(struct text *json, const struct gantry_settings *settings,
                   const char *restart_policy, char *problem, size_t problem_size)
{
    struct writer writer = {json, settings, problem, problem_size, false};
    problem[0] = '\0';
    text_add(json, "{\"RestartPolicy\":{\"Name\":");
    text_add_json(json, restart_policy);
    text_add_char(json, '}');
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        write_option(&writer, &options[i]);
    write_ulimits(&writer);
    write_limits(&writer);
    write_log(&writer);
    text_add_char(json, '}');
    return !writer.wrong;
}
