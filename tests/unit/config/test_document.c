/* An INI text taken apart, with the traps of inih. */
#include "config_test.h"

#include "document.h"

struct text {
    char *bytes;
    size_t size;
    struct arena arena;
    struct document document;
};

static void
open_bytes(struct text *t, const void *bytes, size_t size)
{
    t->bytes = malloc(size + 1);
    assert_non_null(t->bytes);
    memcpy(t->bytes, bytes, size);
    t->bytes[size] = '\0';
    t->size = size;
    arena_init(&t->arena, 0);
    assert_int_equal(document_read(t->bytes, size, &t->arena, &t->document), 0);
}

static void
open_text(struct text *t, const char *text)
{
    open_bytes(t, text, strlen(text));
}

static void
close_text(struct text *t)
{
    arena_clear(&t->arena);
    free(t->bytes);
}

/* "[title] key=piece|+piece (line)" a key; what follows '!' are problems. */
static void
check(const char *text, const char *expected)
{
    struct text t;
    open_text(&t, text);
    AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
    for (const struct document_section *s = t.document.sections; s; s = s->next) {
        buf_add_fmt(&b, "[%s] %u\n", s->title, s->line);
        for (const struct document_key *k = s->keys; k; k = k->next) {
            buf_add_fmt(&b, "%s%c", k->name, k->separator);
            for (const struct piece *p = k->pieces; p; p = p->next)
                buf_add_fmt(&b, "%s%s%s", p == k->pieces ? "" : "|", p->indented ? "+" : "",
                            p->text);
            buf_add_fmt(&b, " %u\n", k->line);
        }
    }
    for (const struct document_problem *p = t.document.problems; p; p = p->next)
        buf_add_fmt(&b, "!%u [%s] %s: %s\n", p->line, p->section ? p->section : "",
                    p->key ? p->key : "", p->text);
    assert_string_equal(buf_text(&b), expected);
    close_text(&t);
}

static void
sections_without_keys_are_kept(void **state)
{
    (void)state;
    check("[backend docker]", "[backend docker] 1\n");
    check("[a]\n\n[b]\n[c]\nk=v", "[a] 1\n[b] 3\n[c] 4\nk=v 5\n");
    check("[ backend \t docker ]", "[backend docker] 1\n");
}

static void
lines_are_counted_over_comments_and_blank_ones(void **state)
{
    (void)state;
    check("# one\n\n; three\n[s]\n  # five\nk = v\n\t; seven\nm = w\n", "[s] 4\nk=v 6\nm=w 8\n");
}

static void
byte_order_mark_and_crlf_are_taken_away(void **state)
{
    (void)state;
    check("\xef\xbb\xbf[s]\r\nk = v\r\n  w\r\n", "[s] 1\nk=v|+w 2\n");
    check("\xef\xbb\xbfk = v",
          "!1 [] : the line stands before the first section; write [NAME] above it\n");
}

static void
the_first_separator_counts(void **state)
{
    (void)state;
    check("[s]\na = b=c\nd : e = f\ng = h:i\nempty =\n",
          "[s] 1\na=b=c 2\nd:e = f 3\ng=h:i 4\nempty= 5\n");
    check("[s]\nq = \"quoted\"\n", "[s] 1\nq=\"quoted\" 2\n");
}

static void
indented_lines_continue_the_value(void **state)
{
    (void)state;
    check("[s]\nk = a\n  b\n\tc = d\n\n  e ; f\nl = x\n", "[s] 1\nk=a|+b|+c = d|+e ; f 2\nl=x 7\n");
    check("[s]\n  k = a\n", "[s] 1\nk=a 2\n");
    check("[s]\nk = a\n  [t]\n", "[s] 1\nk=a|+[t] 2\n");
}

static void
a_semicolon_behind_a_blank_is_an_error(void **state)
{
#define COMMENT                                                                                    \
    "' ;' would begin a comment and cut the value; put a comment on a line of its own, and such "  \
    "a "                                                                                           \
    "value into a file: write file:PATH\n"
    (void)state;
    check("[s]\nk = a;b;c\n", "[s] 1\nk=a;b;c 2\n");
    check("[s]\nk =;b\n", "[s] 1\nk=;b 2\n");
    check("[s]\nk = a ;b\n  more\nl = 1\n", "[s] 1\nl=1 4\n!2 [s] k: " COMMENT);
    check("[s]\nk = ;b\n", "[s] 1\n!2 [s] k: " COMMENT);
    check("[s]\nk = a\t;b\n", "[s] 1\n!2 [s] k: " COMMENT);
    check("[s] ; comment\nk = a # no comment\n", "[s] 1\nk=a # no comment 2\n");
}

