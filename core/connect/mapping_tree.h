/* mapping_tree.h - a parsed mapping: what the parser makes, and evaluator and printer walk.
 *
 *   top ── node: head, steps, braces         `$.a->first { ... }`, `x ?? y`, `[1, 2]`
 *            │            ├─ step ── step    `.a`, `->first`
 *            │            └─ list ── item    `{ name: node  ... node }`
 *            └─ operands, elements, items    of a chain, an array, an object
 *
 * Everything is in the arena of the mapping; all texts are views of its text, or in the arena. */
#ifndef CONNECT_MAPPING_TREE_H
#define CONNECT_MAPPING_TREE_H

#include "mapping.h"
#include "mapping_method.h"

enum mapping_head {
    HEAD_DOLLAR,     /* $ */
    HEAD_AT,         /* @ */
    HEAD_VARIABLE,   /* $name */
    HEAD_KEY,        /* name */
    HEAD_EXPRESSION, /* $( inner ) */
    HEAD_LITERAL,    /* a string, a number, true, false, null */
    HEAD_ARRAY,      /* [ inner, ... ] */
    HEAD_OBJECT,     /* { items }, in an expression */
    HEAD_GROUP,      /* nothing: the braces behind an alias, applied to `$` */
    HEAD_COALESCE,   /* inner ?? inner ... */
    HEAD_PRESENT,    /* inner ?! inner ... */
};

enum mapping_step_kind { STEP_KEY, STEP_METHOD };

struct mapping_node;

struct mapping_step {
    struct mapping_step *next;
    enum mapping_step_kind kind;
    bool optional;               /* a "?" behind it */
    bool has_parens;             /* method */
    struct str name;             /* key, or method */
    struct str arrow;            /* method: with "->" before it */
    uint32_t number;             /* key: of its own in this mapping, for hints */
    const struct method *method; /* NULL: there is none of this name */
    struct mapping_node *arguments;
    size_t argument_count;
    struct mapping_range range;
};

enum mapping_item_kind {
    ITEM_NAMED,  /* contributes a member */
    ITEM_INLINE, /* a path that ends in braces: its members join */
    ITEM_ALONE,  /* a path without name or braces, alone in its braces */
    ITEM_SPREAD, /* ... node */
};

struct mapping_item {
    struct mapping_item *next;
    enum mapping_item_kind kind;
    bool has_alias; /* named: the name is written */
    struct str name;
    struct mapping_node *value;
    struct mapping_range range;
};

struct mapping_list {
    struct mapping_item *items;
    size_t count;
    uint32_t number;            /* of its own in this mapping */
    struct mapping_range range; /* braces included */
};

struct mapping_node {
    struct mapping_node *next; /* in an array, a chain, or arguments */
    enum mapping_head head;
    bool optional;              /* a "?" behind the head */
    struct str name;            /* variable with "$", key */
    uint32_t number;            /* key: as in struct mapping_step */
    struct value *literal;      /* of the head */
    struct mapping_node *inner; /* expression, array, chain: the first of them */
    struct mapping_list *items; /* of an object */
    struct mapping_step *steps;
    struct mapping_list *braces; /* NULL: none */
    struct mapping_range range;  /* of it all */
    struct mapping_range head_range;
};

struct mapping_comment {
    struct mapping_comment *next;
    struct mapping_range range; /* from "#" up to the line end */
    bool trails;                /* something else stands before it on its line */
};

struct mapping {
    struct arena arena;
    struct str text;
    enum mapping_version version;
    /* One of them: the whole text is one value, or a list of items. */
    struct mapping_node *value;
    struct mapping_list *list;
    struct mapping_comment *comments; /* in order */
    uint32_t key_count, list_count;   /* numbers that were given to keys, to lists */
};

#endif
