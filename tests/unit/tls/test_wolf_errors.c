/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls/alerts.h"
#include "tls/wolf.h"

/* An error that nobody listed is the peer's, and is told as the vaguest alert there is: never as success. */
static void test_unknown_code(void **state)
{
    struct wolf_fault fault = wolf_classify(-123456);

    assert_int_equal(fault.kind, TLS_FAILURE_PROTOCOL);
    assert_int_equal(fault.alert, TLS_ALERT_HANDSHAKE_FAILURE);
}

static void test_known_codes(void **state)
{
    static const struct {
        int code;
        enum tls_failure_kind kind;
        enum tls_alert alert;
    } cases[] = {
        {ASN_PARSE_E, TLS_FAILURE_CERTIFICATE, TLS_ALERT_BAD_CERTIFICATE},
        {SIG_VERIFY_E, TLS_FAILURE_CERTIFICATE, TLS_ALERT_DECRYPT_ERROR},
        {VERIFY_CERT_ERROR, TLS_FAILURE_VERIFIER, TLS_ALERT_CERTIFICATE_UNKNOWN},
        {VERIFY_FINISHED_ERROR, TLS_FAILURE_PROTOCOL, TLS_ALERT_DECRYPT_ERROR},
        {DECRYPT_ERROR, TLS_FAILURE_PROTOCOL, TLS_ALERT_BAD_RECORD_MAC},
        {VERSION_ERROR, TLS_FAILURE_PROTOCOL, TLS_ALERT_PROTOCOL_VERSION},
        {MEMORY_E, TLS_FAILURE_INTERNAL, TLS_ALERT_INTERNAL_ERROR},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct wolf_fault fault = wolf_classify(cases[i].code);

        assert_int_equal(fault.kind, cases[i].kind);
        assert_int_equal(fault.alert, cases[i].alert);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown_code), cmocka_unit_test(test_known_codes)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
