/* url.c - the URL of a request: the source's, then the connector's; nothing is normalised.
 *
 *   http://h/v1?k=1   ["eu"]   {"q":2}   /c?m=3    ["x"]   {"z":4}
 *   `-- baseURL --'   `source: path, `   `- URL '   `connector: path,
 *                      queryParams                   queryParams
 *   http://h/v1/eu/c/x?k=1&q=2&m=3&z=4 */
#include "err.h"
#include "mapping_eval.h"
#include "request.h"

struct url {
    struct request_builder *b;
    struct str origin; /* scheme, host and port, as written */
    struct buf path, query;
};

/* A text that was rendered, cut. */
struct parts {
    struct str origin, path, query;
};

static int
too_long(struct request_builder *b, const struct buf *text)
{
    if (buf_failed(text) == GANTRY_E_NOMEM)
        return err_nomem(b->err);
    return request_refuse(b, b->at, "the URL is longer than %d bytes", REQUEST_URL_MAX);
}

static void
clear_url(struct url *url)
{
    buf_clear(&url->path);
    buf_clear(&url->query);
}

/* The path and the query of a text, without its fragment. */
static struct parts
cut_parts(struct str text)
{
    struct parts parts = {STR_NONE, STR_NONE, STR_NONE};
    struct str fragment;
    parts.path = str_cut(str_cut(text, '#', &fragment), '?', &parts.query);
    return parts;
}

static bool
is_port(struct str port)
{
    uint64_t number;
    return port.len == 0 || (str_to_uint64(port, &number) && number <= 65535);
}

/* A name, an IPv4 address, or what stands in brackets; then a port, if any. */
static bool
is_host(struct str host)
{
    struct str port = STR_NONE, name = host;
    const char *end = host.len && host.ptr[0] == '[' ? memchr(host.ptr, ']', host.len) : NULL;
    const char *allowed = end ? ":." : "-._~!$&'()*+,;=";
    if (end) {
        name = (struct str){host.ptr + 1, (size_t)(end - host.ptr) - 1};
        port = (struct str){end + 1, host.len - name.len - 2};
        if (port.len && port.ptr[0] != ':')
            return false;
        port = port.len ? (struct str){port.ptr + 1, port.len - 1} : STR_NONE;
    } else {
        name = str_cut(host, ':', &port);
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_plain && (!c || !strchr(allowed, c)))
            return false;
    }
    return name.len > 0 && is_port(port);
}

/* Take scheme, host and port off an absolute URL. */
static int
cut_origin(struct request_builder *b, struct parts *parts)
{
    struct str text = parts->path;
    const char *sign = text.len ? memmem(text.ptr, text.len, "://", 3) : NULL;
    struct str scheme = {text.ptr, sign ? (size_t)(sign - text.ptr) : 0};
    if (!sign || (!str_eq_nocase(scheme, STR("http")) && !str_eq_nocase(scheme, STR("https"))))
        return request_refuse(b, b->at, "the URL does not begin with http:// or https://");
    struct str rest = {sign + 3, text.len - scheme.len - 3};
    const char *slash = memchr(rest.ptr, '/', rest.len);
    struct str authority = {rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len};
    const char *at = memrchr(authority.ptr, '@', authority.len);
    struct str host = authority;
    if (at)
        host = (struct str){at + 1, authority.len - (size_t)(at + 1 - authority.ptr)};
    if (!is_host(host))
        return request_refuse(b, b->at,
                              "'%.*s' is no host, or no host and port; a host of other "
                              "letters is written in its ASCII form",
                              STR_ARG(host));
    parts->origin = (struct str){text.ptr, scheme.len + 3 + authority.len};
    parts->path = (struct str){rest.ptr + authority.len, rest.len - authority.len};
    return 0;
}

static bool
is_dot_segment(struct str segment)
{
    return str_eq(segment, STR(".")) || str_eq(segment, STR(".."));
}

static int
refuse_dots(struct request_builder *b)
{
    return request_refuse(b, b->at,
                          "a value would be a path segment of dots alone, which leads to "
                          "another place of the server");
}

/* What came from a hole must not climb out of its place. */
static int
check_segments(struct request_builder *b, const struct rendering *r, struct str path)
{
    while (path.ptr && path.len) {
        struct str segment = str_cut(path, '/', &path);
        size_t at = (size_t)(segment.ptr - r->text.ptr);
        if (is_dot_segment(segment) && memchr(r->origin.ptr + at, 'h', segment.len))
            return refuse_dots(b);
    }
    return 0;
}

