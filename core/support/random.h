/* random.h - random numbers from the kernel, for seeds, jitter and names; keys are OpenSSL's
 * affair. */
#ifndef SUPPORT_RANDOM_H
#define SUPPORT_RANDOM_H

#include <stdint.h>

uint64_t random_u64(void);

#endif
