/* Names of images, and the words by which a registry asks for a pause. */
#include "engine.h"
#include "image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
names_of_one_image_are_the_same(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"busybox", "docker.io/library/busybox:latest", true},
        {"opencti/a:1", "index.docker.io/opencti/a:1", true},
        {"r.example:5000/a:1", "r.example:5000/a:1", true},
        {"r.example:5000/a:1", "r.example:5000/a:2", false},
        {"r.example/a:1", "a:1", false},
        {"a@sha256:00", "a:1@sha256:00", true},
        {"a:1", "a:1@sha256:00", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(image_same(cases[i].one, cases[i].other), cases[i].same);
}

static void
registry_of_an_image_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"busybox:1", "docker.io"},
        {"opencti/a:1", "docker.io"},
        {"localhost/a", "localhost"},
        {"localhostel/a", "docker.io"},
        {"r.example:5000/a/b", "r.example:5000"},
        {"r:1/a", "r:1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length;
        const char *host = image_registry(cases[i][0], &length);
        assert_int_equal(length, strlen(cases[i][1]));
        assert_memory_equal(host, cases[i][1], length);
    }
}

static void
digest_is_that_of_the_references_repository(void **state)
{
    (void)state;
    AUTO_JSON answer =
        cJSON_Parse("{\"RepoDigests\":[\"other/a@sha256:11\",\"busybox@sha256:22\"]}");
    assert_string_equal(image_digest(answer, "docker.io/library/busybox:1"), "sha256:22");
    assert_string_equal(image_digest(answer, "other/a:7"), "sha256:11");
    assert_null(image_digest(answer, "r.example/busybox:1"));
    assert_null(image_digest(answer, "sha256:22"));
}

static void
pause_is_found_in_the_words(void **state)
{
    static const struct {
        const char *words;
        int64_t least, most;
    } cases[] = {
        {"toomanyrequests: retry-after: 1.5s, allowed: 3/minute", 1500, 1501},
        {"toomanyrequests: Retry-After: 891.351\xc2\xb5s, allowed: 44000/minute", 1, 1},
        {"retry-after: 1m30s", 90000, 90001},
        {"retry-after=30", 30000, 30001},
        {"retry-after: 2ms", 2, 3},
        {"retry-after: soon", 0, 0},
        {"retry-after: 99999999999999999999999h", INT64_C(7) * 86400000, INT64_C(7) * 86400000},
        {"toomanyrequests: you have reached your pull rate limit", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_in_range(engine_pause_of_words(cases[i].words), cases[i].least, cases[i].most);
}

static void
pause_of_a_header_is_seconds_or_a_date(void **state)
{
    const int64_t now_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    (void)state;
    assert_in_range(engine_pause_of_header("120", now_s), 120000, 120001);
    assert_in_range(engine_pause_of_header(" 0", now_s), 0, 0);
    assert_in_range(engine_pause_of_header("Sun, 06 Nov 1994 08:50:37 GMT", now_s), 60000, 60001);
    assert_in_range(engine_pause_of_header("Sun, 06 Nov 1994 08:48:37 GMT", now_s), 0, 0);
    assert_in_range(engine_pause_of_header("tomorrow", now_s), 0, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_one_image_are_the_same),
        cmocka_unit_test(registry_of_an_image_is_named),
        cmocka_unit_test(digest_is_that_of_the_references_repository),
        cmocka_unit_test(pause_is_found_in_the_words),
        cmocka_unit_test(pause_of_a_header_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
