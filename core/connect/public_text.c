/* public_text.c - JSON that callers give, and paths that they are told. */
#include "public_text.h"

#include "err.h"

const char *
public_path(struct arena *a, const struct mapping_problem *problem)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)16 * 1024 * 1024);
    buf_add_char(&text, '[');
    for (size_t i = 0; i < problem->path_length; i++) {
        if (i > 0)
            buf_add_char(&text, ',');
        if (problem->path[i].key.ptr)
            buf_add_json(&text, problem->path[i].key);
        else
            buf_add_fmt(&text, "%zu", problem->path[i].index);
    }
    buf_add_char(&text, ']');
    return buf_failed(&text) ? NULL : arena_dup(a, buf_view(&text));
}

int
public_read_json(struct arena *a, const char *json, uint64_t size, uint64_t max, const char *what,
                 struct value **out, struct gantry_error **err)
{
    const struct value_limits limits = {.max_bytes = size_of(max)};
    int rc = value_parse(a, (struct str){json, size_of(size)}, &limits, out, err);
    return rc < 0 ? err_wrap(err, rc, "%s", what) : 0;
}

int
public_read_variables(struct arena *a, const struct gantry_mapping_variable *variables,
                      uint32_t count, uint32_t stride, uint64_t max, struct mapping_variable **out,
                      struct gantry_error **err)
{
    struct mapping_variable *all = arena_alloc_array(a, (size_t)count + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const struct gantry_mapping_variable *v =
            (const void *)((const char *)variables + (size_t)i * stride);
        if (v->name[0] != '$' || v->name[1] == '\0')
            return err_set(err, GANTRY_E_INVALID, "variable '%s': a name begins with '$'", v->name);
        all[i].name = str_of(v->name);
        int rc = public_read_json(a, v->json, v->json_size, max, v->name, &all[i].value, err);
        if (rc < 0)
            return rc;
    }
    *out = all;
    return 0;
}
