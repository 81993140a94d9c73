/* stages.h - one operation in its surroundings, and something done to it at each moment at which the plugin turns
 * to the host: the promises of cancellation and of deadlines are this, and what must be so afterwards. */
#ifndef CONFORMANCE_STAGES_H
#define CONFORMANCE_STAGES_H

#include "conformance_internal.h"

#include <stdatomic.h>

enum kit_interference {
    KIT_ONLY_COUNT,
    KIT_CANCEL,     /* the host has asked for its end, and gives it KIT_SOON_MS */
    KIT_ASK_TO_END, /* the same without that limit: it may finish what it has begun */
    KIT_OVERDUE,    /* its deadline has passed */
};

/* What a call works on. */
struct kit_scene {
    struct kit_connector *connector;
    const char *handle;
    unsigned workloads; /* of kit->manager, that are there */
};

/* One operation. */
struct kit_act {
    const char *name;
    /* Make what it needs; an act that only reads gets the same scene again. */
    int (*set)(struct kit *kit, struct kit_scene *scene);
    struct kit_answer (*call)(struct kit *kit, const struct kit_scene *scene,
                              const struct kit_manner *manner);
    /* What must be so now, whether it succeeded or not; it also takes the scene down.  when: for the detail. */
    int (*after)(struct kit *kit, struct kit_scene *scene, const struct kit_answer *answer,
                 enum kit_interference what, const char *when);
    bool reads;      /* and changes nothing */
    bool may_finish; /* what it has begun */
};

/* Call it undisturbed, learn how often the plugin turns to the host meanwhile, and then disturb further calls at
 * the first, second, ... of these moments (a few of them, where the runtime is slow). */
int kit_at_each_stage(struct kit *kit, const struct kit_act *act, enum kit_interference what);

extern const struct kit_act kit_act_start, kit_act_start_again, kit_act_replace, kit_act_stop,
    kit_act_remove, kit_act_inspect, kit_act_list, kit_act_logs, kit_act_probe, kit_act_pull;

/* Such an operation may be absent; else KIT_OK. */
int kit_needs_operation(struct kit *kit, bool offered, const char *name);
/* How many workloads the connector has now.  Broken when it cannot be listed. */
int kit_count(struct kit *kit, const struct kit_connector *connector, size_t *count);

#endif
