/* promise_list.c - what list() promises. */
#include "conformance_internal.h"

#define MANY      12
#define MANY_SLOW 3

int
kit_try_list_none_is_success(struct kit *kit)
{
    KIT_CHECK(kit_expect_count(kit, "before anything was started", NULL, 0));
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make_and_remove(kit, &c, &handle));
    return kit_expect_count(kit, "after all was removed", NULL, 0);
}

static const struct gantry_status *
find_handle(const struct kit_answer *a, const char *handle)
{
    for (size_t i = 0; i < a->status_count; i++)
        if (text_eq(a->statuses[i].handle, handle))
            return &a->statuses[i];
    return NULL;
}

/* One of a listing, beside its inspection. */
static int
expect_same(struct kit *kit, const struct gantry_status *listed)
{
    struct kit_answer a = kit_inspect(kit, listed->handle, NULL);
    KIT_CHECK(kit_expect_ok(kit, "inspect() of what is listed", &a));
    const struct gantry_status *s = &a.status;
    if (!text_eq(listed->name, s->name))
        return kit_broken(kit, "list() calls it '%s', and inspect() '%s'", listed->name, s->name);
    if (listed->state != s->state)
        return kit_broken(kit, "list() says that '%s' is %s, and inspect() %s", s->name,
                          kit_state_word(listed->state), kit_state_word(s->state));
    if (!text_eq(listed->hash, s->hash) || !text_eq(listed->image, s->image))
        return kit_broken(kit, "list() and inspect() have another hash or image of '%s'", s->name);
    if (listed->label_count != s->label_count)
        return kit_broken(kit, "list() emits %u labels of '%s', and inspect() %u",
                          listed->label_count, s->name, s->label_count);
    for (uint32_t i = 0; i < s->label_count; i++)
        if (!text_eq(kit_label(listed, s->labels[i].key), s->labels[i].value))
            return kit_broken(kit, "list() has another value of label '%s' than inspect()",
                              s->labels[i].key);
    return KIT_OK;
}

