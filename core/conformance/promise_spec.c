/* promise_spec.c - what arrives of a spec: its name, its environment, its files. */
#include "conformance_internal.h"

#include "buf.h"
#include "crypto.h"

#include <inttypes.h>
#include <stdio.h>

/* "KEY=MODE SHA256", as workload.sh prints it; mode "": a variable's, which has none.  NULL: memory ran out. */
static const char *
line_of(struct kit *kit, const char *key, const char *mode, const void *bytes, size_t size)
{
    char digest[65];
    if (crypto_sha256_hex((struct str){bytes, size}, digest) < 0)
        return NULL;
    return arena_fmt(&kit->arena, "%s=%s%s", key, mode, digest);
}

/* ---- what the workload says ----------------------------------------------------------------------- */

static bool
has_line(const struct kit_answer *a, const char *expected)
{
    struct str text = str_of(expected);
    for (size_t i = 0; i < a->line_count; i++)
        if (str_eq((struct str){a->lines[i].text, (size_t)a->lines[i].text_size}, text))
            return true;
    return false;
}

/* The line that begins like this one, to be shown. */
static const char *
find_like(struct kit *kit, const struct kit_answer *a, const char *expected)
{
    size_t n = strcspn(expected, "=");
    for (size_t i = 0; i < a->line_count; i++)
        if (a->lines[i].text_size > n && memcmp(a->lines[i].text, expected, n) == 0)
            return arena_dup(&kit->arena,
                             (struct str){a->lines[i].text, (size_t)a->lines[i].text_size});
    return NULL;
}

/* Wait until its log has all of these lines; the last one comes last. */
static int
expect_lines(struct kit *kit, const char *handle, const char *const *expected, size_t count)
{
    const struct gantry_log_limits limits = {.size = sizeof limits,
                                             .max_lines = 1000,
                                             .max_bytes = (uint64_t)1 << 20,
                                             .max_line_bytes = 16384};
    int64_t until_ms = clock_mono_ms() + kit_patience_ms(kit);
    struct kit_answer a;
    do {
        kit_pause(kit);
        a = kit_logs(kit, handle, NULL, &limits, NULL);
        if (a.code == GANTRY_E_UNSUPPORTED)
            return kit_not_offered(kit, "what arrives is read from the log, and it has no logs");
        KIT_CHECK(kit_expect_ok(kit, "logs()", &a));
    } while (!has_line(&a, "done=") && clock_mono_ms() < until_ms);
    for (size_t i = 0; i < count; i++)
        if (!has_line(&a, expected[i])) {
            const char *like = find_like(kit, &a, expected[i]);
            return kit_broken(kit, "the workload should say '%s', and says '%s'", expected[i],
                              like ? like : "nothing of it");
        }
    return KIT_OK;
}

/* Start it; where it obeys, it says what has arrived. */
static int
run_and_read(struct kit *kit, const struct kit_connector *c, const char *const *expected,
             size_t count)
{
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    if (a.code == GANTRY_E_UNSUPPORTED)
        return kit_not_offered(kit, "start() says: %s", a.text);
    KIT_CHECK(kit_expect_ok(kit, "start()", &a));
    KIT_CHECK(kit_await(kit, a.status.handle, 1U << GANTRY_STATE_RUNNING, NULL));
    KIT_CHECK(kit_needs_workload(kit));
    return expect_lines(kit, a.status.handle, expected, count);
}

/* ---- names ---------------------------------------------------------------------------------------- */

int
kit_try_spec_longest_name(struct kit *kit)
{
    struct kit_connector *c = kit_connector(kit);
    char name[64];
    const char *handle;
    if (!c)
        return KIT_BROKEN;
    int n = snprintf(name, sizeof name, "%s-", c->name);
    memset(name + n, 'x', sizeof name - 1 - (size_t)n);
    name[63] = '\0';
    c->name = name;
    KIT_CHECK(kit_run(kit, c, &handle));
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    if (!text_eq(a.status.name, name))
        return kit_broken(kit, "its name is '%s', and the spec says '%s'", a.status.name, name);
    KIT_CHECK(kit_change(kit, c));
    a = kit_start(kit, c, handle, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "a replace", &a));
    const char *now = a.status.handle;
    if (!text_eq(now, handle)) {
        a = kit_remove(kit, handle, c, NULL);
        KIT_CHECK(kit_expect_ok(kit, "remove() of the old one", &a));
    }
    a = kit_inspect(kit, now, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect()", &a));
    return text_eq(a.status.name, name)
               ? KIT_OK
               : kit_broken(kit, "after a replace its name is '%s'", a.status.name);
}

/* ---- the environment ------------------------------------------------------------------------------ */

/* A program that says of each variable what arrived, and what it then says. */
static int
expect_variables(struct kit *kit, const struct gantry_variable *variables, uint32_t count)
{
    struct kit_connector *c = kit_connector(kit);
    const char **expected = arena_alloc_array(&kit->arena, count + (size_t)1, sizeof *expected);
    AUTO_BUF struct buf program = BUF_INIT(65536);
    if (!c || !expected)
        return kit_broken(kit, "the kit ran out of memory");
    for (uint32_t i = 0; i < count; i++) {
        buf_add_fmt(&program, "env %s; ", variables[i].key);
        expected[i] =
            line_of(kit, variables[i].key, "", variables[i].value, strlen(variables[i].value));
        if (!expected[i])
            return kit_broken(kit, "the kit ran out of memory");
    }
    buf_add_text(&program, "env done; wait");
    c->program = buf_failed(&program) ? NULL : arena_dup(&kit->arena, buf_view(&program));
    c->environment = variables;
    c->environment_count = count;
    return c->program ? run_and_read(kit, c, expected, count)
                      : kit_broken(kit, "the kit ran out of memory");
}

