/* promise_replace.c - what start() with existing and spec promises (S4). */
#include "conformance_internal.h"

#include <ctype.h>

/* A workload, and what has replaced it. */
struct replaced {
    struct kit_connector *connector;
    const char *old, *new; /* handles */
    bool in_place;
    struct gantry_status status; /* of the new one */
};

static int
replace(struct kit *kit, struct replaced *r)
{
    KIT_CHECK(kit_change(kit, r->connector));
    struct kit_answer a = kit_start(kit, r->connector, r->old, 0, NULL);
    KIT_CHECK(kit_expect_ok(kit, "start() with existing and spec", &a));
    r->new = a.status.handle;
    r->in_place = text_eq(r->old, r->new);
    r->status = a.status;
    return kit_await(kit, r->new, 1U << GANTRY_STATE_RUNNING, &r->status);
}

static int
make_and_replace(struct kit *kit, struct replaced *r)
{
    KIT_CHECK(kit_make(kit, &r->connector, &r->old));
    return replace(kit, r);
}

static int
expect_ended(struct kit *kit, const char *what, const char *handle)
{
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() of the old one", &a));
    if (!(KIT_ENDED & (1U << a.status.state)))
        return kit_broken(kit, "%s is %s", what, kit_state_word(a.status.state));
    return KIT_OK;
}

int
kit_try_replace_new_one_runs(struct kit *kit)
{
    struct replaced r;
    KIT_CHECK(make_and_replace(kit, &r));
    const char *hash = kit_label(&r.status, GANTRY_LABEL_HASH);
    if (!text_eq(hash, r.connector->hash))
        return kit_broken(kit, "the new one's label gantry.hash is '%s', and the spec says '%s'",
                          hash ? hash : "", r.connector->hash);
    if (!r.in_place)
        KIT_CHECK(expect_ended(kit, "the old one", r.old));
    return kit_expect_count(kit, "after the replace", r.connector, r.in_place ? 1 : 2);
}

int
kit_try_replace_new_one_waits_for_the_name(struct kit *kit)
{
    struct replaced r;
    KIT_CHECK(make_and_replace(kit, &r));
    const char *name = r.connector->name, *now = r.status.name;
    size_t n = strlen(name);
    if (r.in_place)
        return text_eq(now, name)
                   ? KIT_OK
                   : kit_broken(kit, "it was updated in place, and is called '%s'", now);
    bool right =
        strncmp(now, name, n) == 0 && strncmp(now + n, "-new-", 5) == 0 && strlen(now + n) == 9;
    for (size_t i = n + 5; right && i < n + 9; i++)
        right = isxdigit((unsigned char)now[i]);
    return right ? KIT_OK
                 : kit_broken(kit,
                              "the new one is called '%s', and should be '%s-new-' and 4 hex "
                              "digits",
                              now, name);
}

