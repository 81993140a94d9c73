/* Each allocation fails in turn: the answer is out of memory, and nothing is lost or half-read. */
#include "config_test.h"

#include "faults.h"

#define FOLDER GANTRY_BINARY_DIR "/tests/config-alloc"

static const struct gantry_setting settings[] = {
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_LIST,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "dns",
     .fallback = "1.1.1.1",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_MAP,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "labels",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_SECRET,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "api_key",
     .environment = "API_KEY",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_STRING,
     .scope = GANTRY_SCOPE_BACKEND,
     .key = "socket",
     .environment = "ENGINE_HOST",
     .help = "x"},
    {.size = sizeof(struct gantry_setting),
     .type = GANTRY_TYPE_SIZE,
     .scope = GANTRY_SCOPE_WORKLOAD,
     .key = "memory",
     .help = "x"},
};
static const struct gantry_plugin engine = {GANTRY_PLUGIN_HEAD, .name = "docker",
                                            GANTRY_SETTINGS(settings)};

/* What a run reads, and what is printed of it. */
struct reading {
    const char *path, *text;
    const char *const *variables;
    char *printed; /* of the first run; later ones compare with it */
};

/* Problems are a result as well: they are joined to what is printed. */
static int
print_all(const struct config *config, char **out, struct gantry_error **err)
{
    AUTO_BUF struct buf b = BUF_INIT((size_t)1 << 20);
    AUTO_FREE char *printed = NULL, *example = NULL;
    int rc = config_print(config, &printed, err);
    if (rc == 0)
        rc = config_print_example(&example, err);
    fault_pause();
    join_lines(&b, config, config_problem_count(config), config_problem);
    join_lines(&b, config, config_warning_count(config), config_warning);
    buf_add_text(&b, printed);
    buf_add_text(&b, example);
    *out = rc == 0 ? buf_take(&b) : NULL;
    fault_resume();
    return rc;
}

/* Everything once; returns the first failure. */
static int
read_all(void *context, struct gantry_error **err)
{
    struct reading *r = context;
    const struct config_options options = {
        .path = r->path,
        .text = r->text,
        .environment = (char *const *)(uintptr_t)r->variables,
        .default_plugin_path = "/p",
    };
    struct config *config = NULL;
    AUTO_FREE char *printed = NULL;
    int rc = config_read(&options, &config, err);
    fault_assert((rc == 0) == (config != NULL));
    for (size_t i = 0; rc == 0 && i < config_backend_count(config); i++)
        rc = config_bind(config, i, &engine, err);
    if (rc == 0)
        rc = config_finish(config, err);
    if (rc == 0)
        rc = print_all(config, &printed, err);
    config_free(config);
    if (rc == 0 && !r->printed)
        r->printed = TAKE(printed); /* of the run that warms up */
    else
        fault_assert(rc < 0 || strcmp(printed, r->printed) == 0);
    return rc;
}

/* part: something that must be told, or printed, so that the case is what it seems to be. */
static void
sweep(const char *what, const struct reading *reading, const char *part,
      enum fault_tolerance tolerance)
{
    struct reading r = *reading;
    struct gantry_error *err = NULL;
    assert_int_equal(read_all(&r, &err), 0);
    if (!strstr(r.printed, part))
        fail_msg("'%s' is not in: %s", part, r.printed);
    /* The arena takes many small ones at once. */
    assert_in_range(
        fault_sweep(what,
                    &(struct fault_sweep){.run = read_all, .context = &r, .tolerance = tolerance}),
        20, 20000);
    free(r.printed);
}

static void
a_good_file_is_read_whole_or_not_at_all(void **state)
{
    static const char *const variables[] = {"HOME=/h", "KEY=k", "ENGINE_HOST=tcp://u:pw@h:1",
                                            "API_KEY=k", NULL};
    (void)state;
    sweep("a good file",
          &(struct reading){
              .path = FOLDER "/gantry.ini",
              .variables = variables,
          },
          "[connector mitre] dns = a, b", FAULT_STRICT);
}

