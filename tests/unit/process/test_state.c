/* Records, the state file, and which process is meant. */
#include "folder.h"
#include "state.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void
record_keeps_every_byte_and_order(void **state)
{
    const struct folder *folder = *state;
    AUTO_TEXT text = TEXT(1000);
    AUTO_RECORD record = {0};
    struct stat about;
    record_add(&text, "env", "A=a=b\nc\xff");
    record_add(&text, "environment", "no");
    record_add(&text, "env", "");
    record_add_number(&text, "number", INT64_MIN);
    record_add(&text, "word", "12x");
    assert_int_equal(record_write(folder->fd, "r", &text), 0);
    assert_int_equal(record_read(folder->fd, "r", &record), 0);
    const char *first = record_find(&record, "env");
    assert_string_equal(first, "A=a=b\nc\xff");
    const char *second = record_next(&record, "env", first);
    assert_string_equal(second, "");
    assert_null(record_next(&record, "env", second));
    assert_null(record_find(&record, "en"));
    assert_int_equal(record_number(&record, "number", 0), INT64_MIN);
    assert_int_equal(record_number(&record, "word", 7), 7);
    assert_int_equal(record_number(&record, "none", 8), 8);
    assert_int_equal(fstatat(folder->fd, "r", &about, 0), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(faccessat(folder->fd, ".r.new", F_OK, 0), -1);
}

static void
record_that_is_cut_or_not_there_is_an_error(void **state)
{
    const struct folder *folder = *state;
    AUTO_RECORD record = {0};
    assert_int_equal(record_read(folder->fd, "r", &record), -ENOENT);
    folder_put(folder, "r", "a=b\0c=", 6);
    assert_int_equal(record_read(folder->fd, "r", &record), -EBADMSG);
    assert_null(record.data);
    folder_put(folder, "r", "", 0);
    assert_int_equal(record_read(folder->fd, "r", &record), 0);
    assert_null(record_find(&record, "a"));
    assert_int_equal(symlinkat("r", folder->fd, "link"), 0);
    record_clear(&record);
    assert_int_equal(record_read(folder->fd, "link", &record), -ELOOP);
}

static void
record_that_is_too_large_is_not_written(void **state)
{
    const struct folder *folder = *state;
    AUTO_TEXT text = TEXT(4);
    record_add(&text, "key", "value");
    assert_int_equal(record_write(folder->fd, "r", &text), -ENOMEM);
    assert_int_equal(faccessat(folder->fd, "r", F_OK, 0), -1);
}

static void
state_comes_back_as_it_was_written(void **state)
{
    const struct folder *folder = *state;
    struct process_state back, given = {
                                   .state = GANTRY_STATE_RESTARTING,
                                   .present = 31,
                                   .exit_code = 137,
                                   .out_of_memory = 1,
                                   .started_ms = INT64_C(1795276800123),
                                   .finished_ms = 5,
                                   .restarts = 3,
                                   .stopped = 1,
                                   .machine = {"boot", 4026531836},
                                   .shim = {10, 20},
                                   .child = {11, 21},
                                   .cgroup = "/sys/fs/cgroup/x",
                                   .error = "why = because",
                               };
    assert_int_equal(state_read(folder->fd, &back), -ENOENT);
    assert_int_equal(state_write(folder->fd, &given), 0);
    memset(&back, 0xa5, sizeof back);
    assert_int_equal(state_read(folder->fd, &back), 0);
#define SAME(key, member) assert_int_equal(back.member, given.member);
    STATE_NUMBERS(SAME)
#undef SAME
    assert_string_equal(back.machine.boot, given.machine.boot);
    assert_string_equal(back.cgroup, given.cgroup);
    assert_string_equal(back.error, given.error);
}

static void
state_that_is_none_is_an_error(void **state)
{
    static const char *const texts[] = {"", "state=", "state=0", "state=99", "state=-1", "state=x"};
    const struct folder *folder = *state;
    struct process_state back;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        folder_put(folder, "state", texts[i], *texts[i] ? strlen(texts[i]) + 1 : 0);
        assert_int_equal(state_read(folder->fd, &back), -EBADMSG);
    }
}

