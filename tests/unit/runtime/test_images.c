/* test_images.c - images that a plugin has fetched, pauses that somebody asks for, and how far a call is. */
#include "fake_plugin.h"

static struct {
    struct gantry_image image;
    int emits, returned;
    int64_t pause_ms;
    char removed[200];
} script;

static int
make_spec(void *context, struct runtime_job *job, struct gantry_spec *spec,
          struct gantry_error **err)
{
    (void)context;
    (void)job;
    (void)err;
    spec->image = "r.example/a:1";
    return 0;
}

static int
start_fetching(void *self, struct gantry_call *call, const struct gantry_ref *existing,
               const struct gantry_spec *spec, uint32_t flags)
{
    int code = 0;
    gantry_progress(fake.host, call, "pulling", 45, 100);
    for (int i = 0; i < script.emits && code == 0; i++)
        code = gantry_emit_image(fake.host, call, &script.image);
    if (code == 0 && script.returned < 0) {
        gantry_retry_after(fake.host, call, 10);
        gantry_retry_after(fake.host, call, 2500);
        gantry_retry_after(fake.host, call, script.pause_ms);
        gantry_retry_after(fake.host, call, 0);
        return gantry_fail(fake.host, call, script.returned, "as it was told");
    }
    return code < 0 ? code : fake_start(self, call, existing, spec, flags);
}

static int
remove_image(void *self, struct gantry_call *call, const struct gantry_image *image)
{
    (void)self;
    (void)call;
    snprintf(script.removed, sizeof script.removed, "%s %s", image->reference, image->digest);
    return image->size == sizeof *image ? 0 : GANTRY_E_INVALID;
}

static int
stop_with_an_image(void *self, struct gantry_call *call, const struct gantry_ref *ref,
                   uint32_t grace_ms)
{
    (void)self;
    (void)ref;
    (void)grace_ms;
    return gantry_emit_image(fake.host, call, &script.image);
}

static struct runtime_job *
start(const struct rig *rig, int emits, int returned)
{
    struct runtime_job *job = rig_job(rig, RUNTIME_START, "c1");
    job->handle = NULL;
    job->prepare = make_spec;
    script.image = (struct gantry_image){sizeof script.image, 0, "r.example/a:1", "sha256:11"};
    script.emits = emits;
    script.returned = returned;
    return rig_do(rig, job);
}

static void
fetched_image_is_told_though_the_call_fails(void **state)
{
    struct gantry_plugin table = fake_table();
    (void)state;
    table.start = start_fetching;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = start(&rig, 1, 0);
    assert_int_equal(job->code, 0);
    assert_string_equal(job->fetched.reference, "r.example/a:1");
    assert_string_equal(job->fetched.digest, "sha256:11");
    assert_false(job->retry_asked);
    runtime_job_free(job);
    job = start(&rig, 1, GANTRY_E_CONFLICT);
    assert_int_equal(job->code, GANTRY_E_CONFLICT);
    assert_string_equal(job->fetched.digest, "sha256:11");
    assert_true(job->retry_asked);
    assert_int_equal(job->retry_after_ms, 2500); /* the longest */
    runtime_job_free(job);
    script.pause_ms = INT64_MAX;
    job = start(&rig, 0, GANTRY_E_CONFLICT);
    assert_in_range(job->retry_after_ms, 3600 * 1000,
                    31LL * 24 * 3600 * 1000); /* can be added to */
    runtime_job_free(job);
    script.pause_ms = 0;
    job = start(&rig, 0, 0);
    assert_int_equal(job->fetched.size, 0);
    runtime_job_free(job);
    rig_close(&rig);
}

static void
image_twice_or_elsewhere_breaks_the_rules(void **state)
{
    struct gantry_plugin table = fake_table();
    (void)state;
    table.start = start_fetching;
    table.stop = stop_with_an_image;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = start(&rig, 2, 0);
    assert_int_equal(job->code, GANTRY_E_INTERNAL);
    assert_non_null(strstr(err_text(job->error), "an image twice"));
    runtime_job_free(job);
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c1"));
    assert_int_equal(job->code, GANTRY_E_INTERNAL);
    assert_non_null(strstr(err_text(job->error), "it emitted an image, which"));
    runtime_job_free(job);
    script.image.digest = NULL;
    job = rig_do(&rig, rig_job(&rig, RUNTIME_STOP, "c1"));
    assert_int_equal(job->code, GANTRY_E_INTERNAL);
    runtime_job_free(job);
    rig_close(&rig);
}

static struct runtime_job *
removal(const struct rig *rig)
{
    struct runtime_job *job = runtime_job_new(RUNTIME_REMOVE_IMAGE, rig->backend);
    job->image.reference = "r.example/a:1";
    job->image.digest = "sha256:11";
    return rig_do(rig, job);
}

static void
removal_of_an_image_is_optional(void **state)
{
    struct gantry_plugin table = fake_table();
    (void)state;
    struct rig rig = rig_open(&table, 1);
    struct runtime_job *job = removal(&rig);
    assert_int_equal(job->code, GANTRY_E_UNSUPPORTED);
    runtime_job_free(job);
    rig_close(&rig);
    table.remove_image = remove_image;
    rig = rig_open(&table, 1);
    job = removal(&rig);
    assert_int_equal(job->code, 0);
    assert_string_equal(script.removed, "r.example/a:1 sha256:11");
    runtime_job_free(job);
    rig_close(&rig);
}

static void
change_of_progress_is_counted_once(void **state)
{
    struct gantry_plugin table = fake_table();
    char text[64];
    (void)state;
    table.start = start_fetching;
    struct rig rig = rig_open(&table, 1);
    uint64_t before = runtime_progress_count(rig.runtime);
    struct runtime_job *job = start(&rig, 0, 0);
    assert_string_equal(runtime_progress(job, text, sizeof text), "pulling 45%");
    assert_int_equal(runtime_progress_count(rig.runtime), before + 1);
    runtime_job_free(job);
    rig_close(&rig);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetched_image_is_told_though_the_call_fails),
        cmocka_unit_test(image_twice_or_elsewhere_breaks_the_rules),
        cmocka_unit_test(removal_of_an_image_is_optional),
        cmocka_unit_test(change_of_progress_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
