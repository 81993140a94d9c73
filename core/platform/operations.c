/* operations.c - the table of operations.def. */
#include "platform_internal.h"

#define OPERATION(name, document, field, variable, capability, optional)                           \
    extern const char operation_text_##document[];
#include "operations.def"
#undef OPERATION

const struct operation_row *
operation_row(enum operation op)
{
#define OPERATION(name, document, field, variable, capability, optional)                           \
    [OP_##name] = {operation_text_##document, field, variable, capability, optional},
    static const struct operation_row rows[OPERATION_COUNT] = {
#include "operations.def"
    };
#undef OPERATION
    return &rows[op];
}

bool
operation_field_is_optional(enum operation op, struct str field)
{
    struct str rest = str_of(operation_row(op)->optional);
    while (rest.len > 0) {
        if (str_eq(str_cut(rest, ',', &rest), field))
            return true;
    }
    return false;
}
