/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "assay/error.h"

static void every_error_has_its_own_name_and_a_text(void **state)
{
    for (int i = 0; i <= ASSAY_ERR_INTERNAL; i++) {
        assert_true(strlen(assay_error_text((enum assay_error)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(assay_error_name((enum assay_error)i), assay_error_name((enum assay_error)j));
    }
    assert_string_equal(assay_error_name(ASSAY_OK), "OK");
    assert_int_equal(assay_error_class(ASSAY_ERR_MALFORMED), ASSAY_CLASS_INPUT);
}

static void a_value_outside_the_list_reads_as_internal(void **state)
{
    assert_string_equal(assay_error_name((enum assay_error)9999), "INTERNAL");
    assert_int_equal(assay_error_class((enum assay_error)9999), ASSAY_CLASS_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_own_name_and_a_text),
        cmocka_unit_test(a_value_outside_the_list_reads_as_internal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
