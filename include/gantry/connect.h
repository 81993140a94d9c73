/* gantry/connect.h - connectors schemas and their language, without a manager.
 *
 * A mapping (JSONSelection) says how the JSON of a REST API becomes the data of a GraphQL field:
 *
 *     struct gantry_mapping *mapping = NULL;
 *     struct gantry_error *err = NULL;
 *     int rc = gantry_mapping_parse("id name: title", 14, NULL, &mapping, NULL, &err);
 *
 * It is parsed once and evaluated as often as one likes, on several threads at once.  Texts go in, texts
 * come out.  Link with -lgantry-connect alone. */
#ifndef GANTRY_CONNECT_H
#define GANTRY_CONNECT_H

#include <gantry/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A mapping that was parsed.  Never changed again. */
struct gantry_mapping;

/* How a mapping is parsed.  Zero is the default of each. */
struct gantry_mapping_options {
    uint32_t size; /* sizeof(struct gantry_mapping_options) */
    uint32_t
        version; /* of connect: 2, 3 or 4 is v0.2, v0.3, v0.4; default 2.  0.1 is read as 0.2 */
};

/* A piece of a mapping's text.  Offsets count bytes, line and column from 1, columns in characters. */
struct gantry_mapping_place {
    uint32_t size;   /* sizeof(struct gantry_mapping_place) */
    uint32_t line;   /* of start */
    uint32_t column; /* of start */
    uint32_t reserved;
    uint64_t start, end; /* the first byte, and the one behind the last */
};

/* Parse a mapping.
 * text: borrowed, UTF-8, text_size bytes of it.  options: borrowed, may be NULL.
 * *out: owned, gantry_mapping_free(); untouched on failure.
 * where: may be NULL, its size is set by the caller; when the text is refused: where it could not go on.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (the message says what was expected there) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_mapping_parse(const char *text, uint64_t text_size,
                                                      const struct gantry_mapping_options *options,
                                                      struct gantry_mapping **out,
                                                      struct gantry_mapping_place *where,
                                                      struct gantry_error **err);

/* Free a mapping.
 * mapping: taken; may be NULL.   [any] */
GANTRY_API void gantry_mapping_free(struct gantry_mapping *mapping);

/* Print a mapping in its normal form: an item a line, comments kept.  Parsed again it is the same mapping,
 * and printed again the same text.
 * mapping: borrowed.  *out: owned, gantry_text_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (it would be longer than the limit) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_mapping_print(const struct gantry_mapping *mapping,
                                                      char **out, struct gantry_error **err);

/* Why a mapping found nothing somewhere, or something else than it is for.  These are no errors: the
 * evaluation goes on without that value.
 *   name, value, word */
#define GANTRY_MAPPING_PROBLEMS(X)                                                                 \
    X(MISSING, 0, "missing")                /* a key is not there */                               \
    X(UNBOUND, 1, "unbound")                /* a variable has no value */                          \
    X(NO_METHOD, 2, "no-method")            /* there is no method of this name */                  \
    X(ARGS, 3, "args")                      /* number or type of a method's arguments */           \
    X(INPUT, 4, "input")                    /* a method on a value that it does not take */        \
    X(NO_MATCH, 5, "no-match")              /* ->match without a pair that matches */              \
    X(RANGE, 6, "range")                    /* ->get outside */                                    \
    X(CONDITION, 7, "condition")            /* ->filter, ->find: the condition is no boolean */    \
    X(PARSE, 8, "parse")                    /* a text is not what a method reads */                \
    X(ARITH, 9, "arith")                    /* no finite result */                                 \
    X(INLINE_TYPE, 10, "inline-type")       /* what should join an object is none */               \
    X(INLINE_MISSING, 11, "inline-missing") /* what should join an object is not there */          \
    X(LOSSY, 12, "lossy")                   /* a value replaced one of another type */

#define GANTRY_MAPPING_PROBLEM_ENUM_(name, value, word) GANTRY_MAPPING_##name = (value),
enum gantry_mapping_problem_kind {
    GANTRY_MAPPING_PROBLEMS(GANTRY_MAPPING_PROBLEM_ENUM_) GANTRY_MAPPING_PROBLEM_COUNT
};
#undef GANTRY_MAPPING_PROBLEM_ENUM_

/* The word of a kind of problem, such as "no-method"; "unknown" for any other number.
 * Returns static text.   [any] */
GANTRY_API const char *gantry_mapping_problem_word(uint32_t kind);

/* One problem.  The same one (text, path) is told once. */
struct gantry_mapping_problem {
    uint32_t kind;       /* enum gantry_mapping_problem_kind */
    uint32_t reserved;   /* 0 */
    const char *message; /* one line for a person, kept by the output */
    const char
        *path; /* JSON array of keys and indices from the input to the value, kept by the output:
                          * ["crates",1,"->map","weight"]; that of a variable begins with its name */
    uint64_t start, end; /* bytes of the mapping */
};