int
kit_try_spec_environment_arrives(struct kit *kit)
{
    static const struct gantry_variable variables[] = {
        {"KIT_EMPTY", "", 0, 0},
        {"KIT_PLAIN", "plain", 0, 0},
        {"KIT_EQUALS", "a=b==c=", 0, 0},
        {"KIT_BLANKS", "  two  words\t", 0, 0},
        {"KIT_QUOTES", "\"double\" 'single' `back` $HOME ${x} $$ \\ %s #", 0, 0},
        {"KIT_LINES", "one\ntwo\r\n\nfour\n", 0, 0},
        {"KIT_UTF8", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80", 0, 0},
        {"KIT_JSON", "{\"a\": [1, \"\\n\"]}", 0, 0},
        {"KIT_CONTROL", "\x01\x1b[1m\x7f", 0, 0},
        {"KIT_SECRET", "hunter2 is no secret", 1, 0},
        {"kit_lower_1", "lower", 0, 0},
    };
    return expect_variables(kit, variables, ARRAY_LENGTH(variables));
}

#define LARGE_COUNT 9
#define LARGE_BYTES 120000 /* one variable has to stay below 128 KiB: the kernel's limit */

int
kit_try_spec_large_environment_arrives(struct kit *kit)
{
    struct gantry_variable *variables =
        arena_alloc_array(&kit->arena, LARGE_COUNT, sizeof *variables);
    for (uint32_t i = 0; variables && i < LARGE_COUNT; i++) {
        char *value = arena_alloc(&kit->arena, LARGE_BYTES + 1);
        const char *key = arena_fmt(&kit->arena, "KIT_LARGE_%" PRIu32, i);
        for (uint32_t at = 0; value && at < LARGE_BYTES; at++)
            value[at] = (char)('a' + (at * 7 + at / 26 + i) % 26);
        if (!value || !key)
            return kit_broken(kit, "the kit ran out of memory");
        variables[i] = (struct gantry_variable){.key = key, .value = value};
    }
    return variables ? expect_variables(kit, variables, LARGE_COUNT)
                     : kit_broken(kit, "the kit ran out of memory");
}

/* ---- files ---------------------------------------------------------------------------------------- */

#define FILE_BYTES 100000

/* Where a workload has no file system of its own, a variable that names a file's path names where the file is. */
static int
expect_files(struct kit *kit, const struct gantry_variable *variables,
             const struct gantry_file *files, uint32_t count)
{
    KIT_CHECK(kit_needs_workload(kit));
    struct kit_connector *c = kit_connector(kit);
    const char **expected = arena_alloc_array(&kit->arena, count, sizeof *expected);
    AUTO_BUF struct buf program = BUF_INIT(4096);
    for (uint32_t i = 0; expected && i < count; i++) {
        buf_add_fmt(&program, "file_of %s; ", variables[i].key);
        char mode[16];
        snprintf(mode, sizeof mode, "%o ", files[i].mode);
        expected[i] =
            line_of(kit, variables[i].key, mode, files[i].bytes, (size_t)files[i].bytes_size);
        if (!expected[i])
            return kit_broken(kit, "the kit ran out of memory");
    }
    buf_add_text(&program, "env done; wait");
    if (!c || !expected || buf_failed(&program))
        return kit_broken(kit, "the kit ran out of memory");
    c->program = arena_dup(&kit->arena, buf_view(&program));
    c->environment = variables;
    c->environment_count = count;
    c->files = files;
    c->file_count = count;
    return c->program ? run_and_read(kit, c, expected, count)
                      : kit_broken(kit, "the kit ran out of memory");
}

int
kit_try_spec_files_arrive(struct kit *kit)
{
    static const struct gantry_variable variables[] = {
        {"KIT_LARGE", "/tmp/gantry-kit/large", 0, 0},
        {"KIT_SCRIPT", "/tmp/gantry-kit/script", 0, 0},
        {"KIT_PRIVATE", "/tmp/gantry-kit-private", 0, 0},
    };
    unsigned char *bytes = arena_alloc(&kit->arena, FILE_BYTES);
    if (!bytes)
        return kit_broken(kit, "the kit ran out of memory");
    for (size_t i = 0; i < FILE_BYTES; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 256);
    const struct gantry_file files[] = {
        {variables[0].value, bytes, FILE_BYTES, 0444, 0},
        {variables[1].value, "#!/bin/sh\n", 10, 0755, 0},
        {variables[2].value, "hunter2", 7, 0400, 1},
    };
    return expect_files(kit, variables, files, ARRAY_LENGTH(files));
}

int
kit_try_spec_empty_file_arrives(struct kit *kit)
{
    static const struct gantry_variable variable = {"KIT_NOTHING", "/tmp/gantry-kit-nothing", 0, 0};
    const struct gantry_file file = {variable.value, "", 0, 0644, 0};
    return expect_files(kit, &variable, &file, 1);
}
