/* Settings that would leave workloads behind are refused, and where backends are is remembered. */
#include "drain_world.h"

#include <inttypes.h>

static void
read_state(const struct world *w, char text[TEXT_BYTES])
{
    char path[128];
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    FILE *f = fopen(path, "r");
    size_t size = f ? fread(text, 1, TEXT_BYTES - 1, f) : 0;
    text[size] = '\0';
    if (f)
        fclose(f);
}

static void
settings_that_leave_workloads_behind_are_refused(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    settings(w, QUICK, NEW); /* its section is gone */
    is_refused(w, GANTRY_RUN_ONCE, "[platform opencti] backend");
    is_refused(w, GANTRY_RUN_DAEMON, "backend 'old' (plugin scripted, place=a)");
    is_refused(w, GANTRY_RUN_DRY, "[platform opencti] backend");
    settings(w, QUICK, "[backend old]\nplugin = scripted\nplace = b\n"); /* it is elsewhere now */
    is_refused(w, GANTRY_RUN_ONCE, "[platform opencti] backend");
    settings(w, QUICK, "backend = new\n" OLD NEW); /* nothing uses it */
    is_refused(w, GANTRY_RUN_ONCE, "[backend old]");
    assert_int_equal(2, ON_OLD(NULL));
    settings(w, QUICK, OLD); /* as before */
    runs_well(w, GANTRY_RUN_ONCE);
    settings(w, QUICK, "[backend renamed]\nplugin = scripted\nplace = a\n");
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, scripted_count(NULL, -1));
    assert_int_equal(0, atomic_load(&scripted->starts));
}

static void
a_backend_under_another_address_is_known_by_what_it_has(void **state)
{
    struct world *w = *state;
    two_on_the_old_one(w);
    scripted_move("a", "b");
    settings(w, QUICK, "[backend old]\nplugin = scripted\nplace = b\n");
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, scripted_count(NULL, -1));
    settings(w, QUICK, OLD); /* and that is remembered */
    is_refused(w, GANTRY_RUN_ONCE, "[platform opencti] backend");
}

/* "without user" they would look the same. */
static void
what_differs_before_an_at_sign_is_another_place(void **state)
{
    struct world *w = *state;
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    settings(w, QUICK, "[backend old]\nplugin = scripted\nplace = one@x\n");
    runs_well(w, GANTRY_RUN_ONCE);
    settings(w, QUICK, "[backend old]\nplugin = scripted\nplace = two@x\n");
    is_refused(w, GANTRY_RUN_ONCE, "[platform opencti] backend");
    settings(w, QUICK, "[backend old]\nplugin = scripted\nplace = x:///run/one@x/s\n");
    is_refused(w, GANTRY_RUN_ONCE, "place=one@x");
}

static void
an_unfinished_move_is_not_another_address(void **state)
{
    struct world *w = *state;
    static const char turned[] = "[backend old]\nplugin = scripted\nplace = b\n";
    two_on_the_old_one(w);
    settings(w, QUICK,
             "[backend old]\nplugin = scripted\nplace = b\n"
             "[backend before]\nplugin = scripted\nplace = a\ndrain = yes\n");
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, ON_NEW(NULL) == 2));
    end(w);
    assert_int_equal(2, ON_OLD(NULL));
    settings(w, QUICK, turned); /* both are called "old", and have the same platform's */
    is_refused(w, GANTRY_RUN_ONCE, "[platform opencti] backend");
}

static void
the_backend_itself_is_asked_where_it_can_be(void **state)
{
    struct world *w = *state;
    char path[128];
    two_on_the_old_one(w);
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    settings(w, QUICK, "backend = new\n" OLD NEW);
    assert_int_equal(0, unlink(path)); /* what may be lost is lost */
    is_refused(w, GANTRY_RUN_ONCE, "[backend old]");
    settings(w, QUICK, OLD);
    runs_well(w, GANTRY_RUN_ONCE); /* it is remembered again */
    settings(w, QUICK, "backend = new\n" OLD NEW);
    atomic_store(&scripted->only_place, "a");
    atomic_store(&scripted->list_fails, 2);
    is_refused(w, GANTRY_RUN_ONCE, "[backend old]"); /* S1 */
    atomic_store(&scripted->list_fails, 0);
    scripted_vanish("a");
    scripted_vanish("b"); /* somebody has cleaned up by hand */
    runs_well(w, GANTRY_RUN_ONCE);
    assert_int_equal(2, ON_NEW(NULL));
}

