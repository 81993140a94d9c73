/* gantry_json.h - print one JSON object as a line, as it comes.
 *
 *     struct json json = json_begin(stdout);
 *     json_text(&json, "name", status->name);
 *     json_end(&json);
 *
 * What is printed comes from plugins: control characters are escaped, and what is no UTF-8 becomes U+FFFD. */
#ifndef GANTRY_JSON_H
#define GANTRY_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    int any; /* the object that is being printed has a member */
};

struct json json_begin(FILE *out);
void json_end(struct json *json); /* the line's end too */
/* A member that is an object, and the way back out of it. */
struct json json_object(struct json *json, const char *key);
void json_close(struct json *object);

void json_text(struct json *json, const char *key, const char *text); /* NULL: no member */
void json_bytes(struct json *json, const char *key, const char *bytes, size_t size);
/* A string alone, for what is no member. */
void json_quote(FILE *out, const char *text, size_t size);
void json_number(struct json *json, const char *key, int64_t number);

#endif
