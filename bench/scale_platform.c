/* scale_platform.c - an OpenCTI of N connectors for bench/scale.sh: one process, plain sockets, answers as the real
 * one does to the operations that a manager sends.
 *
 *   scale_platform COUNT    prints its port; then obeys lines on its standard input, and ends with that:
 *     counts                prints how often each thing was asked and told, and how many connectors are started
 *     hash I                gives connector I another hash */
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 64, REQUEST_MAX = 1024 * 1024, IMAGES = 60 };

struct text {
    char *ptr;
    size_t len, size;
};

struct client {
    int fd;
    struct text in;
};

struct connector {
    uint32_t hash;
    const char *current; /* NULL: not reported yet */
};

static struct {
    struct connector *connectors;
    size_t count;
    struct client clients[CLIENTS];
    struct text listing; /* as last sent; len 0: to be made again */
    size_t listings, configurations, statuses, healths, logs, pings, requests;
} platform;

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct text *t, const char *format, ...)
{
    va_list args;
    for (;;) {
        va_start(args, format);
        int n = vsnprintf(t->ptr ? t->ptr + t->len : NULL, t->size - t->len, format, args);
        va_end(args);
        if (n < 0)
            exit(1);
        if (t->len + (size_t)n < t->size) {
            t->len += (size_t)n;
            return;
        }
        t->size = (t->len + (size_t)n + 1) * 2;
        if (!(t->ptr = realloc(t->ptr, t->size)))
            exit(1);
    }
}

static void
add_id(struct text *t, size_t i)
{
    add(t, "{\"id\":\"%08zx-5f0e-4a52-9d0e-%012zx\"", i, i * 2654435761U & 0xffffffffffff);
}

static void
add_hash_and_image(struct text *t, size_t i)
{
    add(t, ",\"manager_contract_hash\":\"%08x\"", platform.connectors[i].hash);
    add(t, ",\"manager_contract_image\":\"opencti/connector-number-%zu:6.8.12\"", i % IMAGES);
}

static void
make_listing(struct text *t)
{
    t->len = 0;
    add(t, "{\"data\":{\"connectorsForManagers\":[");
    for (size_t i = 0; i < platform.count; i++) {
        const char *current = platform.connectors[i].current;
        add(t, i ? "," : "");
        add_id(t, i);
        add(t, ",\"name\":\"Connector of the bench %zu\"", i);
        add_hash_and_image(t, i);
        add(t, current ? ",\"manager_current_status\":\"%s\"" : ",\"manager_current_status\":null",
            current);
        add(t, ",\"manager_requested_status\":\"starting\"}");
    }
    add(t, "]}}\n");
}

static void
make_configurations(struct text *t)
{
    static const char *const keys[] = {"CONNECTOR_ID",        "CONNECTOR_NAME", "CONNECTOR_SCOPE",
                                       "CONNECTOR_LOG_LEVEL", "OPENCTI_TOKEN",  "INTERVAL"};
    add(t, "{\"data\":{\"connectorsForManagers\":[");
    for (size_t i = 0; i < platform.count; i++) {
        add(t, i ? "," : "");
        add_id(t, i);
        add_hash_and_image(t, i);
        add(t, ",\"manager_contract_configuration\":[");
        for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
            add(t, "%s{\"key\":\"%s\",\"value\":\"value %zu of %zu\",\"encrypted\":false}",
                k ? "," : "", keys[k], k, i);
        add(t, "]}");
    }
    add(t, "]}}\n");
}

/* ---- what is told ---------------------------------------------------------------------------- */

static void
take_status(const cJSON *status)
{
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItem(status, "id"));
    const char *word = cJSON_GetStringValue(cJSON_GetObjectItem(status, "status"));
    if (!id || !word)
        return;
    size_t i = strtoul(id, NULL, 16); /* up to the first dash */
    if (i >= platform.count)
        return;
    platform.connectors[i].current = strcmp(word, "started") == 0 ? "started" : "stopped";
    platform.listing.len = 0;
    platform.statuses++;
}

static void
answer_mutation(const char *query, const cJSON *variables, struct text *out)
{
    const char *comma = "";
    add(out, "{\"data\":{");
    if (strstr(query, "registerConnectorsManager"))
        add(out, "\"registerConnectorsManager\":{\"id\":\"m\",\"name\":\"m\",\"about_version\":"
                 "\"6.8.12\"}");
    if (strstr(query, "updateConnectorManagerStatus")) {
        platform.pings++;
        add(out, "\"updateConnectorManagerStatus\":{\"id\":\"m\",\"about_version\":\"6.8.12\"}");
    }
    if (strstr(query, "updateConnectorCurrentStatus")) {
        take_status(cJSON_GetObjectItem(variables, "status"));
        add(out, "\"updateConnectorCurrentStatus\":{\"id\":\"c\",\"manager_current_status\":null}");
        comma = ",";
    }
    if (strstr(query, "updateConnectorHealth")) {
        platform.healths++;
        add(out, "%s\"updateConnectorHealth\":\"c\"", comma);
        comma = ",";
    }
    if (strstr(query, "updateConnectorLogs")) {
        platform.logs++;
        add(out, "%s\"updateConnectorLogs\":\"c\"", comma);
    }
    add(out, "}}\n");
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

static void
send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the client is gone: the next poll says so */
        bytes += n;
        len -= (size_t)n;
    }
}

