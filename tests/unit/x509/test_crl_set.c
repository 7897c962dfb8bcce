/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/crl_set.h"
#include "x509/der.h"
#include "x509/dn.h"

static struct slice crl_of(const char *issuer, int64_t this_update, struct slice revoked)
{
    return forge_crl(&(struct forge_crl){
        .issuer = issuer, .signer = forge_key(FORGE_P256, 0), .this_update = this_update, .revoked = revoked});
}

static struct slice name_of(const char *cn)
{
    struct slice name = forge_name(cn);

    return slice_tail(name, 2);
}

static void refuses(void **state)
{
    struct x509_crl_set *set = x509_crl_set_create();
    struct slice good = crl_of("A", FORGE_NOW, slice_of(NULL, 0));
    const char *fault = "none";

    (void)state;
    assert_int_equal(x509_crl_set_add(set, slice_text("x"), &fault), ASSAY_ERR_MALFORMED);
    assert_string_equal(fault, "not a DER CRL");
    assert_int_equal(x509_crl_set_add(set, slice_of(NULL, 0), &fault), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_crl_set_count(set), 0);
    assert_int_equal(x509_crl_set_add(set, good, &fault), ASSAY_OK);
    assert_int_equal(x509_crl_set_add(set, good, &fault), ASSAY_ERR_DUPLICATE);
    assert_int_equal(x509_crl_set_count(set), 1);
    assert_null(x509_crl_set_at(set, 1));
    x509_crl_set_free(set);
    x509_crl_set_free(NULL);
}

/* By issuer, the latest first, whatever the order of adding; and of nobody else. */
static void finds_by_issuer(void **state)
{
    static const char *const issuers[] = {"A", "B", "C"};
    struct x509_crl_set *set = x509_crl_set_create();
    const struct x509_crl_record *record;

    (void)state;
    for (int t = 0; t < 5; t++)
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(
                x509_crl_set_add(set, crl_of(issuers[i], FORGE_NOW + (t * 3 % 5) * 10, slice_of(NULL, 0)), NULL),
                ASSAY_OK);
    for (size_t i = 0; i < 3; i++) {
        struct slice name = name_of(issuers[i]);
        int64_t last = INT64_MAX;
        size_t next = 0, count = 0;

        while ((record = x509_crl_set_next(set, name, dn_hash(name), &next)) != NULL) {
            assert_true(dn_equal(record->crl.issuer, name));
            assert_true(record->crl.this_update_s < last);
            last = record->crl.this_update_s;
            count++;
        }
        assert_int_equal(count, 5);
    }
    for (int i = 0; i < 2; i++) {
        struct slice name = name_of(i == 0 ? "nobody" : "AA");
        size_t next = 0;

        assert_null(x509_crl_set_next(set, name, dn_hash(name), &next));
    }
    x509_crl_set_free(set);
}

/* 5000 entries in no order: each is found, and none beside them. */
static void finds_by_serial(void **state)
{
    struct x509_crl_set *set = x509_crl_set_create();
    struct slice parts[5000], whole, list;
    const struct x509_crl_record *record;
    struct x509_crl_entry entry;

    (void)state;
    for (long i = 0; i < 5000; i++)
        parts[i] = forge_revoked(forge_integer((i * 2861 % 5000) * 2 + 10), FORGE_NOW - i,
                                 i == 7 ? forge_reason(1) : slice_of(NULL, 0));
    whole = forge_tlv(0x30, parts, 5000);
    assert_int_equal(der_read(&whole, DER_SEQUENCE, &list), ASSAY_OK);
    assert_int_equal(x509_crl_set_add(set, crl_of("A", 0, list), NULL), ASSAY_OK);
    record = x509_crl_set_at(set, 0);
    assert_int_equal(record->crl.entry_count, 5000);
    for (long i = 0; i < 5000; i++) {
        struct slice yes = slice_tail(forge_integer((i * 2861 % 5000) * 2 + 10), 2);
        struct slice no = slice_tail(forge_integer(i * 2 + 11), 2);

        assert_true(x509_crl_record_find(record, yes, &entry));
        assert_true(slice_equal(entry.serial, yes));
        assert_int_equal(entry.revoked_s, FORGE_NOW - i);
        assert_int_equal(entry.reason, i == 7 ? 1 : 0);
        assert_false(x509_crl_record_find(record, no, NULL));
    }
    assert_false(x509_crl_record_find(record, slice_of(NULL, 0), NULL));
    assert_false(x509_crl_record_find(record, forge_hex("7fffffffffff"), NULL));
    x509_crl_set_free(set);
}

