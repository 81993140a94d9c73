/* platform_side.c - asks one platform: ping, listing, and configurations where a hash is new.
 *
 * The ping and the listing, which may take 90 s on a platform that is starting, never wait for each
 * other. */
#include "manager_internal.h"

#include "events.h"

#include "clock.h"
#include "err.h"
#include "random.h"

bool
platform_side_up(const struct platform_side *p)
{
    return p->list.answered && !p->list.failing;
}

bool
platform_side_is_offline(const struct platform_side *p)
{
    return p->manager->how == GANTRY_RUN_DAEMON && !p->list.answered && p->list.failing &&
           platform_side_accepts(p);
}

/* What shall run by its last good listing is started meanwhile. */
static void
went_offline(struct platform_side *p)
{
    if (p->offline || !platform_side_is_offline(p))
        return;
    p->offline = true;
    size_t remembered = 0;
    map_each (&p->connectors, e) {
        remembered += ((struct connector *)e->value)->remembered;
        connector_touch(e->value);
    }
    if (remembered > 0)
        log_warn(&p->manager->log,
                 "platform cannot be asked: what shall run by its last listing is started",
                 F_STR("platform", p->settings->name), F_INT("listed", remembered));
}

static void
say(struct platform_side *p, const char *what, bool news, int code,
    const struct gantry_error *error, const struct asking *a)
{
    struct log *log = &p->manager->log;
    if (!news ||
        code == GANTRY_E_UNSUPPORTED) /* what a platform lacks is said by its own room, once */
        return;
    events_platform(p, what, code, error, a);
    if (code == 0)
        log_info(log, "platform answers again", F_STR("platform", p->settings->name),
                 F_STR("call", what));
    else
        log_warn(log, "platform call failed", F_STR("platform", p->settings->name),
                 F_STR("call", what), F_STR("code", gantry_code_name(code)),
                 F_STR("error", err_text(error)), F_MS("retry_in", a->next_ms - clock_mono_ms()));
}

/* A platform that refuses is asked once in a ping period; back-off is for what may heal by itself.
 */
static void
refused_waits(struct asking *a, int code, const struct gantry_manager *m)
{
    if (code == GANTRY_E_DENIED || code == GANTRY_E_CONFLICT || code == GANTRY_E_UNSUPPORTED)
        a->next_ms = MAX(a->next_ms, clock_mono_ms() + m->settings->ping_interval_ms);
}

/* Another manager is registered there: its connectors are not ours to run, whatever the listing says. */
bool
platform_side_accepts(const struct platform_side *p)
{
    if (p->manager->how == GANTRY_RUN_DRY)
        return true;
    return p->ping_ended && !p->refused;
}

static void
pinged(void *context, int code, const struct gantry_error *error)
{
    struct platform_side *p = context;
    struct gantry_manager *m = p->manager;
    bool accepted = platform_side_accepts(p);
    bool news = asking_end(&p->ping, code, error, m->settings->ping_interval_ms);
    p->ping_ended = true;
    if (code == 0 || code == GANTRY_E_CONFLICT)
        p->refused = code == GANTRY_E_CONFLICT;
    refused_waits(&p->ping, code, m);
    m->changed |= news;
    if (code < 0 && code != GANTRY_E_UNSUPPORTED && !m->first_error)
        (void)err_set(&m->first_error, code, "platform '%s': %s", p->settings->name,
                      err_text(error));
    say(p, "ping", news, code, error, &p->ping);
    if (!accepted && platform_side_accepts(p)) {
        map_each (&p->connectors, e)
            connector_touch(e->value);
    }
    went_offline(p);
}

static void
listed(void *context, int code, const struct gantry_error *error, struct platform_listing *listing,
       bool unchanged)
{
    struct platform_side *p = context;
    struct gantry_manager *m = p->manager;
    if (p->list_asked == 0) { /* by a run before this one */
        p->list.in_flight = false;
        platform_forget_listing(p->platform);
        platform_listing_free(listing);
        return;
    }
    bool was_up = platform_side_up(p);
    bool news = asking_end(&p->list, code, error, m->settings->interval_ms);
    refused_waits(&p->list, code, m);
    say(p, "list", news, code, error, &p->list);
    if (code < 0) {
        if (!m->first_error)
            (void)err_set(&m->first_error, code, "platform '%s': %s", p->settings->name,
                          err_text(error));
        m->changed = true;
        went_offline(p);
        return;
    }
    if (unchanged)
        listing_repeated(p);
    else
        listing_apply(p, listing, p->list_asked);
    if (!was_up) {
        map_each (&p->connectors, e)
            connector_touch(e->value);
    }
    m->changed |= !was_up;
}

