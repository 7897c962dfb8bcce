/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forge.h"
#include "x509/dn.h"

#define OID_CN "2.5.4.3"
#define OID_O  "2.5.4.10"

static struct slice rdn(const char *oid, uint8_t tag, struct slice value)
{
    return FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid(oid), FORGE_TLV(tag, value)));
}

static struct slice cn(uint8_t tag, const char *text)
{
    return rdn(OID_CN, tag, slice_text(text));
}

static void refuses_malformed(void **state)
{
    static const char *const bad[] = {
        "3000",                           /* a SEQUENCE where a SET belongs */
        "3100",                           /* an empty RDN */
        "3102 3000",                      /* an attribute without a type */
        "3107 3005 0603550403",           /* without a value */
        "310b 3009 0603550403 0c0161 00", /* data after the value */
        "310a 3008 0603550403 0c0261",    /* cut */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(dn_check(forge_hex(bad[i])), ASSAY_ERR_MALFORMED);
    assert_int_equal(dn_check(slice_of(NULL, 0)), ASSAY_OK);
    assert_int_equal(dn_check(cn(0x0c, "a")), ASSAY_OK);
}

static void different_names_differ(void **state)
{
    struct slice name = cn(0x0c, "Corp CA");
    struct slice others[] = {
        cn(0x0c, "Corp CB"),
        cn(0x0c, "CorpCA"),
        cn(0x0c, "Corp CA2"),
        cn(0x0c, "Corp C"),
        rdn(OID_O, 0x0c, slice_text("Corp CA")),
        forge_join(name, name),
        slice_of(NULL, 0),
        cn(0x03, "Corp CA"), /* not a string type */
        FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid(OID_CN), forge_text(0x0c, "Corp CA")),
                  FORGE_TLV(0x30, forge_oid(OID_CN), forge_text(0x0c, "Corp CA"))),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(dn_equal(name, others[i]));
        assert_false(dn_equal(others[i], name));
    }
}

static void encodings_and_case_are_equal(void **state)
{
    struct slice name = cn(0x0c, "Corp CA");
    struct slice same[] = {
        cn(0x13, "Corp CA"),
        cn(0x13, "CORP ca"),
        cn(0x0c, "  Corp   CA "),
        cn(0x14, "Corp CA"),
        cn(0x16, "corp\tca"),
        rdn(OID_CN, 0x1e, forge_hex("0043006f00720070002000430041")),
        rdn(OID_CN, 0x1c, forge_hex("00000043 0000006f 00000072 00000070 00000020 00000043 00000041")),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(dn_equal(name, same[i]));
        assert_true(dn_equal(same[i], name));
        assert_true(dn_hash(name) == dn_hash(same[i]));
    }
    /* ü in Latin-1, UTF-8 and UTF-16 */
    assert_true(dn_equal(rdn(OID_CN, 0x14, forge_hex("fc")), rdn(OID_CN, 0x0c, forge_hex("c3bc"))));
    assert_true(dn_equal(rdn(OID_CN, 0x1e, forge_hex("00fc")), rdn(OID_CN, 0x0c, forge_hex("c3bc"))));
    assert_true(dn_equal(rdn(OID_CN, 0x1c, forge_hex("0001f600")), rdn(OID_CN, 0x0c, forge_hex("f09f9880"))));
    assert_true(dn_equal(rdn(OID_CN, 0x1e, forge_hex("20ac")), rdn(OID_CN, 0x0c, forge_hex("e282ac"))));
}

static void odd_wide_strings_are_only_equal_to_themselves(void **state)
{
    struct slice odd = rdn(OID_CN, 0x1e, forge_hex("004300"));

    (void)state;
    assert_true(dn_equal(odd, odd));
    assert_false(dn_equal(odd, cn(0x0c, "C")));
}

static void within(void **state)
{
    struct slice o = rdn(OID_O, 0x0c, slice_text("Steven")), leaf = cn(0x0c, "cucm");
    struct slice pair = FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid(OID_O), forge_text(0x0c, "Steven")),
                                  FORGE_TLV(0x30, forge_oid(OID_CN), forge_text(0x0c, "x")));

    (void)state;
    assert_false(dn_is_within(leaf, o));
    assert_false(dn_is_within(o, forge_join(o, leaf)));
    assert_false(dn_is_within(forge_join(leaf, o), o));
    assert_false(dn_is_within(pair, o)); /* half of a two-valued RDN */
    assert_true(dn_is_within(o, o));
    assert_true(dn_is_within(forge_join(o, leaf), o));
    assert_true(dn_is_within(leaf, slice_of(NULL, 0)));
}

static void text_and_common_name(void **state)
{
    struct dn_attribute attribute;
    struct slice name = forge_join(cn(0x0c, "first"), forge_join(rdn(OID_O, 0x0c, slice_text("o")), cn(0x13, "Last")));
    char text[16];

    (void)state;
    assert_false(dn_common_name(slice_of(NULL, 0), &attribute));
    assert_true(dn_common_name(name, &attribute));
    assert_int_equal(dn_text(&attribute, text, sizeof(text)), 4);
    assert_memory_equal(text, "Last", 4);
    assert_int_equal(dn_text(&attribute, text, 3), -1);
    assert_true(dn_common_name(rdn(OID_CN, 0x0c, forge_hex("610062")), &attribute));
    assert_int_equal(dn_text(&attribute, text, sizeof(text)), -1); /* NUL */
    assert_true(dn_common_name(rdn(OID_CN, 0x03, forge_hex("0061")), &attribute));
    assert_int_equal(dn_text(&attribute, text, sizeof(text)), -1); /* no string */
    assert_true(dn_common_name(rdn(OID_CN, 0x1c, forge_hex("7fffffff")), &attribute));
    assert_int_equal(dn_text(&attribute, text, sizeof(text)), -1); /* no character */
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
        cmocka_unit_test(refuses_malformed),
        cmocka_unit_test(different_names_differ),
        cmocka_unit_test(encodings_and_case_are_equal),
        cmocka_unit_test(odd_wide_strings_are_only_equal_to_themselves),
        cmocka_unit_test(within),
        cmocka_unit_test(text_and_common_name),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
