/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "forge.h"
#include "forge_ocsp.h"
#include "x509/crl_set.h"
#include "x509/ocsp.h"
#include "x509/signature.h"

#define NONE slice_of(NULL, 0)

static void *ca_key(void)
{
    return forge_key(FORGE_P256, 0);
}

static struct x509_certificate parsed(struct slice der)
{
    struct x509_certificate certificate;

    assert_int_equal(x509_certificate_parse(der, &certificate, NULL), ASSAY_OK);
    return certificate;
}

static struct slice ca_der(void)
{
    return forge_certificate(&(struct forge){.subject = "CA", .key = ca_key(), .extensions = {forge_ca(-1)}});
}

static struct slice leaf_der(void)
{
    return forge_certificate(
        &(struct forge){.subject = "leaf", .issuer = "CA", .key = forge_key(FORGE_P256, 1), .signer = ca_key()});
}

#define RESPONSE(...) forge_ocsp(&(struct forge_ocsp){__VA_ARGS__})

static void refuses(void **state)
{
    struct slice critical = FORGE_TLV(0xa1, FORGE_TLV(0x30, forge_extension("1.2.3", true, forge_hex("0500"))));
    const struct {
        struct slice der;
        enum assay_error error;
        const char *fault;
    } cases[] = {
        {forge_hex("3000"), ASSAY_ERR_MALFORMED, "not a DER OCSP response"},
        {forge_join(RESPONSE(.digest = 256), forge_hex("00")), ASSAY_ERR_MALFORMED, "not a DER OCSP response"},
        {forge_hex("3003 0a0103"), ASSAY_ERR_REFUSED, "the responder says tryLater"},
        {forge_hex("3003 0a0106"), ASSAY_ERR_REFUSED, "the responder says unauthorized"},
        {forge_hex("3003 0a0104"), ASSAY_ERR_REFUSED, "the responder gives no answer"},
        {forge_hex("3003 0a0100"), ASSAY_ERR_MALFORMED, "the response bytes do not decode"},
        {forge_hex("300d 0a0100 a008 3006 06022a03 0400"), ASSAY_ERR_UNSUPPORTED, "not a basic OCSP response"},
        {forge_ocsp_wrapped(forge_hex("3000")), ASSAY_ERR_MALFORMED, "the basic response does not decode"},
        {RESPONSE(.responder = FORGE_TLV(0xa2, forge_text(0x04, "short"))), ASSAY_ERR_MALFORMED,
         "the responder's identity does not decode"},
        {RESPONSE(.responder = FORGE_TLV(0xa1, forge_hex("3000"))), ASSAY_ERR_MALFORMED,
         "the responder's identity does not decode"},
        {RESPONSE(.status = forge_hex("800100")), ASSAY_ERR_MALFORMED, "a response does not decode"},
        {RESPONSE(.status = forge_hex("8300")), ASSAY_ERR_MALFORMED, "a response does not decode"},
        {RESPONSE(.status = forge_hex("a100")), ASSAY_ERR_MALFORMED, "a response does not decode"},
        {RESPONSE(.serial = forge_hex("02020001")), ASSAY_ERR_MALFORMED, "a response does not decode"},
        {RESPONSE(.extensions = forge_hex("a100")), ASSAY_ERR_MALFORMED, "the response's extensions do not decode"},
        {RESPONSE(.extensions = critical), ASSAY_ERR_UNSUPPORTED, "the response has an unknown critical extension"},
        {RESPONSE(.certificates = forge_hex("a002 0500")), ASSAY_ERR_MALFORMED, "the basic response does not decode"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_ocsp ocsp;
        const char *fault = "none";

        if (x509_ocsp_parse(cases[i].der, &ocsp, &fault) != cases[i].error || strcmp(fault, cases[i].fault) != 0)
            fail_msg("%zu: %s", i, fault);
    }
}

static void refuses_every_prefix(void **state)
{
    struct slice good = RESPONSE(.digest = 256);
    struct x509_ocsp ocsp;

    (void)state;
    for (size_t length = 0; length < good.len; length++) {
        uint8_t *copy = test_malloc(length + 1);

        memcpy(copy, good.data, length);
        assert_int_not_equal(x509_ocsp_parse(slice_of(copy, length), &ocsp, NULL), ASSAY_OK);
        test_free(copy);
    }
}

static void *delegate_key(void)
{
    return forge_key(FORGE_P256, 2);
}

static struct forge delegate_of(void)
{
    return (struct forge){.subject = "responder",
                          .issuer = "CA",
                          .key = delegate_key(),
                          .signer = ca_key(),
                          .extensions = {forge_purpose("1.3.6.1.5.5.7.3.9"),
                                         forge_extension("1.3.6.1.5.5.7.48.1.5", false, forge_hex("0500"))}};
}

/* A response by a delegate that is as it should be but for one thing. */
#define DELEGATED(...)                                                                            \
    ({                                                                                            \
        struct forge what = delegate_of();                                                        \
        __VA_ARGS__;                                                                              \
        RESPONSE(.responder = FORGE_TLV(0xa1, forge_name("responder")), .signer = delegate_key(), \
                 .certificates = FORGE_TLV(0xa0, FORGE_TLV(0x30, forge_certificate(&what))));     \
    })

static struct x509_ocsp_verdict judge(struct slice response, const struct x509_policy *policy)
{
    struct x509_certificate leaf = parsed(leaf_der()), ca = parsed(ca_der());
    struct x509_work work = {.max = 2};
    struct x509_ocsp_verdict verdict;

    x509_ocsp_judge(response, &leaf, &ca, policy, FORGE_NOW, &work, &verdict);
    return verdict;
}

static void judges(void **state)
{
    struct slice wrong_hash = FORGE_TLV(0x04, forge_hex("0000000000000000000000000000000000000000"));
    struct slice critical = FORGE_TLV(0xa1, FORGE_TLV(0x30, forge_extension("1.2.3", true, forge_hex("0500"))));
    struct slice revoked = FORGE_TLV(0xa1, forge_generalized(FORGE_NOW - 9), forge_hex("a003 0a0101"));
    struct forge_ocsp other = {.serial = forge_integer(9), .status = revoked};
    const struct {
        const char *name;
        struct slice response;
        enum x509_reason reason;
        const char *detail;
    } cases[] = {
        {"garbage", slice_text("x"), X509_REASON_OCSP_FAILED, "not a DER OCSP response"},
        {"another serial", RESPONSE(.serial = forge_integer(9)), X509_REASON_OCSP_FAILED,
         "the response is about another certificate"},
        {"another issuer's name", RESPONSE(.name_hash = wrong_hash), X509_REASON_OCSP_FAILED,
         "the response is about another certificate"},
        {"another issuer's key", RESPONSE(.key_hash = wrong_hash), X509_REASON_OCSP_FAILED,
         "the response is about another certificate"},
        {"a critical extension", RESPONSE(.single_extensions = critical), X509_REASON_OCSP_FAILED,
         "the response has an unknown critical extension"},
        {"no nextUpdate", RESPONSE(.no_next_update = true), X509_REASON_OCSP_FAILED, "the response has no nextUpdate"},
        {"over", RESPONSE(.next_update = FORGE_NOW - 1), X509_REASON_OCSP_FAILED, "the response's nextUpdate is over"},
        {"not yet", RESPONSE(.this_update = FORGE_NOW + 1), X509_REASON_OCSP_FAILED, "the response is not valid yet"},
        {"produced later", RESPONSE(.produced = FORGE_NOW + 1), X509_REASON_OCSP_FAILED,
         "the response is not valid yet"},
        {"wrong signature", RESPONSE(.break_signature = true), X509_REASON_OCSP_FAILED,
         "the response's signature is not the issuer's"},
        {"another's signature", RESPONSE(.signer = delegate_key()), X509_REASON_OCSP_FAILED,
         "the response's signature is not the issuer's"},
        {"the delegate is missing",
         RESPONSE(.responder = FORGE_TLV(0xa1, forge_name("responder")), .signer = delegate_key()),
         X509_REASON_OCSP_FAILED, "no certificate of the responder"},
        /* RFC 6960 §4.2.2.2: who may be a delegate */
        {"delegate of another", DELEGATED(what.issuer = "Other"), X509_REASON_OCSP_FAILED,
         "the responder's certificate is not from the certificate's issuer"},
        {"delegate by itself", DELEGATED(what.signer = NULL), X509_REASON_OCSP_FAILED,
         "the responder's certificate is not signed by the certificate's issuer"},
        {"delegate without the purpose", DELEGATED(what.extensions[0] = forge_purpose(FORGE_SERVER_AUTH)),
         X509_REASON_OCSP_FAILED, "the responder's certificate is not for OCSPSigning"},
        {"delegate for any purpose", DELEGATED(what.extensions[0] = forge_purpose("2.5.29.37.0")),
         X509_REASON_OCSP_FAILED, "the responder's certificate is not for OCSPSigning"},
        {"delegate without nocheck", DELEGATED(what.extensions[1] = NONE), X509_REASON_OCSP_FAILED,
         "the responder's certificate has no ocsp-nocheck"},
        {"delegate that may not sign", DELEGATED(what.extensions[2] = forge_usage(X509_KU_KEY_ENCIPHERMENT)),
         X509_REASON_OCSP_FAILED, "the responder's certificate may not sign (keyUsage)"},
        {"delegate expired", DELEGATED(what.not_after = FORGE_NOW - 1), X509_REASON_OCSP_FAILED,
         "the responder's certificate is not valid"},
        {"delegate with another key", DELEGATED(what.key = forge_key(FORGE_P256, 3)), X509_REASON_OCSP_FAILED,
         "the response's signature is not the responder's"},
        /* what a right one says */
        {"revoked", RESPONSE(.status = revoked), X509_REASON_REVOKED, "keyCompromise"},
        {"revoked, without nextUpdate", RESPONSE(.status = revoked, .no_next_update = true), X509_REASON_REVOKED,
         "keyCompromise"},
        {"revoked, and over", RESPONSE(.status = revoked, .next_update = FORGE_NOW - 1), X509_REASON_REVOKED,
         "keyCompromise"},
        {"revoked, and not yet", RESPONSE(.status = revoked, .this_update = FORGE_NOW + 1), X509_REASON_OCSP_FAILED,
         "the response is not valid yet"},
        {"revoked, by somebody, and over",
         RESPONSE(.status = revoked, .next_update = FORGE_NOW - 1, .break_signature = true), X509_REASON_OCSP_FAILED,
         "the response's signature is not the issuer's"},
        {"unknown, and over", RESPONSE(.status = forge_hex("8200"), .next_update = FORGE_NOW - 1),
         X509_REASON_OCSP_FAILED, "the response's nextUpdate is over"},
        {"unknown", RESPONSE(.status = forge_hex("8200")), X509_REASON_OCSP_UNKNOWN,
         "the responder does not know the certificate"},
        {"good", RESPONSE(.digest = 384), X509_REASON_OK, NULL},
        {"good, by key, SHA-256", RESPONSE(.by_key = true, .sha256_id = true), X509_REASON_OK, NULL},
        {"good, behind another's", RESPONSE(.second = forge_ocsp_single(&other)), X509_REASON_OK, NULL},
        {"good, to the second", RESPONSE(.this_update = FORGE_NOW, .next_update = FORGE_NOW, .produced = FORGE_NOW),
         X509_REASON_OK, NULL},
        {"good, delegated", DELEGATED((void)what), X509_REASON_OK, NULL},
    };
    struct x509_policy policy;

    (void)state;
    x509_policy_default(&policy);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_ocsp_verdict verdict = judge(cases[i].response, &policy);

        if (verdict.reason != cases[i].reason || (verdict.detail == NULL) != (cases[i].detail == NULL) ||
            (verdict.detail != NULL && strcmp(verdict.detail, cases[i].detail) != 0))
            fail_msg("%s: %s %s", cases[i].name, x509_reason_name(verdict.reason), verdict.detail);
    }
    for (uint32_t max = 0; max < 2; max++) {
        struct x509_certificate leaf = parsed(leaf_der()), ca = parsed(ca_der());
        struct x509_work work = {.max = max};
        struct x509_ocsp_verdict verdict;

        x509_ocsp_judge(DELEGATED((void)what), &leaf, &ca, &policy, FORGE_NOW, &work, &verdict);
        assert_int_equal(verdict.reason, X509_REASON_WORK_LIMIT);
    }
    /* No longer than the one who says so may say anything. */
    assert_int_equal(judge(DELEGATED((void)what), &policy).until_s, FORGE_NOW + 3600);
    assert_int_equal(judge(DELEGATED(what.not_after = FORGE_NOW + 60), &policy).until_s, FORGE_NOW + 60);
    policy.skew_s = 5;
    assert_int_equal(judge(DELEGATED(what.not_after = FORGE_NOW + 60), &policy).until_s, FORGE_NOW + 65);
    assert_int_equal(judge(RESPONSE(.next_update = FORGE_NOW - 5), &policy).until_s, FORGE_NOW);
    policy.sha1_allowed = false;
    assert_string_equal(judge(RESPONSE(.digest = 1), &policy).detail, "the response's digest is too weak");
    policy.sha1_allowed = true;
    assert_int_equal(judge(RESPONSE(.digest = 1), &policy).reason, X509_REASON_OK);
}

