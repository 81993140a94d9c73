/* drain.h - backends that are drained: what connectors have there (drain_seen.c), and what is done about it
 * (drain.c). */
#ifndef MANAGER_DRAIN_H
#define MANAGER_DRAIN_H

#include "manager_internal.h"

/* What a connector has on one backend that is drained. */
struct away {
    struct away *next;
    struct backend_side *backend;
    VEC(struct seen) seen; /* never empty, but while an action is in flight */
    uint64_t acted;        /* as in struct connector */
    struct runtime_job *job;
    int64_t acting_since_ms;
    struct reconcile_memory memory;
    struct reconcile_decision decision;
    char *problem; /* of the last action, as it was said; NULL: none */
    enum reconcile_action doing;
    enum gantry_state acting_from;
    enum drain_home home; /* when it was last decided */
    bool ours;            /* removal is allowed by S2 */
    bool known;           /* the set */
    bool hung;
};

void drain_observe(struct connector *c, struct backend_side *b, const struct gantry_status *status,
                   uint64_t asked, bool ours);
void drain_begin_pass(struct backend_side *b, uint64_t asked);
void drain_end_pass(struct backend_side *b, uint64_t asked);
void drain_said(struct backend_side *b); /* whether it can be asked has changed */
/* After each decision about its own set.  known: that set. */
void drain_look(struct connector *c, enum reconcile_wish wish, bool known, int64_t now_ms);
enum drain_old drain_old_of(const struct connector *c);
const struct seen *drain_running(const struct connector *c); /* NULL: none that is known to */
const char *drain_from(const struct connector *c); /* the backend that it moves from; NULL: none */
bool drain_is_mine(const struct connector *c, const struct runtime_job *job);
void drain_done(struct connector *c, struct runtime_job *job);
void drain_forget_run(struct connector *c); /* what was asked before says nothing any more */
void drain_end_actions(struct connector *c);
bool drain_is_settled(const struct backend_side *b);
void drain_clear(struct connector *c);

/* Between the two files. */
bool away_is_known(const struct away *a);
struct seen *away_find(const struct away *a, const char *handle); /* NULL: none */
void away_drop(struct away *a, size_t i);
/* Two ways may lead to one engine: then it is the new backend's own workload, and has not to move. */
bool away_is_at_home(const struct connector *c, const struct seen *s);
bool away_has_to_move(const struct connector *c, const struct away *a);
struct away *away_of(const struct connector *c, const struct backend_side *b); /* NULL: none */
void away_drop_if_empty(struct connector *c, struct away *gone);

#endif
