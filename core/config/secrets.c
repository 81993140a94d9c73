/* secrets.c - a secret is written as itself, as file:PATH, or as env:NAME. */
#include "config_internal.h"

#include "err.h"
#include "file.h"

#define FILE_PREFIX "file:"
#define ENV_PREFIX  "env:"

static bool
has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
secret_is_reference(const char *text)
{
    return has_prefix(text, FILE_PREFIX) || has_prefix(text, ENV_PREFIX);
}

static int
read_variable(const char *name, char *const *environment, struct secret *out,
              struct gantry_error **err)
{
    const char *value = variable_find(environment, name);
    if (!value)
        return err_set(err, GANTRY_E_NOT_FOUND,
                       "environment variable '%s' is not set; set it, or correct the name", name);
    if (!*value)
        return err_set(err, GANTRY_E_INVALID, "environment variable '%s' is empty; give it a value",
                       name);
    return secret_set(out, value, strlen(value)) < 0 ? err_nomem(err) : 0;
}

static int
read_failed(const char *path, int rc, struct gantry_error **err)
{
    if (rc == GANTRY_E_NOMEM)
        return rc;
    if (rc == GANTRY_E_NOT_FOUND)
        return err_set(err, rc, "there is no file '%s'; make it, or correct the path", path);
    if (rc == GANTRY_E_DENIED)
        return err_set(err, rc,
                       "file '%s' cannot be read: permission denied; let this user read it", path);
    if (rc == GANTRY_E_INVALID)
        return err_set(err, rc, "'%s' is no regular file of at most 64 KiB; correct the path",
                       path);
    return rc;
}

static int
read_file(const char *path, struct secret *out, struct gantry_error **err)
{
    char *text = NULL;
    size_t length = 0;
    int rc = file_read(path, CONFIG_MAX_SECRET, &text, &length, err);
    if (rc < 0)
        return read_failed(path, rc, err);
    if (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    if (length > 0 && text[length - 1] == '\r')
        text[--length] = '\0';
    secret_adopt(out, text, length);
    if (length == 0)
        return err_set(err, GANTRY_E_INVALID, "file '%s' is empty; write the secret into it", path);
    if (memchr(text, '\0', length))
        return err_set(err, GANTRY_E_INVALID, "file '%s' holds a NUL byte; write text into it",
                       path);
    return 0;
}

int
secret_read(const char *path, const char *variable, char *const *environment, struct secret *out,
            struct gantry_error **err)
{
    AUTO_SECRET struct secret read = {NULL, 0};
    int rc = path ? read_file(path, &read, err) : read_variable(variable, environment, &read, err);
    if (rc < 0) /* who quotes the text must not quote that there was no memory for it */
        return err && *err && (*err)->code == GANTRY_E_NOMEM ? GANTRY_E_NOMEM : rc;
    *out = read;
    read = (struct secret){NULL, 0};
    return 0;
}

/* The text itself: fine where only its owner can read the file. */
static const struct secret *
from_text(struct config *config, const struct section *section, const struct entry *entry,
          const char *text)
{
    if (entry->origin.kind == ORIGIN_FILE && config->exposed)
        warning_add(config, &entry->origin, section->title, entry->key,
                    "this secret stands in a file that others may read; run: chmod 600 %s",
                    config->file);
    return config_hold(config, str_of(text));
}

const char *
secret_file(struct config *config, const struct entry *entry)
{
    const char *text = entry && entry->last ? entry->last->text : NULL;
    if (!text || entry->literal || !has_prefix(text, FILE_PREFIX))
        return NULL;
    return path_absolute(config, text + sizeof FILE_PREFIX - 1, &entry->origin);
}

const struct secret *
secret_resolve(struct config *config, const struct section *section, const struct entry *entry,
               const char *text, const char **note)
{
    *note = NULL;
    if (entry->literal || !secret_is_reference(text))
        return from_text(config, section, entry, text);
    const char *path = NULL, *variable = NULL;
    if (has_prefix(text, FILE_PREFIX))
        path = path_absolute(config, text + sizeof FILE_PREFIX - 1, &entry->origin);
    else
        variable = text + sizeof ENV_PREFIX - 1;
    if (!path && !variable)
        return NULL;
    if (path ? !text[sizeof FILE_PREFIX - 1] : !*variable) {
        problem_add(config, &entry->origin, section->title, entry->key,
                    "'%s' names nothing; write file:PATH or env:NAME", text);
        return NULL;
    }
    AUTO_ERR struct gantry_error *error = NULL;
    AUTO_SECRET struct secret secret = {NULL, 0};
    int rc = secret_read(path, variable, config->environment, &secret, &error);
    if (rc == GANTRY_E_NOMEM) {
        config->failed = true;
    } else if (rc < 0) {
        problem_add(config, &entry->origin, section->title, entry->key, "%s", err_text(error));
    } else {
        *note = path ? config_fmt(config, "file '%s'", path)
                     : config_fmt(config, "environment variable '%s'", variable);
        return config_hold(config, secret_bytes(&secret));
    }
    return NULL;
}
