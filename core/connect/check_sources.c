/* check_sources.c - every @source by itself: its name, its URL, its headers. */
#include "check_parts.h"

enum { SOURCE_NAME_MAX = 64 };

static bool
is_source_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_' || c == '-')))
            return false;
    }
    return name.len <= SOURCE_NAME_MAX;
}

static void
check_name(const struct connect_schema *s, struct connect_problems *p,
           const struct connect_source *source)
{
    struct connect_place place = connect_place_of(s, source->name_written);
    if (source->name.len == 0)
        connect_problem_add(p, CONNECT_EMPTY_SOURCE_NAME, place,
                            "the name of a source is empty; write one, such as \"api\"");
    else if (!is_source_name(source->name))
        connect_problem_add(p, CONNECT_INVALID_SOURCE_NAME, place,
                            "the source '%.*s': a name has up to %d letters, digits, '_' and '-', "
                            "and begins with a letter",
                            STR_ARG(source->name), SOURCE_NAME_MAX);
}

struct count {
    const struct connect_source *second;
    size_t count;
};

static void
check_unique(const struct connect_schema *s, struct connect_problems *p)
{
    struct gql_names counts = {.seed = {s->graphql->seed[0], s->graphql->seed[1]}};
    for (const struct connect_source *it = s->sources; it; it = it->next) {
        struct count *n = it->name.len ? gql_names_find(&counts, it->name) : NULL;
        if (!n && it->name.len) {
            n = arena_alloc(p->arena, sizeof *n);
            if (!n || !gql_names_set(&counts, p->arena, it->name, n)) {
                p->nomem = true;
                return;
            }
        }
        if (n && ++n->count == 2)
            n->second = it;
    }
    for (size_t i = 0; i < counts.len; i++) {
        const struct count *n = counts.all[i].value;
        if (n->second)
            connect_problem_add(p, CONNECT_DUPLICATE_SOURCE_NAME,
                                connect_place_of(s, n->second->name_written),
                                "there are %zu sources of the name '%.*s'; each needs its own",
                                n->count, STR_ARG(n->second->name));
    }
}

void
check_sources(struct connect_schema *s, struct connect_problems *p)
{
    for (const struct connect_source *it = s->sources; it; it = it->next) {
        const char *who = arena_fmt(p->arena, "the source '%.*s'", STR_ARG(it->name));
        if (!who) {
            p->nomem = true;
            return;
        }
        const struct check_part part = {s, p, str_of(who)};
        if (it->name_written)
            check_name(s, p, it);
        check_base_url(&part, &it->http.url);
        check_headers(&part, it->http.headers);
    }
    check_unique(s, p);
}
