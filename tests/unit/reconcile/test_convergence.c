/* Closure and convergence over the model of world.h.
 *
 * All worlds that can be reached by faults are walked through (closure); in each of them the number
 * of workloads is bounded, and from each of them, once faults end, every wish is fulfilled in a few
 * actions and then left alone (convergence). */
#include "reconcile.h"
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE            ((int64_t)60 * 1000)
#define ACTIONS_TO_FULFIL 12

/* ---- what the manager does in a world ---- */

struct view {
    struct reconcile_workload set[MOST];
    struct reconcile_input input;
};

/* What the manager sees of it; hidden: one bit for each workload whose hash it cannot read now. */
static void
look(const struct world *x, enum reconcile_wish wish, unsigned wanted, unsigned hidden,
     struct view *view)
{
    for (size_t i = 0; i < x->n; i++) {
        view->set[i] = (struct reconcile_workload){
            .state = (enum gantry_state)x->w[i].state,
            .hash = hidden & (1u << i) ? NULL : hash_texts[x->w[i].hash],
            .created_ms = (int64_t)i + 1,
            .identity = i + 1,
        };
    }
    view->input = (struct reconcile_input){
        .wish = wish,
        .hash = wish == WISH_GONE || wish == WISH_KEPT ? "" : hash_texts[wanted],
        .known = true,
        .workloads = view->set,
        .count = x->n,
        .removing = x->removing,
        .platform_up = true,
        .now_ms = MINUTE,
    };
}

static void
reach_by_manager(const struct world *x)
{
    unsigned masks = x->n < BOUND ? 1u << x->n : 1; /* of three it leads to nothing new, slowly */
    for (unsigned i = 0; i < WISH_COUNT * 16u; i++) {
        for (unsigned hidden = 0; hidden < masks; hidden++) {
            struct view view;
            unsigned wanted = i & 1;
            look(x, (enum reconcile_wish)(i / 16), wanted, hidden, &view);
            view.input.blocked = i & 2;
            view.input.offline = i & 8;
            struct reconcile_memory memory = {0};
            memory.in_loop = i & 4;
            struct reconcile_decision d = reconcile_decide(&view.input, &memory);
            reach_by_action(x, &d, wanted);
        }
    }
}

static void
walk(size_t from)
{
    for (size_t at = from; at < queue_length; at++) {
        reach_by_nature(&queue[at]);
        reach_by_manager(&queue[at]);
    }
}

static void
no_fault_makes_more_than_three_workloads(void **state)
{
    (void)state;
    struct world empty = {0};
    reach(&empty);
    for (unsigned code = 0; code < CODES; code++) { /* one that was found, of whatever kind */
        if (code / HASHES == GANTRY_STATE_UNKNOWN)
            continue;
        struct world x = with_new(empty, code % HASHES, (enum gantry_state)(code / HASHES));
        reach(&x);
    }
    walk(0);
    print_message("%zu worlds\n", queue_length);
    assert_true(queue_length > 300);
}

/* What older versions, other managers and people may have left behind. */
static void
what_is_found_in_any_number_does_not_grow(void **state)
{
    (void)state;
    size_t before = queue_length;
    unsigned numbers = 1;
    for (unsigned n = 0; n <= BOUND; n++, numbers *= CODES) {
        for (unsigned number = 0; number < numbers; number++) {
            struct world x = {0};
            bool known = true;
            for (unsigned i = 0, rest = number; i < n; i++, rest /= CODES) {
                enum gantry_state s = (enum gantry_state)(rest % CODES / HASHES);
                known &= s != GANTRY_STATE_UNKNOWN;
                x = with_new(x, rest % HASHES, s);
            }
            for (x.removing = 0; known && n + x.removing <= BOUND; x.removing++)
                reach(&x);
        }
    }
    walk(before);
    print_message("%zu worlds\n", queue_length);
    assert_true(queue_length > 20000);
}

/* ---- when faults end ---- */

