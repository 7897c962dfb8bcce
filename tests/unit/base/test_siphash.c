/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/siphash.h"

static const uint8_t key[SIPHASH_KEY_BYTES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The paper's appendix A, and the first of the reference implementation's vectors (their bytes read in little-endian order). */
static void gives_the_published_values(void **state)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu},  {2, 0x0d6c8009d9a94f5au},
        {3, 0x85676696d7fb7e2du}, {15, 0xa129ca6149be45e5u},
    };
    uint8_t data[64];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(siphash_2_4(key, data, rows[i].len), rows[i].hash);
}

static void depends_on_every_bit(void **state)
{
    uint8_t data[36] = {0}, other_key[SIPHASH_KEY_BYTES];

    for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
        uint64_t before = siphash_1_3(key, data, sizeof(data)), before_2_4 = siphash_2_4(key, data, sizeof(data));

        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(siphash_1_3(key, data, sizeof(data)), before);
        assert_int_not_equal(siphash_2_4(key, data, sizeof(data)), before_2_4);
    }
    for (size_t bit = 0; bit < sizeof(key) * 8; bit++) {
        memcpy(other_key, key, sizeof(key));
        other_key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(siphash_1_3(other_key, data, sizeof(data)), siphash_1_3(key, data, sizeof(data)));
    }
    assert_int_not_equal(siphash_1_3(key, data, 8), siphash_2_4(key, data, 8));
    assert_int_not_equal(siphash_1_3(key, "\0\0", 1), siphash_1_3(key, "\0\0", 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_values),
        cmocka_unit_test(depends_on_every_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
