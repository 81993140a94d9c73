/* fuzz_connectors.c - any bytes are refused with problems whose places lie in them, or are a schema that is told
 * whole.  What stands before the first NUL is put behind a link of the connect version that the first byte chooses;
 * without a NUL the bytes are a whole schema. */
#include "buf.h"
#include "fuzz.h"

#include <gantry/connect.h>

static const char links[] =
    "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.14\", import: [\"@key\"]) "
    "@link(url: \"https://specs.apollo.dev/connect/v0.%u\", import: [\"@source\", \"@connect\"])\n";

struct seen {
    size_t size, errors;
    uint64_t start;
};

static void
see(void *context, const struct gantry_connect_problem *p)
{
    struct seen *seen = context;
    must(p->start >= seen->start && p->start <= p->end && p->end <= seen->size);
    must(p->line >= 1 && p->column >= 1 && p->end_line >= p->line);
    must(p->end_line > p->line || p->end_column >= p->column);
    must(p->message[0] && !strchr(p->message, '\n') && p->code[0]);
    seen->start = p->start;
    seen->errors += p->severity == GANTRY_CONNECT_ERROR;
}

static void
check(const char *text, size_t size)
{
    struct seen seen = {.size = size};
    const struct gantry_connect_listener listener = {sizeof listener, 0, see, &seen};
    struct gantry_connect_schema *schema = NULL;
    int rc = gantry_connect_schema_new(text, size, &listener, &schema, NULL);
    must(rc == 0 ? schema && !seen.errors : rc == GANTRY_E_INVALID && !schema && seen.errors);
    for (uint32_t i = 0; schema && i < gantry_connect_schema_count(schema); i++) {
        struct gantry_connect_connector c = {.size = sizeof c};
        must(gantry_connect_schema_connector(schema, i, &c, NULL) == 0 && c.coordinate[0]);
    }
    gantry_connect_schema_free(schema);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);
    const char *bytes = (const char *)data;
    const char *nul = size ? memchr(bytes, 0, size) : NULL;
    if (nul && nul != bytes) {
        buf_add_fmt(&text, links, 2 + data[0] % 3u);
        buf_add(&text, (struct str){bytes + 1, (size_t)(nul - bytes) - 1});
    } else {
        buf_add(&text, (struct str){bytes, size});
    }
    must(!buf_failed(&text));
    check(buf_text(&text), text.len);
    return 0;
}
