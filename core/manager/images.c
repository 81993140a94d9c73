/* images.c - images that Gantry has fetched, and their removal when nothing uses them any more.
 *
 * Only what a plugin has told as fetched is ever removed: what was on the backend before is somebody else's.
 * An image is let go when it is neither what a connector of that backend is made from, nor what it was made
 * from before, and the connector that it was fetched for runs: the last good image is never taken from one
 * that does not run.  The plugin has the last word, as others may have come to use it. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"

#define REMOVE_TIMEOUT_MS 60000

static void
pulled_clear(struct pulled_image *image)
{
    free(image->reference);
    free(image->digest);
    free(image->platform);
    free(image->connector);
}

void
images_clear(struct images *images)
{
    vec_each (&images->pulled, image)
        pulled_clear(image);
    vec_clear(&images->pulled);
}

static struct pulled_image *
find(struct images *images, const char *reference, const char *digest)
{
    vec_each (&images->pulled, image) {
        if (text_eq(image->reference, reference) && text_eq(image->digest, digest))
            return image;
    }
    return NULL;
}

static void
drop(struct images *images, const struct pulled_image *image)
{
    size_t i = (size_t)(image - images->pulled.ptr);
    pulled_clear(&images->pulled.ptr[i]);
    vec_remove(&images->pulled, i);
}

int
images_add(struct backend_side *b, const struct pulled_image *image)
{
    struct pulled_image made = {
        .reference = text_dup(image->reference),
        .digest = text_dup(image->digest),
        .platform = text_dup(image->platform),
        .connector = text_dup(image->connector),
        .at_ms = image->at_ms,
    };
    const struct pulled_image *old = find(&b->images, image->reference, image->digest);
    struct pulled_image *slot = NULL;
    if (made.reference && made.digest && made.platform && made.connector)
        slot = vec_push(&b->images.pulled);
    if (!slot) {
        pulled_clear(&made);
        return GANTRY_E_NOMEM;
    }
    *slot = made;
    if (old) /* the vector may have moved, the first of the two is still the old one */
        drop(&b->images, find(&b->images, image->reference, image->digest));
    if (b->images.pulled.len > IMAGES_PULLED_MAX)
        drop(&b->images, &b->images.pulled.ptr[0]);
    return 0;
}

void
images_fetched(struct connector *c, const struct runtime_job *job)
{
    struct gantry_manager *m = c->platform->manager;
    if (!job->fetched.size)
        return;
    const struct pulled_image image = {
        .reference = (char *)(uintptr_t)job->fetched.reference,
        .digest = (char *)(uintptr_t)job->fetched.digest,
        .platform = (char *)(uintptr_t)c->platform->settings->name,
        .connector = c->id,
        .at_ms = clock_wall_ms(),
    };
    if (images_add(c->platform->backend, &image) < 0)
        return; /* then it stays for good */
    m->state_dirty = m->state_urgent = true;
    log_info(&m->log, "image fetched", F_STR("connector", c->id), F_STR("name", c->name),
             F_STR("image", image.reference), F_STR("digest", image.digest));
}

static bool
runs_as_wished(const struct connector *c)
{
    return c->observed && !c->hung && !c->job && c->seen.len == 1 && c->seen.ptr[0].digest &&
           c->seen.ptr[0].state == GANTRY_STATE_RUNNING && text_eq(c->seen.ptr[0].hash, c->hash);
}

void
images_look(struct connector *c)
{
    if (!runs_as_wished(c) || text_eq(c->seen.ptr[0].digest, c->digest))
        return;
    const char *now = text_share(c->platform, c->seen.ptr[0].digest);
    if (!now)
        return; /* out of memory: at the next look */
    text_unshare(c->platform, c->digest_before);
    c->digest_before = c->digest;
    c->digest = now;
    c->platform->backend->images.stale = true;
    c->platform->manager->state_dirty = true;
}

static bool
uses(const struct connector *c, const char *digest)
{
    if (text_eq(c->digest, digest) || text_eq(c->digest_before, digest))
        return true;
    vec_each (&c->seen, s) {
        if (text_eq(s->digest, digest))
            return true;
    }
    return false;
}

static bool
is_let_go(const struct backend_side *b, const struct pulled_image *image)
{
    for (size_t i = 0; i < b->manager->platform_count; i++) {
        const struct platform_side *p = &b->manager->platforms[i];
        bool whose = text_eq(p->settings->name, image->platform);
        if (p->backend != b)
            continue;
        if (whose && !p->list.answered)
            return false;
        map_each (&p->connectors, e) {
            const struct connector *c = e->value;
            if (uses(c, image->digest) ||
                (whose && text_eq(c->id, image->connector) && !runs_as_wished(c)))
                return false;
        }
    }
    return true;
}

/* The next one that may go, or NULL when this round is over. */
static struct pulled_image *
next(struct backend_side *b)
{
    vec_each (&b->images.pulled, image) {
        if (!image->asked && is_let_go(b, image))
            return image;
    }
    return NULL;
}

static bool
may_remove(const struct backend_side *b)
{
    const struct gantry_manager *m = b->manager;
    return b->settings->image_retention && runtime_backend_table(b->backend)->remove_image &&
           (m->how == GANTRY_RUN_DAEMON || m->how == GANTRY_RUN_ONCE);
}

static void
ask(struct backend_side *b, struct pulled_image *image)
{
    struct runtime_job *job = runtime_job_new(RUNTIME_REMOVE_IMAGE, b->backend);
    image->asked = true;
    if (!job)
        return;
    job->image.reference = arena_dup_text(&job->arena, image->reference);
    job->image.digest = arena_dup_text(&job->arena, image->digest);
    job->timeout_ms = REMOVE_TIMEOUT_MS;
    if (!job->image.reference || !job->image.digest) {
        runtime_job_free(job);
        return;
    }
    b->images.removing = true;
    runtime_submit(b->manager->runtime, job);
}

/* One at a time, and while no action is in flight that might be about to use it. */
void
images_step(struct backend_side *b)
{
    if (!b->images.stale || b->images.removing || b->manager->actions_in_flight > 0 ||
        !b->list.answered || b->list.failing || !may_remove(b))
        return;
    struct pulled_image *image = next(b);
    if (image) {
        ask(b, image);
        return;
    }
    b->images.stale = false;
    vec_each (&b->images.pulled, i)
        i->asked = false;
}

void
images_removed(struct backend_side *b, const struct runtime_job *job)
{
    struct gantry_manager *m = b->manager;
    const struct pulled_image *image = find(&b->images, job->image.reference, job->image.digest);
    b->images.removing = false;
    if (job->code < 0) {
        LOG_AT_(&m->log, job->code == GANTRY_E_CONFLICT ? LOG_DEBUG : LOG_WARN,
                "image stays for now", F_STR("image", job->image.reference),
                F_STR("digest", job->image.digest), F_STR("error", err_text(job->error)));
        return;
    }
    log_info(&m->log, "image removed: nothing uses it any more",
             F_STR("image", job->image.reference), F_STR("digest", job->image.digest));
    if (image)
        drop(&b->images, image);
    m->state_dirty = true;
}

bool
images_are_settled(const struct backend_side *b)
{
    return !b->images.removing && !(b->images.stale && may_remove(b));
}
