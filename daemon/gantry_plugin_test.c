/* gantry_plugin_test.c - gantry plugin test FILE: try what a plugin promises, and show a table.
 *
 * Each promise is tried in a process of its own, a fork of this one: a plugin that crashes, or does not come
 * back, breaks that promise and no other.  Its result comes back in memory that both share. */
#include "gantry_json.h"
#include "gantry_tool.h"

#include <gantry/host.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JOBS_MAX     64
#define JOBS_DEFAULT 4 /* at the most; else as many as there are processors */
/* The kit's own waits are bounded; this is for a plugin that spins where nobody waits for it. */
#define PROMISE_SECONDS_MAX 600
#define DETAIL_MAX          1200

enum outcome {
    OUTCOME_NONE, /* not yet known */
    OUTCOME_OK = GANTRY_PROMISE_OK,
    OUTCOME_FAILED = GANTRY_PROMISE_FAILED,
    OUTCOME_NOT_OFFERED = GANTRY_PROMISE_NOT_OFFERED,
    OUTCOMES
};
static const char *const outcome_words[OUTCOMES] = {"", "ok", "FAILED", "not offered"};
static const char *const outcome_json[OUTCOMES] = {"", "ok", "failed", "not offered"};

/* One promise, and what came of it. */
struct trial {
    const struct gantry_promise *promise;
    pid_t pid;   /* 0: does not run */
    int is_over; /* its process has ended */
    int64_t began_ms;
    /* Written by its process: */
    int began;
    uint32_t outcome;
    int code; /* of gantry_plugin_test() */
    int64_t took_ms;
    char detail[DETAIL_MAX]; /* of the outcome, or of the code */
};

struct test {
    const struct tool_command *self;
    struct gantry_conformance conformance;
    const char **only; /* as given: names of promises, or of their groups */
    const char **folders;
    uint32_t only_count;
    int jobs, is_json, is_listing, is_verbose;
    struct trial *trials; /* shared with the processes */
    size_t count;
    size_t bytes; /* of trials */
    size_t shown; /* so many are printed */
    unsigned outcomes[OUTCOMES];
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
    (void)number;
    if (interrupted) /* in a hurry: what runs goes on by itself, and cleans up */
        _exit(TOOL_FAILED);
    interrupted = 1;
}

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- in the process of one promise ----------------------------------------------------------- */

