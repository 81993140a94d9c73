/* check_urls.c - baseURL and the URLs of connectors: schemes, hosts, and where holes may stand. */
#include "check_parts.h"
#include "mapping_tree.h"

/* Stands for a hole in a text; no character has this byte. */
#define HOLE '\xff'

/* A template laid out: literals, and a byte for each hole. */
static struct str
lay_out(const struct check_part *c, const struct template *t)
{
    size_t len = 0, at = 0;
    for (const struct template_piece *it = t->pieces; it; it = it->next)
        len += it->hole ? 1 : it->text.len;
    char *text = arena_alloc(c->problems->arena, len + 1);
    if (!text) {
        c->problems->nomem = true;
        return STR_NONE;
    }
    for (const struct template_piece *it = t->pieces; it; it = it->next) {
        if (it->hole)
            text[at++] = HOLE;
        for (size_t i = 0; !it->hole && i < it->text.len; i++)
            text[at++] = it->text.ptr[i];
    }
    return (struct str){text, len};
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t
count_holes(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == HOLE;
    return count;
}

static bool
is_in(const char *set, char c)
{
    return c && strchr(set, c);
}

/* How much stands in front of the first '/', '?' or '#'. */
static size_t
head_length(struct str text)
{
    size_t n = 0;
    while (n < text.len && !is_in("/?#", text.ptr[n]))
        n++;
    return n;
}

/* The length of the scheme that an URL begins with; 0: with none, or with a hole in it. */
static size_t
scheme_length(struct str url)
{
    size_t n = 0;
    while (n < url.len &&
           (is_letter(url.ptr[n]) || (n > 0 && (is_digit(url.ptr[n]) || is_in("+-.", url.ptr[n])))))
        n++;
    return str_starts_with((struct str){url.ptr + n, url.len - n}, STR("://")) ? n : 0;
}

static bool
is_http(struct str scheme)
{
    return str_eq_nocase(scheme, STR("http")) || str_eq_nocase(scheme, STR("https"));
}

/* From behind "://" up to the path, the query or the fragment. */
static struct str
authority_of(struct str url, size_t scheme)
{
    struct str rest = {url.ptr + scheme + 3, url.len - scheme - 3};
    return (struct str){rest.ptr, head_length(rest)};
}

static bool
is_port(struct str port)
{
    uint32_t number = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (port.ptr[i] == HOLE)
            return true;
        if (!is_digit(port.ptr[i]))
            return false;
        number = MIN(number * 10 + (uint32_t)(port.ptr[i] - '0'), UINT32_C(100000));
    }
    return number <= 65535;
}

static bool
is_of_host(char c, const char *signs)
{
    return is_letter(c) || is_digit(c) || c == HOLE || is_in(signs, c);
}

/* What is wrong with host and port, or NULL.  A hole may be anything.  What passes here, cut_origin() of url.c takes
 * too. */
static const char *
fault_of_authority(struct str authority)
{
    static const char bad[] = "has a character in its host that cannot stand there";
    const char *at = authority.len ? memchr(authority.ptr, '@', authority.len) : NULL;
    size_t start = at ? (size_t)(at - authority.ptr) + 1 : 0, end = start;
    if (start == authority.len)
        return "has no host";
    bool is_address = authority.ptr[start] == '[';
    end += is_address;
    while (end < authority.len &&
           is_of_host(authority.ptr[end], is_address ? ":." : "-._~!$&'()*+,;="))
        end++;
    if (is_address && !memchr(authority.ptr + start, ']', authority.len - start))
        return "has an address with '[' and without ']'";
    if (is_address && (end == authority.len || authority.ptr[end++] != ']'))
        return bad;
    if (end < authority.len && authority.ptr[end] != ':')
        return bad;
    if (end == start + (is_address ? 2 : 0))
        return "has no host";
    if (end < authority.len &&
        !is_port((struct str){authority.ptr + end + 1, authority.len - end - 1}))
        return "has a port that is no number up to 65535";
    return NULL;
}

static void
tell(const struct check_part *c, const struct template_slot *url, enum connect_code code,
     const char *fault)
{
    connect_problem_add(c->problems, code, connect_place_of(c->schema, url->written),
                        "%.*s: the URL %s", STR_ARG(c->who), fault);
}

