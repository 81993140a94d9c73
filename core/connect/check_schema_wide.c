/* check_schema_wide.c - what connectors schemas may not have at all, whether or not a connector uses it. */
#include "connectors.h"

static void
check_subscription(const struct connect_schema *s, struct connect_problems *p)
{
    const struct gql_schema_type *type = s->graphql->root_types[GQL_SUBSCRIPTION];
    if (!type || type->is_built_in)
        return;
    connect_problem_add(p, CONNECT_SUBSCRIPTION_IN_CONNECTORS,
                        connect_place_of_name(type->definition->name_at, type->name),
                        "%.*s: a schema with connectors has no subscriptions; remove the type, or "
                        "put it into a schema of its own",
                        STR_ARG(type->name));
}

static void
check_abstract_types(const struct connect_schema *s, struct connect_problems *p)
{
    const struct gql_names *types = &s->graphql->types;
    for (size_t i = 0; s->version < MAPPING_V4 && i < types->len; i++) {
        const struct gql_schema_type *type = types->all[i].value;
        if (type->is_built_in || (type->kind != GQL_INTERFACE && type->kind != GQL_UNION))
            continue;
        connect_problem_add(p, CONNECT_CONNECTORS_UNSUPPORTED_ABSTRACT_TYPE,
                            connect_place_of_name(type->definition->name_at, type->name),
                            "%.*s: %s are not for schemas with connectors before connect v0.4; "
                            "link that, or use object types",
                            STR_ARG(type->name), type->kind == GQL_UNION ? "unions" : "interfaces");
    }
}

static void
check_import(const struct connect_schema *s, const struct gql_link_import *import,
             const struct gql_value *written, struct connect_problems *p)
{
    if (!import->is_directive ||
        (!str_eq(import->name, STR("context")) && !str_eq(import->name, STR("fromContext"))))
        return;
    connect_problem_add(p, CONNECT_CONNECTORS_UNSUPPORTED_FEDERATION_DIRECTIVE,
                        connect_place_of(s, written),
                        "@%.*s: connectors do not work with this directive of federation; remove "
                        "the import and its uses",
                        STR_ARG(import->name));
}

/* The imports are in the order in which they are written; what is no import is left out of them. */
static void
check_imports(const struct connect_schema *s, const struct gql_link *link,
              struct connect_problems *p)
{
    const struct gql_link_import *import = link->imports;
    for (const struct gql_argument *a = link->directive->arguments; a; a = a->next) {
        const struct gql_argument *e = str_eq(a->name, STR("import")) ? a->value.elements : NULL;
        for (; e && import; e = e->next)
            if (e->value.at == import->at) {
                check_import(s, import, &e->value, p);
                import = import->next;
            }
    }
}

void
check_schema_wide(struct connect_schema *s, struct connect_problems *p)
{
    struct gql_link *link = NULL;
    check_subscription(s, p);
    check_abstract_types(s, p);
    if (!gql_links(p->arena, s->graphql->document, &link))
        p->nomem = true;
    for (; link; link = link->next)
        if (str_eq(link->name, STR("federation")))
            check_imports(s, link, p);
}
