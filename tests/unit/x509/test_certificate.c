/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/certificate.h"
#include "x509/dn.h"

static void refuse(const struct forge *what, const char *expected)
{
    struct x509_certificate certificate;
    const char *fault = "none";

    assert_int_equal(x509_certificate_parse(forge_certificate(what), &certificate, &fault), ASSAY_ERR_MALFORMED);
    assert_string_equal(fault, expected);
}

#define REFUSE(text, ...) refuse(&(struct forge){.subject = "a", __VA_ARGS__}, text)

static void refuses_the_frame(void **state)
{
    struct x509_certificate certificate;
    struct slice good = forge_certificate(&(struct forge){.subject = "a"});
    const char *fault;

    (void)state;
    assert_int_equal(x509_certificate_parse(slice_of(NULL, 0), &certificate, &fault), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_certificate_parse(slice_text("-----BEGIN"), &certificate, NULL), ASSAY_ERR_MALFORMED);
    for (size_t i = 0; i < good.len; i++) /* cut anywhere */
        assert_int_equal(x509_certificate_parse(slice_head(good, i), &certificate, NULL), ASSAY_ERR_MALFORMED);
    REFUSE("data after the certificate", .trailing = forge_hex("00"));
}

static void refuses_version_and_serial(void **state)
{
    struct slice v1 = slice_of("", 0), v2 = forge_hex("a003020101");

    (void)state;
    REFUSE("the version is not 2 or 3", .version = forge_hex("a003020100")); /* a default is not encoded */
    REFUSE("the version is not 2 or 3", .version = forge_hex("a003020103"));
    REFUSE("the version does not decode", .version = forge_hex("a0020500"));
    REFUSE("a certificate that is not version 3 has extensions", .version = v2, .extensions = {forge_ca(-1)});
    REFUSE("a certificate that is not version 3 has extensions", .version = v1, .extensions = {forge_ca(-1)});
    REFUSE("a version 1 certificate has unique identifiers", .version = v1, .unique_ids = forge_hex("810200ff"));
    REFUSE("the serial number is negative", .serial = forge_hex("0201ff"));
    REFUSE("the serial number does not decode", .serial = forge_hex("02020001"));
    REFUSE("the serial number does not decode", .serial = forge_hex("0200"));
    REFUSE("the serial number is longer than 20 octets",
           .serial = forge_hex("0215 010203040506070809101112131415161718192021"));
}

static void refuses_algorithms_and_keys(void **state)
{
    struct slice sha256 = forge_algorithm(forge_key(FORGE_P256, 0), 256, false);
    struct slice sha384 = forge_algorithm(forge_key(FORGE_P256, 0), 384, false);
    /* prime256v1 written out */
    struct slice explicit_parameters =
        FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid("1.2.840.10045.2.1"), FORGE_TLV(0x30, forge_integer(1))),
                  forge_hex("030200ff"));

    (void)state;
    REFUSE("the inner and the outer signature algorithm differ", .outer_algorithm = sha384);
    REFUSE("the inner and the outer signature algorithm differ", .inner_algorithm = sha384, .outer_algorithm = sha256);
    REFUSE("the EC key has explicit parameters or none", .spki = explicit_parameters);
    REFUSE("the public key does not decode", .spki = forge_hex("3000"));
}

static void refuses_names_and_validity(void **state)
{
    struct slice before = forge_time(FORGE_BEFORE), after = forge_time(FORGE_AFTER);

    (void)state;
    REFUSE("the issuer is empty", .issuer_name = forge_hex("3000"));
    REFUSE("the issuer does not decode", .issuer_name = forge_hex("30023100"));
    REFUSE("the subject does not decode", .subject_name = forge_hex("30023100"));
    REFUSE("the validity does not decode", .validity = FORGE_TLV(0x30, before));
    REFUSE("the validity does not decode", .validity = FORGE_TLV(0x30, before, after, after));
    REFUSE("the validity does not decode", .validity = FORGE_TLV(0x30, before, forge_text(0x17, "9912312359Z")));
    REFUSE("the certificate names no subject", .subject_name = forge_hex("3000"));
    REFUSE("a CA certificate has an empty subject", .subject_name = forge_hex("3000"), .extensions = {forge_ca(-1)});
    REFUSE("a certificate that is no CA has name constraints",
           .extensions = {forge_constraints(forge_subtrees(0, forge_dns("a")), slice_of(NULL, 0))});
}

