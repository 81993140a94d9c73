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

/* false: too long, empty, or a bare image id, which no registry has. */
bool image_parse(const char *reference, struct image *image);

#endif
