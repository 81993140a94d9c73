/* guard.c - what may be removed because a listing does not name it any more (S3).
 *
 * A platform that lost its data, or was asked with the wrong account, answers well and lists
 * nothing.  So the more has vanished at once, the more it takes until it is believed. */
#include "reconcile_internal.h"

/* Take this listing's set over into the memory. */
static void
take_listing(const struct guard_input *input, struct guard_memory *memory)
{
    bool same = memory->agreed > 0 && input->vanished == memory->vanished;
    if (!same) {
        memory->vanished = input->vanished;
        memory->agreed = 0;
        memory->many = false;
    }
    if (memory->agreed < UINT32_MAX)
        memory->agreed++;
    bool all = input->running >= 2 && input->running_vanished == input->running;
    bool many = input->running_vanished > input->running / 2 &&
                input->running_vanished > input->max_removals;
    memory->many |= many;
    if (all)
        memory->all = true;
    else if (input->running > input->running_vanished)
        memory->all = false; /* something that runs is listed: the platform knows us again */
}

enum guard_verdict
guard_decide(const struct guard_input *input, struct guard_memory *memory)
{
    if (!input->complete)
        return memory->agreed > 0 ? GUARD_AGREE : GUARD_NOTHING;
    if (input->vanished_count == 0) {
        *memory = (struct guard_memory){0};
        return GUARD_NOTHING;
    }
    take_listing(input, memory);
    if (memory->all && !input->allow_all)
        return GUARD_ASK;
    if ((memory->all || memory->many) && memory->agreed <= input->removal_confirmations)
        return GUARD_HOLD;
    return memory->agreed < 2 ? GUARD_AGREE : GUARD_RELEASE;
}
