/* Secrets: where they come from, and that they are never shown. */
#include "config_test.h"

#define FOLDER GANTRY_BINARY_DIR "/tests/config-secrets"
#define TOKEN  "TOPSECRETTOKEN"

static int
make_folder(void **state)
{
    (void)state;
    return file_make_folder(FOLDER, 0700, NULL);
}

static struct config *
read_path(const char *path, const char *const *variables)
{
    struct config_options options = {.path = path,
                                     .environment = (char *const *)(uintptr_t)variables};
    struct config *config = NULL;
    struct gantry_error *err = NULL;
    if (config_read(&options, &config, &err) < 0)
        fail_msg("%s", err_text(err));
    return config;
}

static const char *const variables[] = {"HOME=/h", "TOKEN_VARIABLE=" TOKEN, "EMPTY=", NULL};

static void
references_are_resolved_relative_to_the_file(void **state)
{
    (void)state;
    write_file(FOLDER "/key.pem", PEM, 0600);
    write_file(FOLDER "/old.pem", PEM, 0600);
    write_file(FOLDER "/token", TOKEN "\n", 0644);
    write_file(
        FOLDER "/g.ini",
        "[manager]\nid = m\nkey = file:key.pem\nold_keys = file:old.pem, file:" FOLDER "/key.pem\n"
        "[platform opencti]\nurl = http://o\ntoken = file:token\n[platform p2]\nkind = opencti\n"
        "url = http://p\ntoken = env:TOKEN_VARIABLE\nca_file = ca.pem\n[backend docker]\n",
        0644);
    struct config *config = read_path(FOLDER "/g.ini", variables);
    assert_problems(config, "");
    assert_warnings(config, "");
    const struct config_manager *m = config_manager(config);
    assert_string_equal(m->key_origin, "file '" FOLDER "/key.pem'");
    assert_int_equal(m->old_key_count, 2);
    assert_string_equal(m->old_key_origins[0], "file '" FOLDER "/old.pem'");
    assert_non_null(strstr(secret_bytes(&m->old_keys[1]).ptr, "BEGIN"));
    assert_string_equal(secret_bytes(config_platform(config, 0)->token).ptr, TOKEN);
    assert_string_equal(secret_bytes(config_platform(config, 1)->token).ptr, TOKEN);
    assert_string_equal(config_platform(config, 1)->ca_file, FOLDER "/ca.pem");
    config_free(config);
}

