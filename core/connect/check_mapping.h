/* check_mapping.h - every mapping of a schema with the place that it stands in: which code is said of it, and which
 * variables there are.  What the checks of mappings share. */
#ifndef CONNECT_CHECK_MAPPING_H
#define CONNECT_CHECK_MAPPING_H

#include "connectors.h"
#include "shape.h"

enum mapping_place {
    PLACE_BASE_URL,
    PLACE_URL,
    PLACE_PATH,
    PLACE_QUERY,
    PLACE_HEADER,
    PLACE_BODY,
    PLACE_SELECTION,
    PLACE_IS_SUCCESS,
    PLACE_MESSAGE,
    PLACE_EXTENSIONS,
};

/* A mapping in its place.  A hole of a template is one too. */
struct placed {
    const struct connect_schema *schema;
    struct connect_problems *problems;
    const struct connect_source *source; /* NULL: it is a connector's */
    struct connector *connector;         /* NULL: it is a source's */
    enum mapping_place place;
    const struct gql_value *written;
    size_t offset; /* of the mapping in the string: of a hole */
    const struct mapping *mapping;
};

/* Each mapping of the schema, but of connectors that could not be read, in the order of the text: sources first. */
void check_each_mapping(struct connect_schema *s, struct connect_problems *p,
                        void (*look)(const struct placed *m));

enum { PLACED_VARIABLES_MAX = 10 };

/* A walk over a placed mapping: its variables and its input are there, `found` and `context` the caller's.
 * variables: PLACED_VARIABLES_MAX of them. */
struct shape_walk placed_walk(const struct placed *m, struct arena *a,
                              struct shape_variable *variables);

/* The code of the place, and how a message calls it: "the URL of Query.crane[0]".  In the problems' arena. */
enum connect_code placed_code(const struct placed *m);
const char *placed_words(const struct placed *m);
/* Tell something of a range of the mapping; an error breaks the connector. */
void placed_tell(const struct placed *m, enum connect_code code, struct mapping_range range,
                 const char *fmt, ...) PRINTF_LIKE(4, 5);

/* When no more problems are kept, count one without its words, which cost much.  False: tell it. */
bool placed_count_only(const struct placed *m, enum connect_code code);
/* "; did you mean 'x'?", or "".  In the problems' arena. */
const char *placed_did_you_mean(const struct placed *m, struct str word,
                                const struct gql_names *names);
/* All that the mapping says, without what stands around it. */
struct mapping_range placed_range(const struct placed *m);

/* Does a name stand for a variable in any place? */
bool placed_is_variable(struct str name);

#endif
