/* workload_name.c - what a workload is called, and the labels that say whose it is. */
#include "manager_internal.h"

#include "buf.h"

#include <ctype.h>

#define SUBJECT_MAX ((size_t)64 * 1024) /* far more than an id has */

/* The name that a container may have: runs of other characters than letters and digits become one
 * hyphen. */
static size_t
clean(const char *text, char name[64])
{
    size_t n = 0;
    for (const char *p = text; *p && n < 63; p++) {
        char ch = *p;
        if (ch >= 'A' && ch <= 'Z')
            ch = (char)(ch - 'A' + 'a');
        if ((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'))
            name[n++] = ch;
        else if (n > 0 && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n > 0 && name[n - 1] == '-')
        n--;
    name[n] = '\0';
    return n;
}

static bool
is_uuid(const char *id)
{
    for (size_t i = 0; i < 36; i++) {
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (hyphen ? id[i] != '-' : !isxdigit((unsigned char)id[i]))
            return false;
    }
    return id[36] == '\0';
}

/* Another connector on the same backend whose workloads would have this name, or NULL.  One with the
 * same id comes first: a platform that was restored from another's backup lists both again. */
static const struct connector *
name_rival(const struct connector *c, const char *name)
{
    struct gantry_manager *m = c->platform->manager;
    const struct connector *rival = NULL;
    for (size_t i = 0; i < m->platform_count; i++) {
        if (m->platforms[i].backend != c->platform->backend)
            continue;
        map_each (&m->platforms[i].connectors, e) {
            const struct connector *other = e->value;
            char theirs[64];
            if (other == c || !other->name || clean(other->name, theirs) == 0 ||
                strcmp(theirs, name) != 0)
                continue;
            if (strcmp(other->id, c->id) == 0)
                return other;
            rival = other;
        }
    }
    return rival;
}

/* What makes the name its own: 8 hex digits, in digest. */
static int
distinguish(const struct connector *c, bool same_id, char digest[65])
{
    if (same_id) { /* then only the platform differs */
        AUTO_BUF struct buf subject = BUF_INIT(SUBJECT_MAX);
        buf_add_fmt(&subject, "%s/%s", c->platform->settings->name, c->id);
        int code = buf_failed(&subject);
        return code < 0 ? code : crypto_sha256_hex(buf_view(&subject), digest);
    }
    if (!is_uuid(c->id))
        return crypto_sha256_hex(str_of(c->id), digest);
    for (size_t i = 0; i < 8; i++)
        digest[i] = (char)tolower((unsigned char)c->id[i]);
    digest[8] = '\0';
    return 0;
}

int
workload_name(const struct connector *c, char name[64])
{
    size_t n = clean(c->name ? c->name : "", name);
    const struct connector *rival = name_rival(c, name);
    if (n >= 2 && !c->second_name && !rival)
        return 0;
    char digest[65];
    int code = distinguish(c, rival && strcmp(rival->id, c->id) == 0, digest);
    if (code < 0)
        return code == GANTRY_E_NOMEM ? code : GANTRY_E_INTERNAL;
    if (n == 0) {
        snprintf(name, 64, "connector");
        n = strlen(name);
    }
    n = MIN(n, 54);
    while (n > 0 && name[n - 1] == '-')
        n--;
    snprintf(name + n, 64 - n, "-%.8s", digest);
    return 0;
}

int
workload_labels(const struct connector *c, struct arena *arena, const struct gantry_pair **labels,
                uint32_t *count)
{
    const struct platform_side *p = c->platform;
    struct gantry_pair *l = arena_alloc_array(arena, 5, sizeof *l);
    if (!l)
        return GANTRY_E_NOMEM;
    l[0] =
        (struct gantry_pair){GANTRY_LABEL_MANAGER, arena_dup_text(arena, p->manager->settings->id)};
    l[1] = (struct gantry_pair){GANTRY_LABEL_CONNECTOR, arena_dup_text(arena, c->id)};
    l[2] = (struct gantry_pair){GANTRY_LABEL_PLATFORM,
                                arena_dup_text(arena, platform_label(p->platform))};
    l[3] = (struct gantry_pair){GANTRY_LABEL_NAMED, arena_dup_text(arena, p->settings->name)};
    l[4] = (struct gantry_pair){GANTRY_LABEL_HASH, arena_dup_text(arena, c->hash)};
    for (size_t i = 0; i < 5; i++) {
        if (!l[i].value)
            return GANTRY_E_NOMEM;
    }
    *labels = l;
    *count = 5;
    return 0;
}
