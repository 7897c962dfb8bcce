/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/address.h"
#include "daemon/config_table.h"

static const char words[] = "enforced|permissive|disabled";

/* A value and what is said of it; NULL: nothing. number: what a number kind then holds. */
static const struct {
    enum config_kind kind;
    const char *text;
    const char *fault;
    uint64_t number;
} cases[] = {
    {CONFIG_NUMBER, "", "'' is not a number", 0},
    {CONFIG_NUMBER, "-1", "'-1' is not a number", 0},
    {CONFIG_NUMBER, "+1", "'+1' is not a number", 0},
    {CONFIG_NUMBER, " 1", "' 1' is not a number", 0},
    {CONFIG_NUMBER, "0x10", "'0x10' is not a number", 0},
    {CONFIG_NUMBER, "1.5", "'1.5' is not a number", 0},
    {CONFIG_NUMBER, "99999999999999999999", "'99999999999999999999' is not a number", 0},
    {CONFIG_NUMBER, "9", "9 is not within 10 to 1000000", 0},
    {CONFIG_NUMBER, "1000001", "1000001 is not within 10 to 1000000", 0},
    {CONFIG_NUMBER, "10", NULL, 10},
    {CONFIG_SIZE, "64kB", "'64kB' is not a size (4096, 64KiB, 2MiB)", 0},
    {CONFIG_SIZE, "99999999999999TiB", "'99999999999999TiB' is not a size (4096, 64KiB, 2MiB)", 0},
    {CONFIG_SIZE, "2GiB", "2GiB is not within 10 to 1000000", 0},
    {CONFIG_SIZE, "64KiB", NULL, 65536},
    {CONFIG_SIZE, "4096", NULL, 4096},
    {CONFIG_DURATION, "30", "'30' is not a duration (500ms, 30s, 2h)", 0},
    {CONFIG_DURATION, "30 s", "'30 s' is not a duration (500ms, 30s, 2h)", 0},
    {CONFIG_DURATION, "1h", "1h is not within 10us to 1s", 0},
    {CONFIG_DURATION, "500ms", NULL, 500000},
    {CONFIG_DURATION, "1s", NULL, 1000000},
    {CONFIG_DURATION, "20us", NULL, 20},
    {CONFIG_OCTAL, "0789", "'0789' is not an octal number", 0},
    {CONFIG_OCTAL, "7", "0007 is not within 0012 to 3641100", 0},
    {CONFIG_OCTAL, "0660", NULL, 0660},
};

static struct config_value_context context(struct arena *arena)
{
    return (struct config_value_context){arena, "/etc/assay"};
}

static void expect_fault(const char *text, const char *fault, const char *expected)
{
    if ((fault == NULL) != (expected == NULL) || (fault != NULL && strcmp(fault, expected) != 0))
        fail_msg("'%s': '%s', expected '%s'", text, fault != NULL ? fault : "good",
                 expected != NULL ? expected : "good");
}

static void test_numbers(void **state)
{
    struct arena arena = {0};
    struct config_value_context values = context(&arena);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct config_key key = {.kind = cases[i].kind, .min = 10, .max = 1000000};
        uint64_t number = 0;

        expect_fault(cases[i].text, config_value_parse(&values, &key, cases[i].text, &number), cases[i].fault);
        if (cases[i].fault == NULL)
            assert_int_equal(number, cases[i].number);
    }
    arena_free(&arena);
}

/* Kinds whose value is checked as it prints. */
static const struct {
    enum config_kind kind;
    const char *text;
    const char *expected; /* "!fault" or the value */
} texts[] = {
    {CONFIG_TEXT, "", "!length 0 is not within 1 to 20"},
    {CONFIG_TEXT, "aaaaaaaaaaaaaaaaaaaaa", "!length 21 is not within 1 to 20"},
    {CONFIG_TEXT, "a\nb", "!control characters are not allowed"},
    {CONFIG_TEXT, "plain", "plain"},
    {CONFIG_PATH, "pki/a.pem", "/etc/assay/pki/a.pem"},
    {CONFIG_PATH, "/pki/a.pem", "/pki/a.pem"},
    {CONFIG_HOST, "bad host", "!'bad host' is neither a host name nor an address"},
    {CONFIG_HOST, "a..b", "!'a..b' is neither a host name nor an address"},
    {CONFIG_HOST, "CUCM.Steven.Lab", "cucm.steven.lab"},
    {CONFIG_HOST, "10.48.36.215", "10.48.36.215"},
};