/* A variable of an evaluation. */
struct gantry_mapping_variable {
    const char *name;   /* with its "$"; borrowed */
    const char *json;   /* its value; borrowed */
    uint64_t json_size; /* bytes */
};

/* Flags of an evaluation. */
#define GANTRY_MAPPING_NO_PROBLEMS UINT32_C(1) /* they are not wanted: it is a little faster */
#define GANTRY_MAPPING_INDENTED    UINT32_C(2) /* data on many lines */

/* What a mapping is evaluated with.  Zero is the default of each limit. */
struct gantry_mapping_input {
    uint32_t size;      /* sizeof(struct gantry_mapping_input) */
    uint32_t flags;     /* GANTRY_MAPPING_* */
    const char *json;   /* `$`; borrowed.  Depth is limited to 128 */
    uint64_t json_size; /* bytes */
    const struct gantry_mapping_variable
        *variables; /* borrowed; may be NULL when variable_count is 0 */
    uint32_t variable_count;
    uint32_t variable_stride;  /* sizeof(struct gantry_mapping_variable) */
    uint64_t max_json_bytes;   /* default 64 MiB; of the input and of the data */
    uint64_t max_steps;        /* values made or looked at; default 100 million */
    uint64_t max_memory_bytes; /* default 1 GiB */
    uint32_t max_problems;     /* that are told; default 10,000 */
    uint32_t reserved;         /* 0 */
    /* Where the data goes, piece by piece, so that a large result is nowhere as a whole; may be NULL:
     * it is output.data.  bytes: borrowed.  Returns 0, or a GANTRY_E_* that ends the evaluation.  Called
     * by the thread that called; what was written before a failure is no result. */
    int32_t (*write)(void *write_context, const char *bytes, uint64_t size);
    void *write_context; /* of write */
};

/* What came out. */
struct gantry_mapping_output {
    uint32_t size; /* sizeof(struct gantry_mapping_output) as the library knows it */
    uint32_t problem_count;
    const char *data;   /* JSON, NUL-terminated; NULL: nothing came out, which is not null, or
                         * input.write got it */
    uint64_t data_size; /* bytes; 0: nothing came out */
    const struct gantry_mapping_problem *problems; /* may be NULL when there are none */
    uint32_t problem_stride;
    uint32_t problems_dropped;          /* beyond max_problems */
    uint64_t read_ns, map_ns, print_ns; /* how long it took to read the input, to map, to print */
    const char *steps;                  /* of gantry_mapping_explain(): lines of text; else NULL */
};

/* Evaluate a mapping.
 * mapping, input: borrowed.  *out: owned, gantry_mapping_output_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_INVALID (a text is no JSON, or a limit was reached) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_mapping_apply(const struct gantry_mapping *mapping,
                                                      const struct gantry_mapping_input *input,
                                                      struct gantry_mapping_output **out,
                                                      struct gantry_error **err);

/* The same, and output.steps tells what each step was given and gave: a line a step, indented by how deep
 * it stands, `text of the step: input -> output`, long values cut.  Parameters and result as above.   [any] */
GANTRY_API GANTRY_MUST_CHECK int gantry_mapping_explain(const struct gantry_mapping *mapping,
                                                        const struct gantry_mapping_input *input,
                                                        struct gantry_mapping_output **out,
                                                        struct gantry_error **err);

/* Free what came out.
 * output: taken; may be NULL.   [any] */
GANTRY_API void gantry_mapping_output_free(struct gantry_mapping_output *output);

/* ---- schemas ------------------------------------------------------------------------------------ */

/* How bad a problem of a schema is.  A schema with errors cannot be used; a warning tells what may fail elsewhere,
 * a note what an author may not have meant.
 *   name, value, word */
#define GANTRY_CONNECT_SEVERITIES(X)                                                               \
    X(ERROR, 0, "error")                                                                           \
    X(WARNING, 1, "warning")                                                                       \
    X(NOTE, 2, "note")

#define GANTRY_CONNECT_SEVERITY_ENUM_(name, value, word) GANTRY_CONNECT_##name = (value),
enum gantry_connect_severity { GANTRY_CONNECT_SEVERITIES(GANTRY_CONNECT_SEVERITY_ENUM_) };
#undef GANTRY_CONNECT_SEVERITY_ENUM_

/* The word of a severity; "unknown" for any other number.
 * Returns static text.   [any] */
GANTRY_API const char *gantry_connect_severity_word(uint32_t severity);

/* What is wrong with a schema, and where.  Lines and columns count from 1, columns in characters, start and end in
 * bytes of the text; the end is behind the last character. */
