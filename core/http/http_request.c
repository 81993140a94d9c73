/* http_request.c - is a request right, and what has curl to be told for it.
 *
 * A request comes from a plugin, perhaps one that was compiled against an older or newer header:
 * what its struct lacks is zero here.  What goes into the header lines is checked byte by byte,
 * since a line end in a value would let it write the rest of the request. */
#include "http_internal.h"

#include "err.h"
#include "secret.h"

#include <gantry/plugin.h>

#include <stdio.h>
#include <strings.h>
#include <sys/un.h>

#define DEFAULT_CONNECT_MS 10000
#define DEFAULT_MAX_BYTES  (UINT64_C(64) << 20)
#define MAX_HEADERS        256
#define MAX_HEADERS_BYTES  (UINT64_C(1) << 20)
#define MAX_URL_BYTES      ((size_t)64 * 1024)
#define MAX_METHOD_BYTES   32
#define KEEPALIVE_SECONDS  60L
/* What a header has in every version: an element has no size of its own, and a later one may be longer. */
#define HEADER_STRIDE_MIN (offsetof(struct gantry_http_header, value) + sizeof(const char *))

int
http_request_read(const struct gantry_http_request *theirs, struct gantry_http_request *request,
                  struct gantry_error **err)
{
    if (theirs->size < offsetof(struct gantry_http_request, unix_socket))
        return err_set(
            err, GANTRY_E_INVALID,
            "request: its size field is %u; set it to sizeof(struct gantry_http_request)",
            theirs->size);
    memset(request, 0, sizeof *request);
    memcpy(request, theirs, MIN((size_t)theirs->size, sizeof *request));
    if (request->connect_timeout_ms == 0)
        request->connect_timeout_ms = DEFAULT_CONNECT_MS;
    if (request->max_response_bytes == 0)
        request->max_response_bytes = DEFAULT_MAX_BYTES;
    return 0;
}

/* A character of a token: method, field name (RFC 9110, 5.6.2). */
static bool
is_token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_token(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text; text++)
        if (!is_token_char(*text))
            return false;
    return true;
}

/* The part between "//" and the path, without credentials. */
static struct str
url_host(const char *url)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    size_t len = strcspn(start, "/?#\\");
    for (size_t i = len; i > 0; i--)
        if (start[i - 1] == '@')
            return (struct str){start + i, len - i};
    return (struct str){start, len};
}

void
http_origin(const char *url, char *text, size_t size)
{
    const char *colon = strstr(url, "://");
    struct str scheme = {url, colon ? (size_t)(colon - url) : 0};

    if (scheme.len == 0)
        scheme = STR("http"); /* what curl takes a proxy without scheme for */
    (void)snprintf(text, size, "%.*s://%.*s", STR_ARG(scheme), STR_ARG(url_host(url)));
}

static bool
has_scheme(const char *url, const char *scheme)
{
    size_t len = strlen(scheme);
    return strncasecmp(url, scheme, len) == 0 && strncmp(url + len, "://", 3) == 0;
}

static int
check_url(const char *url, struct gantry_error **err)
{
    char where[HTTP_WHERE_SIZE];

    if (!url || !*url)
        return err_set(err, GANTRY_E_INVALID, "request: no URL is given");
    if (!has_scheme(url, "http") && !has_scheme(url, "https"))
        return err_set(err, GANTRY_E_INVALID, "URL: begin it with http:// or https://");
    if (strlen(url) > MAX_URL_BYTES)
        return err_set(err, GANTRY_E_INVALID, "URL: longer than %zu bytes", MAX_URL_BYTES);
    http_origin(url, where, sizeof where);
    for (const char *c = url; *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return err_set(err, GANTRY_E_INVALID,
                           "URL '%s': has a blank or a control character; write it as %%%02X",
                           where, (unsigned)(unsigned char)*c);
    if (url_host(url).len == 0)
        return err_set(err, GANTRY_E_INVALID, "URL '%s': has no host", where);

    CURLU *parsed = curl_url();
    if (!parsed)
        return err_nomem(err);
    CURLUcode rc = curl_url_set(parsed, CURLUPART_URL, url, CURLU_PATH_AS_IS);
    curl_url_cleanup(parsed);
    if (rc == CURLUE_OUT_OF_MEMORY)
        return err_nomem(err);
    if (rc == CURLUE_OK)
        return 0;
    /* A password with a slash in it makes the host look like what it is not: then nothing is shown.
     */
    return err_set(err, GANTRY_E_INVALID, "URL '%s': %s", strchr(url, '@') ? "..." : where,
                   curl_url_strerror(rc));
}

static int
check_proxy(const char *proxy, struct gantry_error **err)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    char *scheme = NULL;

    if (!proxy || !*proxy)
        return 0;
    CURLU *parsed = curl_url();
    if (!parsed)
        return err_nomem(err);
    CURLUcode rc =
        curl_url_set(parsed, CURLUPART_URL, proxy, CURLU_DEFAULT_SCHEME | CURLU_NON_SUPPORT_SCHEME);
    if (rc == CURLUE_OK)
        rc = curl_url_get(parsed, CURLUPART_SCHEME, &scheme, CURLU_DEFAULT_SCHEME);
    curl_url_cleanup(parsed);
    if (rc == CURLUE_OUT_OF_MEMORY)
        return err_nomem(err);
    if (rc != CURLUE_OK)
        return err_set(
            err, GANTRY_E_INVALID,
            "proxy: not a valid URL (%s); write it as http://user:password@host:port with "
            "%%2F for a slash in the password",
            curl_url_strerror(rc));
    bool known = false;
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++)
        known = known || strcasecmp(scheme, schemes[i]) == 0;
    curl_free(scheme);
    if (!known)
        return err_set(err, GANTRY_E_INVALID,
                       "proxy: begin its URL with http://, https:// or socks5h://");
    return 0;
}

