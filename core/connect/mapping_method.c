/* mapping_method.c - the table of methods, and finding one. */
#include "mapping_method.h"

#include "compiler.h"

#define METHOD(name, function, arguments, takes, wants) {name, arguments, function, takes, wants},
static const struct method methods[] = {
#include "methods.def"
};
#undef METHOD

const struct method *
method_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        if (str_eq(str_of(methods[i].name), name))
            return &methods[i];
    return NULL;
}

const char *
method_nearest(struct str name)
{
    const char *names[ARRAY_LENGTH(methods)];
    char word[64];
    if (name.len >= sizeof word || memchr(name.ptr, '\0', name.len))
        return NULL;
    memcpy(word, name.ptr, name.len);
    word[name.len] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
        names[i] = methods[i].name;
    return text_nearest(word, names, ARRAY_LENGTH(names));
}
