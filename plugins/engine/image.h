/* image.h - image references: [HOST[:PORT]/]PATH[:TAG][@DIGEST]. */
#ifndef ENGINE_IMAGE_H
#define ENGINE_IMAGE_H

#include "text.h"

struct image {
    char name[512];   /* host and path */
    char select[256]; /* digest, else tag, else "latest": never empty, or the engine pulls every tag
                       */
    bool by_digest;
};

struct cJSON;

/* false: too long, empty, or a bare image id, which no registry has. */
bool image_parse(const char *reference, struct image *image);
/* Do both name the same tag or digest of the same repository?  busybox is docker.io/library/busybox:latest. */
bool image_same(const char *one, const char *other);
/* The host of its registry, docker.io where it names none: a part of the reference, or static. */
const char *image_registry(const char *reference, size_t *length);
/* The digest by which the reference's repository knows an image, of the engine's answer about it; NULL:
 * none, as where it was built here.  Borrowed of the answer. */
const char *image_digest(const struct cJSON *answer, const char *reference);

#endif
