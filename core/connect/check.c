/* check.c - a schema is read and checked: which phases there are, and in which order (connectors.h). */
#include "check_parts.h"
#include "err.h"
#include "reader.h"

enum { TEXT_MAX = 16 * 1024 * 1024, GRAPHQL_PROBLEMS_MAX = 1000 };

static const struct gql_limits limits = {TEXT_MAX, TEXT_MAX / 4, 0};

static bool
is_of_name(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The token at an offset: a directive with its '@', a name, a string as far as its line goes, or one character. */
static struct connect_place
place_of_token(struct str text, size_t at)
{
    size_t end = MIN(at + 1, text.len);
    bool string = at < text.len && text.ptr[at] == '"', open = string;
    bool word = at < text.len && (text.ptr[at] == '@' || is_of_name(text.ptr[at]));
    for (; string && open && end < text.len && text.ptr[end] != '\n' && text.ptr[end] != '\r';
         end++)
        open = text.ptr[end] != '"' || text.ptr[end - 1] == '\\' || text.ptr[end - 1] == '"';
    while (word && end < text.len && is_of_name(text.ptr[end]))
        end++;
    return (struct connect_place){MIN(at, text.len), end};
}

static void
tell_graphql(struct str text, const struct gql_problems *from, struct connect_problems *to)
{
    for (const struct gql_problem *p = from->first; p; p = p->next)
        connect_problem_add(to, CONNECT_GRAPH_QL_ERROR, place_of_token(text, p->at), "%s",
                            p->message);
    to->nomem |= from->nomem;
}

/* The link of a specification of Apollo's, whatever stands behind its name. */
static const struct gql_link *
find_link(const struct gql_link *first, struct str url)
{
    for (; first; first = first->next)
        if (str_starts_with(first->url, url) &&
            (first->url.len == url.len || first->url.ptr[url.len] == '/'))
            return first;
    return NULL;
}

static bool
starts_with_nocase(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq_nocase((struct str){s.ptr, prefix.len}, prefix);
}

/* A link that is nearly the one of connect: without it there is nothing to check, which may not be what was meant. */
static const struct gql_link *
find_near_link(const struct gql_link *first)
{
    static const struct str schemes[] = {{"https://", 8}, {"http://", 7}, {"", 0}};
    for (; first; first = first->next)
        for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
            struct str rest = first->url;
            if (!rest.ptr || !starts_with_nocase(rest, schemes[i]))
                continue;
            rest = (struct str){rest.ptr + schemes[i].len, rest.len - schemes[i].len};
            if (starts_with_nocase(rest, STR("specs.apollo.dev/connect")))
                return first;
        }
    return NULL;
}

/* The string of the link's URL, or the whole directive's name. */
static struct connect_place
place_of_url(const struct connect_schema *s, const struct gql_link *link)
{
    for (const struct gql_argument *it = link->directive->arguments; it; it = it->next)
        if (str_eq(it->name, STR("url")))
            return connect_place_of(s, &it->value);
    return (struct connect_place){link->directive->at,
                                  link->directive->at + 1 + link->directive->name.len};
}

static void
warn_of_link(const struct connect_schema *s, const struct gql_link *near,
             struct connect_problems *p)
{
    if (near)
        connect_problem_add(p, CONNECT_NOT_THE_LINK, place_of_url(s, near),
                            "this is not the link of connect, so the schema has no connectors; "
                            "write \"https://specs.apollo.dev/connect/v0.2\", v0.3 or v0.4");
}

/* Which versions of federation the versions of connect need: minor numbers. */
static const uint32_t federation_needed[] = {0, 10, 11, 12, 13};

