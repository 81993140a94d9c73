/* places.h - which backends hold workloads, remembered over restarts (places.c). */
#ifndef MANAGER_PLACES_H
#define MANAGER_PLACES_H

#include "manager_internal.h"

/* A backend that holds workloads, or did when it was last listed (places.c). */
struct held {
    char *backend, *plugin, *place;
    VEC(char *) platforms; /* names of those whose workloads it holds */
};

MUST_CHECK int places_open(struct backend_side *b); /* once its settings are bound */
MUST_CHECK int places_read(struct gantry_manager *m, const struct cJSON *json);
void places_print(struct buf *b, const struct gantry_manager *m);
void places_clear(struct gantry_manager *m);
/* Do the settings leave workloads behind?  Asks backends where that tells more than the memory. */
MUST_CHECK int places_check(struct gantry_manager *m, struct gantry_error **err);
void places_will_hold(struct platform_side *p); /* before its backend makes something for it */
void places_listed(struct backend_side *b, const struct runtime_job *job, uint64_t asked);
void places_taken_down(struct backend_side *b); /* nothing of these platforms is there any more */

/* Between the two files. */
bool held_is_at(const struct held *h, const struct backend_side *b);
struct held *held_of(const struct backend_side *b); /* NULL: none */
/* The i-th platform has nothing there any more; h: is gone when it was the last one. */
void held_drop(struct gantry_manager *m, struct held *h, size_t i);
/* NULL: these settings do not have it. */
const struct platform_side *places_platform(const struct gantry_manager *m, const char *name);
/* Does a listing have workloads of a platform, or (NULL) of any of these settings? */
bool places_has(struct gantry_manager *m, const struct runtime_job *job, const char *platform);

#endif
