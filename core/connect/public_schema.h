/* public_schema.h - the handle of a schema, for all files that give functions of gantry/connect.h. */
#ifndef CONNECT_PUBLIC_SCHEMA_H
#define CONNECT_PUBLIC_SCHEMA_H

#include "connectors.h"

struct gantry_connect_schema {
    struct connect_schema *schema;
    struct arena arena;
    struct gantry_connect_connector *connectors; /* what is told of each */
    uint32_t connector_count;
};

#endif
