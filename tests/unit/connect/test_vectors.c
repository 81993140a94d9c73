/* Mappings are refused, evaluated and printed as the vectors say. */
#include "mapping_case.h"

static void
every_file_of_vectors_holds(void **state)
{
    (void)state;
    assert_int_equal(vectors_run_folder(GANTRY_SOURCE_DIR "/tests/vectors/mapping", case_run), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_of_vectors_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
