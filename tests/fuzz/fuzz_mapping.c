/* fuzz_mapping.c - any bytes are refused with a place in them, or are a mapping whose print is the
 * same mapping and prints as the same text.  The first byte chooses the connect version. */
#include "err.h"
#include "fuzz.h"
#include "mapping.h"

enum { PRINT_MAX = 64 * 1024 * 1024 };

static void
check_print(const struct mapping *m, enum mapping_version version)
{
    AUTO_BUF struct buf one = BUF_INIT(PRINT_MAX);
    AUTO_BUF struct buf two = BUF_INIT(PRINT_MAX);
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *again = NULL;
    must(mapping_print(m, &one) == 0);
    if (one.len > MAPPING_TEXT_MAX)
        return;
    must(mapping_parse(buf_view(&one), version, &again, NULL, &err) == 0);
    must(mapping_equal(m, again));
    must(mapping_print(again, &two) == 0);
    must(str_eq(buf_view(&one), buf_view(&two)));
    mapping_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct mapping *m = NULL;
    struct mapping_range where = {SIZE_MAX, SIZE_MAX};
    if (size == 0)
        return 0;
    enum mapping_version version = (enum mapping_version)(MAPPING_V2 + data[0] % 3);
    struct str text = {(const char *)data + 1, size - 1};
    int rc = mapping_parse(text, version, &m, &where, &err);
    if (rc < 0) {
        must(rc == GANTRY_E_INVALID && err && !m && where.start <= text.len);
        return 0;
    }
    check_print(m, version);
    mapping_free(m);
    return 0;
}
