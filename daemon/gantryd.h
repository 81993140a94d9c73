/* gantryd.h - what the daemon's files share. */
#ifndef GANTRYD_H
#define GANTRYD_H

#include <gantry/gantry.h>
#include <poll.h>

/* Print a snapshot as a table, once.  width: of the terminal; 0: not cut. */
void table_print(const struct gantry_snapshot *snapshot, unsigned width);

struct table; /* a table on the terminal that is drawn again when something changes */
struct table *table_start(struct gantry_manager *manager);
void table_stop(struct table *table); /* may be NULL */

void memory_keep_small(void); /* before anything is allocated */
/* poll(2), which gives holes in the memory back to the system once nothing comes; from one thread. */
int memory_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
struct notify;
/* SIGHUP by a descriptor, and no more by interrupting: call it before any thread is started.  -1: said, why not. */
int hangup_open(void);
/* Run until SIGTERM; what gantry_manager_run() returns.  hangup_fd: readable when the settings are to be read
 * again; -1: never. */
int serve(struct gantry_manager *manager, struct notify *notify, int hangup_fd,
          struct gantry_error **err);

#endif
