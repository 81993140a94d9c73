/* logs.h - a workload that has written something, for the promises of logs(). */
#ifndef CONFORMANCE_LOGS_H
#define CONFORMANCE_LOGS_H

#include "conformance_internal.h"

struct kit_talk {
    const char *program; /* set by the caller; NULL: "lines 6; wait" */
    struct kit_connector *connector;
    const char *handle;    /* it runs */
    struct kit_answer all; /* its lines, at least six; those of program where it obeys GANTRY_KIT */
};
/* Start one.  Not offered where workloads write nothing, or logs() is not supported. */
int kit_talk(struct kit *kit, struct kit_talk *talk);

extern const struct gantry_log_limits kit_all_lines; /* more than any promise makes */
/* logs() until so many lines come, or a while is over; the last answer is in *out. */
int kit_lines(struct kit *kit, const char *handle, const char *cursor, size_t at_least,
              struct kit_answer *out);
/* Start one with this program, whose first line it has written, where there are logs.  Not offered without `workload`. */
int kit_run_speaking(struct kit *kit, const char *program, struct kit_connector **connector,
                     const char **handle);
/* Start one that ignores TERM; it has said that it does, where there are logs.  Not offered without `workload`. */
int kit_run_stubborn(struct kit *kit, struct kit_connector **connector, const char **handle);
bool kit_same_line(const struct gantry_line *a, const struct gantry_line *b);
/* These lines, and no others. */
int kit_same_lines(struct kit *kit, const char *when, const struct kit_answer *got,
                   const struct gantry_line *expected, size_t count);

#endif