/* What says that nothing runs must have been written so: else it would be run a second time. */
static void
state_that_lacks_a_number_or_the_boot_is_an_error(void **state)
{
    static const char *const wrong[] = {"shim_pid=10", "child_ticks=21", "boot=boot"};
    static const char *const instead[] = {"shim_pid=x1", "child_tocks=21", "boot="};
    const struct folder *folder = *state;
    struct process_state back, given = {.state = GANTRY_STATE_RUNNING,
                                        .machine = {"boot", 4026531836},
                                        .shim = {10, 20},
                                        .child = {11, 21}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        AUTO_RECORD record = {0};
        AUTO_TEXT text = TEXT(4096);
        assert_int_equal(state_write(folder->fd, &given), 0);
        assert_int_equal(state_read(folder->fd, &back), 0);
        assert_int_equal(record_read(folder->fd, "state", &record), 0);
        for (const char *at = record.data; at < record.data + record.size; at += strlen(at) + 1) {
            const char *entry = strcmp(at, wrong[i]) == 0 ? instead[i] : at;
            text_add_bytes(&text, entry, strlen(entry) + 1);
        }
        assert_int_equal(record_write(folder->fd, "state", &text), 0);
        assert_int_equal(state_read(folder->fd, &back), -EBADMSG);
    }
}

static void
lock_is_had_by_one_and_waited_for_a_little(void **state)
{
    const struct folder *folder = *state;
    struct process_state last = {.state = GANTRY_STATE_RUNNING, .machine = {"boot", 1}};
    int first = state_lock(folder->fd);
    assert_true(first >= 0);
    assert_int_equal(state_write(folder->fd, &last), 0);
    assert_int_equal(state_lock(folder->fd), -EWOULDBLOCK);
    last.state = GANTRY_STATE_EXITED;
    assert_int_equal(state_write(folder->fd, &last), 0);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(200000);
        _exit(0);
    }
    close(first); /* the child has it until it ends */
    int second = state_lock(folder->fd);
    assert_true(second >= 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(second);
}

/* ---- who ----------------------------------------------------------------------------------------- */

static void
name_of_a_process_does_not_shift_its_fields(void **state)
{
    int64_t value;
    (void)state;
    const char *line = "12 (a) b (c) S 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 555 22\n";
    assert_true(identity_parse_stat(line, STAT_PARENT, &value));
    assert_int_equal(value, 3);
    line = "12 (x) 1 2) R 7 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 98765 44\n";
    assert_true(identity_parse_stat(line, STAT_START, &value));
    assert_int_equal(value, 98765);
    assert_false(identity_parse_stat("12 (x) S 1 2 3\n", STAT_START, &value));
    assert_false(identity_parse_stat("nonsense", STAT_START, &value));
    assert_false(identity_parse_stat("", STAT_START, &value));
}

static void
numeric_user_is_digits_and_never_cut(void **state)
{
    static const char *const wrong[] = {
        "", "-1", "+5", " 5", "5x", "nobody", "4294967295", "4294967296", "18446744073709551616"};
    uint32_t id = 7;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(identity_parse_id(wrong[i], &id));
    assert_int_equal(id, 7);
    assert_true(identity_parse_id("0", &id) && id == 0);
    assert_true(identity_parse_id("4294967294", &id) && id == 4294967294u);
}

static void
only_that_very_process_is_opened(void **state)
{
    struct identity id, wrong;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        pause();
        _exit(0);
    }
    assert_int_equal(identity_of(pid, &id), 0);
    int fd = identity_open(&id);
    assert_true(fd >= 0);
    assert_false(identity_has_ended(fd, 0));
    for (int64_t shift = -1; shift <= 1; shift += 2) {
        wrong = (struct identity){id.pid, id.ticks + shift};
        assert_int_equal(identity_open(&wrong), -ESRCH);
    }
    wrong = (struct identity){0, id.ticks};
    assert_int_equal(identity_open(&wrong), -ESRCH);
    kill(pid, SIGKILL);
    assert_true(identity_has_ended(fd, 10000));
    assert_int_equal(identity_open(&id), -ESRCH); /* it is a zombie now */
    waitpid(pid, NULL, 0);
    assert_int_equal(identity_open(&id), -ESRCH);
    close(fd);
}

static void
machine_is_told_by_boot_and_namespace(void **state)
{
    struct machine machine = {0};
    (void)state;
    assert_int_equal(machine_read(&machine), 0);
    assert_int_equal(strlen(machine.boot), 36);
    assert_true(machine.pid_namespace > 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(record_keeps_every_byte_and_order),
        FOLDER_TEST(record_that_is_cut_or_not_there_is_an_error),
        FOLDER_TEST(record_that_is_too_large_is_not_written),
        FOLDER_TEST(state_comes_back_as_it_was_written),
        FOLDER_TEST(state_that_is_none_is_an_error),
        FOLDER_TEST(state_that_lacks_a_number_or_the_boot_is_an_error),
        FOLDER_TEST(lock_is_had_by_one_and_waited_for_a_little),
        cmocka_unit_test(numeric_user_is_digits_and_never_cut),
        cmocka_unit_test(name_of_a_process_does_not_shift_its_fields),
        cmocka_unit_test(only_that_very_process_is_opened),
        cmocka_unit_test(machine_is_told_by_boot_and_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
