/* gantry_plugin.c - gantry plugin info NAME, gantry plugin list */
#include "gantry_tool.h"

#include <gantry/host.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int
tool_plugin_options(const struct tool_command *self, int argc, char **argv,
                    struct tool_plugin_options *options)
{
    static const struct option known[] = {{"path", required_argument, NULL, 'p'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {NULL, 0, NULL, 0}};
    memset(options, 0, sizeof *options);
    options->folders = calloc((size_t)argc, sizeof *options->folders);
    if (!options->folders)
        return tool_failed(self, GANTRY_E_NOMEM, NULL);
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":v", known, NULL)) != -1;) {
        if (option == 'p')
            options->folders[options->folder_count++] = optarg;
        else if (option == 'v')
            options->verbose = 1;
        else
            return tool_usage(self, option == ':' ? "a folder must follow" : "unknown option",
                              argv[optind - 1]);
    }
    if (optind < argc)
        options->name = argv[optind++];
    if (optind < argc)
        return tool_usage(self, "one argument too many", argv[optind]);
    return TOOL_OK;
}

char *
tool_plugin_path(const char *typed)
{
    size_t length = strlen(typed);
    int is_file = !strchr(typed, '/') && length > 3 && strcmp(typed + length - 3, ".so") == 0;
    char *path = malloc(length + 3);
    if (path)
        snprintf(path, length + 3, "%s%s", is_file ? "./" : "", typed);
    return path;
}

int
tool_plugin_info(const struct tool_command *self, int argc, char **argv)
{
    struct tool_plugin_options options;
    struct gantry_loaded_plugin *plugin = NULL;
    struct gantry_error *error = NULL;
    int status = tool_plugin_options(self, argc, argv, &options);
    if (status == TOOL_OK && !options.name)
        status = tool_usage(self, "the NAME of a plugin is missing", NULL);
    if (status == TOOL_OK && options.verbose)
        status = tool_usage(self, "unknown option", "-v");
    if (status == TOOL_OK) {
        char *name = tool_plugin_path(options.name ? options.name : "");
        int rc =
            name ? gantry_plugin_load(name, options.folders, options.folder_count, &plugin, &error)
                 : GANTRY_E_NOMEM;
        free(name);
        if (rc < 0) {
            /* What cannot be loaded was the wrong thing to name. */
            tool_failed(self, rc, error);
            status = rc == GANTRY_E_NOMEM ? TOOL_FAILED : TOOL_USAGE;
        }
    }
    if (plugin) {
        char *manual = gantry_plugin_manual(gantry_loaded_plugin_table(plugin));
        if (manual)
            printf("%s\nfile: %s\n", manual, gantry_loaded_plugin_file(plugin));
        else
            status = tool_failed(self, GANTRY_E_NOMEM, NULL);
        gantry_text_free(manual);
    }
    gantry_loaded_plugin_free(plugin);
    free(options.folders);
    return status;
}

struct listing {
    int verbose;
    unsigned count;
};

static int
show_found(void *context, const char *file, const char *name, const struct gantry_plugin *plugin,
           int shadowed, const struct gantry_error *problem)
{
    static const char *const threads[] = {"serial", "serial for each workload", "parallel"};
    struct listing *listing = context;
    const char *result = shadowed ? "shadowed" : plugin ? "ok" : "refused";
    printf("%2u  %-16s  %-8s  %s\n", ++listing->count, name, result, file);
    if (problem)
        printf("    %s\n", problem->message);
    else if (plugin && listing->verbose)
        printf(
            "    %s; version %s; ABI %" PRIu32 ".%" PRIu32 "; threads %s\n",
            plugin->summary ? plugin->summary : "no summary",
            plugin->version ? plugin->version : "not given", plugin->abi_major, plugin->abi_minor,
            plugin->threads < sizeof threads / sizeof threads[0] ? threads[plugin->threads] : "?");
    return 0;
}

static void
show_folders(const struct tool_plugin_options *options)
{
    printf("looked in, in this order:\n");
    for (size_t i = 0; i < options->folder_count; i++) {
        struct stat st;
        int is_there = stat(options->folders[i], &st) == 0 && S_ISDIR(st.st_mode);
        printf("  %s%s\n", options->folders[i], is_there ? "" : " (is not a folder)");
    }
    printf("  the folder of the bundled plugins\n\n");
}

int
tool_plugin_list(const struct tool_command *self, int argc, char **argv)
{
    struct tool_plugin_options options;
    int status = tool_plugin_options(self, argc, argv, &options);
    if (status == TOOL_OK && options.name)
        status = tool_usage(self, "one argument too many", options.name);
    if (status == TOOL_OK) {
        struct listing listing = {.verbose = options.verbose};
        if (options.verbose)
            show_folders(&options);
        int rc = gantry_plugin_walk(options.folders, options.folder_count, show_found, &listing);
        if (rc < 0)
            status = tool_failed(self, rc, NULL);
        else if (listing.count == 0)
            printf("no plugin was found\n");
    }
    free(options.folders);
    return status;
}
