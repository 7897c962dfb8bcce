/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/signature.h"

static struct x509_certificate parsed(const struct forge *what)
{
    struct x509_certificate certificate;

    assert_int_equal(x509_certificate_parse(forge_certificate(what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

static const struct {
    enum forge_kind kind;
    int digest;
    bool pss;
} good[] = {
    {FORGE_RSA2048, 1, false},   {FORGE_RSA2048, 256, false}, {FORGE_RSA2048, 384, false}, {FORGE_RSA2048, 512, false},
    {FORGE_RSA2048, 1, true},    {FORGE_RSA2048, 256, true},  {FORGE_RSA2048, 384, true},  {FORGE_RSA2048, 512, true},
    {FORGE_RSA1024, 1, false},   {FORGE_RSA1024, 256, false}, {FORGE_RSA1024, 256, true},  {FORGE_P256, 1, false},
    {FORGE_P256, 256, false},    {FORGE_P256, 384, false},    {FORGE_P256, 512, false},    {FORGE_P384, 256, false},
    {FORGE_P384, 384, false},    {FORGE_P384, 512, false},    {FORGE_P521, 256, false},    {FORGE_P521, 512, false},
    {FORGE_ED25519, 256, false},
};

static void every_algorithm(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        void *key = forge_key(good[i].kind, 0);
        struct forge what = {
            .subject = "a", .key = key, .digest = good[i].digest, .pss = good[i].pss, .break_signature = true};
        struct x509_certificate bad = parsed(&what), other;

        what.break_signature = false;
        other = parsed(&(struct forge){.subject = "b", .key = forge_key(good[i].kind, 1)});
        assert_int_equal(x509_signature_check(&bad, &bad.key), ASSAY_ERR_REFUSED);
        bad = parsed(&what);
        assert_int_equal(x509_signature_check(&bad, &other.key), ASSAY_ERR_REFUSED); /* another key */
        assert_int_equal(x509_signature_check(&bad, &bad.key), ASSAY_OK);
        bad.tbs.len--; /* other contents */
        assert_int_equal(x509_signature_check(&bad, &bad.key), ASSAY_ERR_REFUSED);
    }
}

/* The whole signature flipped octet by octet never verifies. */
static void no_octet_is_ignored(void **state)
{
    static const enum forge_kind kinds[] = {FORGE_RSA1024, FORGE_P256, FORGE_ED25519};

    (void)state;
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        struct x509_certificate c = parsed(&(struct forge){.subject = "a", .key = forge_key(kinds[k], 0)});
        uint8_t *signature = (uint8_t *)(uintptr_t)c.signature.data;

        for (size_t i = 0; i < c.signature.len; i++) {
            signature[i] ^= 0x20;
            assert_int_equal(x509_signature_check(&c, &c.key), ASSAY_ERR_REFUSED);
            signature[i] ^= 0x20;
        }
        assert_int_equal(x509_signature_check(&c, &c.key), ASSAY_OK);
    }
}

static void kinds_do_not_mix(void **state)
{
    struct x509_certificate rsa = parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_RSA1024, 0)});
    struct x509_certificate ec = parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_P256, 0)});
    struct x509_certificate ed = parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_ED25519, 0)});

    (void)state;
    assert_int_equal(x509_signature_check(&rsa, &ec.key), ASSAY_ERR_REFUSED);
    assert_int_equal(x509_signature_check(&ec, &rsa.key), ASSAY_ERR_REFUSED);
    assert_int_equal(x509_signature_check(&ed, &ec.key), ASSAY_ERR_REFUSED);
    assert_int_equal(x509_signature_check(&ec, &ed.key), ASSAY_ERR_REFUSED);
}

static void refuses_the_unsupported(void **state)
{
    struct x509_certificate md5 =
        parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_RSA1024, 0), .digest = 5});
    struct x509_certificate ec = parsed(&(struct forge){.subject = "a"});
    struct x509_key unknown = {.kind = X509_KEY_UNSUPPORTED};

    (void)state;
    assert_int_equal(x509_signature_check(&md5, &md5.key), ASSAY_ERR_UNSUPPORTED);
    assert_int_equal(x509_signature_check(&ec, &unknown), ASSAY_ERR_UNSUPPORTED);
    ec.signature_algorithm.kind = X509_SIGNATURE_UNSUPPORTED;
    assert_int_equal(x509_signature_check(&ec, &ec.key), ASSAY_ERR_UNSUPPORTED);
}

