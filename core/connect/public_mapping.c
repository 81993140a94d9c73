/* public_mapping.c - gantry/connect.h's functions about mappings: texts in, texts out. */
#include "err.h"
#include "public_text.h"

#include <stdio.h>
#include <time.h>

enum {
    STEP_VALUE_MAX = 60,
    STEP_TEXT_MAX = 60,
    STEP_PRINT_MAX = 16 * 1024,
    STEPS_MAX = 1024 * 1024,
    STEP_DEPTH_MAX = 40
};

struct gantry_mapping {
    struct mapping *mapping;
};

/* What gantry_mapping_output points to. */
struct output {
    struct gantry_mapping_output base;
    struct arena arena; /* of problems and their texts */
    struct buf data, steps;
};

static void
set_place(struct gantry_mapping_place *where, struct str text, struct mapping_range range)
{
    size_t line, column;
    if (!where || where->size < sizeof *where)
        return;
    str_position(text, range.start, &line, &column);
    where->line = (uint32_t)line;
    where->column = (uint32_t)column;
    where->start = range.start;
    where->end = range.end;
}

static int
read_version(const struct gantry_mapping_options *options, enum mapping_version *version,
             struct gantry_error **err)
{
    uint32_t number = options && options->size >= sizeof *options ? options->version : 0;
    if (number > MAPPING_V4)
        return err_set(err, GANTRY_E_INVALID,
                       "connect v0.%u is not known here; use v0.2, v0.3 or v0.4", number);
    *version = number <= 2 ? MAPPING_V2 : number == 3 ? MAPPING_V3 : MAPPING_V4;
    return 0;
}

int
gantry_mapping_parse(const char *text, uint64_t text_size,
                     const struct gantry_mapping_options *options, struct gantry_mapping **out,
                     struct gantry_mapping_place *where, struct gantry_error **err)
{
    struct str view = {text, size_of(text_size)};
    struct mapping_range range = {0, 0};
    enum mapping_version version = MAPPING_V2;
    int rc = read_version(options, &version, err);
    if (rc < 0)
        return rc;
    struct mapping *parsed = NULL;
    rc = mapping_parse(view, version, &parsed, &range, err);
    if (rc < 0) {
        set_place(where, view, range);
        return rc;
    }
    struct gantry_mapping *handle = calloc(1, sizeof *handle);
    if (!handle) {
        mapping_free(parsed);
        return err_nomem(err);
    }
    handle->mapping = parsed;
    *out = handle;
    return 0;
}

void
gantry_mapping_free(struct gantry_mapping *mapping)
{
    if (!mapping)
        return;
    mapping_free(mapping->mapping);
    free(mapping);
}

int
gantry_mapping_print(const struct gantry_mapping *mapping, char **out, struct gantry_error **err)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)64 * 1024 * 1024);
    int rc = mapping_print(mapping->mapping, &text);
    if (rc == GANTRY_E_INVALID)
        return err_set(err, rc, "mapping: its normal form is longer than the limit");
    char *taken = buf_take(&text);
    if (!taken)
        return err_nomem(err);
    *out = taken;
    return 0;
}

static const char *const words[] = {
#define WORD(name, value, word) [value] = (word),
    GANTRY_MAPPING_PROBLEMS(WORD)
#undef WORD
};

const char *
gantry_mapping_problem_word(uint32_t kind)
{
    return kind < ARRAY_LENGTH(words) ? words[kind] : "unknown";
}