static void
only_the_last_newline_is_dropped(void **state)
{
    static const struct {
        const char *written, *read;
    } cases[] = {{"a", "a"},       {"a\n", "a"},   {"a\r\n", "a"},
                 {"a\n\n", "a\n"}, {" a ", " a "}, {"a ;b", "a ;b"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        write_file(FOLDER "/p", cases[i].written, 0600);
        write_file(FOLDER "/g.ini", SMALLEST "[registry r.x]\nusername = u\npassword = file:p\n",
                   0600);
        struct config *config = read_path(FOLDER "/g.ini", variables);
        assert_problems(config, "");
        assert_string_equal(secret_bytes(config_registry_for(config, "r.x/a")->password).ptr,
                            cases[i].read);
        config_free(config);
    }
}

static void
references_that_fail_say_what_to_do(void **state)
{
    static char big[70000];
    (void)state;
    memset(big, 'x', sizeof big - 1);
    write_file(FOLDER "/big", big, 0600);
    write_file(FOLDER "/empty", "\n", 0600);
    write_file(FOLDER "/g.ini",
               "[manager]\nid = m\nkey = file:none\nkey_passphrase = file:\nold_keys = file:big, "
               "env:NONE\n"
               "[platform opencti]\nurl = http://o\ntoken = file:empty\n[backend docker]\n"
               "[registry r.x]\nusername = u\npassword = env:EMPTY\n[registry s.x]\nusername = u\n"
               "password = file:.\n",
               0600);
    struct config *config = read_path(FOLDER "/g.ini", variables);
#define INI FOLDER "/g.ini"
    assert_problems(
        config, INI
        ":3: [manager] key: there is no file '" FOLDER "/none'; make it, or correct the path\n" INI
        ":4: [manager] key_passphrase: 'file:' names nothing; write file:PATH or env:NAME\n" INI
        ":5: [manager] old_keys: '" FOLDER
        "/big' is no regular file of at most 64 KiB; correct the path\n" INI
        ":5: [manager] old_keys: environment variable 'NONE' is not set; set it, or correct the "
        "name\n" INI ":8: [platform opencti] token: file '" FOLDER
        "/empty' is empty; write the secret into it\n" INI
        ":12: [registry r.x] password: environment variable 'EMPTY' is empty; give it a value\n" INI
        ":15: [registry s.x] password: '" FOLDER
        "/.' is no regular file of at most 64 KiB; correct the path\n");
    config_free(config);
}

static void
a_secret_in_a_file_that_others_may_read_is_warned_about(void **state)
{
    (void)state;
    static const char text[] = SMALLEST "[registry r.x]\nusername = u\npassword = " TOKEN "\n";
    write_file(FOLDER "/g.ini", text, 0644);
    struct config *config = read_path(FOLDER "/g.ini", variables);
    assert_problems(config, "");
    assert_warnings(
        config,
        FOLDER "/g.ini:7: [registry r.x] password: this secret stands in a file that others may "
               "read; run: chmod 600 " FOLDER "/g.ini\n");
    config_free(config);
    write_file(FOLDER "/g.ini", text, 0600);
    config = read_path(FOLDER "/g.ini", variables);
    assert_warnings(config, "");
    config_free(config);
}

static void
a_home_folder_is_not_expanded(void **state)
{
    (void)state;
    write_file(FOLDER "/g.ini", "[platform local]\npath = ~/c\n[backend docker]\n", 0600);
    struct config *config = read_path(FOLDER "/g.ini", variables);
    assert_problems(config, "");
    assert_string_equal(config_platform(config, 0)->path, FOLDER "/~/c");
    assert_warnings(
        config,
        FOLDER "/g.ini:2: [platform local] path: '~' is not the home folder here: this is '" FOLDER
               "/~/c'; write the whole path\n");
    config_free(config);
}

/* Whatever is wrong with a file that holds secrets, no line that is told has them. */
static void
problems_never_quote_secrets(void **state)
{
    static const char *const texts[] = {
        "[platform opencti]\ntoken = " TOKEN " ;x\n",
        "[platform opencti]\ntoken = " TOKEN "\n  " TOKEN "\n",
        "[platform opencti]\ntoken = " TOKEN "\ntoken = " TOKEN "\n",
        "[platform opencti]\ntoken = " TOKEN " x\n",
        "[platform opencti]\ntokn = " TOKEN "\n",
        "[platform local]\ntoken = " TOKEN "\n",
        "[manager]\nkey = " TOKEN "\nkey_passphrase = " TOKEN "\nold_keys = " TOKEN "\n",
        "[manager]\nkey = -----BEGIN X-----\n" TOKEN "\n" TOKEN "=\n-----END X-----\n",
        "[manager]\n" TOKEN "\n",
        "token = " TOKEN "\n",
        "[nonsense]\ntoken = " TOKEN "\n",
        "[platform opencti]\nurl = https://u:" TOKEN "@h/\nproxy = http:/u:" TOKEN
        "@h\nconnector_url = ftp://u:" TOKEN "@h\n",
        "[registry "
        "r.x]\npassword = " TOKEN "\n",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct config *config = read_text(texts[i], NULL);
        assert_true(config_problem_count(config) > 0);
        for (size_t k = 0; k < config_problem_count(config); k++)
            if (strstr(config_problem(config, k), TOKEN))
                fail_msg("text %zu: %s", i, config_problem(config, k));
        for (size_t k = 0; k < config_warning_count(config); k++)
            if (strstr(config_warning(config, k), TOKEN))
                fail_msg("text %zu: %s", i, config_warning(config, k));
        char *out = NULL;
        assert_int_equal(config_print(config, &out, NULL), 0);
        if (strstr(out, TOKEN))
            fail_msg("text %zu: %s", i, out);
        free(out);
        config_free(config);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_resolved_relative_to_the_file),
        cmocka_unit_test(only_the_last_newline_is_dropped),
        cmocka_unit_test(references_that_fail_say_what_to_do),
        cmocka_unit_test(a_secret_in_a_file_that_others_may_read_is_warned_about),
        cmocka_unit_test(a_home_folder_is_not_expanded),
        cmocka_unit_test(problems_never_quote_secrets),
    };
    return cmocka_run_group_tests(tests, make_folder, NULL);
}
