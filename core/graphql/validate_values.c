/* validate_values.c - rules about values: what fits which type (section 5.6). */
#include "validate.h"

static bool
is_int32(struct str text)
{
    int64_t number;
    return str_to_int64(text, &number) && number >= INT32_MIN && number <= INT32_MAX;
}

static bool
is_string(enum gql_value_kind kind)
{
    return kind == GQL_VALUE_STRING || kind == GQL_VALUE_BLOCK_STRING;
}

/* Does a value that is no list, object or null fit a type without fields? */
static bool
fits(const struct gql_schema_type *type, const struct gql_value *value)
{
    enum gql_value_kind kind = value->kind;
    if (type->kind == GQL_ENUM)
        return kind == GQL_VALUE_ENUM && gql_names_find(&type->members, value->text);
    if (!type->is_built_in)
        return true;
    if (str_eq(type->name, STR("Int")))
        return kind == GQL_VALUE_INT && is_int32(value->text);
    if (str_eq(type->name, STR("Float")))
        return kind == GQL_VALUE_INT || kind == GQL_VALUE_FLOAT;
    if (str_eq(type->name, STR("Boolean")))
        return kind == GQL_VALUE_BOOLEAN;
    if (str_eq(type->name, STR("ID")))
        return is_string(kind) || kind == GQL_VALUE_INT;
    return is_string(kind);
}

static const char *
word_of(enum gql_value_kind kind)
{
    switch (kind) {
    case GQL_VALUE_VARIABLE:
        return "a variable";
    case GQL_VALUE_INT:
        return "an integer";
    case GQL_VALUE_FLOAT:
        return "a decimal number";
    case GQL_VALUE_STRING:
    case GQL_VALUE_BLOCK_STRING:
        return "a string";
    case GQL_VALUE_BOOLEAN:
        return "a boolean";
    case GQL_VALUE_NULL:
        return "null";
    case GQL_VALUE_ENUM:
        return "a name";
    case GQL_VALUE_LIST:
        return "a list";
    case GQL_VALUE_OBJECT:
        return "an object";
    }
    return "a value";
}

static void
check_simple(struct gql_check *c, const struct gql_value *value, const struct gql_type *wanted)
{
    const struct gql_schema_type *type = gql_type_of(c->schema, wanted);
    if (!type || (gql_kind_is_leaf(type->kind) && fits(type, value)))
        return;
    bool named = value->kind == GQL_VALUE_ENUM;
    gql_problem_add(c->problems, value->at, "a value of type %s is wanted, and this is %s%s%.*s%s",
                    gql_type_text(c->arena, wanted), word_of(value->kind), named ? ", '" : "",
                    STR_ARG(named ? value->text : STR_NONE), named ? "'" : "");
}

/* A @oneOf input has exactly one field, and that is not null. */
static void
check_one_of(struct gql_check *c, const struct gql_value *value, const struct gql_schema_type *type)
{
    const struct gql_argument *only = value->elements;
    size_t keys = 0;
    for (const struct gql_argument *it = only; it; it = it->next)
        keys++;
    if (keys != 1)
        gql_problem_add(c->problems, value->at, "'%.*s' takes exactly one of its fields",
                        STR_ARG(type->name));
    else if (only->value.kind == GQL_VALUE_NULL)
        gql_problem_add(c->problems, value->at, "the field '%.*s.%.*s' cannot be null",
                        STR_ARG(type->name), STR_ARG(only->name));
}

static void
check_object(struct gql_check *c, const struct gql_value *value)
{
    const struct gql_schema_type *type = gql_type_of(c->schema, c->input);
    if (!type || type->kind != GQL_INPUT) {
        check_simple(c, value, c->input);
        return;
    }
    struct gql_names names = gql_check_names(c);
    for (const struct gql_argument *it = value->elements; it; it = it->next)
        (void)gql_check_name(c, &names, it->name, it, NULL);
    for (size_t i = 0; i < type->members.len && gql_check_step(c, 1); i++) {
        const struct gql_member *m = type->members.all[i].value;
        if (gql_is_required(m) && !gql_names_find(&names, m->name))
            gql_problem_add(c->problems, value->at, "'%.*s' needs the field '%.*s' of type %s",
                            STR_ARG(type->name), STR_ARG(m->name),
                            gql_type_text(c->arena, m->type));
    }
    if (gql_is_one_of(type))
        check_one_of(c, value, type);
}

GQL_RULE(value)
{
    const struct gql_value *value = node;
    switch (value->kind) {
    case GQL_VALUE_VARIABLE:
        break;
    case GQL_VALUE_NULL:
        if (c->input && c->input->required)
            gql_problem_add(c->problems, value->at, "a value of type %s is wanted, not null",
                            gql_type_text(c->arena, c->input));
        break;
    case GQL_VALUE_LIST:
        if (c->parent_input && !c->parent_input->of)
            check_simple(c, value, c->parent_input);
        break;
    case GQL_VALUE_OBJECT:
        check_object(c, value);
        break;
    case GQL_VALUE_INT:
    case GQL_VALUE_FLOAT:
    case GQL_VALUE_STRING:
    case GQL_VALUE_BLOCK_STRING:
    case GQL_VALUE_BOOLEAN:
    case GQL_VALUE_ENUM:
        check_simple(c, value, c->input);
        break;
    }
}

GQL_RULE(object_field)
{
    const struct gql_argument *field = node;
    const struct gql_schema_type *type = gql_type_of(c->schema, c->parent_input);
    if (type && type->kind == GQL_INPUT && !c->input)
        gql_problem_add(c->problems, field->at, "the type '%.*s' has no field '%.*s'%s",
                        STR_ARG(type->name), STR_ARG(field->name),
                        gql_did_you_mean(c->problems, field->name, &type->members));
}

GQL_RULE(input_field_once)
{
    const struct gql_argument *field = node;
    const void *old;
    if (!gql_check_name(c, &c->object, field->name, field, &old))
        gql_problem_add(c->problems, ((const struct gql_argument *)old)->at,
                        "the field '%.*s' is given more than once", STR_ARG(field->name));
}
