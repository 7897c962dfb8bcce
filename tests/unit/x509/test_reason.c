/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "x509/reason.h"

static void all_have_name_text_and_alert(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= X509_REASON_NAME_MISMATCH; i++) {
        assert_true(x509_reason_name((enum x509_reason)i)[0] >= 'A');
        assert_true(x509_reason_text((enum x509_reason)i)[0] >= 'C');
        if (i == X509_REASON_OK)
            assert_int_equal(x509_reason_alert((enum x509_reason)i), 0);
        else
            assert_true(
                (x509_reason_alert((enum x509_reason)i) >= 42 && x509_reason_alert((enum x509_reason)i) <= 48) ||
                x509_reason_alert((enum x509_reason)i) == 113);
    }
}

/* What operators' analyzers look for (MRA S26). */
static void texts_of_mra(void **state)
{
    (void)state;
    assert_string_equal(x509_reason_text(X509_REASON_SELF_SIGNED_LEAF), "self signed certificate");
    assert_string_equal(x509_reason_text(X509_REASON_SELF_SIGNED_IN_CHAIN),
                        "self signed certificate in certificate chain");
    assert_string_equal(x509_reason_text(X509_REASON_UNKNOWN_ISSUER), "unable to get local issuer certificate");
    assert_string_equal(x509_reason_text(X509_REASON_EXPIRED), "certificate has expired");
    assert_string_equal(x509_reason_name(X509_REASON_EXPIRED), "EXPIRED");
    assert_int_equal(x509_reason_alert(X509_REASON_SELF_SIGNED_LEAF), 48);
    assert_int_equal(x509_reason_alert(X509_REASON_NAME_MISMATCH), 42);
}

static void out_of_range(void **state)
{
    (void)state;
    assert_string_equal(x509_reason_name((enum x509_reason)999), "UNKNOWN");
    assert_string_equal(x509_reason_text((enum x509_reason)999), "unknown reason");
    assert_int_equal(x509_reason_alert((enum x509_reason)999), 46);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_have_name_text_and_alert),
        cmocka_unit_test(texts_of_mra),
        cmocka_unit_test(out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
