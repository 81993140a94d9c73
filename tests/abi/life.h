/* life.h - what the files of the test life share: the plugin that is tried, sessions with it, calls and what they emit. */
#ifndef TESTS_ABI_LIFE_H
#define TESTS_ABI_LIFE_H

#include <gantry/host.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 64 };

extern const char *plugin_file;
extern char plugin_name[64], folder[64];
extern int is_whole;       /* it has the optional operations */
extern char trace[200000]; /* of the session that was opened last */

/* Of the workload that is asked for, and of another manager's. */
extern const struct gantry_pair labels[3], foreign_labels[2];

/* What one call emitted, as text where that is easier to compare. */
struct seen {
    unsigned statuses, lines, events, images, traits, enough; /* enough: events, then end */
    struct status {
        char handle[40], name[80], hash[40], image[40], digest[40], error[80], labels[300];
        struct gantry_status s;
    } status[MANY];
    struct line {
        char text[700], cursor[40];
        struct gantry_line l;
    } line[MANY];
    char event[MANY][80], image[200], product[80], version[80], detail[3000];
};

void expect_line(const struct seen *seen, const char *text);
void expect_trace(const char *words);
/* Open it with these lines in its section. */
int try_open(const char *lines, struct gantry_session **out, struct gantry_error **err);
int is_everything(void);
struct gantry_session *open_plain(void);
struct gantry_spec plain_spec(void);
struct gantry_request request(const char *operation, struct seen *seen);
/* The call ends with this code; and, where it failed, with a text that has these words. */
void expect(struct gantry_session *s, const struct gantry_request *r, int code, const char *words);
struct gantry_ref ref_to(const char *handle);
/* A call of an operation that takes a workload. */
void call_ref(struct gantry_session *s, const char *operation, const char *handle,
              struct seen *seen, int code);
void start(struct gantry_session *s, const char *existing, const struct gantry_spec *spec,
           uint32_t flags, struct seen *seen, int code, const char *words);
void list(struct gantry_session *s, const struct gantry_pair *wanted, uint32_t count,
          struct seen *seen, unsigned found);
void expect_status(const struct status *s, const char *handle, const char *name, uint32_t state);

/* life_everything.c: the plugin that has everything, whatever its version. */
int test_everything(const char *name);
int test_later_version(const char *name);
/* The one in C++. */
void cpp_reads_its_settings(void **state);

/* life.c: what every plugin does. */
void starts_replaces_stops_and_removes(void **state);
void foreign_workload_is_a_conflict_and_not_listed(void **state);
void logs_go_on_after_a_cursor(void **state);
#define EVERY_PLUGIN                                                                               \
    cmocka_unit_test(starts_replaces_stops_and_removes),                                           \
        cmocka_unit_test(foreign_workload_is_a_conflict_and_not_listed),                           \
        cmocka_unit_test(logs_go_on_after_a_cursor)

#endif
