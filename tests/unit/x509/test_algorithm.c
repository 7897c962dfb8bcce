/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/algorithm.h"

static struct slice contents(struct slice tlv)
{
    size_t header = tlv.data[1] < 0x80 ? 2 : 2 + (tlv.data[1] & 0x7f);

    return slice_tail(tlv, header);
}

#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_PSS "1.2.840.113549.1.1.10"
#define OID_EC  "1.2.840.10045.2.1"

static void refuses_signature_algorithms(void **state)
{
    struct slice bad[] = {
        FORGE_TLV(0x30, forge_hex("0500")),
        FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.1.11"), forge_hex("020100")), /* RSA with parameters */
        FORGE_TLV(0x30, forge_oid("1.2.840.10045.4.3.2"), forge_hex("0500")),     /* ECDSA with NULL */
        FORGE_TLV(0x30, forge_oid("1.3.101.112"), forge_hex("0500")),             /* Ed25519 with NULL */
        FORGE_TLV(0x30, forge_oid(OID_PSS)),                                      /* PSS without */
        FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("3000 00")),
        FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("3002a400")),
        FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("3004a202 0500")),
        FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("3004a102 0500")),
        FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("3004a002 0500")),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct x509_signature_algorithm out;
        const char *fault = NULL;

        assert_int_equal(x509_signature_algorithm_parse(contents(bad[i]), &out, &fault), ASSAY_ERR_MALFORMED);
        assert_non_null(fault);
    }
}

static struct slice pss(const char *hash, const char *mgf_hash, long salt, long trailer)
{
    return FORGE_TLV(0x30, forge_oid(OID_PSS),
                     FORGE_TLV(0x30, FORGE_TLV(0xa0, FORGE_TLV(0x30, forge_oid(hash))),
                               FORGE_TLV(0xa1, FORGE_TLV(0x30, forge_oid("1.2.840.113549.1.1.8"),
                                                         FORGE_TLV(0x30, forge_oid(mgf_hash)))),
                               FORGE_TLV(0xa2, forge_integer(salt)), FORGE_TLV(0xa3, forge_integer(trailer))));
}

#define SHA256 "2.16.840.1.101.3.4.2.1"
#define SHA384 "2.16.840.1.101.3.4.2.2"

static void signature_algorithms(void **state)
{
    void *rsa = forge_key(FORGE_RSA1024, 0), *ec = forge_key(FORGE_P256, 0);
    const struct {
        struct slice identifier;
        enum x509_signature_kind kind;
        enum x509_digest digest;
    } cases[] = {
        {FORGE_TLV(0x30, forge_oid("1.2.3")), X509_SIGNATURE_UNSUPPORTED, X509_DIGEST_NONE},
        {pss(SHA256, SHA384, 32, 1), X509_SIGNATURE_UNSUPPORTED, X509_DIGEST_SHA256}, /* two digests */
        {pss(SHA256, SHA256, 33, 1), X509_SIGNATURE_UNSUPPORTED, X509_DIGEST_SHA256}, /* long salt */
        {pss(SHA256, SHA256, 20, 1), X509_SIGNATURE_RSA_PSS, X509_DIGEST_SHA256},     /* short salt */
        {pss(SHA256, SHA256, 0, 1), X509_SIGNATURE_RSA_PSS, X509_DIGEST_SHA256},      /* none */
        {pss(SHA256, SHA256, 32, 2), X509_SIGNATURE_UNSUPPORTED, X509_DIGEST_SHA256}, /* trailer */
        {pss("1.2.3", SHA256, 32, 1), X509_SIGNATURE_UNSUPPORTED, X509_DIGEST_NONE},
        {pss(SHA256, SHA256, 32, 1), X509_SIGNATURE_RSA_PSS, X509_DIGEST_SHA256},
        {FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("3000")), X509_SIGNATURE_RSA_PSS,
         X509_DIGEST_SHA1}, /* defaults */
        {forge_algorithm(rsa, 5, false), X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_MD5},
        {forge_algorithm(rsa, 1, false), X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA1},
        {forge_algorithm(rsa, 256, false), X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA256},
        {forge_algorithm(rsa, 384, false), X509_SIGNATURE_RSA_PKCS1, X509_DIGEST_SHA384},
        {forge_algorithm(rsa, 512, true), X509_SIGNATURE_RSA_PSS, X509_DIGEST_SHA512},
        {forge_algorithm(ec, 1, false), X509_SIGNATURE_ECDSA, X509_DIGEST_SHA1},
        {forge_algorithm(ec, 512, false), X509_SIGNATURE_ECDSA, X509_DIGEST_SHA512},
        {forge_algorithm(forge_key(FORGE_ED25519, 0), 256, false), X509_SIGNATURE_ED25519, X509_DIGEST_NONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_signature_algorithm out;
        const char *fault;

        assert_int_equal(x509_signature_algorithm_parse(contents(cases[i].identifier), &out, &fault), ASSAY_OK);
        assert_int_equal(out.kind, cases[i].kind);
        assert_int_equal(out.digest, cases[i].digest);
    }
}