static void test_texts(void **state)
{
    struct arena arena = {0};
    struct config_value_context values = context(&arena);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct config_key key = {.kind = texts[i].kind, .min = 1, .max = 20};
        const char *out = NULL, *fault = config_value_parse(&values, &key, texts[i].text, &out);

        expect_fault(texts[i].text, fault, texts[i].expected[0] == '!' ? texts[i].expected + 1 : NULL);
        if (fault == NULL)
            assert_string_equal(out, texts[i].expected);
    }
    arena_free(&arena);
}

static void test_switches_and_words(void **state)
{
    const struct config_key switch_key = {.kind = CONFIG_SWITCH}, word_key = {.kind = CONFIG_WORD, .words = words};
    struct arena arena = {0};
    struct config_value_context values = context(&arena);
    bool on = false;
    uint32_t word = 9;

    expect_fault("maybe", config_value_parse(&values, &switch_key, "maybe", &on), "'maybe' is neither on nor off");
    expect_fault("1", config_value_parse(&values, &switch_key, "1", &on), "'1' is neither on nor off");
    expect_fault("On", config_value_parse(&values, &switch_key, "On", &on), NULL);
    assert_true(on);
    expect_fault("off", config_value_parse(&values, &switch_key, "off", &on), NULL);
    assert_false(on);
    expect_fault("yes", config_value_parse(&values, &switch_key, "yes", &on), NULL);
    assert_true(on);

    expect_fault("enforce", config_value_parse(&values, &word_key, "enforce", &word),
                 "'enforce' is none of enforced|permissive|disabled");
    expect_fault("", config_value_parse(&values, &word_key, "", &word), "'' is none of enforced|permissive|disabled");
    expect_fault("disabled", config_value_parse(&values, &word_key, "disabled", &word), NULL);
    assert_int_equal(word, 2);
    expect_fault("enforced", config_value_parse(&values, &word_key, "enforced", &word), NULL);
    assert_int_equal(word, 0);
    arena_free(&arena);
}

static const struct {
    enum config_kind kind;
    const char *text;
    const char *fault;
    const char *address;
    unsigned number; /* port, or length */
} addresses[] = {
    {CONFIG_ADDRESS, "198.18.0", "'198.18.0' is not an address", NULL, 0},
    {CONFIG_ADDRESS, "198.18.0.010", "'198.18.0.010' is not an address", NULL, 0},
    {CONFIG_ADDRESS, "198.18.0.10", NULL, "198.18.0.10", 1},
    {CONFIG_ENDPOINT, "198.18.0.10", "'198.18.0.10' has no port", NULL, 0},
    {CONFIG_ENDPOINT, "host.lab:80", "'host.lab' is not an address", NULL, 0},
    {CONFIG_ENDPOINT, "198.18.0.10:0", "'198.18.0.10:0' has no valid port", NULL, 0},
    {CONFIG_ENDPOINT, "198.18.0.10:65536", "'198.18.0.10:65536' has no valid port", NULL, 0},
    {CONFIG_ENDPOINT, "198.18.0.10:8080", NULL, "198.18.0.10", 8080},
    {CONFIG_ENDPOINT, "[2001:db8::1]:8080", NULL, "2001:db8::1", 8080},
    {CONFIG_ENDPOINTS, "198.18.2.53", NULL, "198.18.2.53", 53},
    {CONFIG_ENDPOINTS, "2001:db8::53", NULL, "2001:db8::53", 53},
    {CONFIG_ENDPOINTS, "198.18.2.53:5353", NULL, "198.18.2.53", 5353},
    {CONFIG_INTERFACES, "198.18.0.10/33", "'198.18.0.10/33': the length is not within 0 to 32", NULL, 0},
    {CONFIG_INTERFACES, "198.18.0.10/", "'198.18.0.10/': the length is not within 0 to 32", NULL, 0},
    {CONFIG_INTERFACES, "x/15", "'x/15' is not ADDRESS/LENGTH", NULL, 0},
    {CONFIG_INTERFACES, "198.18.0.10/15", NULL, "198.18.0.10", 96 + 15},
    {CONFIG_INTERFACES, "198.18.0.10", NULL, "198.18.0.10", 128},
    {CONFIG_INTERFACES, "2001:db8::10/64", NULL, "2001:db8::10", 64},
    {CONFIG_INTERFACES, "2001:db8::10/129", "'2001:db8::10/129': the length is not within 0 to 128", NULL, 0},
    {CONFIG_ADDRESSES, "fe80::1", NULL, "fe80::1", 1},
    {CONFIG_ADDRESSES, "fe80::1%eth0", "'fe80::1%eth0' is not an address", NULL, 0},
    {CONFIG_PREFIXES, "198.18.0.1/15", "'198.18.0.1/15' is no prefix: too long, or bits are set behind its length",
     NULL, 0},
    {CONFIG_PREFIXES, "198.18.0.0/99", "'198.18.0.0/99' is no prefix: too long, or bits are set behind its length",
     NULL, 0},
    {CONFIG_PREFIXES, "edge/15", "'edge/15' is not a prefix (198.18.0.0/15)", NULL, 0},
    {CONFIG_PREFIXES, "198.18.0.0/15", NULL, "198.18.0.0", 96 + 15},
};

