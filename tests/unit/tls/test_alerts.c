/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls/alerts.h"
#include "tls/tls.h"

static void test_unknown_has_a_name(void **state)
{
    assert_string_equal(tls_alert_name(255), "unknown");
    assert_string_equal(tls_alert_name(1), "unknown");
}

static void test_names(void **state)
{
    static const struct {
        uint8_t alert;
        const char *name;
    } cases[] = {
        {0, "close_notify"},         {10, "unexpected_message"},
        {20, "bad_record_mac"},      {40, "handshake_failure"},
        {42, "bad_certificate"},     {44, "certificate_revoked"},
        {45, "certificate_expired"}, {46, "certificate_unknown"},
        {47, "illegal_parameter"},   {48, "unknown_ca"},
        {50, "decode_error"},        {70, "protocol_version"},
        {112, "unrecognized_name"},  {120, "no_application_protocol"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(tls_alert_name(cases[i].alert), cases[i].name);
}

static void test_record(void **state)
{
    static const uint8_t expected[7] = {21, 3, 3, 0, 2, 2, 48};
    uint8_t out[7];

    assert_int_equal(tls_alert_record(TLS_ALERT_UNKNOWN_CA, out), sizeof(out));
    assert_memory_equal(out, expected, sizeof(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_has_a_name),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