static void reads_all_fields(void **state)
{
    void *key = forge_key(FORGE_P384, 0);
    struct slice der = forge_certificate(&(struct forge){
        .subject = "cucm.steven.lab",
        .issuer = "Steven CA",
        .key = key,
        .signer = forge_key(FORGE_P256, 1),
        .extensions = {forge_san(forge_join(forge_dns("cucm.steven.lab"), forge_ip("10.48.36.215"))), forge_ski("leaf"),
                       forge_aki("ca"), forge_ca(3), forge_usage(X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_CERT_SIGN),
                       forge_purpose(FORGE_SERVER_AUTH), forge_extension("1.2.3.4", true, forge_hex("0500"))},
    });
    struct x509_certificate c;
    enum x509_general_name kind;
    struct slice names, value;

    (void)state;
    assert_int_equal(x509_certificate_parse(der, &c, NULL), ASSAY_OK);
    assert_int_equal(c.version, 3);
    assert_true(slice_equal(c.serial, forge_hex("1234")));
    assert_int_equal(c.not_before_s, FORGE_BEFORE);
    assert_int_equal(c.not_after_s, FORGE_AFTER);
    assert_false(c.self_issued);
    assert_int_equal(c.key.kind, X509_KEY_P384);
    assert_int_equal(c.key.bits, 384);
    assert_int_equal(c.signature_algorithm.kind, X509_SIGNATURE_ECDSA);
    assert_int_equal(c.signature_algorithm.digest, X509_DIGEST_SHA256);
    assert_true(c.is_ca);
    assert_int_equal(c.path_length, 3);
    assert_int_equal(c.key_usage, X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_CERT_SIGN);
    assert_int_equal(c.extended_key_usage, X509_EKU_SERVER_AUTH);
    assert_true(c.unknown_critical);
    assert_true(slice_is(c.ski, "leaf"));
    assert_true(slice_is(c.aki_key_id, "ca"));
    assert_true(slice_equal(c.spki, forge_spki(key)));
    names = c.san;
    assert_true(x509_general_name_next(&names, &kind, &value));
    assert_int_equal(kind, X509_NAME_DNS);
    assert_true(slice_is(value, "cucm.steven.lab"));
    assert_true(x509_general_name_next(&names, &kind, &value));
    assert_int_equal(kind, X509_NAME_IP);
    assert_int_equal(value.len, 4);
    assert_false(x509_general_name_next(&names, &kind, &value));
}

static void accepts_what_is_deployed(void **state)
{
    struct x509_certificate c;
    const struct forge good[] = {
        {.subject = "zero serial", .serial = forge_hex("020100")},
        {.subject = "20 octets", .serial = forge_hex("0214 7f02030405060708091011121314151617181920")},
        {.subject = "v1", .version = slice_of("", 0)},
        {.subject = "v2", .version = forge_hex("a003020101"), .unique_ids = forge_hex("81020000 82020000")},
        {.subject = "v3 without extensions"},
        {.subject_name = forge_hex("3000"), .issuer = "ca", .extensions = {forge_san(forge_dns("a"))}},
        {.subject = "far", .not_after = 253402300799},
        {.subject = "backwards",
         .not_before = FORGE_AFTER,
         .not_after = FORGE_BEFORE}, /* never valid, but well formed */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(x509_certificate_parse(forge_certificate(&good[i]), &c, NULL), ASSAY_OK);
}

static void fingerprints_and_self_issue(void **state)
{
    struct x509_certificate a, b;

    (void)state;
    assert_int_equal(x509_certificate_parse(forge_certificate(&(struct forge){.subject = "a"}), &a, NULL), ASSAY_OK);
    assert_int_equal(x509_certificate_parse(forge_certificate(&(struct forge){.subject = "a"}), &b, NULL), ASSAY_OK);
    assert_true(a.self_issued);
    assert_true(x509_certificate_same(&a, &a));
    assert_false(x509_certificate_same(&a, &b)); /* ECDSA signs at random */
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
        cmocka_unit_test(refuses_the_frame),
        cmocka_unit_test(refuses_version_and_serial),
        cmocka_unit_test(refuses_algorithms_and_keys),
        cmocka_unit_test(refuses_names_and_validity),
        cmocka_unit_test(reads_all_fields),
        cmocka_unit_test(accepts_what_is_deployed),
        cmocka_unit_test(fingerprints_and_self_issue),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
