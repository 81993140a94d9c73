/* schema.c - from definitions to a schema: types with what extends them, directives, roots. */
#include "schema.h"

#include "err.h"
#include "link.h"
#include "random.h"

static const char prelude[] =
    "scalar String scalar Int scalar Float scalar Boolean scalar ID\n"
    "directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT\n"
    "directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT\n"
    "directive @deprecated(reason: String = \"No longer supported\") on FIELD_DEFINITION |\n"
    "  ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE\n"
    "directive @specifiedBy(url: String!) on SCALAR\n"
    "directive @oneOf on INPUT_OBJECT\n"
    "type __Schema { description: String types: [__Type!]! queryType: __Type!\n"
    "  mutationType: __Type subscriptionType: __Type directives: [__Directive!]! }\n"
    "type __Type { kind: __TypeKind! name: String description: String specifiedByURL: String\n"
    "  fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!]\n"
    "  possibleTypes: [__Type!] enumValues(includeDeprecated: Boolean = false): [__EnumValue!]\n"
    "  inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type\n"
    "  isOneOf: Boolean }\n"
    "type __Field { name: String! description: String\n"
    "  args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type!\n"
    "  isDeprecated: Boolean! deprecationReason: String }\n"
    "type __InputValue { name: String! description: String type: __Type! defaultValue: String\n"
    "  isDeprecated: Boolean! deprecationReason: String }\n"
    "type __EnumValue { name: String! description: String isDeprecated: Boolean!\n"
    "  deprecationReason: String }\n"
    "type __Directive { name: String! description: String isRepeatable: Boolean!\n"
    "  locations: [__DirectiveLocation!]! args(includeDeprecated: Boolean = false):\n"
    "  [__InputValue!]! }\n"
    "enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }\n"
    "enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION\n"
    "  FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT\n"
    "  FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT\n"
    "  INPUT_FIELD_DEFINITION }\n"
    "type __Meta { __typename: String! __schema: __Schema! __type(name: String!): __Type }\n";

static void
seed_names(const struct gql_schema *schema, struct gql_names *n)
{
    memcpy(n->seed, schema->seed, sizeof n->seed);
}

/* The first of two equal names counts; that there are two is told elsewhere. */
static bool
set_new(struct gql_schema *schema, struct gql_names *names, struct str name, const void *value)
{
    return gql_names_find(names, name) || gql_names_set(names, &schema->arena, name, value);
}

static bool
add_parts(struct gql_schema *schema, struct gql_schema_type *type, const struct gql_system *s)
{
    struct gql_list **tail = &type->extensions;
    while (*tail)
        tail = &(*tail)->next;
    *tail = arena_alloc(&schema->arena, sizeof **tail);
    if (!*tail)
        return false;
    (*tail)->system = s;
    for (const struct gql_member *m = s->members; m; m = m->next)
        if (!set_new(schema, &type->members, m->name, m))
            return false;
    for (const struct gql_name *n = s->names; n; n = n->next)
        if (!set_new(schema, &type->interfaces, n->name, n))
            return false;
    return true;
}

static bool
add_type(struct gql_schema *schema, const struct gql_system *s, bool built_in)
{
    if (gql_type_find(schema, s->name))
        return true;
    struct gql_schema_type *type = arena_alloc(&schema->arena, sizeof *type);
    if (!type)
        return false;
    type->kind = s->kind;
    type->name = s->name;
    type->definition = s;
    type->is_built_in = built_in;
    seed_names(schema, &type->members);
    seed_names(schema, &type->interfaces);
    seed_names(schema, &type->possible);
    return gql_names_set(&schema->types, &schema->arena, s->name, type) &&
           add_parts(schema, type, s);
}

static bool
add_definitions(struct gql_schema *schema, const struct gql_document *doc, bool built_in)
{
    for (const struct gql_system *s = doc->systems; s; s = s->next) {
        bool done = true;
        if (s->kind == GQL_SCHEMA && !s->is_extension && !schema->definition)
            schema->definition = s;
        else if (s->kind == GQL_DIRECTIVE)
            done = set_new(schema, &schema->directives, s->name, s);
        else if (s->kind != GQL_SCHEMA && !s->is_extension)
            done = add_type(schema, s, built_in);
        if (!done)
            return false;
    }
    return true;
}

bool
gql_schema_add(struct gql_schema *schema, const struct gql_document *doc)
{
    return add_definitions(schema, doc, true);
}

/* In a schema of federation, the type that is extended may be defined in another one: then its first extension is
 * its definition here. */
static bool
add_lone_extensions(struct gql_schema *schema)
{
    struct gql_link *link;
    if (!gql_links(&schema->arena, schema->document, &link))
        return false;
    while (link && !str_eq(link->name, STR("federation")))
        link = link->next;
    for (const struct gql_system *s = link ? schema->document->systems : NULL; s; s = s->next)
        if (s->is_extension && s->kind != GQL_SCHEMA && !add_type(schema, s, false))
            return false;
    return true;
}

