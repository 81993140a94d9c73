/* secrets.h - secrets = files: secret values that are not empty leave the environment and become files below
 * /run/secrets, which NAME_FILE=/run/secrets/NAME tells.  How an engine brings a file there is the plugin's
 * own: Docker and Portainer put it into the container, Podman and Swarm make secrets of it.  HTTP_PROXY and
 * its like stay variables: libraries read them. */
#ifndef ENGINE_SECRETS_H
#define ENGINE_SECRETS_H

#include <gantry/plugin.h>
#include <stddef.h>

#define SECRETS_FOLDER "/run/secrets"
#define SECRETS_MODE   0400

/* A spec as its option `secrets` wants it.
 *
 *     AUTO_SECRETS split = {0};
 *     int code = secrets_split(spec, &split, problem, sizeof problem);
 *     ... split.spec.environment         what stands in the environment, NAME_FILE included
 *     ... secrets_count(&split), secrets_at(&split, i)    what is handed over as files
 *
 * spec.files has the spec's own files and, behind them, those of the secrets. */
struct secrets {
    struct gantry_spec spec;           /* borrows from the one that was split */
    uint32_t first_file;               /* of spec.files that is a secret's */
    char *names;                       /* owned: what NAME_FILE and the paths are written in */
    struct gantry_variable *variables; /* owned; NULL: spec's are used */
    struct gantry_file *files;         /* owned; NULL: likewise */
};
#define AUTO_SECRETS __attribute__((cleanup(secrets_clear))) struct secrets

/* spec: borrowed, must outlive *out; with secrets = environment it is taken over as it is.  No value is
 * copied.  Returns 0, GANTRY_E_INVALID (the problem names the variable) or GANTRY_E_NOMEM. */
int secrets_split(const struct gantry_spec *spec, struct secrets *out, char *problem, size_t size);
void secrets_clear(struct secrets *secrets); /* may be all zero */

/* Those that are handed over as files: path /run/secrets/NAME, mode 0400. */
uint32_t secrets_count(const struct secrets *secrets);
const struct gantry_file *secrets_at(const struct secrets *secrets, uint32_t i);
const char *secrets_name(const struct gantry_file *file); /* NAME; borrowed from its path */

#endif
