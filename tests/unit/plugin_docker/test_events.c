/* The engine's events: read from any pieces, told to the host, followed over outages. */
#include "event_stream.h"
#include "fake_engine.h"
#include "times.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- the stream of objects -------------------------------------------------------------------- */

struct seen {
    char text[2000];
    size_t size, count;
};

static int
note(void *context, const struct engine_event *event)
{
    struct seen *seen = context;
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(event->attributes, "name");
    seen->count++;
    seen->size +=
        (size_t)snprintf(seen->text + seen->size, sizeof seen->text - seen->size, "%s %s %lld %s;",
                         event->action, event->container, (long long)event->time_ns,
                         cJSON_IsString(name) ? name->valuestring : "-");
    return 0;
}

/* The code of all of it in two pieces, cut at `at`. */
static int
read_in_two(const char *text, size_t at, struct seen *seen, char *problem, size_t size)
{
    struct event_stream stream;
    *seen = (struct seen){0};
    event_stream_init(&stream, note, seen);
    int code = event_stream_feed(&stream, text, at);
    if (code == 0)
        code = event_stream_feed(&stream, text + at, strlen(text) - at);
    if (code == 0)
        code = event_stream_finish(&stream);
    snprintf(problem, size, "%s", stream.problem);
    event_stream_clear(&stream);
    return code;
}

static void
events_are_read_whatever_the_pieces(void **state)
{
    static const char text[] =
        "{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":\"a1\",\"Attributes\":"
        "{\"name\":\"}{\\\\\\\"[\",\"timeNano\":\"7\"}},\"time\":1,\"timeNano\":"
        "1795265873870408017}\n"
        "\r\n {\"x\":[{},[]],\"timeNano\" : "
        "9007199254740993,\"Action\":\"start\",\"Actor\":{\"ID\":\"b2\"}}"
        "{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{\"ID\":\"n\"}}"
        "{\"Action\":\"oom\",\"v\":\"timeNano\",\"timeNano\":99999999999999999999}\n";
    static const char expected[] =
        "die a1 1795265873870408017 }{\\\"[;start b2 9007199254740993 -;oom  0 -;";
    struct seen seen;
    char problem[400];
    (void)state;
    for (size_t at = 0; at <= strlen(text); at++) {
        assert_int_equal(read_in_two(text, at, &seen, problem, sizeof problem), 0);
        assert_string_equal(seen.text, expected);
    }
    struct event_stream stream;
    seen = (struct seen){0};
    event_stream_init(&stream, note, &seen);
    for (const char *at = text; *at; at++)
        assert_int_equal(event_stream_feed(&stream, at, 1), 0);
    event_stream_clear(&stream);
    assert_string_equal(seen.text, expected);
}

static void
what_is_no_event_ends_the_stream(void **state)
{
    static const struct {
        const char *text, *words;
        size_t before; /* events that are told first */
    } cases[] = {
        {"x", "not JSON", 0},
        {"[]", "not JSON", 0},
        {"null\n", "not JSON", 0},
        {"{\"Action\":\"die\"}}", "not JSON", 1},
        {"{\"Action\":\"die\"},{\"Action\":\"die\"}", "not JSON", 1},
        {"{\"Action\":}", "not JSON", 0},
        {"{\"Action\":\"die\"]", "not JSON", 0},
        {"{\"Action\":\"die\"}{\"Action\":\"st", "middle of an event", 1},
        {"{\"cause\":\"c\",\"message\":\"bad\\nsince\",\"response\":500}",
         "the engine says: bad since", 0},
    };
    struct seen seen;
    char problem[400];
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t at = 0; at <= strlen(cases[i].text); at++) {
            int code = read_in_two(cases[i].text, at, &seen, problem, sizeof problem);
            assert_int_equal(code, GANTRY_E_UNAVAILABLE);
            assert_non_null(strstr(problem, cases[i].words));
            assert_int_equal(seen.count, cases[i].before);
        }
}

/* An event with a label of so many bytes. */
static int
read_large(size_t size, struct seen *seen)
{
    static const char head[] =
        "{\"Action\":\"die\",\"Actor\":{\"ID\":\"a\",\"Attributes\":{\"l\":\"";
    static const char tail[] = "\"}},\"timeNano\":5}";
    struct event_stream stream;
    char *middle = malloc(size);
    assert_non_null(middle);
    memset(middle, '{', size);
    *seen = (struct seen){0};
    event_stream_init(&stream, note, seen);
    int code = event_stream_feed(&stream, head, sizeof head - 1);
    for (size_t at = 0; code == 0 && at < size; at += 1000)
        code = event_stream_feed(&stream, middle + at, size - at < 1000 ? size - at : 1000);
    if (code == 0)
        code = event_stream_feed(&stream, tail, sizeof tail - 1);
    event_stream_clear(&stream);
    free(middle);
    return code;
}

