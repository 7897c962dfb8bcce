/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/profile.h"

#define NONE slice_of(NULL, 0)

/* What every profile accepts. */
static struct forge leaf_of(void)
{
    return (struct forge){.subject = "a.example",
                          .issuer = "CA",
                          .key = forge_key(FORGE_P256, 1),
                          .signer = forge_key(FORGE_P256, 0),
                          .not_before = FORGE_NOW - 86400,
                          .not_after = FORGE_NOW + 86400,
                          .extensions = {forge_san(forge_dns("a.example")), forge_aki("CA"),
                                         forge_purpose(FORGE_SERVER_AUTH), forge_usage(X509_KU_DIGITAL_SIGNATURE)}};
}

static struct forge root_of(void)
{
    return (struct forge){
        .subject = "CA",
        .key = forge_key(FORGE_P256, 0),
        .extensions = {forge_ca(-1), forge_ski("CA"), forge_usage(X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)}};
}

#define LEAF(...)                      \
    ({                                 \
        struct forge what = leaf_of(); \
        __VA_ARGS__;                   \
        forge_certificate(&what);      \
    })
#define ROOT(...)                      \
    ({                                 \
        struct forge what = root_of(); \
        __VA_ARGS__;                   \
        forge_certificate(&what);      \
    })

static const char *fault_of(struct slice der, enum x509_profile profile, size_t index, bool anchor)
{
    struct x509_certificate certificate;
    const struct x509_certificate *path[2] = {&certificate, &certificate};
    struct x509_policy policy;
    const char *fault = "";

    if (x509_certificate_parse(der, &certificate, &fault) != ASSAY_OK)
        fail_msg("%s", fault);
    x509_policy_default(&policy);
    x509_policy_profile(&policy, profile);
    fault = x509_profile_fault(path, index, anchor, &policy);
    return fault != NULL ? fault : "";
}

struct scene {
    struct slice der;
    const char *rfc5280, *webpki; /* how the fault begins; "": none; webpki NULL: as rfc5280 */
};

static void run(const struct scene *scenes, size_t count, size_t index, bool anchor)
{
    for (size_t i = 0; i < count; i++) {
        const char *rfc5280 = fault_of(scenes[i].der, X509_PROFILE_RFC5280, index, anchor);
        const char *webpki = fault_of(scenes[i].der, X509_PROFILE_WEBPKI, index, anchor);
        const char *expected = scenes[i].webpki != NULL ? scenes[i].webpki : scenes[i].rfc5280;

        assert_string_equal(fault_of(scenes[i].der, X509_PROFILE_ENTERPRISE, index, anchor), "");
        if (strncmp(rfc5280, scenes[i].rfc5280, strlen(scenes[i].rfc5280)) != 0 ||
            (*scenes[i].rfc5280 == 0) != (*rfc5280 == 0))
            fail_msg("%zu: rfc5280: \"%s\", expected \"%s\"", i, rfc5280, scenes[i].rfc5280);
        if (strncmp(webpki, expected, strlen(expected)) != 0 || (*expected == 0) != (*webpki == 0))
            fail_msg("%zu: webpki: \"%s\", expected \"%s\"", i, webpki, expected);
    }
}

#define RUN(scenes, index, anchor) run(scenes, sizeof(scenes) / sizeof(scenes[0]), index, anchor)

static struct slice san(bool critical, struct slice names)
{
    return forge_extension("2.5.29.17", critical, FORGE_TLV(0x30, names));
}

