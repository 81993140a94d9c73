/* request_case.h - what cases of requests and of calls have in common: the schema and the input.
 *
 *   === name
 *   a whole schema; without it one is made of these two, with the connector Query.f[0]:
 *   --- source        arguments of @source but its name; without it there is no source
 *   --- connect       arguments of @connect but source; "$" is the selection unless there is one
 *   --- which         the coordinate or id; "Query.f[0]" without it
 *   --- variables     a line each: $name=JSON
 *   --- headers       of the incoming request, a line each: name: value
 *   --- base          instead of the source's baseURL */
#ifndef TESTS_REQUEST_CASE_H
#define TESTS_REQUEST_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "arena.h"
#include "buf.h"
#include "err.h"

#include <gantry/connect.h>

enum { CASE_ITEMS = 12, CASE_TEXT_MAX = 1 << 20 };

struct request_case {
    const struct vector *vector;
    struct arena arena;
    struct gantry_mapping_variable variables[CASE_ITEMS];
    struct gantry_connect_header headers[CASE_ITEMS];
    struct gantry_connect_input input;
};

static inline char *
section_text(struct request_case *c, const char *name)
{
    struct str text = vector_section(c->vector, name);
    return text.ptr ? arena_dup(&c->arena, text) : NULL;
}

static inline void
read_case(struct request_case *c)
{
    struct str rest = vector_section(c->vector, "variables"), value;
    while (rest.ptr && rest.len && c->input.variable_count < CASE_ITEMS) {
        struct str name = str_cut(str_cut(rest, '\n', &rest), '=', &value);
        c->variables[c->input.variable_count++] = (struct gantry_mapping_variable){
            arena_dup(&c->arena, name), arena_dup(&c->arena, value), value.len};
    }
    rest = vector_section(c->vector, "headers");
    while (rest.ptr && rest.len && c->input.header_count < CASE_ITEMS) {
        struct str name = str_cut(str_cut(rest, '\n', &rest), ':', &value);
        c->headers[c->input.header_count++] = (struct gantry_connect_header){
            arena_dup(&c->arena, name), arena_dup(&c->arena, str_trim(value))};
    }
    c->input.size = sizeof c->input;
    c->input.variables = c->variables;
    c->input.variable_stride = sizeof *c->variables;
    c->input.headers = c->headers;
    c->input.header_stride = sizeof *c->headers;
    c->input.base_url = section_text(c, "base");
}

/* Any mapping may read these arguments. */
#define ARGUMENTS                                                                                  \
    "a: JSON, b: JSON, f: JSON, id: JSON, m: JSON, n: JSON, o: JSON, s: JSON, t: JSON, v: JSON"

static inline void
add_schema(struct buf *out, const struct vector *v)
{
    struct str whole = vector_section(v, ""), source = vector_section(v, "source");
    struct str connect = vector_section(v, "connect");
    if (whole.len) {
        buf_add(out, whole);
        return;
    }
    buf_add_text(out, "extend schema\n"
                      "  @link(url: \"https://specs.apollo.dev/federation/v2.12\")\n"
                      "  @link(url: \"https://specs.apollo.dev/connect/v0.3\",\n"
                      "    import: [\"@source\", \"@connect\"])\n");
    if (source.ptr)
        buf_add_fmt(out, "  @source(name: \"s\" %.*s)\n", STR_ARG(source));
    buf_add_fmt(out,
                "scalar JSON\ntype Query {\n  f(" ARGUMENTS "): JSON\n"
                "    @connect(%s %.*s%s)\n}\n",
                source.ptr ? "source: \"s\"" : "", STR_ARG(connect),
                memmem(connect.ptr, connect.len, "selection:", 10) ? "" : " selection: \"$\"");
}

static inline void
tell_problem(void *context, const struct gantry_connect_problem *problem)
{
    const struct vector *v = context;
    if (problem->severity == GANTRY_CONNECT_ERROR)
        fprintf(stderr, "%s:%zu: its schema has %s: %s\n", v->file, v->line, problem->code,
                problem->message);
}

/* NULL, having said why: the schema is refused. */
static inline struct gantry_connect_schema *
case_schema(const struct vector *v)
{
    AUTO_BUF struct buf text = BUF_INIT(CASE_TEXT_MAX);
    struct gantry_connect_listener listener = {
        .size = sizeof listener, .on_problem = tell_problem, .context = (void *)(uintptr_t)v};
    struct gantry_connect_schema *schema = NULL;
    add_schema(&text, v);
    if (gantry_connect_schema_new(buf_text(&text), text.len, &listener, &schema, NULL) < 0)
        fprintf(stderr, "%s:%zu: its schema is refused\n", v->file, v->line);
    return schema;
}

/* Returns how many failures check counts, and 1 when there is no schema to check with. */
static inline size_t
case_run(const struct vector *v,
         size_t (*check)(struct request_case *c, const struct gantry_connect_schema *schema))
{
    struct request_case c = {.vector = v};
    struct gantry_connect_schema *schema = case_schema(v);
    arena_init(&c.arena, 0);
    read_case(&c);
    size_t failures = schema ? check(&c, schema) : 1;
    gantry_connect_schema_free(schema);
    arena_clear(&c.arena);
    return failures;
}

#endif