static bool
wants_configuration(const struct connector *c)
{
    return c && c->listed && !c->job &&
           (c->decision.action == DO_CREATE || c->decision.action == DO_REPLACE);
}

/* The pair of hash and configuration of one answer belongs together, and is newer than the
 * listing's. */
static void
take_configuration(struct platform_side *p, const struct platform_configuration *from)
{
    struct connector *c = map_find(&p->connectors, str_of(from->id));
    if (!wants_configuration(c))
        return;
    if (connector_keep_configuration(c, from) < 0) {
        connector_drop_configuration(c);
        return;
    }
    if (!text_eq(c->hash, from->hash) || !text_eq(c->image, from->image))
        platform_forget_listing(p->platform); /* the next listing is to be read, whatever it says */
    events_hash(c, from->hash);
    if (text_set(&c->hash, from->hash) == 0 && connector_set_image(c, from->image) == 0)
        connector_touch(c);
}

static void
configured(void *context, int code, const struct gantry_error *error,
           struct platform_configurations *configurations)
{
    struct platform_side *p = context;
    bool news = asking_end(&p->configure, code, error, 0);
    say(p, "configurations", news, code, error, &p->configure);
    if (code < 0) {
        p->configure_wanted = true;
        if (!p->manager->first_error)
            (void)err_set(&p->manager->first_error, code, "platform '%s': %s", p->settings->name,
                          err_text(error));
        return;
    }
    for (size_t i = 0; i < configurations->count; i++)
        take_configuration(p, &configurations->items[i]);
    configurations_taken(p);
    for (size_t i = 0; i < configurations->unusable_count; i++) {
        const struct platform_unusable *bad = &configurations->unusable[i];
        struct connector *c = map_find(&p->connectors, str_of(bad->id));
        if (wants_configuration(c))
            act_refused(c, bad->text);
    }
    platform_configurations_free(configurations);
    map_each (&p->connectors, e) {
        struct connector *c = e->value;
        if (wants_configuration(c) &&
            !(c->configuration && text_eq(c->configuration->hash, c->hash)))
            act_refused(c, "the platform gives no configuration for it");
    }
    /* One that is listed and has no configuration asks again with the next listing. */
    p->configure.next_ms = clock_mono_ms() + MIN(1000, p->manager->settings->interval_ms);
}

void
platform_side_want_configuration(struct platform_side *p)
{
    p->configure_wanted = true;
}

void
platform_side_step(struct platform_side *p, int64_t now_ms)
{
    struct gantry_manager *m = p->manager;
    bool dry = m->how == GANTRY_RUN_DRY;
    if (platform_fd(p->platform) >= 0 && platform_changed(p->platform))
        p->list.next_ms = MIN(p->list.next_ms, p->list_began_ms + LIST_GAP_MS);
    if (!dry && asking_due(&p->ping, now_ms)) {
        asking_begin(&p->ping);
        platform_ping(p->platform, pinged, p);
    }
    if (asking_due(&p->list, now_ms)) {
        asking_begin(&p->list);
        p->list_asked = ++m->asked;
        p->list_began_ms = now_ms;
        platform_list(p->platform, listed, p);
    }
    if (p->configure_wanted && asking_due(&p->configure, now_ms)) {
        p->configure_wanted = false;
        asking_begin(&p->configure);
        platform_configure(p->platform, configured, p);
    }
    report_queue_run(p);
    while (platform_step(p->platform))
        ;
}

int64_t
platform_side_due(const struct platform_side *p)
{
    int64_t due = NEVER_MS;
    if (!p->ping.in_flight && p->manager->how != GANTRY_RUN_DRY)
        due = MIN(due, p->ping.next_ms);
    if (!p->list.in_flight)
        due = MIN(due, p->list.next_ms);
    if (p->configure_wanted && !p->configure.in_flight)
        due = MIN(due, p->configure.next_ms);
    return due;
}
