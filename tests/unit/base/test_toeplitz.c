/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_byteorder.h>
#include <rte_thash.h>

#include "base/address.h"
#include "base/toeplitz.h"

/* Microsoft's key and its examples ("Verifying the RSS Hash Calculation"). */
static const uint8_t key[TOEPLITZ_KEY_BYTES] = {0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
                                                0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                                0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
                                                0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

static const struct {
    const char *source, *destination;
    uint16_t source_port, destination_port;
    uint32_t addresses, with_ports;
} examples[] = {
    {"66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178},
    {"199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea},
    {"24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a},
    {"38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f},
    {"153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2},
    {"3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d},
    {"3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf},
    {"3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024, 0x4b61e985, 0x02d1feef},
};

/* Source, destination, ports as on the wire; returns the length, of the addresses alone in *addresses. */
static size_t write_input(size_t example, uint8_t out[TOEPLITZ_INPUT_MAX], size_t *addresses)
{
    struct assay_address source, destination;
    size_t bytes;

    assert_int_equal(address_parse(slice_text(examples[example].source), &source), ASSAY_OK);
    assert_int_equal(address_parse(slice_text(examples[example].destination), &destination), ASSAY_OK);
    bytes = address_is_ip4(&source) ? 4 : 16;
    memcpy(out, source.bytes + 16 - bytes, bytes);
    memcpy(out + bytes, destination.bytes + 16 - bytes, bytes);
    out[bytes * 2] = (uint8_t)(examples[example].source_port >> 8);
    out[bytes * 2 + 1] = (uint8_t)examples[example].source_port;
    out[bytes * 2 + 2] = (uint8_t)(examples[example].destination_port >> 8);
    out[bytes * 2 + 3] = (uint8_t)examples[example].destination_port;
    *addresses = bytes * 2;
    return bytes * 2 + 4;
}

static void hashes_as_the_examples_say(void **state)
{
    struct toeplitz toeplitz;

    toeplitz_init(&toeplitz, key);
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        uint8_t input[TOEPLITZ_INPUT_MAX];
        size_t addresses, len = write_input(i, input, &addresses);

        assert_int_equal(toeplitz_hash(&toeplitz, input, addresses), examples[i].addresses);
        assert_int_equal(toeplitz_hash(&toeplitz, input, len), examples[i].with_ports);
    }
}

static void hashes_as_dpdk_does_whatever_the_key(void **state)
{
    uint8_t random_key[TOEPLITZ_KEY_BYTES];
    struct toeplitz toeplitz;

    srandom(20);
    for (int round = 0; round < 2000; round++) {
        uint32_t words[TOEPLITZ_INPUT_MAX / 4], host[TOEPLITZ_INPUT_MAX / 4];
        uint32_t len = round % 2 ? 3 : 9; /* words: IPv4 and IPv6 with ports */

        for (size_t i = 0; i < sizeof(random_key); i++)
            random_key[i] = (uint8_t)random();
        for (uint32_t i = 0; i < len; i++) {
            words[i] = (uint32_t)random() << 1 ^ (uint32_t)random();
            host[i] = rte_be_to_cpu_32(words[i]);
        }
        toeplitz_init(&toeplitz, random_key);
        assert_int_equal(toeplitz_hash(&toeplitz, (const uint8_t *)words, len * 4), rte_softrss(host, len, random_key));
    }
}

static void the_parts_of_an_input_add_up(void **state)
{
    struct toeplitz toeplitz;
    uint8_t input[TOEPLITZ_INPUT_MAX];

    toeplitz_init(&toeplitz, key);
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)(i * 37 + 11);
    for (size_t cut = 0; cut <= sizeof(input); cut++)
        assert_int_equal(toeplitz_hash(&toeplitz, input, cut) ^
                             toeplitz_at(&toeplitz, cut, input + cut, sizeof(input) - cut),
                         toeplitz_hash(&toeplitz, input, sizeof(input)));
    memset(input, 0, sizeof(input));
    assert_int_equal(toeplitz_hash(&toeplitz, input, sizeof(input)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_the_examples_say),
        cmocka_unit_test(hashes_as_dpdk_does_whatever_the_key),
        cmocka_unit_test(the_parts_of_an_input_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
