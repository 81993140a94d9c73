/* Reading JSON by path.  See json.h. */
#include "json.h"

#include <string.h>

cJSON *
json_parse(const struct text *text)
{
    const char *begin = text_cstr(text), *last = begin + text->size, *end = begin;
    cJSON *tree = cJSON_ParseWithLengthOpts(begin, text->size, &end, 0);
    while (tree && end < last && *end && strchr(" \t\r\n", *end))
        end++;
    if (tree && end != last)
        json_clear_secret(&tree);
    return tree;
}

const cJSON *
json_at(const cJSON *root, const char *path)
{
    char name[64];
    while (root && *path) {
        size_t length = strcspn(path, ".");
        if (length >= sizeof name)
            return NULL;
        memcpy(name, path, length);
        name[length] = '\0';
        root = cJSON_GetObjectItemCaseSensitive(root, name);
        path += length + (path[length] == '.');
    }
    return root;
}

const char *
json_text(const cJSON *root, const char *path)
{
    const cJSON *item = json_at(root, path);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool
json_bool(const cJSON *root, const char *path)
{
    return cJSON_IsTrue(json_at(root, path));
}

int64_t
json_integer(const cJSON *root, const char *path)
{
    const cJSON *item = json_at(root, path);
    if (!cJSON_IsNumber(item))
        return 0;
    if (item->valuedouble >= 9.2e18)
        return INT64_MAX;
    if (item->valuedouble <= -9.2e18)
        return INT64_MIN;
    return (int64_t)item->valuedouble;
}

void
json_clear(cJSON **tree)
{
    cJSON_Delete(*tree);
    *tree = NULL;
}

/* The depth is bounded by cJSON's own limit while parsing. */
static void
json_wipe(cJSON *item)
{
    for (; item; item = item->next) {
        if (item->valuestring)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
        json_wipe(item->child);
    }
}

void
json_clear_secret(cJSON **tree)
{
    json_wipe(*tree);
    json_clear(tree);
}
