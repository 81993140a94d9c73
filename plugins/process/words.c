/* Command lines.  See words.h. */
#include "words.h"

#include <string.h>

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* From the opening quote at *at to behind the closing one; false: there is none. */
static bool
take_quoted(const char **at, struct text *out)
{
    char quote = *(*at)++;
    for (; **at && **at != quote; (*at)++) {
        const char *c = *at;
        if (quote == '"' && *c == '\\' && (c[1] == '"' || c[1] == '\\'))
            c = ++*at;
        text_add_char(out, *c);
    }
    return *(*at)++ == quote;
}

static const char *
take_word(const char **at, struct text *out)
{
    while (**at && !is_blank(**at)) {
        if (**at == '\'' || **at == '"') {
            if (!take_quoted(at, out))
                return "a quote is not closed";
            continue;
        }
        if (**at == '\\' && !*++*at)
            return "it ends in a backslash";
        text_add_char(out, *(*at)++);
    }
    text_add_bytes(out, "", 1);
    return NULL;
}

const char *
words_split(const char *line, struct text *out, size_t *count)
{
    *count = 0;
    for (;;) {
        while (is_blank(*line))
            line++;
        if (!*line)
            break;
        const char *problem = take_word(&line, out);
        if (problem)
            return problem;
        ++*count;
    }
    if (out->failed)
        return "it is too long";
    return *count ? NULL : "it is empty";
}
