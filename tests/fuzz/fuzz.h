/* fuzz.h - what every fuzzer has. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What does not hold is a find. */
static inline void
must(bool holds)
{
    if (!holds)
        abort();
}

#endif