static bool
add_extensions(struct gql_schema *schema)
{
    for (const struct gql_system *s = schema->document->systems; s; s = s->next) {
        struct gql_schema_type *type = gql_type_find(schema, s->name);
        if (s->is_extension && type && type->kind == s->kind && !type->is_built_in &&
            type->definition != s && !add_parts(schema, type, s))
            return false;
    }
    return true;
}

static bool
set_root(struct gql_schema *schema, unsigned kind, struct str name, const struct gql_member *m)
{
    struct gql_type *ref = arena_alloc(&schema->arena, sizeof *ref);
    if (!ref)
        return false;
    ref->name = name;
    schema->roots[kind] = m;
    schema->root_types[kind] = gql_type_find(schema, name);
    schema->root_refs[kind] = ref;
    return true;
}

static bool
set_roots(struct gql_schema *schema)
{
    static const char *const names[] = {"Query", "Mutation", "Subscription"};
    for (unsigned kind = 0; kind < 3; kind++)
        if (!schema->definition && gql_type_find(schema, str_of(names[kind])) &&
            !set_root(schema, kind, str_of(names[kind]), NULL))
            return false;
    for (const struct gql_system *s = schema->document->systems; s; s = s->next)
        for (const struct gql_member *m = s->kind == GQL_SCHEMA ? s->members : NULL; m; m = m->next)
            for (unsigned kind = 0; kind < 3; kind++)
                if (str_eq(m->name,
                           str_of(gql_operation_kind_word((enum gql_operation_kind)kind))) &&
                    !schema->roots[kind] && !set_root(schema, kind, m->type->name, m))
                    return false;
    return true;
}

static bool
set_possible(struct gql_schema *schema)
{
    for (size_t i = 0; i < schema->types.len; i++) {
        struct gql_schema_type *type = schema->types.all[i].value;
        for (size_t j = 0; type->kind == GQL_OBJECT && j < type->interfaces.len; j++) {
            struct gql_schema_type *face = gql_type_find(schema, type->interfaces.all[j].name);
            if (face && face->kind == GQL_INTERFACE &&
                !set_new(schema, &face->possible, type->name, type))
                return false;
        }
    }
    return true;
}

bool
gql_schema_build(struct gql_schema *schema)
{
    /* What the author says of a standard directive comes first, and the standard's own types do. */
    for (const struct gql_system *s = schema->document->systems; s; s = s->next)
        if (s->kind == GQL_DIRECTIVE && !set_new(schema, &schema->directives, s->name, s))
            return false;
    return add_definitions(schema, schema->prelude, true) &&
           add_definitions(schema, schema->document, false) && gql_schema_link(schema) &&
           add_lone_extensions(schema) && add_extensions(schema) && set_roots(schema) &&
           set_possible(schema);
}

static int
check(struct gql_schema *schema, struct gql_problems *problems, struct gantry_error **err)
{
    if (!gql_schema_build(schema))
        return err_nomem(err);
    gql_check_systems(schema, problems);
    if (problems->count == 0) {
        gql_check_roots(schema, problems);
        gql_check_types(schema, problems);
    }
    return problems->nomem ? err_nomem(err) : 0;
}

int
gql_schema_new_as_is(struct str text, const struct gql_limits *limits,
                     struct gql_problems *problems, struct gql_schema **out,
                     struct gantry_error **err)
{
    struct gql_schema *schema = calloc(1, sizeof *schema);
    if (!schema)
        return err_nomem(err);
    AUTO_ERR struct gantry_error *why = NULL;
    size_t failed_at = 0;
    arena_init(&schema->arena, 0);
    schema->seed[0] = random_u64();
    schema->seed[1] = random_u64();
    seed_names(schema, &schema->types);
    seed_names(schema, &schema->directives);
    int rc = gql_parse_all(str_of(prelude), NULL, GQL_ALL, &schema->prelude, NULL, err);
    if (rc == 0) {
        rc = gql_parse_all(text, limits, GQL_ALL, &schema->document, &failed_at, &why);
        if (rc == GANTRY_E_INVALID)
            gql_problem_add_parse(problems, failed_at, why);
        err_move(err, &why);
    }
    if (rc == 0)
        rc = check(schema, problems, err);
    if (rc < 0)
        gql_schema_free(schema);
    else
        *out = schema;
    return rc;
}

int
gql_schema_new(struct str text, const struct gql_limits *limits, struct gql_problems *problems,
               struct gql_schema **out, struct gantry_error **err)
{
    struct gql_schema *schema = NULL;
    int rc = gql_schema_new_as_is(text, limits, problems, &schema, err);
    if (rc == 0 && problems->count) {
        gql_schema_free(schema);
        return err_set(err, GANTRY_E_INVALID, "the schema has mistakes");
    }
    if (rc == 0)
        *out = schema;
    return rc;
}

void
gql_schema_free(struct gql_schema *schema)
{
    if (!schema)
        return;
    gql_document_free(schema->document);
    gql_document_free(schema->prelude);
    for (struct gql_linked *it = schema->linked; it; it = it->next)
        gql_document_free(it->document);
    arena_clear(&schema->arena);
    free(schema);
}
