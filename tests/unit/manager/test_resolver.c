/* A resolver that hangs holds up nobody. */
#include "scripted_world.h"

static atomic_int resolver_ms, resolver_asked;
static int (*real_getaddrinfo)(const char *, const char *, const struct addrinfo *,
                               struct addrinfo **);
__attribute__((visibility("default"))) int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **out)
{
    if (node && strcmp(node, "nobody.invalid") == 0) {
        atomic_fetch_add(&resolver_asked, 1);
        (void)poll(NULL, 0, atomic_load(&resolver_ms));
        return EAI_AGAIN;
    }
    return real_getaddrinfo(node, service, hints, out);
}

static void
a_resolver_that_hangs_does_not_hold_up_the_end(void **state)
{
    struct world *w = *state;
    settle_on(w, "");
    add_settings(w, "[platform opencti]\nurl = http://nobody.invalid\ntoken = t\nproxy = none\n"
                    "[backend scripted]\n");
    atomic_store(&resolver_ms, 10000);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&resolver_asked) > 0));
    int64_t began = clock_mono_ms();
    end(w);
    print_message("ended in %lld ms\n", (long long)(clock_mono_ms() - began));
    assert_true(clock_mono_ms() - began < 5000);
}

static void
a_resolver_that_hangs_does_not_hold_up_others(void **state)
{
    struct world *w = *state;
    settle_on(w, "interval = 100ms");
    add_settings(w,
                 "[platform opencti]\nurl = http://nobody.invalid\ntoken = t\nproxy = none\n"
                 "connect_timeout = 500ms\nrequest_timeout = 500ms\nlist_timeout = 500ms\n"
                 "[platform local]\npath = %s\n[backend scripted]\n",
                 w->folder);
    atomic_store(&resolver_ms, 6000);
    int asked = atomic_load(&resolver_asked);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&resolver_asked) > asked));
    pause_ms(1500);
    write_connector(w, "a", "i", "starting");
    int64_t began = clock_mono_ms();
    (void)WITHIN(COMES_MS, scripted_count("a", GANTRY_STATE_RUNNING) == 1);
    int64_t took = clock_mono_ms() - began;
    print_message("a connector of another platform runs after %lld ms\n", (long long)took);
    assert_true(took < 1500);
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_resolver_that_hangs_does_not_hold_up_the_end),
        T(a_resolver_that_hangs_does_not_hold_up_others),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    *(void **)&real_getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