static uint64_t
now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int
give_problems(struct output *o, const struct mapping_result *result, struct gantry_error **err)
{
    struct gantry_mapping_problem *all =
        arena_alloc_array(&o->arena, result->problem_count + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    for (size_t i = 0; i < result->problem_count; i++) {
        const struct mapping_problem *p = &result->problems[i];
        all[i] = (struct gantry_mapping_problem){p->kind,
                                                 0,
                                                 arena_dup(&o->arena, p->message),
                                                 public_path(&o->arena, p),
                                                 p->range.start,
                                                 p->range.end};
        if (!all[i].message || !all[i].path)
            return err_nomem(err);
    }
    o->base.problems = all;
    o->base.problem_count = (uint32_t)result->problem_count;
    o->base.problem_stride = sizeof *all;
    o->base.problems_dropped = (uint32_t)MIN(result->problems_dropped, (size_t)UINT32_MAX);
    return 0;
}

/* A value cut to what fits on a line. */
static void
add_short(struct buf *out, const struct value *v)
{
    AUTO_BUF struct buf text = BUF_INIT(STEP_PRINT_MAX);
    if (!v) {
        buf_add_text(out, "nothing");
        return;
    }
    int rc = value_print(v, VALUE_COMPACT, &text);
    if (buf_failed(&text) == GANTRY_E_NOMEM)
        out->failed = GANTRY_E_NOMEM;
    size_t length = text.len;
    if (length > STEP_VALUE_MAX) {
        length = STEP_VALUE_MAX;
        while (length && ((unsigned char)text.ptr[length] & 0xc0) == 0x80)
            length--;
        rc = GANTRY_E_INVALID;
    }
    buf_add(out, (struct str){text.ptr, length});
    if (rc < 0)
        buf_add_text(out, "...");
}

struct explained {
    struct buf *out;
    struct str text;
};

static void
explain_step(void *context, size_t depth, struct mapping_range range, const struct value *input,
             const struct value *output)
{
    const struct explained *x = context;
    if (x->out->len > STEPS_MAX)
        return;
    for (size_t i = 1; i < MIN(depth, (size_t)STEP_DEPTH_MAX); i++)
        buf_add_text(x->out, "  ");
    struct str text = {x->text.ptr + range.start,
                       MIN(range.end - range.start, (size_t)STEP_TEXT_MAX)};
    text.len = str_utf8_valid_length(text); /* a character is not cut */
    for (size_t i = 0; i < text.len; i++)
        buf_add_char(x->out, (unsigned char)text.ptr[i] < 0x20 ? ' ' : text.ptr[i]);
    buf_add_text(x->out, range.end - range.start > STEP_TEXT_MAX ? "...: " : ": ");
    if (input) {
        add_short(x->out, input);
        buf_add_text(x->out, " -> ");
    }
    add_short(x->out, output);
    buf_add_char(x->out, '\n');
    if (x->out->len > STEPS_MAX)
        buf_add_text(x->out, "(and more)\n");
}

/* The data on its way to the caller. */
struct written {
    const struct gantry_mapping_input *input;
    uint64_t size, max;
    int rc; /* what the caller's function said */
};

static int
write_data(void *context, const char *bytes, size_t n)
{
    struct written *w = context;
    if (n > w->max - w->size)
        return GANTRY_E_INVALID;
    w->size += n;
    w->rc = w->input->write(w->input->write_context, bytes, n);
    return w->rc;
}

static int
print_data(struct output *o, const struct value *data, const struct gantry_mapping_input *input,
           struct gantry_error **err)
{
    enum value_style style =
        input->flags & GANTRY_MAPPING_INDENTED ? VALUE_INDENTED : VALUE_COMPACT;
    struct written written = {input, 0, o->data.max, 0};
    const struct value_writer writer = {write_data, &written};
    if (!data)
        return 0;
    if (!input->write) { /* seldom longer than what went in; what is not used costs nothing */
        buf_expect(&o->data, MAX(size_of(input->json_size), (size_t)64));
        if (!o->data.ptr)
            return err_nomem(err);
    }
    int rc = input->write ? value_write(data, style, &writer) : value_print(data, style, &o->data);
    if (written.rc < 0)
        return err_set(err, written.rc,
                       "mapping: its result was not taken by the caller's function");
    if (rc == GANTRY_E_NOMEM)
        return err_nomem(err);
    if (rc < 0)
        return err_set(err, rc, "mapping: its result is longer, or nested deeper, than the limit");
    o->base.data = input->write ? NULL : buf_text(&o->data);
    o->base.data_size = input->write ? written.size : o->data.len;
    return 0;
}

static int
apply_into(struct output *o, const struct mapping *m, const struct gantry_mapping_input *input,
           bool explain, struct gantry_error **err)
{
    AUTO_ARENA struct arena arena;
    struct explained explained = {&o->steps, mapping_text(m)};
    const struct mapping_trace trace = {explain_step, &explained};
    uint64_t max = input->max_json_bytes ? input->max_json_bytes : PUBLIC_JSON_BYTES;
    const struct mapping_limits limits = {input->max_steps, size_of(input->max_memory_bytes),
                                          input->max_problems};
    struct mapping_input in = {.limits = &limits, .variable_count = input->variable_count};
    struct mapping_variable *variables = NULL;
    struct mapping_result result;
    arena_init(&arena, 0);
    buf_init(&o->data, size_of(max));
    buf_init(&o->steps, (size_t)2 * STEPS_MAX);
    in.trace = explain ? &trace : NULL;
    in.without_problems = input->flags & GANTRY_MAPPING_NO_PROBLEMS;
    uint64_t began = now_ns();
    int rc =
        public_read_json(&arena, input->json, input->json_size, max, "the input", &in.data, err);
    if (rc == 0)
        rc = public_read_variables(&arena, input->variables, input->variable_count,
                                   input->variable_stride, max, &variables, err);
    if (rc < 0)
        return rc;
    in.variables = variables;
    uint64_t was_read = now_ns();
    rc = mapping_apply(m, &in, &arena, &result, err);
    if (rc < 0)
        return rc;
    uint64_t mapped = now_ns();
    rc = print_data(o, result.data, input, err);
    o->base.read_ns = was_read - began;
    o->base.map_ns = mapped - was_read;
    o->base.print_ns = now_ns() - mapped;
    if (rc == 0 && explain && buf_failed(&o->steps))
        rc = err_nomem(err);
    o->base.steps = explain ? buf_text(&o->steps) : NULL;
    return rc < 0 ? rc : give_problems(o, &result, err);
}

static int
apply(const struct gantry_mapping *mapping, const struct gantry_mapping_input *theirs, bool explain,
      struct gantry_mapping_output **out, struct gantry_error **err)
{
    struct gantry_mapping_input input = {0};
    memcpy(&input, theirs, MIN((size_t)theirs->size, sizeof input)); /* what it never knew is 0 */
    if (!input.json ||
        (input.variable_count && input.variable_stride < sizeof(struct gantry_mapping_variable)))
        return err_set(err, GANTRY_E_INVALID,
                       "struct gantry_mapping_input: its size, json or variable_stride is not set");
    struct output *o = calloc(1, sizeof *o);
    if (!o)
        return err_nomem(err);
    o->base.size = sizeof o->base;
    arena_init(&o->arena, 0);
    int rc = apply_into(o, mapping->mapping, &input, explain, err);
    if (rc < 0)
        gantry_mapping_output_free(&o->base);
    else
        *out = &o->base;
    return rc;
}

int
gantry_mapping_apply(const struct gantry_mapping *mapping, const struct gantry_mapping_input *input,
                     struct gantry_mapping_output **out, struct gantry_error **err)
{
    return apply(mapping, input, false, out, err);
}

int
gantry_mapping_explain(const struct gantry_mapping *mapping,
                       const struct gantry_mapping_input *input, struct gantry_mapping_output **out,
                       struct gantry_error **err)
{
    return apply(mapping, input, true, out, err);
}

void
gantry_mapping_output_free(struct gantry_mapping_output *output)
{
    struct output *o = (struct output *)output;
    if (!o)
        return;
    arena_clear(&o->arena);
    buf_clear(&o->data);
    buf_clear(&o->steps);
    free(o);
}
