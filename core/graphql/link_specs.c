/* link_specs.c - what the specifications define that a schema can link without defining it itself: added under the
 * names by which the schema calls it.  What the schema defines itself comes first. */
#include "link.h"
#include "schema.h"

#define EVERYWHERE                                                                                 \
    " FIELD_DEFINITION | INTERFACE | OBJECT | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | "      \
    "ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION "
#define GUARDED " on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM "

#define CONNECT(http)                                                                              \
    "scalar JSONSelection scalar SourceHTTP scalar ConnectHTTP scalar ConnectorErrors scalar "     \
    "ConnectBatch "                                                                                \
    "directive @source(name: String!, http: SourceHTTP!, errors: ConnectorErrors, isSuccess: "     \
    "JSONSelection) repeatable on SCHEMA "                                                         \
    "directive @connect(source: String, id: String, http: " http ", selection: JSONSelection!, "   \
    "entity: Boolean = false, batch: ConnectBatch, errors: ConnectorErrors, isSuccess: "           \
    "JSONSelection) repeatable on FIELD_DEFINITION | OBJECT"

/* since: the minor version of the specification; the last row of a name that is not newer than the link counts. */
static const struct spec {
    const char *name;
    uint32_t since;
    const char *sdl;
} specs[] = {
    {"link", 0,
     "directive @link(url: String, as: String, for: Purpose, import: [Import]) repeatable on "
     "SCHEMA scalar Import enum Purpose { SECURITY EXECUTION }"},
    {"federation", 0,
     "scalar FieldSet scalar Scope scalar Policy scalar ContextFieldValue "
     "directive @key(fields: FieldSet!, resolvable: Boolean = true) repeatable on "
     "OBJECT | INTERFACE "
     "directive @requires(fields: FieldSet!) on FIELD_DEFINITION "
     "directive @provides(fields: FieldSet!) on FIELD_DEFINITION "
     "directive @external(reason: String) on OBJECT | FIELD_DEFINITION "
     "directive @tag(name: String!) repeatable on SCHEMA |" EVERYWHERE
     "directive @extends on OBJECT | INTERFACE "
     "directive @shareable repeatable on OBJECT | FIELD_DEFINITION "
     "directive @inaccessible on" EVERYWHERE
     "directive @override(from: String!, label: String) on FIELD_DEFINITION "
     "directive @composeDirective(name: String!) repeatable on SCHEMA "
     "directive @interfaceObject on OBJECT directive @authenticated" GUARDED
     "directive @requiresScopes(scopes: [[Scope!]!]!)" GUARDED
     "directive @policy(policies: [[Policy!]!]!)" GUARDED
     "directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION "
     "directive @fromContext(field: ContextFieldValue) on ARGUMENT_DEFINITION"},
    {"connect", 0, CONNECT("ConnectHTTP!")},
    {"connect", 4, CONNECT("ConnectHTTP")},
};

/* The types that a specification defines are called by its names, too; the standard's are not. */
static bool
rename_references(struct gql_schema *schema, const struct gql_link *link, struct gql_system *s,
                  const struct gql_document *doc)
{
    for (struct gql_member *m = s->members; m; m = m->next) {
        struct gql_type *type = m->type;
        while (type && type->of)
            type = type->of;
        for (const struct gql_system *it = type ? doc->systems : NULL; it; it = it->next)
            if (it->kind != GQL_DIRECTIVE && str_eq(it->name, type->name)) {
                if (!gql_link_name(&schema->arena, link, type->name, false, &type->name))
                    return false;
                break;
            }
    }
    return true;
}

static bool
add_spec(struct gql_schema *schema, const struct gql_link *link, struct gql_document *doc)
{
    for (struct gql_system *s = doc->systems; s; s = s->next)
        if (!rename_references(schema, link, s, doc))
            return false;
    for (struct gql_system *s = doc->systems; s; s = s->next)
        if (!gql_link_name(&schema->arena, link, s->name, s->kind == GQL_DIRECTIVE, &s->name))
            return false;
    return gql_schema_add(schema, doc);
}

/* Parse it into the schema's list of documents, which it frees. */
static bool
use_spec(struct gql_schema *schema, const struct gql_link *link)
{
    const struct spec *spec = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++)
        if (str_eq(link->name, str_of(specs[i].name)) && specs[i].since <= link->minor)
            spec = &specs[i];
    if (!spec)
        return true;
    struct gql_linked *linked = arena_alloc(&schema->arena, sizeof *linked);
    if (!linked ||
        gql_parse_all(str_of(spec->sdl), NULL, GQL_ALL, &linked->document, NULL, NULL) < 0)
        return false;
    linked->next = schema->linked;
    schema->linked = linked;
    return add_spec(schema, link, linked->document);
}

bool
gql_schema_link(struct gql_schema *schema)
{
    struct gql_link *links, itself = {.name = STR("link"), .as = STR("link")};
    if (!gql_links(&schema->arena, schema->document, &links))
        return false;
    if (links && !use_spec(schema, &itself))
        return false;
    for (; links; links = links->next)
        if (!str_eq(links->name, itself.name) && !use_spec(schema, links))
            return false;
    return true;
}
