/* Growing text.  See text.h. */
#include "text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
text_reserve(struct text *text, size_t more)
{
    if (text->failed)
        return false;
    if (more > text->max || text->size > text->max - more) {
        text->failed = true;
        return false;
    }
    size_t needed = text->size + more + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity ? text->capacity : 128;
    while (capacity < needed)
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    /* Not realloc for secrets: it may move the bytes and leave a copy behind. */
    char *data = text->secret ? malloc(capacity) : realloc(text->data, capacity);
    if (!data) {
        text->failed = true;
        return false;
    }
    if (text->secret && text->data) {
        memcpy(data, text->data, text->size);
        explicit_bzero(text->data, text->capacity);
        free(text->data);
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void
text_add_bytes(struct text *text, const void *bytes, size_t size)
{
    if (!text_reserve(text, size))
        return;
    if (size)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void
text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void
text_add_char(struct text *text, char c)
{
    text_add_bytes(text, &c, 1);
}

void
text_addf(struct text *text, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        text->failed = true;
    else if (text_reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->size, (size_t)length + 1, format, again);
        text->size += (size_t)length;
    }
    va_end(again);
}

void
text_add_json(struct text *text, const char *string)
{
    text_add_char(text, '"');
    const char *plain = string;
    for (const char *at = string; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        text_add_bytes(text, plain, (size_t)(at - plain));
        plain = at + 1;
        if (c == '"' || c == '\\')
            text_addf(text, "\\%c", c);
        else
            text_addf(text, "\\u%04x", c);
    }
    text_add(text, plain);
    text_add_char(text, '"');
}

void
text_add_url(struct text *text, const char *string)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *string; string++) {
        if (strchr(plain, *string))
            text_add_char(text, *string);
        else
            text_addf(text, "%%%02X", (unsigned)(unsigned char)*string);
    }
}

void
text_add_base64url(struct text *text, const void *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        char out[4] = {digits[group >> 18 & 63], digits[group >> 12 & 63],
                       left > 1 ? digits[group >> 6 & 63] : '=',
                       left > 2 ? digits[group & 63] : '='};
        text_add_bytes(text, out, sizeof out);
    }
}

const char *
text_cstr(const struct text *text)
{
    return text->data ? text->data : "";
}

void
text_reset(struct text *text)
{
    text->size = 0;
    if (text->data)
        text->data[0] = '\0';
}

void
text_clear(struct text *text)
{
    if (text->secret && text->data)
        explicit_bzero(text->data, text->capacity);
    free(text->data);
    text->data = NULL;
    text->size = 0;
    text->capacity = 0;
    text->failed = false;
}

bool
text_is_utf8(const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    while (*at) {
        unsigned char c = *at++;
        if (c < 0x80)
            continue;
        int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
        if (c < 0xC2 || c > 0xF4)
            return false;
        /* Overlong forms, surrogates and what lies above U+10FFFF show in the second byte. */
        unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
        unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
        if (*at < low || *at > high)
            return false;
        for (at++, more--; more > 0; more--, at++)
            if ((*at & 0xC0) != 0x80)
                return false;
    }
    return true;
}

void
text_one_line(char *target, size_t size, const char *source)
{
    size_t used = 0;
    for (; *source && used + 1 < size; source++) {
        unsigned char c = (unsigned char)*source;
        bool blank = c < 0x20 || c == 0x7F;
        if (blank && (used == 0 || target[used - 1] == ' '))
            continue;
        target[used++] = blank ? ' ' : (char)c;
    }
    if (*source) /* do not end inside a character */
        while (used > 0 && (target[used - 1] & 0x80)) {
            bool lead = (target[used - 1] & 0xC0) == 0xC0;
            used--;
            if (lead)
                break;
        }
    while (used > 0 && (target[used - 1] == ' ' || target[used - 1] == '.'))
        used--;
    target[used] = '\0';
}
