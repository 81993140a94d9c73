/* images_state.c - what the state file has of images.  If it is lost, what was fetched stays for good.
 *
 * Each says where it was fetched: under the name of that backend's section there may be another engine now, where
 * an image of the same digest is somebody else's (S2). */
#include "manager_internal.h"

#include <cjson/cJSON.h>
#include <inttypes.h>

static const char *
text_of(const cJSON *json, const char *key)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static void
write_one(struct buf *b, const struct backend_side *side, const struct pulled_image *image)
{
    const char *const members[][2] = {{"{\"image\":", image->reference},
                                      {",\"digest\":", image->digest},
                                      {",\"platform\":", image->platform},
                                      {",\"connector\":", image->connector},
                                      {",\"plugin\":", side->settings->plugin}};
    for (size_t i = 0; i < ARRAY_LENGTH(members); i++) {
        buf_add_text(b, members[i][0]);
        buf_add_json(b, str_of(members[i][1]));
    }
    buf_add_fmt(b, ",\"place\":\"%" PRIu64 "\",\"at_ms\":%" PRId64 "}", text_digest(side->place),
                image->at_ms);
}

void
images_write(struct buf *b, const struct gantry_manager *m)
{
    buf_add_text(b, ",\"images\":{");
    for (size_t i = 0; i < m->backend_count; i++) {
        const struct images *images = &m->backends[i].images;
        buf_add_text(b, i > 0 ? "," : "");
        buf_add_json(b, str_of(m->backends[i].settings->name));
        buf_add_text(b, ":[");
        for (size_t k = 0; k < images->pulled.len; k++) {
            buf_add_text(b, k > 0 ? "," : "");
            write_one(b, &m->backends[i], &images->pulled.ptr[k]);
        }
        buf_add_char(b, ']');
    }
    buf_add_char(b, '}');
}

static bool
was_fetched_there(const cJSON *item, const struct backend_side *side)
{
    const char *place = text_of(item, "place");
    uint64_t digest = 0;
    return text_eq(text_of(item, "plugin"), side->settings->plugin) && place &&
           str_to_uint64(str_of(place), &digest) && digest == text_digest(side->place);
}

static int
read_one(const cJSON *item, struct backend_side *side)
{
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(item, "at_ms");
    const struct pulled_image image = {
        .reference = (char *)(uintptr_t)text_of(item, "image"),
        .digest = (char *)(uintptr_t)text_of(item, "digest"),
        .platform = (char *)(uintptr_t)text_of(item, "platform"),
        .connector = (char *)(uintptr_t)text_of(item, "connector"),
        .at_ms = cJSON_IsNumber(at) && at->valuedouble > 0 && at->valuedouble < 9e15
                     ? (int64_t)at->valuedouble
                     : 0,
    };
    side->images.stale = true; /* a round may have been broken off */
    bool whole = image.reference && image.digest && image.platform && image.connector;
    return whole ? images_add(side, &image) : 0;
}

/* Of all sections: that of a backend may have got another name. */
int
images_read(struct gantry_manager *m, const struct cJSON *json)
{
    const cJSON *list, *item;
    for (size_t i = 0; i < m->backend_count; i++) {
        cJSON_ArrayForEach(list, json)
        {
            cJSON_ArrayForEach(item, list)
            {
                if (was_fetched_there(item, &m->backends[i]) && read_one(item, &m->backends[i]) < 0)
                    return GANTRY_E_NOMEM;
            }
        }
    }
    return 0;
}

void
images_write_connector(struct buf *b, const struct connector *c)
{
    if (!c->digest)
        return;
    buf_add_text(b, ",\"image_now\":");
    buf_add_json(b, str_of(c->digest));
    if (!c->digest_before)
        return;
    buf_add_text(b, ",\"image_before\":");
    buf_add_json(b, str_of(c->digest_before));
}

static int
read_digest(struct connector *c, const char **slot, const char *text)
{
    if (!text || *slot)
        return 0;
    *slot = text_share(c->platform, text);
    return *slot ? 0 : GANTRY_E_NOMEM;
}

int
images_read_connector(struct connector *c, const struct cJSON *json)
{
    int code = read_digest(c, &c->digest, text_of(json, "image_now"));
    return code < 0 ? code : read_digest(c, &c->digest_before, text_of(json, "image_before"));
}