static bool
read_version(struct connect_schema *s, struct connect_problems *p)
{
    const struct gql_link *link = s->link;
    if (!link->has_version || !str_eq(link->name, STR("connect")) || link->major != 0 ||
        link->minor < 1 || link->minor >= ARRAY_LENGTH(federation_needed)) {
        connect_problem_add(p, CONNECT_UNKNOWN_CONNECTORS_VERSION, place_of_url(s, link),
                            "the version of connect is not known here; link "
                            "\"https://specs.apollo.dev/connect/v0.2\", v0.3 or v0.4");
        return false;
    }
    s->version = link->minor <= 2 ? MAPPING_V2 : link->minor == 3 ? MAPPING_V3 : MAPPING_V4;
    return true;
}

static void
check_federation(const struct connect_schema *s, const struct gql_link *links,
                 struct connect_problems *p)
{
    const struct gql_link *federation =
        find_link(links, STR("https://specs.apollo.dev/federation"));
    uint32_t needed = federation_needed[s->link->minor];
    if (!federation)
        connect_problem_add(
            p, CONNECT_FEDERATION_VERSION,
            (struct connect_place){s->link->directive->at,
                                   s->link->directive->at + 1 + s->link->directive->name.len},
            "connect v0.%u works with federation; link \"https://specs.apollo.dev/federation/"
            "v2.%u\" too",
            s->link->minor, needed);
    else if (!federation->has_version || federation->major < 2 ||
             (federation->major == 2 && federation->minor < needed))
        connect_problem_add(p, CONNECT_FEDERATION_VERSION, place_of_url(s, federation),
                            "connect v0.%u needs federation v2.%u or later", s->link->minor,
                            needed);
}

/* Extensions are folded into the types that they extend, which not every engine does. */
static void
note_extensions(struct connect_schema *s, struct connect_problems *p)
{
    for (const struct gql_system *it = s->graphql->document->systems; it; it = it->next)
        if (it->is_extension && it->kind == GQL_OBJECT && gql_type_find(s->graphql, it->name))
            connect_problem_add(p, CONNECT_EXTENDED_TYPE,
                                connect_place_of_name(it->name_at, it->name),
                                "'extend type %.*s' is taken as part of the type here, which other "
                                "engines refuse; write its fields in the type",
                                STR_ARG(it->name));
}

/* What is in a type that is not defined is given by nothing, and nothing is given by what returns it. */
static bool
has_undefined_type(const struct connect_schema *s)
{
    for (size_t i = 0; i < s->graphql->types.len; i++) {
        const struct gql_schema_type *type = s->graphql->types.all[i].value;
        for (size_t k = 0; type->kind == GQL_OBJECT && k < type->members.len; k++) {
            const struct gql_member *field = type->members.all[k].value;
            if (!gql_type_of(s->graphql, field->type))
                return true;
        }
    }
    return false;
}

/* A connector that failed by itself hides what is said of the schema as a whole: most of that would be its
 * consequence.  So does one whose directive is misspelt, and a field whose type is. */
static bool
has_broken(const struct connect_schema *s, struct connect_problems *p)
{
    for (const struct connector *c = s->connectors; c; c = c->next)
        if (c->broken)
            return true;
    return check_is_misspelt(s, p, s->connect_name) || has_undefined_type(s);
}

typedef void phase(struct connect_schema *s, struct connect_problems *p);

/* Once memory ran out, what a phase leaves to the next is not there. */
static void
run_phases(phase *const *phases, size_t count, struct connect_schema *s, struct connect_problems *p)
{
    for (size_t i = 0; i < count && !p->nomem; i++)
        phases[i](s, p);
}

/* What failed so far has no meaning that could be looked at. */
static void
mark_unread(struct connect_schema *s, struct connect_problems *p UNUSED)
{
    for (struct connector *c = s->connectors; c; c = c->next)
        c->unread = c->broken;
}

