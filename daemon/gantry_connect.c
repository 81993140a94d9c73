/* gantry_connect.c - gantry connect map, explain and fmt: mappings on the command line. */
#include "gantry_connect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A JSON string: only what must be escaped is. */
static void
print_json_text(const char *text)
{
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            printf("\\%c", *at);
        else if (*at < 0x20)
            printf("\\u%04x", *at);
        else
            putchar(*at);
    }
    putchar('"');
}

/* How `gantry connect map` prints its result. */
struct shown {
    int with_problems;
    int has_data;
};

/* What cannot be written is told at the end, as of every command. */
static int32_t
show_data(void *context, const char *bytes, uint64_t size)
{
    struct shown *shown = context;
    if (shown->with_problems && !shown->has_data)
        fputs("{\"data\":", stdout);
    shown->has_data = 1;
    fwrite(bytes, 1, size, stdout);
    return 0;
}

/* Behind the data, when there is any. */
static void
print_with_problems(const struct gantry_mapping_output *output, int has_data)
{
    fputs(has_data ? ",\"problems\":[" : "{\"problems\":[", stdout);
    for (uint32_t i = 0; i < output->problem_count; i++) {
        const struct gantry_mapping_problem *p = &output->problems[i];
        fputs(i ? ",{\"message\":" : "{\"message\":", stdout);
        print_json_text(p->message);
        printf(",\"path\":%s,\"range\":[%" PRIu64 ",%" PRIu64 "]}", p->path, p->start, p->end);
    }
    puts("]}");
}

static double
megabytes_per_second(uint64_t bytes, uint64_t ns)
{
    return ns ? (double)bytes * 1000.0 / (double)ns : 0.0;
}

static void
print_time(const struct gantry_mapping_output *o, size_t input_size)
{
    uint64_t all = o->read_ns + o->map_ns + o->print_ns;
    fprintf(
        stderr, "read %.1f MB/s, map %.1f MB/s, print %.1f MB/s, in all %.1f MB/s of %zu bytes\n",
        megabytes_per_second(input_size, o->read_ns), megabytes_per_second(input_size, o->map_ns),
        megabytes_per_second(o->data_size, o->print_ns), megabytes_per_second(input_size, all),
        input_size);
}

static void
print_problems_text(const struct gantry_mapping_output *output)
{
    for (uint32_t i = 0; i < output->problem_count; i++) {
        const struct gantry_mapping_problem *p = &output->problems[i];
        printf("problem: %s, at %s, by bytes %" PRIu64 " to %" PRIu64 "\n", p->message, p->path,
               p->start, p->end);
    }
}

static void
show_rest(const struct tool_connect_options *options, const struct gantry_mapping_output *output,
          const struct shown *shown, size_t input_size)
{
    if (output->steps) {
        fputs(output->steps, stdout);
        printf("result: %s\n", output->data ? output->data : "nothing");
        print_problems_text(output);
    } else if (shown->with_problems) {
        print_with_problems(output, shown->has_data);
    } else if (shown->has_data) {
        putchar('\n');
    }
    if (options->with_time)
        print_time(output, input_size);
}

static int
evaluate(const struct tool_command *self, const struct tool_connect_options *options,
         const struct gantry_mapping *mapping, const struct tool_text *input, int explain)
{
    struct gantry_mapping_input in = {sizeof in};
    struct gantry_mapping_output *output = NULL;
    struct gantry_error *error = NULL;
    struct shown shown = {options->with_problems, 0};
    in.json = input->ptr;
    in.json_size = input->size;
    in.max_json_bytes = UINT64_C(1) << 30;
    /* What needs more multiplies its input, and would take the whole machine. */
    in.max_memory_bytes = (UINT64_C(1) << 30) + 16 * (uint64_t)input->size;
    in.max_steps = UINT64_C(100000000) + 100 * (uint64_t)input->size;
    in.variables = options->variables;
    in.variable_count = options->variable_count;
    in.variable_stride = sizeof(struct gantry_mapping_variable);
    in.flags = options->with_problems || explain ? 0 : GANTRY_MAPPING_NO_PROBLEMS;
    in.write = explain ? NULL : show_data;
    in.write_context = &shown;
    int rc = explain ? gantry_mapping_explain(mapping, &in, &output, &error)
                     : gantry_mapping_apply(mapping, &in, &output, &error);
    if (rc < 0)
        return tool_failed(self, rc, error);
    show_rest(options, output, &shown, input->size);
    gantry_mapping_output_free(output);
    return TOOL_OK;
}

static int
map_or_explain(const struct tool_command *self, int argc, char **argv, int explain)
{
    struct tool_connect_options options = {0};
    struct tool_text selection = {0}, input = {0};
    struct gantry_mapping *mapping = NULL;
    int status = tool_connect_options(self, argc, argv, &options);
    if (status == TOOL_OK && !options.selection)
        status = tool_usage(self, "the SELECTION is missing", NULL);
    if (status == TOOL_OK)
        status = tool_read_selection(self, options.selection, &selection);
    if (status == TOOL_OK)
        status = tool_parse_selection(self, &selection, options.version, &mapping);
    if (status == TOOL_OK)
        status = tool_read(self, options.input, &input);
    if (status == TOOL_OK)
        status = evaluate(self, &options, mapping, &input, explain);
    gantry_mapping_free(mapping);
    tool_text_free(&input);
    tool_text_free(&selection);
    tool_connect_free(&options);
    return status;
}

int
tool_connect_map(const struct tool_command *self, int argc, char **argv)
{
    return map_or_explain(self, argc, argv, 0);
}

int
tool_connect_explain(const struct tool_command *self, int argc, char **argv)
{
    return map_or_explain(self, argc, argv, 1);
}

static int
print_normal(const struct tool_command *self, const struct gantry_mapping *mapping)
{
    struct gantry_error *error = NULL;
    char *text = NULL;
    int rc = gantry_mapping_print(mapping, &text, &error);
    if (rc < 0)
        return tool_failed(self, rc, error);
    fputs(text, stdout);
    gantry_text_free(text);
    return TOOL_OK;
}

int
tool_connect_fmt(const struct tool_command *self, int argc, char **argv)
{
    struct tool_connect_options options = {0};
    struct tool_text selection = {0};
    struct gantry_mapping *mapping = NULL;
    int status = tool_connect_options(self, argc, argv, &options);
    if (status == TOOL_OK && options.input)
        status = tool_usage(self, "one argument too many", options.input);
    if (status == TOOL_OK && options.selection)
        status = tool_read_selection(self, options.selection, &selection);
    else if (status == TOOL_OK)
        status = tool_read(self, NULL, &selection);
    if (status == TOOL_OK)
        status = tool_parse_selection(self, &selection, options.version, &mapping);
    if (status == TOOL_OK)
        status = print_normal(self, mapping);
    gantry_mapping_free(mapping);
    tool_text_free(&selection);
    tool_connect_free(&options);
    return status;
}
