/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/extensions.h"

static void refuses_values(void **state)
{
    static const struct {
        const char *oid, *value, *fault;
        bool critical;
    } cases[] = {
        {"2.5.29.17", "3000", "the subjectAltName does not decode", false},                      /* no name */
        {"2.5.29.17", "61626364", "the subjectAltName does not decode", false},                  /* text, not DER */
        {"2.5.29.17", "3003820161 00", "the subjectAltName does not decode", false},             /* trailing */
        {"2.5.29.17", "3005 8203610062", "the subjectAltName does not decode", false},           /* NUL inside */
        {"2.5.29.17", "3004 8202c3bc", "the subjectAltName does not decode", false},             /* not ASCII */
        {"2.5.29.17", "3005 8703010203", "the subjectAltName does not decode", false},           /* 3-octet address */
        {"2.5.29.17", "300a 8708c0000200ffffff00", "the subjectAltName does not decode", false}, /* with a mask */
        {"2.5.29.17", "3003890100", "the subjectAltName does not decode", false},                /* no such kind */
        {"2.5.29.17", "3003a20161", "the subjectAltName does not decode", false},                /* DNS, constructed */
        {"2.5.29.17", "3002a400", "the subjectAltName does not decode", false},                  /* DN without Name */
        {"2.5.29.17", "3004 a0020500", "the subjectAltName does not decode", false},             /* otherName */
        {"1.3.6.1.5.5.7.1.24", "020105", "the TLS feature extension does not decode", false},
        {"1.3.6.1.5.5.7.1.24", "3003 040105", "the TLS feature extension does not decode", false},
        {"1.3.6.1.5.5.7.1.24", "3003 020105 00", "the TLS feature extension does not decode", false},
        {"2.5.29.35", "0400", "the authorityKeyIdentifier does not decode", false},
        {"2.5.29.35", "3002 8300", "the authorityKeyIdentifier does not decode", false},
        {"2.5.29.35", "3003 800161", "a key identifier is marked critical", true},
        {"2.5.29.14", "3000", "the subjectKeyIdentifier does not decode", false},
        {"2.5.29.14", "0400", "the subjectKeyIdentifier does not decode", false},
        {"2.5.29.14", "040161", "a key identifier is marked critical", true},
        {"2.5.29.19", "0500", "the basicConstraints do not decode", true},
        {"2.5.29.19", "3003010101", "the basicConstraints do not decode", true},      /* BER TRUE */
        {"2.5.29.19", "3006 0101ff 0201ff", "the path length does not decode", true}, /* -1 */
        {"2.5.29.19", "3008 0101ff 020100 0500", "the basicConstraints do not decode", true},
        {"2.5.29.15", "030100", "the keyUsage allows nothing", true},
        {"2.5.29.15", "03020700", "the keyUsage allows nothing", true},
        {"2.5.29.15", "0304000000ff", "the keyUsage does not decode", true},
        {"2.5.29.15", "0420", "the keyUsage does not decode", true},
        {"2.5.29.37", "3000", "the extKeyUsage does not decode", false},
        {"2.5.29.37", "30020500", "the extKeyUsage does not decode", false},
        {"2.5.29.30", "3000", "the nameConstraints do not decode", true},
        {"2.5.29.30", "3002a000", "the nameConstraints do not decode", true}, /* no subtree */
        {"2.5.29.30", "3004a0020500", "the nameConstraints do not decode", true},
        {"2.5.29.30", "300ba009 3007 82052a2e612e62", "the nameConstraints do not decode", true},        /* *.a.b */
        {"2.5.29.30", "300a a108 3006 8204612e622e", "the nameConstraints do not decode", true},         /* a.b. */
        {"2.5.29.30", "3009 a107 3005 8203612062", "the nameConstraints do not decode", true},           /* a b */
        {"2.5.29.30", "300a a108 3006 82042e2e612e", "the nameConstraints do not decode", true},         /* ..a. */
        {"2.5.29.30", "3007 a105 3003 82012e", "the nameConstraints do not decode", true},               /* . */
        {"2.5.29.30", "300a a008 3006 8704c0000200", "the nameConstraints do not decode", true},         /* no mask */
        {"2.5.29.30", "300e a00c 300a 8708c0000200ff00ff00", "the nameConstraints do not decode", true}, /* holes */
        {"2.5.29.30", "300a a008 3006 820161 800101", "the nameConstraints do not decode", true},        /* minimum 1 */
        {"2.5.29.30", "300a a008 3006 820161 810101", "the nameConstraints do not decode", true},        /* maximum */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = {.path_length = -1};
        const char *fault = "none";
        struct slice list = forge_extension(cases[i].oid, cases[i].critical, forge_hex(cases[i].value));

        assert_int_equal(x509_extensions_parse(list, &c, &fault), ASSAY_ERR_MALFORMED);
        assert_string_equal(fault, cases[i].fault);
    }
}

