/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/rules.h"

static const struct x509_policy server = {.purpose = X509_PURPOSE_SERVER};

static struct x509_certificate parsed(const struct forge *what)
{
    struct x509_certificate certificate;

    assert_int_equal(x509_certificate_parse(forge_certificate(what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

static void leaf_extensions(void **state)
{
    const struct {
        struct slice extension;
        enum x509_reason expected;
    } cases[] = {
        {forge_extension("1.2.3.4", true, forge_hex("00")), X509_REASON_UNKNOWN_CRITICAL_EXTENSION},
        {forge_purpose(FORGE_CLIENT_AUTH), X509_REASON_PURPOSE},
        {forge_usage(X509_KU_KEY_CERT_SIGN), X509_REASON_PURPOSE},
        {forge_usage(X509_KU_CRL_SIGN | X509_KU_DATA_ENCIPHERMENT), X509_REASON_PURPOSE},
        {forge_usage(X509_KU_DIGITAL_SIGNATURE), X509_REASON_OK},
        {forge_usage(X509_KU_KEY_ENCIPHERMENT), X509_REASON_OK},
        {forge_usage(X509_KU_KEY_AGREEMENT | X509_KU_KEY_CERT_SIGN), X509_REASON_OK},
        {forge_purpose(FORGE_SERVER_AUTH), X509_REASON_OK},
        {forge_purpose("2.5.29.37.0"), X509_REASON_OK},
        {forge_ca(0), X509_REASON_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = parsed(&(struct forge){.subject = "a", .extensions = {cases[i].extension}});
        const struct x509_certificate *path[] = {&c};

        assert_int_equal(x509_rule_extensions(path, 0, false, &server), cases[i].expected);
    }
}

static void issuer_extensions(void **state)
{
    struct slice plain = forge_extension("2.5.29.19", true, forge_hex("3000"));
    const struct {
        struct forge issuer;
        bool is_anchor;
        enum x509_reason expected;
    } cases[] = {
        {{.subject = "a"}, true, X509_REASON_NOT_A_CA},
        {{.subject = "a", .extensions = {plain}}, true, X509_REASON_NOT_A_CA},
        {{.subject = "a", .version = slice_of("", 0)}, false, X509_REASON_NOT_A_CA},
        {{.subject = "a", .issuer = "b", .version = slice_of("", 0)}, true, X509_REASON_NOT_A_CA},
        {{.subject = "a", .extensions = {forge_ca(-1), forge_usage(X509_KU_CRL_SIGN)}}, true, X509_REASON_CA_KEY_USAGE},
        {{.subject = "a", .extensions = {forge_ca(-1), forge_purpose(FORGE_CLIENT_AUTH)}}, true, X509_REASON_PURPOSE},
        {{.subject = "a", .extensions = {forge_ca(-1), forge_extension("1.2.3", true, forge_hex("00"))}},
         true,
         X509_REASON_UNKNOWN_CRITICAL_EXTENSION},
        {{.subject = "a", .extensions = {forge_ca(-1)}}, false, X509_REASON_OK},
        {{.subject = "a", .extensions = {forge_ca(0), forge_usage(X509_KU_KEY_CERT_SIGN)}}, false, X509_REASON_OK},
        {{.subject = "a", .version = slice_of("", 0)}, true, X509_REASON_OK}, /* a root of version 1 */
    };
    struct x509_certificate leaf = parsed(&(struct forge){.subject = "leaf"});

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = parsed(&cases[i].issuer);
        const struct x509_certificate *path[] = {&leaf, &c};

        assert_int_equal(x509_rule_extensions(path, 1, cases[i].is_anchor, &server), cases[i].expected);
    }
}

static void path_lengths(void **state)
{
    struct x509_certificate leaf =
        parsed(&(struct forge){.subject = "leaf", .issuer = "i1", .extensions = {forge_ca(0)}});
    struct x509_certificate i1 = parsed(&(struct forge){.subject = "i1", .issuer = "i2", .extensions = {forge_ca(0)}});
    struct x509_certificate i2 =
        parsed(&(struct forge){.subject = "i2", .issuer = "root", .extensions = {forge_ca(0)}});
    struct x509_certificate own = parsed(&(struct forge){.subject = "i1", .extensions = {forge_ca(0)}});
    struct x509_certificate root1 = parsed(&(struct forge){.subject = "root", .extensions = {forge_ca(1)}});
    const struct x509_certificate *long_path[] = {&leaf, &i1, &i2, &root1}, *short_path[] = {&leaf, &i1, &root1};
    const struct x509_certificate *self_issued[] = {&leaf, &own, &own, &i2};

    (void)state;
    assert_int_equal(x509_rule_extensions(long_path, 2, false, &server), X509_REASON_PATH_LENGTH);
    assert_int_equal(x509_rule_extensions(long_path, 3, true, &server), X509_REASON_PATH_LENGTH);
    assert_int_equal(x509_rule_extensions(long_path, 1, false, &server), X509_REASON_OK);
    assert_int_equal(x509_rule_extensions(short_path, 2, true, &server), X509_REASON_OK);
    assert_int_equal(x509_rule_extensions(self_issued, 3, false, &server), X509_REASON_OK);
}

static void validity(void **state)
{
    struct x509_certificate c = parsed(&(struct forge){.subject = "a", .not_before = 1000, .not_after = 2000});
    static const struct {
        uint64_t now;
        uint32_t skew;
        enum x509_reason expected;
    } cases[] = {
        {999, 0, X509_REASON_NOT_YET_VALID},
        {0, 0, X509_REASON_NOT_YET_VALID},
        {2001, 0, X509_REASON_EXPIRED},
        {UINT64_MAX, 0, X509_REASON_EXPIRED},
        {998, 1, X509_REASON_NOT_YET_VALID},
        {2002, 1, X509_REASON_EXPIRED},
        {1000, 0, X509_REASON_OK},
        {2000, 0, X509_REASON_OK}, /* both ends belong to it */
        {999, 1, X509_REASON_OK},
        {2001, 1, X509_REASON_OK},
    };
    struct x509_policy policy;

    (void)state;
    x509_policy_default(&policy);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        policy.skew_s = cases[i].skew;
        assert_int_equal(x509_rule_validity(&c, &policy, cases[i].now), cases[i].expected);
    }
}

static void keys_and_digests(void **state)
{
    struct x509_certificate small =
        parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_RSA1024, 0), .digest = 1});
    struct x509_certificate md5 =
        parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_RSA1024, 0), .digest = 5});
    struct x509_certificate ec = parsed(&(struct forge){.subject = "a"});
    struct x509_policy policy;

    (void)state;
    x509_policy_default(&policy);
    assert_int_equal(x509_rule_digest(&md5, &policy), X509_REASON_WEAK_DIGEST);
    assert_int_equal(x509_rule_digest(&small, &policy), X509_REASON_OK);
    assert_int_equal(x509_rule_key(&small, &policy), X509_REASON_OK);
    policy.sha1_allowed = false;
    policy.rsa_bits_min = 2048;
    assert_int_equal(x509_rule_digest(&small, &policy), X509_REASON_WEAK_DIGEST);
    assert_int_equal(x509_rule_key(&small, &policy), X509_REASON_WEAK_KEY);
    assert_int_equal(x509_rule_key(&ec, &policy), X509_REASON_OK);
    ec.key.kind = X509_KEY_UNSUPPORTED;
    ec.signature_algorithm.kind = X509_SIGNATURE_UNSUPPORTED;
    assert_int_equal(x509_rule_key(&ec, &policy), X509_REASON_UNSUPPORTED_ALGORITHM);
    assert_int_equal(x509_rule_digest(&ec, &policy), X509_REASON_UNSUPPORTED_ALGORITHM);
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaf_extensions), cmocka_unit_test(issuer_extensions), cmocka_unit_test(path_lengths),
        cmocka_unit_test(validity),        cmocka_unit_test(keys_and_digests),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
