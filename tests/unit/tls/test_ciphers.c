/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tls/ciphers.h"

#define TLS13 "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256"

static void test_faults_name_the_word(void **state)
{
    static const struct {
        const char *string, *word;
        enum assay_error error;
    } cases[] = {
        {"ECDHE:NOPE:RSA", "NOPE", ASSAY_ERR_MALFORMED},
        {"!", "!", ASSAY_ERR_MALFORMED},
        {"ECDHE+", "ECDHE+", ASSAY_ERR_MALFORMED},
        {"ECDHE:+", "+", ASSAY_ERR_MALFORMED},
        {"+ECDHE++AES", "+ECDHE++AES", ASSAY_ERR_MALFORMED},
        {"ECDHE+NOPE", "ECDHE+NOPE", ASSAY_ERR_MALFORMED},
        {"ecdhe", "ecdhe", ASSAY_ERR_MALFORMED},
        {"ECDHE-RSA-AES256-GCM-SHA38", "ECDHE-RSA-AES256-GCM-SHA38", ASSAY_ERR_MALFORMED},
        {"ECDHE-RSA-", "ECDHE-RSA-", ASSAY_ERR_MALFORMED},
        {"-", "-", ASSAY_ERR_MALFORMED},
        {"@STRONG", "@STRONG", ASSAY_ERR_MALFORMED},
        {"ECDHE:!ALL", "ECDHE:!ALL", ASSAY_ERR_UNSUPPORTED},
        {"RC4:CAMELLIA", "RC4:CAMELLIA", ASSAY_ERR_UNSUPPORTED},
        {"", "", ASSAY_ERR_UNSUPPORTED},
        {":::", ":::", ASSAY_ERR_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum tls_preference preference;
        struct tls_ciphers ciphers;
        struct slice fault;

        if (tls_ciphers_parse(cases[i].string, &ciphers, &fault) != cases[i].error || !slice_is(fault, cases[i].word))
            fail_msg("'%s': '%.*s'", cases[i].string, (int)fault.len, fault.data);
        assert_int_equal(tls_ciphers_check(cases[i].string, &fault), cases[i].error);
        assert_true(slice_is(fault, cases[i].word));
        assert_int_equal(tls_cipher_preference(cases[i].string, &preference), cases[i].error);
    }
}

static void expect_names(const char *string, const char *names)
{
    struct tls_ciphers ciphers;
    struct slice fault;

    if (tls_ciphers_parse(string, &ciphers, &fault) != ASSAY_OK)
        fail_msg("'%s': fault '%.*s'", string, (int)fault.len, fault.data);
    assert_string_equal(ciphers.names, names);
}

/* The operations; the results are those of OpenSSL for the suites of this build. */
static void test_operations(void **state)
{
    expect_names("ECDHE+AESGCM+AES256", TLS13 ":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384");
    expect_names("ECDHE+AESGCM+AES256:+ECDSA", TLS13 ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384");
    expect_names("ECDHE+AESGCM+AES256:!ECDSA:ECDHE-ECDSA-AES256-GCM-SHA384", TLS13 ":ECDHE-RSA-AES256-GCM-SHA384");
    expect_names("ECDHE+AESGCM+AES256:-ECDSA:ECDSA+AESGCM+AES256",
                 TLS13 ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384");
    expect_names(
        "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384,RC4-SHA:AES256-SHA",
        TLS13 ":ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384");
    expect_names("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:@STRENGTH:@SECLEVEL=1",
                 TLS13 ":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256");
    expect_names("TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_256_GCM_SHA384",
                 "TLS13-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256");
    expect_names("TLS_CHACHA20_POLY1305_SHA256", "TLS13-CHACHA20-POLY1305-SHA256");
    expect_names("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ARIA256-GCM-SHA384:DHE-RSA-CAMELLIA256-SHA256",
                 TLS13 ":ECDHE-RSA-AES128-GCM-SHA256");
}

static void test_defaults(void **state)
{
    struct tls_ciphers ciphers;
    struct slice fault;

    assert_int_equal(tls_ciphers_parse(tls_ciphers_default_server, &ciphers, &fault), ASSAY_OK);
    assert_null(strstr(ciphers.names, "-SHA:"));
    assert_null(strstr(ciphers.names, "DHE-RSA-AES128-SHA256"));
    assert_int_equal(tls_ciphers_parse(tls_ciphers_default_client, &ciphers, &fault), ASSAY_OK);
    assert_int_equal(ciphers.preference, TLS_PREFER_ECDSA);
    assert_null(strstr(ciphers.names, "AES256-SHA:"));
    assert_non_null(strstr(ciphers.names, ":DHE-RSA-AES256-GCM-SHA384"));
}

#define PRODUCT "EECDH:EDH:HIGH:-AES256+SHA:!MEDIUM:!LOW:!3DES:!MD5:!PSK:!eNULL:!aNULL:!aDH"

/* S8 */
static void test_preference(void **state)
{
    static const struct {
        const char *string;
        enum tls_preference preference;
        bool rsa, ecdsa;
        uint16_t first_signature;
        size_t signatures;
    } cases[] = {
        {PRODUCT, TLS_PREFER_ECDSA, true, true, 0x0403, 10},
        {"ECDHE-RSA-AES256-GCM-SHA384:" PRODUCT, TLS_PREFER_RSA, true, true, 0x0804, 10},
        {PRODUCT ":+ECDSA", TLS_PREFER_RSA, true, true, 0x0804, 10},
        {PRODUCT ":!ECDSA", TLS_PREFER_RSA, true, false, 0x0804, 6},
        {PRODUCT ":!aRSA", TLS_PREFER_ECDSA, false, true, 0x0403, 4},
        {"TLS_AES_128_GCM_SHA256", TLS_PREFER_ECDSA, false, false, 0x0403, 10},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        enum tls_preference preference;
        struct tls_ciphers ciphers;
        struct slice fault;

        assert_int_equal(tls_ciphers_parse(cases[i].string, &ciphers, &fault), ASSAY_OK);
        assert_int_equal(ciphers.preference, cases[i].preference);
        assert_int_equal(ciphers.has_rsa, cases[i].rsa);
        assert_int_equal(ciphers.has_ecdsa, cases[i].ecdsa);
        assert_int_equal(ciphers.signatures[0], cases[i].first_signature);
        assert_int_equal(ciphers.signature_count, cases[i].signatures);
        assert_int_equal(tls_cipher_preference(cases[i].string, &preference), ASSAY_OK);
        assert_int_equal(preference, cases[i].preference);
    }
}

static void test_all_at_once(void **state)
{
    struct tls_ciphers ciphers;
    struct slice fault;

    assert_int_equal(tls_ciphers_parse("ALL:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
                                       &ciphers, &fault),
                     ASSAY_OK);
    assert_true(strlen(ciphers.names) < TLS_CIPHER_NAMES_MAX);
    assert_int_equal(strncmp(ciphers.names, "TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES128", 43), 0);
}

static void test_common_names(void **state)
{
    assert_string_equal(tls_ciphers_common_name("TLS13-CHACHA20-POLY1305-SHA256"), "TLS_CHACHA20_POLY1305_SHA256");
    assert_string_equal(tls_ciphers_common_name("DHE-RSA-AES128-SHA"), "DHE-RSA-AES128-SHA");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_name_the_word),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_preference),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_common_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
