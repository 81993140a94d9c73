/* Each allocation fails in turn while JSON is read, built and printed. */
#include "buf.h"
#include "err.h"
#include "faults.h"
#include "value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Texts with and without escapes, an object large enough for an index, arrays that grow. */
static char *
large_json(void)
{
    struct buf b = BUF_INIT(1 << 20);
    buf_add_text(&b, "{\"plain\":\"text\",\"escaped\":\"a\\n\\u00e9\\ud83d\\ude00\",\"list\":[");
    for (int i = 0; i < 600; i++)
        buf_add_fmt(&b, "%s{\"id\":%d,\"ratio\":1.50e%d,\"on\":true,\"off\":false,\"no\":null}",
                    i ? "," : "", i, i % 9);
    buf_add_text(&b, "],\"names\":{");
    for (int i = 0; i < 300; i++)
        buf_add_fmt(&b, "%s\"name\\u002d%d\":[[%d]]", i ? "," : "", i, i);
    buf_add_text(&b, "}}");
    return buf_take(&b);
}

static int
take(void *context, const char *bytes, size_t n)
{
    struct buf *out = context;
    buf_add_bytes(out, bytes, n);
    return buf_failed(out);
}

static int
parse_and_print(void *context, struct gantry_error **err)
{
    struct str text = str_of(context);
    AUTO_ARENA struct arena arena;
    AUTO_BUF struct buf printed = BUF_INIT(1 << 20);
    struct value *value = NULL;
    arena_init(&arena, 0);
    int rc = value_parse(&arena, text, NULL, &value, err);
    fault_assert((rc == 0) == (value != NULL));
    const struct value_writer writer = {take, &printed};
    if (rc == 0 && value_print(value, VALUE_INDENTED, &printed) < 0)
        rc = err_nomem(err);
    if (rc == 0 && value_write(value, VALUE_COMPACT, &writer) < 0)
        rc = err_nomem(err);
    return rc;
}

static void
a_large_text_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    AUTO_FREE char *text = large_json();
    assert_non_null(text);
    assert_in_range(
        fault_sweep("large JSON", &(struct fault_sweep){.run = parse_and_print, .context = text}),
        10, 1000);
}

static void
a_broken_text_is_told_or_memory_is_out(void **state)
{
    (void)state;
    static char broken[] = "{\"a\": [1, 2, {\"b\": \"\\u00e9\", \"c\": tru}]}";
    fault_sweep("broken JSON", &(struct fault_sweep){.run = parse_and_print,
                                                     .context = broken,
                                                     .expected = GANTRY_E_INVALID});
}

/* An object or array that could not grow still has what it had. */
static int
build(void *context, struct gantry_error **err)
{
    (void)context;
    AUTO_ARENA struct arena arena;
    arena_init(&arena, 0);
    struct value *object = value_new_object(&arena), *list = value_new_array(&arena);
    if (!object || !list)
        return err_nomem(err);
    for (size_t i = 0; i < 200; i++) {
        struct value *number = value_new_int(&arena, (int64_t)i);
        const char *key = arena_fmt(&arena, "key-%zu", i);
        if (!number || !key)
            return err_nomem(err);
        bool set = value_set(&arena, object, str_of(key), number) == 0;
        bool added = value_add(&arena, list, number) == 0;
        fault_assert(value_count(object) == i + set && value_count(list) == i + added);
        fault_assert(i == 0 || value_int(value_find(object, STR("key-0"))) == 0);
        if (!set || !added)
            return err_nomem(err);
    }
    return 0;
}

static void
what_could_not_grow_has_what_it_had(void **state)
{
    (void)state;
    fault_sweep("building values", &(struct fault_sweep){.run = build});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_text_is_read_whole_or_not_at_all),
        cmocka_unit_test(a_broken_text_is_told_or_memory_is_out),
        cmocka_unit_test(what_could_not_grow_has_what_it_had),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
