/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/crl.h"

#define ABSENT slice_of("", 0)

static struct forge_crl good_crl(void)
{
    return (struct forge_crl){.issuer = "CA", .signer = forge_key(FORGE_P256, 0)};
}

#define CRL(...)                            \
    ({                                      \
        struct forge_crl what = good_crl(); \
        __VA_ARGS__;                        \
        forge_crl(&what);                   \
    })

static struct slice entry(struct slice extensions)
{
    return forge_revoked(forge_integer(5), FORGE_NOW - 7200, extensions);
}

static void refuses(void **state)
{
    struct slice good = CRL((void)what), idp = FORGE_TLV(0x30, forge_hex("8401ff"));
    const struct {
        struct slice crl;
        enum assay_error error;
        const char *fault;
    } cases[] = {
        {slice_text("x"), ASSAY_ERR_MALFORMED, "not a DER CRL"},
        {slice_head(good, good.len - 1), ASSAY_ERR_MALFORMED, "not a DER CRL"},
        {CRL(what.trailing = slice_text("x")), ASSAY_ERR_MALFORMED, "data after the CRL"},
        {forge_hex("30023000"), ASSAY_ERR_MALFORMED, "the CRL does not decode"},
        {CRL(what.version = forge_integer(2)), ASSAY_ERR_MALFORMED, "the version is not 2"},
        {CRL(what.version = forge_integer(0)), ASSAY_ERR_MALFORMED, "the version is not 2"},
        {CRL(what.version = ABSENT), ASSAY_ERR_MALFORMED, "a version 1 CRL has extensions"},
        {CRL(what.version = ABSENT, what.no_number = true, what.revoked = entry(forge_reason(1))), ASSAY_ERR_MALFORMED,
         "an entry of a version 1 CRL has extensions"},
        {CRL(what.issuer_name = FORGE_TLV(0x30, ABSENT)), ASSAY_ERR_MALFORMED, "the issuer does not decode"},
        {CRL(what.next_update = ABSENT), ASSAY_ERR_MALFORMED, "there is no nextUpdate"},
        {CRL(what.next_update = forge_hex("170b 3233313131343232 31335a")), ASSAY_ERR_MALFORMED,
         "nextUpdate does not decode"},
        {CRL(what.inner_algorithm = forge_algorithm(what.signer, 384, false)), ASSAY_ERR_MALFORMED,
         "the inner and the outer signature algorithm differ"},
        {CRL(what.extensions_field = FORGE_TLV(0xa0, FORGE_TLV(0x30, ABSENT))), ASSAY_ERR_MALFORMED,
         "the CRL's extensions do not decode"},
        {CRL(what.extensions[0] = forge_extension("2.5.29.20", false, forge_integer(8))), ASSAY_ERR_MALFORMED,
         "an extension is there twice"},
        {CRL(what.no_number = true, what.extensions[0] = forge_extension("2.5.29.20", true, forge_integer(8))),
         ASSAY_ERR_MALFORMED, "the CRL number is marked critical"},
        {CRL(what.no_number = true, what.extensions[0] = forge_extension("2.5.29.20", false, forge_hex("0201ff"))),
         ASSAY_ERR_MALFORMED, "the CRL number does not decode"},
        {CRL(what.extensions[0] = forge_extension("2.5.29.35", true, FORGE_TLV(0x30, forge_text(0x80, "K")))),
         ASSAY_ERR_MALFORMED, "a key identifier is marked critical"},
        {CRL(what.extensions[0] = forge_extension("2.5.29.28", true, forge_hex("0500"))), ASSAY_ERR_MALFORMED,
         "the issuingDistributionPoint does not decode"},
        {CRL(what.extensions[0] = forge_extension("2.5.29.28", true, idp)), ASSAY_ERR_UNSUPPORTED,
         "an indirect CRL: not supported"},
        {CRL(what.extensions[0] = forge_extension("2.5.29.27", true, forge_integer(6))), ASSAY_ERR_UNSUPPORTED,
         "a delta CRL: give the complete one"},
        {CRL(what.extensions[0] = forge_extension("2.5.29.27", false, forge_integer(6))), ASSAY_ERR_UNSUPPORTED,
         "a delta CRL: give the complete one"},
        {CRL(what.extensions[0] = forge_extension("1.2.3", true, forge_hex("0500"))), ASSAY_ERR_UNSUPPORTED,
         "the CRL has an unknown critical extension"},
        {CRL(what.revoked = forge_hex("3000")), ASSAY_ERR_MALFORMED, "an entry does not decode"},
        {CRL(what.revoked = forge_revoked(forge_hex("02020005"), FORGE_NOW, ABSENT)), ASSAY_ERR_MALFORMED,
         "an entry does not decode"},
        {CRL(what.revoked = entry(forge_hex("0500"))), ASSAY_ERR_MALFORMED, "the extensions of an entry do not decode"},
        {CRL(what.revoked = entry(forge_join(forge_reason(1), forge_reason(2)))), ASSAY_ERR_MALFORMED,
         "an extension of an entry is there twice"},
        {CRL(what.revoked = entry(forge_reason(7))), ASSAY_ERR_MALFORMED, "the reason of an entry does not decode"},
        {CRL(what.revoked = entry(forge_reason(11))), ASSAY_ERR_MALFORMED, "the reason of an entry does not decode"},
        {CRL(what.revoked = entry(forge_reason(8))), ASSAY_ERR_MALFORMED,
         "an entry of a complete CRL takes another one back"},
        {CRL(what.revoked = entry(forge_extension("2.5.29.29", true, FORGE_TLV(0x30, forge_dns("x"))))),
         ASSAY_ERR_UNSUPPORTED, "an entry names another issuer: indirect CRLs are not supported"},
        {CRL(what.revoked = entry(forge_extension("1.2.3", true, forge_hex("0500")))), ASSAY_ERR_UNSUPPORTED,
         "an entry has an unknown critical extension"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_crl crl;
        const char *fault = "none";

        if (x509_crl_parse(cases[i].crl, &crl, &fault) != cases[i].error || strcmp(fault, cases[i].fault) != 0)
            fail_msg("%zu: \"%s\", expected \"%s\"", i, fault, cases[i].fault);
        assert_int_equal(x509_crl_parse(cases[i].crl, &crl, NULL), cases[i].error);
    }
}

/* Every shorter input is refused, and none is read beyond its end (ASan looks on). */
static void refuses_every_prefix(void **state)
{
    struct slice good = CRL(what.revoked = entry(forge_reason(1)));
    struct x509_crl crl;

    (void)state;
    for (size_t length = 0; length < good.len; length++) {
        uint8_t *copy = test_malloc(length + 1);

        memcpy(copy, good.data, length);
        assert_int_equal(x509_crl_parse(slice_of(copy, length), &crl, NULL), ASSAY_ERR_MALFORMED);
        test_free(copy);
    }
}

static void reads(void **state)
{
    struct slice list = forge_join(entry(forge_reason(1)), forge_revoked(forge_integer(600), FORGE_NOW, ABSENT));
    struct slice aki = forge_extension("2.5.29.35", false, FORGE_TLV(0x30, forge_text(0x80, "K"))), rest;
    struct slice der =
        CRL(what.revoked = list, what.extensions[0] = aki,
            what.extensions[1] = forge_extension("2.5.29.28", true, FORGE_TLV(0x30, forge_hex("8101ff"))),
            what.extensions[2] = forge_extension("1.2.3", false, forge_hex("0500")));
    struct x509_crl_entry found;
    struct x509_crl crl;

    (void)state;
    assert_int_equal(x509_crl_parse(der, &crl, NULL), ASSAY_OK);
    assert_int_equal(crl.version, 2);
    assert_int_equal(crl.this_update_s, FORGE_NOW - 3600);
    assert_int_equal(crl.next_update_s, FORGE_NOW + 3600);
    assert_int_equal(crl.entry_count, 2);
    assert_true(crl.has_number);
    assert_true(slice_is(crl.aki_key_id, "K"));
    assert_true(crl.scope.user_only);
    assert_int_equal(crl.signature_algorithm.kind, X509_SIGNATURE_ECDSA);
    rest = crl.revoked;
    assert_true(x509_crl_entry_next(&rest, &found));
    assert_int_equal(found.reason, 1);
    assert_int_equal(found.revoked_s, FORGE_NOW - 7200);
    assert_true(slice_equal(found.serial, forge_hex("05")));
    assert_true(x509_crl_entry_next(&rest, &found));
    assert_int_equal(found.reason, 0);
    assert_true(slice_equal(found.serial, forge_hex("0258")));
    assert_false(x509_crl_entry_next(&rest, &found));
    /* of version 1, and with nothing revoked: absent, or an empty list */
    assert_int_equal(x509_crl_parse(CRL(what.version = ABSENT, what.no_number = true), &crl, NULL), ASSAY_OK);
    assert_int_equal(crl.version, 1);
    assert_int_equal(crl.entry_count, 0);
    assert_int_equal(crl.scope.reasons, X509_REASONS_ALL);
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
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(reads),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
