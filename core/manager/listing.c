/* listing.c - takes over a platform's listing, and asks the guard what may be removed (S3). */
#include "manager_internal.h"

#include "drain.h"
#include "events.h"

#include "clock.h"
#include "err.h"

static int
take_one(struct connector *c, const struct platform_connector *from, uint64_t asked)
{
    bool fresh = !c->listed;
    bool differs = fresh || c->wish != from->wish || !text_eq(c->hash, from->hash) ||
                   !text_eq(c->name, from->name) || !text_eq(c->image, from->image) ||
                   !text_eq(connector_note(c, NOTE_PROBLEM), from->problem);
    events_wished(c, from);
    int code = text_set(&c->name, from->name ? from->name : "");
    if (code == 0)
        code = connector_set_image(c, from->image ? from->image : "");
    if (code == 0)
        code = text_set(&c->hash, from->hash ? from->hash : "");
    if (code == 0)
        code = connector_set_note(c, NOTE_PROBLEM, from->problem);
    if (code < 0)
        return code;
    if (differs || !c->remembered)
        c->platform->manager->state_dirty = true;
    c->wish = from->wish;
    c->listed = c->remembered = true;
    c->released = false;
    c->passed = true;
    c->listed_known = from->known;
    if (asked > c->known_asked && c->known != from->known) {
        c->known = from->known; /* else our own report is newer than this answer */
        differs = true;
    }
    if (differs)
        connector_touch(c);
    return 0;
}

static struct connector *
find_or_make(struct platform_side *p, const char *id)
{
    struct connector *c = map_find(&p->connectors, str_of(id));
    if (c)
        return c;
    c = connector_new(p, id);
    if (!c)
        return NULL;
    /* The last listing of the backend did not look for it: a new one says what is there (S1). */
    backend_side_refresh(p->backend);
    return c;
}

static void
say_doubt(struct platform_side *p, const char *doubt)
{
    if (doubt && !text_eq(p->doubt, doubt))
        log_warn(&p->manager->log, "listing is not whole: nothing will be removed by it",
                 F_STR("platform", p->settings->name), F_STR("why", doubt));
    (void)text_set(&p->doubt, doubt);
}

void
listing_apply(struct platform_side *p, struct platform_listing *listing, uint64_t asked)
{
    bool whole = true;
    map_each (&p->connectors, e)
        ((struct connector *)e->value)->passed = false;
    for (size_t i = 0; i < listing->count; i++) {
        struct connector *c = find_or_make(p, listing->connectors[i].id);
        if (!c || take_one(c, &listing->connectors[i], asked) < 0)
            whole = false; /* out of memory: like a listing that is not complete */
    }
    const char *doubt = !whole ? "out of memory" : !listing->complete ? listing->doubt : NULL;
    if (!listing->complete && !doubt)
        doubt = "part of it could not be understood";
    say_doubt(p, doubt);
    if (!doubt) {
        map_each (&p->connectors, e) {
            struct connector *c = e->value;
            if (!c->passed && c->remembered) {
                c->remembered = false;
                p->manager->state_dirty = true;
            }
            if (c->listed && !c->passed) {
                c->listed = false;
                events_unlisted(c);
                log_info(&p->manager->log, "connector is not listed any more",
                         F_STR("connector", c->id), F_STR("name", c->name),
                         F_STR("platform", p->settings->name));
                connector_touch(c);
            }
        }
    } else {
        platform_forget_listing(p->platform);
    }
    if (listing->count > 0 || whole)
        p->manager->changed = true;
    listing_guard(p, doubt == NULL);
    platform_listing_free(listing);
}

/* Of a set with one more: the order does not matter. */
static uint64_t
digest_with(uint64_t sum, const char *id)
{
    uint64_t number = text_digest(id);
    number ^= number >> 29; /* the bits of FNV-1a are mixed upwards alone, and a sum is, too */
    return sum + (number ? number : 1);
}

static void
say_verdict(struct platform_side *p, enum guard_verdict before, const struct guard_input *in)
{
    struct log *log = &p->manager->log;
    if (p->verdict == before)
        return;
    switch (p->verdict) {
    case GUARD_ASK:
        log_error(
            log,
            "every running connector has vanished from the listing: nothing is removed until they "
            "are "
            "listed again, or 'gantryd --once --confirm-removals' is run with the daemon stopped",
            F_STR("platform", p->settings->name), F_INT("vanished", in->running_vanished));
        break;
    case GUARD_HOLD:
        log_warn(log, "many connectors have vanished at once: removals are held",
                 F_STR("platform", p->settings->name), F_INT("vanished", in->running_vanished),
                 F_INT("running", in->running));
        break;
    case GUARD_RELEASE:
        log_info(log, "vanished connectors may be removed", F_STR("platform", p->settings->name),
                 F_INT("vanished", in->vanished_count));
        break;
    case GUARD_NOTHING:
    case GUARD_AGREE:
        break;
    }
}

/* A connector that runs and whose last wish was RUN counts; of one found without a memory we assume
 * it. */
static bool
counts(const struct connector *c)
{
    bool runs = false;
    for (size_t i = 0; i < c->seen.len; i++)
        runs |= state_is_live(c->seen.ptr[i].state);
    runs |= drain_running(c) != NULL;
    return runs && (c->wish == PLATFORM_WISH_STARTING ||
                    (!c->listed && (!c->memory.seen_before || c->memory.last_wish == WISH_RUN)));
}

/* The same listing again: what it says of the status still heals a report that was lost. */
void
listing_repeated(struct platform_side *p)
{
    map_each (&p->connectors, e) {
        struct connector *c = e->value;
        if (c->listed && p->list_asked > c->known_asked && c->known != c->listed_known) {
            c->known = c->listed_known;
            connector_touch(c);
        }
    }
    listing_guard(p, p->doubt == NULL);
}

void
listing_guard(struct platform_side *p, bool complete)
{
    const struct config_manager *s = p->manager->settings;
    /* Deleting a file is an operator's word, too. */
    bool word = p->manager->confirmed || platform_is_local(p->platform);
    struct guard_input in = {
        .complete = complete && !p->ping.failing, /* who is not registered removes nothing */
        .max_removals = (uint32_t)s->max_removals,
        .removal_confirmations = word ? 0 : (uint32_t)s->removal_confirmations,
        .allow_all = s->allow_remove_all || word,
    };
    map_each (&p->connectors, e) {
        const struct connector *c = e->value;
        bool vanished =
            !c->listed && c->ours && !c->released && (c->seen.len > 0 || c->away || c->job);
        in.running += !c->released && counts(c);
        in.running_vanished += vanished && counts(c);
        if (vanished) {
            in.vanished_count++;
            in.vanished = digest_with(in.vanished, c->id);
        }
    }
    enum guard_verdict before = p->verdict;
    p->verdict = guard_decide(&in, &p->guard);
    say_verdict(p, before, &in);
    if (p->verdict != GUARD_RELEASE)
        return;
    map_each (&p->connectors, e) {
        struct connector *c = e->value;
        if (!c->listed && c->ours && !c->released) {
            c->released = true;
            connector_touch(c);
        }
    }
}
