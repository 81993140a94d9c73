/* poll-loop.c - a manager inside a loop of poll(2), beside something else that the program waits for.
 *
 *     cc -o poll-loop poll-loop.c $(pkg-config --cflags --libs gantry)
 *     ./poll-loop gantry.ini
 *
 * Each line on standard input is answered: "list" with the connectors, "quit" ends the program, and
 * Ctrl-C does so too.  Workloads run on. */
#include <gantry/gantry.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;
static struct gantry_manager *manager; /* for the signal handler, which is given nothing else */

static void
on_signal(int number)
{
    (void)number;
    gantry_manager_stop(manager); /* safe here */
}

static void
print_connectors(void)
{
    struct gantry_snapshot *all = NULL;
    if (gantry_manager_snapshot(manager, &all, NULL) < 0)
        return;
    for (uint32_t i = 0; i < all->count; i++)
        printf("%s: shall %s, is %s\n", all->connectors[i].name, all->connectors[i].wish,
               all->connectors[i].state);
    printf("%u connectors\n", (unsigned)all->count);
    fflush(stdout);
    gantry_snapshot_free(all);
}

/* Returns 0 when the program shall end. */
static int
answer_input(void)
{
    char line[80];
    ssize_t n = read(STDIN_FILENO, line, sizeof line - 1);
    if (n <= 0)
        return 0;
    line[n] = '\0';
    if (strncmp(line, "list", 4) == 0)
        print_connectors();
    return strncmp(line, "quit", 4) != 0;
}

static int
run(struct gantry_error **err)
{
    int code = gantry_manager_begin(manager, GANTRY_RUN_DAEMON, err);
    if (code < 0)
        return code;
    struct pollfd fds[] = {{.fd = gantry_manager_fd(manager), .events = POLLIN},
                           {.fd = STDIN_FILENO, .events = POLLIN}};
    while (gantry_manager_step(manager)) {
        fds[1].revents = 0;
        if (poll(fds, 2, gantry_manager_timeout_ms(manager)) > 0 && fds[1].revents &&
            !answer_input())
            gantry_manager_stop(manager);
    }
    return gantry_manager_end(manager, err);
}

int
main(int argc, char **argv)
{
    struct gantry_options options = {
        .size = sizeof options, .path = argc > 1 ? argv[1] : NULL, .environment = environ};
    struct gantry_error *err = NULL;
    int code = gantry_manager_new(&options, &manager, &err);
    if (code == 0) {
        signal(SIGINT, on_signal);
        signal(SIGTERM, on_signal);
        code = run(&err);
    }
    for (const struct gantry_error *e = err; e; e = e->cause)
        fprintf(stderr, "%s\n", e->message);
    gantry_error_free(err);
    gantry_manager_free(manager);
    return code < 0;
}
