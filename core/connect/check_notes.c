/* check_notes.c - what fails nothing, and an author would want to know: what other engines do otherwise, and what is
 * seldom meant. */
#include "check_mapping.h"

static void
tell(const struct placed *m, enum connect_code code, const struct shape_finding *f,
     const char *what)
{
    placed_tell(m, code, f->range, "%s: %s", placed_words(m), what);
}

static void
found(void *context, const struct shape_finding *f)
{
    const struct placed *m = context;
    if (shape_finding_is_note(f->kind) && placed_count_only(m, CONNECT_MERGED_KEY))
        return;
    switch (f->kind) {
    case SHAPE_NEWER_METHOD:
        placed_tell(
            m, CONNECT_NEWER_METHOD, f->range,
            "%s: ->%.*s came with connect v0.%d; engines that know v0.%d alone do not have it",
            placed_words(m), STR_ARG(f->name), (int)f->since, (int)m->schema->version);
        return;
    case SHAPE_EMPTY_PARENTHESES:
        placed_tell(m, CONNECT_EMPTY_PARENTHESES, f->range,
                    "%s: ->%.*s() gives nothing; write ->%.*s, without parentheses",
                    placed_words(m), STR_ARG(f->name), STR_ARG(f->name));
        return;
    case SHAPE_UPPER_CASE_HEADER:
        tell(m, CONNECT_UPPER_CASE_HEADER, f,
             "names of headers are in lower case; other engines find nothing by this one");
        return;
    case SHAPE_MERGED_KEY:
        if (m->place == PLACE_SELECTION)
            placed_tell(m, CONNECT_MERGED_KEY, f->range,
                        "%s: '%.*s' is given twice; both values are merged, and null of one is "
                        "null of all",
                        placed_words(m), STR_ARG(f->name));
        return;
    case SHAPE_NULLABLE_INLINE:
        placed_tell(m, CONNECT_NULLABLE_INLINE, f->range,
                    "%s: this may be null, and then all that stands beside it is null too; %s",
                    placed_words(m),
                    m->schema->version >= MAPPING_V3 ? "a '?' before its braces leaves null out"
                                                     : "give it a name");
        return;
    case SHAPE_NO_VARIABLE:
    case SHAPE_NO_INPUT:
    case SHAPE_NO_MEMBER:
    case SHAPE_THROUGH_UNION:
    case SHAPE_NO_METHOD:
        return; /* check_variables.c has said these */
    }
}

static void
look_at(const struct placed *m)
{
    AUTO_ARENA struct arena arena;
    struct shape_variable variables[PLACED_VARIABLES_MAX];
    struct placed here = *m;
    arena_init(&arena, 0);
    struct shape_walk walk = placed_walk(m, &arena, variables);
    walk.found = found;
    walk.context = &here;
    (void)shape_of_mapping(&walk, m->mapping);
    m->problems->nomem |= walk.nomem;
}

void
check_notes(struct connect_schema *s, struct connect_problems *p)
{
    check_each_mapping(s, p, look_at);
}
