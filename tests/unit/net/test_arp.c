/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define SENDER IP(198, 18, 1, 1)
#define TARGET IP(198, 18, 1, 10)

static struct frame good(void)
{
    return frame_arp(ARP_REQUEST, all_mac, peer_mac, SENDER, NULL, TARGET);
}

static void refuses_what_is_no_arp(void **state)
{
    static const struct {
        uint32_t offset; /* in the ARP packet */
        uint8_t value;
        const char *what;
    } rows[] = {
        {0, 1, "hardware type"},     {1, 6, "hardware type"},       {2, 0x86, "protocol type"},
        {3, 0xdd, "protocol type"},  {4, 8, "hardware length"},     {4, 0, "hardware length"},
        {5, 16, "protocol length"},  {5, 0, "protocol length"},     {6, 1, "operation"},
        {7, 0, "operation"},         {7, 3, "reverse ARP"},         {7, 8, "inverse ARP"},
        {8, 0x01, "sender a group"}, {8, 0xff, "sender broadcast"},
    };
    struct arp_packet packet;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame f = good();

        f.bytes[ETHER_BYTES + rows[i].offset] = rows[i].value;
        if (arp_read(slice_of(f.bytes + ETHER_BYTES, ARP_BYTES), &packet))
            fail_msg("accepted: %s", rows[i].what);
    }
    struct frame f = good();
    memset(f.bytes + ETHER_BYTES + 8, 0, 6);
    assert_false(arp_read(slice_of(f.bytes + ETHER_BYTES, ARP_BYTES), &packet));
}

static void refuses_every_truncation(void **state)
{
    struct frame f = good();
    struct arp_packet packet;

    for (size_t len = 0; len < ARP_BYTES; len++) {
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a read behind it */

        memcpy(exact, f.bytes + ETHER_BYTES, len);
        assert_false(arp_read(slice_of(exact, len), &packet));
        free(exact);
    }
    assert_true(arp_read(slice_of(f.bytes + ETHER_BYTES, ARP_BYTES), &packet));
    assert_true(arp_read(slice_of(f.bytes + ETHER_BYTES, ETHER_FRAME_MIN - ETHER_BYTES), &packet));
}

static void reads_what_it_writes(void **state)
{
    static const uint8_t wire[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,   0x99, 0x08, 0x06, /* Ethernet */
                                   0,    1,    0x08, 0x00, 6,    4,    0, 1, 2, 0, 0,   0,    0,    0x99,
                                   198,  18,   1,    1,    0,    0,    0, 0, 0, 0, 198, 18,   1,    10};
    struct frame f = good();
    struct arp_packet packet;

    assert_memory_equal(f.bytes, wire, sizeof(wire));
    for (uint32_t i = sizeof(wire); i < ETHER_FRAME_MIN; i++)
        assert_int_equal(f.bytes[i], 0);
    assert_true(arp_read(slice_of(f.bytes + ETHER_BYTES, ARP_BYTES), &packet));
    assert_int_equal(packet.operation, ARP_REQUEST);
    assert_memory_equal(packet.sender_mac, peer_mac, 6);
    assert_int_equal(packet.sender_be, SENDER);
    assert_int_equal(packet.target_be, TARGET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_is_no_arp),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(reads_what_it_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
