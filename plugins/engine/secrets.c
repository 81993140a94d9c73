/* Splitting a spec into environment and files.  See secrets.h. */
#include "secrets.h"

#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SUFFIX "_FILE"

static const struct gantry_variable *
variable_at(const struct gantry_spec *spec, uint32_t i)
{
    return GANTRY_AT(struct gantry_variable, spec->environment, spec->environment_stride, i);
}

static const struct gantry_file *
file_at(const struct gantry_spec *spec, uint32_t i)
{
    return GANTRY_AT(struct gantry_file, spec->files, spec->file_stride, i);
}

/* Read by libraries, none of which looks into a file: as files they would not count at all. */
static bool
is_proxy(const char *key)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(key, names[i]) == 0)
            return true;
    return false;
}

/* What is empty hides nothing, and a swarm has no empty secrets: it stays a variable. */
static bool
is_secret(const struct gantry_variable *variable)
{
    return variable->secret && variable->value[0] && !is_proxy(variable->key);
}

/* Can it be the name of a file, and of an engine's secret? */
static bool
is_file_name(const char *key)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
    size_t length = strspn(key, plain);
    return length > 0 && length < 200 && key[length] == '\0' && key[0] != '.';
}

/* Is there a variable KEY_FILE, or a file where the secret's would be? */
static bool
is_taken(const struct gantry_spec *spec, const char *key)
{
    size_t length = strlen(key);
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const char *other = variable_at(spec, i)->key;
        if (strncmp(other, key, length) == 0 && strcmp(other + length, SUFFIX) == 0)
            return true;
    }
    for (uint32_t i = 0; i < spec->file_count; i++) {
        const char *path = file_at(spec, i)->path;
        if (strncmp(path, SECRETS_FOLDER "/", sizeof SECRETS_FOLDER) == 0 &&
            strcmp(path + sizeof SECRETS_FOLDER, key) == 0)
            return true;
    }
    return false;
}

/* How many are secret, and the bytes that their names need. */
static int
measure(const struct gantry_spec *spec, uint32_t *count, size_t *bytes, char *problem, size_t size)
{
    *count = 0;
    *bytes = 0;
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable = variable_at(spec, i);
        if (!is_secret(variable))
            continue;
        const char *wrong = !is_file_name(variable->key)    ? "cannot be the name of a file"
                            : is_taken(spec, variable->key) ? "has a variable NAME" SUFFIX
                                                              " or a file beside it already"
                                                            : NULL;
        if (wrong) {
            snprintf(problem, size, "secrets = files: the variable '%.200s' %s; rename it",
                     variable->key, wrong);
            return GANTRY_E_INVALID;
        }
        ++*count;
        *bytes += 2 * strlen(variable->key) + sizeof SUFFIX + sizeof SECRETS_FOLDER "/";
    }
    return 0;
}

static const char *
join(char **at, const char *first, const char *second)
{
    char *joined = *at;
    size_t size = strlen(first) + strlen(second) + 1; /* as measured */
    snprintf(joined, size, "%s%s", first, second);
    *at = joined + size;
    return joined;
}

static void
fill(struct secrets *out)
{
    const struct gantry_spec *spec = &out->spec;
    char *at = out->names;
    uint32_t files = 0;
    for (; files < spec->file_count; files++)
        out->files[files] = *file_at(spec, files);
    for (uint32_t i = 0; i < spec->environment_count; i++) {
        const struct gantry_variable *variable = variable_at(spec, i);
        out->variables[i] = *variable;
        if (!is_secret(variable))
            continue;
        const char *path = join(&at, SECRETS_FOLDER "/", variable->key);
        out->variables[i] =
            (struct gantry_variable){.key = join(&at, variable->key, SUFFIX), .value = path};
        out->files[files++] = (struct gantry_file){.path = path,
                                                   .bytes = variable->value,
                                                   .bytes_size = strlen(variable->value),
                                                   .mode = SECRETS_MODE,
                                                   .secret = 1};
    }
    out->spec.file_count = files;
}

int
secrets_split(const struct gantry_spec *spec, struct secrets *out, char *problem, size_t size)
{
    uint32_t count;
    size_t bytes;
    memset(out, 0, sizeof *out);
    memcpy(&out->spec, spec, spec->size < sizeof *spec ? spec->size : sizeof *spec);
    out->first_file = spec->file_count;
    const char *choice = option_text(spec->settings, "secrets");
    if (!choice || strcmp(choice, option_secrets_choices[1]) != 0)
        return 0;
    int code = measure(spec, &count, &bytes, problem, size);
    if (code < 0 || count == 0)
        return code;
    out->names = malloc(bytes);
    out->variables = calloc(spec->environment_count, sizeof *out->variables);
    out->files = calloc((size_t)spec->file_count + count, sizeof *out->files);
    if (!out->names || !out->variables || !out->files) {
        snprintf(problem, size, "out of memory");
        return GANTRY_E_NOMEM;
    }
    fill(out);
    out->spec.environment = out->variables;
    out->spec.environment_stride = sizeof *out->variables;
    out->spec.files = out->files;
    out->spec.file_stride = sizeof *out->files;
    return 0;
}

void
secrets_clear(struct secrets *secrets)
{
    free(secrets->names);
    free(secrets->variables);
    free(secrets->files);
    memset(secrets, 0, sizeof *secrets);
}

uint32_t
secrets_count(const struct secrets *secrets)
{
    return secrets->spec.file_count - secrets->first_file;
}

const struct gantry_file *
secrets_at(const struct secrets *secrets, uint32_t i)
{
    return file_at(&secrets->spec, secrets->first_file + i);
}

const char *
secrets_name(const struct gantry_file *file)
{
    return file->path + sizeof SECRETS_FOLDER;
}