/* A PSS key signs with PSS only, and with its own digest where it names one (RFC 4055 §1.2). */
static void pss_keys(void **state)
{
    void *key = forge_key(FORGE_RSA2048, 0);
    struct x509_certificate pss = parsed(&(struct forge){.subject = "a", .key = key, .pss = true});
    struct x509_certificate pkcs1 = parsed(&(struct forge){.subject = "a", .key = key});
    struct x509_key signer = pss.key;

    (void)state;
    signer.kind = X509_KEY_RSA_PSS;
    assert_int_equal(x509_signature_check(&pkcs1, &signer), ASSAY_ERR_REFUSED);
    assert_int_equal(x509_signature_check(&pss, &signer), ASSAY_OK);
    signer.pss_digest = X509_DIGEST_SHA384;
    assert_int_equal(x509_signature_check(&pss, &signer), ASSAY_ERR_REFUSED);
    signer.pss_digest = X509_DIGEST_SHA256;
    signer.pss_salt_bytes = 32;
    assert_int_equal(x509_signature_check(&pss, &signer), ASSAY_OK);
    signer.pss_salt_bytes = 33;
    assert_int_equal(x509_signature_check(&pss, &signer), ASSAY_ERR_REFUSED);
}

static void refuses_bent_encodings(void **state)
{
    struct x509_certificate ec = parsed(&(struct forge){.subject = "a"});
    struct x509_certificate rsa = parsed(&(struct forge){.subject = "a", .key = forge_key(FORGE_RSA1024, 0)});
    static const char *const bad[] = {"",
                                      "00",
                                      "3000",
                                      "3006 020100 020100",
                                      "3006 020101 0201ff",
                                      "3006 020101 020101 00",
                                      "3080 020101 020101 0000"};
    struct slice leading = forge_join(forge_hex("00"), rsa.signature);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ec.signature = forge_hex(bad[i]);
        assert_int_equal(x509_signature_check(&ec, &ec.key), ASSAY_ERR_REFUSED);
    }
    rsa.signature = leading;
    assert_int_equal(x509_signature_check(&rsa, &rsa.key), ASSAY_ERR_REFUSED);
}

/* A peer's choice of keys does not make a search dear. */
static void work_has_a_price(void **state)
{
    static const struct {
        enum x509_key_kind kind;
        uint16_t bits;
        uint32_t price;
    } cases[] = {
        {X509_KEY_P256, 256, 1},  {X509_KEY_ED25519, 256, 1}, {X509_KEY_RSA, 2048, 1},      {X509_KEY_RSA_PSS, 1024, 1},
        {X509_KEY_P384, 384, 4},  {X509_KEY_P521, 521, 6},    {X509_KEY_RSA, 2049, 4},      {X509_KEY_RSA_PSS, 4096, 4},
        {X509_KEY_RSA, 8192, 16}, {X509_KEY_RSA, 16384, 16},  {X509_KEY_UNSUPPORTED, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_key key = {.kind = cases[i].kind, .bits = cases[i].bits};
        struct x509_work work = {.max = 2 * cases[i].price + (cases[i].price > 1)};

        assert_true(x509_work_take(&work, &key));
        assert_true(x509_work_take(&work, &key));
        assert_int_equal(work.used, 2 * cases[i].price);
        assert_false(x509_work_take(&work, &key));
        assert_int_equal(work.checks, 2);
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
        cmocka_unit_test(work_has_a_price),        cmocka_unit_test(every_algorithm),
        cmocka_unit_test(no_octet_is_ignored),     cmocka_unit_test(kinds_do_not_mix),
        cmocka_unit_test(refuses_the_unsupported), cmocka_unit_test(pss_keys),
        cmocka_unit_test(refuses_bent_encodings),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