static void
add_path(struct buf *path, struct str piece)
{
    bool ends = path->len && path->ptr[path->len - 1] == '/';
    if (piece.len == 0 || str_eq(piece, STR("/")))
        return;
    while (ends && piece.len && piece.ptr[0] == '/')
        piece = (struct str){piece.ptr + 1, piece.len - 1};
    if (!ends && piece.ptr[0] != '/')
        buf_add_char(path, '/');
    buf_add(path, piece);
}

static void
begin_parameter(struct buf *query)
{
    if (query->len && query->ptr[query->len - 1] != '&')
        buf_add_char(query, '&');
}

static void
add_query(struct buf *query, struct str part)
{
    if (part.len == 0)
        return;
    begin_parameter(query);
    buf_add(query, part);
}

/* `path`: each element becomes a segment. */
static int
add_segments(struct url *url, const struct value *all)
{
    struct request_builder *b = url->b;
    if (value_kind(all) != VALUE_ARRAY)
        return request_refuse(b, b->at, "it gives %s, and takes an array of path segments",
                              kind_words(all));
    for (size_t i = 0; i < value_count(all) && !buf_failed(&url->path); i++) {
        AUTO_BUF struct buf text = BUF_INIT(REQUEST_URL_MAX);
        if (!add_scalar_text(value_at(all, i), &text))
            return request_refuse(b, b->at, "element %zu is %s, which is no path segment", i,
                                  kind_words(value_at(all, i)));
        if (buf_failed(&text))
            return too_long(b, &text);
        if (is_dot_segment(buf_view(&text)))
            return refuse_dots(b);
        if (!url->path.len || url->path.ptr[url->path.len - 1] != '/')
            buf_add_char(&url->path, '/');
        buf_add_url(&url->path, buf_view(&text));
    }
    return 0;
}

static int
add_parameter(struct url *url, struct str key, const struct value *v)
{
    AUTO_BUF struct buf text = BUF_INIT(REQUEST_URL_MAX);
    struct request_builder *b = url->b;
    if (!add_scalar_text(v, &text))
        return request_refuse(b, b->at,
                              "'%.*s' is or holds %s; a parameter is a scalar, or an "
                              "array of scalars",
                              STR_ARG(key), kind_words(v));
    if (buf_failed(&text))
        return too_long(b, &text);
    begin_parameter(&url->query);
    buf_add_url(&url->query, key);
    buf_add_char(&url->query, '=');
    buf_add_url(&url->query, buf_view(&text));
    return 0;
}

/* `queryParams`. */
static int
add_parameters(struct url *url, const struct value *all)
{
    struct request_builder *b = url->b;
    int rc = 0;
    if (value_kind(all) != VALUE_OBJECT)
        return request_refuse(b, b->at, "it gives %s, and takes an object of parameters",
                              kind_words(all));
    for (size_t i = 0; i < value_count(all) && rc == 0 && !buf_failed(&url->query); i++) {
        const struct value *v = value_at(all, i);
        struct str key = value_key_at(all, i);
        if (value_kind(v) == VALUE_NULL)
            continue;
        if (value_kind(v) != VALUE_ARRAY)
            rc = add_parameter(url, key, v);
        else
            for (size_t j = 0; j < value_count(v) && rc == 0 && !buf_failed(&url->query); j++)
                rc = add_parameter(url, key, value_at(v, j));
    }
    return rc;
}

static int
add_mapping(struct url *url, struct request_spot spot, const struct mapping_slot *slot,
            int (*add)(struct url *url, const struct value *v))
{
    struct request_builder *b = url->b;
    struct value *value = NULL, *empty = value_new_object(b->arena);
    if (!slot->mapping)
        return 0;
    if (!empty)
        return err_nomem(b->err);
    spot.written = slot->written;
    b->spot = spot;
    b->at = (struct mapping_range){0, mapping_text(slot->mapping).len};
    int rc = request_eval(b, slot->mapping, 0, empty, &value);
    return rc < 0 || !value ? rc : add(url, value);
}

/* Render a URL's template.  parts: views of r. */
static int
render(struct request_builder *b, struct request_spot spot, const struct template_slot *slot,
       struct rendering *r, struct parts *parts)
{
    spot.written = slot->written;
    b->spot = spot;
    b->at = (struct mapping_range){0, 0};
    if (!slot->template)
        return request_refuse(b, b->at, "there is no URL");
    int rc = template_render(b, slot->template, TEMPLATE_URL, r);
    if (rc < 0)
        return rc;
    if (r->bad)
        return request_refuse(b, r->bad->range,
                              "a hole of the URL gives %s; text, a number or a "
                              "boolean can stand there",
                              r->bad_kind);
    if (buf_failed(&r->text))
        return too_long(b, &r->text);
    b->at = (struct mapping_range){0, slot->template->text.len};
    *parts = cut_parts(buf_view(&r->text));
    return 0;
}

