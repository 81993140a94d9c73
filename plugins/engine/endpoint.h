/* endpoint.h - the settings that say where the engine is, as a struct engine. */
#ifndef ENGINE_ENDPOINT_H
#define ENGINE_ENDPOINT_H

#include "engine.h"

/* The rows that endpoint_read() reads, for a plugin's table of settings. */
#define ENDPOINT_SETTINGS(socket_variable, socket_default, socket_what, folder_variable,           \
                          verify_variable)                                                         \
    ENGINE_SETTING("socket", GANTRY_TYPE_STRING, GANTRY_SETTING_PLACE, socket_variable,            \
                   socket_default, socket_what),                                                   \
        ENGINE_SETTING("cert_path", GANTRY_TYPE_PATH, 0, folder_variable, NULL,                    \
                       "folder with ca.pem, cert.pem and key.pem for TLS"),                        \
        ENGINE_SETTING("ca_file", GANTRY_TYPE_PATH, 0, NULL, NULL,                                 \
                       "certificates that are trusted instead of the system's"),                   \
        ENGINE_SETTING("cert_file", GANTRY_TYPE_PATH, 0, NULL, NULL, "client certificate"),        \
        ENGINE_SETTING("key_file", GANTRY_TYPE_PATH, 0, NULL, NULL,                                \
                       "key of the client certificate"),                                           \
        ENGINE_SETTING(                                                                            \
            "tls_verify", GANTRY_TYPE_STRING, 0, verify_variable, NULL,                            \
            "use TLS on tcp://, and verify the engine's certificate; no: use it unverified")
#define ENDPOINT_WATCH_SPAN                                                                        \
    ENGINE_SETTING("watch_span", GANTRY_TYPE_DURATION, 0, NULL, "5m",                              \
                   "how long one stream of events lasts before the next is opened")

/* engine: zeroed, but for an address that is taken where the settings name none; filled, and
 * endpoint_clear() frees what it got, also after a failure.
 * Returns 0, or GANTRY_E_INVALID or GANTRY_E_NOMEM with problem filled: which setting, what, what
 * to do. */
int endpoint_read(const struct gantry_settings *settings, struct engine *engine, char *problem,
                  size_t problem_size);
void endpoint_clear(struct engine *engine);

#endif