static void
a_place_is_remembered_before_anything_is_made_there_and_without_secrets(void **state)
{
    struct world *w = *state;
    char text[TEXT_BYTES];
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    settings(w, QUICK,
             "[backend old]\nplugin = scripted\nplace = x://jo:pw@a\npassword = hidden\n");
    atomic_store(&scripted->start_ms, 1000);
    begin(w, GANTRY_RUN_DAEMON);
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->inside) == 1));
    read_state(w, text);
    assert_non_null(strstr(text,
                           "\"backends\":[{\"name\":\"old\",\"plugin\":\"scripted\",\"place\":"
                           "\"place=x://a\",\"platforms\":[\"opencti\"]}]"));
    assert_null(strstr(text, "pw"));
    assert_null(strstr(text, "hidden"));
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, RUNNING) == 1));
    fake_set(&w->fake, w->fake.listing, LISTED(""));
    assert_true(WITHIN(COMES_MS, scripted_count(NULL, -1) == 0));
    int lists =
        atomic_load(&scripted->lists); /* one of those that follow shows none, and is taken in */
    assert_true(WITHIN(COMES_MS, atomic_load(&scripted->lists) > lists + 2));
    end(w);
    read_state(w, text);
    assert_non_null(strstr(text, "\"backends\":[]"));
}

#define FETCHED(plugin, place)                                                                     \
    "{\"image\":\"i:1\",\"digest\":\"sha256:" place                                                \
    "\",\"platform\":\"opencti\",\"connector\":\"gone\","                                          \
    "\"plugin\":\"" plugin "\",\"place\":\"%" PRIu64 "\",\"at_ms\":1}"

/* S2: an image may be removed on the engine alone that it was fetched on. */
static void
fetched_images_are_known_by_the_place_that_they_are_on(void **state)
{
    struct world *w = *state;
    char text[TEXT_BYTES], path[128];
    settings(w, QUICK, OLD);
    runs_well(w, GANTRY_RUN_ONCE);
    snprintf(path, sizeof path, "%s/state/state.json", w->home);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "{\"manager\":\"m\",\"platforms\":{},\"images\":{\"old\":[" FETCHED(
                "scripted", "a") "," FETCHED("other", "b") "]}}",
            text_digest("place=a"), text_digest("place=b"));
    assert_int_equal(0, fclose(f));
    settings(w, QUICK,
             "[backend old]\nplugin = scripted\nplace = b\n"
             "[backend before]\nplugin = scripted\nplace = a\ndrain = yes\n");
    fake_set(&w->fake, w->fake.listing, LISTED(CONNECTOR("a", "aa", "starting", "null")));
    fake_set(&w->fake, w->fake.configurations, LISTED(CONFIGURED("a", "aa")));
    runs_well(w, GANTRY_RUN_ONCE);
    read_state(w, text);
    assert_non_null(strstr(text, "\"old\":[]"));
    assert_non_null(strstr(text, "\"before\":[{\"image\":\"i:1\",\"digest\":\"sha256:a\""));
    assert_null(strstr(text, "sha256:b"));
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(settings_that_leave_workloads_behind_are_refused),
        T(a_backend_under_another_address_is_known_by_what_it_has),
        T(what_differs_before_an_at_sign_is_another_place),
        T(an_unfinished_move_is_not_another_address),
        T(the_backend_itself_is_asked_where_it_can_be),
        T(a_place_is_remembered_before_anything_is_made_there_and_without_secrets),
        T(fetched_images_are_known_by_the_place_that_they_are_on),
    };
    if (!find_plugin())
        return 77; /* skipped: the plugin is not built */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
