/* Each allocation fails in turn: the answer is out of memory, and nothing is lost or half-read. */
#include "config_test.h"

/* Sanitizers bring their own allocator; there nothing fails, and what is left of this is a plain
 * run. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

static size_t countdown; /* 0: nothing fails */
static bool tripped;
static long live; /* blocks that are allocated */

static void *
counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

static bool
fails(void)
{
    if (countdown == 0 || --countdown > 0)
        return false;
    tripped = true;
    return true;
}

void *
malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(n, size));
}

void *
realloc(void *old, size_t size)
{
    if (fails())
        return NULL;
    return old ? __libc_realloc(old, size) : counted(__libc_realloc(old, size));
}

void
free(void *memory)
{
    live -= memory != NULL;
    __libc_free(memory);
}
#else
static size_t countdown;
static bool tripped;
static long live;
#endif

static const struct gantry_setting settings[] = {
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_LIST,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "dns",
     .fallback = "1.1.1.1",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_SECRET,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "api_key",
     .environment = "API_KEY",
     .help = "x"},
};
static const struct gantry_plugin engine = {GANTRY_PLUGIN_HEAD, .name = "docker",
                                            GANTRY_SETTINGS(settings)};

static char *const variables[] = {
    (char *)(uintptr_t) "HOME=/h",
    (char *)(uintptr_t) "API_KEY=k",
    (char *)(uintptr_t) "GANTRY__MANAGER__INTERVAL=90s",
    (char *)(uintptr_t) "OPENCTI__LOGS_SCHEDULE=20",
    (char *)(uintptr_t) "OPENCTI__DAEMON__DOCKER__DNS=[\"8.8.8.8\"]",
    (char *)(uintptr_t) "GANTRY__CONNECTOR_X__IMAGE=i",
    NULL,
};

/* Everything once; returns the first failure. */
static int
run(const char *text)
{
    const struct config_options options = {
        .path = "test.ini", .text = text, .environment = variables, .default_plugin_path = "/p"};
    struct config *config = NULL;
    struct gantry_error *err = NULL;
    char *printed = NULL;
    int rc = config_read(&options, &config, &err);
    for (size_t i = 0; rc == 0 && i < config_backend_count(config); i++)
        rc = config_bind(config, i, &engine, &err);
    if (rc == 0)
        rc = config_finish(config, &err);
    if (rc == 0)
        rc = config_print(config, &printed, &err);
    free(printed);
    config_free(config);
    err_clear(&err);
    return rc;
}

static void
check_each(const char *text)
{
    size_t runs = 0;
    do {
        tripped = false;
        countdown = ++runs;
        long before = live;
        int rc = run(text);
        countdown = 0;
        if (live != before)
            fail_msg("allocation %zu: %ld blocks are lost", runs, live - before);
        if (rc != (tripped ? GANTRY_E_NOMEM : 0))
            fail_msg("allocation %zu: %d", runs, rc);
    } while (tripped);
}

static void
a_good_file_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    check_each("[manager]\nid = m\nkey = " PEM_INI
               "old_keys = env:API_KEY\n[platform opencti]\nurl = http://o\n"
               "token = t\nno_proxy = a, b\nproxy = http://u:p@h\n[backend docker]\n[connector "
               "c]\ndns = a\n");
}

static void
no_problem_is_lost(void **state)
{
    (void)state;
    check_each(
        "[manager]\nid = a b\ninterval = 10\nconcurrency = 0\nnope = 1\n[lgo]\n[platform opencti]\n"
        "url = x\nlogs_lines = many\nkind = opencty\n[backend docker]\npull_policy = "
        "x\n[http]\nbad\n");
}

static void
a_connector_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int rc;
    } cases[] = {
        {"[connector]\nimage = i\n[environment]\nA = b\n[environment_from]\nC = env:API_KEY\n", 0},
        {"[connector]\nimag = i\n[environment]\nA:B = b\n[environment_from]\nC = x\n",
         GANTRY_E_INVALID},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t runs = 0;
        do {
            long before = live;
            struct arena arena;
            struct config_connector out;
            struct gantry_error *err = NULL;
            arena_init(&arena, 0);
            tripped = false;
            countdown = ++runs;
            int rc = config_read_connector("x.ini", str_of(cases[i].text), variables, &arena, &out,
                                           &err);
            countdown = 0;
            err_clear(&err);
            arena_clear(&arena);
            if (live != before)
                fail_msg("case %zu, allocation %zu: %ld blocks are lost", i, runs, live - before);
            /* The last allocation is the error's own: its code stays, its text is out of memory. */
            if (rc != cases[i].rc && !(tripped && rc == GANTRY_E_NOMEM))
                fail_msg("case %zu, allocation %zu: %d", i, runs, rc);
            if (tripped && rc == 0)
                fail_msg("case %zu, allocation %zu: %d", i, runs, rc);
        } while (tripped);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(no_problem_is_lost),
        cmocka_unit_test(a_connector_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
