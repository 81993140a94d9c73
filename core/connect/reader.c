/* reader.c - values of directives: of which kind they are, mappings and templates in them (reader.h). */
#include "reader.h"

#include "err.h"
#include "mapping_tree.h"

#include <stdarg.h>
#include <stdio.h>

enum { WORDS_MAX = 16, WORD_MAX = 64 };

void
reader_tell(struct reader *r, enum connect_code code, struct connect_place place, const char *fmt,
            ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    va_end(args);
    connect_problem_add(r->problems, code, place, "%.*s: %s", STR_ARG(r->who), text);
}

struct connect_place
reader_place(const struct reader *r)
{
    return (struct connect_place){r->directive->at, r->directive->at + 1 + r->directive->name.len};
}

static bool
is_kind(const struct gql_value *v, enum reader_kind kind)
{
    switch (kind) {
    case READ_STRING:
        return v->kind == GQL_VALUE_STRING || v->kind == GQL_VALUE_BLOCK_STRING;
    case READ_OBJECT:
        return v->kind == GQL_VALUE_OBJECT;
    case READ_BOOLEAN:
        return v->kind == GQL_VALUE_BOOLEAN;
    case READ_INT:
        return v->kind == GQL_VALUE_INT;
    case READ_LIST_OR_OBJECT:
        return v->kind == GQL_VALUE_LIST || v->kind == GQL_VALUE_OBJECT;
    }
    return false;
}

static const char *
kind_word(enum reader_kind kind)
{
    static const char *const words[] = {"a string", "an object, in braces", "true or false",
                                        "an integer", "a list of objects, or an object"};
    return words[kind];
}

static const struct gql_value *
find(const struct gql_argument *first, const char *key)
{
    while (first && !str_eq(first->name, str_of(key)))
        first = first->next;
    return first ? &first->value : NULL;
}

bool
reader_has(const struct gql_argument *first, const char *key)
{
    const struct gql_value *v = find(first, key);
    return v && v->kind != GQL_VALUE_NULL;
}

const struct gql_value *
reader_find(struct reader *r, const struct gql_argument *first, const char *key,
            enum reader_kind kind)
{
    const struct gql_value *v = find(first, key);
    if (!v || v->kind == GQL_VALUE_NULL)
        return NULL;
    if (is_kind(v, kind))
        return v;
    reader_tell(r, CONNECT_GRAPH_QL_ERROR, connect_place_of(r->schema, v), "'%s' must be %s", key,
                kind_word(kind));
    return NULL;
}

/* Does the directive's definition say that it must be there?  Then that it is not was told before. */
static bool
is_required(const struct reader *r, const char *name)
{
    const struct gql_system *s =
        gql_names_find(&r->schema->graphql->directives, r->directive->name);
    const struct gql_member *m = s ? s->members : NULL;
    while (m && !str_eq(m->name, str_of(name)))
        m = m->next;
    return m && gql_is_required(m);
}

bool
reader_has_unknown(const struct reader *r)
{
    const struct gql_system *s =
        gql_names_find(&r->schema->graphql->directives, r->directive->name);
    for (const struct gql_argument *a = s ? r->directive->arguments : NULL; a; a = a->next) {
        const struct gql_member *m = s->members;
        while (m && !str_eq(m->name, a->name))
            m = m->next;
        if (!m)
            return true;
    }
    return false;
}

const struct gql_value *
reader_require(struct reader *r, const char *name, enum reader_kind kind)
{
    const struct gql_value *v = find(r->directive->arguments, name);
    if (!v && !is_required(r, name))
        reader_tell(r, CONNECT_GRAPH_QL_ERROR, reader_place(r),
                    "the argument '%s' is missing; it must be %s", name, kind_word(kind));
    else if (v && v->kind == GQL_VALUE_NULL)
        reader_tell(r, CONNECT_GRAPH_QL_ERROR, connect_place_of(r->schema, v),
                    "'%s' must be %s, not null", name, kind_word(kind));
    return reader_find(r, r->directive->arguments, name, kind);
}

static const char *
nearest(struct str word, const char *const *words)
{
    char typed[WORD_MAX];
    size_t n = 0;
    if (word.len >= sizeof typed)
        return NULL;
    memcpy(typed, word.ptr, word.len);
    typed[word.len] = '\0';
    while (n < WORDS_MAX && words[n])
        n++;
    return text_nearest(typed, words, n);
}

/* "; it has a, b and c" */
static const char *
list_keys(struct reader *r, const char *const *keys)
{
    struct arena *a = r->problems->arena;
    const char *text = "; it has ";
    for (size_t i = 0; keys[i] && text; i++)
        text = arena_fmt(a, "%s%s%s", text, i == 0 ? "" : keys[i + 1] ? ", " : " and ", keys[i]);
    r->problems->nomem |= !text;
    return text ? text : "";
}

bool
reader_check_keys(struct reader *r, const struct gql_value *object, const char *what,
                  const char *const *keys)
{
    bool any = false;
    for (const struct gql_argument *it = object->elements; it; it = it->next) {
        size_t i = 0;
        while (keys[i] && !str_eq(it->name, str_of(keys[i])))
            i++;
        if (keys[i])
            continue;
        const char *near = nearest(it->name, keys);
        any = true;
        reader_tell(r, CONNECT_GRAPH_QL_ERROR, connect_place_of_name(it->at, it->name),
                    "%s has no key '%.*s'%s%s%s", what, STR_ARG(it->name),
                    near ? "; did you mean '" : "", near ? near : list_keys(r, keys),
                    near ? "'?" : "");
    }
    return any;
}

/* Why a text was refused, without the places that the message begins with: ours is better. */
static const char *
reason(const struct gantry_error *err)
{
    static const char *const places[] = {"in the hole ", "template, line ", "mapping, line "};
    const char *text = err_text(err);
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        const char *rest = strncmp(text, places[i], strlen(places[i])) ? NULL : strstr(text, ": ");
        text = rest ? rest + 2 : text;
    }
    return text;
}

/* Out of memory, or what is wrong with it. */
static void
refuse(struct reader *r, int rc, const struct gql_value *string, struct mapping_range where,
       const char *what, enum connect_code code, const struct gantry_error *why)
{
    if (rc == GANTRY_E_NOMEM)
        r->problems->nomem = true;
    else
        reader_tell(r, code, connect_place_in(r->schema, string, where), "%s: %s", what,
                    reason(why));
}

void
reader_mapping(struct reader *r, const struct gql_value *string, const char *what,
               enum connect_code code, struct mapping_slot *out)
{
    AUTO_ERR struct gantry_error *why = NULL;
    struct mapping_range where = {0, 0};
    out->written = string;
    if (!string)
        return;
    int rc = mapping_parse(string->text, r->schema->version, &out->mapping, &where, &why);
    if (rc < 0) {
        refuse(r, rc, string, where, what, code, why);
    } else if (!out->mapping->value && out->mapping->list->count == 0) {
        reader_tell(r, code, connect_place_of(r->schema, string), "%s is empty; write a mapping",
                    what);
        mapping_free(TAKE(out->mapping));
    }
}

void
reader_template(struct reader *r, const struct gql_value *string, const char *what,
                enum connect_code code, struct template_slot *out)
{
    AUTO_ERR struct gantry_error *why = NULL;
    struct mapping_range where = {0, 0};
    out->written = string;
    if (!string)
        return;
    int rc = template_parse(string->text, r->schema->version, &out->template, &where, &why);
    if (rc < 0)
        refuse(r, rc, string, where, what, code, why);
}
