/* gantry_plugin_new.c - gantry plugin new NAME: a folder with a plugin that works, from the template that is
 * installed beside the program. */
#include "gantry_tool.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES     63
#define TEMPLATE_MAX_BYTES ((size_t)1 << 20)

struct language {
    const char *word;     /* of --lang */
    const char *template; /* of the source */
    const char *suffix;
    const char *cmake; /* its name there */
    const char *compiler;
};

static const struct language languages[] = {
    {"c", "c/plugin.c.in", ".c", "C", "cc"},
    {"c++", "c++/plugin.cc.in", ".cc", "CXX", "c++"},
};

/* What is written besides the source: the template's name without ".in". */
static const char *const common[] = {"CMakeLists.txt", "README.md", "test.ini"};
enum { COMMON = sizeof common / sizeof common[0] };

/* What stands for each @WORD@ of a template. */
enum { WORDS = 5 };
struct making {
    const struct tool_command *self;
    const struct language *language;
    const char *name;
    char source[NAME_MAX_BYTES + 8];
    char identifier[NAME_MAX_BYTES + 1];
    char program[PATH_MAX], templates[PATH_MAX + 64], include[PATH_MAX + 64];
    const char *words[WORDS][2];
};

static int
name_is_valid(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) &&
           strlen(name) <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z';
}

