/* Image references.  See image.h. */
#include "image.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

static bool
copy(char *target, size_t size, const char *start, size_t length)
{
    if (length == 0 || length >= size)
        return false;
    memcpy(target, start, length);
    target[length] = '\0';
    return true;
}

bool
image_parse(const char *reference, struct image *image)
{
    if (strncmp(reference, "sha256:", 7) == 0)
        return false;
    size_t length = strcspn(reference, "@");
    const char *digest = reference[length] == '@' ? reference + length + 1 : NULL;
    /* A colon before the last slash belongs to the registry's port. */
    const char *slash = memrchr(reference, '/', length);
    const char *path = slash ? slash + 1 : reference;
    const char *colon = memchr(path, ':', length - (size_t)(path - reference));
    size_t name_length = colon ? (size_t)(colon - reference) : length;
    image->by_digest = digest != NULL;
    if (!copy(image->name, sizeof image->name, reference, name_length))
        return false;
    if (digest)
        return copy(image->select, sizeof image->select, digest, strlen(digest));
    if (colon)
        return copy(image->select, sizeof image->select, colon + 1,
                    length - (size_t)(colon + 1 - reference));
    return copy(image->select, sizeof image->select, "latest", 6);
}

/* As the engine shows names: Docker Hub's without host, its official ones without folder. */
static const char *
familiar(const char *name)
{
    static const char *const hidden[] = {"docker.io/", "index.docker.io/", "library/"};
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (strncmp(name, hidden[i], strlen(hidden[i])) == 0)
            name += strlen(hidden[i]);
    return name;
}

bool
image_same(const char *one, const char *other)
{
    struct image a, b;
    return image_parse(one, &a) && image_parse(other, &b) &&
           strcmp(familiar(a.name), familiar(b.name)) == 0 && strcmp(a.select, b.select) == 0;
}

const char *
image_registry(const char *reference, size_t *length)
{
    *length = strcspn(reference, "/");
    bool host =
        reference[*length] && (memchr(reference, '.', *length) || memchr(reference, ':', *length) ||
                               (*length == 9 && memcmp(reference, "localhost", 9) == 0));
    if (host)
        return reference;
    *length = strlen("docker.io");
    return "docker.io";
}

const char *
image_digest(const cJSON *answer, const char *reference)
{
    struct image wanted, known;
    const cJSON *entry;
    if (!image_parse(reference, &wanted))
        return NULL;
    /* One image may come from several repositories: the one of the reference counts. */
    cJSON_ArrayForEach(entry, json_at(answer, "RepoDigests"))
    {
        const char *text = cJSON_IsString(entry) ? entry->valuestring : "";
        const char *at = strchr(text, '@');
        if (at && image_parse(text, &known) &&
            strcmp(familiar(known.name), familiar(wanted.name)) == 0)
            return at + 1;
    }
    return NULL;
}
