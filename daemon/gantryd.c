/* gantryd.c - the bundled daemon: options, signals, exit codes.  Everything else is the library's.
 */
#include "gantryd.h"
#include "gantryd_notify.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_WELL = 0, EXIT_FAILED = 1, EXIT_BAD_INPUT = 2 };

/* A signal handler is given nothing but a number: this is how it finds the manager. */
static struct gantry_manager *_Atomic running;

static void
on_signal(int number)
{
    struct gantry_manager *m = atomic_load(&running);
    (void)number;
    if (m)
        gantry_manager_stop(m);
}

#define OPTIONS(X)                                                                                 \
    X("config", 'c', required_argument, "FILE", "the settings; without it the environment alone")  \
    X("once", 'o', no_argument, "", "run cycles until nothing is due but back-off, then end")      \
    X("confirm-removals", 'y', no_argument, "",                                                    \
      "with --once: remove even if all connectors have vanished")                                  \
    X("dry-run", 'n', no_argument, "", "print each action and why, and touch nothing")             \
    X("down", 'd', no_argument, "", "stop and remove all workloads of this manager")               \
    X("validate", 'v', no_argument, "",                                                            \
      "check the settings, print the effective values, contact nobody")                            \
    X("table", 't', no_argument, "", "show the connectors in a table that updates")                \
    X("example", 'e', no_argument, "", "print a settings file with every key, and end")            \
    X("version", 'V', no_argument, "", "print the version, and end")                               \
    X("help", 'h', no_argument, "", "print this, and end")

static void
print_help(void)
{
    printf("gantryd runs the connectors that a platform wishes, and reports back.\n\n"
           "usage: gantryd [--config FILE] [option]\n\n");
#define HELP_(name, letter, argument, meta, text) printf("  --%-16s %-5s %s\n", name, meta, text);
    OPTIONS(HELP_)
#undef HELP_
    printf(
        "\nexit status: 0 all went well, 1 something failed, 2 bad settings or usage; nothing was "
        "touched\n");
}

static int
print_example(void)
{
    char *text = NULL;
    if (gantry_settings_example(&text, NULL) < 0)
        return EXIT_FAILED;
    fputs(text, stdout);
    gantry_text_free(text);
    return EXIT_WELL;
}

static void
print_error(const struct gantry_error *err)
{
    fprintf(stderr, "gantryd: %s\n", err ? err->message : "no reason was given");
}

/* One line for each problem of the settings, in the form that editors jump to: FILE:LINE: ... */
static void
print_problems(const struct gantry_error *err)
{
    for (; err; err = err->cause)
        fprintf(stderr, "%s\n", err->message);
}

static int
validate(const struct gantry_manager *m)
{
    char *text = NULL;
    struct gantry_error *err = NULL;
    int code = gantry_manager_settings(m, &text, &err);
    if (code < 0)
        print_error(err);
    else
        fputs(text, stdout);
    gantry_error_free(err);
    gantry_text_free(text);
    return code < 0 ? EXIT_FAILED : EXIT_WELL;
}

static void
print_plan(struct gantry_manager *m)
{
    struct gantry_snapshot *s = NULL;
    if (gantry_manager_snapshot(m, &s, NULL) < 0)
        return;
    table_print(s, 0);
    gantry_snapshot_free(s);
}

struct request {
    const char *path;
    uint32_t how;
    bool validate, table;
};

