/* Mappings are refused, evaluated and printed as the vectors say. */
#include "mapping_case.h"

#include <glob.h>

static void
every_file_of_vectors_holds(void **state)
{
    (void)state;
    glob_t files;
    size_t failures = 0;
    assert_int_equal(glob(GANTRY_SOURCE_DIR "/tests/vectors/mapping/*.test", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        failures += vectors_run(files.gl_pathv[i], case_run);
    globfree(&files);
    assert_int_equal(failures, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_vectors_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
