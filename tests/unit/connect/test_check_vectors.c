/* Schemas are checked as the vectors say, and the vectors leave no code out.
 *
 *   === CODE: what the schema shows        the schema has this fault (and others only if they are told)
 *   === CODE: not what is near it          the schema has no fault at all
 *   === anything else
 *   the schema; one that links connect v0.2 is checked as v0.3 and v0.4, too
 *   --- versions      those that it holds in: "2 3"
 *   --- problems      a line each, in the order of the text: CODE line:column, before a note's "note " */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../vectors/vectors.h"
#include "arena.h"
#include "buf.h"
#include "connectors.h"

#include <gantry/connect.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

struct listening {
    struct buf lines;
    size_t errors;
};

/* What the cases show, by code. */
static struct {
    size_t exactly, at_all, near;
} shown[CONNECT_CODE_COUNT];

static void
hear(void *context, const struct gantry_connect_problem *p)
{
    struct listening *to = context;
    if (to->lines.len)
        buf_add_char(&to->lines, '\n');
    buf_add_fmt(&to->lines, "%s%s %u:%u", p->severity == GANTRY_CONNECT_NOTE ? "note " : "",
                p->code, p->line, p->column);
    if (!p->message[0] || strpbrk(p->message, "\r\n") || p->end < p->start)
        buf_add_fmt(&to->lines, " with '%s' and an end at %u:%u", p->message, p->end_line,
                    p->end_column);
    to->errors += p->severity == GANTRY_CONNECT_ERROR;
}

/* The text with every one of a word replaced. */
static void
replace(struct buf *out, struct str text, struct str word, const char *by)
{
    for (size_t i = 0; i < text.len;) {
        struct str rest = {text.ptr + i, text.len - i};
        bool found = str_starts_with(rest, word);
        buf_add(out, found ? str_of(by) : (struct str){rest.ptr, 1});
        i += found ? word.len : 1;
    }
}

static size_t
run_text(const struct vector *v, struct str text, const char *what)
{
    struct listening to = {.lines = BUF_INIT(TEXT_MAX)};
    const struct gantry_connect_listener listener = {sizeof listener, 0, hear, &to};
    AUTO_ERR struct gantry_error *err = NULL;
    struct gantry_connect_schema *schema = NULL;
    int rc = gantry_connect_schema_new(text.ptr, text.len, &listener, &schema, &err);
    gantry_connect_schema_free(schema);
    size_t failures = vector_differs(v, what, vector_section(v, "problems"), buf_view(&to.lines));
    if (rc != (to.errors ? GANTRY_E_INVALID : 0))
        failures += vector_differs(v, what, STR("the code that fits its problems"),
                                   str_of(err ? err_text(err) : "0"));
    buf_clear(&to.lines);
    return failures;
}

static size_t
run_version(const struct vector *v, char version)
{
    static const char *const federations[] = {"federation/v2.11", "federation/v2.12",
                                              "federation/v2.14"};
    char connect[] = "connect/v0.2", what[] = "as v0.2";
    AUTO_BUF struct buf one = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf two = BUF_INIT(TEXT_MAX);
    connect[sizeof connect - 2] = what[sizeof what - 2] = version;
    replace(&one, vector_section(v, ""), STR("connect/v0.2"), connect);
    replace(&two, buf_view(&one), STR("federation/v2.11"), federations[version - '2']);
    return run_text(v, buf_view(&two), what);
}

/* The code that a problem's line begins with. */
static struct str
code_of(struct str line)
{
    struct str rest;
    if (str_starts_with(line, STR("note ")))
        line = (struct str){line.ptr + 5, line.len - 5};
    return str_cut(line, ' ', &rest);
}

static size_t
count_code(const struct vector *v, enum connect_code code, struct str said)
{
    struct str rest = vector_section(v, "problems"), word = str_of(connect_code_word(code));
    size_t of_it = 0, others = 0;
    bool near = str_starts_with(said, STR("not "));
    if (near) {
        shown[code].near++;
        return rest.len ? vector_differs(v, "a near miss has problems", STR(""), rest) : 0;
    }
    while (rest.ptr && rest.len) {
        struct str line = str_cut(rest, '\n', &rest);
        *(str_eq(code_of(line), word) ? &of_it : &others) += 1;
    }
    shown[code].exactly += of_it && !others;
    shown[code].at_all += of_it != 0;
    return of_it ? 0 : vector_differs(v, "the code of its name is not among them", word, STR(""));
}

static size_t
count_shown(const struct vector *v)
{
    struct str said, word = str_cut(v->name, ':', &said);
    if (!said.ptr || !said.len)
        return 0;
    said = (struct str){said.ptr + 1, said.len - 1};
    for (int code = 0; code < CONNECT_CODE_COUNT; code++)
        if (str_eq(word, str_of(connect_code_word((enum connect_code)code))))
            return count_code(v, (enum connect_code)code, said);
    return 0;
}

static bool
has_word(struct str text, struct str word)
{
    for (size_t i = 0; i + word.len <= text.len; i++)
        if (memcmp(text.ptr + i, word.ptr, word.len) == 0)
            return true;
    return false;
}

static size_t
run_case(const struct vector *v)
{
    struct str versions = vector_section(v, "versions"), text = vector_section(v, "");
    size_t failures = count_shown(v);
    if (!has_word(text, STR("connect/v0.2")))
        return failures + run_text(v, text, "problems");
    for (char version = '2'; version <= '4'; version++)
        if (!versions.ptr || memchr(versions.ptr, version, versions.len))
            failures += run_version(v, version);
    return failures;
}

static void
every_file_of_vectors_holds(void **state)
{
    (void)state;
    assert_int_equal(vectors_run_folder(GANTRY_SOURCE_DIR "/tests/vectors/check", run_case), 0);
}

/* Codes that never come alone: the specification says which other they accompany. */
static bool
accompanies(enum connect_code code)
{
    return code == CONNECT_NO_SOURCE_IMPORT;
}

/* After the vectors were run. */
static void
every_code_is_reached_and_has_a_near_miss(void **state)
{
    (void)state;
    size_t failures = 0;
    for (int i = 0; i < CONNECT_CODE_COUNT; i++) {
        enum connect_code code = (enum connect_code)i;
        bool alone = shown[code].exactly || (accompanies(code) && shown[code].at_all);
        if (alone && shown[code].near)
            continue;
        fprintf(stderr, "%s: tests/vectors/check has no case '%s: %s...'\n",
                connect_code_word(code), connect_code_word(code), alone ? "not " : "");
        failures++;
    }
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_vectors_holds),
        cmocka_unit_test(every_code_is_reached_and_has_a_near_miss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
