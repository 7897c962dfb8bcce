/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/name.h"

static struct x509_certificate leaf(const char *cn, struct slice names)
{
    struct forge what = {.subject = cn};
    struct x509_certificate certificate;

    if (names.len > 0)
        what.extensions[0] = forge_san(names);
    assert_int_equal(x509_certificate_parse(forge_certificate(&what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

static bool match(const struct x509_certificate *certificate, const char *host, enum x509_cn_match cn, bool compat,
                  uint32_t *warnings)
{
    struct x509_policy policy;
    struct x509_identity identity;

    x509_policy_default(&policy);
    policy.cn_match = cn;
    policy.compat_ip_as_dns = compat;
    *warnings = 0;
    assert_int_equal(x509_identity_from_host(slice_text(host), &identity), ASSAY_OK);
    return x509_name_match(certificate, &identity, &policy, warnings);
}

static void dns_names(void **state)
{
    static const struct {
        const char *presented, *host;
        bool expected;
    } cases[] = {
        {"a.example.com", "b.example.com", false},
        {"example.com", "a.example.com", false},
        {"a.example.com", "example.com", false},
        {"a.example.com", "a.example.co", false},
        {"*.example.com", "example.com", false},
        {"*.example.com", "a.b.example.com", false},
        {"*.com", "example.com", false},
        {"*", "com", false},
        {"*", "localhost", false},
        {"*.", "a.b", false},
        {"**.example.com", "a.example.com", false},
        {"a*.example.com", "ab.example.com", false},
        {"*a.example.com", "ba.example.com", false},
        {"a.*.com", "a.example.com", false},
        {"*.*.com", "a.example.com", false},
        {"xn--*.example.com", "xn--a.example.com", false},
        {".example.com", "a.example.com", false},
        {"a..example.com", "a.example.com", false},
        {"a.example.com.", "a.example.com", false}, /* a trailing dot is no dNSName (RFC 5280) */
        {"a.example.com ", "a.example.com", false},
        {"", "a.example.com", false},
        {"a.example.com", "A.Example.COM", true},
        {"A.EXAMPLE.com", "a.example.com", true},
        {"a.example.com", "a.example.com.", true},
        {"*.example.com", "a.example.com", true},
        {"*.EXAMPLE.com", "a.example.com", true},
        {"*.example.com", "xn--n3h.example.com", true},
        {"foo_bar.example.com", "foo_bar.example.com", true},
        {"localhost", "localhost", true},
        {"1.example.com", "1.example.com", true},
    };
    uint32_t warnings;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = leaf("other", forge_dns(cases[i].presented));

        assert_int_equal(match(&c, cases[i].host, X509_CN_FALLBACK, true, &warnings), cases[i].expected);
        assert_int_equal(warnings, 0);
    }
}

static void addresses(void **state)
{
    const struct {
        struct slice names;
        const char *host;
        bool strict, compat; /* compat_ip_as_dns off, on */
    } cases[] = {
        {forge_ip("10.48.36.215"), "10.48.36.216", false, false},
        {forge_ip("::a30:24d7"), "10.48.36.215", false, false}, /* another family */
        {forge_ip("::ffff:10.48.36.215"), "10.48.36.215", false, false},
        {forge_dns("*.48.36.215"), "10.48.36.215", false, false},
        {forge_dns("010.48.36.215"), "10.48.36.215", false, false},
        {forge_dns("[2001:db8::1]"), "2001:db8::1", false, false},
        {forge_dns("10.48.36.215."), "10.48.36.215", false, false}, /* no address to name constraints either */
        {forge_dns("10.48.36.215."), "10.48.36.215.", false, false},
        {forge_dns("10.48.36.215"), "10.48.36.215", false, true},
        {forge_dns("2001:DB8::0:1"), "2001:db8::1", false, true},
        {forge_ip("10.48.36.215"), "10.48.36.215", true, true},
        {forge_ip("2001:db8::1"), "[2001:db8::1]", true, true},
        {forge_join(forge_dns("10.48.36.215"), forge_ip("10.48.36.215")), "10.48.36.215", true, true},
    };
    uint32_t warnings;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = leaf("other", cases[i].names);

        assert_int_equal(match(&c, cases[i].host, X509_CN_FALLBACK, false, &warnings), cases[i].strict);
        assert_int_equal(warnings, 0);
        assert_int_equal(match(&c, cases[i].host, X509_CN_FALLBACK, true, &warnings), cases[i].compat);
        assert_int_equal(warnings, cases[i].compat && !cases[i].strict ? X509_WARN_IP_AS_DNS : 0);
    }
}

static void common_names(void **state)
{
    const struct {
        const char *cn;
        struct slice names;
        const char *host;
        bool never, fallback, either;
    } cases[] = {
        {"a.b.c", {NULL, 0}, "x.b.c", false, false, false},
        {"*.c", {NULL, 0}, "b.c", false, false, false},
        {"a b", {NULL, 0}, "a.b", false, false, false},
        {"a.b.c", {NULL, 0}, "a.b.c", false, true, true},
        {"*.b.c", {NULL, 0}, "a.b.c", false, true, true},
        {"a.b.c", forge_dns("x.b.c"), "a.b.c", false, false, true}, /* a SAN of the fitting type is there */
        {"a.b.c", forge_ip("10.1.2.3"), "a.b.c", false, true, true},
        {"a.b.c", forge_text(0x81, "a@b.c"), "a.b.c", false, true, true},
        {"10.1.2.3", {NULL, 0}, "10.1.2.3", false, true, true},
        {"10.1.2.3.", {NULL, 0}, "10.1.2.3", false, false, false},
        {"10.1.2.3", forge_ip("10.1.2.4"), "10.1.2.3", false, false, true},
        {"10.1.2.3", forge_dns("a.b"), "10.1.2.3", false, false, true},
    };
    uint32_t warnings;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = leaf(cases[i].cn, cases[i].names);

        assert_int_equal(match(&c, cases[i].host, X509_CN_NEVER, true, &warnings), cases[i].never);
        assert_int_equal(match(&c, cases[i].host, X509_CN_FALLBACK, true, &warnings), cases[i].fallback);
        assert_int_equal(match(&c, cases[i].host, X509_CN_EITHER, true, &warnings), cases[i].either);
        if (cases[i].either)
            assert_true(warnings & X509_WARN_CN_USED);
    }
    /* An address in the CN needs the compatibility setting. */
    struct x509_certificate c = leaf("10.1.2.3", slice_of(NULL, 0));

    assert_false(match(&c, "10.1.2.3", X509_CN_EITHER, false, &warnings));
}

static void the_last_common_name_counts(void **state)
{
    struct slice first = FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, "first.a.b")));
    struct slice last = FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x13, "last.a.b")));
    struct slice nul =
        FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), FORGE_TLV(0x0c, slice_of("a.b.c\0.d", 8))));
    struct x509_certificate c;
    uint32_t warnings;

    (void)state;
    assert_int_equal(
        x509_certificate_parse(
            forge_certificate(&(struct forge){.subject_name = FORGE_TLV(0x30, first, last), .issuer = "ca"}), &c, NULL),
        ASSAY_OK);
    assert_false(match(&c, "first.a.b", X509_CN_FALLBACK, true, &warnings));
    assert_true(match(&c, "last.a.b", X509_CN_FALLBACK, true, &warnings));
    assert_int_equal(
        x509_certificate_parse(forge_certificate(&(struct forge){.subject_name = FORGE_TLV(0x30, nul), .issuer = "ca"}),
                               &c, NULL),
        ASSAY_OK);
    assert_false(match(&c, "a.b.c", X509_CN_FALLBACK, true, &warnings));
}

static void multi_server(void **state) /* MRA S12: the CN names the cluster, the SANs its nodes */
{
    struct x509_certificate c =
        leaf("cucm-ms.steven.lab", forge_join(forge_dns("cucm.steven.lab"), forge_dns("steven.lab")));
    uint32_t warnings;

    (void)state;
    assert_false(match(&c, "cucm-ms.steven.lab", X509_CN_FALLBACK, true, &warnings));
    assert_false(match(&c, "10.48.36.215", X509_CN_FALLBACK, true, &warnings));
    assert_true(match(&c, "cucm.steven.lab", X509_CN_FALLBACK, true, &warnings));
    assert_true(match(&c, "cucm-ms.steven.lab", X509_CN_EITHER, true, &warnings));
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
        cmocka_unit_test(dns_names),    cmocka_unit_test(addresses),
        cmocka_unit_test(common_names), cmocka_unit_test(the_last_common_name_counts),
        cmocka_unit_test(multi_server),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