static void
answer(int fd, const char *body, size_t len)
{
    cJSON *json = cJSON_ParseWithLength(body, len);
    const char *query = cJSON_GetStringValue(cJSON_GetObjectItem(json, "query"));
    struct text made = {0}, head = {0}, *out = &made;
    platform.requests++;
    if (query && strstr(query, "manager_contract_configuration")) {
        platform.configurations++;
        make_configurations(out);
    } else if (query && strstr(query, "connectorsForManagers")) {
        platform.listings++;
        out = &platform.listing;
        if (out->len == 0)
            make_listing(out);
    } else if (query) {
        answer_mutation(query, cJSON_GetObjectItem(json, "variables"), out);
    } else {
        add(out, "{\"errors\":[{\"message\":\"no query\"}]}\n");
    }
    add(&head,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
        "Content-Length: %zu\r\n\r\n",
        out->len);
    send_all(fd, head.ptr, head.len);
    send_all(fd, out->ptr, out->len);
    free(head.ptr);
    free(made.ptr);
    cJSON_Delete(json);
}

/* Answers what is whole; false: the client has to go. */
static bool
read_client(struct client *c)
{
    char bytes[16384];
    ssize_t n = recv(c->fd, bytes, sizeof bytes - 1, 0);
    if (n <= 0 || c->in.len + (size_t)n > REQUEST_MAX)
        return false;
    bytes[n] = '\0';
    add(&c->in, "%s", bytes);
    for (;;) {
        char *end = strstr(c->in.ptr, "\r\n\r\n");
        char *length = end ? strcasestr(c->in.ptr, "\r\nContent-Length:") : NULL;
        if (!end)
            return true;
        size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
        size_t whole = (size_t)(end + 4 - c->in.ptr) + body;
        if (c->in.len < whole)
            return true;
        answer(c->fd, end + 4, body);
        memmove(c->in.ptr, c->in.ptr + whole, c->in.len - whole + 1);
        c->in.len -= whole;
    }
}

static void
accept_client(int listener)
{
    int fd = accept(listener, NULL, NULL), on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* head and body go apart */
    for (size_t i = 0; fd >= 0 && i < CLIENTS; i++)
        if (platform.clients[i].fd < 0) {
            platform.clients[i].fd = fd;
            return;
        }
    if (fd >= 0)
        close(fd);
}

static void
obey(const char *line)
{
    size_t started = 0;
    if (strncmp(line, "hash ", 5) == 0) {
        size_t which = strtoul(line + 5, NULL, 10);
        platform.connectors[which < platform.count ? which : 0].hash++;
        platform.listing.len = 0;
    }
    for (size_t i = 0; i < platform.count; i++)
        started += platform.connectors[i].current &&
                   strcmp(platform.connectors[i].current, "started") == 0;
    printf("{\"listings\":%zu,\"configurations\":%zu,\"statuses\":%zu,\"healths\":%zu,\"logs\":%zu,"
           "\"pings\":%zu,\"requests\":%zu,\"started\":%zu,\"bytes\":%zu}\n",
           platform.listings, platform.configurations, platform.statuses, platform.healths,
           platform.logs, platform.pings, platform.requests, started, platform.listing.len);
    fflush(stdout);
}

static int
listen_somewhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, CLIENTS) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        exit(1);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void
serve(int listener)
{
    for (;;) {
        struct pollfd fds[CLIENTS + 2] = {{.fd = 0, .events = POLLIN},
                                          {.fd = listener, .events = POLLIN}};
        for (size_t i = 0; i < CLIENTS; i++)
            fds[i + 2] = (struct pollfd){.fd = platform.clients[i].fd, .events = POLLIN};
        if (poll(fds, CLIENTS + 2, -1) < 0)
            exit(1);
        char line[128];
        if (fds[0].revents) { /* one line at a time: who asks waits for the answer */
            if (!fgets(line, sizeof line, stdin))
                return;
            obey(line);
        }
        if (fds[1].revents)
            accept_client(listener);
        for (size_t i = 0; i < CLIENTS; i++) {
            struct client *c = &platform.clients[i];
            if (!fds[i + 2].revents || read_client(c))
                continue;
            close(c->fd);
            c->fd = -1;
            c->in.len = 0;
        }
    }
}

int
main(int argc, char **argv)
{
    platform.count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    platform.connectors = calloc(platform.count + 1, sizeof *platform.connectors);
    if (!platform.connectors)
        return 1;
    for (size_t i = 0; i < platform.count; i++)
        platform.connectors[i].hash = (uint32_t)(i * 2654435761U);
    for (size_t i = 0; i < CLIENTS; i++)
        platform.clients[i].fd = -1;
    serve(listen_somewhere());
    return 0;
}