static void
large_event_is_read_and_a_huge_one_is_not(void **state)
{
    struct seen seen;
    (void)state;
    assert_int_equal(read_large(1 << 20, &seen), 0);
    assert_string_equal(seen.text, "die a 5 -;");
    assert_int_equal(read_large(EVENT_SIZE_MAX, &seen), GANTRY_E_UNAVAILABLE);
    assert_int_equal(seen.count, 0);
}

static int
refuse(void *context, const struct engine_event *event)
{
    (void)event;
    ++*(int *)context;
    return GANTRY_E_CANCELLED;
}

static void
receiver_ends_the_stream(void **state)
{
    static const char two[] = "{\"Action\":\"die\"}{\"Action\":\"die\"}";
    struct event_stream stream;
    int count = 0;
    (void)state;
    event_stream_init(&stream, refuse, &count);
    assert_int_equal(event_stream_feed(&stream, two, sizeof two - 1), GANTRY_E_CANCELLED);
    assert_int_equal(count, 1);
    assert_string_equal(stream.problem, "");
    event_stream_clear(&stream);
}

static void
dates_of_http_are_read(void **state)
{
    static const char *const wrong[] = {
        "",
        "Sat",
        "Sat, 21 Nov 2026 12:39:34",
        "Sat, 21 Nov 2026 12:39:34 UTC",
        "Saturday, 21-Nov-26 12:39:34 GMT",
        "Sat, 21 XXX 2026 12:39:34 GMT",
        "Sat, 41 Nov 2026 12:39:34 GMT",
        "Sat, 21 Nov 2026 25:39:34 GMT",
        "Sat, 21 Nov",
    };
    int64_t seconds = -1;
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(time_parse_http(wrong[i], &seconds));
    assert_int_equal(seconds, -1);
    assert_true(time_parse_http("Sat, 21 Nov 2026 12:39:34 GMT", &seconds));
    assert_int_equal(seconds, 1795264774);
    assert_true(time_parse_http("Thu, 01 Jan 1970 00:00:00 GMT", &seconds));
    assert_int_equal(seconds, 0);
}

/* ---- watch() ---------------------------------------------------------------------------------- */

#define NOW     "Sat, 21 Nov 2026 12:39:34 GMT" /* 1795264774 */
#define EARLIER "Sat, 21 Nov 2026 12:29:34 GMT" /* ten minutes */
#define PING(date)                                                                                 \
    {                                                                                              \
        "GET /_ping", 200, "OK", 0, date                                                           \
    }
#define FILTERS                                                                                    \
    "&filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22label%22%3A%5B%22m%3D1%22%5D%7D"
#define UNBOUNDED(since)     "GET /v1.41/events?since=" since FILTERS
#define EVENTS(since, until) "GET /v1.41/events?since=" since "&until=" until FILTERS
/* Streams of tests last a second: every end of one is the planned one. */
#define FIRST EVENTS("1795264774.000000000", "1795264775")
#define EVENT(action, id, time)                                                                    \
    "{\"Type\":\"container\",\"Action\":\"" action "\",\"Actor\":{\"ID\":\"" id                    \
    "\",\"Attributes\":{\"m\":\"1\",\"opencti-connector-id\":\"c" id "\"}},\"timeNano\":" time     \
    "}\n"

static const struct gantry_pair labels[] = {{"m", "1"}};

/* Watch an engine that answers so until the script ends, or an error does.  The kinds that were told, as
 * letters: S, L, and c followed by the handle. */
static int
watch(struct fake_engine *fake, const struct fake_answer *answers, size_t count, char *told,
      size_t size)
{
    static const char letters[] = "?cSL";
    size_t at = 0;
    fake_begin(fake, answers, count);
    atomic_store(&fake->engine.api_minor, 41);
    fake->engine.watch_span_s = 1;
    fake->cancel_at_end = true;
    int code = engine_end(&fake->task, engine_op_watch(&fake->task, labels, 1, sizeof labels[0]));
    told[0] = '\0';
    for (size_t i = 0; i < fake->event_count; i++)
        at += (size_t)snprintf(told + at, size - at, "%c%s", letters[fake->events[i].kind],
                               fake->events[i].handle);
    return code;
}