static void test_addresses(void **state)
{
    struct arena arena = {0};
    struct config_value_context values = context(&arena);
    char text[ASSAY_ADDRESS_TEXT_MAX];

    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const struct config_key key = {.kind = addresses[i].kind, .min = 53, .max = 65535};
        union {
            struct config_address address;
            struct config_endpoint endpoint;
            struct config_interface interface;
            struct assay_prefix prefix;
        } out = {0};
        const struct assay_address *address = &out.prefix.address;
        unsigned number = out.prefix.length;

        expect_fault(addresses[i].text, config_value_parse(&values, &key, addresses[i].text, &out), addresses[i].fault);
        if (addresses[i].fault != NULL)
            continue;
        switch (key.kind) {
        case CONFIG_ADDRESS:
        case CONFIG_ADDRESSES:
            address = &out.address.address;
            number = out.address.set;
            break;
        case CONFIG_ENDPOINT:
        case CONFIG_ENDPOINTS:
            address = &out.endpoint.address;
            number = out.endpoint.port;
            assert_true(out.endpoint.set);
            break;
        case CONFIG_INTERFACES:
            address = &out.interface.address;
            number = out.interface.prefix_length;
            break;
        default: number = out.prefix.length; break;
        }
        assert_string_equal(address_format(address, text), addresses[i].address);
        assert_int_equal(number, addresses[i].number);
    }
    arena_free(&arena);
}

static const struct {
    enum config_kind kind;
    const char *text, *fault, *host;
    unsigned port;
    bool https;
} origins[] = {
    {CONFIG_URL, "cucm.steven.lab", "'cucm.steven.lab' does not begin with https:// or http://", NULL, 0, false},
    {CONFIG_URL, "ftp://a", "'ftp://a' does not begin with https:// or http://", NULL, 0, false},
    {CONFIG_URL, "https://a/b", "'https://a/b': a path is not possible here", NULL, 0, false},
    {CONFIG_URL, "https://", "'' is neither a host name nor an address", NULL, 0, false},
    {CONFIG_URL, "https://a:b", "'a:b' has no valid port", NULL, 0, false},
    {CONFIG_URL, "https://CUCM.steven.lab:8443", NULL, "cucm.steven.lab", 8443, true},
    {CONFIG_URL, "https://cucm.steven.lab", NULL, "cucm.steven.lab", 443, true},
    {CONFIG_URL, "http://10.48.36.215", NULL, "10.48.36.215", 80, false},
    {CONFIG_URL, "https://[2001:DB8::1]:8443", NULL, "2001:db8::1", 8443, true},
    {CONFIG_ORIGINS, "default", NULL, "", 0, false},
    {CONFIG_ORIGINS, "cucm.steven.lab", NULL, "cucm.steven.lab", 0, false},
    {CONFIG_ORIGINS, "cucm.steven.lab:6972", NULL, "cucm.steven.lab", 6972, false},
    {CONFIG_ORIGINS, "cucm.steven.lab:0", "'cucm.steven.lab:0' has no valid port", NULL, 0, false},
};

static void test_origins(void **state)
{
    struct arena arena = {0};
    struct config_value_context values = context(&arena);

    for (size_t i = 0; i < sizeof(origins) / sizeof(origins[0]); i++) {
        const struct config_key key = {.kind = origins[i].kind};
        struct config_url url = {0};
        struct config_origin origin = {0};
        void *out = key.kind == CONFIG_URL ? (void *)&url : (void *)&origin;

        expect_fault(origins[i].text, config_value_parse(&values, &key, origins[i].text, out), origins[i].fault);
        if (origins[i].fault != NULL) {
            assert_null(url.host);
            continue;
        }
        assert_string_equal(key.kind == CONFIG_URL ? url.host : origin.host, origins[i].host);
        assert_int_equal(key.kind == CONFIG_URL ? url.port : origin.port, origins[i].port);
        assert_int_equal(url.https, origins[i].https);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),   cmocka_unit_test(test_texts),   cmocka_unit_test(test_switches_and_words),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
