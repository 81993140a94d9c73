/* promise_logs_limits.c - logs(): what is emitted when there is more than fits. */
#include "logs.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define CUT        " [cut]"
#define CUT_LENGTH (sizeof CUT - 1)
#define CHARACTER  3 /* bytes that may go with one that would be cut in two */

static int
ask(struct kit *kit, const struct kit_talk *talk, const char *cursor,
    struct gantry_log_limits limits, struct kit_answer *out)
{
    limits.size = sizeof limits;
    *out = kit_logs(kit, talk->handle, cursor, &limits, NULL);
    return kit_expect_ok(kit, "logs() with limits", out);
}

/* The last n lines. */
static int
expect_last(struct kit *kit, const struct kit_talk *talk, const char *when,
            const struct kit_answer *got, size_t n)
{
    return kit_same_lines(kit, when, got, talk->all.lines + talk->all.line_count - n, n);
}

int
kit_try_logs_leave_out_the_oldest_lines(struct kit *kit)
{
    struct kit_talk talk = {0};
    struct kit_answer got;
    char when[80];
    KIT_CHECK(kit_talk(kit, &talk));
    struct gantry_log_limits limits = kit_all_lines;
    for (limits.max_lines = 1; limits.max_lines < 4; limits.max_lines++) {
        snprintf(when, sizeof when, "with max_lines %u", limits.max_lines);
        KIT_CHECK(ask(kit, &talk, NULL, limits, &got));
        KIT_CHECK(expect_last(kit, &talk, when, &got, limits.max_lines));
        snprintf(when, sizeof when, "with max_lines %u and the first line's cursor",
                 limits.max_lines);
        KIT_CHECK(ask(kit, &talk, talk.all.lines[0].cursor, limits, &got));
        KIT_CHECK(expect_last(kit, &talk, when, &got, limits.max_lines));
    }
    return KIT_OK;
}

int
kit_try_logs_leave_out_the_oldest_bytes(struct kit *kit)
{
    struct kit_talk talk = {0};
    struct kit_answer got;
    KIT_CHECK(kit_talk(kit, &talk));
    size_t n = talk.all.line_count;
    struct gantry_log_limits limits = kit_all_lines;
    for (size_t fit = 1; fit <= 3; fit++) {
        uint64_t bytes = 0;
        limits.max_bytes = 0;
        for (size_t i = n - fit; i < n; i++)
            limits.max_bytes += talk.all.lines[i].text_size;
        KIT_CHECK(ask(kit, &talk, NULL, limits, &got));
        for (size_t i = 0; i < got.line_count; i++)
            bytes += got.lines[i].text_size;
        if (bytes > limits.max_bytes)
            return kit_broken(kit, "with max_bytes %llu it emits %llu bytes",
                              (unsigned long long)limits.max_bytes, (unsigned long long)bytes);
        if (got.line_count < fit)
            return kit_broken(kit, "with max_bytes %llu it emits %zu lines, and %zu fit",
                              (unsigned long long)limits.max_bytes, got.line_count, fit);
        KIT_CHECK(expect_last(kit, &talk, "with max_bytes", &got, got.line_count));
    }
    return KIT_OK;
}

/* It begins as the whole line does, and ends in CUT. */
static int
expect_cut(struct kit *kit, const struct gantry_line *cut, const struct gantry_line *whole,
           uint32_t max)
{
    if (whole->text_size <= max)
        return kit_same_line(cut, whole) ? KIT_OK
                                         : kit_broken(kit, "a line that fits is not emitted whole");
    if (cut->text_size < CUT_LENGTH ||
        memcmp(cut->text + cut->text_size - CUT_LENGTH, CUT, CUT_LENGTH) != 0)
        return kit_broken(kit, "with max_line_bytes %u a longer line does not end in '" CUT "'",
                          max);
    size_t kept = (size_t)cut->text_size - CUT_LENGTH;
    if (kept > max || kept + CUT_LENGTH + CHARACTER < max)
        return kit_broken(kit, "with max_line_bytes %u a line has %zu bytes before '" CUT "'", max,
                          kept);
    return memcmp(cut->text, whole->text, kept) == 0
               ? KIT_OK
               : kit_broken(kit, "a line that was cut does not begin as the whole one does");
}

