/* public_schema.c - gantry/connect.h's functions about schemas: texts in, problems and connectors out. */
#include "public_schema.h"

#include "err.h"

enum { PROBLEMS_MAX = 1000 };

static const char *const severities[] = {
#define WORD(name, value, word) [value] = (word),
    GANTRY_CONNECT_SEVERITIES(WORD)
#undef WORD
};

const char *
gantry_connect_severity_word(uint32_t severity)
{
    return severity < ARRAY_LENGTH(severities) ? severities[severity] : "unknown";
}

/* How far a text was looked through for line ends. */
struct cursor {
    struct str text;
    size_t at, line, column;
};

static void
advance(struct cursor *c, size_t to)
{
    size_t line, column;
    to = MIN(to, c->text.len);
    if (to <= c->at)
        return;
    str_position((struct str){c->text.ptr + c->at, to - c->at}, to - c->at, &line, &column);
    c->column = line == 1 ? c->column + column - 1 : column;
    c->line += line - 1;
    c->at = to;
}

static int
compare_places(const void *a, const void *b)
{
    const struct connect_problem *x = *(const struct connect_problem *const *)a;
    const struct connect_problem *y = *(const struct connect_problem *const *)b;
    if (x->place.start != y->place.start)
        return x->place.start < y->place.start ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static int
tell(const struct gantry_connect_listener *listener, struct str text,
     const struct connect_problems *problems, struct gantry_error **err)
{
    struct cursor cursor = {text, 0, 1, 1};
    size_t n = 0;
    if (!listener || listener->size < sizeof *listener)
        return 0;
    const struct connect_problem **sorted =
        arena_alloc_array(problems->arena, problems->count + 1, sizeof *sorted);
    if (!sorted)
        return err_nomem(err);
    for (const struct connect_problem *p = problems->first; p; p = p->next)
        sorted[n++] = p;
    qsort(sorted, n, sizeof *sorted, compare_places);
    for (size_t i = 0; i < n; i++) {
        const struct connect_problem *p = sorted[i];
        struct gantry_connect_problem told = {.size = sizeof told,
                                              .severity = connect_code_severity(p->code),
                                              .code = connect_code_word(p->code),
                                              .message = p->message};
        advance(&cursor, p->place.start);
        struct cursor end = cursor;
        advance(&end, p->place.end);
        told.line = (uint32_t)cursor.line;
        told.column = (uint32_t)cursor.column;
        told.end_line = (uint32_t)end.line;
        told.end_column = (uint32_t)end.column;
        told.start = cursor.at;
        told.end = end.at;
        listener->on_problem(listener->context, &told);
    }
    return 0;
}

static const char *
copy_text(struct arena *a, struct str text, bool *failed)
{
    const char *copy = text.ptr ? arena_dup(a, text) : NULL;
    *failed |= text.ptr && !copy;
    return copy;
}

/* What a caller is told of each connector. */
static int
describe(struct gantry_connect_schema *handle, struct str text, struct gantry_error **err)
{
    static const char *const methods[CONNECT_METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH",
                                                              "DELETE"};
    struct cursor cursor = {text, 0, 1, 1};
    bool failed = false;
    size_t count = 0;
    for (const struct connector *c = handle->schema->connectors; c; c = c->next)
        count++;
    handle->connectors = arena_alloc_array(&handle->arena, count + 1, sizeof *handle->connectors);
    if (!handle->connectors)
        return err_nomem(err);
    for (const struct connector *c = handle->schema->connectors; c; c = c->next) {
        struct gantry_connect_connector *told = &handle->connectors[handle->connector_count++];
        advance(&cursor, c->directive->at);
        told->size = sizeof *told;
        told->line = (uint32_t)cursor.line;
        told->column = (uint32_t)cursor.column;
        told->is_entity = c->is_entity;
        told->coordinate = copy_text(&handle->arena, c->coordinate, &failed);
        told->id = copy_text(&handle->arena, c->id, &failed);
        told->method = c->http.method < CONNECT_METHOD_COUNT ? methods[c->http.method] : NULL;
        told->source = copy_text(&handle->arena, c->source ? c->source->name : STR_NONE, &failed);
    }
    return failed ? err_nomem(err) : 0;
}

int
gantry_connect_schema_new(const char *text, uint64_t text_size,
                          const struct gantry_connect_listener *listener,
                          struct gantry_connect_schema **out, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    struct connect_problems problems;
    struct str view = {text, (size_t)MIN(text_size, (uint64_t)SIZE_MAX)};
    arena_init(&arena, 0);
    connect_problems_init(&problems, &arena, PROBLEMS_MAX);
    struct gantry_connect_schema *handle = calloc(1, sizeof *handle);
    if (!handle)
        return err_nomem(err);
    arena_init(&handle->arena, 0);
    int rc = connect_schema_new(view, &problems, &handle->schema, err);
    if (rc == 0)
        rc = describe(handle, view, err);
    if (rc != GANTRY_E_NOMEM) {
        int told = tell(listener, view, &problems, err);
        rc = told < 0 ? told : rc;
    }
    if (rc < 0)
        gantry_connect_schema_free(handle);
    else
        *out = handle;
    return rc;
}

void
gantry_connect_schema_free(struct gantry_connect_schema *schema)
{
    if (!schema)
        return;
    connect_schema_free(schema->schema);
    arena_clear(&schema->arena);
    free(schema);
}

uint32_t
gantry_connect_schema_count(const struct gantry_connect_schema *schema)
{
    return schema->connector_count;
}

int
gantry_connect_schema_connector(const struct gantry_connect_schema *schema, uint32_t index,
                                struct gantry_connect_connector *out, struct gantry_error **err)
{
    uint32_t size = out->size;
    if (index >= schema->connector_count)
        return err_set(err, GANTRY_E_NOT_FOUND, "there is no connector %u; the schema has %u",
                       index, schema->connector_count);
    memcpy(out, &schema->connectors[index], MIN((size_t)size, sizeof *out));
    out->size = size;
    return 0;
}
