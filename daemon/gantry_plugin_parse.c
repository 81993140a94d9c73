/* gantry_plugin_parse.c - the command line of `gantry plugin run`, and the spec that it describes. */
#include "gantry_plugin_run.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Who has made what this command makes, where no label says otherwise. */
#define MANAGER          "gantry-plugin-run"
#define NAME             "example"
#define HASH             "1"
#define LABELS_MORE      5 /* that a host puts in besides those of the command line */
#define GRACE_MS         10000
#define LINES            1000
#define LOG_BYTES        ((uint64_t)16 << 20)
#define LINE_BYTES       UINT32_C(65536)
#define SECRET_MAX_BYTES ((size_t)1 << 20)
#define STALL_MS         120000
#define START_MS         120000

enum option_id {
    OPTION_IMAGE = 256,
    OPTION_NAME,
    OPTION_ID,
    OPTION_HASH,
    OPTION_DIGEST,
    OPTION_LABEL,
    OPTION_ENV,
    OPTION_SECRET_ENV,
    OPTION_PULL,
    OPTION_ONCE,
    OPTION_CURSOR,
    OPTION_LINES,
    OPTION_GRACE,
    OPTION_TIMEOUT,
    OPTION_PATH,
};
static const struct option known[] = {{"config", required_argument, NULL, 'c'},
                                      {"verbose", no_argument, NULL, 'v'},
                                      {"path", required_argument, NULL, OPTION_PATH},
                                      {"image", required_argument, NULL, OPTION_IMAGE},
                                      {"name", required_argument, NULL, OPTION_NAME},
                                      {"id", required_argument, NULL, OPTION_ID},
                                      {"hash", required_argument, NULL, OPTION_HASH},
                                      {"digest", required_argument, NULL, OPTION_DIGEST},
                                      {"label", required_argument, NULL, OPTION_LABEL},
                                      {"env", required_argument, NULL, OPTION_ENV},
                                      {"secret-env", required_argument, NULL, OPTION_SECRET_ENV},
                                      {"pull", required_argument, NULL, OPTION_PULL},
                                      {"once", no_argument, NULL, OPTION_ONCE},
                                      {"cursor", required_argument, NULL, OPTION_CURSOR},
                                      {"lines", required_argument, NULL, OPTION_LINES},
                                      {"grace", required_argument, NULL, OPTION_GRACE},
                                      {"timeout", required_argument, NULL, OPTION_TIMEOUT},
                                      {NULL, 0, NULL, 0}};

/* What an operation takes besides the options that all have. */
enum { WANTS_HANDLE = 1, WANTS_IMAGE = 2, MAY_HANDLE = 4 };
static const struct {
    const char *name;
    unsigned takes;
} operations[] = {
    {"inspect", WANTS_HANDLE},     {"list", 0},
    {"logs", WANTS_HANDLE},        {"probe", 0},
    {"pull", WANTS_IMAGE},         {"remove", WANTS_HANDLE},
    {"remove_image", WANTS_IMAGE}, {"start", MAY_HANDLE},
    {"stop", WANTS_HANDLE},        {"watch", 0},
};

/* ---- values ---------------------------------------------------------------------------------- */

static int
set_number(const struct run *run, const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || number > max)
        return tool_usage(run->self, "a whole number is wanted, not", text);
    *out = number;
    return TOOL_OK;
}

static int
set_seconds(const struct run *run, const char *text, uint64_t *ms)
{
    uint64_t seconds = 0;
    int status = set_number(run, text, UINT32_MAX / 1000, &seconds);
    *ms = seconds * 1000;
    return status;
}

/* KEY and VALUE of KEY=VALUE, kept by run. */
static int
cut_pair(struct run *run, const char *text, struct gantry_pair *pair)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return tool_usage(run->self, "KEY=VALUE is wanted, not", text);
    char *copy = strdup(text);
    if (!copy)
        return tool_failed(run->self, GANTRY_E_NOMEM, NULL);
    run->texts[run->text_count++] = copy;
    copy[equals - text] = '\0';
    *pair = (struct gantry_pair){copy, copy + (equals - text) + 1};
    return TOOL_OK;
}

/* The text of file:PATH, without the line's end behind it, or of env:NAME; a command line is no place for it. */
static int
read_secret(struct run *run, const char *reference, const char **value)
{
    if (strncmp(reference, "env:", 4) == 0) {
        *value = getenv(reference + 4);
        return *value ? TOOL_OK : tool_usage(run->self, "there is no variable", reference + 4);
    }
    if (strncmp(reference, "file:", 5) != 0)
        return tool_usage(run->self, "a secret is file:PATH or env:NAME; this is neither", NULL);
    FILE *in = fopen(reference + 5, "re");
    if (!in)
        return tool_failed_errno(run->self, "cannot read", reference + 5);
    char *text = malloc(SECRET_MAX_BYTES + 1);
    size_t n = text ? fread(text, 1, SECRET_MAX_BYTES, in) : 0;
    int whole = text && feof(in) && !ferror(in);
    fclose(in);
    if (!whole) {
        free(text);
        return text ? tool_usage(run->self, "this file cannot be read to its end", reference + 5)
                    : tool_failed(run->self, GANTRY_E_NOMEM, NULL);
    }
    n -= n > 0 && text[n - 1] == '\n';
    text[n] = '\0';
    run->texts[run->text_count++] = text;
    *value = text;
    return TOOL_OK;
}

