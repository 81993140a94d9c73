/* What holds of every schema, shown on those of tests/vectors/check: one in its normal form has the same problems, and
 * what is wrong with a damaged one is told inside its text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "buf.h"
#include "chance.h"
#include "schema.h"

#include <gantry/connect.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static void
hear(void *context, const struct gantry_connect_problem *p)
{
    buf_add_fmt(context, "%s: %s\n", p->code, p->message);
}

/* What is told of a schema, without the places. */
static bool
check_schema(struct str text, struct buf *out)
{
    const struct gantry_connect_listener listener = {sizeof listener, 0, hear, out};
    struct gantry_connect_schema *schema = NULL;
    int rc = gantry_connect_schema_new(text.ptr, text.len, &listener, &schema, NULL);
    gantry_connect_schema_free(schema);
    return rc == 0 || rc == GANTRY_E_INVALID;
}

static size_t
normal_form_is_checked_alike(const struct vector *v)
{
    AUTO_BUF struct buf normal = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf told = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf told_again = BUF_INIT(TEXT_MAX);
    struct str text = vector_section(v, "");
    struct gql_document *doc = NULL;
    if (gql_parse_all(text, NULL, GQL_ALL, &doc, NULL, NULL) < 0)
        return 0; /* a vector of that */
    int rc = gql_format(doc, &normal);
    gql_document_free(doc);
    if (rc < 0 || !check_schema(text, &told) || !check_schema(buf_view(&normal), &told_again))
        return vector_differs(v, "normal form", STR("a check"), STR("a failure"));
    return vector_differs(v, "what is told of the normal form", buf_view(&told),
                          buf_view(&told_again));
}

static size_t
run_check_vectors(size_t (*run)(const struct vector *v))
{
    return vectors_run_folder(GANTRY_SOURCE_DIR "/tests/vectors/check", run);
}

static void
schemas_in_normal_form_have_the_same_problems(void **state)
{
    (void)state;
    assert_int_equal(run_check_vectors(normal_form_is_checked_alike), 0);
}

/* ---- damaged schemas --------------------------------------------------------------------------------- */

struct damaged {
    size_t size, told, outside;
};

static void
hear_place(void *context, const struct gantry_connect_problem *p)
{
    struct damaged *d = context;
    bool inside = p->start <= p->end && p->end <= d->size && p->line > 0 && p->column > 0 &&
                  (p->end_line > p->line || (p->end_line == p->line && p->end_column >= p->column));
    d->told++;
    d->outside += !inside || !p->message[0] || strpbrk(p->message, "\r\n");
}

/* Leave something out, put something in, or end too early. */
static void
damage(struct chance *c, struct str text, struct buf *out)
{
    static const char *const put_in[] = {"{", "}",    "(",     ")", "\"", "$",  ".",
                                         ":", "@",    "->",    "#", "\\", "\n", "null",
                                         "[", "\xc3", "$args", "",  "?",  "..."};
    size_t at = text.len ? roll(c, (uint32_t)text.len) : 0;
    size_t left_out = MIN((size_t)roll(c, 4), text.len - at);
    bool ends = roll(c, 8) == 0;
    buf_add(out, (struct str){text.ptr, at});
    buf_add_text(out, PICK(c, put_in));
    if (!ends)
        buf_add(out, (struct str){text.ptr + at + left_out, text.len - at - left_out});
}

static size_t
check_damaged(const struct vector *v)
{
    struct chance c = {v->line * 1000, MAPPING_V2};
    size_t failures = 0;
    for (int i = 0; i < 12; i++) {
        AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
        AUTO_ERR struct gantry_error *err = NULL;
        struct gantry_connect_schema *schema = NULL;
        damage(&c, vector_section(v, ""), &text);
        struct damaged d = {.size = text.len};
        const struct gantry_connect_listener listener = {sizeof listener, 0, hear_place, &d};
        int rc = gantry_connect_schema_new(buf_text(&text), text.len, &listener, &schema, &err);
        gantry_connect_schema_free(schema);
        if ((rc != 0 && rc != GANTRY_E_INVALID) || d.outside || (rc != 0 && !d.told))
            failures += vector_differs(v, "of a damaged one", STR("problems inside the text"),
                                       buf_view(&text));
    }
    return failures;
}

static void
damaged_schemas_are_told_of_in_their_text(void **state)
{
    (void)state;
    assert_int_equal(run_check_vectors(check_damaged), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schemas_in_normal_form_have_the_same_problems),
        cmocka_unit_test(damaged_schemas_are_told_of_in_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
