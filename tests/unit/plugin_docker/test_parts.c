/* Texts, times, image references, pull streams, archives, settings. */
#include "endpoint.h"
#include "fake_engine.h"
#include "image.h"
#include "pull_stream.h"
#include "tar.h"
#include "times.h"

#include <string.h>

static void
text_remembers_its_first_failure(void **state)
{
    struct text text = TEXT(8);
    (void)state;
    text_add(&text, "12345678");
    assert_false(text.failed);
    text_add_char(&text, '9');
    text_add(&text, "");
    assert_true(text.failed);
    assert_string_equal(text_cstr(&text), "12345678");
    text_clear(&text);
}

static void
half_an_answer_is_no_answer(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool whole;
    } rows[] = {
        {"[]", 2, true},    {" {\"a\":1}\r\n\t ", 12, true},
        {"[]x", 3, false},  {"[] []", 5, false},
        {"[]\0", 3, false}, {"[1,", 3, false},
        {"", 0, false},     {"\n", 1, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        AUTO_TEXT text = TEXT(100);
        text_add_bytes(&text, rows[i].bytes, rows[i].size);
        AUTO_JSON value = json_parse(&text);
        if ((value != NULL) != rows[i].whole)
            fail_msg("row %zu: %s", i, rows[i].bytes);
    }
}

static void
text_is_written_for_json_urls_and_headers(void **state)
{
    AUTO_TEXT text = TEXT_SECRET(1000);
    (void)state;
    text_add_json(&text, "a\"b\\c\n\x01\xC3\xA9");
    assert_string_equal(text_cstr(&text), "\"a\\\"b\\\\c\\u000a\\u0001\xC3\xA9\"");
    text_reset(&text);
    text_add_url(&text, "a/b:c d~\xC3\xA9");
    assert_string_equal(text_cstr(&text), "a%2Fb%3Ac%20d~%C3%A9");
    static const char *const base64[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {">>>???~~~", "Pj4-Pz8_fn5-"}};
    for (size_t i = 0; i < sizeof base64 / sizeof base64[0]; i++) {
        text_reset(&text);
        text_add_base64url(&text, base64[i][0], strlen(base64[i][0]));
        assert_string_equal(text_cstr(&text), base64[i][1]);
    }
}

static void
only_well_formed_utf8_is_utf8(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xC0\x80",
                                      "\xC3",
                                      "\xE0\x80\x80",
                                      "\xED\xA0\x80",
                                      "\xF0\x80\x80\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xFF",
                                      "a\xE2\x82"};
    (void)state;
    assert_true(text_is_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x90\x8E"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bad[i]));
}

static void
message_becomes_one_line(void **state)
{
    char line[12];
    (void)state;
    text_one_line(line, sizeof line, "a\n\nb\tc.\n");
    assert_string_equal(line, "a b c");
    text_one_line(line, sizeof line, "1234567890\xC3\xA9z");
    assert_string_equal(line, "1234567890");
}

static void
times_are_read_to_the_nanosecond(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-21T09:28:14.696919364Z", INT64_C(1795253294696919364)},
        {"2024-02-29T23:59:59.5Z", INT64_C(1709251199500000000)},
        {"2024-02-29T23:59:59.5+01:30", INT64_C(1709245799500000000)},
    };
    static const char *const bad[] = {"0001-01-01T00:00:00Z", "",
                                      "2026-11-21",           "2026-11-21T09:28:14",
                                      "2026-13-21T09:28:14Z", "2026-11-21T09:28:14.Z",
                                      "x026-11-21T09:28:14Z", "2026-11-21T09:28:14Zx",
                                      "2026-11-21 09:28:14Z"};
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(time_parse(good[i].text, strlen(good[i].text), &ns));
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(time_parse(bad[i], strlen(bad[i]), &ns));
}

