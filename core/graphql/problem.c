/* problem.c - mistakes in documents and schemas, collected. */
#include "schema.h"

#include "err.h"

#include <stdarg.h>
#include <stdio.h>

enum { NEAR_MAX = 1000, WORD_MAX = 64 };

void
gql_problems_init(struct gql_problems *p, struct arena *arena, size_t max)
{
    *p = (struct gql_problems){.arena = arena, .max = max};
    p->tail = &p->first;
}

void
gql_problem_add(struct gql_problems *p, size_t at, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    if (p->count >= p->max)
        return;
    struct gql_problem *problem = arena_alloc(p->arena, sizeof *problem);
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t length = n < 0 ? 0 : MIN((size_t)n, sizeof text - 1);
    length =
        str_utf8_valid_length((struct str){text, length}); /* names may be cut, characters not */
    char *copy = arena_dup(p->arena, (struct str){text, length});
    if (!problem || !copy) {
        p->nomem = true;
        return;
    }
    problem->at = at;
    problem->message = copy;
    *p->tail = problem;
    p->tail = &problem->next;
    p->count++;
}

const char *
gql_nearest(struct gql_problems *p, struct str word, const struct gql_names *names)
{
    const char *near[NEAR_MAX];
    size_t n = 0;
    if (word.len > WORD_MAX ||
        p->count > WORD_MAX) /* a text with so many mistakes is another language */
        return NULL;
    char *typed = arena_dup(p->arena, word);
    for (size_t i = 0; i < names->len && n < NEAR_MAX; i++) {
        if (names->all[i].name.len > WORD_MAX || str_starts_with(names->all[i].name, STR("__")))
            continue;
        near[n] = arena_dup(p->arena, names->all[i].name);
        n += near[n] != NULL;
    }
    return typed && n ? text_nearest(typed, near, n) : NULL;
}

const char *
gql_did_you_mean(struct gql_problems *p, struct str word, const struct gql_names *names)
{
    const char *found = gql_nearest(p, word, names);
    const char *text = found ? arena_fmt(p->arena, "; did you mean '%s'?", found) : "";
    return text ? text : "";
}

void
gql_problem_add_parse(struct gql_problems *p, size_t at, const struct gantry_error *err)
{
    const char *text = err_text(err), *rest = strstr(text, ": ");
    gql_problem_add(p, at, "%s", rest ? rest + 2 : text);
}
