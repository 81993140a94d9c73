/* negotiate.c - what a platform lacks, and is therefore not asked for.
 *
 * OpenCTI's schema differs from version to version, and cannot be asked what it has (introspection
 * is refused).  So every document asks for all that is of use; what the validation errors say is
 * unknown is taken out of the parsed document, and that is remembered until the platform's version
 * changes. */
#include "err.h"
#include "platform_internal.h"

void
negotiate_init(struct negotiate *n, struct log *log, const char *name)
{
    *n = (struct negotiate){.log = log, .name = name};
}

static void
forget(struct negotiate *n, bool say_again)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        struct negotiate_slot *slot = &n->slots[i];
        gql_document_free(slot->document);
        *slot = (struct negotiate_slot){.said = slot->said && !say_again};
    }
}

void
negotiate_clear(struct negotiate *n)
{
    forget(n, true);
    free(n->version);
    n->version = NULL;
}

void
negotiate_doubt(struct negotiate *n)
{
    forget(n, false);
}

bool
negotiate_version(struct negotiate *n, const char *version)
{
    if (!version || text_eq(n->version, version))
        return false;
    char *copy = text_dup(version);
    if (!copy)
        return false; /* it is noticed with the next answer */
    bool changed = n->version != NULL;
    free(n->version);
    n->version = copy;
    if (changed)
        forget(n, true);
    return changed;
}

bool
negotiate_is_lacking(const struct negotiate *n, enum operation op)
{
    return n->slots[op].lacking;
}

/* The document of one operation, parsed when it is first needed. */
static int
document_of(struct negotiate *n, enum operation op, struct gql_document **out,
            struct gantry_error **err)
{
    struct negotiate_slot *slot = &n->slots[op];
    if (!slot->document) {
        int code = gql_parse(str_of(operation_row(op)->document), NULL, &slot->document, err);
        if (code < 0)
            return err_wrap(err, code, "the document of %s", operation_row(op)->field);
    }
    *out = slot->document;
    return 0;
}

/* The two parts of a document that was printed compactly: `mutation a($b:C!){d(input:$b)}` has
 * "$b:C!" and "d(input:$b)".  Our own documents have neither defaults nor directives before their
 * fields. */
struct halves {
    struct str variables, fields;
};

static bool
split(struct str text, struct halves *out)
{
    struct str rest;
    struct str head = str_cut(text, '{', &rest);
    struct str before, variables = STR_NONE;
    (void)str_cut(head, '(', &before);
    if (before.ptr)
        variables = str_cut(before, ')', &before);
    rest = str_trim(rest);
    if (rest.len < 2 || rest.ptr[rest.len - 1] != '}' || variables.len == 0)
        return false;
    rest.len--;
    *out = (struct halves){variables, rest};
    return true;
}

/* Each is printed from its parsed form; what is put together of them is parsed again before it is
 * sent. */
static int
join(struct negotiate *n, const enum operation *ops, size_t count, struct buf *out,
     struct gantry_error **err)
{
    AUTO_BUF struct buf variables = BUF_INIT(16384), fields = BUF_INIT(16384);
    for (size_t i = 0; i < count; i++) {
        AUTO_BUF struct buf text = BUF_INIT(16384);
        struct gql_document *document = NULL;
        struct halves halves;
        int code = document_of(n, ops[i], &document, err);
        if (code == 0 && gql_print(document, GQL_COMPACT, &text) < 0)
            code = err_nomem(err);
        if (code < 0)
            return code;
        if (!split(buf_view(&text), &halves))
            return err_set(err, GANTRY_E_INTERNAL, "the document of %s cannot be joined",
                           operation_row(ops[i])->field);
        buf_add_text(&variables, i > 0 ? "," : "");
        buf_add(&variables, halves.variables);
        buf_add_text(&fields, i > 0 ? " " : "");
        buf_add(&fields, halves.fields);
    }
    AUTO_BUF struct buf joined = BUF_INIT(65536);
    buf_add_fmt(&joined, "mutation report(%s){%s}", buf_text(&variables), buf_text(&fields));
    if (buf_failed(&variables) || buf_failed(&fields) || buf_failed(&joined))
        return err_nomem(err);
    AUTO_GQL_DOCUMENT struct gql_document *document = NULL;
    int code = gql_parse(buf_view(&joined), NULL, &document, err);
    if (code < 0)
        return err_wrap(err, code, "the document of a report");
    return gql_print(document, GQL_COMPACT, out) < 0 ? err_nomem(err) : 0;
}

