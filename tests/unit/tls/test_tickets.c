/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tls/tickets.h"

#define NOW      1700000000u
#define LIFETIME 3600

static const uint8_t credential_a[TLS_CREDENTIAL_ID] = {1}, credential_b[TLS_CREDENTIAL_ID] = {2};

static struct tls_ticket_keys keys_of(uint8_t first, uint8_t second)
{
    struct tls_ticket_keys keys = {.count = 2};

    memset(keys.keys[0].name, first, sizeof(keys.keys[0].name));
    memset(keys.keys[0].secret, first ^ 0xff, sizeof(keys.keys[0].secret));
    memset(keys.keys[1].name, second, sizeof(keys.keys[1].name));
    memset(keys.keys[1].secret, second ^ 0xff, sizeof(keys.keys[1].secret));
    return keys;
}

static struct tls_ticket_binding binding_of(const char *name, const uint8_t *credential)
{
    return (struct tls_ticket_binding){slice_text(name), credential};
}

struct buffer {
    uint8_t name[TLS_TICKET_NAME], iv[TLS_TICKET_IV], mac[TLS_TICKET_MAC], content[108];
};

static struct tls_ticket ticket_of(struct buffer *buffer)
{
    return (struct tls_ticket){buffer->name, buffer->iv, buffer->mac, buffer->content, sizeof(buffer->content)};
}

static struct buffer sealed(uint64_t now)
{
    struct tls_ticket_keys keys = keys_of(1, 2);
    struct tls_ticket_binding binding = binding_of("a.example", credential_a);
    struct buffer buffer;
    struct tls_ticket ticket = ticket_of(&buffer);

    memset(&buffer, 0x77, sizeof(buffer));
    assert_int_equal(tls_ticket_seal(&keys, &binding, now, &ticket), ASSAY_OK);
    return buffer;
}

static enum assay_error opened(struct buffer buffer, struct tls_ticket_keys keys, const char *name,
                               const uint8_t *credential, uint64_t now, bool *renew)
{
    struct tls_ticket_binding binding = binding_of(name, credential);
    struct tls_ticket ticket = ticket_of(&buffer);
    enum assay_error error = tls_ticket_open(&keys, &binding, now, LIFETIME, &ticket, renew);

    if (error == ASSAY_OK)
        for (size_t i = 0; i < sizeof(buffer.content); i++)
            assert_int_equal(buffer.content[i], 0x77);
    return error;
}

static void test_other_name_or_credential(void **state)
{
    static const char *const names[] = {"b.example", "", "a.exampl", "a.examplee", "A.example"};
    struct buffer buffer = sealed(NOW);
    bool renew;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_int_equal(opened(buffer, keys_of(1, 2), names[i], credential_a, NOW, &renew), ASSAY_ERR_MALFORMED);
    assert_int_equal(opened(buffer, keys_of(1, 2), "a.example", credential_b, NOW, &renew), ASSAY_ERR_MALFORMED);
}

static void test_keys(void **state)
{
    struct tls_ticket_keys none = {0}, wrong = keys_of(1, 2);
    struct tls_ticket_binding binding = binding_of("a.example", credential_a);
    struct buffer buffer = sealed(NOW);
    struct tls_ticket ticket = ticket_of(&buffer);
    bool renew;

    assert_int_equal(tls_ticket_seal(NULL, &binding, NOW, &ticket), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(tls_ticket_seal(&none, &binding, NOW, &ticket), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(tls_ticket_open(NULL, &binding, NOW, LIFETIME, &ticket, &renew), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(opened(buffer, none, "a.example", credential_a, NOW, &renew), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(opened(buffer, keys_of(3, 4), "a.example", credential_a, NOW, &renew), ASSAY_ERR_NOT_FOUND);
    wrong.keys[0].secret[31] ^= 1;
    assert_int_equal(opened(buffer, wrong, "a.example", credential_a, NOW, &renew), ASSAY_ERR_MALFORMED);
}

static void test_age(void **state)
{
    struct buffer buffer = sealed(NOW);
    bool renew;

    assert_int_equal(opened(buffer, keys_of(1, 2), "a.example", credential_a, NOW + LIFETIME + 1, &renew),
                     ASSAY_ERR_STALE);
    assert_int_equal(opened(buffer, keys_of(1, 2), "a.example", credential_a, NOW - 61, &renew), ASSAY_ERR_STALE);
    assert_int_equal(opened(buffer, keys_of(1, 2), "a.example", credential_a, NOW + LIFETIME, &renew), ASSAY_OK);
    assert_int_equal(opened(buffer, keys_of(1, 2), "a.example", credential_a, NOW - 60, &renew), ASSAY_OK);
}

static void test_every_bit(void **state)
{
    struct buffer buffer = sealed(NOW);
    bool renew;

    for (size_t at = 0; at < sizeof(buffer) * 8; at++) {
        ((uint8_t *)&buffer)[at / 8] ^= (uint8_t)(1 << at % 8);
        assert_int_not_equal(opened(buffer, keys_of(1, 2), "a.example", credential_a, NOW, &renew), ASSAY_OK);
        ((uint8_t *)&buffer)[at / 8] ^= (uint8_t)(1 << at % 8);
    }
}

static void test_rotation(void **state)
{
    struct buffer buffer = sealed(NOW);
    bool renew = true;

    assert_int_equal(opened(buffer, keys_of(1, 2), "a.example", credential_a, NOW, &renew), ASSAY_OK);
    assert_false(renew);
    assert_int_equal(opened(buffer, keys_of(5, 1), "a.example", credential_a, NOW, &renew), ASSAY_OK);
    assert_true(renew);
}

static void test_two_differ(void **state)
{
    struct buffer a = sealed(NOW), b = sealed(NOW);

    assert_memory_equal(a.name, b.name, sizeof(a.name));
    assert_memory_not_equal(a.iv, b.iv, sizeof(a.iv));
    assert_memory_not_equal(a.mac, b.mac, sizeof(a.mac));
    assert_memory_not_equal(a.content, b.content, sizeof(a.content));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_name_or_credential),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_two_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
