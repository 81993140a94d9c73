/* http_internal.h - what the files of this room share.
 *
 *   http_loop.c      the loop: curl's multi handle, its sockets in an epoll set, its timer; whose
 * turn it is http_transfer.c  one request from its start to its END: curl's callbacks, deadlines,
 * the second try http_request.c   is a request right, and what curl must be told for it http_head.c
 * status and header fields of an answer http_errors.c    what went wrong, as a code and a line
 *   http_fetch.c     a whole answer in memory
 *   http_pool.c      blocking calls
 *
 * A transfer is in exactly one list of its loop:
 *
 *   idle ──start──► active ──done, deadline──► ending ──END──► idle
 *     └──start───► waiting ──┘ (in a callback)   active ──cancel in a callback──► doomed ──► idle
 *
 * curl does not let its callbacks add or remove requests.  So what a callback starts waits, and
 * what it cancels is doomed, until curl has returned. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include "buf.h"
#include "http.h"
#include "vec.h"

#include <curl/curl.h>

struct http_list {
    struct http_transfer *first, *last;
    size_t count;
};

struct http_loop {
    CURLM *multi;
    int epoll_fd;
    int64_t curl_due_ms; /* when curl wants to be called, on clock_mono_ms(); -1: not */
    bool in_curl;        /* a callback of curl may be running */
    bool in_step;
    bool starved; /* curl had no memory for a socket, and does not say whose */
    struct http_list idle, waiting, active, ending, doomed;
};

/* Status and fields of the answer while they arrive. */
struct http_field {
    size_t name, value; /* offsets in text: it moves while it grows */
};
struct http_head {
    uint32_t status; /* of the block that is being read; 0: none yet */
    bool complete;   /* the final block has ended; what follows are trailers */
    struct buf text; /* name NUL value NUL ... */
    VEC(struct http_field) fields;
    VEC(struct gantry_http_header) headers; /* made when complete */
};

#define HTTP_WHERE_SIZE   320
#define HTTP_MESSAGE_SIZE 640

/* Times of a request, milliseconds; 0: none. */
struct http_limits {
    uint32_t connect_ms, first_byte_ms, total_ms, stall_ms;
    uint64_t max_bytes;
};

struct http_transfer {
    struct http_transfer *prev, *next;
    struct http_list *list; /* NULL while its END is being delivered */
    struct http_loop *loop;
    CURL *easy;

    http_on_part *on_part;
    void *context;
    void (*release)(void *context); /* may be NULL; called when it goes without END */
    uint32_t index;

    struct http_limits limits;
    int64_t started_ms;   /* the request */
    int64_t connect_ms;   /* the present try to connect */
    int64_t last_byte_ms; /* of the body; the end of the head before there is one */

    bool connected;  /* a connection is there: name, connection and TLS are done */
    bool answered;   /* a byte of the answer has come */
    bool retried;    /* this is the second try, on a fresh connection */
    bool kept_again; /* curl wanted its second try on another kept connection: make it ours */
    bool sized;      /* body_left counts */
    unsigned tries;  /* times that curl was about to send it */

    uint64_t received; /* bytes of the body, decompressed */
    uint64_t body_left;
    int64_t (*read_body)(void *context, void *buffer, uint64_t size);
    void *read_context;

    struct http_head head;
    int code;                    /* why it ends; set before curl knows when we end it ourselves */
    char where[HTTP_WHERE_SIZE]; /* "https://host:port", "unix socket '/x'": never a secret */
    char via[HTTP_WHERE_SIZE];   /* the proxy that was asked for, without credentials; "" */
    bool unix_socket;
    char message[HTTP_MESSAGE_SIZE];
    char curl_text[CURL_ERROR_SIZE];

    char *block; /* header lines and their list, wiped: they hold credentials */
    size_t block_size;
};

/* Set an option of `easy` unless `rc` says that an earlier one failed. */
#define HTTP_SET(option, value)                                                                    \
    do {                                                                                           \
        if (rc == CURLE_OK)                                                                        \
            rc = curl_easy_setopt(easy, (option), (value));                                        \
    } while (0)

/* --- http_loop.c */
void http_move(struct http_transfer *t, struct http_list *to); /* to: may be NULL */

/* --- http_transfer.c */
/* Start; release: may be NULL; takes over context when it succeeds. */
MUST_CHECK int http_transfer_start(struct http_loop *loop,
                                   const struct gantry_http_request *request, uint32_t index,
                                   http_on_part *on_part, void *context,
                                   void (*release)(void *context), struct http_transfer **out,
                                   struct gantry_error **err);
void http_transfer_admit(struct http_transfer *t);             /* waiting: to curl */
void http_transfer_done(struct http_transfer *t, CURLcode rc); /* curl has ended it */
void http_transfer_deliver(struct http_transfer *t);           /* ending: END, then idle */
void http_transfer_drop(struct http_transfer *t);              /* away without END */
void http_transfer_free(struct http_transfer *t);
/* End it: END comes with this code.  Not in a callback of curl. */
void http_transfer_fail(struct http_transfer *t, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
int64_t http_transfer_due_ms(const struct http_transfer *t); /* its next deadline, or INT64_MAX */
void http_transfer_check(struct http_transfer *t, int64_t now_ms);

/* --- http_request.c */
/* Copy what the caller gave, by its size, into the shape that we know, with the defaults in. */
MUST_CHECK int http_request_read(const struct gantry_http_request *theirs,
                                 struct gantry_http_request *request, struct gantry_error **err);
MUST_CHECK int http_request_check(const struct gantry_http_request *request,
                                  struct gantry_error **err);
/* Tell curl; fills limits, where, via and block of the transfer. */
MUST_CHECK int http_request_apply(struct http_transfer *t,
                                  const struct gantry_http_request *request,
                                  struct gantry_error **err);
/* "scheme://host:port" of a URL, without credentials, path and query. */
void http_origin(const char *url, char *text, size_t size);

/* --- http_head.c */
void http_head_init(struct http_head *head);
void http_head_reset(struct http_head *head);
void http_head_clear(struct http_head *head);
/* One line as curl gives it.  *complete: the final head has just ended.  0 or GANTRY_E_*. */
MUST_CHECK int http_head_line(struct http_head *head, struct str line, bool *complete);

/* --- http_errors.c */
void http_say(struct http_transfer *t, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
void http_say_curl(struct http_transfer *t, CURLcode rc);
#define HTTP_SPAN_SIZE 32
const char *http_span(uint64_t ms, char text[HTTP_SPAN_SIZE]); /* "30 s", "1500 ms" */

#endif
