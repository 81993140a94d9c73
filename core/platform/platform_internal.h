/* platform_internal.h - what the files of this room share.
 *
 *   platform.c         platform.h's functions: dispatches by kind, and ends calls without network
 *   listing.c          builds listings and configurations, of any kind of platform
 *   local.c            kind local: the folder
 *   local_file.c       one file of it;  local_watch.c: hears that it has changed
 *   custom.c           kind custom: the program's own (gantry/platform.h)
 *   opencti.c          kind opencti: makes it, ping and registration
 *   opencti_list.c     the two steps of the poll;  opencti_read.c: what their answers say
 *   opencti_report.c   reports;  values.c: the variables
 *   log_lines.c        log lines as a platform takes them
 *   client.c           client.h's functions, on the same exchanges;  client_calls.c: one an operation
 *
 *   exchange.c         one question and its answer, asked again with less where that is due
 *   negotiate.c        what this platform lacks, and is therefore not asked for
 *   answer.c           is it a GraphQL answer, and what does it say
 *   problem.c          an error of it as ours
 *   operations.c       the table of operations.def
 *   transport_http.c   send(document, variables) -> bytes, over HTTP
 *
 * The upper half knows connectors; the lower one knows GraphQL over a transport. */
#ifndef PLATFORM_INTERNAL_H
#define PLATFORM_INTERNAL_H

#include "buf.h"
#include "crypto.h"
#include "graphql.h"
#include "map.h"
#include "platform.h"
#include "vec.h"

#include <cjson/cJSON.h>

/* --- operations.c */

#define OPERATION(name, document, field, variable, capability, optional) OP_##name,
enum operation {
#include "operations.def"
    OPERATION_COUNT
};
#undef OPERATION

struct operation_row {
    const char *document;                      /* text of the .graphql file */
    const char *field, *variable, *capability; /* variable, capability: may be NULL */
    const char *optional;                      /* comma separated */
};
const struct operation_row *operation_row(enum operation op);
bool operation_field_is_optional(enum operation op, struct str field);

/* --- transport: send(document, variables) -> the bytes of the answer */

struct transport_request {
    struct str document, variables; /* borrowed; variables: a JSON object, or empty */
    int64_t timeout_ms;
    bool is_query; /* asking twice does no harm */
};
/* answer: taken, as in http_fetch(); its status is 200 where a transport has none. */
typedef void transport_done(void *context, struct http_answer *answer);

struct transport;
struct transport_send; /* one in progress; gone when done is called */
struct transport_kind {
    int (*send)(struct transport *transport, const struct transport_request *request,
                transport_done *done, void *context, struct transport_send **out,
                struct gantry_error **err);
    void (*cancel)(struct transport_send *send); /* done is not called */
    void (*free)(struct transport *transport);   /* what is in progress goes on */
};
struct transport {
    const struct transport_kind *kind;
};

struct transport_http_options {
    const char *url;                        /* without "/graphql"; slashes at its end do no harm */
    struct str token;                       /* borrowed, copied */
    const char *ca_file, *proxy, *no_proxy; /* may be NULL; copied */
    bool tls_verify;
    int64_t connect_timeout_ms;
};
/* http: kept. */
MUST_CHECK int transport_http_new(struct http_loop *http,
                                  const struct transport_http_options *options,
                                  struct transport **out, struct gantry_error **err);
void transport_free(struct transport *transport); /* may be NULL */

/* --- answer.c */

/* A GraphQL answer.  What no C text can hold, an escaped NUL or half of a surrogate pair, is read
 * as ANSWER_MARK (U+FFFF, which no text of a platform holds), so that nothing is cut in silence. */
#define ANSWER_MARK "\xef\xbf\xbf"
struct answer {
    cJSON *root;
    const cJSON *data;   /* an object, or NULL */
    const cJSON *errors; /* what is there but for null and an empty list, or NULL */
    unsigned status;     /* of HTTP */
};

/* body: borrowed, written to (ANSWER_MARK).  *out: answer_clear(); untouched on failure.
 * Fails with GANTRY_E_UNAVAILABLE (DENIED for 401 and 403) when it is no GraphQL answer: garbage,
 * HTML, nothing, cut short.  The text has status and content type, and nothing of the body. */
MUST_CHECK int answer_parse(char *body, size_t len, unsigned status, const char *content_type,
                            struct answer *out, struct gantry_error **err);