static void
streams_follow_one_another_without_a_gap(void **state)
{
    static const struct fake_answer answers[] = {
        PING(NOW),
        {FIRST, 200,
         EVENT("create", "a", "1795264774000000001") EVENT("start", "b", "1795264774900000009")},
        PING(
            "Sat, 21 Nov 2026 12:39:35 GMT"), /* goes on behind the last event, to the nanosecond */
        {EVENTS("1795264774.900000010", "1795264776"), 200, ""},
        PING("Sat, 21 Nov 2026 12:39:37 GMT"), /* nothing came: from a second before its end */
        {EVENTS("1795264775.000000000", "1795264778"), 200,
         EVENT("die", "a", "1795264776000000000")},
    };
    struct fake_engine fake;
    char told[200];
    (void)state;
    assert_int_equal(watch(&fake, answers, COUNT(answers), told, sizeof told), GANTRY_E_CANCELLED);
    assert_string_equal(told, "ScacbSSca");
    assert_string_equal(fake.events[1].id, "ca");
    fake_end(&fake);
}

static void
what_changes_nothing_is_not_told(void **state)
{
    static const char *const silent[] = {"kill",
                                         "exec_create: true",
                                         "exec_start: true",
                                         "exec_die",
                                         "attach",
                                         "top",
                                         "resize",
                                         "copy",
                                         "commit",
                                         "diehard",
                                         "export",
                                         "prune"};
    static const char *const told_ones[] = {
        "create",       "start", "restart", "die",    "died",   "stop",   "pause",
        "unpause",      "oom",   "destroy", "remove", "rename", "update", "health_status: healthy",
        "health_status"};
    struct fake_engine fake;
    char body[300], told[200];
    (void)state;
    for (size_t i = 0; i < COUNT(silent) + COUNT(told_ones); i++) {
        bool expected = i >= COUNT(silent);
        const char *action = expected ? told_ones[i - COUNT(silent)] : silent[i];
        snprintf(body, sizeof body,
                 "{\"Action\":\"%s\",\"Actor\":{\"ID\":\"x\",\"Attributes\":{\"m\":\"1\"}}}",
                 action);
        const struct fake_answer answers[] = {PING(NOW), {FIRST, 200, body}};
        watch(&fake, answers, COUNT(answers), told, sizeof told);
        assert_string_equal(told, expected ? "Scx" : "S");
        fake_end(&fake);
    }
}

static void
event_without_our_labels_is_not_told(void **state)
{
    static const char *const attributes[] = {"{}", "{\"m\":\"2\"}", "{\"M\":\"1\"}", "{\"m\":1}",
                                             "null"};
    struct fake_engine fake;
    char body[300], told[200];
    (void)state;
    for (size_t i = 0; i < COUNT(attributes); i++) {
        snprintf(body, sizeof body,
                 "{\"Action\":\"die\",\"Actor\":{\"ID\":\"x\",\"Attributes\":%s}}", attributes[i]);
        const struct fake_answer answers[] = {PING(NOW), {FIRST, 200, body}};
        watch(&fake, answers, COUNT(answers), told, sizeof told);
        assert_string_equal(told, "S");
        fake_end(&fake);
    }
}

static void
outage_is_told_once_and_then_what_was_missed(void **state)
{
    static const struct fake_answer answers[] = {
        PING(NOW),
        {FIRST, 200, EVENT("die", "a", "1795264774500000000")},
        {"GET /_ping", 0, NULL, GANTRY_E_UNAVAILABLE},
        {"GET /_ping", 500, "{\"message\":\"starting\"}", 0},
        PING(NOW),
        {"GET /version", 200, "{\"ApiVersion\":\"1.41\"}", 0},
        {EVENTS("1795264774.500000001", "1795264775"), 503, "", 0},
        PING(NOW),
        {EVENTS("1795264774.500000001", "1795264775"), 200,
         EVENT("start", "a", "1795264774600000000")},
    };
    struct fake_engine fake;
    char told[200];
    (void)state;
    assert_int_equal(watch(&fake, answers, COUNT(answers), told, sizeof told), GANTRY_E_CANCELLED);
    assert_string_equal(told, "ScaLSca");
    fake_end(&fake);
}

