/* document.h - an INI text as it was written: sections, keys and the lines of their values.
 *
 * inih does the reading, through a reader of our own, because by itself it cuts lines at 199 bytes
 * and names at 49, drops sections without keys, and knows no line numbers.  What the words mean is
 * left to others. */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "arena.h"
#include "compiler.h"

#include <stdbool.h>
#include <stdint.h>

#define DOCUMENT_MAX_NAME 255   /* bytes of a section's or a key's name */
#define DOCUMENT_MAX_KEYS 10000 /* reading stops there, with a problem */

/* One line of a value. */
struct piece {
    const char *text; /* without the blanks at its edges */
    uint32_t line;
    bool indented; /* continues the line above */
    struct piece *next;
};

struct document_key {
    const char *name;
    uint32_t line;
    char separator; /* '=' or ':' */
    struct piece *pieces;
    struct piece *last;
    struct document_key *next;
};

struct document_section {
    const char *title; /* what stands between the brackets, blanks between its words made one */
    uint32_t line;
    struct document_key *keys;
    struct document_key *last;
    struct document_section *next;
};

/* What is wrong with a line; section and key may be NULL. */
struct document_problem {
    uint32_t line;
    const char *section;
    const char *key;
    const char *text;
    bool comment; /* it is that ' ;' stands in a value */
    struct document_problem *next;
};

struct document {
    struct document_section *sections; /* in order; a title that comes again is a section again */
    struct document_problem *problems;
};

/* Take a text apart.  text: size bytes and a NUL behind them; it is written to, and out points into
 * it. Returns 0, also with problems, GANTRY_E_NOMEM or GANTRY_E_INTERNAL. */
MUST_CHECK int document_read(char *text, size_t size, struct arena *arena, struct document *out);

#endif
