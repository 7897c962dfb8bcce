/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/client.h"

#define RSA_PREFIX "ECDHE-RSA-AES256-GCM-SHA384:"

static struct tls_context_settings settings_of(const char *ciphers, enum tls_version min)
{
    return (struct tls_context_settings){.ciphers = ciphers, .version_min = min, .version_max = TLS_VERSION_1_3};
}

static void test_bad(void **state)
{
    struct tls_context_settings cases[] = {
        settings_of("NONSENSE", TLS_VERSION_1_2),
        settings_of("!ALL", TLS_VERSION_1_2),
        settings_of("", TLS_VERSION_1_2),
        settings_of(NULL, TLS_VERSION_1_2),
    };

    cases[3].chain_pem = slice_text("no PEM");
    cases[3].key_pem = slice_text("none");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe_client client;
        const char *fault = NULL;

        assert_int_not_equal(probe_client_create(&cases[i], &client, &fault), ASSAY_OK);
        assert_non_null(fault);
        for (int k = 0; k < PROBE_PREFERENCES; k++)
            assert_null(client.contexts[k][PROBE_ALL_VERSIONS]);
    }
}

/* What assayd would never offer has no context; what it offers has the string's own preference (S8). */
static void test_contexts(void **state)
{
    static const struct {
        const char *ciphers;
        enum tls_version min;
        enum tls_preference own;
        bool all[PROBE_PREFERENCES], alone[PROBE_PREFERENCES]; /* by enum tls_preference: ECDSA, RSA */
    } cases[] = {
        {NULL, TLS_VERSION_1_2, TLS_PREFER_ECDSA, {true, true}, {true, true}},
        {RSA_PREFIX "EECDH", TLS_VERSION_1_2, TLS_PREFER_RSA, {true, true}, {true, true}},
        {NULL, TLS_VERSION_1_3, TLS_PREFER_ECDSA, {true, true}, {false, false}},
        {"ECDHE+aRSA", TLS_VERSION_1_2, TLS_PREFER_RSA, {false, true}, {false, true}},
        {"ECDHE+ECDSA", TLS_VERSION_1_2, TLS_PREFER_ECDSA, {true, false}, {true, false}},
        {"TLS_AES_128_GCM_SHA256", TLS_VERSION_1_2, TLS_PREFER_ECDSA, {true, false}, {false, false}},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context_settings settings = settings_of(cases[i].ciphers, cases[i].min);
        struct probe_client client;
        const char *fault = NULL;

        assert_int_equal(probe_client_create(&settings, &client, &fault), ASSAY_OK);
        assert_int_equal(client.own, cases[i].own);
        assert_false(client.certificate);
        for (int k = 0; k < PROBE_PREFERENCES; k++) {
            assert_int_equal(client.contexts[k][PROBE_ALL_VERSIONS] != NULL, cases[i].all[k]);
            assert_int_equal(client.contexts[k][PROBE_TLS12_ALONE] != NULL, cases[i].alone[k]);
        }
        probe_client_free(&client);
        assert_null(client.contexts[0][0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_contexts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
