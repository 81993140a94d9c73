/* problem.c - an error of a platform as one of ours: code, one line, and what to do. */
#include "err.h"
#include "platform_internal.h"

enum { MESSAGE_SHOWN_BYTES = 1024 };

enum hint { HINT_NONE, HINT_TOKEN, HINT_LICENCE, HINT_CAPABILITY };

struct reaction {
    const char *word;
    int code;
    enum hint hint;
};

#define PROBLEM(word, code, hint) {word, GANTRY_E_##code, HINT_##hint},
static const struct reaction reactions[] = {
#include "errors.def"
};
#undef PROBLEM

/* What these two codes mean stands in their message alone. */
struct wording {
    const char *word, *message;
    int code;
    const char *advice; /* may be NULL */
};
static const struct wording wordings[] = {
    {"FUNCTIONAL_ERROR", "Cant find element", GANTRY_E_NOT_FOUND, NULL},
    {"FUNCTIONAL_ERROR", "auto-upgrade", GANTRY_E_UNAVAILABLE,
     "the platform still upgrades its connectors: it is asked again"},
    {"FUNCTIONAL_ERROR", "ALREADY_EXISTS", GANTRY_E_CONFLICT, "choose another name"},
    {"UNSUPPORTED_ERROR", "Only one connector manager", GANTRY_E_CONFLICT,
     "another manager id is registered there: set [manager] id to that id, with the key of that "
     "manager"},
    {"UNSUPPORTED_ERROR", "contract not found", GANTRY_E_NOT_FOUND,
     "name an image of the catalogue, without tag"},
};

static struct reaction
reaction_of(const struct problem *problem, const char **advice)
{
    *advice = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(wordings); i++) {
        const struct wording *w = &wordings[i];
        if (strcmp(problem->code, w->word) == 0 && strstr(problem->message, w->message)) {
            *advice = w->advice;
            return (struct reaction){w->word, w->code, HINT_NONE};
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(reactions); i++)
        if (strcmp(problem->code, reactions[i].word) == 0)
            return reactions[i];
    return (struct reaction){"", GANTRY_E_UNAVAILABLE, HINT_NONE};
}

/* The platform's message, without the value that it may repeat: that can be a secret.  GraphQL
 * servers write `Variable "$input" got invalid value VALUE at "input.x"; Field "y" is not defined
 * by type "Z".` */
static void
add_message(struct buf *b, const char *message)
{
    static const char repeats[] = " got invalid value ";
    const char *value = strstr(message, repeats), *field = NULL;
    size_t len = value ? (size_t)(value - message) : strlen(message);
    struct str shown = {message, MIN(len, (size_t)MESSAGE_SHOWN_BYTES)};
    buf_add(b, shown);
    if (!value)
        return;
    buf_add_text(b, " got an invalid value");
    for (const char *at = value; (at = strstr(at, "; Field \"")); at++)
        field = at;
    if (field && strlen(field) < 200 &&
        (strstr(field, "is not defined") || strstr(field, "was not provided")))
        buf_add_text(b, field);
}

static void
add_hint(struct buf *b, enum hint hint, const struct operation_row *row, const char *token_hint)
{
    switch (hint) {
    case HINT_NONE:
        break;
    case HINT_TOKEN:
        buf_add_fmt(b, "; check the %s", token_hint);
        break;
    case HINT_LICENCE:
        buf_add_text(b, "; the platform's licence must be activated");
        break;
    case HINT_CAPABILITY:
        buf_add_fmt(b, "; give the user of the %s the capability %s", token_hint,
                    row->capability ? row->capability : "that it needs");
        break;
    }
}

static bool
is_read(enum operation op)
{
    return op == OP_CONNECTORS || op == OP_CONFIGURATIONS || op == OP_OVERVIEW;
}

int
problem_error(enum operation op, const struct answer *answer, const char *token_hint,
              struct gantry_error **err)
{
    const struct operation_row *row = operation_row(op);
    struct problem problem;
    AUTO_BUF struct buf b = BUF_INIT(8192);
    if (!answer_field_problem(answer, row->field, &problem)) {
        if (answer->status < 200 || answer->status > 299)
            return err_set(err, GANTRY_E_UNAVAILABLE,
                           "%s: the platform answers HTTP %u without an error", row->field,
                           answer->status);
        return err_set(err, GANTRY_E_UNAVAILABLE, "%s: the platform answers null, without an error",
                       row->field);
    }
    const char *advice = NULL;
    struct reaction reaction = reaction_of(&problem, &advice);
    buf_add_fmt(&b, "%s: %s", row->field, problem.code[0] ? problem.code : "an error without code");
    if (problem.path[0] && strcmp(problem.path, row->field) != 0)
        buf_add_fmt(&b, " at %s", problem.path);
    if (problem.message[0] && strcmp(problem.message, problem.code) != 0) {
        buf_add_text(&b, ": ");
        add_message(&b, problem.message);
    }
    if (advice)
        buf_add_fmt(&b, "; %s", advice);
    add_hint(&b, reaction.hint, row, token_hint);
    /* That something in a listing is not found does not say that the listed are not there (S1). */
    int code =
        reaction.code == GANTRY_E_NOT_FOUND && is_read(op) ? GANTRY_E_UNAVAILABLE : reaction.code;
    if (buf_failed(&b) == GANTRY_E_NOMEM)
        return err_nomem(err);
    return err_set(err, code, "%s", buf_text(&b));
}
