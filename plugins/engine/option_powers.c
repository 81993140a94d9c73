/* Which options make a workload the master of its host?  See options.h. */
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct list {
    char *text;
    size_t size;
};

static void
add(struct list *list, const char *key, const char *value)
{
    size_t used = strlen(list->text);
    snprintf(list->text + used, list->size - used, "%s%s%s%.100s", used ? ", " : "", key,
             value ? " = " : "", value ? value : "");
}

static bool
is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

static bool
is_ruling_capability(const char *text)
{
    static const char *const words[] = {"ALL",       "SYS_ADMIN",       "SYS_MODULE",
                                        "SYS_RAWIO", "DAC_READ_SEARCH", NULL};
    return is_one_of(strncasecmp(text, "CAP_", 4) == 0 ? text + 4 : text, words);
}

/* Whoever can write there, or speak to an engine there, is root. */
static bool
is_ruling_volume(const char *text)
{
    static const char *const folders[] = {"/",    "/etc",  "/run", "/var/run", "/proc", "/sys",
                                          "/dev", "/root", "/usr", "/boot",    NULL};
    struct option_volume volume;
    if (!option_parse_volume(text, &volume) || !volume.is_folder)
        return false;
    const char *name = strrchr(volume.source, '/') + 1;
    return strcmp(name, "docker.sock") == 0 || strcmp(name, "podman.sock") == 0 ||
           strcmp(name, "containerd.sock") == 0 || is_one_of(volume.source, folders);
}

static bool
is_unconfined(const char *text)
{
    return strstr(text, "unconfined") || strcmp(text, "label=disable") == 0 ||
           strcmp(text, "label:disable") == 0;
}

static void
add_items(struct list *list, const struct gantry_settings *settings, const char *key,
          bool (*is_ruling)(const char *text))
{
    const struct gantry_value *value = option_items(settings, key);
    for (uint32_t i = 0; value && i < value->item_count; i++)
        if (is_ruling(value->items[i]))
            add(list, key, value->items[i]);
}

void
options_powers(const struct gantry_settings *settings, char *text, size_t size)
{
    static const char *const namespaces[] = {"pid_mode", "ipc_mode", "userns_mode"};
    struct list list = {text, size};
    text[0] = '\0';
    if (option_is_on(settings, "privileged"))
        add(&list, "privileged", NULL);
    add_items(&list, settings, "cap_add", is_ruling_capability);
    add_items(&list, settings, "volumes", is_ruling_volume);
    add_items(&list, settings, "security_opt", is_unconfined);
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
        const char *mode = option_text(settings, namespaces[i]);
        if (mode && strcmp(mode, "host") == 0)
            add(&list, namespaces[i], mode);
    }
}
