/* Each allocation fails in turn: what is being built stays as it was, and says so. */
#include "arena.h"
#include "buf.h"
#include "err.h"
#include "faults.h"
#include "file.h"
#include "log.h"
#include "map.h"
#include "secret.h"
#include "vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define FOLDER GANTRY_BINARY_DIR "/tests/support-alloc"

static int
fill_map(void *context, struct gantry_error **err)
{
    AUTO_MAP struct map m;
    int values[100];
    int rc = 0;
    (void)context;
    map_init(&m);
    for (size_t i = 0; i < ARRAY_LENGTH(values) && rc == 0; i++) {
        char key[16];
        void *old = values;
        (void)snprintf(key, sizeof key, "key-%zu", i);
        rc = map_set(&m, str_of(key), &values[i], &old);
        fault_assert(m.len == i + (rc == 0) && !old);
        fault_assert(map_find(&m, str_of(key)) == (rc == 0 ? &values[i] : NULL));
        fault_assert(i == 0 || map_find(&m, STR("key-0")) == values);
        if (rc == 0 && i % 7 == 6) { /* what is removed makes room by a rebuild */
            fault_assert(map_take(&m, str_of(key)) == &values[i]);
            rc = map_set(&m, str_of(key), &values[i], NULL);
        }
    }
    return rc < 0 ? err_nomem(err) : 0;
}

static int
fill_vec(void *context, struct gantry_error **err)
{
    VEC(size_t) v = VEC_INIT;
    bool full = false;
    (void)context;
    for (size_t i = 0; i < 300 && !full; i++) {
        size_t *slot = vec_push(&v);
        full = !slot;
        fault_assert(v.len == i + !full && (i == 0 || v.ptr[i - 1] == i - 1));
        if (slot)
            *slot = i;
    }
    vec_clear(&v);
    return full ? err_nomem(err) : 0;
}

static int
fill_arena(void *context, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    (void)context;
    arena_init(&arena, 0);
    for (size_t i = 0; i < 200; i++) {
        char *text = i % 50 == 49 ? arena_alloc(&arena, 100000)
                     : i % 2      ? arena_fmt(&arena, "text %zu", i)
                                  : arena_dup(&arena, STR("a text that is copied"));
        if (!text)
            return err_nomem(err);
        if (i == 120)
            arena_reset(&arena);
    }
    return 0;
}

static int
fill_buf(void *context, struct gantry_error **err)
{
    AUTO(buf_wipe) struct buf b = BUF_INIT(1 << 20);
    (void)context;
    for (int i = 0; i < 100; i++) {
        size_t before = b.len;
        buf_add_fmt(&b, "%d %s ", i, "text");
        buf_add_json(&b, STR("quote \" and \x01 and \xff"));
        buf_add_url(&b, STR("a b/\xc3\xa9"));
        fault_assert(b.len >= before && strlen(buf_text(&b)) == b.len);
    }
    fault_assert(buf_failed(&b) == 0 || buf_failed(&b) == GANTRY_E_NOMEM);
    char *text = buf_take(&b);
    fault_assert(text || buf_failed(&b) == GANTRY_E_NOMEM);
    int rc = text ? 0 : err_nomem(err);
    free(text);
    return rc;
}

static void
what_could_not_grow_has_what_it_had(void **state)
{
    (void)state;
    assert_true(fault_sweep("map", &(struct fault_sweep){.run = fill_map}) > 100);
    assert_true(fault_sweep("vec", &(struct fault_sweep){.run = fill_vec}) > 4);
    assert_true(fault_sweep("arena", &(struct fault_sweep){.run = fill_arena}) > 4);
    assert_true(fault_sweep("buf", &(struct fault_sweep){.run = fill_buf}) > 4);
}

/* The code always stays; the text may lose its context, or be that there is no memory. */
static int
wrap_error(void *context, struct gantry_error **err)
{
    (void)context;
    int rc = err_set(err, GANTRY_E_DENIED, "inner");
    rc = err_wrap(err, rc, "middle");
    return err_wrap(err, rc, "outer");
}

static int
move_error(void *context, struct gantry_error **err)
{
    AUTO_ERR struct gantry_error *mine = NULL;
    (void)context;
    int rc = err_set_errno(&mine, GANTRY_E_NOT_FOUND, 2, "cannot open");
    err_move(err, &mine);
    fault_assert(!mine);
    return rc;
}