int
kit_try_list_is_complete(struct kit *kit)
{
    const char *handles[MANY];
    struct kit_connector *connectors[MANY];
    size_t n = kit->given.slow ? MANY_SLOW : MANY;
    for (size_t i = 0; i < n; i++)
        KIT_CHECK(kit_make(kit, &connectors[i], &handles[i]));
    struct kit_answer a = kit_list(kit, NULL, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list()", &a));
    for (size_t i = 0; i < n; i++) {
        const struct gantry_status *listed = find_handle(&a, handles[i]);
        if (!listed)
            return kit_broken(kit, "%zu were started, and list() does not emit '%s'", n,
                              connectors[i]->name);
        KIT_CHECK(
            kit_expect_labels(kit, "the status of list()", listed, kit_spec(kit, connectors[i])));
        KIT_CHECK(expect_same(kit, listed));
    }
    if (a.status_count != n)
        return kit_broken(kit, "%zu were started, and list() emits %zu", n, a.status_count);
    return KIT_OK;
}

int
kit_try_list_stopped_too(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    struct kit_answer a = kit_stop(kit, handle, c, 1000, NULL);
    KIT_CHECK(kit_expect_ok(kit, "stop()", &a));
    a = kit_list(kit, NULL, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list()", &a));
    if (a.status_count != 1)
        return kit_broken(kit, "one workload is stopped, and list() emits %zu", a.status_count);
    return expect_same(kit, &a.status);
}

static int
expect_listed(struct kit *kit, const char *what, const struct gantry_pair *labels, uint32_t count,
              size_t n)
{
    struct kit_answer a = kit_do(
        kit, &(struct kit_call){.op = RUNTIME_LIST, .labels = labels, .label_count = count}, NULL);
    KIT_CHECK(kit_expect_ok(kit, "list()", &a));
    if (a.status_count == n)
        return KIT_OK;
    return kit_broken(kit, "list() by %s emits %zu workloads, and %zu bear them", what,
                      a.status_count, n);
}

int
kit_try_list_bears_all_labels(struct kit *kit)
{
    struct kit_connector *one, *two;
    const char *handle;
    KIT_CHECK(kit_make(kit, &one, &handle));
    KIT_CHECK(kit_make(kit, &two, &handle));
    const struct gantry_pair manager = {GANTRY_LABEL_MANAGER, kit->manager};
    const struct gantry_pair both[] = {manager, {GANTRY_LABEL_CONNECTOR, one->id}};
    const struct gantry_pair right[] = {
        manager, {GANTRY_LABEL_CONNECTOR, one->id}, {GANTRY_LABEL_HASH, one->hash}};
    const struct gantry_pair wrong[] = {
        manager, {GANTRY_LABEL_CONNECTOR, one->id}, {GANTRY_LABEL_HASH, two->hash}};
    const struct gantry_pair nobody[] = {manager, {"gantry.kit", "nobody"}};
    KIT_CHECK(expect_listed(kit, "the manager", &manager, 1, 2));
    KIT_CHECK(expect_listed(kit, "manager and connector", both, 2, 1));
    KIT_CHECK(expect_listed(kit, "manager, connector and hash", right, 3, 1));
    KIT_CHECK(expect_listed(kit, "labels of which one is another's", wrong, 3, 0));
    return expect_listed(kit, "a label that nobody has", nobody, 2, 0);
}

int
kit_try_list_other_managers_are_left_out(struct kit *kit)
{
    struct kit_connector *c, *foreign;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    if (!(foreign = kit_connector(kit)))
        return KIT_BROKEN;
    foreign->id = c->id;
    foreign->manager = kit_other_manager(kit);
    if (!foreign->manager)
        return kit_broken(kit, "the kit ran out of memory");
    KIT_CHECK(kit_run(kit, foreign, &handle));
    KIT_CHECK(kit_expect_count(kit, "beside another manager's workload", NULL, 1));
    return kit_expect_count(kit, "beside the same connector of another manager", c, 1);
}

int
kit_try_list_values_are_compared_whole(struct kit *kit)
{
    struct kit_connector *shorter = kit_connector(kit), *longer = kit_connector(kit);
    const char *handle;
    if (!shorter || !longer)
        return KIT_BROKEN;
    if (!(longer->id = arena_fmt(&kit->arena, "%s0", shorter->id)))
        return kit_broken(kit, "the kit ran out of memory");
    KIT_CHECK(kit_run(kit, longer, &handle));
    KIT_CHECK(kit_expect_count(kit, "while only a longer one is there", shorter, 0));
    KIT_CHECK(kit_run(kit, shorter, &handle));
    KIT_CHECK(kit_expect_count(kit, "while a longer one is there too", shorter, 1));
    return kit_expect_count(kit, "while a shorter one is there too", longer, 1);
}

int
kit_try_list_odd_values(struct kit *kit)
{
    static const char *const odd[] = {
        "a=b two words x,y;z UPPER.lower_-",
        "100%&+#?/\\ \"quoted\" 'too' {\"a\": [1]}",
        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(odd); i++) {
        struct kit_connector *c = kit_connector(kit);
        const char *handle;
        if (!c)
            return KIT_BROKEN;
        c->id = odd[i];
        KIT_CHECK(kit_run(kit, c, &handle));
        struct kit_answer a = kit_list(kit, c, NULL);
        KIT_CHECK(kit_expect_ok(kit, "list() by an odd value", &a));
        if (a.status_count != 1)
            return kit_broken(kit, "list() does not find the label value '%s'", odd[i]);
        KIT_CHECK(kit_expect_labels(kit, "the status of list()", &a.status, kit_spec(kit, c)));
    }
    return kit_expect_count(kit, "after all of them were started", NULL, ARRAY_LENGTH(odd));
}

int
kit_try_list_emit_that_says_stop(struct kit *kit)
{
    struct kit_connector *c;
    const char *handle;
    KIT_CHECK(kit_make(kit, &c, &handle));
    KIT_CHECK(kit_make(kit, &c, &handle));
    const struct gantry_pair label = {GANTRY_LABEL_MANAGER, kit->manager};
    return kit_expect_emit_ends(
        kit, "list()", &(struct kit_call){.op = RUNTIME_LIST, .labels = &label, .label_count = 1});
}
