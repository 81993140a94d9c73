/* gantry/extensions.h - what a host may offer besides its table: functions by id, which gantry_extension() gives.
 *
 * A part of plugin.h, which includes it and has the rules: size and stride, ownership, threads. */
#ifndef GANTRY_EXTENSIONS_H
#define GANTRY_EXTENSIONS_H

#include <gantry/http.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gantry_call; /* gantry/plugin.h */
struct gantry_host; /* gantry/plugin.h */

/* The extension "gantry.http/1": the host's HTTP client.  Connections are kept for each [backend]. */
#define GANTRY_EXTENSION_HTTP "gantry.http/1"
struct gantry_http {
    uint32_t size; /* sizeof(struct gantry_http) */
    uint32_t reserved;
    /* Run n requests side by side; returns when all have ended.  on_part is called on this thread, with
     * the parts of all requests as they come; when it returns non-zero, that request ends with that code.
     * Bound to the call: at its deadline and on cancellation all that is left ends.
     * call, requests: borrowed.  stride: sizeof(struct gantry_http_request).
     * Returns 0 when every request had an answer, whatever its status; else the first one's code, whose
     * text the call then has. */
    int (*perform)(struct gantry_call *call, const struct gantry_http_request *requests, uint32_t n,
                   uint32_t stride,
                   int (*on_part)(void *context, const struct gantry_http_part *part),
                   void *context);
};

/* The extension "gantry.folder/1": where a plugin may keep what has to outlive the host. */
#define GANTRY_EXTENSION_FOLDER "gantry.folder/1"
struct gantry_folder {
    uint32_t size; /* sizeof(struct gantry_folder) */
    uint32_t reserved;
    /* An absolute path for this [backend] alone, the same at every run.  The plugin makes the folder when it
     * first needs it; its parent is there.  host: as given to open().  Returns NULL when this host keeps
     * nothing; else kept by the host until close().  [any] */
    const char *(*path)(const struct gantry_host *host);
};

#ifdef __cplusplus
}
#endif
#endif
