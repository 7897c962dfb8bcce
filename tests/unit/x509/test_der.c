/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/der.h"

/* X.690 §8.1.3, §10.1: lengths. */
static void refuses_bad_framing(void **state)
{
    static const char *const bad[] = {
        "",                   /* nothing */
        "30",                 /* no length */
        "3080 0000",          /* indefinite */
        "3081 05 0000000000", /* 5 in the long form */
        "3082 008000",        /* leading zero, and too short */
        "3081 80 00",         /* beyond the input */
        "3002 00",            /* beyond the input */
        "3085 0000000001 00", /* five octets */
        "3084 ffffffff 00",   /* 4 GiB */
        "1f01 00",            /* long tag */
        "bf8101 00",          /* long tag, constructed */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct slice rest = forge_hex(bad[i]), before = rest;
        struct der_value value;

        assert_int_equal(der_next(&rest, &value), ASSAY_ERR_MALFORMED);
        assert_ptr_equal(rest.data, before.data);
        assert_int_equal(rest.len, before.len);
    }
}

static void reads_values_in_turn(void **state)
{
    struct slice rest = forge_hex("0500 3003020107 0401ff"), body;
    struct der_value value;

    (void)state;
    assert_int_equal(der_next(&rest, &value), ASSAY_OK);
    assert_int_equal(value.tag, DER_NULL);
    assert_int_equal(value.body.len, 0);
    assert_int_equal(der_read(&rest, DER_SET, &body), ASSAY_ERR_MALFORMED);
    assert_true(der_is_next(rest, DER_SEQUENCE));
    assert_int_equal(der_read_whole(&rest, DER_SEQUENCE, &body), ASSAY_OK);
    assert_int_equal(body.len, 5);
    assert_int_equal(der_read(&rest, DER_OCTET_STRING, &body), ASSAY_OK);
    assert_int_equal(rest.len, 0);
    assert_false(der_is_next(rest, DER_SEQUENCE));
}

static void long_lengths(void **state)
{
    static uint8_t zeros[70000];
    struct slice rest, body;
    static const size_t sizes[] = {127, 128, 255, 256, 65535, 65536};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        rest = FORGE_TLV(0x04, slice_of(zeros, sizes[i]));
        assert_int_equal(der_read(&rest, DER_OCTET_STRING, &body), ASSAY_OK);
        assert_int_equal(body.len, sizes[i]);
    }
}