static void
image_always_has_a_tag_or_a_digest(void **state)
{
    static const char *const cases[][3] = {
        {"busybox", "busybox", "latest"},
        {"a/b:1.2", "a/b", "1.2"},
        {"host:5000/a/b", "host:5000/a/b", "latest"},
        {"host:5000/a/b:t", "host:5000/a/b", "t"},
        {"a/b@sha256:00ff", "a/b", "sha256:00ff"},
        {"host:5000/a/b:t@sha256:00ff", "host:5000/a/b", "sha256:00ff"},
    };
    static const char *const bad[] = {"", "sha256:0000", "a:", "a@", ":t", "@sha256:00"};
    struct image image;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(image_parse(cases[i][0], &image));
        assert_string_equal(image.name, cases[i][1]);
        assert_string_equal(image.select, cases[i][2]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(image_parse(bad[i], &image));
}

static void
pull_stream_adds_up_layers_and_finds_the_error(void **state)
{
    static const char lines[] =
        "{\"status\":\"Pulling from a/b\",\"id\":\"v1\"}\r\n"
        "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":10,\"total\":100},\"id\":"
        "\"aaa\"}\r\n"
        "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":5,\"total\":50},\"id\":"
        "\"bbb\"}\r\n"
        "{\"status\":\"Extracting\",\"progressDetail\":{\"current\":1,\"total\":999},\"id\":"
        "\"bbb\"}\r\n"
        "{\"status\":\"Download complete\",\"progressDetail\":{},\"id\":\"aaa\"}\r\n";
    struct pull_stream stream;
    (void)state;
    pull_stream_init(&stream);
    for (const char *at = lines; *at; at++)
        assert_int_equal(pull_stream_feed(&stream, at, 1), 0);
    assert_int_equal(stream.done, 105);
    assert_int_equal(stream.total, 150);
    assert_string_equal(stream.error, "");
    static const char error[] =
        "{\"errorDetail\":{\"message\":\"blob\\nunknown\"},\"error\":\"other\"}";
    assert_int_equal(pull_stream_feed(&stream, error, sizeof error - 1), 0);
    pull_stream_finish(&stream); /* it has no line end */
    assert_string_equal(stream.error, "blob unknown");
    pull_stream_clear(&stream);
}

static void
archive_paths_stay_where_they_belong(void **state)
{
    static const char *const bad[] = {"",        "/",      "a",     "/a/",  "/../a",
                                      "/a/../b", "/a/./b", "/a//b", "/a/.."};
    (void)state;
    assert_true(tar_path_is_good("/a/..b/c..d"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(tar_path_is_good(bad[i]));
}

/* ---- settings
 * ------------------------------------------------------------------------------------- */

static struct gantry_settings
settings_of(const struct gantry_value *values, uint32_t count)
{
    return (struct gantry_settings){.size = sizeof(struct gantry_settings),
                                    .count = count,
                                    .stride = sizeof *values,
                                    .values = values};
}

#define TEXT_VALUE(k, t)                                                                           \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .key = (k), .text = (t)                               \
    }
#define NUMBER_VALUE(k, n)                                                                         \
    {                                                                                              \
        .size = sizeof(struct gantry_value), .key = (k), .text = "", .number = (n)                 \
    }

static void
settings_become_a_host_config(void **state)
{
    static const char *const limits[] = {"nofile=10:20", "core=-1"};
    static const char *const sysctls[] = {"net.x=1=2"};
    const struct gantry_value values[] = {
        TEXT_VALUE("network_mode", "no\"ne"),
        NUMBER_VALUE("privileged", 0),
        {.size = sizeof values[0], .key = "ulimits", .text = "", .items = limits, .item_count = 2},
        {.size = sizeof values[0], .key = "sysctls", .text = "", .items = sysctls, .item_count = 1},
        NUMBER_VALUE("memory", 64000000),
        TEXT_VALUE("cpus", "1.25"),
    };
    struct gantry_settings settings = settings_of(values, 6);
    AUTO_TEXT json = TEXT(10000);
    char problem[200];
    (void)state;
    assert_true(engine_host_config(&json, &settings, "no", problem, sizeof problem));
    assert_string_equal(
        text_cstr(&json),
        "{\"RestartPolicy\":{\"Name\":\"no\"},\"NetworkMode\":\"no\\\"ne\",\"Privileged\":false,"
        "\"Sysctls\":{\"net.x\":\"1=2\"},"
        "\"Ulimits\":[{\"Name\":\"nofile\",\"Soft\":10,\"Hard\":20},{\"Name\":\"core\",\"Soft\":-1,"
        "\"Hard\":-1}],"
        "\"SecurityOpt\":[],\"Memory\":64000000,\"MemorySwap\":64000000,\"NanoCpus\":1250000000,"
        "\"LogConfig\":{\"Type\":\"json-file\",\"Config\":{\"max-size\":\"10000000\",\"max-file\":"
        "\"3\"}}}");
}

static void
wrong_settings_are_named(void **state)
{
    static const char *const limits[] = {"nofile=20:10"};
    const struct gantry_value values[] = {
        TEXT_VALUE("cpus", "1,5"),
        TEXT_VALUE("cpus", "0"),
        TEXT_VALUE("cpus", "99999999999999999999"),
        NUMBER_VALUE("log_max_files", 0),
        {.size = sizeof values[0], .key = "ulimits", .text = "", .items = limits, .item_count = 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct gantry_settings settings = settings_of(&values[i], 1);
        AUTO_TEXT json = TEXT(10000);
        char problem[200];
        assert_false(engine_host_config(&json, &settings, "no", problem, sizeof problem));
        assert_int_equal(strncmp(problem, values[i].key, strlen(values[i].key)), 0);
    }
}

static void
socket_says_where_the_engine_is(void **state)
{
    static const struct {
        const char *socket, *tls_verify, *base_url, *unix_socket;
        uint32_t insecure;
    } cases[] = {
        {NULL, NULL, "http://docker", "/var/run/docker.sock", 0},
        {"unix:///a/b", NULL, "http://docker", "/a/b", 0},
        {"tcp://h:1", NULL, "http://h:1", NULL, 0},
        {"tcp://h/", NULL, "http://h:2375", NULL, 0},
        {"tcp://h", "1", "https://h:2376", NULL, 0},
        {"tcp://h", "no", "https://h:2376", NULL, 1},
        {"tcp://[::1]", NULL, "http://[::1]:2375", NULL, 0},
        {"tcp://[::1]:9", NULL, "http://[::1]:9", NULL, 0},
        {"https://h", NULL, "https://h:2376", NULL, 0},
        {"ssh://h", NULL, NULL, NULL, 0},
        {"unix://a", NULL, NULL, NULL, 0},
        {"tcp://", NULL, NULL, NULL, 0},
        {"tcp://h/path", NULL, NULL, NULL, 0},
        {"tcp://user@h", NULL, NULL, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct gantry_value values[] = {TEXT_VALUE("socket", cases[i].socket),
                                              TEXT_VALUE("tls_verify", cases[i].tls_verify)};
        struct gantry_settings settings = settings_of(values, 2);
        struct engine engine = {0};
        char problem[600];
        int code = endpoint_read(&settings, &engine, problem, sizeof problem);
        assert_int_equal(code, cases[i].base_url ? 0 : GANTRY_E_INVALID);
        if (code == 0) {
            assert_string_equal(engine.base_url, cases[i].base_url);
            assert_int_equal(engine.tls.insecure, cases[i].insecure);
            assert_int_equal(engine.unix_socket != NULL, cases[i].unix_socket != NULL);
        }
        if (engine.unix_socket)
            assert_string_equal(engine.unix_socket, cases[i].unix_socket);
        endpoint_clear(&engine);
    }
}

static void
temporary_names_are_known_by_their_form(void **state)
{
    char name[ENGINE_NAME_MAX];
    (void)state;
    engine_name_make(name, "c1", ENGINE_NAME_NEW);
    assert_true(engine_name_has_form(name, "c1", ENGINE_NAME_NEW));
    assert_false(engine_name_has_form(name, "c", ENGINE_NAME_NEW));
    assert_false(engine_name_has_form("c1-new-12345", "c1", ENGINE_NAME_NEW));
    assert_false(engine_name_has_form("c1-new-12G4", "c1", ENGINE_NAME_NEW));
    assert_false(engine_name_has_form("c1", "c1", ENGINE_NAME_NEW));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_remembers_its_first_failure),
        cmocka_unit_test(text_is_written_for_json_urls_and_headers),
        cmocka_unit_test(half_an_answer_is_no_answer),
        cmocka_unit_test(only_well_formed_utf8_is_utf8),
        cmocka_unit_test(message_becomes_one_line),
        cmocka_unit_test(times_are_read_to_the_nanosecond),
        cmocka_unit_test(image_always_has_a_tag_or_a_digest),
        cmocka_unit_test(pull_stream_adds_up_layers_and_finds_the_error),
        cmocka_unit_test(archive_paths_stay_where_they_belong),
        cmocka_unit_test(settings_become_a_host_config),
        cmocka_unit_test(wrong_settings_are_named),
        cmocka_unit_test(socket_says_where_the_engine_is),
        cmocka_unit_test(temporary_names_are_known_by_their_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
