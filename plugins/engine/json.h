/* json.h - reading the engine's JSON.  Nothing here fails: what is missing or of another type is
 * absent. */
#ifndef ENGINE_JSON_H
#define ENGINE_JSON_H

#include "text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AUTO_JSON        __attribute__((cleanup(json_clear))) cJSON *
#define AUTO_JSON_SECRET __attribute__((cleanup(json_clear_secret))) cJSON *

/* The whole text as one value, with blanks around it; NULL: it is none, or something follows it, or there is no
 * memory.  Half an answer is none (S1). */
cJSON *json_parse(const struct text *text);

/* The value at a path of member names joined by dots, such as "State.Health.Status"; or NULL. */
const cJSON *json_at(const cJSON *root, const char *path);
const char *json_text(const cJSON *root, const char *path); /* NULL unless a string */
bool json_bool(const cJSON *root, const char *path);
int64_t json_integer(const cJSON *root, const char *path); /* 0 unless a number; clamped */

void json_clear(cJSON **tree);
/* The same, for a tree that holds the environment of a workload: its strings are wiped. */
void json_clear_secret(cJSON **tree);

#endif