static void
heal_by_nature(struct world *x)
{
    for (size_t i = 0; i < x->n; i++) {
        if (x->w[i].state == GANTRY_STATE_STARTING || x->w[i].state == GANTRY_STATE_RESTARTING)
            x->w[i].state = GANTRY_STATE_RUNNING;
        else if (x->w[i].state == GANTRY_STATE_STOPPING)
            x->w[i].state = GANTRY_STATE_EXITED;
    }
    if (x->removing > 0)
        x->removing--;
}

static void
succeed(struct world *x, const struct reconcile_decision *d, unsigned wanted)
{
    switch (d->action) {
    case DO_CREATE:
        *x = with_new(*x, wanted, GANTRY_STATE_STARTING);
        break;
    case DO_START:
        *x = with_state(*x, d->target, GANTRY_STATE_STARTING);
        break;
    case DO_REPLACE:
        *x =
            with_new(with_state(*x, d->target, GANTRY_STATE_EXITED), wanted, GANTRY_STATE_STARTING);
        break;
    case DO_STOP:
        *x = with_state(*x, d->target, GANTRY_STATE_STOPPING);
        break;
    case DO_REMOVE:
        *x = without(*x, d->target);
        x->removing++;
        break;
    case DO_NOTHING:
    case DO_ASK:
    case DO_COUNT:
        break;
    }
}

static bool
is_fulfilled(const struct world *x, enum reconcile_wish wish, unsigned wanted)
{
    if (x->removing > 0)
        return false;
    if (wish == WISH_GONE)
        return x->n == 0;
    if (wish == WISH_RUN)
        return x->n == 1 && x->w[0].state == GANTRY_STATE_RUNNING && x->w[0].hash == wanted;
    return x->n == 0 || (x->n == 1 && (x->w[0].state == GANTRY_STATE_EXITED ||
                                       x->w[0].state == GANTRY_STATE_CREATED ||
                                       x->w[0].state == GANTRY_STATE_FAILED));
}

/* With everything working from now on: the number of actions until the wish is fulfilled and
 * nothing more is done; UINT_MAX: it never is. */
static unsigned
actions_until_fulfilled(struct world x, enum reconcile_wish wish, unsigned wanted,
                        struct reconcile_memory memory, int64_t now_ms)
{
    unsigned actions = 0;
    for (unsigned step = 0; step < 100 && actions <= ACTIONS_TO_FULFIL; step++) {
        struct view view;
        look(&x, wish, wanted, 0, &view);
        view.input.now_ms = now_ms;
        bool fulfilled = is_fulfilled(&x, wish, wanted);
        struct reconcile_decision d = reconcile_decide(&view.input, &memory);
        if (d.action != DO_NOTHING && d.action != DO_ASK) {
            actions++;
            succeed(&x, &d, wanted);
            reconcile_done(&memory, d.action, 0, now_ms, UINT64_C(977) * step);
        } else if (fulfilled) {
            return actions;
        } else if (d.deadline_ms != INT64_MAX) {
            now_ms = MAX(now_ms, d.deadline_ms);
        }
        heal_by_nature(&x);
        now_ms += 10;
    }
    return UINT32_MAX;
}

/* That a hash cannot be read is a fault that ends, too. */
static struct world
readable(struct world x, unsigned as)
{
    for (size_t i = 0; i < x.n; i++) {
        if (x.w[i].hash == 2)
            x.w[i].hash = as;
    }
    return x;
}

static void
must_converge(const struct world *x, enum reconcile_wish wish, unsigned wanted,
              const struct reconcile_memory *memory, int64_t now_ms, unsigned *most)
{
    unsigned actions = actions_until_fulfilled(*x, wish, wanted, *memory, now_ms);
    if (actions > ACTIONS_TO_FULFIL) {
        for (size_t i = 0; i < x->n; i++)
            print_message("  state %u, hash %u\n", x->w[i].state, x->w[i].hash);
        fail_msg("wish %s is not fulfilled from %u workloads, %u removing",
                 reconcile_wish_name(wish), x->n, x->removing);
    }
    *most = MAX(*most, actions);
}

