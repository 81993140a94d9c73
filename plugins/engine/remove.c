/* remove(): the container goes, and one that waits for a name gets it.
 *
 * The name changes hands before the old container is deleted: whoever dies in between leaves the
 * old one in the listing, so that remove() comes again and finishes both. */
#include "engine.h"

#include <string.h>

static const char *
listed_label(const cJSON *item, const char *label)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json_at(item, "Labels"), label);
    return cJSON_IsString(value) ? value->valuestring : NULL;
}

/* Does this container of a listing wait for a name?  Returns the name, or NULL. */
static const char *
waits_for(const cJSON *item)
{
    const char *wanted = listed_label(item, ENGINE_LABEL_NAME);
    const cJSON *name = cJSON_GetArrayItem(json_at(item, "Names"), 0);
    if (!wanted || !cJSON_IsString(name))
        return NULL;
    const char *plain = name->valuestring + (name->valuestring[0] == '/'); /* not at Podman */
    return engine_name_has_form(plain, wanted, ENGINE_NAME_NEW) ? wanted : NULL;
}

/* Give the name to the connector's other container that waits for it.  leaving: the one that is
 * removed; unless it is gone it steps aside when it has that name. */
static int
hand_over_name(struct engine_task *task, const cJSON *leaving, bool gone)
{
    const char *manager = engine_label_of(leaving, GANTRY_LABEL_MANAGER);
    const char *connector = engine_label_of(leaving, GANTRY_LABEL_CONNECTOR);
    const char *platform = engine_label_of(leaving, GANTRY_LABEL_NAMED);
    const char *id = json_text(leaving, "Id");
    if (!manager || !connector)
        return 0;
    const struct gantry_pair labels[] = {{GANTRY_LABEL_MANAGER, manager},
                                         {GANTRY_LABEL_CONNECTOR, connector},
                                         {GANTRY_LABEL_NAMED, platform}};
    AUTO_JSON list = NULL;
    /* XTM Composer's have no third one. */
    int code = engine_containers(task, labels, platform ? 3 : 2, sizeof labels[0], &list);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *other = json_text(item, "Id"), *wanted = waits_for(item);
        if (code < 0 || !other || !wanted || strcmp(other, id) == 0)
            continue;
        if (!gone && strcmp(engine_name_of(leaving), wanted) == 0) {
            char aside[ENGINE_NAME_MAX];
            engine_name_make(aside, wanted, ENGINE_NAME_OLD);
            code = engine_container_rename(task, id, aside);
        }
        if (code == 0)
            code = engine_container_rename(task, other, wanted);
    }
    return code;
}

int
engine_op_remove(struct engine_task *task, const struct gantry_ref *ref)
{
    AUTO_CONTAINER container = NULL;
    int code = engine_inspect(task, ref->handle, &container);
    if (code < 0)
        return code == GANTRY_E_NOT_FOUND ? 0 : code;
    struct engine_task own = engine_task_again(task);
    int named = hand_over_name(&own, container, false);
    code = engine_container_delete(task, json_text(container, "Id"));
    /* An engine that is removing it already may refuse to rename it: the name is free now. */
    if (code == 0 && named < 0) {
        own = engine_task_again(task);
        named = hand_over_name(&own, container, true);
        if (named < 0)
            gantry_log(task->engine->host, task->call, GANTRY_LOG_WARN, "%s", own.error);
    }
    return code;
}
