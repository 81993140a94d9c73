/* What mappings read of their variables and of their input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "reads.h"

static void
add_members(struct buf *b, const char *text, const struct mapping_member *member)
{
    buf_add_text(b, "{");
    for (; member; member = member->next) {
        buf_add(b, member->name);
        /* The range is that of the name, however it is written. */
        buf_add_fmt(b, "<%.*s>", (int)(member->range.end - member->range.start),
                    text + member->range.start);
        if (member->members)
            add_members(b, text, member->members);
        if (member->next)
            buf_add_char(b, ' ');
    }
    buf_add_text(b, "}");
}

/* Each read as variable, where it stands, members; one behind the other. */
static void
check(enum mapping_version version, const char *text, const char *expected)
{
    AUTO_BUF struct buf b = BUF_INIT(10000);
    struct mapping_read *reads = NULL;
    struct mapping *m;
    struct arena a;
    arena_init(&a, 0);
    assert_int_equal(mapping_parse(str_of(text), version, &m, NULL, NULL), 0);
    assert_true(mapping_reads(m, &a, &reads));
    for (const struct mapping_read *r = reads; r; r = r->next) {
        if (r != reads)
            buf_add_text(&b, ", ");
        buf_add(&b, r->variable);
        buf_add_fmt(&b, "@%zu-%zu", r->range.start, r->range.end);
        if (r->members)
            add_members(&b, text, r->members);
    }
    assert_string_equal(buf_text(&b), expected);
    mapping_free(m);
    arena_clear(&a);
}

static void
paths_of_variables_are_members_in_members(void **state)
{
    (void)state;
    check(2, "$args.filter { from to }", "$args@0-5{filter<filter>{from<from> to<to>}}");
    check(2, "$this.b.c", "$this@0-5{b<b>{c<c>}}");
    check(2, "$batch", "$batch@0-6");
    check(2, "a: $this { x y: z.u v: { w } } b: $this.x",
          "$this@3-8{x<x> z<z>{u<u>} w<w>}, $this@34-39{x<x>}");
    check(2, "$args . 'a b' . c", "$args@0-5{a b<a b>{c<c>}}");
    check(2, "$args.'it\\'s'", "$args@0-5{it's<.'it\\'s'>}");
}

static void
what_follows_a_method_is_not_known(void **state)
{
    (void)state;
    check(2, "$batch->map({ i: @.id })", "$batch@0-6");
    check(2, "$args.ids->joinNotNull($config.comma).x { y }",
          "$args@0-5{ids<ids>}, $config@23-30{comma<comma>}");
    check(2, "$this.a->first { b: $args.c d: $.e }", "$this@0-5{a<a>}, $args@20-25{c<c>}");
    check(3, "$($args.a ?? $args.b).c { d }", "$args@2-7{a<a>}, $args@13-18{b<b>}");
    check(2, "$([$args.a, { b: $this.c }])", "$args@3-8{a<a>}, $this@17-22{c<c>}");
}

static void
keys_and_dollar_read_the_input(void **state)
{
    (void)state;
    check(2, "a: $this.b.c  d", "$this@3-8{b<b>{c<c>}}, $@14-15{d<d>}");
    check(2, "no: $.serial dock { gate $.lane { w } }",
          "$@4-5{serial<serial>}, $@13-17{dock<dock>{gate<gate> lane<lane>{w<w>}}}");
    check(2, "place: { gate: dock.gate x: $ }", "$@15-19{dock<dock>{gate<gate>}}, $@28-29");
    check(2, "a: $ b: $->first c: @.d e: $ { f }", "$@3-4, $@8-9, $@20-21{d<d>}, $@31-32{f<f>}");
    check(2, "list->map(a.b)", "$@0-4{list<list>}, $@10-11{a<a>{b<b>}}");
    check(2, "crew: ids { id: $ }", "$@6-9{ids<ids>}");
    check(2, "$($(a.b)).c", "$@4-5{a<a>{b<b>{c<c>}}}");
    check(2, "a: $(1) b: $('$args.x')", "");
}

static void
a_name_that_as_binds_is_no_variable(void **state)
{
    (void)state;
    check(3, "a: x->as($v)->echo($v.y) b: $v", "$@3-4{x<x>}, $v@28-30");
    check(3, "p->as($n, $args.q) { z: $n }", "$@0-1{p<p>}, $args@10-15{q<q>}");
}

static void
items_of_the_fourth_version_are_read_too(void **state)
{
    (void)state;
    check(4, "{ a: $args.a, b? }", "$args@5-10{a<a>}, $@14-15{b<b>}");
    check(4, "id ... $this.k", "$@0-2{id<id>}, $this@7-12{k<k>}");
}

static void
without_memory_nothing_is_said_to_be_read(void **state)
{
    (void)state;
    struct mapping *m;
    bool done = false;
    size_t max = 1;
    assert_int_equal(
        mapping_parse(STR("a: $this.b { c d } e: f->as($v)->echo($v, $args.g) $.h { i }"),
                      MAPPING_V3, &m, NULL, NULL),
        0);
    for (; !done; max++) {
        struct mapping_read *reads = NULL;
        struct arena a;
        arena_init(&a, max);
        done = mapping_reads(m, &a, &reads);
        assert_true(done == (reads != NULL));
        arena_clear(&a);
    }
    assert_in_range(max, 500, 5000);
    mapping_free(m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_of_variables_are_members_in_members),
        cmocka_unit_test(what_follows_a_method_is_not_known),
        cmocka_unit_test(keys_and_dollar_read_the_input),
        cmocka_unit_test(a_name_that_as_binds_is_no_variable),
        cmocka_unit_test(items_of_the_fourth_version_are_read_too),
        cmocka_unit_test(without_memory_nothing_is_said_to_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