static void
the_environment_is_read_whole_or_not_at_all(void **state)
{
    static const char *const variables[] = {"HOME=/h",
                                            "API_KEY=k",
                                            "GANTRY__MANAGER__INTERVAL=90s",
                                            "GANTRY__MANAGER__ID=m1",
                                            "GANTRY__MANAGER__KEY=" PEM,
                                            "GANTRY__MANAGER__OLD_KEYS=env:API_KEY",
                                            "GANTRY__LOG__LEVEL=debug",
                                            "GANTRY__PLATFORM_OPENCTI__URL=http://o",
                                            "GANTRY__PLATFORM_OPENCTI__TOKEN=t",
                                            "GANTRY__BACKEND_DOCKER__DNS=8.8.8.8, 9.9.9.9",
                                            "GANTRY__REGISTRY_GHCR_IO__USERNAME=u",
                                            "GANTRY__REGISTRY_GHCR_IO__PASSWORD=p",
                                            "GANTRY__CONNECTOR_X__IMAGE=i",
                                            NULL};
    (void)state;
    sweep("Gantry's variables", &(struct reading){.variables = variables},
          "environment GANTRY__BACKEND_DOCKER__DNS", FAULT_STRICT);
}

static void
composers_environment_is_read_whole_or_not_at_all(void **state)
{
    static const char *const variables[] = {
        "HOME=/h",
        "MANAGER__ID=m1",
        "MANAGER__NAME=Composer",
        "MANAGER__EXECUTE_SCHEDULE=10",
        "MANAGER__CREDENTIALS_KEY=" PEM,
        "MANAGER__LOGGER__LEVEL=warning",
        "MANAGER__LOGGER__FORMAT=json",
        "MANAGER__LOGGER__DIRECTORY=true",
        "MANAGER__DEBUG__SHOW_SENSITIVE_ENV_VARS=true",
        "MANAGER__NAMES=unknown",
        "OPENCTI__ENABLE=true",
        "OPENCTI__URL=http://opencti:8080",
        "OPENCTI__TOKEN=t",
        "OPENCTI__UNSECURED_CERTIFICATE=false",
        "OPENCTI__WITH_PROXY=true",
        "OPENCTI__HTTP_PROXY=http://p",
        "OPENCTI__HTTPS_PROXY_CA=[\"/ca.pem\"]",
        "OPENCTI__LOGS_SCHEDULE=20",
        "OPENCTI__DAEMON__SELECTOR=docker",
        "OPENCTI__DAEMON__DOCKER__DNS=[\"8.8.8.8\", \"9.9.9.9\"]",
        "OPENCTI__DAEMON__DOCKER__LABELS__0=a=b",
        "OPENCTI__DAEMON__DOCKER__LABELS__1=c=d",
        "OPENCTI__DAEMON__DOCKER__MEMORY=64",
        "OPENCTI__DAEMON__REGISTRY__SERVER=https://registry.example/x/",
        "OPENCTI__DAEMON__REGISTRY__USERNAME=u",
        "OPENCTI__DAEMON__REGISTRY__PASSWORD=p",
        NULL};
    (void)state;
    sweep("XTM Composer's variables", &(struct reading){.variables = variables},
          "images without a registry come from registry.example/x", FAULT_STRICT);
}

static void
no_problem_is_lost(void **state)
{
    static const char *const variables[] = {
        "HOME=/h", "GANTRY__NOPE__X=1", "GANTRY__MANAGER__ODD=1", "OPENCTI__LOGS_SCHEDULE=x", NULL};
    (void)state;
    sweep("a bad file",
          &(struct reading){
              .path = "test.ini",
              .text =
                  "before = 1\n[manager]\nid = a b\ninterval = 10\nconcurrency = 0\nnope = 1\nid = "
                  "c\nkey = file:/nowhere/to/be/found\nold_keys = env:NOT_SET,\n[lgo]\n[open\n"
                  "[platform opencti]\nurl = http://user:password@x.example/"
                  "very/long/path/that/is/cut/when/it/is/quoted/in/a/message\nlogs_lines = many\n"
                  "kind = opencty\ntoken = env:NOT_SET\ncontrol = \x01\n[backend docker]\n"
                  "pull_policy = x\nmemory = 64M\nlabels = a, b=1, b=2\ndns = a,,b\nimage = i\n"
                  "[registry ghcr.io]\nusername = u\n[connector]\n[connector c]\nbackend = none\n"
                  "[http]\nbad\n",
              .variables = variables,
          },
          "test.ini:1: ", FAULT_TOLERATED); /* an error that a better one replaces may be lost */
}