static void
broken_lines_are_told_with_their_number(void **state)
{
    (void)state;
    check("[s]\nword\n= v\n[t\nk = v\n[u] v\nk = v\n[]\n[w]\nk = v",
          "[s] 1\n[w] 9\nk=v 10\n"
          "!2 [s] : the line has no '='; write KEY = VALUE, or begin a comment with '#'\n"
          "!3 [s] : no key stands before the separator; write KEY = VALUE\n"
          "!4 [] : '[' is not closed; write [NAME]\n"
          "!6 [] : text stands behind ']'; put it on a line of its own\n"
          "!8 [] : the section has no name; write [NAME]\n");
}

static void
values_of_any_length_arrive_whole(void **state)
{
    static const size_t sizes[] = {190, 191, 192, 199, 200, 2000, 4096, 102400, 1000000};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        AUTO_FREE char *value = malloc(sizes[i] + 1);
        AUTO_BUF struct buf b = BUF_INIT((size_t)4 << 20);
        assert_non_null(value);
        for (size_t k = 0; k < sizes[i]; k++)
            value[k] = (char)('a' + k % 26);
        value[sizes[i]] = '\0';
        buf_add_fmt(&b, "[s]\nk = %s\n  %s\nl = after\n", value, value);
        struct text t;
        open_text(&t, buf_text(&b));
        assert_null(t.document.problems);
        const struct document_key *k = t.document.sections->keys;
        assert_string_equal(k->pieces->text, value);
        assert_string_equal(k->pieces->next->text, value);
        assert_string_equal(k->next->name, "l");
        assert_int_equal(k->next->line, 4);
        close_text(&t);
    }
}

static void
names_up_to_255_bytes_arrive_whole(void **state)
{
    (void)state;
    for (size_t size = 40; size <= 256; size++) {
        char name[300], text[700];
        memset(name, 'n', size);
        name[size] = '\0';
        snprintf(text, sizeof text, "[%s]\n%s = v\n", name, name);
        struct text t;
        open_text(&t, text);
        if (size <= 255) {
            assert_null(t.document.problems);
            assert_string_equal(t.document.sections->title, name);
            assert_string_equal(t.document.sections->keys->name, name);
        } else {
            assert_string_equal(t.document.problems->text,
                                "the section's name is longer than 255 bytes; shorten it");
        }
        close_text(&t);
    }
}

static void
bytes_that_are_no_text_are_refused(void **state)
{
    static const char nul[] = "[s]\nk = a\0b\nl = v\n";
    (void)state;
    struct text t;
    open_bytes(&t, nul, sizeof nul - 1);
    assert_int_equal(t.document.problems->line, 2);
    assert_string_equal(t.document.problems->text, "the line holds a control character; remove it");
    assert_string_equal(t.document.sections->keys->name, "l");
    close_text(&t);
    check("[s]\nk = \xff\xfe\n", "[s] 1\n!2 [s] : the line is not UTF-8; save the file as UTF-8\n");
    check("[s]\nk = a\rb\n", "[s] 1\n!2 [s] : the line holds a control character; remove it\n");
    check("[s]\nk = \xc3\xa9\xe2\x82\xac\n", "[s] 1\nk=\xc3\xa9\xe2\x82\xac 2\n");
}

static void
lines_of_a_pem_text_that_are_not_indented_are_never_quoted(void **state)
{
    (void)state;
    check(
        "[s]\nkey = -----BEGIN RSA PRIVATE KEY-----\nMIIsecret\nabc=\n-----END RSA PRIVATE "
        "KEY-----\n"
        "l = v\n",
        "[s] 1\nkey=-----BEGIN RSA PRIVATE KEY----- 2\nl=v 6\n"
        "!3 [s] key: the lines of a PEM text must be indented; indent them, or write file:PATH\n");
    check(
        "[s]\nkey = -----BEGIN X-----\nMIIsecret=\n[t]\nk = v\n",
        "[s] 1\nkey=-----BEGIN X----- 2\n[t] 4\nk=v 5\n"
        "!3 [s] key: the lines of a PEM text must be indented; indent them, or write file:PATH\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_without_keys_are_kept),
        cmocka_unit_test(lines_are_counted_over_comments_and_blank_ones),
        cmocka_unit_test(byte_order_mark_and_crlf_are_taken_away),
        cmocka_unit_test(the_first_separator_counts),
        cmocka_unit_test(indented_lines_continue_the_value),
        cmocka_unit_test(a_semicolon_behind_a_blank_is_an_error),
        cmocka_unit_test(broken_lines_are_told_with_their_number),
        cmocka_unit_test(values_of_any_length_arrive_whole),
        cmocka_unit_test(names_up_to_255_bytes_arrive_whole),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(lines_of_a_pem_text_that_are_not_indented_are_never_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
