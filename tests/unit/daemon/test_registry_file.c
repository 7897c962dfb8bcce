/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/address.h"
#include "daemon/registry_file.h"
#include "forge.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define NODE "cucm.steven.lab"

static const struct registry_limits roomy = {100, 1 << 20, 86400};

static void what_is_no_registry(void **state)
{
    static const struct {
        const char *text;
        size_t left_out;
    } cases[] = {
        {"", 1},
        {"{", 1},
        {"{}", 0},
        {"[]", 0},
        {"[1]", 1},
        {"[{}]", 1},
        {"[{\"host\":\"a\",\"port\":1,\"address\":\"198.18.2.11\",\"certificates\":[]}]", 1},
        {"[{\"host\":\"a\",\"port\":1,\"address\":\"198.18.2.11\",\"certificates\":[\"\"]}]", 1},
        {"[{\"host\":\"a\",\"port\":1,\"address\":\"198.18.2.11\",\"certificates\":[7]}]", 1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct registry *registry = registry_create(&roomy);
        size_t left_out;

        assert_int_equal(registry_file_read(registry, slice_text(cases[i].text), &left_out), 0);
        if (left_out != cases[i].left_out)
            fail_msg("case %zu: %zu", i, left_out);
        registry_free(registry);
    }
}

static void there_and_back(void **state)
{
    struct registry *from = registry_create(&roomy), *to = registry_create(&roomy);
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1)}),
                            forge_certificate(&(struct forge){.subject = "ca", .key = forge_key(FORGE_P256, 2)})};
    struct slice staple = forge_hex("00ff3082a0");
    struct registry_entry *entry, *back;
    struct text text = {0};
    char address[ASSAY_ADDRESS_TEXT_MAX];
    size_t left_out;

    sighting_take(from, &(struct sighting){NODE, 6972, chain, 1, .at_s = NOW - 7});
    entry = sighting_take(
        from, &(struct sighting){NODE, 8443, chain, 2, .at_s = NOW, .address = "2001:db8::11", .staple = staple});
    registry_note_failures(entry, X509_REASON_EXPIRED, 1, 3);
    registry_file_write(from, &text);
    assert_int_equal(registry_file_read(to, text_slice(&text), &left_out), 2);
    assert_int_equal(left_out, 0);
    back = registry_of_origin(to, NODE, 8443, NULL);
    assert_non_null(back);
    assert_ptr_equal(registry_first(to), back); /* the order too */
    assert_memory_equal(&back->digest, &entry->digest, sizeof(back->digest));
    assert_true(slice_equal(x509_chain_staple(back->chain), staple));
    assert_int_equal(x509_chain_staple(registry_of_origin(to, NODE, 6972, NULL)->chain).len, 0);
    assert_int_equal(back->first_ns, entry->first_ns);
    assert_int_equal(back->shown_ns, entry->shown_ns);
    assert_int_equal(back->handshakes, 1);
    assert_int_equal(back->failures, 3);
    assert_int_equal(back->failed_reason, X509_REASON_EXPIRED);
    assert_int_equal(back->failed_depth, 1);
    assert_string_equal(address_format(&back->address, address), "2001:db8::11");
    /* what was seen since stays as it is */
    sighting_take(to, &(struct sighting){NODE, 8443, chain, 2, .brief = true, .at_s = NOW + 5});
    assert_int_equal(registry_count(to), 2);
    text_free(&text);
    registry_free(from);
    registry_free(to);
}

static void one_that_is_wrong_leaves_the_others(void **state)
{
    struct registry *from = registry_create(&roomy), *to = registry_create(&roomy);
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1)})};
    struct text text = {0};
    size_t left_out;
    char *port;

    sighting_take(from, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW});
    sighting_take(from, &(struct sighting){NODE, 6972, chain, 1, .at_s = NOW});
    registry_file_write(from, &text);
    port = strstr(text.data, "6972");
    memcpy(port, "0000", 4); /* no JSON number even: all of it is refused */
    assert_int_equal(registry_file_read(to, text_slice(&text), &left_out), 0);
    memcpy(port, "   0", 4);
    assert_int_equal(registry_file_read(to, text_slice(&text), &left_out), 1);
    assert_int_equal(left_out, 1);
    text_free(&text);
    registry_free(from);
    registry_free(to);
}

/* A staple that is none leaves its entry out; without a member there is none. */
static void staples_are_hex(void **state)
{
    static const struct {
        const char *staple;
        size_t length;
        bool taken;
    } cases[] = {
        {"\"30\"", 1, true},  {"\"\"", 0, true},      {"\"3\"", 0, false},
        {"\"3G\"", 0, false}, {"\"0x30\"", 0, false}, {"\"AB\"", 0, false},
        {"7", 0, false},      {"null", 0, false},     {"\"30\\u0000\"", 0, false},
    };
    struct registry *from = registry_create(&roomy);
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1)})};
    struct text text = {0}, changed = {0};
    size_t left_out;

    sighting_take(from, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW});
    registry_file_write(from, &text);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct registry *to = registry_create(&roomy);

        text_printf(&changed, "%.*s,\"staple\":%s}]", (int)(strrchr(text.data, '}') - text.data), text.data,
                    cases[i].staple);
        if (registry_file_read(to, text_slice(&changed), &left_out) != cases[i].taken || left_out == cases[i].taken)
            fail_msg("%s: %zu left out", cases[i].staple, left_out);
        if (cases[i].taken)
            assert_int_equal(x509_chain_staple(registry_first(to)->chain).len, cases[i].length);
        text_free(&changed);
        registry_free(to);
    }
    text_free(&text);
    registry_free(from);
}

static int end(void **state)
{
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_registry),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(one_that_is_wrong_leaves_the_others),
        cmocka_unit_test(staples_are_hex),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