struct gantry_connect_problem {
    uint32_t size;       /* sizeof(struct gantry_connect_problem) as the library knows it */
    uint32_t severity;   /* enum gantry_connect_severity */
    const char *code;    /* such as "INVALID_URL"; static */
    const char *message; /* one line for a person; borrowed */
    uint32_t line, column;
    uint32_t end_line, end_column;
    uint64_t start, end;
};

/* Is called with each problem, in the order of the text, before the function that finds them returns, in its
 * thread.  At most 1,000 are told.  context: as it was given. */
struct gantry_connect_listener {
    uint32_t size;     /* sizeof(struct gantry_connect_listener) */
    uint32_t reserved; /* 0 */
    void (*on_problem)(void *context, const struct gantry_connect_problem *problem);
    void *context;
};

/* A schema that was checked.  Never changed again. */
struct gantry_connect_schema;

/* Read a GraphQL schema with @source and @connect, and check it.  One that does not link the connect
 * specification has no connectors, and is checked as GraphQL alone.
 * text: borrowed, UTF-8, text_size bytes of it, at most 16 MiB.  listener: borrowed, may be NULL.
 * *out: owned, gantry_connect_schema_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 (warnings and notes may have been told), GANTRY_E_INVALID (errors were) or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_connect_schema_new(const char *text, uint64_t text_size,
                          const struct gantry_connect_listener *listener,
                          struct gantry_connect_schema **out, struct gantry_error **err);

/* Free a schema.
 * schema: taken; may be NULL.   [any] */
GANTRY_API void gantry_connect_schema_free(struct gantry_connect_schema *schema);

/* A connector of a schema: one @connect. */
struct gantry_connect_connector {
    uint32_t size;         /* sizeof(struct gantry_connect_connector), set by the caller */
    uint32_t line, column; /* of its '@', from 1 */
    uint32_t is_entity;    /* 1: it finds an entity by its key; else 0 */
    const char
        *coordinate;    /* "Query.crane[0]", or "Crane[0]" of one on a type; kept by the schema */
    const char *id;     /* may be NULL: it has none; kept by the schema */
    const char *method; /* "GET"; NULL: it makes no request; static */
    const char *source; /* the name; NULL: it has none; kept by the schema */
};

/* How many connectors a schema has.
 * schema: borrowed.   [any] */
GANTRY_API uint32_t gantry_connect_schema_count(const struct gantry_connect_schema *schema);

/* Look at a connector.
 * schema: borrowed.  index: from 0, in the order of the text.  out: borrowed; its size is set, the rest is filled.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0 or GANTRY_E_NOT_FOUND (there is none of this number).   [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_connect_schema_connector(const struct gantry_connect_schema *schema, uint32_t index,
                                struct gantry_connect_connector *out, struct gantry_error **err);

/* ---- requests: what a connector would send -------------------------------------------------------- */

/* A line of a request's or of a response's headers. */
struct gantry_connect_header {
    const char *name, *value; /* UTF-8 */
};

/* What a request is made of.  Zero is the default of each. */
struct gantry_connect_input {
    uint32_t size; /* sizeof(struct gantry_connect_input) */
    uint32_t
        variable_count; /* $args (after coercion), $this, $batch, $config, $context, $env; borrowed */
    const struct gantry_mapping_variable *variables; /* may be NULL when variable_count is 0 */
    uint32_t variable_stride;                        /* sizeof(struct gantry_mapping_variable) */
    uint32_t
        header_count; /* of the incoming request, $request.headers; what is no UTF-8 is left out; borrowed */
    const struct gantry_connect_header *headers; /* may be NULL when header_count is 0 */
    uint32_t header_stride;                      /* sizeof(struct gantry_connect_header) */
    uint32_t reserved;                           /* 0 */
    const char *
        base_url; /* instead of the source's baseURL with its path and query; borrowed; NULL: its own */
    uint64_t max_json_bytes; /* of a variable; default 64 MiB */
};

/* What may not be as it was meant, in a request or an answer that was made nevertheless.  The same one is told
 * once a place. */
struct gantry_connect_note {
    const char *
        place; /* "source.baseURL", "connect.queryParams", "connect.headers.x-id"...; kept by the object */
    const char *message;   /* one line for a person; kept by the object */
    const char *path;      /* JSON array, as in struct gantry_mapping_problem; NULL: of no value */
    uint32_t line, column; /* of the schema's text, from 1 */
};

/* A request, ready to be sent: nothing is to be added, normalised or encoded, but for what HTTP itself needs
 * (host) and accept-encoding for what the sender decodes. */
struct gantry_connect_request {
    uint32_t size; /* sizeof(struct gantry_connect_request) as the library knows it */
    uint32_t header_count;
    const char *method; /* "GET"; static */
    const char *url;    /* absolute, without fragment */
    const struct gantry_connect_header
        *headers; /* in the order of the wire; a name may be there twice */
    uint32_t header_stride;
    uint32_t note_count;
    const char *body; /* NUL-terminated; NULL: there is none */
    uint64_t body_size;
    const struct gantry_connect_note
        *notes; /* at most 100 of a place; may be NULL when there are none */
    uint32_t note_stride;
    uint32_t reserved;
};

