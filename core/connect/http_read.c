/* http_read.c - `http`, `errors` and `isSuccess` of both directives, read (reader.h). */
#include "reader.h"

static const char *const method_keys[CONNECT_METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH",
                                                              "DELETE"};

/* One method: its URL.  None, or several: that is for check_requests.c. */
static void
read_url(struct reader *r, const struct gql_value *http, bool hidden, struct connect_http *out)
{
    out->method = CONNECT_METHOD_COUNT;
    size_t count = 0;
    for (size_t i = 0; i < CONNECT_METHOD_COUNT; i++) {
        for (const struct gql_argument *it = http->elements; it; it = it->next)
            if (str_eq(it->name, str_of(method_keys[i])) && it->value.kind != GQL_VALUE_NULL) {
                out->method = (enum connect_method)i;
                count++;
                break;
            }
    }
    if (count != 1)
        out->method = CONNECT_METHOD_COUNT;
    else if (!hidden)
        reader_template(r, reader_find(r, http->elements, method_keys[out->method], READ_STRING),
                        method_keys[out->method], CONNECT_INVALID_URL, &out->url);
}

static void
read_base_url(struct reader *r, const struct gql_value *http, bool hidden, struct connect_http *out)
{
    const struct gql_value *url = reader_find(r, http->elements, "baseURL", READ_STRING);
    bool written = false;
    for (const struct gql_argument *it = http->elements; it; it = it->next)
        written |= str_eq(it->name, STR("baseURL")) && it->value.kind != GQL_VALUE_NULL;
    if (!written && !out->has_unknown)
        reader_tell(r, CONNECT_GRAPH_QL_ERROR, connect_place_of(r->schema, http),
                    "'http' needs the key 'baseURL', such as \"https://api.example.com/v1\"");
    if (!hidden)
        reader_template(r, url, "baseURL", CONNECT_INVALID_URL, &out->url);
}

static bool
read_header(struct reader *r, const struct gql_value *entry, struct connect_header *out)
{
    static const char *const keys[] = {"name", "from", "value", NULL};
    if (entry->kind != GQL_VALUE_OBJECT) {
        reader_tell(r, CONNECT_GRAPH_QL_ERROR, connect_place_of(r->schema, entry),
                    "an entry of 'headers' must be an object, such as {name: \"x-key\", value: "
                    "\"{$config.key}\"}");
        return false;
    }
    out->has_unknown = reader_check_keys(r, entry, "an entry of 'headers'", keys);
    const struct gql_argument *name = entry->elements;
    while (name && (!str_eq(name->name, STR("name")) || name->value.kind == GQL_VALUE_NULL))
        name = name->next;
    if (!name && !out->has_unknown)
        reader_tell(r, CONNECT_INVALID_HEADER, connect_place_of(r->schema, entry),
                    "an entry of 'headers' needs a 'name'");
    out->written = entry;
    out->name_written = reader_find(r, entry->elements, "name", READ_STRING);
    out->from_written = reader_find(r, entry->elements, "from", READ_STRING);
    const struct gql_value *value = reader_find(r, entry->elements, "value", READ_STRING);
    out->name = out->name_written ? out->name_written->text : STR_NONE;
    out->from = out->from_written ? out->from_written->text : STR_NONE;
    reader_template(r, value, "the header's value", CONNECT_INVALID_HEADER, &out->value);
    return true;
}

static void
read_headers(struct reader *r, const struct gql_value *headers, struct connect_http *out)
{
    struct connect_header **tail = &out->headers;
    struct gql_argument one = {.value = headers ? *headers : (struct gql_value){0}};
    const struct gql_argument *it = !headers                          ? NULL
                                    : headers->kind == GQL_VALUE_LIST ? headers->elements
                                                                      : &one;
    for (; it; it = it->next) {
        struct connect_header *header = arena_alloc(&r->schema->arena, sizeof *header);
        if (!header) {
            r->problems->nomem = true;
            return;
        }
        if (!read_header(r, it == &one ? headers : &it->value, header))
            continue;
        *tail = header;
        tail = &header->next;
    }
}

void
reader_http(struct reader *r, const struct gql_value *http, bool is_source,
            struct connect_http *out)
{
    static const char *const source_keys[] = {"baseURL", "headers", "path", "queryParams", NULL};
    static const char *const connect_keys[] = {"GET",     "POST", "PUT",  "PATCH",       "DELETE",
                                               "headers", "body", "path", "queryParams", NULL};
    out->written = http;
    out->method = CONNECT_METHOD_COUNT;
    if (!http)
        return;
    out->has_unknown = reader_check_keys(r, http, "'http'", is_source ? source_keys : connect_keys);
    reader_mapping(r, reader_find(r, http->elements, "path", READ_STRING), "'path'",
                   CONNECT_INVALID_URL_PROPERTY, &out->path);
    reader_mapping(r, reader_find(r, http->elements, "queryParams", READ_STRING), "'queryParams'",
                   CONNECT_INVALID_URL_PROPERTY, &out->query);
    /* Where one of these is broken, nothing is said of the URL. */
    bool hidden =
        (out->path.written && !out->path.mapping) || (out->query.written && !out->query.mapping);
    if (is_source)
        read_base_url(r, http, hidden, out);
    else
        read_url(r, http, hidden, out);
    read_headers(r, reader_find(r, http->elements, "headers", READ_LIST_OR_OBJECT), out);
    if (!is_source)
        reader_mapping(r, reader_find(r, http->elements, "body", READ_STRING), "'body'",
                       CONNECT_INVALID_BODY, &out->body);
}

void
reader_errors(struct reader *r, struct connect_errors *out, struct mapping_slot *is_success)
{
    static const char *const keys[] = {"message", "extensions", NULL};
    const struct gql_argument *arguments = r->directive->arguments;
    const struct gql_value *errors = reader_find(r, arguments, "errors", READ_OBJECT);
    if (errors) {
        reader_check_keys(r, errors, "'errors'", keys);
        reader_mapping(r, reader_find(r, errors->elements, "message", READ_STRING),
                       "'errors.message'", CONNECT_INVALID_ERRORS_MESSAGE, &out->message);
        reader_mapping(r, reader_find(r, errors->elements, "extensions", READ_STRING),
                       "'errors.extensions'", CONNECT_INVALID_ERRORS_MESSAGE, &out->extensions);
    }
    reader_mapping(r, reader_find(r, arguments, "isSuccess", READ_STRING), "'isSuccess'",
                   CONNECT_INVALID_IS_SUCCESS, is_success);
}
