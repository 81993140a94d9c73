/* Command lines, and limits as they are written. */
#include "ulimits.h"
#include "words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void
line_is_split_as_a_shell_does_it(void **state)
{
    static const struct {
        const char *line, *words; /* joined by | */
    } rows[] = {
        {"/bin/sh", "/bin/sh"},
        {"  a \t b\n", "a|b"},
        {"a 'b c' \"d e\"", "a|b c|d e"},
        {"a'b'\"c\"d", "abcd"},
        {"a '' \"\"", "a||"},
        {"a\\ b \\' \\\\", "a b|'|\\"},
        {"'a\\b' \"a\\b\\\"\\\\\"", "a\\b|a\\b\"\\"},
        {"echo $HOME * ~ | x > y", "echo|$HOME|*|~|||x|>|y"},
        {"a=b --c=\"d e\"", "a=b|--c=d e"},
        {"\xC3\xA9 '\xE2\x82\xAC'", "\xC3\xA9|\xE2\x82\xAC"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT words = TEXT(1000), joined = TEXT(1000);
        size_t count;
        assert_null(words_split(rows[i].line, &words, &count));
        const char *at = words.data;
        for (size_t word = 0; word < count; word++, at += strlen(at) + 1) {
            text_add(&joined, word ? "|" : "");
            text_add(&joined, at);
        }
        assert_ptr_equal(at, words.data + words.size);
        assert_string_equal(text_cstr(&joined), rows[i].words);
    }
}

static void
line_that_is_no_command_is_refused(void **state)
{
    static const char *const lines[] = {"", "  ", "'a", "a \"b", "a\\", "\"a\\\"", "'"};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        AUTO_TEXT words = TEXT(1000);
        size_t count;
        assert_non_null(words_split(lines[i], &words, &count));
    }
    AUTO_TEXT small = TEXT(3);
    size_t count;
    assert_string_equal(words_split("abcdef", &small, &count), "it is too long");
}

static void
limits_are_checked(void **state)
{
    static const char *const good[] = {"nofile=1", "nofile=1:2", "core=0", "nproc=-1", "as=5:-1"};
    static const char *const bad[] = {
        "",        "nofile", "nofile=",   "nofile=a", "nofile=2:1", "nofile=1:2:3",
        "files=1", "=1",     "nproc=-1:5"};
    char problem[200];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(ulimit_check(good[i], problem, sizeof problem));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(ulimit_check(bad[i], problem, sizeof problem));
        assert_non_null(strstr(problem, "nofile=1024:4096"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_is_split_as_a_shell_does_it),
        cmocka_unit_test(line_that_is_no_command_is_refused),
        cmocka_unit_test(limits_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
