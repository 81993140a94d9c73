/* gantry_graphql.c - gantry graphql fmt and validate. */
#include "gantry_connect.h"
#include "gantry_json.h"

#include <gantry/graphql.h>
#include <stdio.h>
#include <string.h>

struct report {
    const char *file;
    int json;
    unsigned count;
};

static void
tell(void *context, const struct gantry_graphql_problem *problem)
{
    struct report *r = context;
    if (!r->json) {
        printf("%s:%u:%u: %s\n", r->file, problem->line, problem->column, problem->message);
    } else {
        fputs(r->count ? ",{\"message\":" : "{\"message\":", stdout);
        json_quote(stdout, problem->message, strlen(problem->message));
        printf(",\"line\":%u,\"column\":%u}", problem->line, problem->column);
    }
    r->count++;
}

static void
begin(struct report *r, const char *file)
{
    r->file = file;
    r->count = 0;
    if (!r->json)
        return;
    fputs("{\"file\":", stdout);
    json_quote(stdout, file, strlen(file));
    fputs(",\"errors\":[", stdout);
}

static void
end(const struct report *r)
{
    if (r->json)
        puts("]}");
}

/* An error that is no problem of the text: memory. */
static int
status_of(const struct tool_command *self, int rc, struct gantry_error *error, int refused)
{
    if (rc < 0 && rc != GANTRY_E_INVALID)
        return tool_failed(self, rc, error);
    gantry_error_free(error);
    return rc < 0 ? refused : TOOL_OK;
}

static int
validate_one(const struct tool_command *self, const struct gantry_graphql_schema *schema,
             const char *file, struct report *r)
{
    const struct gantry_graphql_listener listener = {sizeof listener, 0, tell, r};
    struct gantry_error *error = NULL;
    struct tool_text text = {0};
    int status = tool_read(self, file, &text);
    if (status == TOOL_OK) {
        begin(r, file);
        int rc = gantry_graphql_validate(schema, text.ptr, text.size, &listener, &error);
        end(r);
        status = status_of(self, rc, error, TOOL_FAILED);
    }
    tool_text_free(&text);
    return status;
}

/* A valid schema has no line of its own, so the line begins with its first problem. */
static void
tell_schema(void *context, const struct gantry_graphql_problem *problem)
{
    struct report *r = context;
    if (r->count == 0)
        begin(r, r->file);
    tell(r, problem);
}

static int
read_schema(const struct tool_command *self, const char *file, struct report *r,
            struct gantry_graphql_schema **out)
{
    const struct gantry_graphql_listener listener = {sizeof listener, 0, tell_schema, r};
    struct gantry_error *error = NULL;
    struct tool_text text = {0};
    int status = tool_read(self, file, &text);
    if (status == TOOL_OK) {
        r->file = file;
        r->count = 0;
        int rc = gantry_graphql_schema_new(text.ptr, text.size, &listener, out, &error);
        if (r->count)
            end(r);
        status = status_of(self, rc, error, TOOL_USAGE);
    }
    tool_text_free(&text);
    return status;
}

struct options {
    const char *schema;
    int json;
    char **files; /* the documents; at the end of argv */
    int count;
};

static int
read_options(const struct tool_command *self, int argc, char **argv, struct options *o)
{
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        int is_schema = strcmp(argv[i], "--schema") == 0;
        if (!is_schema && strcmp(argv[i], "--format") != 0)
            return tool_usage(self, "unknown option", argv[i]);
        if (i + 1 >= argc)
            return tool_usage(self, "a value is missing behind", argv[i]);
        const char *value = argv[++i];
        if (is_schema)
            o->schema = value;
        else if (strcmp(value, "json") == 0 || strcmp(value, "text") == 0)
            o->json = value[0] == 'j';
        else
            return tool_usage(self, "--format is text or json, not", value);
    }
    o->files = argv + i;
    o->count = argc - i;
    if (!o->schema)
        return tool_usage(self, "--schema is missing", NULL);
    return o->count ? TOOL_OK : tool_usage(self, "the DOCUMENT is missing", NULL);
}

int
tool_graphql_validate(const struct tool_command *self, int argc, char **argv)
{
    struct options o = {0};
    struct gantry_graphql_schema *schema = NULL;
    int status = read_options(self, argc, argv, &o);
    struct report r = {NULL, o.json, 0};
    if (status == TOOL_OK)
        status = read_schema(self, o.schema, &r, &schema);
    for (int i = 0; schema && i < o.count; i++) {
        int one = validate_one(self, schema, o.files[i], &r);
        status = one > status ? one : status;
    }
    gantry_graphql_schema_free(schema);
    return status;
}

static void
tell_plain(void *context, const struct gantry_graphql_problem *problem)
{
    const struct tool_text *text = context;
    fprintf(stderr, "%s:%u:%u: %s\n", text->name, problem->line, problem->column, problem->message);
}

int
tool_graphql_fmt(const struct tool_command *self, int argc, char **argv)
{
    struct tool_text text = {0};
    const struct gantry_graphql_listener listener = {sizeof listener, 0, tell_plain, &text};
    struct gantry_error *error = NULL;
    char *printed = NULL;
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (argc > first + 1)
        return tool_usage(self, "one argument too many", argv[first + 1]);
    if (first == 1 && argc > 1 && argv[1][0] == '-' && argv[1][1])
        return tool_usage(self, "unknown option", argv[1]);
    int status = tool_read(self, argc > first ? argv[first] : NULL, &text);
    if (status == TOOL_OK) {
        int rc = gantry_graphql_fmt(text.ptr, text.size, &listener, &printed, &error);
        status = status_of(self, rc, error, TOOL_USAGE);
    }
    if (printed)
        fputs(printed, stdout);
    gantry_text_free(printed);
    tool_text_free(&text);
    return status;
}
