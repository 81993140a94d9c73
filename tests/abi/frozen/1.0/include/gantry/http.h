/* gantry/http.h - what an HTTP request and its answer are.
 *
 * Used by plugin.h (the extension gantry.http/1, by which a plugin borrows the host's HTTP client) and by
 * every other header that takes a transport.  Nothing here is a function: only shapes. */
#ifndef GANTRY_HTTP_H
#define GANTRY_HTTP_H

#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One header field (RFC 9110, 5).  Names compare without regard to case. */
struct gantry_http_header {
    const char *name;  /* borrowed */
    const char *value; /* borrowed; no CR, LF or NUL: such a request is refused */
};

/* How TLS is done.  All paths are of PEM files.  Everything borrowed; NULL: not given. */
struct gantry_http_tls {
    uint32_t size;         /* sizeof(struct gantry_http_tls) */
    uint32_t insecure;     /* 1: the server's certificate is not verified; 0: it is */
    const char *ca_file;   /* may be NULL: the system's; else these alone are trusted */
    const char *cert_file; /* client certificate; may be NULL */
    const char *key_file;  /* its key; may be NULL */
};

/* Request flags. */
#define GANTRY_HTTP_FRESH_CONNECTION 1u /* use no kept one, and do not keep this one */
/* In a plugin's call: go on after it was cancelled or its deadline has passed, for total_timeout_ms (30 s when
 * that is 0) at the most: for what must be finished, or undone, once it was begun. */
#define GANTRY_HTTP_FINISH 2u

/* One request.  A zero in a time or size field means the host's default, which is named behind it; times
 * are milliseconds.  Redirects are never followed: a 3xx is an answer like another.  A connection that is
 * reset before any byte of the answer, on a kept connection, is tried once more on a fresh one. */
struct gantry_http_request {
    uint32_t size;           /* sizeof(struct gantry_http_request) */
    uint32_t flags;          /* GANTRY_HTTP_* */
    const char *method;      /* borrowed, such as "GET" */
    const char *url;         /* borrowed; http:// or https://, absolute */
    const char *unix_socket; /* borrowed; may be NULL; path of a socket to connect to
                                                 instead of the URL's host */
    const struct gantry_http_header *headers; /* borrowed; may be NULL when header_count is 0 */
    uint32_t header_count;
    uint32_t header_stride; /* sizeof(struct gantry_http_header) */
    const void *body;       /* borrowed; may be NULL */
    uint64_t body_size;     /* bytes */
    /* The body in pieces instead; may be NULL.  Fills buffer with up to size bytes and returns how many;
     * 0 ends the body, a negative GANTRY_E_* ends the request with it.  Called on the thread that entered
     * perform.  With body_size 0 the body is sent chunked. */
    int64_t (*read_body)(void *context, void *buffer, uint64_t size);
    void *read_context;
    uint32_t connect_timeout_ms;       /* 10 s: name, connection and TLS */
    uint32_t first_byte_timeout_ms;    /* none: from the start to the first byte of the answer */
    uint32_t total_timeout_ms;         /* none: from the start to the last byte */
    uint32_t stall_timeout_ms;         /* none: between two bytes of the answer's body */
    uint64_t max_response_bytes;       /* 64 MiB; counts the body after decompression */
    const struct gantry_http_tls *tls; /* borrowed; may be NULL: verified by the system's CAs */
    const char *proxy;                 /* borrowed; NULL: from the environment (http_proxy,
                                                 https_proxy, no_proxy); "": none; else a URL */
    const char *no_proxy;              /* borrowed; may be NULL; hosts, comma separated */
};

/* What arrives.  For each request: HEAD once, DATA any number of times, END once, always the last; when
 * there is no answer at all, END alone. */
#define GANTRY_HTTP_HEAD 1u
#define GANTRY_HTTP_DATA 2u
#define GANTRY_HTTP_END  3u

struct gantry_http_part {
    uint32_t size;                            /* sizeof(struct gantry_http_part) */
    uint32_t kind;                            /* GANTRY_HTTP_HEAD, _DATA or _END */
    uint32_t index;                           /* of the request in the array given to perform */
    uint32_t status;                          /* HTTP status; 0 in an END without an answer */
    const struct gantry_http_header *headers; /* HEAD: borrowed; trailers are left out */
    uint32_t header_count;
    uint32_t header_stride;
    const void *data; /* DATA: borrowed; pieces as they come, never empty */
    uint64_t data_size;
    int32_t code; /* END: 0 when the answer is complete, else GANTRY_E_* */
    uint32_t reserved;
    const char *message; /* END with a code: one line for a person, borrowed; else NULL */
};

#ifdef __cplusplus
}
#endif
#endif
