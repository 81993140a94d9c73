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
};

/* What came out. */
struct gantry_mapping_output {
    uint32_t size; /* sizeof(struct gantry_mapping_output) as the library knows it */
    uint32_t problem_count;
    const char *data;   /* JSON, NUL-terminated; NULL: nothing came out, which is not null */
    uint64_t data_size; /* bytes */
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

#ifdef __cplusplus
}
#endif
#endif
