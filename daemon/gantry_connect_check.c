/* gantry_connect_check.c - gantry connect check: schemas, their problems, and where they stand in the text. */
#include "gantry_connect.h"
#include "gantry_json.h"

#include <stdio.h>
#include <string.h>

/* Characters of a line; of them before the place.  What connect.h tells of a file. */
enum { EXCERPT_MAX = 120, CONTEXT_MAX = 60, TOLD_MAX = 1000 };

struct counts {
    unsigned files, problems[3];
    int is_cut; /* a file may have more */
};

struct report {
    const char *file;
    const struct tool_text *text;
    int json;
    unsigned count;
    struct counts *all;
};

/* The bytes of the character at an offset; 1 for what is none. */
static size_t
character(const struct tool_text *text, size_t at, size_t end)
{
    size_t n = 1;
    if ((unsigned char)text->ptr[at] >= 0xc0)
        while (n < 4 && at + n < end && ((unsigned char)text->ptr[at + n] & 0xc0) == 0x80)
            n++;
    return n;
}

/* A terminal must not obey what stands in a file. */
static void
print_character(const struct tool_text *text, size_t at, size_t size)
{
    const unsigned char *c = (const unsigned char *)text->ptr + at;
    int control = (c[0] < 0x20 && c[0] != '\t') || c[0] == 0x7f || (size == 1 && c[0] >= 0x80) ||
                  (c[0] == 0xc2 && c[1] < 0xa0);
    if (control)
        putchar('?');
    else
        fwrite(c, 1, size, stdout);
}

static int
is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* How much of a line is shown. */
struct window {
    size_t start, end; /* bytes */
    int cut_before, cut_behind;
};

static struct window
window_of(const struct tool_text *text, size_t place)
{
    size_t start = place, end = place, line = place, shown = 0;
    while (line > 0 && !is_line_end(text->ptr[line - 1]))
        line--;
    for (size_t before = 0; start > line && before < CONTEXT_MAX; before++)
        for (start--; start > line && ((unsigned char)text->ptr[start] & 0xc0) == 0x80;)
            start--;
    for (end = start; end < text->size && !is_line_end(text->ptr[end]) && shown < EXCERPT_MAX;
         shown++)
        end += character(text, end, text->size);
    return (struct window){start, end, start > line,
                           end < text->size && !is_line_end(text->ptr[end])};
}

static void
print_excerpt(const struct tool_text *text, size_t start, size_t end)
{
    struct window w = window_of(text, start);
    printf("  %s", w.cut_before ? "..." : "");
    for (size_t at = w.start, n; at < w.end; at += n) {
        n = character(text, at, w.end);
        print_character(text, at, n);
    }
    printf("%s\n  %s", w.cut_behind ? "..." : "", w.cut_before ? "   " : "");
    for (size_t at = w.start; at < start; at += character(text, at, w.end))
        putchar(text->ptr[at] == '\t' ? '\t' : ' ');
    for (size_t at = start; at == start || (at < end && at < w.end);
         at += at < w.end ? character(text, at, w.end) : 1)
        putchar('^');
    putchar('\n');
}

static void
tell(void *context, const struct gantry_connect_problem *p)
{
    struct report *r = context;
    const char *severity = gantry_connect_severity_word(p->severity);
    if (p->severity < sizeof r->all->problems / sizeof r->all->problems[0])
        r->all->problems[p->severity]++;
    if (r->json) {
        struct json json = {.out = stdout};
        if (r->count)
            putchar(',');
        json = json_begin(stdout);
        json_text(&json, "code", p->code);
        json_text(&json, "message", p->message);
        json_text(&json, "severity", severity);
        json_number(&json, "line", p->line);
        json_number(&json, "column", p->column);
        json_close(&json);
    } else {
        printf("%s:%u:%u: %s: %s [%s]\n", r->text->name, p->line, p->column, severity, p->message,
               p->code);
        print_excerpt(r->text, (size_t)p->start, (size_t)p->end);
    }
    r->count++;
}

static int
check_text(const struct tool_command *self, struct report *r)
{
    const struct gantry_connect_listener listener = {sizeof listener, 0, tell, r};
    struct gantry_connect_schema *schema = NULL;
    struct gantry_error *error = NULL;
    if (r->json) {
        fputs("{\"file\":", stdout);
        json_quote(stdout, r->file, strlen(r->file));
        fputs(",\"problems\":[", stdout);
    }
    int rc = gantry_connect_schema_new(r->text->ptr, r->text->size, &listener, &schema, &error);
    if (r->json)
        puts("]}");
    gantry_connect_schema_free(schema);
    if (rc < 0 && rc != GANTRY_E_INVALID)
        return tool_failed(self, rc, error);
    gantry_error_free(error);
    return rc < 0 ? TOOL_FAILED : TOOL_OK;
}

static int
check_file(const struct tool_command *self, const char *file, int json, struct counts *all)
{
    struct tool_text text = {0};
    struct report r = {file, &text, json, 0, all};
    int status = tool_read(self, file, &text);
    if (status == TOOL_OK) {
        all->files++;
        status = check_text(self, &r);
        all->is_cut |= r.count >= TOLD_MAX;
    }
    tool_text_free(&text);
    return status;
}

static void
print_counts(const struct counts *all)
{
    static const char *const words[] = {"error", "warning", "note"};
    int any = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (all->problems[i]) {
            printf("%s%u %s%s", any ? ", " : "", all->problems[i], words[i],
                   all->problems[i] == 1 ? "" : "s");
            any = 1;
        }
    printf("%s in %u file%s%s\n", any ? "" : "no problems", all->files, all->files == 1 ? "" : "s",
           all->is_cut ? "; of a file with more than 1000, these are the first" : "");
}

/* Options may stand behind files.  The files are gathered at the front of argv. */
static int
read_options(const struct tool_command *self, int argc, char **argv, int *json, int *count)
{
    int only_files = 0;
    *count = 0;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (only_files || argument[0] != '-' || !argument[1]) {
            argv[(*count)++] = argv[i];
        } else if (strcmp(argument, "--") == 0) {
            only_files = 1;
        } else if (strcmp(argument, "--format") != 0) {
            return tool_usage(self, "unknown option", argument);
        } else if (i + 1 >= argc) {
            return tool_usage(self, "a value is missing behind", argument);
        } else {
            const char *format = argv[++i];
            if (strcmp(format, "json") != 0 && strcmp(format, "text") != 0)
                return tool_usage(self, "--format is text or json, not", format);
            *json = format[0] == 'j';
        }
    }
    return *count ? TOOL_OK : tool_usage(self, "the FILE is missing", NULL);
}

int
tool_connect_check(const struct tool_command *self, int argc, char **argv)
{
    struct counts all = {0};
    int json = 0, count = 0;
    int status = read_options(self, argc, argv, &json, &count);
    if (status != TOOL_OK)
        return status;
    for (int i = 0; i < count; i++) {
        int one = check_file(self, argv[i], json, &all);
        status = one > status ? one : status;
    }
    if (!json && all.files)
        print_counts(&all);
    return status;
}
