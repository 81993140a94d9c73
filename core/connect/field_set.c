/* field_set.c - sets of fields: made, read from text, compared (field_set.h). */
#include "field_set.h"

enum { DEPTH_MAX = 32 };

void
field_set_init(struct field_set *set, const struct connect_schema *s)
{
    *set = (struct field_set){.fields.seed = {s->graphql->seed[0], s->graphql->seed[1]}};
}

const struct set_field *
field_set_find(const struct field_set *set, struct str name)
{
    return gql_names_find(&set->fields, name);
}

struct set_field *
field_set_add(struct field_set *set, const struct connect_schema *s, struct arena *a,
              struct str name)
{
    struct set_field *field = gql_names_find(&set->fields, name);
    if (field)
        return field;
    field = arena_alloc(a, sizeof *field);
    if (!field || !gql_names_set(&set->fields, a, name, field))
        return NULL;
    field->name = name;
    field_set_init(&field->below, s);
    return field;
}

bool
field_set_covers(const struct field_set *wide, const struct field_set *narrow)
{
    for (size_t i = 0; i < narrow->fields.len; i++) {
        const struct set_field *wanted = field_set_at(narrow, i);
        const struct set_field *has = field_set_find(wide, wanted->name);
        if (!has || !field_set_covers(&has->below, &wanted->below))
            return false;
    }
    return true;
}

static bool
has_required_argument(const struct gql_member *field)
{
    for (const struct gql_member *m = field->arguments; m; m = m->next)
        if (gql_is_required(m))
            return true;
    return false;
}

const struct set_field *
field_set_fault(const struct connect_schema *s, const struct field_set *set,
                const struct gql_schema_type *type, const struct gql_schema_type **owner)
{
    for (size_t i = 0; i < set->fields.len; i++) {
        const struct set_field *field = field_set_at(set, i);
        const struct gql_member *m = gql_names_find(&type->members, field->name);
        const struct gql_schema_type *of = m ? gql_type_of(s->graphql, m->type) : NULL;
        *owner = type;
        if (!of || gql_kind_is_composite(of->kind) != (field->below.fields.len > 0) ||
            has_required_argument(m))
            return field;
        const struct set_field *fault = field_set_fault(s, &field->below, of, owner);
        if (fault)
            return fault;
    }
    return NULL;
}

/* ---- read from text ------------------------------------------------------------------------------- */

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_ignored(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

static size_t
end_of_name(struct str text, size_t at)
{
    while (at < text.len &&
           (is_letter(text.ptr[at]) || (text.ptr[at] >= '0' && text.ptr[at] <= '9')))
        at++;
    return at;
}

int
field_set_parse(const struct connect_schema *s, const struct gql_value *string, struct arena *a,
                struct field_set *out, struct mapping_range *where)
{
    struct field_set top, *open[DEPTH_MAX] = {&top};
    struct str text = string->text;
    struct set_field *last = NULL;
    size_t depth = 0;
    field_set_init(&top, s);
    for (size_t at = 0, end; at < text.len; at = end) {
        end = at + 1;
        *where = (struct mapping_range){at, end};
        if (is_letter(text.ptr[at])) {
            end = end_of_name(text, at);
            last = field_set_add(open[depth], s, a, (struct str){text.ptr + at, end - at});
            if (!last)
                return GANTRY_E_NOMEM;
            last->written = string;
            last->range = (struct mapping_range){at, end};
        } else if (text.ptr[at] == '{' && last && depth + 1 < DEPTH_MAX) {
            open[++depth] = &last->below;
            last = NULL;
        } else if (text.ptr[at] == '}' && depth && open[depth]->fields.len) {
            depth--;
            last = NULL;
        } else if (!is_ignored(text.ptr[at])) {
            return GANTRY_E_INVALID;
        }
    }
    *where = (struct mapping_range){text.len, text.len};
    if (depth || !top.fields.len)
        return GANTRY_E_INVALID;
    *out = top;
    return 0;
}
