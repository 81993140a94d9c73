/* Templates: where holes begin and end, what is left out, where a refusal stands. */
#include "err.h"
#include "template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* "lit|{hole}|lit", the pieces as they were read. */
static void
expect_pieces(const char *text, const char *expected)
{
    AUTO_BUF struct buf out = BUF_INIT(10000);
    AUTO_ERR struct gantry_error *err = NULL;
    struct template *t = NULL;
    if (template_parse(str_of(text), MAPPING_V2, &t, NULL, &err) < 0)
        fail_msg("'%s' is refused: %s", text, err_text(err));
    for (const struct template_piece *p = t->pieces; p; p = p->next) {
        if (out.len)
            buf_add_char(&out, '|');
        if (p->hole) {
            struct str between = {t->text.ptr + p->range.start, p->range.end - p->range.start};
            assert_true(str_eq(between, mapping_text(p->hole)));
            buf_add_fmt(&out, "{%.*s}", STR_ARG(between));
        } else {
            buf_add(&out, p->text);
        }
    }
    assert_string_equal(buf_text(&out), expected);
    template_free(t);
}

static void
expect_refused(const char *text, size_t start, const char *message)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct template *t = NULL;
    struct mapping_range where = {9999, 9999};
    assert_int_equal(template_parse(str_of(text), MAPPING_V2, &t, &where, &err), GANTRY_E_INVALID);
    assert_null(t);
    assert_string_equal(err_text(err), message);
    assert_int_equal(where.start, start);
    assert_true(where.end >= where.start && where.end <= strlen(text));
}

static void
text_and_holes_are_told_apart(void **state)
{
    (void)state;
    expect_pieces("", "");
    expect_pieces("/cranes", "/cranes");
    expect_pieces("{$args.id}", "{$args.id}");
    expect_pieces("/a/{$args.id}{$this.b}/c", "/a/|{$args.id}|{$this.b}|/c");
    expect_pieces("/a{ $args { x } }b", "/a|{ $args { x } }|b");
    expect_pieces("a}b}}{$.c}}", "a}b}}|{$.c}|}");
}

static void
line_ends_and_tabs_are_left_out_of_the_text_alone(void **state)
{
    (void)state;
    expect_pieces("/a\n\t/b \r\n\f?c", "/a/b ?c");
    expect_pieces("\n\t{$args.a\n}\n{$args.b}\n", "{$args.a\n}|{$args.b}");
}

static void
braces_in_strings_do_not_count(void **state)
{
    (void)state;
    expect_pieces("{$(\"}\")}x", "{$(\"}\")}|x");
    expect_pieces("{$('{')}x", "{$('{')}|x");
    expect_pieces("{$(\"\\\"}\")}x", "{$(\"\\\"}\")}|x");
    expect_pieces("{$(\"it's }\")}'}", "{$(\"it's }\")}|'}");
    expect_pieces("{$args.a # don't\n}x", "{$args.a # don't\n}|x");
    expect_pieces("{$args.a # to the end}x", "{$args.a # to the end}|x");
}

static void
a_refusal_tells_where(void **state)
{
    (void)state;
    expect_refused("/a/{$args.id", 3,
                   "template, line 1, column 4: this '{' opens a hole that has no end; write a '}' "
                   "behind its mapping");
    expect_refused("/a\n{$('}", 3,
                   "template, line 2, column 1: this '{' opens a hole that has no end; write a '}' "
                   "behind its mapping");
    expect_refused("/\xc3\xa9{$args..a}", 10,
                   "in the hole that begins at line 1, column 4: mapping, line 1, column 7: "
                   "expected a key behind '.', at \".a\"");
    expect_refused("{", 0,
                   "template, line 1, column 1: this '{' opens a hole that has no end; write a '}' "
                   "behind its mapping");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_holes_are_told_apart),
        cmocka_unit_test(line_ends_and_tabs_are_left_out_of_the_text_alone),
        cmocka_unit_test(braces_in_strings_do_not_count),
        cmocka_unit_test(a_refusal_tells_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