static int
add_label(struct run *run, const char *text)
{
    int status = cut_pair(run, text, &run->labels[run->label_count]);
    run->label_count += status == TOOL_OK;
    return status;
}

static int
add_variable(struct run *run, const char *text, int is_secret)
{
    struct gantry_pair pair;
    int status = cut_pair(run, text, &pair);
    if (status == TOOL_OK && is_secret)
        status = read_secret(run, pair.value, &pair.value);
    if (status == TOOL_OK)
        run->environment[run->variable_count++] =
            (struct gantry_variable){pair.key, pair.value, (uint32_t)is_secret, 0};
    return status;
}

static int
set_pull(struct run *run, const char *word)
{
    static const char *const words[] = {[GANTRY_PULL_IF_NOT_PRESENT] = "if-not-present",
                                        [GANTRY_PULL_ALWAYS] = "always",
                                        [GANTRY_PULL_NEVER] = "never"};
    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i], word) == 0) {
            run->spec.pull_policy = i;
            return TOOL_OK;
        }
    return tool_usage(run->self, "--pull is always, never or if-not-present, not", word);
}

/* ---- the command line ------------------------------------------------------------------------ */

/* What is a number, or takes more than its text. */
static int
take_value(struct run *run, int option, const char *text)
{
    uint64_t number = 0;
    int status;
    switch (option) {
    case OPTION_LABEL:
        return add_label(run, text);
    case OPTION_ENV:
        return add_variable(run, text, 0);
    case OPTION_SECRET_ENV:
        return add_variable(run, text, 1);
    case OPTION_PULL:
        return set_pull(run, text);
    case OPTION_LINES:
        status = set_number(run, text, UINT32_MAX, &number);
        run->limits.max_lines = (uint32_t)number;
        return status;
    case OPTION_GRACE:
        status = set_seconds(run, text, &number);
        run->request.grace_ms = run->spec.stop_grace_ms = (uint32_t)number;
        return status;
    case OPTION_TIMEOUT:
        status = set_seconds(run, text, &number);
        run->request.timeout_ms = (int64_t)number;
        return status;
    default:
        return -1;
    }
}

static int
take_option(struct run *run, int option, const char *text)
{
    switch (option) {
    case 'c':
        run->session.settings_file = text;
        return TOOL_OK;
    case 'v':
        run->is_verbose = 1;
        return TOOL_OK;
    case OPTION_PATH:
        run->folders[run->session.folder_count++] = text;
        return TOOL_OK;
    case OPTION_IMAGE:
        run->spec.image = text;
        return TOOL_OK;
    case OPTION_NAME:
        run->spec.name = text;
        return TOOL_OK;
    case OPTION_ID:
        run->spec.id = text;
        return TOOL_OK;
    case OPTION_HASH:
        run->spec.hash = text;
        return TOOL_OK;
    case OPTION_DIGEST:
        run->image.digest = text;
        return TOOL_OK;
    case OPTION_ONCE:
        run->request.flags = GANTRY_START_ONCE;
        return TOOL_OK;
    case OPTION_CURSOR:
        run->request.cursor = text;
        return TOOL_OK;
    default:
        return take_value(run, option, text);
    }
}

/* The operation's name, and what it must or may have. */
static int
check_operation(struct run *run)
{
    const char *name = run->request.operation;
    size_t n = sizeof operations / sizeof operations[0], i = 0;
    while (i < n && strcmp(operations[i].name, name) != 0)
        i++;
    if (i == n)
        return tool_usage(run->self, "there is no operation", name);
    unsigned takes = operations[i].takes;
    if ((takes & WANTS_HANDLE) && !run->handle)
        return tool_usage(run->self, "the HANDLE is missing for", name);
    if (!(takes & (WANTS_HANDLE | MAY_HANDLE)) && run->handle)
        return tool_usage(run->self, "one argument too many", run->handle);
    if ((takes & WANTS_IMAGE) && !run->spec.image)
        return tool_usage(run->self, "--image is missing for", name);
    if (takes == MAY_HANDLE && !run->spec.image && !run->handle)
        return tool_usage(run->self, "a HANDLE or --image is missing for", name);
    if (strcmp(name, "remove_image") == 0 && !run->image.digest)
        return tool_usage(run->self, "--digest is missing for", name);
    return TOOL_OK;
}