static const struct gantry_http_header *
header_at(const struct gantry_http_request *request, uint32_t i)
{
    return GANTRY_AT(struct gantry_http_header, request->headers, request->header_stride, i);
}

static const char *
find_header(const struct gantry_http_request *request, const char *name)
{
    for (uint32_t i = 0; i < request->header_count; i++)
        if (strcasecmp(header_at(request, i)->name, name) == 0)
            return header_at(request, i)->value;
    return NULL;
}

static int
check_headers(const struct gantry_http_request *request, struct gantry_error **err)
{
    uint64_t bytes = 0;

    if (request->header_count == 0)
        return 0;
    if (!request->headers || request->header_stride < HEADER_STRIDE_MIN)
        return err_set(err, GANTRY_E_INVALID,
                       "request: header_stride is %u; set it to sizeof(struct gantry_http_header)",
                       request->header_stride);
    if (request->header_count > MAX_HEADERS)
        return err_set(err, GANTRY_E_INVALID, "request: more than %d headers", MAX_HEADERS);
    for (uint32_t i = 0; i < request->header_count; i++) {
        const struct gantry_http_header *header = header_at(request, i);
        if (!header->name || !is_token(header->name))
            return err_set(err, GANTRY_E_INVALID, "request: the name of header %u is not a token",
                           i + 1);
        if (!header->value)
            return err_set(err, GANTRY_E_INVALID, "header '%s': has no value", header->name);
        for (const char *c = header->value; *c; c++)
            if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
                return err_set(err, GANTRY_E_INVALID,
                               "header '%s': its value has a line end or a control character; "
                               "remove it",
                               header->name);
        bytes += strlen(header->name) + strlen(header->value);
    }
    if (bytes > MAX_HEADERS_BYTES)
        return err_set(err, GANTRY_E_INVALID, "request: its headers are larger than 1 MiB");
    if (find_header(request, "Content-Length") || find_header(request, "Transfer-Encoding"))
        return err_set(err, GANTRY_E_INVALID,
                       "request: Content-Length and Transfer-Encoding follow from the body; leave "
                       "them out");
    return 0;
}