/* Make the request of a connector.  Nothing is sent.
 * schema: borrowed.  which: the connector's coordinate or id; borrowed.  input: borrowed.
 * *out: owned, gantry_connect_request_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_NOT_FOUND (there is no such connector), GANTRY_E_UNSUPPORTED (it makes no request),
 * GANTRY_E_INVALID (the input is wrong, or the request cannot be built: then the message begins with
 * "CONNECTOR_REQUEST_INVALID") or GANTRY_E_NOMEM.   [any] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_connect_request_new(const struct gantry_connect_schema *schema, const char *which,
                           const struct gantry_connect_input *input,
                           struct gantry_connect_request **out, struct gantry_error **err);

/* Free a request.
 * request: taken; may be NULL.   [any] */
GANTRY_API void gantry_connect_request_free(struct gantry_connect_request *request);

/* ---- calls: a request, sent by somebody else, and what its response becomes ----------------------- */

/* Where a transport puts a response.  Valid during send(). */
struct gantry_connect_sink;

/* Status and headers; once, before the body.
 * sink, headers: borrowed.  stride: sizeof(struct gantry_connect_header).
 * Returns 0, or GANTRY_E_NOMEM: then send() is to return it.   [the thread of send()] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_connect_sink_head(struct gantry_connect_sink *sink, uint32_t status,
                         const struct gantry_connect_header *headers, uint32_t count,
                         uint32_t stride);

/* A piece of the body, content codings undone.
 * sink, bytes: borrowed.
 * Returns 0, GANTRY_E_INVALID (it is too long: send() is to end, and to return it) or GANTRY_E_NOMEM (as well).
 * [the thread of send()] */
GANTRY_API GANTRY_MUST_CHECK int gantry_connect_sink_body(struct gantry_connect_sink *sink,
                                                          const void *bytes, uint64_t size);

/* Say why nothing came, in one line; the last one counts.
 * sink, why: borrowed.   [the thread of send()] */
GANTRY_API void gantry_connect_sink_failed(struct gantry_connect_sink *sink, const char *why);

/* What sends requests. */
struct gantry_connect_transport {
    uint32_t size;     /* sizeof(struct gantry_connect_transport) */
    uint32_t reserved; /* 0 */
    void *context;
    /* Send a request and put the response into the sink, whatever its status.  Redirects are not followed,
     * nothing of the request is changed.  request, sink: borrowed.
     * Returns 0, GANTRY_E_TIMEOUT, GANTRY_E_CANCELLED, or another negative code: no response came. */
    int (*send)(void *context, const struct gantry_connect_request *request,
                struct gantry_connect_sink *sink);
};

/* What a call gave. */
struct gantry_connect_answer {
    uint32_t size;    /* sizeof(struct gantry_connect_answer) as the library knows it */
    uint32_t status;  /* of HTTP; 0: there was no response */
    const char *data; /* JSON, NUL-terminated; "null" when there is an error */
    uint64_t data_size;
    const char *
        error; /* JSON: a GraphQL error with message and extensions, the path is the caller's; NULL: none */
    uint64_t error_size;
    const struct gantry_connect_note
        *notes; /* of request and response; may be NULL when there are none */
    uint32_t note_count;
    uint32_t note_stride;
};

/* Make the request of a connector, have it sent, and map the response: the connector's data, or the error that
 * its schema makes of it.  A request that cannot be built and a response that does not come are such errors,
 * too.  A connector without `http` is mapped without a request.
 * schema: borrowed.  which: its coordinate or id; borrowed.  service: the schema's name in errors; borrowed.
 * input, transport: borrowed.  *out: owned, gantry_connect_answer_free(); untouched on failure.
 * err: may be NULL; *err: owned, gantry_error_free().
 * Returns 0, GANTRY_E_NOT_FOUND (there is no such connector), GANTRY_E_INVALID (the input is wrong),
 * GANTRY_E_CANCELLED (send() returned it) or GANTRY_E_NOMEM.   [any; send() may block] */
GANTRY_API GANTRY_MUST_CHECK int
gantry_connect_call(const struct gantry_connect_schema *schema, const char *which,
                    const char *service, const struct gantry_connect_input *input,
                    const struct gantry_connect_transport *transport,
                    struct gantry_connect_answer **out, struct gantry_error **err);

/* Free an answer.
 * answer: taken; may be NULL.   [any] */
GANTRY_API void gantry_connect_answer_free(struct gantry_connect_answer *answer);

#ifdef __cplusplus
}
#endif
#endif
