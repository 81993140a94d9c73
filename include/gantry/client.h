/* gantry/client.h - a platform's operations, and any GraphQL query, without a manager.
 *
 * For tools: list connectors and managers, add, start, stop and delete connectors, ask whatever the
 * platform answers.  Every call blocks until the platform has answered, the time is up, or
 * gantry_client_cancel().
 *
 *     struct gantry_client *c = NULL;
 *     struct gantry_error *err = NULL;
 *     char *json = NULL;
 *     struct gantry_client_options o = {.size = sizeof o, .url = "https://opencti.example", .token
 * = token}; if (gantry_client_new(&o, &c, &err) == 0 && gantry_client_connectors(c, &json, &err) ==
 * 0) puts(json); gantry_text_free(json); gantry_client_free(c); gantry_error_free(err);
 *
 * What a platform answers is given as JSON text: the value of the operation's one field, such as an
 * array of connectors.  Platforms differ between versions; fields that one does not know are left
 * out of the question and of the answer, so a reader must be ready for their absence.
 *
 * Unless its comment says more, every call returns 0 or
 *   GANTRY_E_INVALID      the platform refuses what it was told, or an argument is wrong
 *   GANTRY_E_DENIED       the token, or what its user may do; the message names the capability
 *   GANTRY_E_NOT_FOUND    the connector or manager that was named is not there
 *   GANTRY_E_CONFLICT     a name that is taken, or another manager that is registered
 *   GANTRY_E_UNSUPPORTED  this platform lacks the operation
 *   GANTRY_E_UNAVAILABLE  it cannot be reached, is in trouble, or answers what is no GraphQL answer
 *   GANTRY_E_TIMEOUT, GANTRY_E_CANCELLED, GANTRY_E_NOMEM, GANTRY_E_INTERNAL
 * and leaves its results untouched when it fails.  A client is used by one thread at a time: that
 * is what [any & idle] means, idle being without a call in progress. */
#ifndef GANTRY_CLIENT_H
#define GANTRY_CLIENT_H

#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_client; /* opaque: one platform, one token, its connections */

/* Whom to ask, and how.  Zero is a good default for each field but size, url and token. */
struct gantry_client_options {
    uint32_t size;        /* sizeof(struct gantry_client_options) */
    uint32_t insecure;    /* 1: the server's certificate is not verified; 0: it is */
    const char *url;      /* borrowed; the platform's, with its base path, without "/graphql" */
    const char *token;    /* borrowed; of a user of the platform; kept nowhere but in memory */
    const char *ca_file;  /* borrowed; PEM; may be NULL: the system's */
    const char *proxy;    /* borrowed; NULL: from the environment; "": none; else a URL */
    const char *no_proxy; /* borrowed; hosts, comma separated; may be NULL */
    uint32_t connect_timeout_ms; /* 0: 10 s */
    uint32_t request_timeout_ms; /* 0: 30 s */
    uint32_t list_timeout_ms; /* 0: 120 s; for connectors and catalogs: a platform that is starting
                                 takes 90 s to list */
    uint32_t reserved;
};

/* Make a client.  Contacts nobody yet.
 * options: borrowed.  *out: owned, gantry_client_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free(); so it is in every call below.
 * Returns 0, GANTRY_E_INVALID or GANTRY_E_NOMEM.  [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_new(const struct gantry_client_options *options,
                                                   struct gantry_client **out,
                                                   struct gantry_error **err);

/* client: taken; may be NULL.  [any & idle] */
GANTRY_API void gantry_client_free(struct gantry_client *client);

/* Make the call that is in progress, or else the next one, return GANTRY_E_CANCELLED soon.
 * client: borrowed.  [any & signal] */
GANTRY_API void gantry_client_cancel(struct gantry_client *client);

/* What the platform itself said about a failure. */
struct gantry_client_problem {
    uint32_t size; /* sizeof(struct gantry_client_problem) */
    uint32_t reserved;
    const char *code; /* extensions.code, such as "FORBIDDEN_ACCESS"; "" without */
    const char *path; /* such as "connectorsForManagers.3.name"; "" without */
    const char
        *message; /* as the platform wrote it, line ends included; it may repeat what was sent */
};

/* The first error in the answer to the last call.
 * Returns NULL when it had none, as when there was no answer; else kept by client until the next
 * call. [any & idle] */
GANTRY_API const struct gantry_client_problem *
gantry_client_problem(const struct gantry_client *client);

