/* socket, cert_path, ca_file, cert_file, key_file, tls_verify, watch_span -> where the engine is.  See
 * endpoint.h.
 *
 * As Docker's own client does: DOCKER_CERT_PATH names a folder with ca.pem, cert.pem and key.pem.
 * Unlike it, certificates are verified unless tls_verify = no says otherwise. */
#include "endpoint.h"

#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_PORT     "2375"
#define DEFAULT_TLS_PORT "2376"

#define SPAN_MIN_MS     2000
#define SPAN_MAX_MS     3600000
#define SPAN_DEFAULT_MS 300000

struct reader {
    const struct gantry_settings *settings;
    struct engine *engine;
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

/* One PEM file: its own setting, else in the folder of cert_path.  needed: must be there then. */
static int
read_file(struct reader *reader, const char *key, const char *in_folder, bool needed, char **out)
{
    const char *own = settings_text(reader->settings, key);
    const char *folder = settings_text(reader->settings, "cert_path");
    char *path = NULL;
    if (own)
        path = strdup(own);
    else if (!folder)
        return 0;
    else if (asprintf(&path, "%s/%s", folder, in_folder) < 0)
        path = NULL;
    if (!path)
        return no_memory(reader);
    if (access(path, R_OK) == 0) {
        *out = path;
        return 0;
    }
    int code = 0;
    if (own || needed || errno != ENOENT) {
        char buffer[120];
        code = invalid(reader, "%s: cannot read '%s': %s", own ? key : "cert_path", path,
                       strerror_r(errno, buffer, sizeof buffer));
    }
    free(path);
    return code;
}

static int
read_tls(struct reader *reader, bool *wanted)
{
    struct engine *engine = reader->engine;
    const char *verify = settings_text(reader->settings, "tls_verify");
    bool insecure = verify && (!strcasecmp(verify, "no") || !strcasecmp(verify, "false") ||
                               !strcasecmp(verify, "off"));
    int code = read_file(reader, "ca_file", "ca.pem", false, &engine->ca_file);
    if (code == 0)
        code = read_file(reader, "cert_file", "cert.pem", true, &engine->cert_file);
    if (code == 0)
        code = read_file(reader, "key_file", "key.pem", true, &engine->key_file);
    if (code < 0)
        return code;
    if (!engine->cert_file != !engine->key_file)
        return invalid(reader, "cert_file and key_file belong together: give both");
    *wanted = verify || engine->ca_file || engine->cert_file;
    engine->tls = (struct gantry_http_tls){
        .size = sizeof engine->tls,
        .insecure = insecure,
        .ca_file = engine->ca_file,
        .cert_file = engine->cert_file,
        .key_file = engine->key_file,
    };
    return 0;
}

static int
read_unix(struct reader *reader, const char *path)
{
    struct engine *engine = reader->engine;
    if (path[0] != '/')
        return invalid(reader, "socket: '%s' has no absolute path; write unix:///FOLDER/SOCKET",
                       engine->address);
    if (strlen(path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return invalid(reader, "socket: '%s' is longer than the path of a socket may be",
                       engine->address);
    engine->unix_socket = strdup(path);
    engine->base_url = strdup("http://docker");
    return engine->unix_socket && engine->base_url ? 0 : no_memory(reader);
}

static bool
has_port(const char *host)
{
    const char *bracket = strrchr(host, ']'); /* of an IPv6 address */
    return strchr(bracket ? bracket : host, ':') != NULL;
}

static int
read_tcp(struct reader *reader, const char *host, bool tls)
{
    struct engine *engine = reader->engine;
    size_t length = strlen(host);
    if (length && host[length - 1] == '/')
        length--;
    if (length == 0 || memchr(host, '/', length) || strpbrk(host, " @?#"))
        return invalid(reader, "socket: '%s' is not of the form tcp://HOST:PORT", engine->address);
    int made = asprintf(&engine->base_url, "%s://%.*s%s%s", tls ? "https" : "http", (int)length,
                        host, has_port(host) ? "" : ":",
                        has_port(host) ? ""
                        : tls          ? DEFAULT_TLS_PORT
                                       : DEFAULT_PORT);
    if (made < 0) {
        engine->base_url = NULL;
        return no_memory(reader);
    }
    return 0;
}

/* In whole seconds: the engine's clock tells no more. */
static int
read_span(struct reader *reader)
{
    const struct gantry_value *value = settings_find(reader->settings, "watch_span");
    int64_t ms = value ? value->number : SPAN_DEFAULT_MS;
    if (ms < SPAN_MIN_MS || ms > SPAN_MAX_MS)
        return invalid(reader, "watch_span: it has to be between 2s and 1h, such as 5m");
    reader->engine->watch_span_s = ms / 1000;
    return 0;
}

int
endpoint_read(const struct gantry_settings *settings, struct engine *engine, char *problem,
              size_t problem_size)
{
    struct reader reader = {settings, engine, problem, problem_size};
    const char *address = settings_text(settings, "socket");
    bool tls = false;
    if (address || !engine->address) {
        free(engine->address);
        engine->address = strdup(address ? address : "unix:///var/run/docker.sock");
    }
    if (!engine->address)
        return no_memory(&reader);
    int code = read_tls(&reader, &tls);
    if (code == 0)
        code = read_span(&reader);
    if (code < 0)
        return code;
    address = engine->address;
    if (strncmp(address, "unix://", 7) == 0)
        return read_unix(&reader, address + 7);
    if (strncmp(address, "tcp://", 6) == 0)
        return read_tcp(&reader, address + 6, tls);
    if (strncmp(address, "https://", 8) == 0)
        return read_tcp(&reader, address + 8, true);
    if (strncmp(address, "http://", 7) == 0)
        return read_tcp(&reader, address + 7, false);
    return invalid(&reader, "socket: '%s' is neither unix://PATH nor tcp://HOST:PORT", address);
}

void
endpoint_clear(struct engine *engine)
{
    free(engine->address);
    free(engine->unix_socket);
    free(engine->base_url);
    free(engine->ca_file);
    free(engine->cert_file);
    free(engine->key_file);
}