static void booleans(void **state)
{
    static const struct {
        const char *der;
        enum assay_error error;
        bool value;
    } cases[] = {
        {"010101", ASSAY_ERR_MALFORMED, false},
        {"0100", ASSAY_ERR_MALFORMED, false},
        {"0102ffff", ASSAY_ERR_MALFORMED, false},
        {"010100", ASSAY_OK, false},
        {"0101ff", ASSAY_OK, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice rest = forge_hex(cases[i].der);
        bool value = false;

        assert_int_equal(der_read_boolean(&rest, &value), cases[i].error);
        assert_int_equal(value, cases[i].value);
    }
}

static void integers(void **state)
{
    static const struct {
        const char *der;
        enum assay_error integer, small;
        uint32_t value;
    } cases[] = {
        {"0200", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED, 0},
        {"02020001", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED, 0}, /* not minimal */
        {"0202ff80", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED, 0}, /* not minimal, negative */
        {"0201ff", ASSAY_OK, ASSAY_ERR_MALFORMED, 0},              /* -1 */
        {"02050100000000", ASSAY_OK, ASSAY_ERR_RANGE, 0},
        {"0205008000 0000", ASSAY_OK, ASSAY_ERR_RANGE, 0},
        {"02047fffffff", ASSAY_OK, ASSAY_OK, 0x7fffffff},
        {"020100", ASSAY_OK, ASSAY_OK, 0},
        {"02020080", ASSAY_OK, ASSAY_OK, 128},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice rest = forge_hex(cases[i].der), again = rest, body;
        uint32_t value = 0;

        assert_int_equal(der_read_integer(&rest, DER_INTEGER, &body), cases[i].integer);
        assert_int_equal(der_read_small(&again, DER_INTEGER, &value), cases[i].small);
        assert_int_equal(value, cases[i].value);
    }
}

static void magnitudes(void **state)
{
    struct slice rest = forge_hex("0202 0080 0201 00 0201 80"), magnitude;

    (void)state;
    assert_int_equal(der_read_unsigned(&rest, &magnitude), ASSAY_OK);
    assert_int_equal(magnitude.len, 1);
    assert_int_equal(magnitude.data[0], 0x80);
    assert_int_equal(der_read_unsigned(&rest, &magnitude), ASSAY_OK);
    assert_int_equal(magnitude.len, 0);
    assert_int_equal(der_read_unsigned(&rest, &magnitude), ASSAY_ERR_MALFORMED);
}

static void bit_strings(void **state)
{
    static const struct {
        const char *der;
        enum assay_error bits, octets;
    } cases[] = {
        {"0300", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED},     /* no count of unused bits */
        {"030108", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED},   /* 8 unused */
        {"030101", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED},   /* unused bits of nothing */
        {"03020101", ASSAY_ERR_MALFORMED, ASSAY_ERR_MALFORMED}, /* an unused bit is set */
        {"030204f0", ASSAY_OK, ASSAY_ERR_MALFORMED},
        {"030100", ASSAY_OK, ASSAY_OK},
        {"030300a5a5", ASSAY_OK, ASSAY_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice rest = forge_hex(cases[i].der), again = rest, bits;
        uint8_t unused;

        assert_int_equal(der_read_bits(&rest, &bits, &unused), cases[i].bits);
        assert_int_equal(der_read_octet_bits(&again, &bits), cases[i].octets);
    }
}

static void object_identifiers(void **state)
{
    static const struct {
        const char *der;
        enum assay_error error;
    } cases[] = {
        {"0600", ASSAY_ERR_MALFORMED}, {"060255 80", ASSAY_ERR_MALFORMED}, {"06035580 01", ASSAY_ERR_MALFORMED},
        {"0603550403", ASSAY_OK},      {"06035581 00", ASSAY_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice rest = forge_hex(cases[i].der), oid;

        assert_int_equal(der_read_oid(&rest, &oid), cases[i].error);
    }
}

static void times(void **state)
{
    static const struct {
        uint8_t tag;
        const char *text;
        int64_t seconds; /* -1 here: refused */
    } cases[] = {
        {0x17, "2311142213Z", -1},       /* no seconds */
        {0x17, "231114221320", -1},      /* no zone */
        {0x17, "231114221320+0100", -1}, /* not UTC */
        {0x17, "231314221320Z", -1},     /* month 13 */
        {0x17, "230229000000Z", -1},     /* no leap year */
        {0x17, "231114242020Z", -1},     /* hour 24 */
        {0x17, "231114226020Z", -1},
        {0x17, "231114222060Z", -1}, /* leap seconds are not encoded */
        {0x17, "2311142213 0Z", -1},
        {0x17, "000000000000Z", -1},
        {0x18, "20231114221320.5Z", -1}, /* fraction */
        {0x18, "231114221320Z", -1},     /* two digits of year */
        {0x18, "00001114221320Z", -1},
        {0x16, "231114221320Z", -1}, /* another type */
        {0x17, "231114221320Z", 1700000000},
        {0x17, "700101000000Z", 0},
        {0x17, "491231235959Z", 2524607999},
        {0x17, "500101000000Z", -631152000},
        {0x18, "20500101000000Z", 2524608000},
        {0x18, "20231114221320Z", 1700000000}, /* read though an issuer should have used UTCTime */
        {0x18, "20000229120000Z", 951825600},
        {0x18, "99991231235959Z", 253402300799},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slice rest = forge_text(cases[i].tag, cases[i].text);
        int64_t seconds = -1;

        assert_int_equal(der_read_time(&rest, &seconds), cases[i].seconds == -1 ? ASSAY_ERR_MALFORMED : ASSAY_OK);
        assert_int_equal(seconds, cases[i].seconds);
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
        cmocka_unit_test(refuses_bad_framing),
        cmocka_unit_test(reads_values_in_turn),
        cmocka_unit_test(long_lengths),
        cmocka_unit_test(booleans),
        cmocka_unit_test(integers),
        cmocka_unit_test(magnitudes),
        cmocka_unit_test(bit_strings),
        cmocka_unit_test(object_identifiers),
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
