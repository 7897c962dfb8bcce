/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "x509/action.h"

/* Each reason but OK has a sentence for both places: none was forgotten when a reason was added. */
static void test_every_reason(void **state)
{
    static const enum x509_reason reasons[] = {
#define X509_REASON(name, alert, text) X509_REASON_##name,
#include "x509/reason.def"
#undef X509_REASON
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        for (int depth = 0; depth < 3; depth++) {
            const char *action = x509_reason_action(reasons[i], depth);

            assert_non_null(action);
            assert_int_equal(action[0] == '\0', reasons[i] == X509_REASON_OK);
            assert_true(strlen(action) < 128);
            if (action[0] != '\0')
                assert_int_not_equal(action[strlen(action) - 1], '.');
        }
}

/* Depth alone misleads (S32): an expired leaf and a missing intermediate are both at depth 0. */
static void test_depth(void **state)
{
    assert_non_null(strstr(x509_reason_action(X509_REASON_EXPIRED, 0), "on the node"));
    assert_non_null(strstr(x509_reason_action(X509_REASON_EXPIRED, 1), "CA certificate"));
    assert_non_null(strstr(x509_reason_action(X509_REASON_UNKNOWN_ISSUER, 0), "intermediate"));
    assert_string_not_equal(x509_reason_action(X509_REASON_UNKNOWN_ISSUER, 0),
                            x509_reason_action(X509_REASON_UNKNOWN_ISSUER, 1));
    assert_non_null(strstr(x509_reason_action(X509_REASON_NAME_MISMATCH, 0), "SAN"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_reason),
        cmocka_unit_test(test_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
