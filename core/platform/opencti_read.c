/* opencti_read.c - what the answers of the two steps of the poll say.  Pure.
 *
 * The platform's schema promises little, and its releases differ: whatever cannot be understood is
 * a problem of that connector alone, or, where it cannot be said whose, makes the listing doubtful.
 * Nothing is guessed: a connector that is not understood is not changed. */
#include "err.h"
#include "platform_internal.h"

enum { ID_MAX_BYTES = 255 };

/* A text that can be used as it is: without what ANSWER_MARK stands for. */
static bool
is_whole(const char *text)
{
    return !strstr(text, ANSWER_MARK);
}

static bool
is_id(const char *text)
{
    if (!text || !*text || strlen(text) > ID_MAX_BYTES || !is_whole(text))
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return false;
    return true;
}

static enum platform_wish
wish_of(const char *text)
{
    if (strcmp(text, "starting") == 0)
        return PLATFORM_WISH_STARTING;
    if (strcmp(text, "stopping") == 0 || strcmp(text, "stopped") == 0)
        return PLATFORM_WISH_STOPPING;
    return PLATFORM_WISH_UNKNOWN;
}

static enum platform_status
status_of(const char *text)
{
    if (text && strcmp(text, "started") == 0)
        return PLATFORM_STATUS_STARTED;
    if (text && strcmp(text, "stopped") == 0)
        return PLATFORM_STATUS_STOPPED;
    return PLATFORM_STATUS_NONE;
}

/* A member that is a text, absent or null ("" then); anything else is a problem. */
static const char *
text_or_problem(const cJSON *item, const char *member, const char *problem, const char **out)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, member);
    const char *text = cJSON_GetStringValue(value);
    *out = text ? text : "";
    if ((value && !text && !cJSON_IsNull(value)) || (text && !is_whole(text))) {
        *out = "";
        return problem;
    }
    return NULL;
}

static const char *
first_problem(const char *a, const char *b)
{
    return a ? a : b;
}

static int
read_connector(struct listing_builder *b, const cJSON *item, const char *id,
               struct gantry_error **err)
{
    struct arena *arena = &b->listing->arena;
    struct platform_connector c = {.id = arena_dup_text(arena, id)};
    const char *name, *image, *hash;
    c.problem = text_or_problem(item, "name", "its name is no text", &name);
    c.problem = first_problem(
        c.problem, text_or_problem(item, "manager_contract_image", "its image is no text", &image));
    c.problem = first_problem(
        c.problem, text_or_problem(item, "manager_contract_hash", "its hash is no text", &hash));
    if (!c.problem && !*hash)
        c.problem = "the platform gives no hash for it, so what runs cannot be compared";
    const cJSON *wish = cJSON_GetObjectItemCaseSensitive(item, "manager_requested_status");
    const char *wish_text = cJSON_GetStringValue(wish);
    if (wish_text)
        c.wish = wish_of(wish_text);
    else if (wish && !cJSON_IsNull(wish))
        wish_text = "(no text)";
    c.known = status_of(answer_text(item, "manager_current_status"));
    c.name = arena_dup_text(arena, *name ? name : id);
    c.image = arena_dup_text(arena, image);
    c.hash = arena_dup_text(arena, hash);
    c.wish_text = arena_dup_text(arena, wish_text);
    if (!c.id || !c.name || !c.image || !c.hash || (wish_text && !c.wish_text))
        return err_nomem(err);
    return listing_add(b, &c, err);
}

static int
need_list(const cJSON *field, struct gantry_error **err)
{
    if (cJSON_IsArray(field))
        return 0;
    return err_set(err, GANTRY_E_UNAVAILABLE,
                   "connectorsForManagers: the platform's answer is no list");
}

int
opencti_read_listing(const cJSON *field, struct platform_listing **out, struct gantry_error **err)
{
    int code = need_list(field, err);
    if (code < 0)
        return code;
    struct listing_builder b;
    code = listing_begin(&b, err);
    size_t index = 0;
    for (const cJSON *item = field->child; item && code == 0; item = item->next, index++) {
        const char *id = cJSON_IsObject(item) ? answer_text(item, "id") : NULL;
        if (!cJSON_IsObject(item))
            listing_doubt(&b, "element %zu of the listing is %s", index,
                          cJSON_IsNull(item) ? "null" : "no connector");
        else if (!is_id(id))
            listing_doubt(&b, "element %zu of the listing has no id that can be used", index);
        else
            code = read_connector(&b, item, id, err);
    }
    if (code == 0)
        code = listing_end(&b, out, err);
    if (code < 0)
        listing_abandon(&b);
    return code;
}

/* A value in the clear that is not for everybody's eyes: a token, or an address with a password. */
static bool
is_secret(const char *key, const char *value)
{
    static const char *const endings[] = {"TOKEN", "PASSWORD", "SECRET", "API_KEY"};
    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++)
        if (str_ends_with(str_of(key), str_of(endings[i])))
            return true;
    const char *host = value ? strstr(value, "://") : NULL;
    return host && strchr(host, '@');
}