int
kit_try_logs_cut_long_lines(struct kit *kit)
{
    struct kit_talk talk = {.program = "lines 5; long 400; wait"};
    struct kit_answer got;
    KIT_CHECK(kit_talk(kit, &talk));
    size_t n = talk.all.line_count;
    struct gantry_log_limits limits = kit_all_lines;
    limits.max_line_bytes = (uint32_t)MAX(talk.all.lines[n - 1].text_size / 2, CUT_LENGTH + 2);
    if (talk.all.lines[n - 1].text_size <= limits.max_line_bytes)
        return kit_not_offered(kit, "its workloads write lines that are too short to be cut");
    KIT_CHECK(ask(kit, &talk, NULL, limits, &got));
    if (got.line_count != n)
        return kit_broken(kit, "with max_line_bytes %u there are %zu lines instead of %zu",
                          limits.max_line_bytes, got.line_count, n);
    for (size_t i = 0; i < n; i++)
        KIT_CHECK(expect_cut(kit, &got.lines[i], &talk.all.lines[i], limits.max_line_bytes));
    /* A line that was cut is over: its cursor leads behind the whole of it. */
    KIT_CHECK(ask(kit, &talk, got.lines[n - 2].cursor, kit_all_lines, &got));
    KIT_CHECK(expect_last(kit, &talk, "after the cursor of the line before last", &got, 1));
    KIT_CHECK(ask(kit, &talk, NULL, limits, &got));
    KIT_CHECK(ask(kit, &talk, got.lines[n - 1].cursor, kit_all_lines, &got));
    return expect_last(kit, &talk, "after the cursor of a line that was cut", &got, 0);
}

int
kit_try_logs_without_limits(struct kit *kit)
{
    static const struct gantry_log_limits none;
    struct kit_talk talk = {0};
    struct kit_answer got;
    KIT_CHECK(kit_talk(kit, &talk));
    KIT_CHECK(ask(kit, &talk, NULL, none, &got));
    return expect_last(kit, &talk, "without limits", &got, talk.all.line_count);
}

/* ---- told to stop --------------------------------------------------------------------------------- */

#define STOP_CODE GANTRY_E_CONFLICT /* one that logs() has no reason to return by itself */

struct stopping {
    struct kit_tap tap;
    atomic_uint lines;
};

static int
stop_at_second(struct kit_tap *tap, uint32_t kind, const void *item)
{
    struct stopping *stopping = tap->context;
    (void)kind, (void)item;
    return atomic_fetch_add(&stopping->lines, 1) >= 1 ? STOP_CODE : 0;
}

int
kit_try_logs_end_when_emit_says_so(struct kit *kit)
{
    struct kit_talk talk = {0};
    struct stopping *stopping = arena_alloc(&kit->arena, sizeof *stopping);
    KIT_CHECK(kit_talk(kit, &talk));
    if (!stopping)
        return kit_broken(kit, "the kit ran out of memory");
    stopping->tap = (struct kit_tap){.emit = stop_at_second, .context = stopping};
    struct kit_answer a = kit_logs(kit, talk.handle, NULL, &kit_all_lines,
                                   &(struct kit_manner){.tap = &stopping->tap});
    if (a.code != STOP_CODE)
        return kit_broken(kit, "emit returned '%s', and logs() '%s'", gantry_code_name(STOP_CODE),
                          gantry_code_name(a.code));
    unsigned emitted = atomic_load(&stopping->lines);
    return emitted == 2 ? KIT_OK
                        : kit_broken(kit, "it emitted %u lines more after emit had told it to end",
                                     emitted - 2);
}