static void
catch_signals(const struct request *r)
{
    struct sigaction stop = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    if (r->table) /* whoever looks at it is gone */
        sigaction(SIGHUP, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

static void
log_nothing(void *context, int level, const char *line, size_t length)
{
    (void)context, (void)level, (void)line, (void)length;
}

static int
run_as_asked(struct gantry_manager *m, const struct request *r, struct notify *notify,
             int hangup_fd, struct gantry_error **err)
{
    if (r->how == GANTRY_RUN_DAEMON)
        return serve(m, notify, hangup_fd, err);
    return gantry_manager_run(m, r->how, err);
}

static int
run(const struct request *r, struct notify *notify, int hangup_fd)
{
    struct gantry_options options = {
        .size = sizeof options,
        .path = r->path,
        .environment = environ,
        .log = r->table ? log_nothing
                        : NULL, /* the table says the same, and they would overwrite it */
    };
    struct gantry_manager *m = NULL;
    struct gantry_error *err = NULL;
    int code = gantry_manager_new(&options, &m, &err);
    if (code == 0)
        code = gantry_manager_open(m, &err);
    if (code < 0) {
        gantry_manager_free(m);
        if (code == GANTRY_E_INVALID)
            print_problems(err);
        else
            print_error(err);
        gantry_error_free(err);
        return code == GANTRY_E_NOMEM ? EXIT_FAILED : EXIT_BAD_INPUT;
    }
    if (r->validate) {
        int status = validate(m);
        gantry_manager_free(m);
        return status;
    }
    atomic_store(&running, m);
    catch_signals(r);
    struct table *table = r->table ? table_start(m) : NULL;
    code = run_as_asked(m, r, notify, hangup_fd, &err);
    table_stop(table);
    if (r->how == GANTRY_RUN_DRY && code == 0)
        print_plan(m);
    atomic_store(&running, NULL);
    bool bad_input = code == GANTRY_E_CONFLICT || code == GANTRY_E_INVALID;
    if (bad_input)
        print_problems(err);
    else if (code < 0)
        print_error(err);
    gantry_error_free(err);
    gantry_manager_free(m);
    if (bad_input)
        return EXIT_BAD_INPUT;
    return code < 0 ? EXIT_FAILED : EXIT_WELL;
}

/* What this process is told by the service manager is kept from what it starts. */
static int
run_as_service(const struct request *r)
{
    struct notify notify;
    notify_open(&notify);
    bool stays = r->how == GANTRY_RUN_DAEMON && !r->validate && !r->table;
    int hangup_fd = stays ? hangup_open() : -1;
    int status = run(r, &notify, hangup_fd);
    if (hangup_fd >= 0)
        close(hangup_fd);
    notify_close(&notify);
    return status;
}

static int
usage_error(void)
{
    fprintf(stderr, "gantryd: see gantryd --help\n");
    return EXIT_BAD_INPUT;
}

static const struct option options[] = {
#define OPTION_(name, letter, argument, meta, text) {name, argument, NULL, letter},
    OPTIONS(OPTION_)
#undef OPTION_
        {NULL, 0, NULL, 0}};

/* getopt_long takes any beginning of an option for the whole; a script that relies on that breaks
 * when an option is added.  Returns the first that is no option's whole name, or NULL. */
static const char *
find_abbreviation(char **argv)
{
    for (argv++; *argv && strcmp(*argv, "--") != 0; argv++) {
        if (strncmp(*argv, "--", 2) != 0)
            continue;
        size_t length = strcspn(*argv + 2, "=");
        const struct option *o = options;
        while (o->name && (strlen(o->name) != length || strncmp(o->name, *argv + 2, length) != 0))
            o++;
        if (!o->name)
            return *argv;
        if (o->has_arg == required_argument && !strchr(*argv, '=') && argv[1])
            argv++;
    }
    return NULL;
}

/* What does not go together: said, and true. */
static bool
is_contradictory(int modes, bool confirmed, uint32_t how)
{
    if (modes > 1)
        fprintf(stderr, "gantryd: --once, --dry-run, --down and --validate exclude each other\n");
    else if (confirmed && how != GANTRY_RUN_ONCE)
        fprintf(stderr, "gantryd: --confirm-removals goes with --once, the daemon being stopped\n");
    else
        return false;
    return true;
}

int
main(int argc, char **argv)
{
    struct request r = {.how = GANTRY_RUN_DAEMON};
    bool confirmed = false;
    int modes = 0, option;
    memory_keep_small();
    const char *unknown = find_abbreviation(argv);
    if (unknown) {
        fprintf(stderr, "gantryd: '%s' is no option\n", unknown);
        return usage_error();
    }
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            r.path = optarg;
            break;
        case 'o':
            r.how = GANTRY_RUN_ONCE;
            modes++;
            break;
        case 'y':
            confirmed = true;
            break;
        case 'n':
            r.how = GANTRY_RUN_DRY;
            modes++;
            break;
        case 'd':
            r.how = GANTRY_RUN_DOWN;
            modes++;
            break;
        case 'v':
            r.validate = true;
            modes++;
            break;
        case 't':
            r.table = true;
            break;
        case 'e':
            return print_example();
        case 'V':
            printf("gantryd %s\n", gantry_version());
            return EXIT_WELL;
        case 'h':
            print_help();
            return EXIT_WELL;
        default:
            return usage_error();
        }
    }
    if (optind < argc) {
        fprintf(stderr, "gantryd: '%s': not understood; settings are given by --config FILE\n",
                argv[optind]);
        return usage_error();
    }
    if (is_contradictory(modes, confirmed, r.how))
        return usage_error();
    if (confirmed)
        r.how |= GANTRY_RUN_CONFIRM_REMOVALS;
    return run_as_service(&r);
}
