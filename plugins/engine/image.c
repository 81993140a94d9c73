/* Image references.  See image.h. */
#include "image.h"

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
