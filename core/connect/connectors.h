/* connectors.h - connectors schemas: what @source and @connect of a GraphQL schema say, and whether it is right.
 *
 *   text --connect_schema_new()--> struct connect_schema (sources, connectors), problems
 *             |  connectors_read.c      the directives become the structures below; what is not there, not of its kind
 *             |                     or does not parse is told, and `broken` says that nobody looks again
 *             |  check.c            the phases: each is a check_*.c
 *
 * A schema is never changed again.  Everything that it points to lives in its arena, or in the GraphQL schema that
 * it keeps; mappings and templates are its own. */
#ifndef CONNECT_CONNECTORS_H
#define CONNECT_CONNECTORS_H

#include "link.h"
#include "mapping.h"
#include "schema.h"
#include "template.h"

/* ---- problems ------------------------------------------------------------------------------------- */

enum connect_severity { CONNECT_ERROR, CONNECT_WARNING, CONNECT_NOTE };

#define CODE(name, severity) CONNECT_##name,
enum connect_code {
#include "codes.def"
    CONNECT_CODE_COUNT
};
#undef CODE

/* Bytes of the schema's text. */
struct connect_place {
    size_t start, end;
};

struct connect_problem {
    struct connect_problem *next;
    enum connect_code code;
    const char *message; /* one line */
    struct connect_place place;
    size_t number; /* from 0, in the order in which they were found */
};

/* What was found, in the order of the phases.  Lives in an arena that is the caller's. */
struct connect_problems {
    struct arena *arena;
    struct connect_problem *first, **tail;
    size_t count, errors, max; /* at max, nothing more is kept */
    size_t source_errors;      /* of the errors those in a source's mappings */
    bool nomem;
    /* Where each byte of a long string stands, of the last one that was told of. */
    const struct gql_value *spans_of;
    struct gql_span *spans;
    size_t span_capacity;
};
void connect_problems_init(struct connect_problems *p, struct arena *arena, size_t max);
void connect_problem_add(struct connect_problems *p, enum connect_code code,
                         struct connect_place place, const char *fmt, ...) PRINTF_LIKE(4, 5);
const char *connect_code_word(enum connect_code code);
enum connect_severity connect_code_severity(enum connect_code code);

/* ---- what is written in the schema ---------------------------------------------------------------- */

struct mapping_slot {
    const struct gql_value *written; /* the string; NULL: it is not there */
    struct mapping *mapping;         /* NULL: it is not there, or was refused */
};

struct template_slot {
    const struct gql_value *written;
    struct template *template;
};

enum connect_method {
    CONNECT_GET,
    CONNECT_POST,
    CONNECT_PUT,
    CONNECT_PATCH,
    CONNECT_DELETE,
    CONNECT_METHOD_COUNT /* none, or several */
};

struct connect_header {
    struct connect_header *next;
    const struct gql_value *written; /* the entry's object */
    const struct gql_value *name_written, *from_written;
    bool has_unknown; /* it has a key that it cannot have, which was told */
    struct str name;
    struct str from;            /* STR_NONE: it has a value */
    struct template_slot value; /* not encoded */
};

struct connect_http {
    const struct gql_value *written; /* the object; NULL: it is not there, or no object */
    bool has_unknown;                /* the same */
    enum connect_method method;      /* of a connector */
    struct template_slot url;        /* of a source: baseURL */
    struct mapping_slot path, query; /* `path`, `queryParams` */
    struct mapping_slot body;        /* of a connector */
    struct connect_header *headers;  /* in their order */
};

struct connect_errors {
    struct mapping_slot message, extensions;
};

struct connect_source {
    struct connect_source *next;
    const struct gql_directive *directive;
    const struct gql_value *name_written;
    struct str name;
    struct connect_http http;
    struct connect_errors errors;
    struct mapping_slot is_success;
};

