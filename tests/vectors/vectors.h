/* vectors.h - reads files of test vectors, for the unit tests that run them.
 *
 *   === what the case shows
 *   text of the section without a name, where the area has one
 *   --- input
 *   any text
 *   --- output
 *   any text
 *
 * A section's text is what stands between its line and the next one that begins with "--- " or "===
 * ", without the last line end and without empty lines before a new case.  A new case is lines of
 * text, never code. */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "err.h"
#include "file.h"
#include "str.h"

#include <glob.h>
#include <stdio.h>

enum { VECTOR_SECTIONS = 8 };

struct vector {
    const char *file;
    size_t line; /* of "===" */
    struct str name;
    struct {
        struct str name, text;
    } sections[VECTOR_SECTIONS];
    size_t section_count;
};

/* The text of a section ("": what stands before the first); ptr is NULL when the case has none of
 * that name. */
static inline struct str
vector_section(const struct vector *v, const char *name)
{
    for (size_t i = 0; i < v->section_count; i++)
        if (str_eq(v->sections[i].name, str_of(name)))
            return v->sections[i].text;
    return STR_NONE;
}

/* Compare byte for byte; on difference print where and what, and return 1. */
static inline size_t
vector_differs(const struct vector *v, const char *what, struct str expected, struct str found)
{
    if (str_eq(expected, found))
        return 0;
    fprintf(stderr, "%s:%zu: %.*s: %s differs\n--- expected\n%.*s\n--- found\n%.*s\n", v->file,
            v->line, STR_ARG(v->name), what, STR_ARG(expected), STR_ARG(found));
    return 1;
}

static inline struct str
vector_without_end(struct str text, bool last_of_case)
{
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    while (last_of_case && text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    return text;
}

/* Run every case of a file; run returns the number of failures.  Returns their sum; a file that
 * cannot be read or has no case is one failure. */
static inline size_t
vectors_run(const char *path, size_t (*run)(const struct vector *v))
{
    AUTO_FREE char *content = NULL;
    AUTO_ERR struct gantry_error *err = NULL;
    size_t length = 0, failures = 0, line_number = 0, cases = 0;
    if (file_read(path, 16 * 1024 * 1024, &content, &length, &err) < 0) {
        fprintf(stderr, "%s\n", err_text(err));
        return 1;
    }
    struct vector v = {.file = path};
    struct str rest = {content, length};
    while (rest.ptr) {
        struct str line = str_cut(rest, '\n', &rest);
        line_number++;
        bool new_case = str_starts_with(line, STR("=== ")), end = !rest.ptr;
        bool new_section = str_starts_with(line, STR("--- "));
        if (v.section_count && (new_case || new_section || end)) {
            struct str *text = &v.sections[v.section_count - 1].text;
            text->len = (size_t)(line.ptr - text->ptr);
            *text = vector_without_end(*text, new_case || end);
        }
        if (v.name.ptr && (new_case || end)) {
            failures += run(&v);
            cases++;
        }
        if (new_case) {
            v = (struct vector){.file = path, .line = line_number};
            v.name = (struct str){line.ptr + 4, line.len - 4};
            v.sections[0].text.ptr = rest.ptr ? rest.ptr : line.ptr + line.len;
            v.section_count = 1;
        } else if (new_section && v.section_count < VECTOR_SECTIONS) {
            v.sections[v.section_count].name = (struct str){line.ptr + 4, line.len - 4};
            v.sections[v.section_count].text.ptr = rest.ptr ? rest.ptr : line.ptr + line.len;
            v.section_count++;
        }
    }
    if (cases == 0)
        fprintf(stderr, "%s: no case in it\n", path);
    return cases ? failures : 1;
}

/* The same for every file of a folder; one without files is a failure. */
static inline size_t
vectors_run_folder(const char *folder, size_t (*run)(const struct vector *v))
{
    char pattern[1024];
    glob_t files;
    size_t failures = 0;
    snprintf(pattern, sizeof pattern, "%s/*.test", folder);
    if (glob(pattern, 0, NULL, &files) != 0) {
        fprintf(stderr, "%s: no vectors in it\n", folder);
        return 1;
    }
    for (size_t i = 0; i < files.gl_pathc; i++)
        failures += vectors_run(files.gl_pathv[i], run);
    globfree(&files);
    return failures;
}

#endif
