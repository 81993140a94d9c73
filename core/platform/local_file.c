/* local_file.c - the files of the local platform's folder, and the hash of what they say. */
#include "err.h"
#include "file.h"
#include "platform_internal.h"

#include <dirent.h>
#include <errno.h>

#define FILE_MAX_BYTES ((size_t)1024 * 1024)
#define ENDING         STR(".ini")

struct names {
    char **ptr;
    size_t len, size;
};

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
names_clear(struct names *names)
{
    vec_each (names, name)
        free(*name);
    vec_clear(names);
}

static void
close_folder(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

/* That the folder is missing is no sign that nothing should run (S1): never GANTRY_E_NOT_FOUND. */
static int
folder_error(const char *folder, int errnum, struct gantry_error **err)
{
    int code = err_code_of_errno(errnum);
    return err_set_errno(err, code == GANTRY_E_NOT_FOUND ? GANTRY_E_UNAVAILABLE : code, errnum,
                         "cannot read the folder '%s'", folder);
}

/* Hidden ones are what editors write beside. */
bool
local_is_file_name(const char *name)
{
    return name[0] != '.' && str_ends_with(str_of(name), ENDING);
}

static int
read_names(const char *folder, struct names *names, struct gantry_error **err)
{
    AUTO(close_folder) DIR *dir = opendir(folder);
    if (!dir)
        return folder_error(folder, errno, err);
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            return folder_error(folder, errno, err);
        if (!entry)
            break;
        struct str name = str_of(entry->d_name);
        if (!local_is_file_name(entry->d_name))
            continue;
        char **slot = vec_push(names);
        if (!slot || !(*slot = str_dup((struct str){name.ptr, name.len - ENDING.len})))
            return err_nomem(err);
    }
    if (names->len > 1)
        qsort(names->ptr, names->len, sizeof *names->ptr, by_name);
    return 0;
}

void
connector_wipe(const struct config_connector *c)
{
    for (size_t i = 0; i < c->entry_count; i++)
        if (c->entries[i].value) /* of our own arena */
            secret_wipe((char *)(uintptr_t)c->entries[i].value, strlen(c->entries[i].value));
}

static int
visit_file(const char *folder, const char *name, char *const *environment, local_visit *visit,
           void *context, struct gantry_error **err)
{
    AUTO_FREE char *path = NULL, *text = NULL;
    AUTO_ARENA struct arena arena;
    AUTO_ERR struct gantry_error *problem = NULL;
    struct config_connector connector = {0};
    size_t len = 0;
    arena_init(&arena, 0);
    AUTO_BUF struct buf file = BUF_INIT(1024);
    buf_add_fmt(&file, "%s.ini", name);
    path = file_join(folder, buf_text(&file));
    if (!path || buf_failed(&file))
        return err_nomem(err);
    int code = file_read(path, FILE_MAX_BYTES, &text, &len, &problem);
    if (code == GANTRY_E_NOT_FOUND)
        return 0; /* deleted a moment ago */
    if (code == 0)
        code = config_read_connector(path, (struct str){text, len}, environment, &arena, &connector,
                                     &problem);
    /* That there was no memory for the reason is no reason that the connector has. */
    if (code == GANTRY_E_NOMEM || (problem && problem->code == GANTRY_E_NOMEM))
        code = err_nomem(err);
    else if (code < 0)
        code = visit(context, name, NULL, err_text(problem), err);
    else
        code = visit(context, name, &connector, NULL, err);
    connector_wipe(&connector);
    if (text)
        secret_wipe(text, len);
    return code;
}

int
local_walk(const char *folder, char *const *environment, local_visit *visit, void *context,
           struct gantry_error **err)
{
    AUTO(names_clear) struct names names = VEC_INIT;
    int code = read_names(folder, &names, err);
    for (size_t i = 0; i < names.len && code == 0; i++)
        code = visit_file(folder, names.ptr[i], environment, visit, context, err);
    return code;
}

static int
by_key(const void *a, const void *b)
{
    const struct config_connector_entry *const *left = a, *const *right = b;
    return strcmp((*left)->key, (*right)->key);
}

/* With its length before it, so that no two lists of texts look the same. */
static void
add_counted(struct buf *b, const char *text)
{
    struct str s = str_of(text);
    buf_add_fmt(b, "%zu:", s.len);
    buf_add(b, s);
}

int
local_hash(const struct config_connector *connector, char hash[LOCAL_HASH_SIZE],
           struct gantry_error **err)
{
    AUTO(buf_wipe) struct buf text = BUF_INIT(SIZE_MAX / 2);
    AUTO_FREE const struct config_connector_entry **sorted =
        calloc(connector->entry_count + 1, sizeof(void *));
    char hex[CRYPTO_HEX_SIZE];
    if (!sorted)
        return err_nomem(err);
    for (size_t i = 0; i < connector->entry_count; i++)
        sorted[i] = &connector->entries[i];
    qsort(sorted, connector->entry_count, sizeof(void *), by_key);
    add_counted(&text, connector->image);
    for (size_t i = 0; i < connector->entry_count; i++) {
        add_counted(&text, sorted[i]->key);
        add_counted(&text, sorted[i]->value);
    }
    if (buf_failed(&text))
        return err_nomem(err);
    int code = crypto_sha256_hex(buf_view(&text), hex);
    if (code < 0)
        return err_set(err, code, "SHA-256 failed");
    memcpy(hash, hex, LOCAL_HASH_SIZE - 1);
    hash[LOCAL_HASH_SIZE - 1] = '\0';
    return 0;
}
