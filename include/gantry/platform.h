/* gantry/platform.h - a platform of your own: your program says which connectors should run, and is told how
 * they are, by two functions.
 *
 * Its settings stand in [platform NAME] with `kind = custom`; NAME is that of the struct below.  A part of
 * gantry.h, which includes it.
 *
 *     static int list(void *context, struct gantry_listing *listing)
 *     {
 *         struct gantry_variable environment[] = {{"FEED_URL", "https://feed.example.org", 0, 0}};
 *         struct gantry_desired feed = {0};
 *         feed.size = sizeof feed;
 *         feed.run = 1;
 *         feed.id = "feed";
 *         feed.image = "registry.example.org/feed:1";
 *         feed.environment = environment;
 *         feed.environment_count = 1;
 *         feed.environment_stride = sizeof environment[0];
 *         return gantry_listing_add(listing, &feed);
 *     }
 *
 * Every struct begins with its size as its maker knew it, and an array has count and stride; fields are only
 * ever added at the end, and a field that its maker did not know is taken as zero. */
#ifndef GANTRY_PLATFORM_H
#define GANTRY_PLATFORM_H

#include <gantry/types.h>
#include <gantry/workload.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One connector, as it should be.  All texts are UTF-8. */
struct gantry_desired {
    uint32_t size;     /* sizeof(struct gantry_desired) */
    uint32_t run;      /* 1: it should run; 0: it should be stopped, and is kept */
    const char *id;    /* not empty; the same for ever: its workload is found by it */
    const char *name;  /* for people, and for its workload's name; may be NULL: the id */
    const char *image; /* full reference, with tag or digest */
    /* Of its configuration: when it changes, the workload is replaced.  May be NULL: one is made from image
     * and environment. */
    const char *hash;
    const struct gantry_variable
        *environment; /* keys are unique; may be NULL when the count is 0 */
    uint32_t environment_count;
    uint32_t environment_stride; /* sizeof(struct gantry_variable) */
};

#define GANTRY_REPORT_NOTHING 0u
#define GANTRY_REPORT_STARTED 1u
#define GANTRY_REPORT_STOPPED 2u

/* What your program is told of one connector.  Parts that it does not tell now are 0 or NULL: what was told
 * before still holds. */
struct gantry_report {
    uint32_t size;   /* sizeof(struct gantry_report) */
    uint32_t status; /* GANTRY_REPORT_* */
    const char *id;
    uint32_t has_health;     /* 1: the next three are told */
    uint32_t in_reboot_loop; /* 1: it ends again and again, each time soon after its start */
    int64_t started_ms;      /* Unix time in milliseconds of its last start; 0: not known */
    uint32_t restarts;       /* since its workload was made */
    uint32_t log_count;
    /* The last lines of its log, oldest first, and all of them each time; each is UTF-8 without control
     * characters.  NULL: not told. */
    const char *const *logs;
};

/* One answer of list(), being made; opaque. */
struct gantry_listing;

/* A platform that your program provides. */
struct gantry_platform {
    uint32_t size; /* sizeof(struct gantry_platform) */
    uint32_t reserved;
    const char *name; /* NAME of [platform NAME] */
    void *context;    /* kept by the manager, handed to both functions; may be NULL */

    /* Say what should run and what should be stopped, all of it: gantry_listing_add() for each, then return 0.
     * What was listed before and is not any more is removed, unless too much vanishes at once.  Whoever
     * cannot tell at the moment returns a negative GANTRY_E_*, best by gantry_listing_fail(): then nothing
     * changes.  Does not block: the manager waits for it.
     * listing: borrowed.  [loop] */
    int (*list)(void *context, struct gantry_listing *listing);

    /* How one connector is.  May be NULL: nobody wants to know.  report: borrowed.  Returns 0, or a negative
     * GANTRY_E_*: it is told again.  Does not block.  [loop] */
    int (*report)(void *context, const struct gantry_report *report);
};

/* Add a connector to the answer.  What is wrong with one connector (a key twice, a text that is not UTF-8)
 * is told for that one, which is then left as it is.
 * listing: borrowed.  desired: borrowed (copied; values that are secret are wiped when the next answer takes
 * their place).
 * Returns 0; GANTRY_E_INVALID when there is no id, or it is not UTF-8: nothing was added, and nothing is
 * removed by this answer; or GANTRY_E_NOMEM.  list() may go on, or return the code.  [loop], in list() */
GANTRY_API int gantry_listing_add(struct gantry_listing *listing,
                                  const struct gantry_desired *desired);

/* Make the answer fail, whatever list() returns.
 * listing: borrowed.  code: GANTRY_E_*; UNAVAILABLE where no other fits.  text: borrowed; one line: what
 * failed, and what to do.
 * Returns code, for `return gantry_listing_fail(listing, GANTRY_E_UNAVAILABLE, "...");`  [loop], in list() */
GANTRY_API int gantry_listing_fail(struct gantry_listing *listing, int code, const char *text);

#ifdef __cplusplus
}
#endif
#endif