static void refuses_the_list(void **state)
{
    struct x509_certificate c = {0};
    struct slice twice =
        forge_join(forge_extension("1.2.3", false, forge_hex("00")), forge_extension("1.2.3", false, forge_hex("01")));
    struct slice many = {NULL, 0};
    const char *fault = "none";

    (void)state;
    assert_int_equal(x509_extensions_parse(twice, &c, &fault), ASSAY_ERR_MALFORMED);
    assert_string_equal(fault, "an extension is there twice");
    assert_int_equal(x509_extensions_parse(forge_hex("3003 0601 00"), &c, &fault), ASSAY_ERR_MALFORMED);
    assert_string_equal(fault, "an extension does not decode");
    for (int i = 0; i < 65; i++) {
        char oid[32];

        snprintf(oid, sizeof(oid), "1.2.3.%d", i);
        many = forge_join(many, forge_extension(oid, false, forge_hex("00")));
    }
    assert_int_equal(x509_extensions_parse(many, &c, &fault), ASSAY_ERR_MALFORMED);
    assert_string_equal(fault, "too many extensions");
}

static void unknown_critical(void **state)
{
    static const struct {
        const char *oid, *value;
        bool critical, expected;
    } cases[] = {
        {"1.2.3.4", "3000", true, true},
        {"1.3.6.1.5.5.7.1.1", "3000", true, true}, /* AIA must not be */
        {"2.5.29.99", "3000", true, true},
        {"1.2.3.4", "3000", false, false},
        {"2.5.29.32", "3006 3004 06022a03", true, false},          /* certificatePolicies */
        {"2.5.29.33", "300a 3008 06022a03 06022a04", true, false}, /* policyMappings */
        {"2.5.29.36", "3003 800100", true, false},                 /* policyConstraints */
        {"2.5.29.54", "020100", true, false},                      /* inhibitAnyPolicy */
        {"2.5.29.31", "3009 3007 a005 a003 8601 61", true, false}, /* CRL distribution points */
        {"1.3.6.1.5.5.7.48.1.5", "0500", true, false},             /* ocsp-nocheck */
        {"1.3.6.1.5.5.7.1.24", "3003 020105", true, false},        /* TLS feature */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = {0};
        const char *fault;

        assert_int_equal(x509_extensions_parse(
                             forge_extension(cases[i].oid, cases[i].critical, forge_hex(cases[i].value)), &c, &fault),
                         ASSAY_OK);
        assert_int_equal(c.unknown_critical, cases[i].expected);
    }
}

static void reads_values(void **state)
{
    static const struct {
        const char *value;
        bool ca;
        int path_length;
    } constraints[] = {
        {"3000", false, -1},
        {"3003010100", false, -1}, /* an encoded default, seen in the wild */
        {"30030101ff", true, -1},
        {"30060101ff020100", true, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(constraints) / sizeof(constraints[0]); i++) {
        struct x509_certificate c = {.path_length = -1};
        const char *fault;

        assert_int_equal(
            x509_extensions_parse(forge_extension("2.5.29.19", true, forge_hex(constraints[i].value)), &c, &fault),
            ASSAY_OK);
        assert_int_equal(c.deviations, i == 1 ? X509_DEVIATION_ENCODED_DEFAULT : 0);
        assert_int_equal(c.critical, X509_EXT_BASIC_CONSTRAINTS);
        assert_int_equal(c.is_ca, constraints[i].ca);
        assert_int_equal(c.path_length, constraints[i].path_length);
    }
}

static void a_huge_path_length_is_no_limit(void **state)
{
    static const char *const values[] = {"30090101ff 020400ffffff", "300a0101ff 02050080000000",
                                         "30080101ff 0203008000"};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct x509_certificate c = {.path_length = -1};
        const char *fault;

        assert_int_equal(x509_extensions_parse(forge_extension("2.5.29.19", true, forge_hex(values[i])), &c, &fault),
                         ASSAY_OK);
        assert_int_equal(c.path_length, -1);
    }
}

