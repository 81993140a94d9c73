/* values.c - the values of the mutations' variables, as JSON. */
#include "clock.h"
#include "platform_internal.h"

#define VALUE_MAX_BYTES ((size_t)1024 * 1024)

static void
add_member(struct buf *b, const char *name, const char *text)
{
    buf_add_char(b, b->len > 1 ? ',' : '{');
    buf_add_json(b, str_of(name));
    buf_add_char(b, ':');
    buf_add_json(b, str_of(text));
}

char *
values_text(const char *text)
{
    AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX_BYTES);
    buf_add_json(&b, str_of(text));
    return buf_take(&b);
}

char *
value_id(const char *id)
{
    AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX_BYTES);
    add_member(&b, "id", id);
    buf_add_char(&b, '}');
    return buf_take(&b);
}

char *
value_manager(const char *id, const char *name, const char *public_key)
{
    AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX_BYTES);
    add_member(&b, "id", id);
    add_member(&b, "name", name);
    add_member(&b, "public_key", public_key);
    buf_add_char(&b, '}');
    return buf_take(&b);
}

char *
value_status(const char *id, const char *status)
{
    AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX_BYTES);
    add_member(&b, "id", id);
    add_member(&b, "status", status);
    buf_add_char(&b, '}');
    return buf_take(&b);
}

char *
value_health(const char *id, const struct platform_health *health, int64_t now_ms)
{
    AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX_BYTES);
    char started[CLOCK_RFC3339_SIZE];
    /* An engine's zero time is of the year 1, and would be shown as an uptime of 2000 years. */
    int64_t started_ms = health->started_ms > 0 ? health->started_ms : now_ms;
    add_member(&b, "id", id);
    buf_add_fmt(&b, ",\"restart_count\":%d", MAX(health->restart_count, 0));
    add_member(&b, "started_at", clock_rfc3339(started_ms, started));
    buf_add_fmt(&b, ",\"is_in_reboot_loop\":%s}", health->in_reboot_loop ? "true" : "false");
    return buf_take(&b);
}

char *
value_logs(const char *id, const char *const *lines, size_t count)
{
    AUTO_BUF struct buf b = BUF_INIT(VALUE_MAX_BYTES);
    add_member(&b, "id", id);
    buf_add_text(&b, ",\"logs\":");
    log_lines_add_json(&b, lines, count);
    buf_add_char(&b, '}');
    return buf_take(&b);
}
