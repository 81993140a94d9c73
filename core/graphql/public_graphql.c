/* public_graphql.c - gantry/graphql.h: texts in, texts and problems out. */
#include "err.h"
#include "schema.h"

#include <gantry/graphql.h>

enum { PROBLEMS_MAX = 1000 };
#define TEXT_MAX    ((size_t)16 * 1024 * 1024)
#define PRINTED_MAX ((size_t)256 * 1024 * 1024)

struct gantry_graphql_schema {
    struct gql_schema *schema;
};

static const struct gql_limits schema_limits = {TEXT_MAX, TEXT_MAX / 4, 0};

static void
tell(const struct gantry_graphql_listener *listener, struct str text,
     const struct gql_problems *problems)
{
    if (!listener || listener->size < sizeof *listener)
        return;
    for (const struct gql_problem *p = problems->first; p; p = p->next) {
        struct gantry_graphql_problem problem = {.size = sizeof problem, .message = p->message};
        size_t line, column;
        str_position(text, p->at, &line, &column);
        problem.line = (uint32_t)line;
        problem.column = (uint32_t)column;
        listener->on_problem(listener->context, &problem);
    }
}

static struct str
view(const char *text, uint64_t size)
{
    return (struct str){text, (size_t)MIN(size, (uint64_t)SIZE_MAX)};
}

int
gantry_graphql_schema_new(const char *text, uint64_t text_size,
                          const struct gantry_graphql_listener *listener,
                          struct gantry_graphql_schema **out, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    struct gql_problems problems;
    arena_init(&arena, 0);
    struct gantry_graphql_schema *handle = calloc(1, sizeof *handle);
    if (!handle)
        return err_nomem(err);
    gql_problems_init(&problems, &arena, PROBLEMS_MAX);
    int rc = gql_schema_new(view(text, text_size), &schema_limits, &problems, &handle->schema, err);
    tell(listener, view(text, text_size), &problems);
    if (rc < 0)
        free(handle);
    else
        *out = handle;
    return rc;
}

void
gantry_graphql_schema_free(struct gantry_graphql_schema *schema)
{
    if (!schema)
        return;
    gql_schema_free(schema->schema);
    free(schema);
}

/* Parse; what is refused becomes a problem. */
static int
parse(struct str text, const struct gql_limits *limits, struct gql_problems *problems,
      struct gql_document **out, struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *why = NULL;
    size_t failed_at = 0;
    int rc = gql_parse_all(text, limits, GQL_ALL, out, &failed_at, &why);
    if (rc == GANTRY_E_INVALID)
        gql_problem_add_parse(problems, failed_at, why);
    err_move(err, &why);
    return rc;
}

int
gantry_graphql_validate(const struct gantry_graphql_schema *schema, const char *text,
                        uint64_t text_size, const struct gantry_graphql_listener *listener,
                        struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    struct gql_problems problems;
    arena_init(&arena, 0);
    gql_problems_init(&problems, &arena, PROBLEMS_MAX);
    int rc = parse(view(text, text_size), NULL, &problems, &doc, err);
    if (rc == 0) {
        rc = gql_validate(schema->schema, doc, &problems);
        if (rc < 0)
            rc = err_nomem(err);
        else if (problems.count)
            rc = err_set(err, GANTRY_E_INVALID, "the document has mistakes");
    }
    tell(listener, view(text, text_size), &problems);
    return rc;
}

int
gantry_graphql_fmt(const char *text, uint64_t text_size,
                   const struct gantry_graphql_listener *listener, char **out,
                   struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    AUTO_GQL_DOCUMENT struct gql_document *doc = NULL;
    AUTO_BUF struct buf printed = BUF_INIT(PRINTED_MAX);
    struct gql_problems problems;
    arena_init(&arena, 0);
    gql_problems_init(&problems, &arena, PROBLEMS_MAX);
    int rc = parse(view(text, text_size), &schema_limits, &problems, &doc, err);
    tell(listener, view(text, text_size), &problems);
    if (rc < 0)
        return rc;
    rc = gql_format(doc, &printed);
    if (rc == GANTRY_E_INVALID)
        return err_set(err, rc, "GraphQL: its normal form is longer than the limit");
    char *taken = buf_take(&printed);
    if (!taken)
        return err_nomem(err);
    *out = taken;
    return 0;
}