void answer_clear(struct answer *answer); /* wipes the texts: they may be secrets */
#define AUTO_ANSWER AUTO(answer_clear)

/* One error of an answer; all texts borrowed from it. */
struct problem {
    const char *code;    /* extensions.code, or "" */
    const char *message; /* may be "" */
    const char
        *field;     /* the root field that it lies in; NULL: none, it concerns the whole answer */
    char path[160]; /* "connectorsForManagers.3.name"; "" without; cut when it is longer */
};
size_t answer_problem_count(const struct answer *answer);
void answer_problem(const struct answer *answer, size_t i, struct problem *out);
/* The first problem that lies inside this root field or concerns all; false: there is none. */
bool answer_field_problem(const struct answer *answer, const char *field, struct problem *out);
/* data.FIELD when it may be used: 2xx, not null, without an error inside; else NULL (S1). */
const cJSON *answer_field(const struct answer *answer, const char *field);
/* The text of a member; NULL when it is absent, null or no text. */
const char *answer_text(const cJSON *object, const char *member);

/* --- problem.c */

/* Why data.FIELD of this operation cannot be used.  token_hint: whose token it is, such as
 * "token of [platform opencti]".  Returns the code. */
int problem_error(enum operation op, const struct answer *answer, const char *token_hint,
                  struct gantry_error **err);

/* --- negotiate.c */

enum { NEGOTIATE_DENIED_MS = 5 * 60 * 1000 }; /* how long a part of a report is left out, refused */

struct negotiate_slot {
    struct gql_document *document; /* parsed when first asked for; what the platform lacks is out */
    bool lacking;                  /* the platform has no such operation */
    bool said;                     /* that has been logged */
    int64_t denied_until_ms; /* parts of a report: not asked before, on clock_mono_ms(); 0: asked */
};
struct negotiate {
    struct negotiate_slot slots[OPERATION_COUNT];
    char *version; /* of the platform, to which all that belongs; NULL: not known yet */
    struct log *log;
    const char *name; /* of the platform, for the log */
};
void negotiate_init(struct negotiate *n, struct log *log, const char *name);
void negotiate_clear(struct negotiate *n);
/* The platform says its version: true when it is another than before, and all is asked for again.
 */
bool negotiate_version(struct negotiate *n, const char *version);
/* Ask for everything again, once, without saying again what was said. */
void negotiate_doubt(struct negotiate *n);
bool negotiate_is_lacking(const struct negotiate *n, enum operation op);
/* Append the document of one to three operations, with what is lacking left out; several are
 * mutations of one connector that share a document. */
MUST_CHECK int negotiate_document(struct negotiate *n, const enum operation *ops, size_t count,
                                  struct buf *out, struct gantry_error **err);
/* What the validation errors of an answer say about these operations: marks slots.  Returns true
 * when something was marked, so that asking again is worth it. */
bool negotiate_learn(struct negotiate *n, const enum operation *ops, size_t count,
                     const struct answer *answer);

/* --- exchange.c */

enum { EXCHANGE_PARTS_MAX = 3, EXCHANGE_TRIES_MAX = 8 };

/* Whom one talks to, and how. */
struct session {
    struct transport *transport; /* owned */
    struct negotiate negotiate;
    char *token_hint;       /* owned */
    struct exchange *first; /* all in progress */
    size_t active;
};
/* transport: taken, on failure too. */
MUST_CHECK int session_init(struct session *s, struct transport *transport, struct log *log,
                            const char *name, const char *token_hint, struct gantry_error **err);
void session_cancel(struct session *s); /* what is in progress; done is not called */
void session_clear(struct session *s);  /* the same, and all that it owns; zeros do no harm */

struct exchange_part {
    enum operation op;
    char *value;                /* owned: JSON of the variable; NULL where there is none */
    bool left_out;              /* it is not in the document that was sent last */
    bool quiet;                 /* left out for what has been said before */
    int code;                   /* the outcome: 0, or why data.FIELD cannot be used */
    struct gantry_error *error; /* owned */
};

struct exchange_order {
    struct exchange_part
        parts[EXCHANGE_PARTS_MAX]; /* op and value; values: taken, on failure too */
    size_t count;
    int64_t timeout_ms;
    bool report;              /* a part that is refused is left out for NEGOTIATE_DENIED_MS */
    bool digest;              /* make the SHA-256 of the answer's bytes */
    const char *known_digest; /* kept until done; may be NULL: an equal one is `unchanged` */
};