/* In a verdict: it does for the leaf what a CRL would, and no more. */
static void in_a_verdict(void **state)
{
    const struct {
        struct slice staple;
        enum x509_revocation_mode mode;
        enum x509_reason expected;
        uint32_t warnings;
    } cases[] = {
        {NONE, X509_REVOCATION_HARD_FAIL, X509_REASON_NO_CRL, 0},
        {slice_text("x"), X509_REVOCATION_HARD_FAIL, X509_REASON_OCSP_FAILED, 0},
        {RESPONSE(.status = forge_hex("8200")), X509_REVOCATION_HARD_FAIL, X509_REASON_OCSP_UNKNOWN, 0},
        {RESPONSE(.status = FORGE_TLV(0xa1, forge_generalized(FORGE_NOW))), X509_REVOCATION_SOFT_FAIL,
         X509_REASON_REVOKED, 0},
        {slice_text("x"), X509_REVOCATION_SOFT_FAIL, X509_REASON_OK, X509_WARN_NO_STATUS},
        {slice_text("x"), X509_REVOCATION_OFF, X509_REASON_OK, 0},
        {RESPONSE(.digest = 256), X509_REVOCATION_HARD_FAIL, X509_REASON_OK, 0},
    };
    struct x509_store *store = x509_store_create();
    struct slice leaf = leaf_der();
    struct x509_identity identity;
    struct x509_result result;
    struct x509_policy policy;

    (void)state;
    x509_policy_default(&policy);
    assert_int_equal(x509_store_add(store, ca_der(), X509_ROLE_ANCHOR, NULL), ASSAY_OK);
    assert_int_equal(x509_identity_from_host(slice_text("leaf"), &identity), ASSAY_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        policy.revocation = cases[i].mode;
        x509_verify_traced(store, &leaf, 1, cases[i].staple, &identity, &policy, FORGE_NOW, &result, NULL);
        assert_int_equal(result.chain_reason, cases[i].expected);
        assert_int_equal(result.warnings & X509_WARN_NO_STATUS, cases[i].warnings);
    }
    assert_int_equal(result.valid_until_s, FORGE_NOW + 3600);
    x509_store_free(store);
}

