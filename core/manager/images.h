/* images.h - what a manager knows of images: which ones it has fetched itself, so that it may remove them
 * (images.c), and which registries want a pause (pauses.c).
 *
 * A part of manager_internal.h, which has the structs that these are in. */
#ifndef MANAGER_IMAGES_H
#define MANAGER_IMAGES_H

#include "buf.h"
#include "runtime.h"
#include "vec.h"

struct backend_side;
struct cJSON;
struct connector;
struct gantry_manager;
struct platform_side;

/* ---- images.c, images_state.c --------------------------------------------------------------------- */

/* One image that was not on the backend before Gantry fetched it. */
struct pulled_image {
    char *reference, *digest;   /* owned, as the others */
    char *platform, *connector; /* for whom it was fetched last: NAME of [platform NAME], id */
    int64_t at_ms;              /* Unix time in milliseconds */
    bool asked;                 /* in this round: the backend would not remove it */
};

/* Of one backend. */
struct images {
    VEC(struct pulled_image) pulled; /* the oldest first */
    bool stale;                      /* something has changed: it is time for a round of removals */
    bool removing;                   /* a REMOVE_IMAGE is in flight */
};
#define IMAGES_PULLED_MAX 1000 /* the oldest are forgotten, and stay on the backend for good */

/* It runs as wished: what it was made from is its image now, and what that was before, the one before. */
void images_look(struct connector *c);
/* An action of it has ended, well or not. */
void images_fetched(struct connector *c, const struct runtime_job *job);
void images_step(struct backend_side *b); /* ask for one removal, if one is due */
void images_removed(struct backend_side *b, const struct runtime_job *job);
bool images_are_settled(const struct backend_side *b);
/* Keep an image in mind.  Its texts are copied. */
MUST_CHECK int images_add(struct backend_side *b, const struct pulled_image *image);
void images_clear(struct images *images);

/* The state file: members of the whole, of a connector's object; json: may be NULL. */
void images_write(struct buf *b, const struct gantry_manager *m);
MUST_CHECK int images_read(struct gantry_manager *m, const struct cJSON *json);
void images_write_connector(struct buf *b, const struct connector *c);
MUST_CHECK int images_read_connector(struct connector *c, const struct cJSON *json);

/* ---- pauses.c ------------------------------------------------------------------------------------- */

/* A registry that has asked for a pause. */
struct pause {
    char *host;
    int64_t until_ms;  /* monotonic */
    uint32_t refusals; /* in a row */
};
typedef VEC(struct pause) pause_list;

/* How long no image of this reference may be pulled; 0: it may. */
int64_t pause_left_ms(const struct gantry_manager *m, const char *image, int64_t now_ms);
/* An action that may have pulled has ended: its registry's word is taken, and the connector's next attempt
 * put off.  After reconcile_done(). */
void pause_hear(struct connector *c, const struct runtime_job *job, int64_t now_ms);
void pauses_clear(pause_list *pauses);

#endif
