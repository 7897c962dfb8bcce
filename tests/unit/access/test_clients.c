/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/clients.h"
#include "base/address.h"

static struct assay_address address(const char *text)
{
    struct assay_address a;

    assert_int_equal(address_parse(slice_text(text), &a), ASSAY_OK);
    return a;
}

static struct assay_prefix prefix(const char *text)
{
    struct assay_prefix p;

    assert_int_equal(prefix_parse(slice_text(text), &p), ASSAY_OK);
    return p;
}

static void nobody_is_served_without_a_word(void **state)
{
    struct assay_address a = address("198.18.0.1");
    struct access_clients *clients;

    assert_int_equal(access_clients_create(NULL, 0, false, NULL, 0, &clients), ASSAY_OK);
    assert_false(access_clients_allow(clients, &a));
    assert_false(access_clients_trust(clients, &a));
    access_clients_free(clients);
    access_clients_free(NULL);
}

static void any_serves_all_and_trusts_none(void **state)
{
    struct assay_address a = address("2001:db8::1");
    struct access_clients *clients;

    assert_int_equal(access_clients_create(NULL, 0, true, NULL, 0, &clients), ASSAY_OK);
    assert_true(access_clients_allow(clients, &a));
    assert_false(access_clients_trust(clients, &a));
    access_clients_free(clients);
}

static void prefixes_of_both_families(void **state)
{
    static const struct {
        const char *address;
        bool allowed, trusted;
    } rows[] = {
        {"0.0.0.0", false, false},       {"10.0.0.0", true, false},           {"10.255.255.255", true, true},
        {"9.255.255.255", false, false}, {"11.0.0.0", false, false},          {"198.18.0.7", true, false},
        {"198.18.0.8", false, false},    {"198.18.0.6", false, false},        {"10.48.36.215", true, false},
        {"2001:db8:1::5", true, false},  {"2001:db8:2::", false, false},      {"2001:db7:ffff::", false, false},
        {"127.0.0.1", false, true},      {"255.255.255.255", false, false},   {"::", false, false},
        {"ffff::", false, false},        {"2001:db8:1:ffff::1", true, false},
    };
    /* Out of order, nested, twice. */
    const struct assay_prefix allowed[] = {prefix("2001:db8:1::/48"), prefix("198.18.0.7"), prefix("10.48.0.0/16"),
                                           prefix("10.0.0.0/8"),      prefix("10.0.0.0/8"), prefix("10.0.0.0/9"),
                                           prefix("10.48.36.0/24")};
    const struct assay_prefix trusted[] = {prefix("127.0.0.0/8"), prefix("10.255.255.255")};
    struct access_clients *clients;

    assert_int_equal(access_clients_create(allowed, sizeof(allowed) / sizeof(allowed[0]), false, trusted,
                                           sizeof(trusted) / sizeof(trusted[0]), &clients),
                     ASSAY_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct assay_address a = address(rows[i].address);

        assert_int_equal(access_clients_allow(clients, &a), rows[i].allowed);
        assert_int_equal(access_clients_trust(clients, &a), rows[i].trusted);
    }
    access_clients_free(clients);
}

/* The binary search finds what a walk over all prefixes finds. */
static void agrees_with_a_walk(void **state)
{
    struct assay_prefix prefixes[40];
    struct access_clients *clients;
    uint32_t random = 1;

    for (size_t i = 0; i < 40; i++) {
        uint32_t length = 4 + (random = random * 1664525 + 1013904223) / 0x10000000;
        uint32_t bits = (random = random * 1664525 + 1013904223) & ~(0xffffffffU >> length);

        prefixes[i].address = address_from_ip4_be(__builtin_bswap32(bits));
        prefixes[i].length = (uint8_t)(96 + length);
    }
    assert_int_equal(access_clients_create(prefixes, 40, false, NULL, 0, &clients), ASSAY_OK);
    for (size_t n = 0; n < 20000; n++) {
        struct assay_address a = address_from_ip4_be(random = random * 1664525 + 1013904223);
        bool inside = false;

        for (size_t i = 0; i < 40; i++)
            inside |= prefix_contains(&prefixes[i], &a);
        assert_int_equal(access_clients_allow(clients, &a), inside);
    }
    access_clients_free(clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_served_without_a_word),
        cmocka_unit_test(any_serves_all_and_trusts_none),
        cmocka_unit_test(prefixes_of_both_families),
        cmocka_unit_test(agrees_with_a_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
