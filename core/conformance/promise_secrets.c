/* promise_secrets.c - rule 8: a secret reaches the workload and nothing else.
 *
 * Each secret is a word that occurs nowhere by chance.  All that the plugin says and emits is searched for it, and,
 * whenever the plugin turns to the host, the command lines of all processes. */
#include "logs.h"
#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LOOK_EVERY_MS 5
#define MARK          "kitsecret7391"

struct search {
    struct kit_tap tap;
    struct kit *kit;
    _Atomic(const char *) found; /* where; NULL: nowhere */
    _Atomic int64_t looked_ms;
};

static void
look_at(struct search *search, const char *text, const char *where)
{
    if (text && strstr(text, MARK))
        atomic_store(&search->found, where);
}

/* ---- what the plugin says and emits --------------------------------------------------------------- */

static void
look_at_status(struct search *search, const struct gantry_status *s)
{
    look_at(search, s->handle, "a handle");
    look_at(search, s->name, "a name");
    look_at(search, s->image, "the image of a status");
    look_at(search, s->error, "the error of a status");
    for (uint32_t i = 0; i < s->label_count; i++) {
        const struct gantry_pair *label =
            GANTRY_AT(struct gantry_pair, s->labels, s->label_stride, i);
        look_at(search, label->key, "a label");
        look_at(search, label->value, "a label");
    }
}

static int
emitted(struct kit_tap *tap, uint32_t kind, const void *item)
{
    struct search *search = tap->context;
    if (kind == GANTRY_EMIT_STATUS)
        look_at_status(search, item);
    if (kind == GANTRY_EMIT_LINE)
        look_at(search, ((const struct gantry_line *)item)->cursor, "a cursor");
    if (kind == GANTRY_EMIT_EVENT)
        look_at(search, ((const struct gantry_event *)item)->handle, "an event");
    return 0;
}

static void
said(struct kit_tap *tap, const char *function, const char *text)
{
    look_at(tap->context, text,
            text_eq(function, "fail")  ? "the text of an error"
            : text_eq(function, "log") ? "the log"
                                       : "the progress");
}

/* ---- command lines -------------------------------------------------------------------------------- */

static bool
command_line_has_mark(const char *pid)
{
    char path[300], line[65536];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line) : -1;
    return n > 0 && memmem(line, (size_t)n, MARK, sizeof MARK - 1);
}

static void
look_at_processes(struct search *search)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    int64_t number;
    while (dir && (entry = readdir(dir)))
        if (str_to_int64(str_of(entry->d_name), &number) && command_line_has_mark(entry->d_name))
            atomic_store(&search->found, "the command line of a process");
    if (dir)
        closedir(dir);
}

static void
asked(struct kit_tap *tap, const char *function)
{
    struct search *search = tap->context;
    int64_t now_ms = clock_mono_ms();
    (void)function;
    if (now_ms - atomic_load(&search->looked_ms) < LOOK_EVERY_MS)
        return;
    look_at_processes(search);
    atomic_store(&search->looked_ms, clock_mono_ms());
}

static struct search *
search_begin(struct kit *kit)
{
    struct search *search = arena_alloc(&kit->arena, sizeof *search);
    if (!search) {
        (void)kit_broken(kit, "the kit ran out of memory");
        return NULL;
    }
    search->tap = (struct kit_tap){
        .emit = emitted, .asked = asked, .said = said, .context = search, .kit = kit};
    search->kit = kit;
    kit->tap = &search->tap;
    return search;
}

static int
search_end(struct search *search, const char *secret, int came)
{
    struct kit *kit = search->kit;
    look_at_processes(search);
    kit->tap = NULL;
    const char *found = atomic_load(&search->found);
    if (!found)
        return came;
    kit->detail[0] = '\0';
    return kit_broken(kit, "%s is in %s", secret, found);
}

static void
look_at_answer(struct search *search, const struct kit_answer *answer)
{
    look_at(search, answer->text, "the text of an error");
}

/* ---- the life of a workload with secrets ---------------------------------------------------------- */

/* What goes well, and what fails in ways in which a spec might be quoted.  *code: of the start. */
static void
live(struct kit *kit, struct search *search, struct kit_connector *c, int *code)
{
    struct kit_answer a = kit_start(kit, c, NULL, 0, NULL);
    *code = a.code;
    look_at_answer(search, &a);
    look_at_processes(search);
    const char *handle = a.code == 0 ? a.status.handle : "nothing";
    struct kit_answer again = kit_start(kit, c, NULL, 0, NULL); /* it is there already */
    look_at_answer(search, &again);
    (void)kit_list(kit, NULL, NULL);
    (void)kit_inspect(kit, handle, NULL);
    (void)kit_logs(kit, handle, NULL, &kit_all_lines, NULL);
    const char *image = c->image;
    c->image = kit->given.missing_image ? kit->given.missing_image : "gantry-kit/\x01 is no image";
    again = kit_start(kit, c, a.code == 0 ? handle : NULL, 0, NULL);
    look_at_answer(search, &again);
    c->image = image;
    if (again.code == 0) {
        (void)kit_stop(kit, again.status.handle, c, 1000, NULL);
        (void)kit_remove(kit, again.status.handle, c, NULL);
    }
    again = kit_stop(kit, handle, c, 1000, NULL);
    look_at_answer(search, &again);
    again = kit_remove(kit, handle, c, NULL);
    look_at_answer(search, &again);
    again = kit_inspect(kit, handle, NULL); /* it is gone */
    look_at_answer(search, &again);
    again = kit_start(kit, NULL, handle, 0, NULL);
    look_at_answer(search, &again);
}

