/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"

static void refuses_what_is_not_an_address(void **state)
{
    static const char *const bad[] = {"",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.1.1.1",
                                      "01.2.3.4",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.0x4",
                                      "::1::2",
                                      "[::1]",
                                      "fe80::1%eth0",
                                      "12345::",
                                      "a.b.c.d",
                                      "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"};
    struct assay_address a;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(address_parse(slice_text(bad[i]), &a), ASSAY_ERR_MALFORMED);
    assert_int_equal(address_parse(slice_of("1.2.3.4\0x", 9), &a), ASSAY_ERR_MALFORMED);
}

static void reads_and_writes_both_families(void **state)
{
    static const struct {
        const char *in, *out;
        bool ip4;
    } rows[] = {
        {"198.18.0.10", "198.18.0.10", true},
        {"0.0.0.0", "0.0.0.0", true},
        {"::ffff:10.48.36.215", "10.48.36.215", true},
        {"2001:0DB8:0:0::1", "2001:db8::1", false},
    };
    char text[ASSAY_ADDRESS_TEXT_MAX];
    struct assay_address a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(address_parse(slice_text(rows[i].in), &a), ASSAY_OK);
        assert_string_equal(address_format(&a, text), rows[i].out);
        assert_int_equal(address_is_ip4(&a), rows[i].ip4);
    }
}

static void prefixes(void **state)
{
    static const struct {
        const char *prefix, *address;
        bool inside;
    } rows[] = {
        {"198.18.0.0/15", "198.19.255.255", true},
        {"198.18.0.0/15", "198.20.0.0", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"10.48.36.215", "10.48.36.215", true},
        {"10.48.36.215", "10.48.36.214", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::/0", "1.2.3.4", true},
    };
    static const struct {
        const char *text;
        enum assay_error error;
    } bad[] = {
        {"198.18.0.0/33", ASSAY_ERR_RANGE},      {"198.18.0.1/15", ASSAY_ERR_RANGE},
        {"2001:db8::/129", ASSAY_ERR_RANGE},     {"198.18.0.0/", ASSAY_ERR_MALFORMED},
        {"198.18.0.0/1x", ASSAY_ERR_MALFORMED},  {"/8", ASSAY_ERR_MALFORMED},
        {"198.18.0.0/015", ASSAY_ERR_MALFORMED},
    };
    struct assay_prefix p;
    struct assay_address a;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(prefix_parse(slice_text(bad[i].text), &p), bad[i].error);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(prefix_parse(slice_text(rows[i].prefix), &p), ASSAY_OK);
        assert_int_equal(address_parse(slice_text(rows[i].address), &a), ASSAY_OK);
        assert_int_equal(prefix_contains(&p, &a), rows[i].inside);
    }
}

static void special_addresses_are_no_origins(void **state)
{
    static const struct {
        const char *text;
        bool special;
    } rows[] = {
        {"127.0.0.1", true},   {"0.0.0.0", true},      {"224.0.0.1", true}, {"255.255.255.255", true},
        {"169.254.1.1", true}, {"::1", true},          {"::", true},        {"ff02::1", true},
        {"fe80::1", true},     {"198.18.2.11", false}, {"10.0.0.1", false}, {"2001:db8::1", false},
        {"fd00::1", false},
    };
    struct assay_address a;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(address_parse(slice_text(rows[i].text), &a), ASSAY_OK);
        assert_int_equal(address_is_special(&a), rows[i].special);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_not_an_address),
        cmocka_unit_test(reads_and_writes_both_families),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(special_addresses_are_no_origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