static void
check(struct connect_schema *s, struct connect_problems *p)
{
    static phase *const of_sources[] = {read_sources, check_sources};
    static phase *const of_connectors[] = {read_connectors, check_requests, mark_unread,
                                           check_variables, check_results,  check_selections,
                                           check_entities};
    static phase *const of_all[] = {check_schema_wide, check_resolvable, check_keys};
    static phase *const of_plans[] = {check_satisfiable};
    static phase *const notes[] = {check_notes, note_extensions};
    run_phases(of_sources, ARRAY_LENGTH(of_sources), s, p);
    size_t errors = p->errors;
    run_phases(of_connectors, ARRAY_LENGTH(of_connectors), s, p);
    if (p->errors - p->source_errors == errors && !has_broken(s, p))
        run_phases(of_all, ARRAY_LENGTH(of_all), s, p);
    if (p->errors - p->source_errors == errors && !has_broken(s, p))
        run_phases(of_plans, ARRAY_LENGTH(of_plans), s, p);
    run_phases(notes, ARRAY_LENGTH(notes), s, p);
}

static bool
name_directives(struct connect_schema *s)
{
    return gql_link_name(&s->arena, s->link, STR("source"), true, &s->source_name) &&
           gql_link_name(&s->arena, s->link, STR("connect"), true, &s->connect_name);
}

static int
read_all(struct connect_schema *s, struct str text, struct connect_problems *p,
         struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    AUTO_ERR struct gantry_error *why = NULL;
    struct gql_problems mistakes;
    struct gql_link *links = NULL;
    arena_init(&arena, 0);
    gql_problems_init(&mistakes, &arena, GRAPHQL_PROBLEMS_MAX);
    int rc = gql_schema_new_as_is(text, &limits, &mistakes, &s->graphql, &why);
    if (rc == GANTRY_E_NOMEM)
        return err_nomem(err);
    if (rc == 0 && !gql_links(&s->arena, s->graphql->document, &links))
        return err_nomem(err);
    s->link = find_link(links, STR("https://specs.apollo.dev/connect"));
    if (s->link && !read_version(s, p))
        return 0;
    tell_graphql(text, &mistakes, p);
    if (!s->link) {
        warn_of_link(s, find_near_link(links), p);
        return 0;
    }
    if (!name_directives(s))
        return err_nomem(err);
    check_federation(s, links, p);
    check(s, p);
    return 0;
}

int
connect_schema_new(struct str text, struct connect_problems *problems, struct connect_schema **out,
                   struct gantry_error **err)
{
    struct connect_schema *s = calloc(1, sizeof *s);
    if (!s)
        return err_nomem(err);
    arena_init(&s->arena, 0);
    s->version = MAPPING_V2;
    int rc = read_all(s, text, problems, err);
    if (rc == 0 && problems->nomem)
        rc = err_nomem(err);
    if (rc == 0 && problems->errors)
        rc = err_set(err, GANTRY_E_INVALID, "the connectors schema has %zu error%s",
                     problems->errors, problems->errors == 1 ? "" : "s");
    if (rc < 0)
        connect_schema_free(s);
    else
        *out = s;
    return rc;
}

static void
free_http(struct connect_http *http)
{
    template_free(http->url.template);
    mapping_free(http->path.mapping);
    mapping_free(http->query.mapping);
    mapping_free(http->body.mapping);
    for (struct connect_header *it = http->headers; it; it = it->next)
        template_free(it->value.template);
}

static void
free_errors(struct connect_errors *errors, struct mapping_slot *is_success)
{
    mapping_free(errors->message.mapping);
    mapping_free(errors->extensions.mapping);
    mapping_free(is_success->mapping);
}

void
connect_schema_free(struct connect_schema *schema)
{
    if (!schema)
        return;
    for (struct connect_source *it = schema->sources; it; it = it->next) {
        free_http(&it->http);
        free_errors(&it->errors, &it->is_success);
    }
    for (struct connector *it = schema->connectors; it; it = it->next) {
        free_http(&it->http);
        mapping_free(it->selection.mapping);
        free_errors(&it->errors, &it->is_success);
    }
    gql_schema_free(schema->graphql);
    arena_clear(&schema->arena);
    free(schema);
}
