/* The settings -> where Portainer is and what is asked of it.  See portainer.h. */
#include "portainer.h"
#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPAN_MIN_MS 2000
#define SPAN_MAX_MS 3600000

struct reader {
    const struct gantry_settings *settings;
    struct portainer *portainer;
    char *problem;
    size_t problem_size;
};

GANTRY_PRINTF(2, 3)
static int
invalid(struct reader *reader, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reader->problem, reader->problem_size, format, args);
    va_end(args);
    return GANTRY_E_INVALID;
}

static int
no_memory(struct reader *reader)
{
    snprintf(reader->problem, reader->problem_size, "out of memory");
    return GANTRY_E_NOMEM;
}

/* A copy of a setting; NULL where it has none. */
static int
copy(struct reader *reader, const char *key, char **out)
{
    const char *text = settings_text(reader->settings, key);
    *out = text ? strdup(text) : NULL;
    return text && !*out ? no_memory(reader) : 0;
}

/* XTM Composer's users may have written the API's own path behind it. */
static size_t
url_length(const char *url)
{
    size_t length = strlen(url);
    while (length && url[length - 1] == '/')
        length--;
    return length > 4 && strncmp(url + length - 4, "/api", 4) == 0 ? length - 4 : length;
}

static int
read_url(struct reader *reader)
{
    const char *url = settings_text(reader->settings, "url");
    bool is_url = url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
    if (!is_url || strpbrk(url, " @?#") || !strstr(url, "://")[3])
        return invalid(
            reader,
            "url: '%.200s' is not of the form https://HOST:PORT, such as https://portainer:9443",
            url && !strchr(url, '@') ? url : "");
    struct engine *engine = &reader->portainer->engine;
    engine->base_url = strndup(url, url_length(url));
    int made = engine->base_url ? asprintf(&engine->address, "%s, environment %s", engine->base_url,
                                           reader->portainer->environment)
                                : -1;
    if (made < 0) {
        engine->address = NULL;
        return no_memory(reader);
    }
    return 0;
}

static int
read_tls(struct reader *reader)
{
    struct engine *engine = &reader->portainer->engine;
    const struct gantry_value *verify = settings_find(reader->settings, "tls_verify");
    int code = copy(reader, "ca_file", &engine->ca_file);
    if (code < 0)
        return code;
    if (engine->ca_file && access(engine->ca_file, R_OK) < 0) {
        char buffer[120];
        return invalid(reader, "ca_file: cannot read '%s': %s", engine->ca_file,
                       strerror_r(errno, buffer, sizeof buffer));
    }
    engine->tls = (struct gantry_http_tls){
        .size = sizeof engine->tls,
        .insecure = verify && !verify->number,
        .ca_file = engine->ca_file,
    };
    return 0;
}

static int
read_key(struct reader *reader)
{
    struct portainer *portainer = reader->portainer;
    int code = copy(reader, "api_key", &portainer->api_key);
    if (code < 0)
        return code;
    if (!portainer->api_key)
        return invalid(
            reader,
            "api_key: it is missing; make one in Portainer (My account, Access tokens), and write "
            "file:PATH");
    /* The text itself is secret. */
    if (strpbrk(portainer->api_key, "\r\n"))
        return invalid(reader,
                       "api_key: it has more than one line; put the key alone into its file");
    portainer->header = (struct gantry_http_header){"X-API-Key", portainer->api_key};
    portainer->engine.headers = &portainer->header;
    portainer->engine.header_count = 1;
    return 0;
}

static int
read_registries(struct reader *reader)
{
    struct portainer *portainer = reader->portainer;
    const struct gantry_value *map = settings_find(reader->settings, "registries");
    uint32_t count = map ? map->item_count : 0;
    portainer->registries = count ? calloc(count, sizeof *portainer->registries) : NULL;
    if (count && !portainer->registries)
        return no_memory(reader);
    for (uint32_t i = 0; i < count; i++) {
        const char *item = map->items[i], *id = strchr(item, '=');
        size_t digits = id ? strspn(id + 1, "0123456789") : 0;
        if (!id || id == item || digits == 0 || digits > 9 || id[1 + digits])
            return invalid(
                reader,
                "registries: '%.100s' is not of the form HOST=NUMBER, such as docker.io=3, where "
                "Portainer counts that registry as number 3",
                item);
        portainer->registries[i] = strdup(item);
        if (!portainer->registries[i])
            return no_memory(reader);
        portainer->registry_count = i + 1;
    }
    return 0;
}

/* In whole seconds: the engine's clock tells no more. */
static int
read_span(struct reader *reader)
{
    const struct gantry_value *value = settings_find(reader->settings, "watch_span");
    int64_t ms = value ? value->number : 300000;
    if (ms < SPAN_MIN_MS || ms > SPAN_MAX_MS)
        return invalid(reader, "watch_span: it has to be between 2s and 1h, such as 5m");
    reader->portainer->engine.watch_span_s = ms / 1000;
    return 0;
}

int
connection_read(const struct gantry_settings *settings, struct portainer *portainer, char *problem,
                size_t problem_size)
{
    struct reader reader = {settings, portainer, problem, problem_size};
    int code = copy(&reader, "environment", &portainer->environment);
    if (code == 0 && !portainer->environment)
        code = invalid(
            &reader,
            "environment: it is missing; write the number or the name that Portainer shows for it");
    if (code == 0)
        code = read_url(&reader);
    if (code == 0)
        code = read_tls(&reader);
    if (code == 0)
        code = read_key(&reader);
    if (code == 0)
        code = copy(&reader, "node", &portainer->node);
    if (code == 0)
        code = copy(&reader, "stack", &portainer->stack);
    if (code == 0)
        code = read_registries(&reader);
    portainer->engine.stack = portainer->stack;
    return code < 0 ? code : read_span(&reader);
}

void
connection_clear(struct portainer *portainer)
{
    for (uint32_t i = 0; i < portainer->registry_count; i++)
        free(portainer->registries[i]);
    free(portainer->registries);
    if (portainer->api_key)
        explicit_bzero(portainer->api_key, strlen(portainer->api_key));
    free(portainer->api_key);
    free(portainer->environment);
    free(portainer->node);
    free(portainer->stack);
    free(portainer->engine.address);
    free(portainer->engine.base_url);
    free(portainer->engine.ca_file);
}
