/* connect-curl.c - calls one connector of a connectors schema, with libcurl as the transport.
 *
 *     cc -o connect-curl connect-curl.c $(pkg-config --cflags --libs gantry-connect libcurl)
 *     ./connect-curl schema.graphql 'Query.crane[0]' '{"id": 7}'
 *
 * It prints the data, or the GraphQL error, as JSON. */
#include <curl/curl.h>
#include <gantry/connect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 100, LINE_MAX_BYTES = 80 * 1024, SCHEMA_MAX = 1 << 20 };

/* A response on its way from curl to the sink. */
struct transfer {
    CURL *curl;
    struct gantry_connect_sink *sink;
    struct gantry_connect_header headers[HEADERS_MAX];
    uint32_t header_count;
    int head_is_given, rc;
};

/* The headers as curl has them in the end, without those of an interim response. */
static void
read_headers(struct transfer *t)
{
    struct curl_header *h = NULL;
    while (t->header_count < HEADERS_MAX &&
           (h = curl_easy_nextheader(t->curl, CURLH_HEADER, -1, h)) != NULL) {
        t->headers[t->header_count].name = h->name;
        t->headers[t->header_count++].value = h->value;
    }
}

static int
give_head(struct transfer *t)
{
    long status = 0;
    if (t->head_is_given)
        return t->rc;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    read_headers(t);
    t->head_is_given = 1;
    t->rc = gantry_connect_sink_head(t->sink, (uint32_t)status, t->headers, t->header_count,
                                     sizeof t->headers[0]);
    return t->rc;
}

static size_t
on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct transfer *t = context;
    if (give_head(t) == 0)
        t->rc = gantry_connect_sink_body(t->sink, bytes, one * size);
    return t->rc < 0 ? 0 : one * size;
}

/* The request's own headers, and none of those that curl would add. */
static struct curl_slist *
header_list(const struct gantry_connect_request *r)
{
    static const char *const unwanted[] = {"accept", "user-agent", "expect", "content-type"};
    struct curl_slist *list = NULL;
    char line[LINE_MAX_BYTES];
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++) {
        snprintf(line, sizeof line, "%s:", unwanted[i]);
        list = curl_slist_append(list, line);
    }
    for (uint32_t i = 0; i < r->header_count; i++) {
        const struct gantry_connect_header *h = &r->headers[i];
        /* An empty value is written with a semicolon, which is how curl wants it. */
        snprintf(line, sizeof line, h->value[0] ? "%s: %s" : "%s;", h->name, h->value);
        list = curl_slist_append(list, line);
    }
    return list;
}

static int
send_by_curl(void *context, const struct gantry_connect_request *r,
             struct gantry_connect_sink *sink)
{
    struct transfer t = {.curl = context, .sink = sink};
    char why[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = header_list(r);
    curl_easy_setopt(t.curl, CURLOPT_URL, r->url);
    curl_easy_setopt(t.curl, CURLOPT_PATH_AS_IS, 1L); /* dot segments are the author's */
    curl_easy_setopt(t.curl, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(t.curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(t.curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(t.curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(t.curl, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(t.curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t.curl, CURLOPT_WRITEDATA, &t);
    if (r->body) {
        curl_easy_setopt(t.curl, CURLOPT_POSTFIELDS, r->body);
        curl_easy_setopt(t.curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_size);
    }
    CURLcode code = curl_easy_perform(t.curl);
    if (code == CURLE_OK)
        give_head(&t); /* there was no body */
    curl_slist_free_all(headers);
    if (t.rc < 0 || code == CURLE_OK)
        return t.rc;
    gantry_connect_sink_failed(sink, why[0] ? why : curl_easy_strerror(code));
    return code == CURLE_OPERATION_TIMEDOUT ? GANTRY_E_TIMEOUT : GANTRY_E_UNAVAILABLE;
}

static void
on_problem(void *context, const struct gantry_connect_problem *p)
{
    fprintf(stderr, "%s:%u:%u: %s\n", (const char *)context, p->line, p->column, p->message);
}

static int
call(char **argv, const char *text, size_t size, CURL *curl)
{
    const struct gantry_connect_listener listener = {sizeof listener, 0, on_problem, argv[1]};
    const struct gantry_connect_transport transport = {sizeof transport, 0, curl, send_by_curl};
    const struct gantry_mapping_variable arguments = {"$args", argv[3], strlen(argv[3])};
    struct gantry_connect_input input = {.size = sizeof input};
    struct gantry_connect_schema *schema = NULL;
    struct gantry_connect_answer *answer = NULL;
    struct gantry_error *err = NULL;
    input.variables = &arguments;
    input.variable_count = 1;
    input.variable_stride = sizeof arguments;
    int rc = gantry_connect_schema_new(text, size, &listener, &schema, &err);
    if (rc == 0)
        rc = gantry_connect_call(schema, argv[2], "example", &input, &transport, &answer, &err);
    if (rc == 0)
        puts(answer->error ? answer->error : answer->data);
    else
        fprintf(stderr, "%s\n", err ? err->message : gantry_code_name(rc));
    gantry_connect_answer_free(answer);
    gantry_connect_schema_free(schema);
    gantry_error_free(err);
    return rc == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
    static char text[SCHEMA_MAX];
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: %s SCHEMA COORDINATE ARGUMENTS\n", argv[0]);
        return 2;
    }
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    CURL *curl = curl_easy_init();
    int status = curl ? call(argv, text, size, curl) : 1;
    curl_easy_cleanup(curl);
    return status;
}