int
kit_try_secrets_of_the_environment(struct kit *kit)
{
    static const struct gantry_variable variables[] = {{"KIT_TOKEN", MARK "a", 1, 0},
                                                       {"KIT_KEY", "-----BEGIN\n" MARK "\n", 1, 0}};
    struct kit_connector *c = kit_connector(kit);
    struct search *search = c ? search_begin(kit) : NULL;
    int code;
    if (!search)
        return KIT_BROKEN;
    c->environment = variables;
    c->environment_count = ARRAY_LENGTH(variables);
    live(kit, search, c, &code);
    int came =
        code == 0 ? KIT_OK : kit_broken(kit, "a workload with secret variables cannot start");
    return search_end(search, "a secret variable", came);
}

int
kit_try_secrets_of_files(struct kit *kit)
{
    static const char content[] = MARK "\n";
    static const struct gantry_file file = {"/run/kit/token", content, sizeof content - 1, 0400, 1};
    struct kit_connector *c = kit_connector(kit);
    struct search *search = c ? search_begin(kit) : NULL;
    int code;
    if (!search)
        return KIT_BROKEN;
    c->files = &file;
    c->file_count = 1;
    live(kit, search, c, &code);
    int came = code == 0 ? KIT_OK : kit_not_offered(kit, "it starts no workload with this file");
    return search_end(search, "a secret file", came);
}

int
kit_try_secrets_of_the_registry(struct kit *kit)
{
    static const struct gantry_registry registry = {
        .size = sizeof registry, .host = "registry.invalid", .username = "kit", .password = MARK};
    struct kit_connector *c = kit_connector(kit);
    struct search *search = c ? search_begin(kit) : NULL;
    int code;
    if (!search)
        return KIT_BROKEN;
    c->registry = &registry;
    live(kit, search, c, &code);
    if (kit->table->pull)
        (void)kit_pull(kit, c, NULL);
    return search_end(search, "a registry's password", KIT_OK);
}

/* ---- secret settings ------------------------------------------------------------------------------ */

/* The plugin with the mark as this secret: it may well fail everywhere. */
static int
open_with(struct kit *kit, struct search *search, const char *key)
{
    size_t n = kit->settings->count, at = 0;
    struct gantry_value *values = arena_alloc_array(&kit->arena, n + 1, sizeof *values);
    if (!values)
        return kit_broken(kit, "the kit ran out of memory");
    for (uint32_t i = 0; i < n; i++)
        values[i] =
            *GANTRY_AT(struct gantry_value, kit->settings->values, kit->settings->stride, i);
    while (at < n && !text_eq(values[at].key, key))
        at++;
    values[at] =
        (struct gantry_value){.size = sizeof *values, .given = 1, .key = key, .text = MARK};
    struct gantry_settings settings = *kit->settings;
    settings.values = values;
    settings.stride = sizeof *values;
    settings.count = (uint32_t)MAX(n, at + 1);
    AUTO_ERR struct gantry_error *err = NULL;
    struct runtime_backend *own = kit->backend;
    if (kit_open(kit, &settings, NULL, &kit->backend, &err) == 0) {
        int code;
        struct kit_connector *c = kit_connector(kit);
        if (c)
            live(kit, search, c, &code);
        if (kit->table->probe) {
            struct kit_answer a = kit_probe(kit, NULL);
            look_at_answer(search, &a);
        }
        runtime_close(kit->backend);
    } else {
        look_at(search, err_text(err), "the reason that open() gives");
    }
    kit->backend = own;
    return KIT_OK;
}

int
kit_try_secrets_of_the_settings(struct kit *kit)
{
    unsigned tried = 0;
    struct search *search = search_begin(kit);
    int came = search ? KIT_OK : KIT_BROKEN;
    for (uint32_t i = 0; came == KIT_OK && i < kit->table->setting_count; i++)
        if (kit->table->settings[i].type == GANTRY_TYPE_SECRET) {
            came = open_with(kit, search, kit->table->settings[i].key);
            tried++;
        }
    if (came == KIT_OK && tried == 0)
        came = kit_not_offered(kit, "none of its settings is a secret");
    return search ? search_end(search, "a secret setting", came) : came;
}