static struct slice rsa_spki(const char *n, const char *e)
{
    struct slice key = FORGE_TLV(0x30, forge_hex(n), forge_hex(e));

    return FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(OID_RSA), forge_hex("0500")),
                     FORGE_TLV(0x03, forge_hex("00"), key));
}

static struct slice ec_spki(const char *curve, size_t octets, uint8_t form)
{
    uint8_t point[200] = {form};

    return FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(OID_EC), forge_oid(curve)),
                     FORGE_TLV(0x03, forge_hex("00"), slice_of(point, octets)));
}

static void refuses_keys(void **state)
{
    struct slice bad[] = {
        rsa_spki("020100", "020103"),
        rsa_spki("0201fd", "020103"),   /* zero, negative */
        rsa_spki("020206fc", "020103"), /* even */
        rsa_spki("020206fd", "020101"),
        rsa_spki("020206fd", "020102"),
        rsa_spki("020206fd", "0500"),
        FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(OID_RSA), forge_integer(1)), forge_hex("030200ff")),
        ec_spki("1.2.840.10045.3.1.7", 64, 4),
        ec_spki("1.2.840.10045.3.1.7", 65, 2),
        ec_spki("1.2.840.10045.3.1.7", 33, 2),
        ec_spki("1.3.132.0.34", 65, 4),
        ec_spki("1.2.840.10045.3.1.7", 0, 0),
        FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(OID_EC)), forge_hex("030200ff")),
        FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid("1.3.101.112")), forge_hex("030200ff")),
        FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid("1.3.101.112")), forge_hex("030207 80")),
        FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(OID_PSS), forge_hex("0500")), forge_hex("030200ff")),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct x509_key key;
        const char *fault = NULL;

        assert_int_equal(x509_key_parse(contents(bad[i]), &key, &fault), ASSAY_ERR_MALFORMED);
        assert_non_null(fault);
    }
}

static void keys(void **state)
{
    const struct {
        struct slice spki;
        enum x509_key_kind kind;
        unsigned bits;
    } cases[] = {
        {forge_spki(forge_key(FORGE_RSA1024, 0)), X509_KEY_RSA, 1024},
        {forge_spki(forge_key(FORGE_RSA2048, 0)), X509_KEY_RSA, 2048},
        {forge_spki(forge_key(FORGE_P256, 0)), X509_KEY_P256, 256},
        {forge_spki(forge_key(FORGE_P384, 0)), X509_KEY_P384, 384},
        {forge_spki(forge_key(FORGE_P521, 0)), X509_KEY_P521, 521},
        {forge_spki(forge_key(FORGE_ED25519, 0)), X509_KEY_ED25519, 256},
        {rsa_spki("020206fd", "020103"), X509_KEY_RSA, 11},
        {rsa_spki("020206fd", "02050100000001"), X509_KEY_UNSUPPORTED, 11}, /* an exponent of 33 bits */
        {ec_spki("1.2.840.10045.3.1.1", 49, 4), X509_KEY_UNSUPPORTED, 0},   /* P-192 */
        {FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid("1.2.840.10040.4.1")), forge_hex("030200ff")), X509_KEY_UNSUPPORTED,
         0},
        {FORGE_TLV(0x30, FORGE_TLV(0x30, forge_oid(OID_PSS)), FORGE_TLV(0x03, forge_hex("00 3007 020206fd 020103"))),
         X509_KEY_RSA_PSS, 11},
        {FORGE_TLV(0x30, pss(SHA256, SHA256, 32, 1), FORGE_TLV(0x03, forge_hex("00 3007 020206fd 020103"))),
         X509_KEY_RSA_PSS, 11},
        {FORGE_TLV(0x30, pss(SHA256, SHA384, 32, 1), FORGE_TLV(0x03, forge_hex("00 3007 020206fd 020103"))),
         X509_KEY_UNSUPPORTED, 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_key key;
        const char *fault;

        assert_int_equal(x509_key_parse(contents(cases[i].spki), &key, &fault), ASSAY_OK);
        assert_int_equal(key.kind, cases[i].kind);
        assert_int_equal(key.bits, cases[i].bits);
    }
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
        cmocka_unit_test(refuses_signature_algorithms),
        cmocka_unit_test(signature_algorithms),
        cmocka_unit_test(refuses_keys),
        cmocka_unit_test(keys),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
