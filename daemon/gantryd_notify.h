/* gantryd_notify.h - what gantryd tells the service manager that started it (sd_notify(3)).
 *
 * A handle is there always; without NOTIFY_SOCKET nothing is sent, and nothing is due. */
#ifndef GANTRYD_NOTIFY_H
#define GANTRYD_NOTIFY_H

#include <stdint.h>

struct notify {
    int fd; /* -1: nobody wants to know */
    int failed;
    int64_t watchdog_ms; /* a sign of life so often; 0: none is wanted */
    int64_t watchdog_due_ms;
    char status[512]; /* the last that was told */
};

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment: they are for this process alone.
 * What is wrong with them is said on standard error, and is no reason not to run. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

void notify_ready(struct notify *n); /* after the start, and after a reload */
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n);
void notify_status(struct notify *n, const char *text); /* one line; told when it is news */
void notify_alive(struct notify *n);                    /* a sign of life, when one is due */
/* Milliseconds until notify_alive() is due; -1: never. */
int64_t notify_timeout_ms(const struct notify *n);

int64_t monotonic_ms(void);

#endif
