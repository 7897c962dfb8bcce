/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks, read back word by word; that Wireshark's tools read the file is tested end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/pcapng.h"

static uint32_t word(const struct text *text, size_t at)
{
    uint32_t value;

    assert_true(at + 4 <= text->len);
    memcpy(&value, text->data + at, sizeof(value));
    return value;
}

static uint32_t half(const struct text *text, size_t at)
{
    uint16_t value;

    memcpy(&value, text->data + at, sizeof(value));
    return value;
}

/* The offset of the option's value in the block that starts at start, options at options; 0: it has none. */
static size_t option(const struct text *text, size_t start, size_t options, uint16_t code, size_t *len)
{
    size_t end = start + word(text, start + 4) - 4;

    while (options < end && half(text, options) != 0) {
        if (half(text, options) == code) {
            *len = half(text, options + 2);
            return options + 4;
        }
        options += 4 + (half(text, options + 2) + 3U) / 4 * 4;
    }
    return 0;
}

/* Every block: its length in front and behind, whole words. */
static size_t next_block(const struct text *text, size_t at)
{
    size_t len = word(text, at + 4);

    assert_int_equal(len % 4, 0);
    assert_int_equal(word(text, at + len - 4), len);
    return at + len;
}

static void the_head_says_who_and_what(void **state)
{
    struct text out = {0};
    size_t at, value, len;

    pcapng_section(&out, "assayd");
    assert_int_equal(word(&out, 0), 0x0a0d0d0a);
    assert_int_equal(word(&out, 8), 0x1a2b3c4d);
    assert_int_equal(half(&out, 12), 1);
    at = next_block(&out, 0);
    assert_int_equal(at, out.len);
    pcapng_interface(&out, "net_af_packet0,iface=port0", "tcp port 8443", 128);
    assert_int_equal(word(&out, at), 1);
    assert_int_equal(half(&out, at + 8), 1); /* Ethernet */
    assert_int_equal(word(&out, at + 12), 128);
    value = option(&out, at, at + 16, 2, &len);
    assert_memory_equal(out.data + value, "net_af_packet0,iface=port0", len);
    value = option(&out, at, at + 16, 9, &len);
    assert_int_equal(out.data[value], 9); /* nanoseconds */
    value = option(&out, at, at + 16, 11, &len);
    assert_int_equal(len, 14);
    assert_memory_equal(out.data + value, "\0tcp port 8443", len);
    assert_int_equal(next_block(&out, at), out.len);
    at = out.len;
    pcapng_interface(&out, "x", "", 128);
    assert_int_equal(option(&out, at, at + 16, 11, &len), 0);
    text_free(&out);
}

static void a_packet_has_time_lengths_bytes_and_direction(void **state)
{
    uint8_t bytes[70];

    for (size_t len = 0; len <= sizeof(bytes); len += 7) {
        uint64_t wall_ns = 0x1122334455667788 + len;
        struct text out = {0};
        size_t value, option_len;

        memset(bytes, (int)len, sizeof(bytes));
        pcapng_packet(&out, wall_ns, 2, slice_of(bytes, len), 1514);
        assert_int_equal(out.len, pcapng_packet_size(len));
        assert_int_equal(next_block(&out, 0), out.len);
        assert_int_equal(word(&out, 0), 6);
        assert_int_equal(word(&out, 8), 0);
        assert_int_equal((uint64_t)word(&out, 12) << 32 | word(&out, 16), wall_ns);
        assert_int_equal(word(&out, 20), len);
        assert_int_equal(word(&out, 24), 1514);
        assert_memory_equal(out.data + 28, bytes, len);
        value = option(&out, 0, 28 + (len + 3) / 4 * 4, 2, &option_len);
        assert_int_equal(option_len, 4);
        assert_int_equal(word(&out, value), 2);
        text_free(&out);
    }
}

static void statistics_end_it(void **state)
{
    struct text out = {0};
    size_t value, len;

    pcapng_statistics(&out, 5, 1ULL << 40, 7);
    assert_int_equal(word(&out, 0), 5);
    value = option(&out, 0, 20, 4, &len);
    assert_int_equal(len, 8);
    assert_int_equal((uint64_t)word(&out, value + 4) << 32 | word(&out, value), 1ULL << 40);
    value = option(&out, 0, 20, 5, &len);
    assert_int_equal(word(&out, value), 7);
    assert_int_equal(next_block(&out, 0), out.len);
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_says_who_and_what),
        cmocka_unit_test(a_packet_has_time_lengths_bytes_and_direction),
        cmocka_unit_test(statistics_end_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