int
negotiate_document(struct negotiate *n, const enum operation *ops, size_t count, struct buf *out,
                   struct gantry_error **err)
{
    if (count > 1)
        return join(n, ops, count, out, err);
    struct gql_document *document = NULL;
    int code = document_of(n, ops[0], &document, err);
    if (code == 0 && gql_print(document, GQL_COMPACT, out) < 0)
        code = err_nomem(err);
    return code;
}

/* The first word in double quotes behind a phrase: Cannot query field "encrypted" on type "X". */
static bool
quoted_after(const char *message, const char *phrase, struct str *out)
{
    const char *at = strstr(message, phrase);
    const char *begin = at ? strchr(at + strlen(phrase), '"') : NULL;
    const char *end = begin ? strchr(begin + 1, '"') : NULL;
    if (!end || end == begin + 1)
        return false;
    *out = (struct str){begin + 1, (size_t)(end - begin - 1)};
    return true;
}

static bool
mark_lacking(struct negotiate *n, enum operation op, struct str missing)
{
    struct negotiate_slot *slot = &n->slots[op];
    const struct operation_row *row = operation_row(op);
    if (slot->lacking)
        return false;
    slot->lacking = true;
    if (!slot->said) {
        char name[128];
        size_t len = MIN(missing.len, sizeof name - 1);
        memcpy(name, missing.ptr, len);
        name[len] = '\0';
        log_warn(n->log, "the platform lacks an operation: it is not used",
                 F_STR("platform", n->name), F_STR("operation", row->field),
                 F_STR("unknown", name));
    }
    slot->said = true;
    return true;
}

/* An unknown field: an optional one is left out; any other makes its operation a lacking one. */
static bool
learn_field(struct negotiate *n, enum operation op, struct str field)
{
    struct gql_document *document = n->slots[op].document;
    if (!document || !gql_has_field(document, field))
        return false;
    if (!operation_field_is_optional(op, field))
        return mark_lacking(n, op, field);
    size_t kept = 0;
    if (gql_remove_field(document, field, &kept) == 0 || kept > 0)
        return mark_lacking(n, op, field);
    char name[128];
    size_t len = MIN(field.len, sizeof name - 1);
    memcpy(name, field.ptr, len);
    name[len] = '\0';
    log_info(n->log, "the platform does not know a field: it is left out",
             F_STR("platform", n->name), F_STR("operation", operation_row(op)->field),
             F_STR("field", name));
    return true;
}

/* An unknown type is one of a variable's: the operation's input. */
static bool
learn_type(struct negotiate *n, enum operation op, struct str type)
{
    AUTO_BUF struct buf text = BUF_INIT(16384);
    struct halves halves;
    struct gql_document *document = n->slots[op].document;
    if (!document || gql_print(document, GQL_COMPACT, &text) < 0 ||
        !split(buf_view(&text), &halves))
        return false;
    struct str declared, name = str_cut(halves.variables, ':', &declared);
    (void)name;
    declared = str_trim(declared);
    if (declared.len > 0 && declared.ptr[declared.len - 1] == '!')
        declared.len--;
    return str_eq(declared, type) && mark_lacking(n, op, type);
}

bool
negotiate_learn(struct negotiate *n, const enum operation *ops, size_t count,
                const struct answer *answer)
{
    bool learned = false;
    size_t problems = MIN(answer_problem_count(answer), 100);
    for (size_t i = 0; i < problems; i++) {
        struct problem problem;
        struct str word;
        answer_problem(answer, i, &problem);
        bool validation = strcmp(problem.code, "GRAPHQL_VALIDATION_FAILED") == 0;
        /* Some servers give validation errors no code; the message's form must then do. */
        if (problem.field ||
            (!validation && problem.code[0] && strcmp(problem.code, "BAD_USER_INPUT") != 0))
            continue;
        bool field = quoted_after(problem.message, "Cannot query field", &word);
        if (!field && !quoted_after(problem.message, "Unknown type", &word))
            continue;
        for (size_t k = 0; k < count; k++)
            learned |= field ? learn_field(n, ops[k], word) : learn_type(n, ops[k], word);
    }
    return learned;
}