static void
from_everywhere_every_wish_is_fulfilled_when_faults_end(void **state)
{
    (void)state;
    static const enum reconcile_wish wishes[] = {WISH_RUN, WISH_HALT, WISH_GONE};
    unsigned most = 0;
    assert_true(queue_length > 0); /* the worlds of the tests before */
    for (size_t at = 0; at < queue_length; at++) {
        for (unsigned i = 0; i < ARRAY_LENGTH(wishes) * 8; i++) {
            struct world x = readable(queue[at], (i >> 1) & 1);
            struct reconcile_memory memory = {0};
            memory.in_loop = i & 4;
            must_converge(&x, wishes[i / 8], i & 1, &memory, MINUTE, &most);
        }
    }
    print_message("at most %u actions\n", most);
}

/* ---- with a memory: back-off, loops and counts must not stand in the way ---- */

static unsigned
roll(uint64_t *seed, unsigned sides)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*seed >> 33) % sides;
}

/* Any one of what reach_by_*() leads to from here. */
static struct world
any_of(const struct world *x, uint64_t *seed,
       void (*reach_from)(const struct world *, const struct reconcile_decision *, unsigned),
       const struct reconcile_decision *d, unsigned wanted)
{
    queue_length = 0;
    reach_from(x, d, wanted);
    struct world chosen = queue_length > 0 ? queue[roll(seed, (unsigned)queue_length)] : *x;
    for (size_t i = 0; i < queue_length; i++)
        visited[number_of(&queue[i])] = 0;
    queue_length = 0;
    return chosen;
}

static void
nature(const struct world *x, const struct reconcile_decision *d, unsigned wanted)
{
    (void)d;
    (void)wanted;
    reach_by_nature(x);
}

static void
long_histories_of_faults_are_survived(void **state)
{
    (void)state;
    memset(visited, 0, WORLDS);
    unsigned most = 0;
    uint64_t seed = 42;
    for (unsigned history = 0; history < 3000; history++) {
        struct world x = {0};
        struct reconcile_memory memory = {0};
        enum reconcile_wish wish = WISH_RUN;
        unsigned wanted = 0;
        int64_t now_ms = MINUTE;
        for (unsigned step = 0; step < 60; step++) {
            if (roll(&seed, 10) == 0)
                wish = (enum reconcile_wish)roll(&seed, WISH_COUNT);
            if (roll(&seed, 12) == 0)
                wanted ^= 1;
            struct view view;
            look(&x, wish, wanted, roll(&seed, 8) == 0 ? roll(&seed, 1u << x.n) : 0, &view);
            view.input.now_ms = now_ms;
            view.input.known = roll(&seed, 8) != 0;
            view.input.platform_up = roll(&seed, 4) != 0;
            struct reconcile_decision d = reconcile_decide(&view.input, &memory);
            bool acts = d.action != DO_NOTHING && d.action != DO_ASK;
            if (acts && roll(&seed, 3) > 0)
                x = any_of(&x, &seed, reach_by_action, &d, wanted);
            if (acts)
                reconcile_done(&memory, d.action, roll(&seed, 2) ? 0 : -(int)(1 + roll(&seed, 11)),
                               now_ms, seed);
            if (roll(&seed, 2))
                x = any_of(&x, &seed, nature, &d, wanted);
            now_ms += 1 + roll(&seed, 3) * 40000;
        }
        static const enum reconcile_wish wishes[] = {WISH_RUN, WISH_HALT, WISH_GONE};
        for (size_t i = 0; i < ARRAY_LENGTH(wishes); i++)
            must_converge(&x, wishes[i], wanted, &memory, now_ms, &most);
    }
    print_message("at most %u actions\n", most);
}

static int
make_room(void **state)
{
    (void)state;
    visited = calloc(WORLDS, 1);
    queue = calloc(200000, sizeof *queue);
    return visited && queue ? 0 : -1;
}

static int
free_room(void **state)
{
    (void)state;
    free(visited);
    free(queue);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_makes_more_than_three_workloads),
        cmocka_unit_test(what_is_found_in_any_number_does_not_grow),
        cmocka_unit_test(from_everywhere_every_wish_is_fulfilled_when_faults_end),
        cmocka_unit_test(long_histories_of_faults_are_survived),
    };
    return cmocka_run_group_tests(tests, make_room, free_room);
}