static void
an_error_keeps_its_code(void **state)
{
    (void)state;
    assert_int_equal(fault_sweep("wrapping", &(struct fault_sweep){.run = wrap_error,
                                                                   .expected = GANTRY_E_DENIED}),
                     3);
    assert_int_equal(fault_sweep("moving", &(struct fault_sweep){.run = move_error,
                                                                 .expected = GANTRY_E_NOT_FOUND}),
                     1);
}

/* What was there stays, whole, until the new is whole. */
static int
write_and_read(void *context, struct gantry_error **err)
{
    char *text = NULL;
    size_t len = 99;
    (void)context;
    int rc = file_make_folder(FOLDER "/a/b", 0700, err);
    if (rc == 0)
        rc = file_write_atomic(FOLDER "/a/b/file", STR("content"), 0600, err);
    if (rc == 0)
        rc = file_read(FOLDER "/a/b/file", 100, &text, &len, err);
    fault_assert(rc == 0 ? len == 7 && strcmp(text, "content") == 0 : !text && len == 99);
    free(text);
    return rc;
}

static int
read_proc(void *context, struct gantry_error **err)
{
    char *text = NULL; /* a file whose size is not known before */
    (void)context;
    int rc = file_read("/proc/self/maps", 1 << 20, &text, NULL, err);
    fault_assert((rc == 0) == (text != NULL));
    free(text);
    return rc;
}

static int
read_missing(void *context, struct gantry_error **err)
{
    char *text = NULL;
    (void)context;
    int rc = file_read(FOLDER "/missing", 100, &text, NULL, err);
    fault_assert(!text);
    return rc;
}

static int
join(void *context, struct gantry_error **err)
{
    (void)context;
    char *joined = file_join("/base", "name"), *alone = file_join("/base", "/name");
    bool both = joined && alone;
    fault_assert(!both || (strcmp(joined, "/base/name") == 0 && strcmp(alone, "/name") == 0));
    free(joined);
    free(alone);
    return both ? 0 : err_nomem(err);
}

static void
a_file_is_read_and_written_whole_or_not_at_all(void **state)
{
    (void)state;
    /* That the folder is synced, too, is best effort. */
    fault_sweep("write and read",
                &(struct fault_sweep){.run = write_and_read, .tolerance = FAULT_TOLERATED});
    fault_sweep("/proc", &(struct fault_sweep){.run = read_proc});
    fault_sweep("missing",
                &(struct fault_sweep){.run = read_missing, .expected = GANTRY_E_NOT_FOUND});
    fault_sweep("join", &(struct fault_sweep){.run = join, .tolerance = FAULT_TOLERATED});
}

/* A line has all its fields, or says that they are lost. */
static void
check_line(void *context, enum log_level level, const char *line, size_t length)
{
    (void)level;
    fault_assert(
        strlen(line) == length && strstr(line, "an event") &&
        (strstr(line, "last\":true") || strstr(line, "last=true") || strstr(line, "fields_lost")));
    ++*(size_t *)context;
}

static int
write_log(void *context, struct gantry_error **err)
{
    size_t lines = 0;
    (void)context;
    (void)err;
    for (int format = LOG_TEXT; format <= LOG_JSON; format++) {
        struct log log;
        log_init(&log, LOG_DEBUG, (enum log_format)format, (struct log_sink){check_line, &lines});
        log_warn(&log, "an event", F_STR("long", "a text that is long enough for the line to grow"),
                 F_STR("quoted", "a \"b\" \n"), F_INT("n", 7), F_MS("took", 8), F_BOOL("last", 1));
        log_clear(&log);
    }
    fault_assert(lines == 2);
    return 0;
}

static int
keep_secret(void *context, struct gantry_error **err)
{
    AUTO_SECRET struct secret s = {0};
    (void)context;
    int rc = secret_set(&s, "first", 5);
    if (rc == 0) {
        rc = secret_set(&s, "second", 6);
        fault_assert(str_eq(secret_bytes(&s), rc == 0 ? STR("second") : STR("first")));
    }
    return rc < 0 ? err_nomem(err) : 0;
}

static void
a_line_or_a_secret_is_whole(void **state)
{
    (void)state;
    fault_sweep("log", &(struct fault_sweep){.run = write_log, .tolerance = FAULT_TOLERATED});
    fault_sweep("secret", &(struct fault_sweep){.run = keep_secret});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_not_grow_has_what_it_had),
        cmocka_unit_test(an_error_keeps_its_code),
        cmocka_unit_test(a_file_is_read_and_written_whole_or_not_at_all),
        cmocka_unit_test(a_line_or_a_secret_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
