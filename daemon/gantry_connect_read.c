/* gantry_connect_read.c - what `gantry connect ...` is given: options, texts, selections. */
#include "gantry_connect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int
no_memory(const struct tool_command *self)
{
    return tool_failed(self, GANTRY_E_NOMEM, NULL);
}

static int
read_stream(const struct tool_command *self, FILE *stream, struct tool_text *out)
{
    struct stat file;
    size_t room = 0, first = 65536;
    if (fstat(fileno(stream), &file) == 0 && S_ISREG(file.st_mode) && file.st_size > 0)
        first = (size_t)file.st_size + 2; /* so that it is read in one piece */
    for (;;) {
        if (room - out->size < 2) {
            room = room ? room * 2 : first;
            char *larger = realloc(out->ptr, room);
            if (!larger)
                return no_memory(self);
            out->ptr = larger;
        }
        size_t n = fread(out->ptr + out->size, 1, room - out->size - 1, stream);
        out->size += n;
        out->ptr[out->size] = '\0';
        if (n == 0)
            break;
    }
    if (!ferror(stream))
        return TOOL_OK;
    return tool_usage(self, "it cannot be read:", out->name);
}

int
tool_read(const struct tool_command *self, const char *path, struct tool_text *out)
{
    int is_stdin = !path || strcmp(path, "-") == 0;
    out->name = is_stdin ? "standard input" : path;
    FILE *stream = is_stdin ? stdin : fopen(path, "rbe");
    if (!stream) {
        fprintf(stderr, "gantry %s: cannot open '%s': %s\n", self->name, path,
                errno == ENOENT ? "there is no such file" : "it is no file that can be read here");
        return TOOL_USAGE;
    }
    int status = read_stream(self, stream, out);
    if (!is_stdin)
        fclose(stream);
    return status;
}

int
tool_read_selection(const struct tool_command *self, const char *argument, struct tool_text *out)
{
    /* "@" alone, or before a step, is the value `@`. */
    if (argument[0] == '@' && argument[1] && argument[1] != '.' && argument[1] != '-' &&
        argument[1] != ' ')
        return tool_read(self, argument + 1, out);
    if (argument[0] == '@' && argument[1] == '.' && (argument[2] == '/' || argument[2] == '.'))
        return tool_read(self, argument + 1, out);
    out->name = "the selection";
    out->size = strlen(argument);
    out->ptr = malloc(out->size + 1);
    if (!out->ptr)
        return no_memory(self);
    memcpy(out->ptr, argument, out->size + 1);
    return TOOL_OK;
}

void
tool_text_free(struct tool_text *text)
{
    free(text->ptr);
    text->ptr = NULL;
}

/* The line of the place, and a caret below it. */
static void
show_place(const struct tool_text *text, const struct gantry_mapping_place *place)
{
    size_t start = (size_t)place->start, end = start;
    while (start > 0 && text->ptr[start - 1] != '\n')
        start--;
    while (end < text->size && text->ptr[end] != '\n')
        end++;
    fprintf(stderr, "  %.*s\n  ", (int)(end - start), text->ptr + start);
    for (size_t i = start; i < place->start; i++)
        if (((unsigned char)text->ptr[i] & 0xc0) != 0x80)
            fputc(text->ptr[i] == '\t' ? '\t' : ' ', stderr);
    fputs("^\n", stderr);
}

int
tool_parse_selection(const struct tool_command *self, const struct tool_text *text,
                     uint32_t version, struct gantry_mapping **out)
{
    struct gantry_mapping_options options = {sizeof options, version};
    struct gantry_mapping_place place = {sizeof place};
    struct gantry_error *error = NULL;
    int rc = gantry_mapping_parse(text->ptr, text->size, &options, out, &place, &error);
    if (rc == 0)
        return TOOL_OK;
    int status = tool_failed(self, rc, error);
    if (place.line && place.start <= text->size)
        show_place(text, &place);
    return status;
}

static int
read_version(const struct tool_command *self, const char *text, uint32_t *version)
{
    const char *number = text[0] == 'v' ? text + 1 : text;
    if (number[0] != '0' || number[1] != '.' || number[2] < '1' || number[2] > '4' || number[3])
        return tool_usage(self, "--spec is 0.2, 0.3 or 0.4, not", text);
    *version = (uint32_t)(number[2] - '0');
    return TOOL_OK;
}

static int
read_format(const struct tool_command *self, const char *text, struct tool_connect_options *options)
{
    if (strcmp(text, "json") != 0 && strcmp(text, "text") != 0)
        return tool_usage(self, "--format is text or json, not", text);
    options->json = text[0] == 'j';
    return TOOL_OK;
}

/* NAME=JSON; the name is copied, the JSON is a view of the argument. */
static int
add_variable(const struct tool_command *self, const char *text,
             struct tool_connect_options *options)
{
    const char *equals = strchr(text, '=');
    if (text[0] != '$' || !equals || equals == text + 1)
        return tool_usage(self, "--var is '$NAME=JSON', not", text);
    char *name = strndup(text, (size_t)(equals - text));
    struct gantry_mapping_variable *more =
        realloc(options->variables, (options->variable_count + 1) * sizeof *more);
    if (more)
        options->variables = more;
    if (!name || !more) {
        free(name);
        return no_memory(self);
    }
    more[options->variable_count++] =
        (struct gantry_mapping_variable){name, equals + 1, strlen(equals + 1)};
    return TOOL_OK;
}

static int
read_option(const struct tool_command *self, char **argv, int argc, int *at,
            struct tool_connect_options *options)
{
    const char *option = argv[*at];
    int evaluates = strstr(self->arguments, "--var") != NULL;
    int has_problems = strstr(self->arguments, "--problems") != NULL;
    int has_time = strstr(self->arguments, "--time") != NULL;
    int is_spec = strstr(self->arguments, "--spec") && strcmp(option, "--spec") == 0;
    int is_format = strstr(self->arguments, "--format") && strcmp(option, "--format") == 0;
    int takes = is_spec || is_format || (evaluates && strcmp(option, "--var") == 0);
    if (takes && *at + 1 >= argc)
        return tool_usage(self, "a value is missing behind", option);
    if (is_format)
        return read_format(self, argv[++*at], options);
    if (is_spec)
        return read_version(self, argv[++*at], &options->version);
    if (takes)
        return add_variable(self, argv[++*at], options);
    if (has_problems && strcmp(option, "--problems") == 0)
        options->with_problems = 1;
    else if (has_time && strcmp(option, "--time") == 0)
        options->with_time = 1;
    else
        return tool_usage(self, "unknown option", option);
    return TOOL_OK;
}

int
tool_connect_options(const struct tool_command *self, int argc, char **argv,
                     struct tool_connect_options *options)
{
    int only_arguments = 0;
    for (int i = 1; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = 1;
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
            int status = read_option(self, argv, argc, &i, options);
            if (status != TOOL_OK)
                return status;
        } else if (!options->selection) {
            options->selection = argv[i];
        } else if (!options->input) {
            options->input = argv[i];
        } else {
            return tool_usage(self, "one argument too many", argv[i]);
        }
    }
    return TOOL_OK;
}

void
tool_connect_free(struct tool_connect_options *options)
{
    for (uint32_t i = 0; i < options->variable_count; i++)
        free((char *)(uintptr_t)options->variables[i].name);
    free(options->variables);
}
