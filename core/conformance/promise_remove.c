/* promise_remove.c - what remove() promises. */
#include "conformance_internal.h"

static int
expect_gone(struct kit *kit, const char *handle, const struct kit_connector *c)
{
    struct kit_answer a = kit_inspect(kit, handle, NULL);
    KIT_CHECK(kit_expect_code(kit, "inspect() of what was removed", &a, GANTRY_E_NOT_FOUND));
    return kit_expect_count(kit, "after remove()", c, 0);
}

int
kit_try_remove_removes(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_remove(kit, handle, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove()", &a));
    return expect_gone(kit, handle, c);
}

int
kit_try_remove_running_too(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_remove(kit, handle, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove() of what runs", &a));
    return expect_gone(kit, handle, c);
}

int
kit_try_remove_twice(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    for (int i = 0; i < 2; i++) {
        struct kit_answer a = kit_remove(kit, handle, c, NULL);
        KIT_CHECK(kit_expect_ok(kit, "remove() of what is not there", &a));
    }
    return expect_gone(kit, handle, c);
}

/* The removal of one leaves another, which runs. */
static int
expect_left(struct kit *kit, const char *what, const struct kit_connector *other,
            const struct kit_connector *c)
{
    const char *handle, *others;
    KIT_CHECK(kit_run(kit, other, &others));
    KIT_CHECK(kit_run(kit, c, &handle));
    struct kit_answer a = kit_remove(kit, handle, c, NULL);
    KIT_CHECK(kit_expect_ok(kit, "remove()", &a));
    KIT_CHECK(expect_gone(kit, handle, c));
    a = kit_inspect(kit, others, NULL);
    if (a.code == 0 && !text_eq(a.status.name, other->name))
        return kit_broken(kit, "%s was renamed to '%s'", what, a.status.name);
    return kit_expect_running(kit, what, others);
}

int
kit_try_remove_leaves_others(struct kit *kit)
{
    struct kit_connector *other = kit_connector(kit), *c = kit_connector(kit);
    if (!other || !c)
        return KIT_BROKEN;
    return expect_left(kit, "another workload", other, c);
}

int
kit_try_remove_leaves_foreign(struct kit *kit)
{
    struct kit_connector *foreign = kit_connector(kit), *c = kit_connector(kit);
    if (!foreign || !c)
        return KIT_BROKEN;
    foreign->id = c->id;
    foreign->manager = kit_other_manager(kit);
    if (!foreign->manager)
        return kit_broken(kit, "the kit ran out of memory");
    return expect_left(kit, "the other manager's workload", foreign, c);
}

int
kit_try_remove_frees_the_name(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    KIT_CHECK(kit_run(kit, c, &handle));
    return kit_expect_count(kit, "after it was started again", c, 1);
}