/* A leaf that demands a stapled response (RFC 7633): nothing else will do, where revocation is asked for at all. */
static void must_staple(void **state)
{
    struct slice revoked = RESPONSE(.status = FORGE_TLV(0xa1, forge_generalized(FORGE_NOW)));
    const struct {
        const char *features; /* of the extension */
        struct slice staple;
        bool crl;
        enum x509_revocation_mode mode;
        enum x509_reason expected;
    } cases[] = {
        {"3003 020105", NONE, true, X509_REVOCATION_HARD_FAIL, X509_REASON_OCSP_NEEDED},
        {"3003 020105", NONE, false, X509_REVOCATION_SOFT_FAIL, X509_REASON_OCSP_NEEDED},
        {"3006 020111 020105", NONE, true, X509_REVOCATION_SOFT_FAIL, X509_REASON_OCSP_NEEDED},
        {"3003 020105", slice_text("x"), true, X509_REVOCATION_SOFT_FAIL, X509_REASON_OCSP_NEEDED},
        {"3003 020105", RESPONSE(.next_update = FORGE_NOW - 1), true, X509_REVOCATION_SOFT_FAIL,
         X509_REASON_OCSP_NEEDED},
        {"3003 020105", revoked, true, X509_REVOCATION_SOFT_FAIL, X509_REASON_REVOKED},
        {"3003 020105", RESPONSE(.digest = 256), false, X509_REVOCATION_HARD_FAIL, X509_REASON_OK},
        {"3003 020105", NONE, false, X509_REVOCATION_OFF, X509_REASON_OK},
        {"3003 020111", NONE, true, X509_REVOCATION_HARD_FAIL, X509_REASON_OK}, /* status_request_v2: not offered */
        {"3000", NONE, true, X509_REVOCATION_HARD_FAIL, X509_REASON_OK},
    };
    struct x509_identity identity;
    struct x509_result result;
    struct x509_policy policy;

    (void)state;
    x509_policy_default(&policy);
    assert_int_equal(x509_identity_from_host(slice_text("leaf"), &identity), ASSAY_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice leaf = forge_certificate(&(struct forge){
            .subject = "leaf",
            .issuer = "CA",
            .key = forge_key(FORGE_P256, 1),
            .signer = ca_key(),
            .extensions = {forge_extension("1.3.6.1.5.5.7.1.24", false, forge_hex(cases[i].features))}});
        struct slice crl = forge_crl(&(struct forge_crl){.issuer = "CA", .signer = ca_key()});
        struct x509_store *store = x509_store_create();
        struct x509_crl_set *crls = x509_crl_set_create();

        assert_int_equal(x509_store_add(store, ca_der(), X509_ROLE_ANCHOR, NULL), ASSAY_OK);
        if (cases[i].crl)
            assert_int_equal(x509_crl_set_add(crls, crl, NULL), ASSAY_OK);
        x509_store_set_crls(store, crls);
        policy.revocation = cases[i].mode;
        x509_verify_traced(store, &leaf, 1, cases[i].staple, &identity, &policy, FORGE_NOW, &result, NULL);
        if (result.chain_reason != cases[i].expected)
            fail_msg("case %zu: %s", i, x509_reason_name(result.chain_reason));
        assert_int_equal(result.depth, 0);
        x509_store_free(store);
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
        cmocka_unit_test(refuses),      cmocka_unit_test(refuses_every_prefix), cmocka_unit_test(judges),
        cmocka_unit_test(in_a_verdict), cmocka_unit_test(must_staple),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
