/* gantryd_table.c - all connectors as a table, on a thread of its own that draws it when it has
 * changed. */
#include "gantryd.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define DRAW_EVERY_MS 250

struct table {
    struct gantry_manager *manager;
    pthread_t thread;
    int stop_fd;
    uint64_t drawn; /* revision */
    time_t drawn_at;
};

static const struct gantry_connector *
row(const struct gantry_snapshot *s, uint32_t i)
{
    return (const struct gantry_connector *)(const void *)((const char *)s->connectors +
                                                           (size_t)s->stride * i);
}

/* "12s", "5m", "3h", "2d" since a Unix time in milliseconds. */
static const char *
age(int64_t since_ms, char text[32])
{
    int64_t s = (int64_t)time(NULL) - since_ms / 1000;
    if (since_ms <= 0)
        return "";
    s = s < 0 ? 0 : s;
    if (s < 120)
        snprintf(text, 32, "%" PRId64 "s", s);
    else if (s < 7200)
        snprintf(text, 32, "%" PRId64 "m", s / 60);
    else if (s < 172800)
        snprintf(text, 32, "%" PRId64 "h", s / 3600);
    else
        snprintf(text, 32, "%" PRId64 "d", s / 86400);
    return text;
}

/* Names come from outside: nothing of them may steer the terminal. */
static void
put(char *line, size_t size, const char *text, int width)
{
    size_t n = strlen(line);
    int used = 0;
    for (; *text && n + 2 < size && (width < 0 || used < width); text++, used++)
        line[n++] = (unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text;
    for (; width > 0 && used < width && n + 2 < size; used++)
        line[n++] = ' ';
    if (width > 0)
        line[n++] = ' ';
    line[n] = '\0';
}

static void
print_line(const char *line, unsigned width, const char *end)
{
    printf("%.*s%s\n", width ? (int)width : 4095, line, end);
}

void
table_print(const struct gantry_snapshot *s, unsigned width)
{
    static const struct {
        const char *title;
        int width;
    } columns[] = {{"NAME", 24}, {"PLATFORM", 10}, {"WISH", 5},  {"STATE", 11},
                   {"AGE", 5},   {"EXITS", 5},     {"DOING", 8}, {"WHY", -1}};
    const char *end = width ? "\033[K" : "";
    char line[4096] = "";
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        put(line, sizeof line, columns[i].title, columns[i].width);
    print_line(line, width, end);
    for (uint32_t i = 0; i < s->count; i++) {
        const struct gantry_connector *c = row(s, i);
        char when[32] = "", exits[16];
        snprintf(exits, sizeof exits, "%" PRIu32, c->restarts);
        bool runs = strcmp(c->state, "running") == 0;
        const char *cells[] = {c->name,
                               c->platform,
                               c->wish,
                               c->state,
                               runs ? age(c->started_ms, when) : "",
                               exits,
                               c->action,
                               c->progress[0] ? c->progress : c->reason};
        line[0] = '\0';
        for (size_t k = 0; k < sizeof columns / sizeof columns[0]; k++)
            put(line, sizeof line, cells[k], columns[k].width);
        print_line(line, width, end);
    }
}

static unsigned
terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col;
    return 120;
}

static void
draw(struct table *t)
{
    struct gantry_snapshot *s = NULL;
    if (gantry_manager_snapshot(t->manager, &s, NULL) < 0)
        return;
    time_t now = time(NULL);
    if (s->revision != t->drawn || now != t->drawn_at) { /* ages change by themselves */
        printf("\033[H");
        table_print(s, terminal_width());
        printf("\033[J\nCtrl-C ends the manager; the connectors run on.\033[K\n");
        fflush(stdout);
        t->drawn = s->revision;
        t->drawn_at = now;
    }
    gantry_snapshot_free(s);
}

static void *
run(void *argument)
{
    struct table *t = argument;
    struct pollfd stop = {.fd = t->stop_fd, .events = POLLIN};
    printf("\033[2J");
    do
        draw(t);
    while (poll(&stop, 1, DRAW_EVERY_MS) == 0);
    draw(t);
    return NULL;
}

struct table *
table_start(struct gantry_manager *manager)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->manager = manager;
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (t->stop_fd < 0 || pthread_create(&t->thread, NULL, run, t) != 0) {
        if (t->stop_fd >= 0)
            close(t->stop_fd);
        free(t);
        return NULL;
    }
    return t;
}

void
table_stop(struct table *t)
{
    if (!t)
        return;
    uint64_t one = 1;
    ssize_t n = write(t->stop_fd, &one, sizeof one);
    (void)n;
    pthread_join(t->thread, NULL);
    close(t->stop_fd);
    free(t);
}
