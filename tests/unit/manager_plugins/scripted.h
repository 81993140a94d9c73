/* scripted.h - what a test tells the scripted plugin to do, and what it sees of it.
 *
 * The plugin exports one of these as `scripted`; the test opens the same file and writes to it. */
#ifndef SCRIPTED_H
#define SCRIPTED_H

#include <stdatomic.h>
#include <stdint.h>

struct scripted {
    /* What it does. */
    atomic_int list_ms, inspect_ms, start_ms, stop_ms, remove_ms, logs_ms; /* how long each takes */
    atomic_int deaf;          /* nothing ends before its time, whatever is cancelled */
    atomic_int list_fails;    /* this many listings from now on fail; -1: all */
    atomic_int inspect_fails; /* this many inspections from now on fail */
    atomic_int same_handles;  /* what is made anew has the handle that it had before */
    atomic_int stop_fails, inspect_missing, inspect_removing, start_image_missing;
    atomic_int keep_removing;      /* what is being removed stays, though remove() succeeds */
    atomic_int hide_hash;          /* no listing and no inspection gives a hash */
    atomic_int bare_labels;        /* listings leave out the platform's labels */
    atomic_int read_spec_late;     /* start() reads its spec again at its end */
    _Atomic(const char *) slow_id; /* start_ms, stop_ms and logs_ms concern this connector alone */
    atomic_int watches;            /* it can be watched */
    atomic_int silent;             /* a watch tells nothing of what changes */
    atomic_int watch_fails;        /* this many watches end at once with an error; -1: all */
    atomic_int watch_flaps;        /* each watch says SYNCED and ends at once with an error */
    atomic_int watch_floods;       /* it says SYNCED again and again, as fast as it can */
    atomic_int lose;               /* the watch says LOST; back at 0 it says SYNCED */
    atomic_int details;            /* inspections say how and when a run began and ended */
    _Atomic(const char *) only_place; /* list_fails and start_image_missing concern it alone */
    atomic_int lines;                 /* each run that ended left a line in its log */
    /* What it saw. */
    atomic_int lists, inspects, starts, stops, removes, logs;
    atomic_int watched;      /* watches that were begun */
    atomic_int inside;       /* start, stop and remove that are inside now */
    atomic_int side_by_side; /* most of these that were inside for one connector */
};

#endif
