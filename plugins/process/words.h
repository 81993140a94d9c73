/* words.h - a command line of the settings -> its words, as a shell would split it, without a shell.
 *
 * Words are separated by blanks.  '...' keeps everything, "..." everything but \" and \\; outside of
 * quotes a backslash keeps the next character.  Nothing is expanded: $, *, ~ and | are what they are. */
#ifndef PROCESS_WORDS_H
#define PROCESS_WORDS_H

#include "text.h"

/* Adds each word with its NUL.  *count: how many.  NULL, or what is wrong (static). */
const char *words_split(const char *line, struct text *out, size_t *count);

#endif
