/* link.c - @link read: URLs, versions, imports and what they are called (link.h). */
#include "link.h"

static const struct gql_value *
find(const struct gql_argument *first, const char *name)
{
    for (; first; first = first->next)
        if (str_eq(first->name, str_of(name)))
            return &first->value;
    return NULL;
}

static struct str
text_of(const struct gql_value *value)
{
    bool text = value && (value->kind == GQL_VALUE_STRING || value->kind == GQL_VALUE_BLOCK_STRING);
    return text ? value->text : STR_NONE;
}

static struct str
without_at(struct str name)
{
    return str_starts_with(name, STR("@")) ? (struct str){name.ptr + 1, name.len - 1} : name;
}

/* The part behind the last '/', which is cut off. */
static struct str
cut_last(struct str *path)
{
    size_t start = path->len;
    if (start == 0)
        return STR_NONE;
    while (start && path->ptr[start - 1] != '/')
        start--;
    struct str last = {path->ptr + start, path->len - start};
    path->len = start ? start - 1 : 0;
    return last;
}

bool
gql_is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len != 0;
}

/* "v2.11"; false: it is none. */
static bool
read_version(struct str s, struct gql_link *link)
{
    struct str minor;
    uint64_t numbers[2];
    if (!str_starts_with(s, STR("v")))
        return false;
    struct str major = str_cut((struct str){s.ptr + 1, s.len - 1}, '.', &minor);
    if (!minor.ptr || !str_to_uint64(major, &numbers[0]) || !str_to_uint64(minor, &numbers[1]) ||
        numbers[0] > UINT32_MAX || numbers[1] > UINT32_MAX)
        return false;
    link->major = (uint32_t)numbers[0];
    link->minor = (uint32_t)numbers[1];
    return true;
}

static void
read_url(struct gql_link *link)
{
    struct str rest, path = link->url;
    path = str_cut(path, '#', &rest);
    path = str_cut(path, '?', &rest);
    while (str_ends_with(path, STR("/")))
        path.len--;
    struct str last = cut_last(&path);
    link->has_version = read_version(last, link);
    link->name = link->has_version ? cut_last(&path) : last;
    if (!gql_is_name(link->name))
        link->name = STR_NONE;
}

static bool
read_imports(struct arena *a, const struct gql_value *list, struct gql_link *link)
{
    struct gql_link_import **tail = &link->imports;
    const struct gql_argument *it = list && list->kind == GQL_VALUE_LIST ? list->elements : NULL;
    for (; it; it = it->next) {
        bool object = it->value.kind == GQL_VALUE_OBJECT;
        struct str name = text_of(object ? find(it->value.elements, "name") : &it->value);
        struct str as = text_of(object ? find(it->value.elements, "as") : NULL);
        struct gql_link_import *import = arena_alloc(a, sizeof *import);
        if (!import)
            return false;
        import->at = it->value.at;
        import->is_directive = str_starts_with(name, STR("@"));
        import->name = without_at(name);
        import->as = without_at(as.len ? as : name);
        if (!import->name.len)
            continue;
        *tail = import;
        tail = &import->next;
    }
    return true;
}

static bool
add_link(struct arena *a, const struct gql_directive *d, struct gql_link ***tail)
{
    struct gql_link *link = arena_alloc(a, sizeof *link);
    if (!link)
        return false;
    link->directive = d;
    link->url = text_of(find(d->arguments, "url"));
    read_url(link);
    struct str as = text_of(find(d->arguments, "as"));
    link->as = as.len ? without_at(as) : link->name;
    **tail = link;
    *tail = &link->next;
    return read_imports(a, find(d->arguments, "import"), link);
}

bool
gql_links(struct arena *a, const struct gql_document *doc, struct gql_link **out)
{
    struct gql_link **tail = out;
    *out = NULL;
    for (const struct gql_system *s = doc->systems; s; s = s->next)
        for (const struct gql_directive *d = s->kind == GQL_SCHEMA ? s->directives : NULL; d;
             d = d->next)
            if (str_eq(d->name, STR("link")) && !add_link(a, d, &tail))
                return false;
    return true;
}

bool
gql_link_name(struct arena *a, const struct gql_link *link, struct str element, bool is_directive,
              struct str *out)
{
    *out = element;
    if (!link)
        return true;
    for (const struct gql_link_import *it = link->imports; it; it = it->next)
        if (it->is_directive == is_directive && str_eq(it->name, element)) {
            *out = it->as;
            return true;
        }
    *out = link->as;
    if ((is_directive && str_eq(element, link->name)) || !link->as.len)
        return true;
    const char *name = arena_fmt(a, "%.*s__%.*s", STR_ARG(link->as), STR_ARG(element));
    *out = str_of(name);
    return name != NULL;
}
