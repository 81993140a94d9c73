/* types.c - the functions of gantry/types.h. */
#include <gantry/types.h>

#include <stdlib.h>

void
gantry_error_free(struct gantry_error *err)
{
    if (err)
        err->release(err);
}

const char *
gantry_code_name(int code)
{
#define NAME_(name, value, word, action)                                                           \
    case (value):                                                                                  \
        return word;
    switch (code) {
        GANTRY_CODES(NAME_)
    default: /* any number may come here, from plugins too */
        return "unknown";
    }
#undef NAME_
}

const char *
gantry_code_action(int code)
{
#define ACTION_(name, value, word, action)                                                         \
    case (value):                                                                                  \
        return action;
    switch (code) {
        GANTRY_CODES(ACTION_)
    default:
        return "report a defect: this code has no meaning";
    }
#undef ACTION_
}

const char *
gantry_version(void)
{
    return GANTRY_VERSION_STRING;
}

void
gantry_text_free(char *text)
{
    free(text);
}