/* How it went; all borrowed during the call of done. */
struct exchange_result {
    int code; /* 0 when every part is well that this platform has; else of the first that is not */
    const struct gantry_error *error;
    const struct exchange_part *parts;
    size_t count;
    const struct answer *answer; /* NULL when there was none, or unchanged */
    bool unchanged;
    const char *digest; /* NULL: none was made */
};
typedef void exchange_done(void *context, const struct exchange_result *result);

struct exchange;
/* done is called once, later, unless this fails: GANTRY_E_UNSUPPORTED when there is nothing to ask:
 * the platform is known to lack every part, or refused it a moment ago. */
MUST_CHECK int exchange_start(struct session *s, struct exchange_order *order, exchange_done *done,
                              void *context, struct gantry_error **err);

/* --- listing.c */

struct listing_builder {
    struct platform_listing *listing;
    VEC(struct platform_connector) items;
    struct map seen; /* id -> index + 1 */
};
MUST_CHECK int listing_begin(struct listing_builder *b, struct gantry_error **err);
/* connector: its texts are of the listing's arena.  An id that is there already makes both one with
 * a problem, and the listing doubtful. */
MUST_CHECK int listing_add(struct listing_builder *b, const struct platform_connector *connector,
                           struct gantry_error **err);
void listing_doubt(struct listing_builder *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Append what a listing says of one connector, to recognise a listing that has not changed. */
void listing_canon(struct buf *canon, const struct platform_connector *connector);
MUST_CHECK int listing_end(struct listing_builder *b, struct platform_listing **out,
                           struct gantry_error **err);
void listing_abandon(struct listing_builder *b);

struct configurations_builder {
    struct platform_configurations *configurations;
    VEC(struct platform_configuration) items;
    VEC(struct platform_unusable) unusable;
    struct map seen; /* id -> index + 1 of items, or a mark: it is among the unusable */
};
MUST_CHECK int configurations_begin(struct configurations_builder *b, struct gantry_error **err);
MUST_CHECK int configurations_add(struct configurations_builder *b,
                                  const struct platform_configuration *item,
                                  struct gantry_error **err);
/* One whose values are all in the clear: copied. */
MUST_CHECK int configurations_add_connector(struct configurations_builder *b,
                                            const struct config_connector *from, const char *hash,
                                            struct gantry_error **err);
/* text: of the arena. */
MUST_CHECK int configurations_add_unusable(struct configurations_builder *b, const char *id,
                                           const char *text, struct gantry_error **err);
MUST_CHECK int configurations_end(struct configurations_builder *b,
                                  struct platform_configurations **out, struct gantry_error **err);
void configurations_abandon(struct configurations_builder *b);
void configuration_wipe(const struct platform_configuration *item); /* its values */

/* --- opencti_read.c: pure */

/* field: data.connectorsForManagers. */
MUST_CHECK int opencti_read_listing(const cJSON *field, struct platform_listing **out,
                                    struct gantry_error **err);
MUST_CHECK int opencti_read_configurations(const cJSON *field, struct platform_configurations **out,
                                           struct gantry_error **err);
/* Both steps at once, for a body as it came; for the fuzzer. */
MUST_CHECK int opencti_read_body(char *body, size_t len, struct platform_listing **listing,
                                 struct platform_configurations **configurations,
                                 struct gantry_error **err);

/* --- local_file.c */

#define LOCAL_HASH_SIZE 17 /* 16 hex digits, and a NUL */
/* Gantry's own hash of a local connector: over image and environment, the order of the variables
 * left out. */
MUST_CHECK int local_hash(const struct config_connector *connector, char hash[LOCAL_HASH_SIZE],
                          struct gantry_error **err);
void connector_wipe(const struct config_connector *connector); /* its values */
/* One file of the folder.  name: without ".ini"; connector: NULL when it cannot be used, and
 * problem says why, else NULL; both borrowed.  A negative value ends the walk. */
typedef int local_visit(void *context, const char *name, const struct config_connector *connector,
                        const char *problem, struct gantry_error **err);
/* Visit every *.ini of a folder, by name.  A folder that cannot be read whole is an error. */
MUST_CHECK int local_walk(const char *folder, char *const *environment, local_visit *visit,
                          void *context, struct gantry_error **err);

/* Is this the name of a connector's file? */
bool local_is_file_name(const char *name);

/* --- local_watch.c */

struct local_watch {
    int fd;    /* of inotify; -1: the system has none for us */
    int wd;    /* -1: the folder is not watched */
    bool said; /* that it does not work */
};
void local_watch_open(struct local_watch *w, const struct platform *p);
void local_watch_close(struct local_watch *w);
/* Watch the folder that has the name now. */
void local_watch_renew(struct local_watch *w, const struct platform *p);
/* Read all events: is one of them worth a listing? */
bool local_watch_changed(struct local_watch *w, const struct platform *p);

/* --- log_lines.c */

#define LOG_LINE_MAX_BYTES  ((size_t)4 * 1024)
#define LOG_LINES_MAX_BYTES ((size_t)64 * 1024)
/* Append the lines as a JSON array: control characters and escape sequences taken out, valid UTF-8,
 * each cut at LOG_LINE_MAX_BYTES, the oldest left out until all are within LOG_LINES_MAX_BYTES. */
void log_line_clean(struct buf *out, const char *text); /* appends one line so */
void log_lines_add_json(struct buf *out, const char *const *lines, size_t count);

/* --- values.c: of the mutations' variables; freed by free(), NULL when memory ran out */

char *value_status(const char *id, const char *status);
char *value_health(const char *id, const struct platform_health *health, int64_t now_ms);
char *value_logs(const char *id, const char *const *lines, size_t count);
char *value_id(const char *id);      /* {"id": ...} */
char *values_text(const char *text); /* "..." */
char *value_manager(const char *id, const char *name, const char *public_key);

/* --- platform.c */

enum call_kind { CALL_DONE, CALL_LISTED, CALL_CONFIGURED };
/* One call of platform.h until its done. */
struct call {
    struct call *prev, *next;
    struct platform *platform;
    bool ended; /* waits for platform_step() */
    enum call_kind kind;
    union {
        platform_done *plain;
        platform_listed *listed;
        platform_configured *configured;
    } done;
    void *context;
    int step; /* of its kind's own */
    /* the outcome */
    int code;
    struct gantry_error *error;
    struct platform_listing *listing;
    bool unchanged;
    struct platform_configurations *configurations;
};
/* Ends a call now: calls done and frees.  On the loop's thread, in a callback. */
void call_end(struct call *call);
/* Ends it in the next platform_step(). */
void call_end_later(struct call *call);
/* Set an error as the call's outcome: takes *error. */
void call_fail(struct call *call, int code, struct gantry_error **error);

struct platform_kind {
    const char *label;
    /* context, settings: borrowed: what is needed of them later is copied. */
    int (*new)(struct platform *platform, const struct platform_context *context,
               const struct config_platform *settings, struct gantry_error **err);
    void (*free)(struct platform *platform); /* cancels; platform->own may be NULL */
    void (*ping)(struct platform *platform, struct call *call);
    void (*list)(struct platform *platform, struct call *call);
    void (*forget)(struct platform *platform);
    void (*configure)(struct platform *platform, struct call *call);
    void (*report)(struct platform *platform, const struct platform_report *report,
                   struct call *call);
    /* Each may be NULL: nothing to take over; nothing to watch. */
    int (*take)(struct platform *platform, const struct config_platform *fresh,
                struct gantry_error **err);
    int (*fd)(const struct platform *platform);
    bool (*changed)(struct platform *platform);
};
extern const struct platform_kind platform_kind_opencti, platform_kind_local, platform_kind_custom;

struct platform {
    const struct platform_kind *kind;
    char *name, *path; /* of its settings; path: may be NULL */
    int64_t request_timeout_ms, list_timeout_ms;
    struct http_loop *http;
    struct log *log;
    char *manager_id, *manager_name, *public_key; /* public_key: may be NULL */
    char *const *environment;
    void *own;                 /* of the kind */
    struct call *first, *last; /* calls, in the order that they were made */
    size_t active;
};

/* --- opencti.c */

struct opencti {
    struct session session;
    bool registered;
    char listing_digest[CRYPTO_HEX_SIZE]; /* of the last that was handed out; "": none */
};
void opencti_list(struct platform *platform, struct call *call);
void opencti_forget(struct platform *platform);
void opencti_configure(struct platform *platform, struct call *call);
void opencti_report(struct platform *platform, const struct platform_report *report,
                    struct call *call);
/* Ask, and let done have the call as its context; a question that cannot be asked ends the call
 * later. */
void opencti_ask(struct call *call, struct exchange_order *order, exchange_done *done);

#endif
