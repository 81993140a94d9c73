/* gantry_connect_request.c - gantry connect request: what a connector would send, without sending it. */
#include "gantry_connect.h"
#include "gantry_json.h"

#include <stdlib.h>
#include <string.h>

/* As HTTP/1.1 has it when the URL is sent whole, but for the line ends. */
static void
print_text(const struct gantry_connect_request *r, const char *file)
{
    printf("%s %s HTTP/1.1\n", r->method, r->url);
    for (uint32_t i = 0; i < r->header_count; i++)
        printf("%s: %s\n", r->headers[i].name, r->headers[i].value);
    putchar('\n');
    if (r->body) {
        fwrite(r->body, 1, (size_t)r->body_size, stdout);
        putchar('\n');
    }
    for (uint32_t i = 0; i < r->note_count; i++)
        fprintf(stderr, "%s:%u:%u: note: %s, %s\n", file, r->notes[i].line, r->notes[i].column,
                r->notes[i].message, r->notes[i].place);
}

static void
print_notes(const struct gantry_connect_request *r)
{
    for (uint32_t i = 0; i < r->note_count; i++) {
        const struct gantry_connect_note *note = &r->notes[i];
        fputs(i ? ",{\"place\":" : "{\"place\":", stdout);
        json_quote(stdout, note->place, strlen(note->place));
        fputs(",\"message\":", stdout);
        json_quote(stdout, note->message, strlen(note->message));
        if (note->path)
            printf(",\"path\":%s", note->path);
        printf(",\"line\":%u,\"column\":%u}", note->line, note->column);
    }
}

static void
print_json(const struct gantry_connect_request *r)
{
    fputs("{\"method\":", stdout);
    json_quote(stdout, r->method, strlen(r->method));
    fputs(",\"url\":", stdout);
    json_quote(stdout, r->url, strlen(r->url));
    fputs(",\"headers\":[", stdout);
    for (uint32_t i = 0; i < r->header_count; i++) {
        fputs(i ? ",[" : "[", stdout);
        json_quote(stdout, r->headers[i].name, strlen(r->headers[i].name));
        putchar(',');
        json_quote(stdout, r->headers[i].value, strlen(r->headers[i].value));
        putchar(']');
    }
    putchar(']');
    if (r->body) {
        fputs(",\"body\":", stdout);
        json_quote(stdout, r->body, (size_t)r->body_size);
    }
    fputs(",\"notes\":[", stdout);
    print_notes(r);
    puts("]}");
}

static int
make(const struct tool_command *self, const struct tool_connect_options *options,
     const struct gantry_connect_schema *schema)
{
    static const char unbuilt[] = "CONNECTOR_REQUEST_INVALID";
    struct gantry_connect_input input = {sizeof input};
    struct gantry_connect_request *request = NULL;
    struct gantry_error *error = NULL;
    input.variables = options->variables;
    input.variable_count = options->variable_count;
    input.variable_stride = sizeof(struct gantry_mapping_variable);
    int rc = gantry_connect_request_new(schema, options->input, &input, &request, &error);
    if (rc < 0) {
        int is_unbuilt = error && strncmp(error->message, unbuilt, sizeof unbuilt - 1) == 0;
        int status = tool_failed(self, rc, error);
        return rc == GANTRY_E_NOT_FOUND ? TOOL_USAGE : is_unbuilt ? TOOL_FAILED : status;
    }
    if (options->json)
        print_json(request);
    else
        print_text(request, options->selection);
    gantry_connect_request_free(request);
    return TOOL_OK;
}

static void
tell_problem(void *context, const struct gantry_connect_problem *problem)
{
    if (problem->severity == GANTRY_CONNECT_ERROR)
        fprintf(stderr, "%s:%u:%u: error: %s [%s]\n", (const char *)context, problem->line,
                problem->column, problem->message, problem->code);
}

int
tool_connect_request(const struct tool_command *self, int argc, char **argv)
{
    struct tool_connect_options options = {0};
    struct tool_text text = {0};
    struct gantry_connect_schema *schema = NULL;
    struct gantry_error *error = NULL;
    int status = tool_connect_options(self, argc, argv, &options);
    if (status == TOOL_OK && !options.input)
        status = tool_usage(self, "the FILE or the COORDINATE is missing", NULL);
    if (status == TOOL_OK)
        status = tool_read(self, options.selection, &text);
    if (status == TOOL_OK) {
        const struct gantry_connect_listener listener = {sizeof listener, 0, tell_problem,
                                                         (void *)(uintptr_t)text.name};
        int rc = gantry_connect_schema_new(text.ptr, text.size, &listener, &schema, &error);
        status = rc < 0 ? tool_failed(self, rc, error) : make(self, &options, schema);
    }
    gantry_connect_schema_free(schema);
    tool_text_free(&text);
    tool_connect_free(&options);
    return status;
}