/* One line: what would break the table becomes a space. */
static void
set_detail(struct trial *trial, const char *text)
{
    snprintf(trial->detail, sizeof trial->detail, "%s", text ? text : "");
    for (char *p = trial->detail; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
}

static int
began(void *context, const struct gantry_promise *promise)
{
    struct trial *trial = context;
    (void)promise;
    trial->began = 1;
    return 0;
}

static int
ended(void *context, const struct gantry_promise *promise, uint32_t outcome, const char *detail,
      int64_t took_ms)
{
    struct trial *trial = context;
    (void)promise;
    trial->took_ms = took_ms;
    set_detail(trial, detail);
    trial->outcome = outcome;
    return 0;
}

static void
trace(void *context, const char *line)
{
    const struct trial *trial = context;
    fprintf(stderr, "%s: %s\n", trial->promise->name, line);
}

/* Ends the process.  By exit(), so that a sanitizer has its say. */
static void
try(const struct test *test, struct trial *trial)
{
    struct gantry_conformance conformance = test->conformance;
    struct gantry_error *error = NULL;
    /* An interrupt is for the one that waits for us; what this one has made, it removes. */
    setpgid(0, 0);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    alarm(PROMISE_SECONDS_MAX);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* standard output is the table's */
    conformance.only = &trial->promise->name;
    conformance.only_count = 1;
    conformance.began = began;
    conformance.ended = ended;
    conformance.trace = test->is_verbose ? trace : NULL;
    conformance.context = trial;
    trial->code = gantry_plugin_test(&conformance, &error);
    if (trial->code < 0)
        set_detail(trial, error ? error->message : gantry_code_name(trial->code));
    gantry_error_free(error);
    exit(0);
}

/* ---- the table ------------------------------------------------------------------------------- */

static void
show_trial(const struct test *test, const struct trial *trial)
{
    if (test->is_json) {
        struct json json = json_begin(stdout);
        json_text(&json, "promise", trial->promise->name);
        json_text(&json, "outcome", outcome_json[trial->outcome]);
        json_text(&json, "detail", trial->detail[0] ? trial->detail : NULL);
        json_number(&json, "took_ms", trial->took_ms);
        json_end(&json);
    } else {
        printf("%-11s  %-40s %7" PRId64 " ms\n", outcome_words[trial->outcome],
               trial->promise->name, trial->took_ms);
        if (trial->outcome == OUTCOME_FAILED)
            printf("             promised: %s\n", trial->promise->text);
        if (trial->detail[0])
            printf("             %s%s\n", trial->outcome == OUTCOME_FAILED ? "seen: " : "",
                   trial->detail);
    }
    fflush(stdout);
}

/* What has ended is shown in the order of the promises, so that two runs can be compared. */
static void
show_what_is_over(struct test *test)
{
    for (; test->shown < test->count && test->trials[test->shown].is_over; test->shown++) {
        const struct trial *trial = &test->trials[test->shown];
        if (trial->outcome == OUTCOME_NONE)
            continue; /* interrupted */
        test->outcomes[trial->outcome]++;
        show_trial(test, trial);
    }
}

static void
show_list(const struct test *test)
{
    for (size_t i = 0; i < test->count; i++) {
        const struct gantry_promise *promise = test->trials[i].promise;
        if (!test->is_json) {
            printf("%-40s %s\n", promise->name, promise->text);
            continue;
        }
        struct json json = json_begin(stdout);
        json_text(&json, "promise", promise->name);
        json_text(&json, "text", promise->text);
        json_end(&json);
    }
}

/* ---- the processes --------------------------------------------------------------------------- */

static int
begin_next(struct test *test, size_t *next)
{
    struct trial *trial = &test->trials[*next];
    trial->began_ms = now_ms();
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        return tool_failed_errno(test->self, "cannot start a process for", trial->promise->name);
    if (pid == 0)
        try(test, trial);
    trial->pid = pid;
    ++*next;
    return TOOL_OK;
}

/* How its process ended, where that says more than what it wrote. */
static void
judge_end(struct trial *trial, int status)
{
    char text[DETAIL_MAX];
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(text, sizeof text, "it had not ended after %d s", PROMISE_SECONDS_MAX);
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "the process ended by signal %d (%s)", WTERMSIG(status),
                 sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
    else if (WEXITSTATUS(status) != 0)
        snprintf(text, sizeof text, "the process ended with exit code %d; standard error says why",
                 WEXITSTATUS(status));
    else if (trial->outcome == OUTCOME_NONE || trial->outcome >= OUTCOMES)
        snprintf(text, sizeof text, "the process ended without a result");
    else
        return;
    if (trial->outcome == OUTCOME_NONE)
        trial->took_ms = now_ms() - trial->began_ms;
    trial->outcome = OUTCOME_FAILED;
    set_detail(trial, text);
}

/* Wait for the end of one.  Returns an exit code: TOOL_USAGE when the plugin or its settings cannot be used, which is
 * said unless it is known already. */
static int
await_one(struct test *test, size_t begun, int is_known)
{
    const struct trial *unusable = NULL;
    int status;
    pid_t pid = waitpid(-1, &status, 0); /* all children are ours */
    for (size_t i = 0; pid > 0 && i < begun; i++) {
        struct trial *trial = &test->trials[i];
        if (trial->pid != pid)
            continue;
        trial->pid = 0;
        trial->is_over = 1;
        if (trial->code == 0)
            judge_end(trial, status);
        if (trial->code < 0 || !trial->began) {
            trial->outcome = OUTCOME_NONE;
            unusable = trial;
        }
    }
    if (!unusable)
        return TOOL_OK;
    if (!is_known) /* the others that run say the same */
        fprintf(stderr, "gantry %s: %s%s\n", test->self->name,
                unusable->code < 0 ? "" : "the plugin cannot be loaded: ", unusable->detail);
    return TOOL_USAGE;
}

static int
run_all(struct test *test)
{
    int status = TOOL_OK, running = 0;
    for (size_t next = 0;
         running > 0 || (next < test->count && status == TOOL_OK && !interrupted);) {
        if (next < test->count && running < test->jobs && status == TOOL_OK && !interrupted) {
            status = begin_next(test, &next);
            running += status == TOOL_OK;
            continue;
        }
        int ended_how = await_one(test, next, status != TOOL_OK);
        if (status == TOOL_OK)
            status = ended_how;
        running = 0;
        for (size_t i = 0; i < next; i++)
            running += test->trials[i].pid != 0;
        if (status == TOOL_OK)
            show_what_is_over(test);
    }
    if (interrupted && status == TOOL_OK) {
        fprintf(stderr, "gantry %s: interrupted\n", test->self->name);
        status = TOOL_FAILED;
    }
    return status;
}

static int
conclude(const struct test *test, int status)
{
    if (!test->is_json && status != TOOL_USAGE)
        printf("%u promises: %u ok, %u failed, %u not offered\n",
               test->outcomes[OUTCOME_OK] + test->outcomes[OUTCOME_FAILED] +
                   test->outcomes[OUTCOME_NOT_OFFERED],
               test->outcomes[OUTCOME_OK], test->outcomes[OUTCOME_FAILED],
               test->outcomes[OUTCOME_NOT_OFFERED]);
    return status == TOOL_OK && test->outcomes[OUTCOME_FAILED] ? TOOL_FAILED : status;
}

/* ---- the command line ------------------------------------------------------------------------ */

/* Is it this promise, or its group? */
static int
is_meant(const char *word, const struct gantry_promise *promise)
{
    size_t length = strlen(word);
    return strncmp(promise->name, word, length) == 0 &&
           (promise->name[length] == '\0' || promise->name[length] == '.');
}

/* Find what shall be tried, and make the memory for it. */
static int
choose(struct test *test)
{
    size_t known = 0;
    while (gantry_promise_at(known))
        known++;
    for (size_t i = 0; i < test->only_count; i++) {
        size_t found = 0;
        while (found < known && !is_meant(test->only[i], gantry_promise_at(found)))
            found++;
        if (found == known)
            return tool_usage(test->self, "--list shows the promises; there is none called",
                              test->only[i]);
    }
    test->bytes = (known + 1) * sizeof *test->trials;
    test->trials =
        mmap(NULL, test->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (test->trials == MAP_FAILED) {
        test->trials = NULL;
        return tool_failed(test->self, GANTRY_E_NOMEM, NULL);
    }
    for (size_t i = 0; i < known; i++) {
        int meant = test->only_count == 0;
        for (size_t j = 0; j < test->only_count; j++)
            meant |= is_meant(test->only[j], gantry_promise_at(i));
        if (meant)
            test->trials[test->count++].promise = gantry_promise_at(i);
    }
    return TOOL_OK;
}

static int
parse_jobs(struct test *test, const char *text)
{
    char *end;
    long jobs = strtol(text, &end, 10);
    if (end == text || *end || jobs < 1 || jobs > JOBS_MAX)
        return tool_usage(test->self, "--jobs takes a number from 1 to 64, not", text);
    test->jobs = (int)jobs;
    return TOOL_OK;
}

static int
parse_option(struct test *test, int option)
{
    switch (option) {
    case 'c':
        test->conformance.settings_file = optarg;
        return TOOL_OK;
    case 'j':
        return parse_jobs(test, optarg);
    case 'l':
        test->is_listing = 1;
        return TOOL_OK;
    case 'o':
        test->only[test->only_count++] = optarg;
        return TOOL_OK;
    case 'p':
        test->folders[test->conformance.folder_count++] = optarg;
        return TOOL_OK;
    case 'v':
        test->is_verbose = 1;
        return TOOL_OK;
    case 'f':
        test->is_json = strcmp(optarg, "json") == 0;
        if (test->is_json || strcmp(optarg, "text") == 0)
            return TOOL_OK;
        return tool_usage(test->self, "--format is text or json, not", optarg);
    default:
        return -1;
    }
}

static int
parse(struct test *test, int argc, char **argv)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'}, {"format", required_argument, NULL, 'f'},
        {"jobs", required_argument, NULL, 'j'},   {"list", no_argument, NULL, 'l'},
        {"only", required_argument, NULL, 'o'},   {"path", required_argument, NULL, 'p'},
        {"verbose", no_argument, NULL, 'v'},      {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":c:j:v", known, NULL)) != -1;) {
        int status = parse_option(test, option);
        if (status < 0)
            return tool_usage(test->self, option == ':' ? "a value must follow" : "unknown option",
                              argv[optind - 1]);
        if (status != TOOL_OK)
            return status;
    }
    if (optind < argc)
        test->conformance.plugin = argv[optind++];
    else if (!test->is_listing)
        return tool_usage(test->self, "the FILE of the plugin is missing", NULL);
    if (optind < argc)
        return tool_usage(test->self, "one argument too many", argv[optind]);
    return TOOL_OK;
}

