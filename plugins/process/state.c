/* The state of a workload, to and from its file.  See state.h. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define STATE_FILE   "state"
#define LOCK_TRIES   300
#define LOCK_STEP_MS 10

/* What is not there or no number is no zero: a pid of 0 would say that nothing runs. */
static bool
take_number(const struct record *record, const char *key, int64_t *out)
{
    *out = record_number(record, key, INT64_MIN);
    return *out != INT64_MIN || record_number(record, key, 0) == INT64_MIN;
}

static void
take_text(const struct record *record, const char *key, char *target, size_t size)
{
    const char *text = record_find(record, key);
    snprintf(target, size, "%s", text ? text : "");
}

int
state_read(int folder, struct process_state *out)
{
    AUTO_RECORD record = {0};
    int rc = record_read(folder, STATE_FILE, &record);
    if (rc < 0)
        return rc;
    struct process_state state = {0};
    bool whole = true;
#define TAKE_NUMBER(key, member) whole &= take_number(&record, key, &state.member);
    STATE_NUMBERS(TAKE_NUMBER)
#undef TAKE_NUMBER
    take_text(&record, "boot", state.machine.boot, sizeof state.machine.boot);
    take_text(&record, "cgroup", state.cgroup, sizeof state.cgroup);
    take_text(&record, "error", state.error, sizeof state.error);
    if (!whole || !*state.machine.boot || state.state <= GANTRY_STATE_UNKNOWN ||
        state.state > GANTRY_STATE_REMOVING)
        return -EBADMSG;
    *out = state;
    return 0;
}

int
state_write(int folder, const struct process_state *state)
{
    AUTO_TEXT text = TEXT(1 << 14);
#define ADD_NUMBER(key, member) record_add_number(&text, key, state->member);
    STATE_NUMBERS(ADD_NUMBER)
#undef ADD_NUMBER
    record_add(&text, "boot", state->machine.boot);
    record_add(&text, "cgroup", state->cgroup);
    record_add(&text, "error", state->error);
    return record_write(folder, STATE_FILE, &text);
}

/* As it was written down; whoever wrote that is about to end too. */
static bool
has_ended(int folder)
{
    struct process_state last;
    return state_read(folder, &last) == 0 &&
           (last.state == GANTRY_STATE_EXITED || last.state == GANTRY_STATE_FAILED);
}

int
state_lock(int folder)
{
    const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    int fd = openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        int error = errno;
        if ((error != EWOULDBLOCK && error != EINTR) || tries == LOCK_TRIES || !has_ended(folder)) {
            close(fd);
            return -error;
        }
        nanosleep(&step, NULL);
    }
    return fd;
}
