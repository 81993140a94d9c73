/* fuzz_template.c - any bytes are refused with a place in them, or are a template that becomes text which can stand
 * where it is for: in a URI nothing but its characters, the holes' own among them encoded.  The first byte chooses the
 * connect version and how it is rendered; variables are those of a request. */
#include "err.h"
#include "fuzz.h"
#include "request.h"

static const char variables[] =
    "{\"$args\":{\"id\":\"a/"
    "b?c#d\\r\\n\\u00e9%\",\"list\":[1,2.50,null,\"..\"],\"n\":-0.5,\"dot\":\"..\","
    "\"null\":null,\"in\":{\"x\":true}},\"$config\":{\"host\":\"h:1\"},"
    "\"$request\":{\"headers\":{\"x-id\":[\"1\",\"2\"]}}}";

/* What a hole gives stands there encoded, and beside each byte of it an 'h'. */
static void
check_url(const struct rendering *r)
{
    static const char unreserved[] = "-._~%";
    static const char reserved[] = ":/?#[]@!$&'()*+,;=";
    struct str text = buf_view(&r->text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || (c && strchr(unreserved, c));
        must(is_plain || (r->origin.ptr[i] == 't' && c && strchr(reserved, c)));
    }
}

static void
render(const struct template *t, enum template_style style)
{
    AUTO_ARENA struct arena arena;
    AUTO_ERR struct gantry_error *err = NULL;
    AUTO_RENDERING struct rendering r = RENDERING_INIT(REQUEST_URL_MAX);
    struct value *all = NULL;
    struct mapping_variable given[4];
    struct connect_request out = {.notes = NULL};
    struct request_input input = {given, 0, STR_NONE};
    arena_init(&arena, (size_t)256 * 1024 * 1024);
    must(value_parse(&arena, str_of(variables), NULL, &all, NULL) == 0);
    for (size_t i = 0; i < value_count(all); i++)
        given[input.variable_count++] =
            (struct mapping_variable){value_key_at(all, i), value_at(all, i)};
    struct request_builder b = {
        .arena = &arena, .next_note = &out.notes, .err = &err, .spot = {.scope = SCOPE_CONNECTOR}};
    must(request_bind(&b, &input) == 0);
    int rc = template_render(&b, t, style, &r);
    must(rc == 0 || rc == GANTRY_E_INVALID || rc == GANTRY_E_NOMEM);
    must(rc == 0 || err);
    must(rc < 0 || buf_failed(&r.text) || r.origin.len == r.text.len);
    if (style == TEMPLATE_URL && r.origin.len == r.text.len)
        check_url(&r);
    for (const struct request_note *note = out.notes; note; note = note->next)
        must(note->range.start <= note->range.end && note->range.end <= t->text.len);
}

static void
check_pieces(const struct template *t)
{
    size_t at = 0;
    for (const struct template_piece *p = t->pieces; p; p = p->next) {
        must(p->range.start >= at && p->range.end >= p->range.start && p->range.end <= t->text.len);
        must((p->hole != NULL) == (p->text.ptr == NULL));
        at = p->range.end;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ERR struct gantry_error *err = NULL;
    struct template *t = NULL;
    struct mapping_range where = {SIZE_MAX, SIZE_MAX};
    if (size == 0)
        return 0;
    enum mapping_version version = (enum mapping_version)(MAPPING_V2 + data[0] % 3);
    struct str text = {(const char *)data + 1, size - 1};
    int rc = template_parse(text, version, &t, &where, &err);
    if (rc < 0) {
        must(rc == GANTRY_E_INVALID && err && !t && where.start <= where.end &&
             where.end <= text.len);
        return 0;
    }
    check_pieces(t);
    render(t, data[0] & 4 ? TEMPLATE_RAW : TEMPLATE_URL);
    template_free(t);
    return 0;
}
