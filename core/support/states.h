/* states.h - how many states of a workload this version knows.  Not in the public header: there it would change
 * with every word that is added. */
#ifndef SUPPORT_STATES_H
#define SUPPORT_STATES_H

#include <gantry/workload.h>

#define STATES_ONE_(name, value, word) +1
enum { STATES_COUNT = 0 GANTRY_STATES(STATES_ONE_) };
#undef STATES_ONE_

#endif
