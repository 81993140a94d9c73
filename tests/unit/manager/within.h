/* within.h - waiting for what must come. */
#ifndef TESTS_MANAGER_WITHIN_H
#define TESTS_MANAGER_WITHIN_H

#include "clock.h"

#include <poll.h>
#include <stdbool.h>

/* What must come may take so long on a machine that is busy; it is waited for no longer than it takes. */
#define COMES_MS 60000

#define WITHIN(ms, condition)                                                                      \
    __extension__({                                                                                \
        int64_t until_ = clock_mono_ms() + (ms);                                                   \
        bool so_ = false;                                                                          \
        while (!(so_ = (condition)) && clock_mono_ms() < until_)                                   \
            (void)poll(NULL, 0, 5);                                                                \
        so_;                                                                                       \
    })

#endif
