/* response_decode.c - the bytes of a response become a value, by what its headers say. */
#include "err.h"
#include "response.h"

#include <errno.h>
#include <iconv.h>

/* The first line of a header; ptr NULL: none. */
static struct str
find_header(const struct response *response, const char *name)
{
    const struct value *all =
        value_find(value_find(response->headers, STR("headers")), str_of(name));
    const struct value *first = value_at(all, 0);
    return first && value_kind(first) == VALUE_STRING ? value_text(first) : STR_NONE;
}

static bool
is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("!#$%&'*+-.^_`|~", c))))
            return false;
    }
    return s.len > 0;
}

struct media {
    struct str type, subtype, charset;
};

/* False when it is none. */
static bool
read_media(struct str text, struct media *out)
{
    struct str parameters;
    struct str name = str_trim(str_cut(text, ';', &parameters));
    *out = (struct media){.charset = STR_NONE};
    out->type = str_cut(name, '/', &out->subtype);
    while (parameters.ptr) {
        struct str value, one = str_cut(parameters, ';', &parameters);
        struct str key = str_trim(str_cut(one, '=', &value));
        value = str_trim(value);
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
            value = (struct str){value.ptr + 1, value.len - 2};
        if (str_eq_nocase(key, STR("charset")) && !out->charset.ptr)
            out->charset = value;
    }
    return is_token(out->type) && is_token(out->subtype);
}

static bool
is_json(const struct media *media)
{
    struct str end = STR("+json"), sub = media->subtype;
    if (str_eq_nocase(sub, STR("json")))
        return true;
    return sub.len > end.len &&
           str_eq_nocase((struct str){sub.ptr + sub.len - end.len, end.len}, end);
}

/* The C library's name of a charset.  What the web calls Latin-1 or ASCII is windows-1252. */
static bool
charset_name(struct str label, char *name, size_t size)
{
    static const char *const western[] = {"iso-8859-1", "iso8859-1", "latin1", "l1",
                                          "us-ascii",   "ascii",     "cp1252", "x-cp1252"};
    if (label.len == 0 || label.len >= size || !is_token(label))
        return false;
    memcpy(name, label.ptr, label.len);
    name[label.len] = '\0';
    for (size_t i = 0; i < ARRAY_LENGTH(western); i++)
        if (str_eq_nocase(label, str_of(western[i])))
            memcpy(name, "WINDOWS-1252", sizeof "WINDOWS-1252");
    return strchr(name, '/') == NULL;
}

static int
no_text(struct gantry_error **err)
{
    return err_set(err, GANTRY_E_INVALID,
                   "the response is text that is not in the charset that its header names");
}

static int
convert(iconv_t converter, struct str bytes, struct arena *a, struct str *out,
        struct gantry_error **err)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)4 * RESPONSE_BODY_MAX);
    char piece[4096], *from = (char *)(uintptr_t)bytes.ptr;
    size_t left = bytes.len;
    while (left > 0) {
        char *to = piece;
        size_t room = sizeof piece;
        size_t n = iconv(converter, &from, &left, &to, &room);
        buf_add_bytes(&text, piece, sizeof piece - room);
        if (n == (size_t)-1 && errno != E2BIG)
            return no_text(err);
    }
    char *copy = arena_dup(a, buf_view(&text));
    if (!copy || buf_failed(&text))
        return err_nomem(err);
    *out = (struct str){copy, text.len};
    return 0;
}

/* An unknown charset is read as UTF-8. */
static int
decode_text(const struct response *response, struct str charset, struct arena *a,
            struct value **out, struct gantry_error **err)
{
    struct str text = response->body;
    char name[64] = "";
    bool is_utf8 =
        str_eq_nocase(charset, STR("utf-8")) || !charset_name(charset, name, sizeof name);
    iconv_t converter = is_utf8 ? (iconv_t)-1 : iconv_open("UTF-8", name);
    if (!is_utf8 && converter == (iconv_t)-1 && errno == ENOMEM)
        return err_nomem(err);
    if (converter != (iconv_t)-1) {
        int rc = convert(converter, response->body, a, &text, err);
        iconv_close(converter);
        if (rc < 0)
            return rc;
    } else if (str_utf8_valid_length(text) < text.len) {
        return no_text(err);
    }
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = (struct str){text.ptr + 3, text.len - 3};
    *out = value_new_string(a, text);
    return *out ? 0 : err_nomem(err);
}

int
response_decode(const struct response *response, struct arena *a, struct value **out,
                struct gantry_error **err)
{
    const struct value_limits limits = {.max_bytes = RESPONSE_BODY_MAX};
    struct str type = find_header(response, "content-type");
    struct media media;
    bool is_media = type.ptr && read_media(type, &media);
    bool is_empty = response->body.len == 0 ||
                    str_eq(str_trim(find_header(response, "content-length")), STR("0"));
    if (!is_empty && (!is_media || is_json(&media)))
        return value_parse(a, response->body, &limits, out, err);
    if (!is_empty && str_eq_nocase(media.type, STR("text")) &&
        str_eq_nocase(media.subtype, STR("plain")))
        return decode_text(response, media.charset, a, out, err);
    *out = value_new_null(a);
    return *out ? 0 : err_nomem(err);
}