struct connector {
    struct connector *next;
    struct str coordinate; /* "Query.crane[0]", "Crane[1]" */
    const struct gql_directive *directive;
    const struct gql_schema_type *type; /* where it stands, or what has the field */
    const struct gql_member *field;     /* NULL: it stands on the type */
    const struct gql_schema_type
        *returns;                  /* the field's innermost type, or the type; NULL: undefined */
    struct connect_source *source; /* NULL: none is named, or there is none of that name */
    const struct gql_value *source_written;
    const struct gql_value *id_written;
    const struct gql_value *entity_written;
    const struct gql_value *max_size_written;
    struct str id; /* STR_NONE: none */
    bool
        source_is_unclear; /* a source seems to be meant, and which one is not known; that was told */
    struct connect_http http;
    struct mapping_slot selection;
    struct connect_errors errors;
    struct mapping_slot is_success;
    bool is_entity;    /* `entity: true`, or it stands on a type */
    uint32_t max_size; /* 0: no limit */
    bool unread; /* it failed before its meaning was looked at: check_*() of that leave it alone */
    bool broken; /* it has a fault of its own: what follows leaves it alone */
    const struct connector_key *key; /* connector_key.h; NULL until check_entities() */
};

struct connect_schema {
    struct arena arena;
    struct gql_schema *graphql;
    const struct gql_link *link; /* of connect; NULL: there are no connectors */
    enum mapping_version version;
    struct str source_name, connect_name; /* of the directives, as they are called here */
    struct connect_source *sources;       /* in the order of the text */
    struct connector *connectors;         /* in the order of the text */
};

/* Read and check.  What is wrong goes to problems.  text: borrowed.
 * *out: owned, connect_schema_free(); untouched on failure.
 * Returns 0 (problems->errors is 0), GANTRY_E_INVALID (it is not) or GANTRY_E_NOMEM. */
MUST_CHECK int connect_schema_new(struct str text, struct connect_problems *problems,
                                  struct connect_schema **out, struct gantry_error **err);
void connect_schema_free(struct connect_schema *schema); /* taken; may be NULL */

/* Where bytes of what a string means stand in the schema's text (escapes and the indentation of block strings are
 * counted in); the whole string with its quotes when there is none of them (start == end == 0 and it is empty). */
struct connect_place connect_place_in(const struct connect_schema *schema,
                                      const struct gql_value *string, struct mapping_range range);
/* The same, when many places of one string are asked for. */
struct connect_place connect_problem_place(struct connect_problems *p,
                                           const struct connect_schema *schema,
                                           const struct gql_value *string,
                                           struct mapping_range range);
/* The whole of a value: a string with its quotes, an object with its braces. */
struct connect_place connect_place_of(const struct connect_schema *schema,
                                      const struct gql_value *value);
struct connect_place connect_place_of_name(size_t at, struct str name);

/* ---- the phases of the check, in their order (check.c calls them) ---------------------------------- */

/* Each tells what it finds, and sets `broken` where it found an error. */
void check_sources(struct connect_schema *s, struct connect_problems *p);
void check_requests(struct connect_schema *s,
                    struct connect_problems *p); /* methods, URLs, headers */
void check_variables(struct connect_schema *s, struct connect_problems *p); /* of every mapping */
void check_results(struct connect_schema *s,
                   struct connect_problems *p); /* holes, path, isSuccess ... */
void check_selections(struct connect_schema *s, struct connect_problems *p); /* against the types */
void check_entities(struct connect_schema *s, struct connect_problems *p);
/* Those of the whole schema: they run when no connector failed by itself. */
void check_schema_wide(struct connect_schema *s, struct connect_problems *p);
void check_resolvable(struct connect_schema *s, struct connect_problems *p); /* every field */
void check_keys(struct connect_schema *s, struct connect_problems *p);
/* When those found nothing: each field, from wherever its type is given. */
void check_satisfiable(struct connect_schema *s, struct connect_problems *p);
void check_notes(struct connect_schema *s, struct connect_problems *p); /* what fails nothing */

#endif