static int
parse_words(struct run *run, int argc, char **argv)
{
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:v", known, NULL)) != -1;) {
        int status = take_option(run, option, optarg);
        if (status < 0)
            return tool_usage(run->self, option == ':' ? "a value must follow" : "unknown option",
                              argv[optind - 1]);
        if (status != TOOL_OK)
            return status;
    }
    if (optind + 2 > argc)
        return tool_usage(run->self, "the FILE of a plugin and an OPERATION are missing", NULL);
    run->plugin = argv[optind++];
    run->request.operation = argv[optind++];
    if (optind < argc)
        run->handle = argv[optind++];
    if (optind < argc)
        return tool_usage(run->self, "one argument too many", argv[optind]);
    return check_operation(run);
}

/* ---- what the call gets ---------------------------------------------------------------------- */

static void
add_missing_label(struct run *run, const char *key, const char *value)
{
    for (uint32_t i = 0; i < run->label_count; i++)
        if (strcmp(run->labels[i].key, key) == 0)
            return;
    run->labels[run->label_count++] = (struct gantry_pair){key, value};
}

/* The labels and the variable that a host puts into every spec. */
static void
fill_spec(struct run *run)
{
    struct gantry_spec *spec = &run->spec;
    add_missing_label(run, GANTRY_LABEL_MANAGER, MANAGER);
    add_missing_label(run, GANTRY_LABEL_CONNECTOR, spec->id);
    add_missing_label(run, GANTRY_LABEL_PLATFORM, "custom");
    add_missing_label(run, GANTRY_LABEL_NAMED, "run");
    add_missing_label(run, GANTRY_LABEL_HASH, spec->hash);
    run->environment[run->variable_count++] =
        (struct gantry_variable){GANTRY_HASH_VARIABLE, spec->hash, 0, 0};
    spec->labels = run->labels;
    spec->label_count = run->label_count;
    spec->label_stride = sizeof run->labels[0];
    spec->environment = run->environment;
    spec->environment_count = run->variable_count;
    spec->environment_stride = sizeof run->environment[0];
    run->request.spec = spec;
}

static void
fill_request(struct run *run)
{
    struct gantry_request *request = &run->request;
    if (!run->spec.name)
        run->spec.name = NAME;
    if (!run->spec.id)
        run->spec.id = run->spec.name;
    run->ref = (struct gantry_ref){sizeof run->ref, 0, run->handle, run->spec.id, run->spec.name};
    run->image.reference = run->spec.image;
    if (run->handle)
        request->ref = &run->ref;
    if (strcmp(request->operation, "remove_image") == 0)
        request->image = &run->image;
    else if (run->spec.image)
        fill_spec(run);
    if (run->label_count == 0)
        add_missing_label(run, GANTRY_LABEL_MANAGER, MANAGER); /* for list and watch */
    request->labels = run->labels;
    request->label_count = run->label_count;
    request->label_stride = sizeof run->labels[0];
    request->limits = &run->limits;
}

int
run_parse(struct run *run, const struct tool_command *self, int argc, char **argv)
{
    size_t n = (size_t)argc;
    *run = (struct run){.self = self};
    run->session.size = sizeof run->session;
    run->request.size = sizeof run->request;
    run->request.grace_ms = GRACE_MS;
    run->image.size = sizeof run->image;
    run->spec = (struct gantry_spec){.size = sizeof run->spec,
                                     .hash = HASH,
                                     .stop_grace_ms = GRACE_MS,
                                     .pull_stall_ms = STALL_MS,
                                     .start_timeout_ms = START_MS};
    run->limits = (struct gantry_log_limits){sizeof run->limits, LINES, LOG_BYTES, LINE_BYTES, 0};
    run->folders = calloc(n, sizeof *run->folders);
    run->labels = calloc(n + LABELS_MORE, sizeof *run->labels);
    run->environment = calloc(n + 1, sizeof *run->environment);
    run->texts = calloc(2 * n, sizeof *run->texts);
    if (!run->folders || !run->labels || !run->environment || !run->texts)
        return tool_failed(self, GANTRY_E_NOMEM, NULL);
    int status = parse_words(run, argc, argv);
    if (status != TOOL_OK)
        return status;
    char *plugin = tool_plugin_path(run->plugin);
    if (!plugin)
        return tool_failed(self, GANTRY_E_NOMEM, NULL);
    run->texts[run->text_count++] = plugin;
    run->session.plugin = plugin;
    run->session.folders = run->folders;
    fill_request(run);
    return TOOL_OK;
}

void
run_clear(struct run *run)
{
    for (size_t i = 0; i < run->text_count; i++) {
        explicit_bzero(run->texts[i], strlen(run->texts[i]));
        free(run->texts[i]);
    }
    free(run->texts);
    free(run->folders);
    free(run->labels);
    free(run->environment);
}