/* Where this program is, and what was installed with it.  Returns 0, or -1 and errno. */
static int
find_places(struct making *m)
{
    ssize_t n = readlink("/proc/self/exe", m->program, sizeof m->program - 1);
    if (n < 0)
        return -1;
    m->program[n] = '\0';
    char folder[PATH_MAX], real[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", m->program);
    *strrchr(folder, '/') = '\0';
    snprintf(m->templates, sizeof m->templates,
             "%s/" GANTRY_DATA_FROM_BIN "/gantry/templates/plugin", folder);
    if (!realpath(m->templates, real))
        return -1;
    snprintf(m->templates, sizeof m->templates, "%s", real);
    snprintf(m->include, sizeof m->include, "%s/" GANTRY_INCLUDE_FROM_BIN, folder);
    if (realpath(m->include, real))
        snprintf(m->include, sizeof m->include, "%s", real);
    return 0;
}

static void
set_words(struct making *m)
{
    snprintf(m->source, sizeof m->source, "%s%s", m->name, m->language->suffix);
    snprintf(m->identifier, sizeof m->identifier, "%s", m->name);
    for (char *p = m->identifier; (p = strchr(p, '-'));)
        *p = '_';
    const char *words[WORDS][2] = {{"@NAME@", m->name},
                                   {"@IDENT@", m->identifier},
                                   {"@SOURCE@", m->source},
                                   {"@LANGUAGE@", m->language->cmake},
                                   {"@COMPILER@", m->language->compiler}};
    memcpy(m->words, words, sizeof words);
}

/* Write the text with its words replaced.  An '@' that begins none of them stays. */
static void
fill_in(const struct making *m, const char *text, FILE *out)
{
    for (const char *at; (at = strchr(text, '@'));) {
        fwrite(text, 1, (size_t)(at - text), out);
        const char *value = "@";
        size_t length = 1;
        for (size_t i = 0; i < WORDS; i++)
            if (strncmp(at, m->words[i][0], strlen(m->words[i][0])) == 0) {
                value = m->words[i][1];
                length = strlen(m->words[i][0]);
            }
        fputs(value, out);
        text = at + length;
    }
    fputs(text, out);
}

/* The whole text of a template; NULL: errno says why. */
static char *
read_template(const struct making *m, const char *template)
{
    char path[PATH_MAX * 2];
    snprintf(path, sizeof path, "%s/%s", m->templates, template);
    FILE *in = fopen(path, "re");
    char *text = in ? malloc(TEMPLATE_MAX_BYTES + 1) : NULL;
    if (text) {
        text[fread(text, 1, TEMPLATE_MAX_BYTES, in)] = '\0';
        if (ferror(in) || !feof(in)) {
            errno = ferror(in) ? EIO : EFBIG;
            free(text);
            text = NULL;
        }
    }
    int why = errno;
    if (in)
        fclose(in);
    errno = why;
    return text;
}

/* Make the file NAME/file.  Returns an exit code, having said what is wrong. */
static int
make_file(const struct making *m, const char *template, const char *file)
{
    char *text = read_template(m, template);
    if (!text) {
        char path[PATH_MAX * 2];
        snprintf(path, sizeof path, "%s/%s", m->templates, template);
        return tool_failed_errno(m->self, "cannot read the template", path);
    }
    char path[NAME_MAX_BYTES * 3];
    snprintf(path, sizeof path, "%s/%s", m->name, file);
    FILE *out = fopen(path, "wxe");
    int good = out != NULL;
    if (out) {
        fill_in(m, text, out);
        good = !ferror(out);
        good &= fclose(out) == 0;
    }
    int status = good ? TOOL_OK : tool_failed_errno(m->self, "cannot write", path);
    free(text);
    return status;
}

/* Take back what was made, when not all could be. */
static void
unmake(const struct making *m)
{
    char path[NAME_MAX_BYTES * 3];
    for (size_t i = 0; i <= COMMON; i++) {
        snprintf(path, sizeof path, "%s/%s", m->name, i < COMMON ? common[i] : m->source);
        unlink(path);
    }
    rmdir(m->name);
}

/* A path, as a shell wants it. */
static void
put_path(const char *path)
{
    int odd = strpbrk(path, " \t\"$&;()<>|*?`\\") != NULL;
    printf("%s%s%s", odd ? "'" : "", path, odd ? "'" : "");
}

/* Is this what the compiler, or the shell, finds by itself? */
static int
is_usual(const char *path, const char *what)
{
    static const char *const prefixes[] = {"/usr/", "/usr/local/"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0 &&
            strcmp(path + strlen(prefixes[i]), what) == 0)
            return 1;
    return 0;
}

static void
show_commands(const struct making *m)
{
    printf("wrote %s/: %s", m->name, m->source);
    for (size_t i = 0; i < COMMON; i++)
        printf(", %s", common[i]);
    printf("\n\nBuild it and test it:\n\n    cd %s\n    %s -shared -fPIC -fvisibility=hidden",
           m->name, m->language->compiler);
    if (!is_usual(m->include, "include")) {
        printf(" -I");
        put_path(m->include);
    }
    printf(" -o gantry-%s.so %s\n    ", m->name, m->source);
    put_path(is_usual(m->program, "bin/gantry") ? "gantry" : m->program);
    printf(" plugin test ./gantry-%s.so --config test.ini\n", m->name);
}

static int
make(struct making *m)
{
    set_words(m);
    if (find_places(m) < 0)
        return tool_failed_errno(m->self, "cannot find the installed templates", m->templates);
    if (mkdir(m->name, 0777) < 0)
        return tool_failed_errno(m->self, "cannot make the folder", m->name);
    int status = make_file(m, m->language->template, m->source);
    for (size_t i = 0; status == TOOL_OK && i < COMMON; i++) {
        char template[64];
        snprintf(template, sizeof template, "%s.in", common[i]);
        status = make_file(m, template, common[i]);
    }
    if (status == TOOL_OK)
        show_commands(m);
    else
        unmake(m);
    return status;
}

static const struct language *
find_language(const char *word)
{
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++)
        if (strcmp(languages[i].word, word) == 0)
            return &languages[i];
    return NULL;
}

int
tool_plugin_new(const struct tool_command *self, int argc, char **argv)
{
    static const struct option known[] = {{"lang", required_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    struct making m = {.self = self, .language = &languages[0]};
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":", known, NULL)) != -1;) {
        if (option != 'l')
            return tool_usage(self, option == ':' ? "a value must follow" : "unknown option",
                              argv[optind - 1]);
        if (!(m.language = find_language(optarg)))
            return tool_usage(self, "it is written in c or c++, not in", optarg);
    }
    if (optind >= argc)
        return tool_usage(self, "the NAME of the plugin is missing", NULL);
    m.name = argv[optind++];
    if (optind < argc)
        return tool_usage(self, "one argument too many", argv[optind]);
    if (!name_is_valid(m.name))
        return tool_usage(
            self, "a name is a letter and up to 62 letters, digits or dashes, all lower case, not",
            m.name);
    return make(&m);
}
