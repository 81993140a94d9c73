/* mapping_method.h - the methods of the mapping language: one row each in methods.def. */
#ifndef CONNECT_MAPPING_METHOD_H
#define CONNECT_MAPPING_METHOD_H

#include "str.h"
#include "value.h"

struct call;
struct eval;

/* What may stand in the parentheses. */
enum method_arguments {
    ARGS_NONE, /* no parentheses at all */
    ARGS_NONE_OR_EMPTY,
    ARGS_ANY,      /* any number; no parentheses are the same as empty ones */
    ARGS_PARENS,   /* any number; parentheses there must be */
    ARGS_ONE_UP,   /* at least one; more are ignored */
    ARGS_ONE,      /* exactly one */
    ARGS_ZERO_ONE, /* at most one */
};

struct method {
    const char *name;
    enum method_arguments arguments;
    /* The result; NULL is MISSING, with a problem said, or the evaluation has failed. */
    struct value *(*run)(struct eval *e, const struct call *c);
    const char *takes; /* the input that it takes, for messages */
    const char *wants; /* its arguments, for messages */
};

/* Borrowed; NULL: there is none of this name. */
const struct method *method_find(struct str name);
/* The method whose name is nearest, or NULL.  Static. */
const char *method_nearest(struct str name);

#define METHOD(name, function, arguments, takes, wants)                                            \
    struct value *function(struct eval *e, const struct call *c);
#include "methods.def"
#undef METHOD

#endif