static struct mapping_range
with_braces(const struct template_piece *hole)
{
    return (struct mapping_range){hole->range.start - 1, hole->range.end + 1};
}

void
check_holes(const struct check_part *c, const struct template_slot *slot, enum connect_code code,
            const char *what)
{
    const struct template_piece *it = slot->template ? slot->template->pieces : NULL;
    for (; it; it = it->next)
        if (it->hole && !it->hole->value && it->hole->list->count == 0)
            connect_problem_add(
                c->problems, code,
                connect_problem_place(c->problems, c->schema, slot->written, with_braces(it)),
                "%.*s: %s has an empty hole; write a mapping between its braces, such as "
                "{$args.id}",
                STR_ARG(c->who), what);
}

void
check_base_url(const struct check_part *c, const struct template_slot *url)
{
    struct str text = url->template ? lay_out(c, url->template) : STR_NONE;
    if (!text.ptr)
        return;
    check_holes(c, url, CONNECT_INVALID_URL, "the URL");
    size_t scheme = scheme_length(text);
    if (scheme == 0 && count_holes((struct str){text.ptr, head_length(text)}))
        return; /* its scheme comes from a hole */
    if (scheme == 0) {
        tell(c, url, CONNECT_INVALID_URL_SCHEME,
             "has no scheme; begin it with https:// or http://");
        return;
    }
    if (!is_http((struct str){text.ptr, scheme})) {
        tell(c, url, CONNECT_INVALID_URL_SCHEME,
             "has another scheme than http and https; begin it with https://");
        return;
    }
    const char *fault = fault_of_authority(authority_of(text, scheme));
    if (fault)
        tell(c, url, CONNECT_INVALID_URL, fault);
}

/* Holes in front of the path: which host is asked must be known. */
static bool
tell_early_holes(const struct check_part *c, const struct template_slot *url, size_t count)
{
    const struct template_piece *it = url->template->pieces;
    bool any = false;
    for (; it && count; it = it->next) {
        if (!it->hole)
            continue;
        connect_problem_add(
            c->problems, CONNECT_INVALID_URL,
            connect_problem_place(c->problems, c->schema, url->written, with_braces(it)),
            "%.*s: the URL has an expression in front of its path; a host that varies "
            "stands in the baseURL of a @source",
            STR_ARG(c->who));
        any = true;
        count--;
    }
    return any;
}

/* Of an URL that must be absolute: how many holes stand in front of its path; "http{...}://" counts too. */
static size_t
early_holes(struct str text)
{
    size_t path = head_length(text);
    struct str head = {text.ptr, path}, rest = {text.ptr + path, text.len - path};
    if (!str_starts_with(rest, STR("//")) || !str_ends_with(head, STR(":")))
        return 0;
    return count_holes(head) + count_holes(authority_of(text, path - 1));
}

void
check_connect_url(const struct check_part *c, const struct template_slot *url, bool has_source)
{
    struct str text = url->template ? lay_out(c, url->template) : STR_NONE;
    if (!text.ptr)
        return;
    check_holes(c, url, CONNECT_INVALID_URL, "the URL");
    size_t scheme = scheme_length(text);
    bool http = is_http((struct str){text.ptr, scheme});
    if (has_source && http) {
        tell(c, url, CONNECT_ABSOLUTE_CONNECT_URL_WITH_SOURCE,
             "is absolute, and the connector has a source; leave out scheme and host");
        return;
    }
    if (!has_source && tell_early_holes(c, url, early_holes(text)))
        return;
    if (scheme == 0 && !has_source)
        tell(c, url, CONNECT_RELATIVE_CONNECT_URL_WITHOUT_SOURCE,
             "is relative, and the connector has no source; name one, or begin the URL with "
             "https://");
    if (scheme && !http)
        tell(c, url, CONNECT_INVALID_URL_SCHEME,
             "has another scheme than http and https; begin it with https://");
    const char *fault = http ? fault_of_authority(authority_of(text, scheme)) : NULL;
    if (fault)
        tell(c, url, CONNECT_INVALID_URL, fault);
}
