/* document.c - looking at parsed documents, and removing fields from them. */
#include "graphql_internal.h"

const char *
gql_operation_kind_word(enum gql_operation_kind kind)
{
    switch (kind) {
    case GQL_QUERY:
        return "query";
    case GQL_MUTATION:
        return "mutation";
    case GQL_SUBSCRIPTION:
        return "subscription";
    }
    return "unknown";
}

size_t
gql_operation_count(const struct gql_document *doc)
{
    size_t count = 0;
    for (const struct gql_definition *it = doc->definitions; it; it = it->next)
        count += !it->is_fragment;
    return count;
}

static const struct gql_definition *
find_operation(const struct gql_document *doc, size_t operation)
{
    for (const struct gql_definition *it = doc->definitions; it; it = it->next)
        if (!it->is_fragment && operation-- == 0)
            return it;
    return NULL;
}

enum gql_operation_kind
gql_operation_kind(const struct gql_document *doc, size_t operation)
{
    const struct gql_definition *found = find_operation(doc, operation);
    return found ? found->operation : GQL_QUERY;
}

struct str
gql_operation_name(const struct gql_document *doc, size_t operation)
{
    const struct gql_definition *found = find_operation(doc, operation);
    return found ? found->name : STR_NONE;
}

/* Fragments wait in a queue, each once: a chain of them costs no depth, and a circle ends. */
struct root_walk {
    const struct gql_document *doc;
    const struct gql_definition **queue;
    size_t queued;
    struct str *names;
    size_t max, count;
};

static void
queue_fragment(struct root_walk *walk, struct str name)
{
    for (size_t i = 0; i < walk->queued; i++)
        if (str_eq(walk->queue[i]->name, name))
            return;
    for (const struct gql_definition *it = walk->doc->definitions; it; it = it->next) {
        if (it->is_fragment && str_eq(it->name, name)) {
            walk->queue[walk->queued++] = it;
            return;
        }
    }
}

static void
collect(struct root_walk *walk, const struct gql_selection *first)
{
    for (const struct gql_selection *it = first; it; it = it->next) {
        switch (it->kind) {
        case GQL_FIELD:
            if (walk->count < walk->max)
                walk->names[walk->count] = it->name;
            walk->count++;
            break;
        case GQL_FRAGMENT_SPREAD:
            queue_fragment(walk, it->name);
            break;
        case GQL_INLINE_FRAGMENT:
            collect(walk, it->selections);
            break;
        }
    }
}

int
gql_root_fields(const struct gql_document *doc, size_t operation, struct str *names, size_t max,
                size_t *count)
{
    const struct gql_definition *root = find_operation(doc, operation);
    size_t fragments = 0;
    for (const struct gql_definition *it = doc->definitions; it; it = it->next)
        fragments += it->is_fragment;
    const struct gql_definition **queue = calloc(fragments + 1, sizeof *queue);
    if (!queue)
        return GANTRY_E_NOMEM;
    struct root_walk walk = {doc, queue, 0, names, max, 0};
    if (root)
        collect(&walk, root->selections);
    for (size_t i = 0; i < walk.queued; i++)
        collect(&walk, queue[i]->selections);
    free(queue);
    *count = walk.count;
    return 0;
}

static bool
is_field(const struct gql_selection *selection, struct str name)
{
    return selection->kind == GQL_FIELD && str_eq(selection->name, name);
}

static bool
has_field(const struct gql_selection *first, struct str name)
{
    for (const struct gql_selection *it = first; it; it = it->next)
        if (is_field(it, name) || has_field(it->selections, name))
            return true;
    return false;
}

bool
gql_has_field(const struct gql_document *doc, struct str name)
{
    for (const struct gql_definition *it = doc->definitions; it; it = it->next)
        if (has_field(it->selections, name))
            return true;
    return false;
}

static size_t
remove_field(struct gql_selection **first, struct str name, size_t *kept)
{
    size_t all = 0, matching = 0, removed = 0;
    for (const struct gql_selection *it = *first; it; it = it->next) {
        all++;
        matching += is_field(it, name);
    }
    bool keep = matching == all;
    struct gql_selection **link = first;
    while (*link) {
        bool match = is_field(*link, name);
        if (match && !keep) {
            *link = (*link)->next;
            removed++;
            continue;
        }
        *kept += match;
        removed += remove_field(&(*link)->selections, name, kept);
        link = &(*link)->next;
    }
    return removed;
}

size_t
gql_remove_field(struct gql_document *doc, struct str name, size_t *kept)
{
    size_t removed = 0, stayed = 0;
    for (struct gql_definition *it = doc->definitions; it; it = it->next)
        removed += remove_field(&it->selections, name, &stayed);
    if (kept)
        *kept = stayed;
    return removed;
}
