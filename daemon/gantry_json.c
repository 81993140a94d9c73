/* gantry_json.c - print one JSON object as a line, as it comes. */
#include "gantry_json.h"

#include <inttypes.h>
#include <string.h>

/* The length of the UTF-8 sequence that bytes begin with; 0: it is none (RFC 3629, 4). */
static size_t
sequence(const unsigned char *bytes, size_t size)
{
    static const struct {
        unsigned char first, last; /* of the first byte */
        unsigned char low, high;   /* of the second */
        unsigned char length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0xff, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t length = forms[i].length;
        if (bytes[0] < forms[i].first || bytes[0] > forms[i].last || size < length)
            continue;
        if (length > 1 && (bytes[1] < forms[i].low || bytes[1] > forms[i].high))
            continue;
        size_t good = 2;
        while (good < length && (bytes[good] & 0xc0) == 0x80)
            good++;
        if (length == 1 || good == length)
            return length;
    }
    return 0;
}

void
json_quote(FILE *out, const char *text, size_t size)
{
    const unsigned char *p = (const unsigned char *)text;
    fputc('"', out);
    for (size_t i = 0; i < size;) {
        size_t length = sequence(p + i, size - i);
        if (length == 0)
            fputs("\\ufffd", out);
        else if (length == 1 && (p[i] < 0x20 || p[i] == 0x7f))
            fprintf(out, "\\u%04x", p[i]);
        else if (p[i] == '"' || p[i] == '\\')
            fprintf(out, "\\%c", p[i]);
        else
            fwrite(p + i, 1, length, out);
        i += length ? length : 1;
    }
    fputc('"', out);
}

static void
member(struct json *json, const char *key)
{
    if (json->any)
        fputc(',', json->out);
    json->any = 1;
    json_quote(json->out, key, strlen(key));
    fputc(':', json->out);
}

struct json
json_begin(FILE *out)
{
    fputc('{', out);
    return (struct json){.out = out};
}

void
json_end(struct json *json)
{
    fputs("}\n", json->out);
}

struct json
json_object(struct json *json, const char *key)
{
    member(json, key);
    return json_begin(json->out);
}

void
json_close(struct json *object)
{
    fputc('}', object->out);
}

void
json_bytes(struct json *json, const char *key, const char *bytes, size_t size)
{
    member(json, key);
    json_quote(json->out, bytes, size);
}

void
json_text(struct json *json, const char *key, const char *text)
{
    if (text)
        json_bytes(json, key, text, strlen(text));
}

void
json_number(struct json *json, const char *key, int64_t number)
{
    member(json, key);
    fprintf(json->out, "%" PRId64, number);
}