/* What is let pass, and remembered for the strict profiles. */
static void deviations(void **state)
{
    static const struct {
        const char *oid, *value;
        uint32_t expected;
    } cases[] = {
        {"2.5.29.15", "0302 0780", 0},
        {"2.5.29.15", "0302 0080", X509_DEVIATION_KEY_USAGE_BITS},
        {"2.5.29.15", "0303 0780 00", X509_DEVIATION_KEY_USAGE_BITS},
        {"1.3.6.1.5.5.7.1.1", "3000", X509_DEVIATION_AUTHORITY_INFO},
        {"1.3.6.1.5.5.7.1.1", "0500", X509_DEVIATION_AUTHORITY_INFO},
        {"1.3.6.1.5.5.7.1.1", "300a 3008 06022a03 8602 7661", 0},
        {"1.3.6.1.5.5.7.1.1", "300a 3008 06022a03 8602 76", X509_DEVIATION_AUTHORITY_INFO},
        {"2.5.29.30", "3009 a007 3005 8200 800100", X509_DEVIATION_ENCODED_DEFAULT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate c = {0};
        const char *fault;

        assert_int_equal(
            x509_extensions_parse(forge_extension(cases[i].oid, false, forge_hex(cases[i].value)), &c, &fault),
            ASSAY_OK);
        assert_int_equal(c.deviations, cases[i].expected);
    }
}

static void reads_usages(void **state)
{
    struct x509_certificate c = {0};
    const char *fault;
    struct slice list = forge_join(
        forge_extension("2.5.29.15", true, forge_hex("03030780 80")), /* digitalSignature, decipherOnly */
        forge_extension("2.5.29.37", false,
                        FORGE_TLV(0x30, forge_oid("2.5.29.37.0"), forge_oid(FORGE_CLIENT_AUTH), forge_oid("1.2.3"))));

    (void)state;
    assert_int_equal(x509_extensions_parse(list, &c, &fault), ASSAY_OK);
    assert_int_equal(c.key_usage, X509_KU_DIGITAL_SIGNATURE | X509_KU_DECIPHER_ONLY);
    assert_int_equal(c.extended_key_usage, X509_EKU_ANY | X509_EKU_CLIENT_AUTH | X509_EKU_OTHER);
}

static void reads_constraints_and_names(void **state)
{
    struct x509_certificate c = {0};
    struct slice tree = FORGE_TLV(0x30, forge_dns("a.b"), forge_hex("800100")), rest, value;
    enum x509_general_name kind;
    const char *fault;
    struct slice list = forge_join(
        forge_extension("2.5.29.30", true,
                        FORGE_TLV(0x30, FORGE_TLV(0xa0, tree), forge_subtrees(1, FORGE_TLV(0xa4, forge_name("x"))))),
        forge_extension("2.5.29.17", true,
                        FORGE_TLV(0x30, FORGE_TLV(0xa0, forge_oid("1.2.3"), FORGE_TLV(0xa0, forge_text(0x0c, "upn"))),
                                  forge_text(0x81, "a@b"), forge_text(0x86, "sip:a@b"), forge_hex("88022a03"))));

    (void)state;
    assert_int_equal(x509_extensions_parse(list, &c, &fault), ASSAY_OK);
    assert_true(c.critical & X509_EXT_SAN);
    rest = c.nc_permitted;
    assert_true(x509_subtree_next(&rest, &kind, &value));
    assert_int_equal(kind, X509_NAME_DNS);
    assert_true(slice_is(value, "a.b"));
    assert_false(x509_subtree_next(&rest, &kind, &value));
    rest = c.nc_excluded;
    assert_true(x509_subtree_next(&rest, &kind, &value));
    assert_int_equal(kind, X509_NAME_DIRECTORY);
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
        cmocka_unit_test(refuses_values),
        cmocka_unit_test(refuses_the_list),
        cmocka_unit_test(unknown_critical),
        cmocka_unit_test(reads_values),
        cmocka_unit_test(a_huge_path_length_is_no_limit),
        cmocka_unit_test(deviations),
        cmocka_unit_test(reads_usages),
        cmocka_unit_test(reads_constraints_and_names),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