static enum platform_sealed
sealed_of(const cJSON *item)
{
    const cJSON *sealed = cJSON_GetObjectItemCaseSensitive(item, "encrypted");
    if (cJSON_IsTrue(sealed))
        return PLATFORM_SEALED_YES;
    /* null stands at every entry that is none; absent is another thing: this platform does not say.
     */
    if (cJSON_IsFalse(sealed) || cJSON_IsNull(sealed))
        return PLATFORM_SEALED_NO;
    return PLATFORM_SEALED_UNKNOWN;
}

/* False when it cannot be used; then problem says why.  Its texts are the answer's. */
static bool
read_entry(const cJSON *item, struct platform_entry *out, struct buf *problem)
{
    const char *key = cJSON_IsObject(item) ? answer_text(item, "key") : NULL;
    if (!key || !*key || strchr(key, '=') || !is_whole(key)) {
        buf_add_text(problem, "an entry of its configuration has no key that can be used");
        return false;
    }
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");
    const char *text = cJSON_GetStringValue(value);
    if ((!text && value && !cJSON_IsNull(value)) || (text && !is_whole(text))) {
        buf_add_fmt(problem, "the value of %.100s is no text that a variable can hold", key);
        return false;
    }
    enum platform_sealed sealed = sealed_of(item);
    *out = (struct platform_entry){key, text, sealed,
                                   sealed == PLATFORM_SEALED_YES || is_secret(key, text)};
    return true;
}

/* Fills c's entries.  *problem: why it cannot be used, of the arena; else NULL. */
static int
copy_entries(struct arena *arena, const cJSON *list, struct platform_configuration *c,
             const char **problem, struct gantry_error **err)
{
    size_t count = (size_t)cJSON_GetArraySize(list);
    struct platform_entry *entries = arena_alloc_array(arena, count + 1, sizeof *entries);
    AUTO_BUF struct buf text = BUF_INIT(512);
    *problem = NULL;
    if (!entries)
        return err_nomem(err);
    c->entries = entries;
    for (const cJSON *item = list->child; item; item = item->next) {
        struct platform_entry from, *entry = &entries[c->entry_count];
        if (!read_entry(item, &from, &text)) {
            *problem = buf_failed(&text) ? NULL : arena_dup(arena, buf_view(&text));
            return *problem ? 0 : err_nomem(err);
        }
        *entry = from;
        entry->key = arena_dup_text(arena, from.key);
        entry->value = arena_dup_text(arena, from.value);
        if (!entry->key || (from.value && !entry->value))
            return err_nomem(err);
        c->entry_count++;
    }
    return 0;
}

static int
read_configuration(struct configurations_builder *b, const cJSON *item, const char *id,
                   struct gantry_error **err)
{
    struct arena *arena = &b->configurations->arena;
    struct platform_configuration c = {.id = arena_dup_text(arena, id)};
    const char *hash, *image;
    const char *problem =
        text_or_problem(item, "manager_contract_hash", "its hash is no text", &hash);
    problem = first_problem(
        problem, text_or_problem(item, "manager_contract_image", "its image is no text", &image));
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(item, "manager_contract_configuration");
    if (!problem && !*hash)
        problem = "the platform gives no hash for it";
    if (!problem && !cJSON_IsArray(list))
        problem = "the platform gives no configuration for it";
    if (!c.id)
        return err_nomem(err);
    if (problem)
        return configurations_add_unusable(b, c.id, problem, err);
    c.hash = arena_dup_text(arena, hash);
    c.image = arena_dup_text(arena, image);
    if (!c.hash || !c.image)
        return err_nomem(err);
    int code = copy_entries(arena, list, &c, &problem, err);
    if (code == 0 && !problem)
        return configurations_add(b, &c, err);
    configuration_wipe(&c);
    return code < 0 ? code : configurations_add_unusable(b, c.id, problem, err);
}

int
opencti_read_configurations(const cJSON *field, struct platform_configurations **out,
                            struct gantry_error **err)
{
    int code = need_list(field, err);
    if (code < 0)
        return code;
    struct configurations_builder b;
    code = configurations_begin(&b, err);
    for (const cJSON *item = field->child; item && code == 0; item = item->next) {
        const char *id = cJSON_IsObject(item) ? answer_text(item, "id") : NULL;
        if (is_id(id)) /* whose it is cannot be said else; the listing is doubtful for it */
            code = read_configuration(&b, item, id, err);
    }
    if (code == 0)
        code = configurations_end(&b, out, err);
    if (code < 0)
        configurations_abandon(&b);
    return code;
}

int
opencti_read_body(char *body, size_t len, struct platform_listing **listing,
                  struct platform_configurations **configurations, struct gantry_error **err)
{
    AUTO_ANSWER struct answer a = {0};
    int code = answer_parse(body, len, 200, "application/json", &a, err);
    if (code < 0)
        return code;
    const cJSON *field = answer_field(&a, "connectorsForManagers");
    if (!field)
        return problem_error(OP_CONNECTORS, &a, "token", err);
    code = opencti_read_listing(field, listing, err);
    return code < 0 ? code : opencti_read_configurations(field, configurations, err);
}