/* Remove the old one, as a manager does. */
static int
remove_old(struct kit *kit, struct replaced *r)
{
    if (!r->in_place) {
        struct kit_answer a = kit_remove(kit, r->old, r->connector, NULL);
        KIT_CHECK(kit_expect_ok(kit, "remove() of the old one", &a));
        a = kit_inspect(kit, r->old, NULL);
        KIT_CHECK(kit_expect_code(kit, "inspect() of the removed one", &a, GANTRY_E_NOT_FOUND));
    }
    struct kit_answer a = kit_inspect(kit, r->new, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() of the new one", &a));
    if (!text_eq(a.status.name, r->connector->name))
        return kit_broken(kit, "the old one was removed, and the new one is called '%s', not '%s'",
                          a.status.name, r->connector->name);
    KIT_CHECK(kit_expect_running(kit, "the new one", r->new));
    return kit_expect_count(kit, "after the old one was removed", r->connector, 1);
}

int
kit_try_replace_remove_gives_the_name_over(struct kit *kit)
{
    struct replaced r;
    KIT_CHECK(make_and_replace(kit, &r));
    return remove_old(kit, &r);
}

/* The connector has got another name meanwhile, and when the old one goes, somebody else bears that. */
int
kit_try_replace_taken_name_stays_taken(struct kit *kit)
{
    struct replaced r;
    const char *handle = NULL;
    struct kit_connector *other = kit_connector(kit);
    KIT_CHECK(kit_make(kit, &r.connector, &r.old));
    if (!other)
        return KIT_BROKEN;
    r.connector->name = other->name;
    KIT_CHECK(replace(kit, &r));
    if (r.in_place)
        return kit_not_offered(kit, "it updates in place, and its workloads keep their names");
    KIT_CHECK(kit_run(kit, other, &handle));
    struct kit_answer a = kit_remove(kit, r.old, r.connector, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove() of the old one", &a));
    a = kit_inspect(kit, r.new, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() of the new one", &a));
    if (text_eq(a.status.name, other->name))
        return kit_broken(kit, "two workloads are called '%s' after remove()", other->name);
    a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() of who bears the name", &a));
    return text_eq(a.status.name, other->name)
               ? KIT_OK
               : kit_broken(kit, "'%s' was taken from who bore it", other->name);
}

int
kit_try_replace_again(struct kit *kit)
{
    struct replaced r;
    KIT_CHECK(make_and_replace(kit, &r));
    KIT_CHECK(remove_old(kit, &r));
    r.old = r.new;
    KIT_CHECK(replace(kit, &r));
    return remove_old(kit, &r);
}

int
kit_try_replace_stopped_one_too(struct kit *kit)
{
    struct replaced r;
    KIT_CHECK(kit_make(kit, &r.connector, &r.old));
    struct kit_answer a = kit_stop(kit, r.old, r.connector, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    KIT_CHECK(replace(kit, &r));
    return remove_old(kit, &r);
}

int
kit_try_replace_removing_the_new_one_keeps_the_old(struct kit *kit)
{
    struct replaced r;
    KIT_CHECK(make_and_replace(kit, &r));
    if (r.in_place)
        return kit_not_offered(kit, "it updates in place: there is no old one");
    struct kit_answer a = kit_stop(kit, r.new, r.connector, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop() of the new one", &a));
    a = kit_remove(kit, r.new, r.connector, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove() of the new one", &a));
    a = kit_inspect(kit, r.old, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() of the old one", &a));
    if (!text_eq(a.status.name, r.connector->name))
        return kit_broken(kit, "the old one is called '%s' now, not '%s'", a.status.name,
                          r.connector->name);
    return kit_expect_count(kit, "after the new one was removed", r.connector, 1);
}

/* ---- S4: what fails changes nothing --------------------------------------------------------------- */

/* code: 0: any. */
static int
expect_failed_replace(struct kit *kit, const char *image, int code)
{
    struct replaced r;
    struct gantry_status before, after;
    KIT_CHECK(kit_make(kit, &r.connector, &r.old));
    KIT_CHECK(kit_await(kit, r.old, 1U << GANTRY_STATE_RUNNING, &before));
    KIT_CHECK(kit_change(kit, r.connector));
    r.connector->image = image;
    struct kit_answer a = kit_start(kit, r.connector, r.old, 0, NULL);
    if (a.code == 0)
        return kit_broken(kit, "a replace with image '%s' succeeded", image);
    if (code)
        KIT_CHECK(kit_expect_code(kit, "the replace", &a, code));
    if (kit_await(kit, r.old, 1U << GANTRY_STATE_RUNNING, &after) != KIT_OK)
        return KIT_BROKEN;
    if (!text_eq(before.name, after.name) ||
        !text_eq(kit_label(&before, GANTRY_LABEL_HASH), kit_label(&after, GANTRY_LABEL_HASH)))
        return kit_broken(kit, "the old one has another name or hash after a replace that failed");
    return kit_expect_count(kit, "after a replace that failed", r.connector, 1);
}

int
kit_try_replace_missing_image_changes_nothing(struct kit *kit)
{
    if (!kit->given.missing_image)
        return kit_not_offered(kit, "[kit] has no 'missing_image'");
    return expect_failed_replace(kit, kit->given.missing_image, GANTRY_E_IMAGE_MISSING);
}

int
kit_try_replace_broken_image_leaves_the_old(struct kit *kit)
{
    if (!kit->given.broken_image)
        return kit_not_offered(kit, "[kit] has no 'broken_image'");
    return expect_failed_replace(kit, kit->given.broken_image, 0);
}

int
kit_try_replace_old_that_is_not_there(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    KIT_CHECK(kit_change(kit, c));
    struct kit_answer a = kit_start(kit, c, handle, 0, NULL);
    KIT_CHECK(kit_expect_code(kit, "a replace of what is not there", &a, GANTRY_E_NOT_FOUND));
    return kit_expect_count(kit, "after that", c, 0);
}