static const char good_connector[] =
    "[connector]\nimage = i\nid = the-id\nrequested = stopping\n[environment]\nA = b\nC=\n"
    "[environment_from]\nD = env:API_KEY\nE = file:secret\n";
static const char bad_connector[] =
    "[connector]\nimag = i\nrequested = now\nid = a b\n[environment]\nA:B = b\nF = x\nF = y\n"
    "[environment_from]\nC = x\nD = env:NOT_SET\nE = file:nowhere\n[environmnt]\n";

static int
read_connector(void *context, struct gantry_error **err)
{
    static const char *const variables[] = {"API_KEY=k", NULL};
    AUTO_ARENA struct arena arena;
    struct config_connector out = {.id = "untouched"};
    arena_init(&arena, 0);
    int rc = config_read_connector(FOLDER "/x.ini", str_of(context),
                                   (char *const *)(uintptr_t)variables, &arena, &out, err);
    if (rc < 0)
        fault_assert(strcmp(out.id, "untouched") == 0);
    else
        fault_assert(strcmp(out.id, "the-id") == 0 && !out.wanted && out.entry_count == 4 &&
                     strcmp(out.entries[3].value, "hidden") == 0);
    return rc;
}

static void
a_connector_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    fault_sweep("a connector", &(struct fault_sweep){.run = read_connector,
                                                     .context = (void *)(uintptr_t)good_connector});
    fault_sweep("a bad connector",
                &(struct fault_sweep){.run = read_connector,
                                      .context = (void *)(uintptr_t)bad_connector,
                                      .expected = GANTRY_E_INVALID});
}

/* Every section, and every way to write a value. */
static int
write_files(void **state)
{
    (void)state;
    if (file_make_folder(FOLDER, 0700, NULL) < 0)
        return -1;
    write_file(FOLDER "/secret", "hidden\n", 0600);
    write_file(
        FOLDER "/gantry.ini",
        "# comment\n[manager]\nid = m1\nname = One\nkey = " PEM_INI
        "key_passphrase = env:KEY\nold_keys = env:KEY\n  file:secret\ninterval = 1m30s\n"
        "ping_interval = 2m\nconcurrency = 4\nstate_dir = state\nplugin_path = /a, b\n"
        "max_removals = 5\nremoval_confirmations = 2\nallow_remove_all = yes\n"
        "[log]\nlevel = debug\nformat = json\nfile = log/gantry.log\nmax_size = 64KiB\n"
        "[platform opencti]\nurl = https://octi/base/\ntoken = file:secret\nca_file = ca.pem\n"
        "tls_verify = no\nproxy = http://u:p@proxy:3128\nno_proxy = a, .b\nlogs_lines = 7\n"
        "connector_url = http://o:8080\nconnector_proxy = yes\nconnector_http_proxy = http://p\n"
        "[backend docker]\nsocket = tcp://u:pw@h:1\ndns = a\nstart_timeout = 10m\n"
        "pull_policy = always\nlabels = a=b\n[registry ghcr.io]\nusername = u\npassword = "
        "file:secret\n[registry docker.io]\nusername = v\npassword = w\n"
        "[connector mitre]\nimage = opencti/connector-mitre:6\ndns = a, b\nmemory = 64MiB\n"
        "labels = c=d\n  e=f\n[connector 5d1d6b0e-9d3c-4a0f-9c0c-6c5d8a1f0a11]\ndns = c\n",
        0644);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_read_whole_or_not_at_all),
        cmocka_unit_test(the_environment_is_read_whole_or_not_at_all),
        cmocka_unit_test(composers_environment_is_read_whole_or_not_at_all),
        cmocka_unit_test(no_problem_is_lost),
        cmocka_unit_test(a_connector_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, write_files, NULL);
}