static void leaves(void **state)
{
    struct slice eku_any =
        forge_extension("2.5.29.37", false, FORGE_TLV(0x30, forge_oid(FORGE_SERVER_AUTH), forge_oid("2.5.29.37.0")));
    struct slice eku_critical = forge_extension("2.5.29.37", true, FORGE_TLV(0x30, forge_oid(FORGE_SERVER_AUTH)));
    struct slice aki_full =
        forge_extension("2.5.29.35", false,
                        FORGE_TLV(0x30, forge_text(0x80, "CA"), FORGE_TLV(0xa1, FORGE_TLV(0xa4, forge_name("CA"))),
                                  forge_hex("820101")));
    struct slice old = FORGE_TLV(0x30, forge_hex("180f 32303233303130313030303030305a"), forge_time(FORGE_NOW));
    const struct scene scenes[] = {
        {LEAF(what.serial = forge_hex("020100")), "the serial number is zero", NULL},
        {LEAF(what.extensions[4] = forge_extension("2.5.29.19", true, FORGE_TLV(0x30, forge_hex("010100")))),
         "a default value is encoded", NULL},
        {LEAF(what.validity = old), "a date before 2050", NULL},
        {LEAF(what.extensions[3] = forge_extension("2.5.29.15", true, forge_hex("03020080"))),
         "the keyUsage has trailing zero bits", NULL},
        {LEAF(what.extensions[4] = forge_extension("1.3.6.1.5.5.7.1.1", false, forge_hex("3000"))),
         "the authorityInfoAccess does not decode", NULL},
        {LEAF(what.extensions[1] = forge_purpose(FORGE_SERVER_AUTH), what.extensions[2] = NONE),
         "there is no authorityKeyIdentifier", NULL},
        {LEAF(what.extensions[3] = forge_usage(X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_CERT_SIGN)),
         "the keyUsage of a certificate that is no CA has keyCertSign", NULL},
        {LEAF(what.extensions[4] = forge_extension("2.5.29.19", true, FORGE_TLV(0x30, forge_integer(1)))),
         "a certificate that is no CA has a path length", NULL},
        {LEAF(what.subject = ""), "the subject is empty and the subjectAltName not critical", NULL},
        {LEAF(what.extensions[0] = forge_san(forge_dns("a_b.example"))), "a dNSName is no host name", NULL},
        {LEAF(what.extensions[0] = forge_san(forge_dns("a..b"))), "a dNSName is no host name", NULL},
        {LEAF(what.extensions[0] = forge_san(forge_dns("a.example."))), "a dNSName is no host name", NULL},
        /* webpki alone */
        {LEAF(what.key = forge_key(FORGE_ED25519, 0)), "", "the key is neither RSA nor"},
        {LEAF(what.extensions[2] = NONE), "", "the extKeyUsage does not name the purpose"},
        {LEAF(what.extensions[2] = forge_purpose(FORGE_CLIENT_AUTH)), "", "the extKeyUsage does not name the purpose"},
        {LEAF(what.extensions[2] = eku_any), "", "the extKeyUsage allows any purpose"},
        {LEAF(what.extensions[2] = eku_critical), "", "the extKeyUsage is critical"},
        {LEAF(what.extensions[1] = aki_full), "", "the authorityKeyIdentifier has more"},
        {LEAF(what.extensions[0] = forge_aki("CA"), what.extensions[1] = forge_purpose(FORGE_SERVER_AUTH),
              what.extensions[2] = NONE),
         "", "there is no subjectAltName"},
        {LEAF(what.extensions[0] = san(true, forge_dns("a.example"))), "", "the subjectAltName is critical"},
        {LEAF(what.extensions[0] = san(false, forge_join(forge_dns("a.example"), forge_text(0x86, "sip:x")))), "",
         "the subjectAltName has names that are neither"},
        {LEAF(what.subject = "b.example"), "", "the commonName is no name of the subjectAltName"},
        {LEAF(what.subject = "A.example"), "", "the commonName is no name of the subjectAltName"},
        {LEAF(what.subject = "2001:DB8::1",
              what.extensions[0] = forge_san(forge_join(forge_dns("a.example"), forge_ip("2001:db8::1")))),
         "", "the commonName is no name of the subjectAltName"},
        {LEAF(what.not_after = what.not_before + 398L * 86400), "", "the validity is longer than the limit"},
        {LEAF(what.not_before = 1773532800, what.not_after = 1773532800 + 200L * 86400), "",
         "the validity is longer than the limit"},
        {LEAF(what.not_before = 1868227200, what.not_after = 1868227200 + 47L * 86400), "",
         "the validity is longer than the limit"},
        /* nothing wrong */
        {LEAF((void)what), "", NULL},
        {LEAF(what.not_after = what.not_before + 398L * 86400 - 1), "", NULL},
        {LEAF(what.not_before = 1500000000, what.not_after = 1500000000 + 1000L * 86400), "", NULL},
        {LEAF(what.subject = "", what.extensions[0] = san(true, forge_dns("a.example"))), "", NULL},
        {LEAF(what.subject = "2001:db8::1", what.extensions[0] = forge_san(forge_ip("2001:db8::1"))), "", NULL},
        {LEAF(what.subject = "192.0.2.1", what.extensions[0] = forge_san(forge_ip("192.0.2.1"))), "", NULL},
        {LEAF(what.extensions[3] = NONE), "", NULL},
    };

    (void)state;
    RUN(scenes, 0, false);
}