/* An engine that goes, or a proxy whose clock is another: from then on we end the streams. */
static void
stream_that_ends_too_early_is_an_outage(void **state)
{
    static const struct fake_answer answers[] = {
        PING(NOW),
        {EVENTS("1795264774.000000000", "1795265074"), 200, ""},
        PING(NOW),
        {UNBOUNDED("1795264774.000000000"), 200, EVENT("die", "a", "1795264774500000000")},
    };
    static const uint32_t kinds[] = {GANTRY_EVENT_SYNCED, GANTRY_EVENT_LOST, GANTRY_EVENT_SYNCED,
                                     GANTRY_EVENT_CHANGED, GANTRY_EVENT_LOST};
    struct fake_engine fake;
    (void)state;
    fake_begin(&fake, answers, COUNT(answers));
    atomic_store(&fake.engine.api_minor, 41);
    fake.engine.watch_span_s = 300;
    fake.cancel_at_end = true;
    assert_int_equal(engine_op_watch(&fake.task, labels, 1, sizeof labels[0]), GANTRY_E_CANCELLED);
    assert_int_equal(fake.event_count, COUNT(kinds));
    for (size_t i = 0; i < COUNT(kinds); i++)
        assert_int_equal(fake.events[i].kind, kinds[i]);
    fake_end(&fake);
}

/* It would come again out of the engine's memory, and again. */
static void
broken_event_is_not_asked_for_again(void **state)
{
    static const struct fake_answer answers[] = {
        PING(NOW),
        {FIRST, 200, EVENT("die", "a", "1795264774500000000") "{\"Action\":oops}"},
        PING("Sat, 21 Nov 2026 12:39:35 GMT"),
        {"GET /version", 200, "{\"ApiVersion\":\"1.41\"}",
         0}, /* the answer was none, so ask anew */
        {EVENTS("1795264775.000000000", "1795264776"), 200, ""},
    };
    struct fake_engine fake;
    char told[200];
    (void)state;
    assert_int_equal(watch(&fake, answers, COUNT(answers), told, sizeof told), GANTRY_E_CANCELLED);
    assert_string_equal(told, "ScaLS");
    fake_end(&fake);
}

static void
clock_that_was_set_back_does_no_harm(void **state)
{
    static const struct fake_answer answers[] = {
        PING(NOW),
        {FIRST, 200, EVENT("die", "a", "1795264774500000000")},
        PING(EARLIER), /* since must not be behind until: that would be refused */
        {EVENTS("1795264174.000000000", "1795264175"), 200,
         EVENT("start", "a", "1795264174500000000")},
    };
    struct fake_engine fake;
    char told[200];
    (void)state;
    watch(&fake, answers, COUNT(answers), told, sizeof told);
    assert_string_equal(told, "ScaSca");
    fake_end(&fake);
}

static void
refusal_that_does_not_heal_is_returned(void **state)
{
    static const struct fake_answer forbidden[] = {PING(NOW),
                                                   {FIRST, 403, "{\"message\":\"not you\"}", 0}};
    static const struct fake_answer unknown[] = {PING(NOW),
                                                 {FIRST, 501, "{\"message\":\"no\"}", 0}};
    struct fake_engine fake;
    char told[200];
    (void)state;
    assert_int_equal(watch(&fake, forbidden, 2, told, sizeof told), GANTRY_E_DENIED);
    assert_non_null(
        strstr(fake.said, "follow the events of 'unix:///fake': the engine says: not you"));
    assert_string_equal(told, "");
    assert_int_equal(watch(&fake, unknown, 2, told, sizeof told), GANTRY_E_UNSUPPORTED);
}

static void
host_that_wants_no_more_ends_it(void **state)
{
    static const struct fake_answer answers[] = {PING(NOW), {FIRST, 200, ""}};
    struct fake_engine fake;
    (void)state;
    fake_begin(&fake, answers, 2);
    atomic_store(&fake.engine.api_minor, 41);
    fake.engine.watch_span_s = 1;
    fake.emit_code = GANTRY_E_NOMEM;
    assert_int_equal(engine_op_watch(&fake.task, labels, 1, sizeof labels[0]), GANTRY_E_NOMEM);
    assert_int_equal(fake.event_count, 1);
    fake_end(&fake);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_read_whatever_the_pieces),
        cmocka_unit_test(what_is_no_event_ends_the_stream),
        cmocka_unit_test(large_event_is_read_and_a_huge_one_is_not),
        cmocka_unit_test(receiver_ends_the_stream),
        cmocka_unit_test(dates_of_http_are_read),
        cmocka_unit_test(streams_follow_one_another_without_a_gap),
        cmocka_unit_test(what_changes_nothing_is_not_told),
        cmocka_unit_test(event_without_our_labels_is_not_told),
        cmocka_unit_test(outage_is_told_once_and_then_what_was_missed),
        cmocka_unit_test(stream_that_ends_too_early_is_an_outage),
        cmocka_unit_test(broken_event_is_not_asked_for_again),
        cmocka_unit_test(clock_that_was_set_back_does_no_harm),
        cmocka_unit_test(refusal_that_does_not_heal_is_returned),
        cmocka_unit_test(host_that_wants_no_more_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
