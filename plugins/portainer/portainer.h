/* portainer.h - the plugin's own parts: where the environment is, what Portainer's refusals mean, and what it
 * holds of registries.  All that is asked of the engine behind it is done by plugins/engine. */
#ifndef PORTAINER_PORTAINER_H
#define PORTAINER_PORTAINER_H

#include "engine.h"

/* What is behind `engine`, which comes first, so that a task's engine is one of these. */
struct portainer {
    struct engine engine;
    char *environment; /* its number or its name, as configured */
    char *api_key;     /* secret */
    char *node;        /* where new containers are made; NULL: not said */
    char *stack;
    char **registries; /* HOST=ID */
    uint32_t registry_count;
    struct gantry_http_header header; /* of every request: the key */
    atomic_int environment_id;        /* 0: not looked up yet */
    atomic_bool has_nodes; /* agents of a swarm: containers are on one machine of several */
};

/* ---- connection.c: the settings ---- */

/* portainer: zeroed; filled, and connection_clear() frees what it got, also after a failure.
 * Returns 0, or GANTRY_E_INVALID or GANTRY_E_NOMEM with problem filled: which setting, what, what to do. */
int connection_read(const struct gantry_settings *settings, struct portainer *portainer,
                    char *problem, size_t problem_size);
void connection_clear(struct portainer *portainer);

/* ---- environment.c ---- */

struct environment {
    int id;
    bool is_agent;
};
/* The one that is meant, in Portainer's list of them.  0, or a code with problem filled. */
int environment_choose(const cJSON *list, const char *wanted, struct environment *found,
                       char *problem, size_t problem_size);
/* Appends /api/endpoints/ID/docker; see struct engine_proxy. */
int environment_place(struct engine_task *task, struct text *url);
/* Looks it up if it is not known yet. */
int environment_find(struct engine_task *task);

/* ---- refusal.c ---- */

/* See struct engine and struct engine_proxy. */
int refusal_classify(const struct engine_reply *reply, bool is_pull, char *message, size_t size);
bool refusal_has_moved(const struct engine_reply *reply);

/* ---- images.c ---- */

/* Does the image come from this registry? */
bool image_is_of(const char *reference, const char *host);
void image_registry_auth(const struct engine *engine, const char *reference, struct text *header);
bool image_path_is_taken(const char *reference);
int image_name(struct engine_task *task, const char *reference, char *name, size_t size);

#endif
