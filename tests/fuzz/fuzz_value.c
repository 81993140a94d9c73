/* fuzz_value.c - any bytes are refused, or are JSON whose print reads as the same value and prints
 * as the same text. */
#include "err.h"
#include "fuzz.h"
#include "value.h"

enum { PRINT_MAX = 64 * 1024 * 1024 };

static void
check_style(struct arena *a, const struct value *first, enum value_style style)
{
    AUTO_BUF struct buf one = BUF_INIT(PRINT_MAX);
    AUTO_BUF struct buf two = BUF_INIT(PRINT_MAX);
    AUTO_ERR struct gantry_error *err = NULL;
    const struct value_limits limits = {.max_bytes = PRINT_MAX};
    struct value *second = NULL;
    must(value_print(first, style, &one) == 0);
    must(value_parse(a, buf_view(&one), &limits, &second, &err) == 0);
    must(value_equal(first, second));
    must(value_print(second, style, &two) == 0);
    must(str_eq(buf_view(&one), buf_view(&two)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA struct arena a;
    AUTO_ERR struct gantry_error *err = NULL;
    struct value *value = NULL;
    arena_init(&a, 0);
    int rc = value_parse(&a, (struct str){(const char *)data, size}, NULL, &value, &err);
    if (rc < 0) {
        must(rc == GANTRY_E_INVALID && err && !value);
        return 0;
    }
    check_style(&a, value, VALUE_COMPACT);
    check_style(&a, value, VALUE_INDENTED);
    return 0;
}