static void authorities(void **state)
{
    struct slice lax_ca = forge_extension("2.5.29.19", false, FORGE_TLV(0x30, forge_hex("0101ff")));
    struct slice tree = FORGE_TLV(0x30, forge_subtrees(0, forge_dns("example")));
    struct slice dotted = FORGE_TLV(0x30, forge_subtrees(1, forge_dns(".example")));
    const struct scene scenes[] = {
        {ROOT(what.extensions[0] = lax_ca), "a CA's basicConstraints are not critical", NULL},
        {ROOT(what.extensions[1] = forge_usage(X509_KU_KEY_CERT_SIGN), what.extensions[2] = NONE),
         "a CA certificate has no subjectKeyIdentifier", NULL},
        {ROOT(what.extensions[3] = forge_extension("2.5.29.30", false, tree)), "the nameConstraints are not critical",
         ""},
        {ROOT(what.extensions[3] = forge_extension("2.5.29.30", true, dotted)), "a dNSName constraint begins with",
         NULL},
        {ROOT(what.extensions[3] = forge_extension("2.5.29.36", false, forge_hex("3003 800100"))),
         "the policyConstraints are not critical", NULL},
        {ROOT(what.extensions[3] = forge_extension("2.5.29.54", false, forge_hex("020100"))),
         "the inhibitAnyPolicy is not critical", NULL},
        {ROOT(what.extensions[3] = forge_purpose(FORGE_SERVER_AUTH)), "", "a root has an extKeyUsage"},
        {ROOT(what.extensions[3] = forge_aki("other")), "", "a root's key identifiers differ"},
        {ROOT(what.extensions[3] = forge_extension("2.5.29.35", false, forge_hex("3000"))), "",
         "a root's authorityKeyIdentifier is no key identifier"},
        {ROOT(what.extensions[3] = forge_aki("CA")), "", NULL},
        {ROOT(what.serial = forge_hex("020100")), "", NULL}, /* nobody looks a root up by its number */
        {ROOT((void)what), "", NULL},
    };
    const struct scene below[] = {
        {ROOT(what.issuer = "R", what.serial = forge_hex("020100")), "the serial number is zero", NULL},
        {ROOT(what.issuer = "R"), "there is no authorityKeyIdentifier", NULL},
        {ROOT(what.issuer = "R", what.extensions[3] = forge_aki("R"),
              what.extensions[4] = forge_purpose(FORGE_SERVER_AUTH)),
         "", NULL},
    };

    (void)state;
    RUN(scenes, 1, true);
    RUN(below, 1, false);
}

/* A CA in a server's place: sound, and not for the web. */
static void ca_as_leaf(void **state)
{
    struct slice der = LEAF(what.extensions[4] = forge_ca(-1), what.extensions[5] = forge_ski("x"));

    (void)state;
    assert_string_equal(fault_of(der, X509_PROFILE_RFC5280, 0, false), "");
    assert_string_equal(fault_of(der, X509_PROFILE_WEBPKI, 0, false), "a server's certificate is a CA (BR 7.1.2.7.6)");
}

static void tightens_policies(void **state)
{
    struct x509_policy policy;

    (void)state;
    x509_policy_default(&policy);
    x509_policy_profile(&policy, X509_PROFILE_ENTERPRISE);
    assert_true(policy.sha1_allowed && policy.compat_ip_as_dns && policy.cn_match == X509_CN_FALLBACK);
    x509_policy_profile(&policy, X509_PROFILE_RFC5280);
    assert_true(policy.sha1_allowed && !policy.compat_ip_as_dns && policy.cn_match == X509_CN_NEVER);
    assert_int_equal(policy.rsa_bits_min, 1024);
    x509_policy_profile(&policy, X509_PROFILE_WEBPKI);
    assert_false(policy.sha1_allowed);
    assert_int_equal(policy.rsa_bits_min, 2048);
    policy.rsa_bits_min = 4096;
    x509_policy_profile(&policy, X509_PROFILE_WEBPKI);
    assert_int_equal(policy.rsa_bits_min, 4096);
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
        cmocka_unit_test(leaves),
        cmocka_unit_test(authorities),
        cmocka_unit_test(ca_as_leaf),
        cmocka_unit_test(tightens_policies),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
