/* http_head.c - status and header fields of an answer, line by line as curl hands them out.
 *
 * There may be several heads before the one that counts: 100 Continue, 103 Early Hints.  Only the
 * final one is kept.  What comes after the body (trailers) is left out. */
#include "http_internal.h"

#define HEAD_MAX_BYTES ((size_t)256 * 1024)

void
http_head_init(struct http_head *head)
{
    *head = (struct http_head){.text = BUF_INIT(HEAD_MAX_BYTES)};
}

void
http_head_reset(struct http_head *head)
{
    head->status = 0;
    head->complete = false;
    buf_reset(&head->text);
    head->fields.len = 0;
    head->headers.len = 0;
}

void
http_head_clear(struct http_head *head)
{
    buf_clear(&head->text);
    vec_clear(&head->fields);
    vec_clear(&head->headers);
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": the status, or 0. */
static uint32_t
parse_status(struct str line)
{
    struct str rest;
    (void)str_cut(line, ' ', &rest);
    struct str digits = str_cut(str_trim(rest), ' ', &rest);
    uint64_t status = 0;

    if (digits.len != 3 || !str_to_uint64(digits, &status))
        return 0;
    return (uint32_t)status;
}

static void
add_terminated(struct buf *text, struct str s)
{
    buf_add(text, s);
    buf_add_char(text, '\0');
}

static int
add_field(struct http_head *head, struct str line)
{
    struct str value;
    struct str name = str_cut(line, ':', &value);

    if (!value.ptr)
        return 0; /* no colon: not a field; curl lets such lines through */
    struct http_field *field = vec_push(&head->fields);
    if (!field)
        return GANTRY_E_NOMEM;
    field->name = head->text.len;
    add_terminated(&head->text, str_trim(name));
    field->value = head->text.len;
    add_terminated(&head->text, str_trim(value));
    return buf_failed(&head->text);
}

/* A line that begins with a blank continues the value before it (RFC 9112, 5.2). */
static int
continue_field(struct http_head *head, struct str line)
{
    if (head->fields.len == 0)
        return 0;
    buf_truncate(&head->text, head->text.len - 1);
    buf_add_char(&head->text, ' ');
    add_terminated(&head->text, str_trim(line));
    return buf_failed(&head->text);
}

static int
finish(struct http_head *head)
{
    vec_each (&head->fields, field) {
        struct gantry_http_header *header = vec_push(&head->headers);
        if (!header)
            return GANTRY_E_NOMEM;
        header->name = head->text.ptr + field->name;
        header->value = head->text.ptr + field->value;
    }
    head->complete = true;
    return 0;
}

int
http_head_line(struct http_head *head, struct str line, bool *complete)
{
    *complete = false;
    if (head->complete)
        return 0;
    if (str_starts_with(line, STR("HTTP/"))) {
        http_head_reset(head);
        head->status = parse_status(line);
        return 0;
    }
    if (str_trim(line).len > 0) {
        bool continued = line.ptr[0] == ' ' || line.ptr[0] == '\t';
        return continued ? continue_field(head, line) : add_field(head, line);
    }
    if (head->status < 200)
        return 0;
    int rc = finish(head);
    *complete = rc == 0;
    return rc;
}