/* No CA may write them (RFC 5280 4.1.2.2); a list that has them is still searched right. */
static void finds_monstrous_serials(void **state)
{
    static const size_t lengths[] = {254, 255, 256, 300, 20, 255};
    struct x509_crl_set *set = x509_crl_set_create();
    struct slice list = slice_of(NULL, 0), serials[6];
    static uint8_t bytes[6][300];

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        memset(bytes[i], (int)(0x70 - 9 * i), sizeof(bytes[i]));
        serials[i] = slice_of(bytes[i], lengths[i]);
        list = forge_join(list, forge_revoked(FORGE_TLV(0x02, serials[i]), FORGE_NOW, slice_of(NULL, 0)));
    }
    assert_int_equal(x509_crl_set_add(set, crl_of("A", 0, list), NULL), ASSAY_OK);
    for (size_t i = 0; i < 6; i++)
        assert_true(x509_crl_record_find(x509_crl_set_at(set, 0), serials[i], NULL));
    x509_crl_set_free(set);
}

/* Serial numbers that differ only far behind, in length, or not at all: the first of equal ones is found. */
static void finds_by_the_end_of_a_serial(void **state)
{
    static const char *const serials[] = {"020a 10000000000000000009", "020a 10000000000000000003",
                                          "0209 100000000000000003", "020a 10000000000000000005",
                                          "020a 10000000000000000003"};
    struct x509_crl_set *set = x509_crl_set_create();
    struct slice list = slice_of(NULL, 0);
    struct x509_crl_entry entry;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        list = forge_join(list, forge_revoked(forge_hex(serials[i]), FORGE_NOW - (int64_t)i, slice_of(NULL, 0)));
    assert_int_equal(x509_crl_set_add(set, crl_of("A", 0, list), NULL), ASSAY_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_true(x509_crl_record_find(x509_crl_set_at(set, 0), slice_tail(forge_hex(serials[i]), 2), &entry));
        assert_int_equal(entry.revoked_s, FORGE_NOW - (int64_t)(i == 4 ? 1 : i));
    }
    assert_false(x509_crl_record_find(x509_crl_set_at(set, 0), forge_hex("10000000000000000004"), NULL));
    assert_false(x509_crl_record_find(x509_crl_set_at(set, 0), forge_hex("10000000000000"), NULL));
    x509_crl_set_free(set);
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

/* A record in two sets lives as long as the last of them. */
static void shares_records(void **state)
{
    struct slice der = crl_of("A", 0, slice_of(NULL, 0));
    struct x509_crl_set *one = x509_crl_set_create(), *two = x509_crl_set_create();
    struct x509_crl_record *record;
    const char *fault;

    (void)state;
    assert_int_equal(x509_crl_record_create(slice_text("x"), &record, &fault), ASSAY_ERR_MALFORMED);
    assert_null(record);
    assert_int_equal(x509_crl_record_create(der, &record, &fault), ASSAY_OK);
    assert_int_equal(x509_crl_set_insert(one, record), ASSAY_OK);
    assert_int_equal(x509_crl_set_insert(one, record), ASSAY_ERR_DUPLICATE);
    assert_int_equal(x509_crl_set_insert(two, record), ASSAY_OK);
    assert_int_equal(x509_crl_set_add(two, der, &fault), ASSAY_ERR_DUPLICATE);
    x509_crl_record_unref(record);
    x509_crl_set_free(one);
    assert_ptr_equal(x509_crl_set_at(two, 0), record);
    assert_true(slice_equal(record->crl.der, der));
    x509_crl_set_free(two);
    x509_crl_record_unref(NULL);
}

static struct x509_certificate issuer_of(const char *name, void *key, unsigned usage)
{
    struct forge what = {.subject = name, .key = key, .extensions = {forge_ca(-1)}};
    struct x509_certificate certificate;

    if (usage != 0)
        what.extensions[1] = forge_usage(usage);
    assert_int_equal(x509_certificate_parse(forge_certificate(&what), &certificate, NULL), ASSAY_OK);
    return certificate;
}

static void knows_its_signer(void **state)
{
    const struct {
        const char *issuer;
        void *key;
        unsigned usage;
        bool expected;
    } cases[] = {
        {"A", forge_key(FORGE_P256, 4), 0, true},
        {"A", forge_key(FORGE_P256, 4), X509_KU_CRL_SIGN, true},
        {"A", forge_key(FORGE_P256, 4), X509_KU_KEY_CERT_SIGN, false},
        {"A", forge_key(FORGE_P256, 5), 0, false},
        {"A", forge_key(FORGE_RSA2048, 0), 0, false},
        {"B", forge_key(FORGE_P256, 4), 0, false},
    };
    struct slice der = forge_crl(&(struct forge_crl){.issuer = "A", .signer = forge_key(FORGE_P256, 4)});
    struct x509_crl_record *record;

    (void)state;
    assert_int_equal(x509_crl_record_create(der, &record, NULL), ASSAY_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_certificate issuer = issuer_of(cases[i].issuer, cases[i].key, cases[i].usage);

        assert_int_equal(x509_crl_record_signed_by(record, &issuer), cases[i].expected);
    }
    x509_crl_record_unref(record);
}

/* By certificate, whatever the order they came in; two sets are the same when they say the same. */
static void revocations_by_ocsp(void **state)
{
    struct x509_crl_set *set = x509_crl_set_create(), *other = x509_crl_set_create();
    static const uint8_t order[] = {7, 200, 1, 90, 3};
    uint8_t sha256[32] = {0}, last = 0;
    const uint8_t *at;

    (void)state;
    assert_int_equal(x509_crl_set_response(set, sha256).len, 0);
    for (size_t i = 0; i < sizeof(order); i++) {
        sha256[0] = order[i];
        assert_int_equal(x509_crl_set_add_response(set, sha256, slice_of(&order[i], 1)), ASSAY_OK);
        assert_false(x509_crl_set_same(set, other));
        assert_int_equal(x509_crl_set_add_response(other, sha256, slice_of(&order[i], 1)), ASSAY_OK);
        assert_true(x509_crl_set_same(set, other));
    }
    assert_int_equal(x509_crl_set_add_response(set, sha256, slice_of(order, 2)), ASSAY_ERR_DUPLICATE);
    assert_int_equal(x509_crl_set_responses(set), sizeof(order));
    for (size_t i = 0; i < sizeof(order); i++) {
        struct slice der = x509_crl_set_response_at(set, i, &at);

        assert_int_equal(der.len, 1);
        assert_int_equal(der.data[0], at[0]);
        assert_true(at[0] > last);
        last = at[0];
        assert_ptr_equal(x509_crl_set_response(set, at).data, der.data);
    }
    assert_int_equal(x509_crl_set_response_at(set, sizeof(order), &at).len, 0);
    assert_null(at);
    sha256[0] = 2;
    assert_int_equal(x509_crl_set_response(set, sha256).len, 0);
    assert_int_equal(x509_crl_set_add_response(set, sha256, slice_of(order, 1)), ASSAY_OK);
    assert_int_equal(x509_crl_set_add_response(other, sha256, slice_of(order, 2)), ASSAY_OK);
    assert_false(x509_crl_set_same(set, other));
    assert_false(x509_crl_set_same(set, NULL));
    assert_true(x509_crl_set_same(NULL, NULL));
    x509_crl_set_free(set);
    x509_crl_set_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(revocations_by_ocsp),
        cmocka_unit_test(refuses),
        cmocka_unit_test(finds_by_issuer),
        cmocka_unit_test(finds_by_serial),
        cmocka_unit_test(finds_by_the_end_of_a_serial),
        cmocka_unit_test(finds_monstrous_serials),
        cmocka_unit_test(shares_records),
        cmocka_unit_test(knows_its_signer),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