/* Any GraphQL query or mutation.
 * document: borrowed; its syntax is checked before it is sent, what it asks for is not.
 * variables: borrowed; a JSON object; may be NULL.
 * *response: owned, gantry_text_free(): the whole answer as JSON, with `data` and `errors`.
 * Returns 0 when the platform gave a GraphQL answer, even if that has errors:
 * gantry_client_problem() has the first.  GANTRY_E_INVALID: the document (the message has line and
 * column) or the variables.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_query(struct gantry_client *client,
                                                     const char *document, const char *variables,
                                                     char **response, struct gantry_error **err);

/* The platform's version, such as "7.260306.1".
 * *version: owned, gantry_text_free().  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_version(struct gantry_client *client, char **version,
                                                       struct gantry_error **err);

/* All catalogues: id, name, description, contracts (each a JSON text).  This is megabytes.
 * *json: owned, gantry_text_free(); an array.  Capability INGESTION.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_catalogs(struct gantry_client *client, char **json,
                                                        struct gantry_error **err);

/* All managed connectors: id, name, title, image, hash, both statuses, health; no configuration.
 * *json: owned, gantry_text_free(); an array.  Capability SETTINGS_SETACCESSES.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_connectors(struct gantry_client *client, char **json,
                                                          struct gantry_error **err);

/* Register a manager, or its new name and key.
 * id, name, public_key (PEM): borrowed.  *json: owned, gantry_text_free(): id, name, about_version.
 * GANTRY_E_CONFLICT: another manager is registered, and the platform allows one.
 * Capability CONNECTORAPI.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_register(struct gantry_client *client,
                                                        const char *id, const char *name,
                                                        const char *public_key, char **json,
                                                        struct gantry_error **err);

/* Tell that a manager is alive.
 * id: borrowed.  *json: owned, gantry_text_free(): id, about_version.  Capability CONNECTORAPI.
 * [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_ping(struct gantry_client *client, const char *id,
                                                    char **json, struct gantry_error **err);

/* Add a connector from a contract of a catalogue.
 * input: borrowed; a JSON object: name, user_id, catalog_id, manager_contract_image (without tag),
 * manager_contract_configuration (an array of {"key", "value"}, all values texts), automatic_user,
 * confidence_level.  *json: owned, gantry_text_free(): the connector; its first wish is "stopped".
 * Capability CONNECTORAPI.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_add(struct gantry_client *client, const char *input,
                                                   char **json, struct gantry_error **err);

/* What should become of a connector.
 * id: borrowed.  status: borrowed; "starting" or "stopping".  Capability MODULES_MODMANAGE.  [any &
 * idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_request_status(struct gantry_client *client,
                                                              const char *id, const char *status,
                                                              struct gantry_error **err);

/* What a connector does: a manager's report.
 * id: borrowed.  status: borrowed; "started" or "stopped".  Capability CONNECTORAPI.  [any & idle]
 */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_set_status(struct gantry_client *client,
                                                          const char *id, const char *status,
                                                          struct gantry_error **err);

/* A connector's last log lines: a manager's report.  They replace those of the report before.
 * Control characters are taken out; a line is cut at 4 KiB, and the oldest are left out beyond 64
 * KiB in all. id: borrowed.  lines: borrowed, line_count texts; may be NULL when line_count is 0.
 * Capability CONNECTORAPI.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_logs(struct gantry_client *client, const char *id,
                                                    const char *const *lines, size_t line_count,
                                                    struct gantry_error **err);

/* A connector's health: a manager's report, which the platform forgets after 300 s.
 * id: borrowed.  restart_count: not negative.  started_ms: Unix time in milliseconds; 0: now.
 * in_reboot_loop: 1 or 0.  Capability CONNECTORAPI.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_health(struct gantry_client *client, const char *id,
                                                      int32_t restart_count, int64_t started_ms,
                                                      int in_reboot_loop,
                                                      struct gantry_error **err);

/* Delete a connector for good; what is deleted already is no error.
 * id: borrowed.  Capability MODULES_MODMANAGE.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_delete(struct gantry_client *client, const char *id,
                                                      struct gantry_error **err);

/* All managers that ever registered: id, name, active, last_sync_execution, about_version.
 * *json: owned, gantry_text_free(); an array.  Capability MODULES.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_managers(struct gantry_client *client, char **json,
                                                        struct gantry_error **err);

/* One manager, as above.
 * id: borrowed.  *json: owned, gantry_text_free(); an object.
 * GANTRY_E_NOT_FOUND: there is none of that id.  Capability MODULES.  [any & idle] */
GANTRY_API GANTRY_MUST_CHECK int gantry_client_manager(struct gantry_client *client, const char *id,
                                                       char **json, struct gantry_error **err);

#ifdef __cplusplus
}
#endif
#endif
