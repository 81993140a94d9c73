/* problem.c - what a check has to say, collected. */
#include "connectors.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 2048 };

static const struct {
    const char *word;
    enum connect_severity severity;
} codes[] = {
#define CODE(name, severity) [CONNECT_##name] = {#name, CONNECT_##severity},
#include "codes.def"
#undef CODE
};

const char *
connect_code_word(enum connect_code code)
{
    return codes[code].word;
}

enum connect_severity
connect_code_severity(enum connect_code code)
{
    return codes[code].severity;
}

void
connect_problems_init(struct connect_problems *p, struct arena *arena, size_t max)
{
    *p = (struct connect_problems){.arena = arena, .max = max};
    p->tail = &p->first;
}

/* One line: what a name or a text brings along must not make it two. */
static size_t
make_one_line(char *text, size_t length)
{
    length = str_utf8_valid_length((struct str){text, length}); /* a character is not cut */
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
    return length;
}

void
connect_problem_add(struct connect_problems *p, enum connect_code code, struct connect_place place,
                    const char *fmt, ...)
{
    char text[MESSAGE_MAX];
    va_list args;
    p->errors += codes[code].severity == CONNECT_ERROR;
    if (p->count >= p->max)
        return;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    size_t length = make_one_line(text, n < 0 ? 0 : MIN((size_t)n, sizeof text - 1));
    struct connect_problem *problem = arena_alloc(p->arena, sizeof *problem);
    const char *message = arena_dup(p->arena, (struct str){text, length});
    if (!problem || !message) {
        p->nomem = true;
        return;
    }
    *problem = (struct connect_problem){NULL, code, message, place, p->count};
    *p->tail = problem;
    p->tail = &problem->next;
    p->count++;
}