int
http_request_check(const struct gantry_http_request *request, struct gantry_error **err)
{
    int rc = check_url(request->url, err);
    if (rc == 0)
        rc = check_proxy(request->proxy, err);
    if (rc == 0)
        rc = check_headers(request, err);
    if (rc < 0)
        return rc;
    if (!request->method || !is_token(request->method) ||
        strlen(request->method) > MAX_METHOD_BYTES)
        return err_set(err, GANTRY_E_INVALID, "request: the method is not one, such as GET");
    bool has_body = request->read_body || request->body_size > 0;
    if (has_body && strcmp(request->method, "HEAD") == 0)
        return err_set(err, GANTRY_E_INVALID, "request: HEAD has no body");
    if (request->body_size > 0 && !request->body && !request->read_body)
        return err_set(err, GANTRY_E_INVALID, "request: body_size is set, but no body");
    if (request->body_size > INT64_MAX)
        return err_set(err, GANTRY_E_INVALID, "request: body_size is too large");
    if (request->unix_socket &&
        strlen(request->unix_socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return err_set(err, GANTRY_E_INVALID, "unix socket '%s': the path is longer than %zu bytes",
                       request->unix_socket, sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1);
    return 0;
}

/* --- header lines: one block for the list and its texts, so that it can be wiped */

struct lines {
    struct curl_slist *node, *first;
    char *text;
};

static void
add_line(struct lines *lines, const char *name, struct str value, const char *separator)
{
    struct curl_slist *node = lines->node++;
    node->data = lines->text;
    node->next = NULL;
    if (lines->first != node)
        (node - 1)->next = node;

    char *to = stpcpy(lines->text, name);
    to = stpcpy(to, separator);
    if (value.len > 0) /* an empty view may have no address */
        to = mempcpy(to, value.ptr, value.len);
    *to++ = '\0';
    lines->text = to;
}

/* Room for the caller's lines and for two of ours. */
static int
make_block(struct http_transfer *t, const struct gantry_http_request *request)
{
    size_t nodes = ((size_t)request->header_count + 2) * sizeof(struct curl_slist);
    size_t bytes = 2 * sizeof "Content-Type:";

    for (uint32_t i = 0; i < request->header_count; i++)
        bytes += strlen(header_at(request, i)->name) + strlen(header_at(request, i)->value) +
                 sizeof ": ";
    if (nodes + bytes <= t->block_size)
        return 0;
    char *block = malloc(nodes + bytes);
    if (!block)
        return GANTRY_E_NOMEM;
    free(t->block); /* wiped when its last request ended */
    t->block = block;
    t->block_size = nodes + bytes;
    return 0;
}

static int
make_headers(struct http_transfer *t, const struct gantry_http_request *request,
             struct curl_slist **out)
{
    bool has_body = request->read_body || request->body_size > 0;
    int rc = make_block(t, request);
    if (rc < 0)
        return rc;

    struct lines lines = {.node = (struct curl_slist *)(void *)t->block};
    lines.first = lines.node;
    lines.text = (char *)(lines.node + request->header_count + 2);
    for (uint32_t i = 0; i < request->header_count; i++) {
        struct str value = str_trim(str_of(header_at(request, i)->value));
        /* "Name;" is how curl is told to send an empty value; "Name:" would remove the header. */
        add_line(&lines, header_at(request, i)->name, value, value.len > 0 ? ": " : ";");
    }
    /* What curl would add by itself: a form's type, and waiting for leave to send. */
    if (!find_header(request, "Content-Type"))
        add_line(&lines, "Content-Type", STR_NONE, ":");
    if (has_body && !find_header(request, "Expect"))
        add_line(&lines, "Expect", STR_NONE, ":");
    *out = lines.node > lines.first ? lines.first : NULL;
    return 0;
}

/* --- telling curl */

static CURLcode
apply_method(CURL *easy, const struct gantry_http_request *request)
{
    const char *method = request->method;
    bool wants_body =
        strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
    CURLcode rc = CURLE_OK;

    if (request->read_body) {
        HTTP_SET(CURLOPT_UPLOAD, 1L);
        HTTP_SET(CURLOPT_INFILESIZE_LARGE,
                 request->body_size > 0 ? (curl_off_t)request->body_size : (curl_off_t)-1);
        /* What has been read cannot be sent a second time, so it never goes over a kept connection,
         * which may be closed already. */
        HTTP_SET(CURLOPT_FRESH_CONNECT, 1L);
    } else if (request->body_size > 0 || wants_body) {
        /* Without a body too: these methods then have to say "Content-Length: 0". */
        HTTP_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        HTTP_SET(CURLOPT_POSTFIELDS, request->body_size > 0 ? request->body : "");
    } else if (strcmp(method, "HEAD") == 0) {
        HTTP_SET(CURLOPT_NOBODY, 1L);
    }
    if (strcmp(method, "GET") != 0 || request->body_size > 0 || request->read_body)
        HTTP_SET(CURLOPT_CUSTOMREQUEST, method);
    return rc;
}

static CURLcode
apply_tls(CURL *easy, const struct gantry_http_tls *theirs)
{
    struct gantry_http_tls tls = {0};
    CURLcode rc = CURLE_OK;

    memcpy(&tls, theirs, MIN((size_t)theirs->size, sizeof tls));
    if (tls.insecure) {
        HTTP_SET(CURLOPT_SSL_VERIFYPEER, 0L);
        HTTP_SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (tls.ca_file) {
        /* These alone are trusted: the system's folder of certificates must go as well. */
        HTTP_SET(CURLOPT_CAINFO, tls.ca_file);
        HTTP_SET(CURLOPT_CAPATH, (char *)NULL);
        HTTP_SET(CURLOPT_PROXY_CAINFO, tls.ca_file);
        HTTP_SET(CURLOPT_PROXY_CAPATH, (char *)NULL);
#if LIBCURL_VERSION_NUM >= 0x075700 /* 7.87 keeps them for a day, by the path alone */
        HTTP_SET(CURLOPT_CA_CACHE_TIMEOUT, 0L);
#endif
    }
    if (tls.cert_file)
        HTTP_SET(CURLOPT_SSLCERT, tls.cert_file);
    if (tls.key_file)
        HTTP_SET(CURLOPT_SSLKEY, tls.key_file);
    return rc;
}

static CURLcode
apply_proxy(CURL *easy, const struct gantry_http_request *request)
{
    CURLcode rc = CURLE_OK;

    if (request->proxy) {
        HTTP_SET(CURLOPT_PROXY, request->proxy);
        /* Settings that name a proxy are whole: the environment's no_proxy does not join in. */
        HTTP_SET(CURLOPT_NOPROXY, request->no_proxy ? request->no_proxy : "");
    } else if (request->no_proxy) {
        HTTP_SET(CURLOPT_NOPROXY, request->no_proxy);
    }
    return rc;
}

static CURLcode
apply_route(struct http_transfer *t, const struct gantry_http_request *request)
{
    CURL *easy = t->easy;
    CURLcode rc = CURLE_OK;

    if (request->unix_socket) {
        HTTP_SET(CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
        HTTP_SET(CURLOPT_PROXY, "");
    } else {
        if (rc == CURLE_OK)
            rc = apply_proxy(easy, request);
        HTTP_SET(CURLOPT_TCP_KEEPALIVE, 1L); /* finds a peer that is gone while a stream is quiet */
        HTTP_SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_SECONDS);
        HTTP_SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_SECONDS);
        if (!find_header(request, "Accept-Encoding"))
            HTTP_SET(CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    if (has_scheme(request->url, "https")) {
        HTTP_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        HTTP_SET(CURLOPT_PIPEWAIT, 1L); /* rather one HTTP/2 connection than many */
        if (rc == CURLE_OK && request->tls)
            rc = apply_tls(easy, request->tls);
    } else {
        HTTP_SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    }
    if (request->flags & GANTRY_HTTP_FRESH_CONNECTION) {
        HTTP_SET(CURLOPT_FRESH_CONNECT, 1L);
        HTTP_SET(CURLOPT_FORBID_REUSE, 1L);
    }
    return rc;
}

static CURLcode
apply_basics(CURL *easy, const struct gantry_http_request *request, struct curl_slist *headers)
{
    CURLcode rc = CURLE_OK;

    HTTP_SET(CURLOPT_NOSIGNAL, 1L);
    HTTP_SET(CURLOPT_QUICK_EXIT, 1L);            /* else ending waits for a resolver that hangs */
    HTTP_SET(CURLOPT_UPLOAD_BUFFERSIZE, 16384L); /* else 64 KiB a handle, for bodies of a few */
    HTTP_SET(CURLOPT_PROTOCOLS_STR, "http,https");
    HTTP_SET(CURLOPT_FOLLOWLOCATION, 0L);
    HTTP_SET(CURLOPT_PATH_AS_IS, 1L);
    HTTP_SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    HTTP_SET(CURLOPT_URL, request->url);
    HTTP_SET(CURLOPT_USERAGENT, "gantry/" GANTRY_VERSION_STRING);
    HTTP_SET(CURLOPT_HTTPHEADER, headers);
    /* Our deadlines are our own; curl has this one too because it alone knows when it tries again.
     */
    HTTP_SET(CURLOPT_CONNECTTIMEOUT_MS,
             (long)MIN(request->connect_timeout_ms, (uint32_t)INT32_MAX));
    return rc;
}

static void
name_places(struct http_transfer *t, const struct gantry_http_request *request)
{
    t->unix_socket = request->unix_socket != NULL;
    t->via[0] = '\0';
    if (request->unix_socket) {
        (void)snprintf(t->where, sizeof t->where, "unix socket '%s'", request->unix_socket);
        return;
    }
    http_origin(request->url, t->where, sizeof t->where);
    if (request->proxy && *request->proxy)
        http_origin(request->proxy, t->via, sizeof t->via);
}

int
http_request_apply(struct http_transfer *t, const struct gantry_http_request *request,
                   struct gantry_error **err)
{
    struct curl_slist *headers = NULL;
    int code = make_headers(t, request, &headers);
    if (code < 0)
        return err_nomem(err);

    name_places(t, request);
    t->limits = (struct http_limits){
        .connect_ms = request->connect_timeout_ms,
        .first_byte_ms = request->first_byte_timeout_ms,
        .total_ms = request->total_timeout_ms,
        .stall_ms = request->stall_timeout_ms,
        .max_bytes = request->max_response_bytes,
    };
    CURLcode rc = apply_basics(t->easy, request, headers);
    if (rc == CURLE_OK)
        rc = apply_method(t->easy, request);
    if (rc == CURLE_OK)
        rc = apply_route(t, request);
    if (rc == CURLE_OUT_OF_MEMORY)
        return err_nomem(err);
    if (rc != CURLE_OK)
        return err_set(err, GANTRY_E_INTERNAL, "%s: curl refused an option: %s", t->where,
                       curl_easy_strerror(rc));
    return 0;
}
