/* events.h - telling what happens, each thing once. */
#ifndef MANAGER_EVENTS_H
#define MANAGER_EVENTS_H

#include "manager_internal.h"

/* events.c: what happens to connectors; nothing of a connector's configuration ever gets here (S10) */
void events_wished(struct connector *c,
                   const struct platform_connector *from); /* not taken over yet */
void events_hash(struct connector *c, const char *hash);   /* the same */
void events_unlisted(struct connector *c);
void events_look(struct connector *c, int64_t now_ms);   /* at its workload, just judged */
void events_acting(struct connector *c, int64_t now_ms); /* before its action begins */
/* It has ended, or (job: NULL) could not begin.  error: why it failed; NULL: it did not. */
void events_acted(struct connector *c, const struct runtime_job *job, const char *error,
                  int64_t now_ms);

/* events_cause.c: why, in words; *b is appended to */
void cause_of_end(struct buf *b, const struct seen *s);
/* exited: an exit has been counted since the last one that was told. */
void cause_of_state(struct buf *b, const struct connector *c, uint8_t state, bool exited);
void cause_of_action(struct buf *b, const struct connector *c, int64_t now_ms);
void cause_of_hash(struct buf *b, const char *from, const char *to);

/* events_file.c */
/* Tell one event, to the file and to the program.  size and time_ms are filled in; texts may be NULL. */
void events_add(struct gantry_manager *m, const struct gantry_manager_event *event);
void events_close(struct gantry_manager *m);
/* Of these, not of a connector.  error: NULL: none. */
void events_manager(struct gantry_manager *m, const char *from, const char *to, const char *cause,
                    const char *error);
void events_platform(const struct platform_side *p, const char *call, int code,
                     const struct gantry_error *error, const struct asking *a);
void events_backend(const struct backend_side *b, int code, const struct gantry_error *error);
void events_down(const struct backend_side *b, const char *name); /* by GANTRY_RUN_DOWN */
void events_drained(const struct backend_side *b);
/* Of its workload on b, which is drained.  error: why the action failed; NULL: it did not. */
void events_moved(const struct connector *c, const struct backend_side *b, const char *action,
                  const char *from, const char *to, const char *cause, const char *error,
                  int64_t took_ms);

#endif
