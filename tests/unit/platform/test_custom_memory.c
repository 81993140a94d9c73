/* Each allocation fails in turn: a platform of the program's own says out of memory, hands out nothing half
 * made, and loses nothing. */
#include "config.h"
#include "err.h"
#include "platform.h"

#include <gantry/platform.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Sanitizers bring their own allocator; there nothing fails, and what is left of this is a plain run. */
static size_t countdown; /* 0: nothing fails */
static bool tripped;
static long live; /* blocks that are allocated */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

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
#endif

enum { CONNECTORS = 3 };

static int
list(void *context, struct gantry_listing *listing)
{
    static const struct gantry_variable environment[] = {{"A", "1", 0, 0}, {"B", "secret", 1, 0}};
    static const char *const ids[CONNECTORS] = {"a", "b", "c"};
    (void)context;
    for (size_t i = 0; i < CONNECTORS; i++) {
        const struct gantry_desired d = {.size = sizeof d,
                                         .run = 1,
                                         .id = ids[i],
                                         .image = "i",
                                         .environment = environment,
                                         .environment_count = 2,
                                         .environment_stride = sizeof environment[0]};
        (void)gantry_listing_add(listing, &d); /* the listing fails though nobody looks */
    }
    return 0;
}

static int
report(void *context, const struct gantry_report *told)
{
    (void)context;
    return told->log_count == 2 ? 0 : GANTRY_E_INTERNAL;
}

static void
listed(void *context, int code, const struct gantry_error *error, struct platform_listing *listing,
       bool unchanged)
{
    int *out = context;
    (void)error;
    (void)unchanged;
    *out = code == 0 && listing->count != CONNECTORS ? GANTRY_E_INTERNAL : code;
    platform_listing_free(listing);
}

static void
configured(void *context, int code, const struct gantry_error *error,
           struct platform_configurations *c)
{
    int *out = context;
    (void)error;
    *out = code;
    for (size_t i = 0; code == 0 && i < c->count; i++)
        if (c->count != CONNECTORS || c->items[i].entry_count != 2)
            *out = GANTRY_E_INTERNAL;
    platform_configurations_free(c);
}

static void
reported(void *context, int code, const struct gantry_error *error)
{
    (void)error;
    *(int *)context = code;
}

static int
ask_all(struct platform *platform)
{
    static const char *const lines[] = {"one", "two"};
    const struct platform_report told = {
        .id = "a", .status = PLATFORM_STATUS_STARTED, .logs = lines, .log_count = 2};
    int code = 0;
    platform_list(platform, listed, &code);
    while (platform_step(platform))
        ;
    if (code == 0)
        platform_configure(platform, configured, &code);
    while (platform_step(platform))
        ;
    if (code == 0)
        platform_report(platform, &told, reported, &code);
    while (platform_step(platform))
        ;
    return code;
}

static int
run(void)
{
    static const struct config_platform settings = {.name = "p", .kind = CONFIG_PLATFORM_CUSTOM};
    static const struct gantry_platform program = {
        .size = sizeof program, .name = "p", .list = list, .report = report};
    const struct platform_context context = {
        .manager_id = "m", .manager_name = "Gantry", .custom = &program};
    struct platform *platform = NULL;
    int code = platform_new(&settings, &context, &platform, NULL);
    if (code == 0)
        code = ask_all(platform);
    platform_free(platform);
    return code;
}

static void
all_or_nothing(void **state)
{
    (void)state;
    size_t runs = 0;
    assert_int_equal(run(), 0); /* what OpenSSL makes once for all */
    do {
        tripped = false;
        long before = live;
        countdown = ++runs;
        int code = run();
        countdown = 0;
        if (live != before)
            fail_msg("allocation %zu: %ld blocks are lost", runs, live - before);
        if (tripped ? code == 0 : code != 0)
            fail_msg("allocation %zu: %d", runs, code);
    } while (tripped);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_or_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
