/* config_test.h - what the tests of this room share: read a text, compare what was told. */
#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H

/* Before cmocka.h, whose macro fail() would get into plugin.h. */
#include "buf.h"
#include "config.h"
#include "err.h"
#include "file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Read a text as if it stood in test.ini.  variables: "NAME=VALUE", NULL at the end; may be NULL.
 */
static inline struct config *
read_text(const char *text, const char *const *variables)
{
    static char *const none[] = {(char *)(uintptr_t) "HOME=/home/test", NULL};
    struct config_options options = {
        .path = text ? "test.ini" : NULL,
        .text = text,
        .environment = variables ? (char *const *)(uintptr_t)variables : none,
        .default_plugin_path = "/opt/plugins",
    };
    struct config *config = NULL;
    struct gantry_error *err = NULL;
    int rc = config_read(&options, &config, &err);
    if (rc < 0)
        fail_msg("config_read: %s", err_text(err));
    return config;
}

static inline void
join_lines(struct buf *b, const struct config *config, size_t count,
           const char *(*line)(const struct config *, size_t))
{
    for (size_t i = 0; i < count; i++)
        buf_add_fmt(b, "%s\n", line(config, i));
}

/* The first line that differs, and where. */
static inline void
fail_lines(const char *actual, const char *expected)
{
    for (unsigned line = 1; *actual || *expected; line++) {
        size_t a = strcspn(actual, "\n"), e = strcspn(expected, "\n");
        if (a != e || memcmp(actual, expected, a) != 0)
            fail_msg("line %u\n  is      : %.*s\n  expected: %.*s", line, (int)a, actual, (int)e,
                     expected);
        actual += a + (actual[a] == '\n');
        expected += e + (expected[e] == '\n');
    }
}

/* Compare whole texts. */
static inline void
assert_lines(const struct buf *b, const char *expected)
{
    if (strcmp(buf_text(b), expected) != 0)
        fail_lines(buf_text(b), expected);
}

/* All problems, a line each. */
static inline void
assert_problems(const struct config *config, const char *expected)
{
    AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
    join_lines(&b, config, config_problem_count(config), config_problem);
    assert_lines(&b, expected);
}

static inline void
assert_warnings(const struct config *config, const char *expected)
{
    AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
    join_lines(&b, config, config_warning_count(config), config_warning);
    assert_lines(&b, expected);
}

/* Read a text and compare its problems. */
static inline void
check_text(const char *text, const char *expected)
{
    struct config *config = read_text(text, NULL);
    assert_problems(config, expected);
    config_free(config);
}

/* A folder of its own for a test's files; the caller removes nothing, the build folder is its home.
 */
static inline void
write_file(const char *path, const char *text, mode_t mode)
{
    struct gantry_error *err = NULL;
    unlink(path);
    if (file_write_atomic(path, str_of(text), mode, &err) < 0)
        fail_msg("%s", err_text(err));
    assert_int_equal(chmod(path, mode), 0);
}

#define PEM     "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
#define PEM_INI "-----BEGIN PRIVATE KEY-----\n  MIIB\n  -----END PRIVATE KEY-----\n"

/* The smallest good file, without a manager's section: lines 1 to 4. */
#define SMALLEST "[platform local]\npath = /connectors\n[backend docker]\n\n"
/* The smallest with OpenCTI: seven keys' lines, ten lines in all. */
#define OPENCTI                                                                                    \
    "[manager]\nid = m1\nkey = " PEM_INI "[platform opencti]\nurl = https://octi/\ntoken = t0\n"   \
    "[backend docker]\n"

#endif
