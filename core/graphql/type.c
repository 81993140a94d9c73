/* type.c - types and references to them: which is which, and what fits where. */
#include "schema.h"

struct gql_schema_type *
gql_type_find(const struct gql_schema *schema, struct str name)
{
    return gql_names_find(&schema->types, name);
}

struct str
gql_type_name(const struct gql_type *type)
{
    while (type->of)
        type = type->of;
    return type->name;
}

struct gql_schema_type *
gql_type_of(const struct gql_schema *schema, const struct gql_type *type)
{
    return type ? gql_type_find(schema, gql_type_name(type)) : NULL;
}

bool
gql_is_root_type(const struct gql_schema *schema, const struct gql_schema_type *type)
{
    for (size_t i = 0; i < ARRAY_LENGTH(schema->root_types); i++)
        if (schema->root_types[i] == type)
            return true;
    return false;
}

bool
gql_kind_is_input(enum gql_kind kind)
{
    return kind == GQL_SCALAR || kind == GQL_ENUM || kind == GQL_INPUT;
}

bool
gql_kind_is_composite(enum gql_kind kind)
{
    return kind == GQL_OBJECT || kind == GQL_INTERFACE || kind == GQL_UNION;
}

bool
gql_kind_is_leaf(enum gql_kind kind)
{
    return kind == GQL_SCALAR || kind == GQL_ENUM;
}

bool
gql_type_eq(const struct gql_type *a, const struct gql_type *b)
{
    for (; a->of && b->of && a->required == b->required; b = b->of)
        a = a->of;
    return a->required == b->required && !a->of && !b->of && str_eq(a->name, b->name);
}

bool
gql_type_is_possible(const struct gql_schema_type *abstract, const struct gql_schema_type *type)
{
    if (abstract->kind == GQL_UNION)
        return gql_names_find(&abstract->interfaces, type->name) != NULL;
    return abstract->kind == GQL_INTERFACE && gql_names_find(&type->interfaces, abstract->name);
}

bool
gql_type_is_sub(const struct gql_schema *schema, const struct gql_type *a, const struct gql_type *b)
{
    for (; a->of && b->of; b = b->of) {
        if (b->required && !a->required)
            return false;
        a = a->of;
    }
    if (a->of || b->of || (b->required && !a->required))
        return false;
    if (str_eq(a->name, b->name))
        return true;
    const struct gql_schema_type *sub = gql_type_find(schema, a->name);
    const struct gql_schema_type *super = gql_type_find(schema, b->name);
    return sub && super && (sub->kind == GQL_OBJECT || sub->kind == GQL_INTERFACE) &&
           gql_type_is_possible(super, sub);
}

/* The object types that an abstract type may be. */
static const struct gql_names *
possible_of(const struct gql_schema_type *type)
{
    return type->kind == GQL_UNION ? &type->interfaces : &type->possible;
}

static bool
is_member(const struct gql_schema_type *abstract, struct str name)
{
    return gql_names_find(possible_of(abstract), name) != NULL;
}

bool
gql_types_overlap(const struct gql_schema_type *a, const struct gql_schema_type *b)
{
    if (a == b)
        return true;
    if (a->kind == GQL_OBJECT)
        return b->kind != GQL_OBJECT && is_member(b, a->name);
    if (b->kind == GQL_OBJECT)
        return is_member(a, b->name);
    const struct gql_names *all = possible_of(a);
    for (size_t i = 0; i < all->len; i++)
        if (is_member(b, all->all[i].name))
            return true;
    return false;
}

static void
add_text(struct buf *out, const struct gql_type *type)
{
    if (type->of) {
        buf_add_char(out, '[');
        add_text(out, type->of);
        buf_add_char(out, ']');
    } else {
        buf_add(out, type->name);
    }
    if (type->required)
        buf_add_char(out, '!');
}

const char *
gql_type_text(struct arena *a, const struct gql_type *type)
{
    AUTO_BUF struct buf text = BUF_INIT(4096);
    add_text(&text, type);
    const char *copy = buf_failed(&text) ? NULL : arena_dup(a, buf_view(&text));
    return copy ? copy : "";
}
