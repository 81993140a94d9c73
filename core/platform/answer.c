/* answer.c - is it a GraphQL answer, and what does it say (GraphQL, 7.1: Response Format).
 *
 * Strict about what may be used: a listing that is not whole is an error, never a shorter listing
 * (S1). */
#include "err.h"
#include "platform_internal.h"

#include <errno.h>
#include <stdio.h>

/* The value of the escape `\uXXXX` at text, or -1. */
static long
escape_at(const char *text, size_t len)
{
    if (len < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    long value = 0;
    for (size_t i = 2; i < 6; i++) {
        char c = text[i];
        long digit = c >= '0' && c <= '9'   ? c - '0'
                     : c >= 'a' && c <= 'f' ? c - 'a' + 10
                     : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                            : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Escapes that no C text can hold become an escaped U+FFFF, which is as long: cJSON ends a text at
 * a NUL, and refuses the whole document for half of a surrogate pair.  Who reads the text sees the
 * mark. */
static void
mark_escapes(char *body, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (body[i] != '\\')
            continue;
        long value = escape_at(body + i, len - i);
        bool high = value >= 0xd800 && value <= 0xdbff;
        long next = high ? escape_at(body + i + 6, len - i - 6) : -1;
        if (high && next >= 0xdc00 && next <= 0xdfff) {
            i += 11;
            continue;
        }
        if (value == 0 || (value >= 0xd800 && value <= 0xdfff))
            memset(body + i + 2, 'f', 4);
        i++; /* what is escaped begins no escape */
    }
}

/* The medium type without parameters, in a form that may be shown. */
static const char *
medium(const char *content_type, char *text, size_t size)
{
    struct str rest, type = str_trim(str_cut(str_of(content_type), ';', &rest));
    if (type.len == 0 || str_utf8_valid_length(type) < type.len)
        return "no content type";
    (void)snprintf(text, size, "%.*s", (int)MIN(type.len, 60), type.ptr);
    return text;
}

static const char *
advice(unsigned status)
{
    if (status >= 300 && status < 400)
        return "it redirects, which is not followed with a token: set url to the address behind it";
    if (status == 401 || status == 403)
        return "it, or a proxy before it, refuses the token";
    if (status == 404 || status == 405)
        return "is url the platform's, with its base path?";
    if (status == 413)
        return "the question is too large for it, or for a proxy before it";
    if (status == 429)
        return "it is asked too often";
    if (status >= 500)
        return "the platform is starting or in trouble, or the proxy before it does not reach it";
    return "is url the platform's, with its base path?";
}

static int
refuse(unsigned status, const char *content_type, const char *what, struct gantry_error **err)
{
    char text[64];
    int code = status == 401 || status == 403 ? GANTRY_E_DENIED : GANTRY_E_UNAVAILABLE;
    return err_set(err, code, "%s (HTTP %u, %s); %s", what, status,
                   medium(content_type, text, sizeof text), advice(status));
}

static void
wipe(cJSON *item)
{
    /* cJSON's depth is bounded, but a list may be long: recursion goes down, not along. */
    for (; item; item = item->next) {
        if (item->valuestring)
            secret_wipe(item->valuestring, strlen(item->valuestring));
        wipe(item->child);
    }
}

void
answer_clear(struct answer *answer)
{
    wipe(answer->root);
    cJSON_Delete(answer->root);
    *answer = (struct answer){0};
}

/* NULL when it is no JSON, or memory ran out: cJSON does not tell which, but malloc's errno does. */
static cJSON *
parse_json(const char *body, size_t len, bool *no_memory)
{
    const char *end = NULL;
    errno = 0;
    cJSON *root = cJSON_ParseWithLengthOpts(body, len, &end, 0);
    *no_memory = !root && errno == ENOMEM;
    if (!root)
        return NULL;
    while (end < body + len && *end && strchr(" \t\r\n", *end))
        end++;
    if (end == body + len)
        return root;
    wipe(root);
    cJSON_Delete(root);
    return NULL;
}

static const cJSON *
member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNull(item) ? NULL : item;
}

int
answer_parse(char *body, size_t len, unsigned status, const char *content_type, struct answer *out,
             struct gantry_error **err)
{
    if (len == 0)
        return refuse(status, content_type, "the platform answers nothing", err);
    mark_escapes(body, len);
    bool no_memory = false;
    AUTO_ANSWER struct answer a = {.status = status};
    if (str_utf8_valid_length((struct str){body, len}) == len && !memchr(body, '\0', len))
        a.root = parse_json(body, len, &no_memory);
    if (no_memory)
        return err_nomem(err);
    if (!a.root)
        return refuse(status, content_type, "the platform's answer is no JSON, or is cut short",
                      err);
    const cJSON *data = member(a.root, "data"), *errors = member(a.root, "errors");
    a.data = cJSON_IsObject(data) ? data : NULL;
    a.errors = cJSON_IsArray(errors) && !errors->child ? NULL : errors;
    bool has_data = cJSON_GetObjectItemCaseSensitive(a.root, "data") != NULL;
    if (!cJSON_IsObject(a.root) || (!has_data && !a.errors) || (data && !a.data))
        return refuse(status, content_type, "the platform's answer is no GraphQL answer", err);
    *out = a;
    a = (struct answer){0};
    return 0;
}

const char *
answer_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

size_t
answer_problem_count(const struct answer *answer)
{
    if (!answer->errors)
        return 0;
    /* What is no list is one error that says nothing. */
    return cJSON_IsArray(answer->errors) ? (size_t)cJSON_GetArraySize(answer->errors) : 1;
}

static void
print_path(const cJSON *path, char *text, size_t size)
{
    size_t len = 0;
    const cJSON *step;
    cJSON_ArrayForEach(step, path)
    {
        int n = 0;
        const char *dot = len > 0 ? "." : "";
        if (cJSON_IsString(step))
            n = snprintf(text + len, size - len, "%s%s", dot, step->valuestring);
        else if (cJSON_IsNumber(step))
            n = snprintf(text + len, size - len, "%s%d", dot, step->valueint);
        if (n < 0 || (size_t)n >= size - len) {
            text[len] = '\0'; /* whole steps, or none: half a name is another name */
            return;
        }
        len += (size_t)n;
    }
}

static void
read_problem(const cJSON *item, struct problem *out)
{
    *out = (struct problem){.code = "", .message = ""};
    const cJSON *extensions = cJSON_GetObjectItemCaseSensitive(item, "extensions");
    const char *code = answer_text(extensions, "code"), *message = answer_text(item, "message");
    out->code = code ? code : "";
    out->message = message ? message : "";
    const cJSON *path = cJSON_GetObjectItemCaseSensitive(item, "path");
    if (!cJSON_IsArray(path))
        return;
    out->field = cJSON_GetStringValue(path->child);
    print_path(path, out->path, sizeof out->path);
}

void
answer_problem(const struct answer *answer, size_t i, struct problem *out)
{
    bool list = cJSON_IsArray(answer->errors);
    read_problem(list ? cJSON_GetArrayItem(answer->errors, (int)i) : answer->errors, out);
}

bool
answer_field_problem(const struct answer *answer, const char *field, struct problem *out)
{
    size_t count = answer_problem_count(answer);
    for (size_t i = 0; i < count && i < 1000; i++) {
        answer_problem(answer, i, out);
        if (!out->field || strcmp(out->field, field) == 0)
            return true;
    }
    *out = (struct problem){.code = "", .message = ""};
    return count >= 1000; /* so many are not looked through: nothing of such an answer is used */
}

const cJSON *
answer_field(const struct answer *answer, const char *field)
{
    struct problem problem;
    if (answer->status < 200 || answer->status > 299 ||
        answer_field_problem(answer, field, &problem))
        return NULL;
    return member(answer->data, field);
}
