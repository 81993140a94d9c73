/* gantryd.h - what the daemon's files share. */
#ifndef GANTRYD_H
#define GANTRYD_H

#include <gantry/gantry.h>

/* Print a snapshot as a table, once.  width: of the terminal; 0: not cut. */
void table_print(const struct gantry_snapshot *snapshot, unsigned width);

struct table; /* a table on the terminal that is drawn again when something changes */
struct table *table_start(struct gantry_manager *manager);
void table_stop(struct table *table); /* may be NULL */

#endif
