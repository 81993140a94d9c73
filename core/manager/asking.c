/* asking.c - what is asked again and again, and when next: a ping, a listing. */
#include "manager_internal.h"

#include "clock.h"
#include "err.h"
#include "random.h"

bool
asking_due(const struct asking *a, int64_t now_ms)
{
    return !a->in_flight && now_ms >= a->next_ms;
}

void
asking_begin(struct asking *a)
{
    a->in_flight = true;
}

bool
asking_end(struct asking *a, int code, const struct gantry_error *error, int64_t period_ms)
{
    int64_t now = clock_mono_ms();
    a->in_flight = false;
    if (code == 0) {
        bool news = a->failing;
        a->answered = true;
        a->failing = false;
        a->failures = 0;
        a->next_ms = now + period_ms;
        (void)text_set(&a->problem, NULL);
        return news;
    }
    bool news = !a->failing || !text_eq(a->problem, err_text(error));
    a->failing = true;
    a->failures++;
    int64_t wait = reconcile_backoff_ms(a->failures, random_u64());
    a->next_ms = now + wait;
    (void)text_set(&a->problem, err_text(error));
    return news;
}