/* The base and what the source adds to its path: scheme, host, path.  base: of the caller, or the source's. */
static int
add_source(struct url *url, const struct connect_source *source, struct str base_url,
           struct str *query, struct rendering *r)
{
    const struct request_spot spot = {SCOPE_BASE, "source.baseURL", STR_NONE, NULL};
    struct request_builder *b = url->b;
    struct parts parts = {STR_NONE, STR_NONE, STR_NONE};
    int rc = 0;
    if (base_url.ptr) {
        b->spot = spot;
        b->at = (struct mapping_range){0, 0};
        url_add_literal(&r->text, base_url);
        if (buf_failed(&r->text))
            return too_long(b, &r->text);
        parts = cut_parts(buf_view(&r->text));
    } else {
        rc = render(b, spot, &source->http.url, r, &parts);
    }
    if (rc == 0)
        rc = cut_origin(b, &parts);
    if (rc == 0 && !base_url.ptr)
        rc = check_segments(b, r, parts.path);
    if (rc < 0)
        return rc;
    url->origin = parts.origin;
    *query = parts.query;
    buf_add(&url->path, parts.path.len ? parts.path : STR("/"));
    return add_mapping(url, (struct request_spot){SCOPE_SOURCE, "source.path", STR_NONE, NULL},
                       &source->http.path, add_segments);
}

/* The rest, in the order of the wire. */
static int
add_connector(struct url *url, const struct connector *c, struct rendering *r)
{
    const struct request_spot spot = {SCOPE_CONNECTOR, "connect.url", STR_NONE, NULL};
    struct request_builder *b = url->b;
    struct parts parts = {STR_NONE, STR_NONE, STR_NONE};
    int rc = render(b, spot, &c->http.url, r, &parts);
    if (rc == 0 && !c->source)
        rc = cut_origin(b, &parts);
    if (rc == 0)
        rc = check_segments(b, r, parts.path);
    if (rc < 0)
        return rc;
    if (!c->source)
        url->origin = parts.origin;
    add_path(&url->path, parts.path);
    rc = add_mapping(url, (struct request_spot){SCOPE_CONNECTOR, "connect.path", STR_NONE, NULL},
                     &c->http.path, add_segments);
    if (rc == 0 && c->source)
        rc = add_mapping(url,
                         (struct request_spot){SCOPE_SOURCE, "source.queryParams", STR_NONE, NULL},
                         &c->source->http.query, add_parameters);
    if (rc < 0)
        return rc;
    add_query(&url->query, parts.query);
    return add_mapping(
        url, (struct request_spot){SCOPE_CONNECTOR, "connect.queryParams", STR_NONE, NULL},
        &c->http.query, add_parameters);
}

static int
put_together(struct url *url, struct str *out)
{
    AUTO_BUF struct buf text = BUF_INIT(REQUEST_URL_MAX);
    if (buf_failed(&url->path))
        return too_long(url->b, &url->path);
    if (buf_failed(&url->query))
        return too_long(url->b, &url->query);
    buf_add(&text, url->origin);
    buf_add(&text, url->path.len ? buf_view(&url->path) : STR("/"));
    if (url->query.len) {
        buf_add_char(&text, '?');
        buf_add(&text, buf_view(&url->query));
    }
    return buf_failed(&text) ? too_long(url->b, &text) : request_keep(url->b, &text, out);
}

int
url_build(struct request_builder *b, struct str base_url, struct str *out)
{
    AUTO_RENDERING struct rendering base = RENDERING_INIT(REQUEST_URL_MAX);
    AUTO_RENDERING struct rendering own = RENDERING_INIT(REQUEST_URL_MAX);
    AUTO(clear_url)
    struct url url = {b, STR_NONE, BUF_INIT(REQUEST_URL_MAX), BUF_INIT(REQUEST_URL_MAX)};
    const struct connector *c = b->connector;
    struct str query = STR_NONE;
    int rc = c->source ? add_source(&url, c->source, base_url, &query, &base) : 0;
    if (rc < 0)
        return rc;
    add_query(&url.query, query);
    rc = add_connector(&url, c, &own);
    return rc < 0 ? rc : put_together(&url, out);
}