static int
run(struct test *test)
{
    struct sigaction on = {.sa_handler = on_interrupt}; /* no SA_RESTART: waitpid() shall notice */
    if (test->is_listing) {
        show_list(test);
        return TOOL_OK;
    }
    char *plugin = tool_plugin_path(test->conformance.plugin);
    if (!plugin)
        return tool_failed(test->self, GANTRY_E_NOMEM, NULL);
    test->conformance.plugin = plugin;
    sigaction(SIGINT, &on, NULL);
    sigaction(SIGTERM, &on, NULL);
    int status = conclude(test, run_all(test));
    free(plugin);
    return status;
}

int
tool_plugin_test(const struct tool_command *self, int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct test test = {.self = self, .conformance = {.size = sizeof test.conformance}};
    test.jobs = processors < 1 ? 1 : processors > JOBS_DEFAULT ? JOBS_DEFAULT : (int)processors;
    test.only = calloc((size_t)argc, sizeof *test.only);
    test.folders = calloc((size_t)argc, sizeof *test.folders);
    test.conformance.folders = test.folders;
    int status = TOOL_FAILED;
    if (test.only && test.folders)
        status = parse(&test, argc, argv);
    else
        (void)tool_failed(self, GANTRY_E_NOMEM, NULL);
    if (status == TOOL_OK)
        status = choose(&test);
    if (status == TOOL_OK)
        status = run(&test);
    if (test.trials)
        munmap(test.trials, test.bytes);
    free(test.only);
    free(test.folders);
    return status;
}
