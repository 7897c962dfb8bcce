/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define MESSAGE_BYTES (ICMP6_BYTES + IP6_BYTES + 8)

/* "Packet too big" about a TCP segment of ours. */
static void make(uint8_t out[MESSAGE_BYTES], uint8_t type, uint32_t value)
{
    struct assay_address ours = ip6("2001:db8::10"), peer = ip6("2001:db8::77");

    icmp6_write_error(out, type, 0, value);
    ip6_write(out + ICMP6_BYTES, &ours, &peer, IP6_PROTO_TCP, 0, 1000, 61, 7);
    memcpy(out + ICMP6_BYTES + IP6_BYTES, (uint8_t[]){0x75, 0x30, 0x01, 0xbb, 1, 2, 3, 4}, 8);
}

static void knows_errors(void **state)
{
    for (unsigned type = 0; type < 256; type++)
        assert_int_equal(icmp6_is_error((uint8_t)type), type >= 1 && type <= 4);
}

static void reads_errors(void **state)
{
    static const struct {
        uint8_t type;
        uint32_t value;
        bool good;
        uint16_t mtu;
    } rows[] = {
        {ICMP6_TOO_BIG, 1400, true, 1400},   {ICMP6_TOO_BIG, 1280, true, 1280},
        {ICMP6_TOO_BIG, 1279, false, 0},     {ICMP6_TOO_BIG, 0, false, 0},
        {ICMP6_TOO_BIG, 70000, true, 65535}, {ICMP6_TOO_BIG, 0xffffffff, true, 65535},
        {ICMP6_UNREACHABLE, 1400, true, 0},  {ICMP6_PARAMETER_PROBLEM, 40, true, 0},
        {ICMP6_TIME_EXCEEDED, 0, true, 0},
    };
    struct assay_address ours = ip6("2001:db8::10"), peer = ip6("2001:db8::77");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_icmp_error error;
        uint8_t message[MESSAGE_BYTES];

        make(message, rows[i].type, rows[i].value);
        assert_int_equal(icmp6_read_error(slice_of(message, sizeof(message)), &error), rows[i].good);
        if (!rows[i].good)
            continue;
        assert_int_equal(error.type, rows[i].type);
        assert_int_equal(error.kind, rows[i].type == ICMP6_UNREACHABLE ? NET_ERROR_HARD
                                     : rows[i].type == ICMP6_TOO_BIG   ? NET_ERROR_TOO_BIG
                                                                       : NET_ERROR_SOFT);
        assert_int_equal(error.mtu, rows[i].mtu);
        assert_int_equal(error.local_port, 30000);
        assert_int_equal(error.remote_port, 443);
        assert_int_equal(error.sequence, 0x01020304);
        assert_true(address_equal(&error.local, &ours) && address_equal(&error.remote, &peer));
    }
}

static void refuses_what_is_no_segment_of_ours(void **state)
{
    static const struct {
        uint32_t offset;
        uint8_t value;
        const char *what;
    } rows[] = {
        {ICMP6_BYTES, 0x45, "IPv4"},
        {ICMP6_BYTES + 6, 17, "UDP"},
        {ICMP6_BYTES + 6, 44, "a fragment: we send none"},
        {ICMP6_BYTES + 4, 0, "too short for a sequence number"},
    };
    struct net_icmp_error error;
    uint8_t message[MESSAGE_BYTES];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make(message, ICMP6_UNREACHABLE, 0);
        message[ICMP6_BYTES + 5] = 7;
        message[rows[i].offset] = rows[i].value;
        if (icmp6_read_error(slice_of(message, sizeof(message)), &error))
            fail_msg("accepted: %s", rows[i].what);
    }
    for (size_t len = 0; len < MESSAGE_BYTES; len++) {
        uint8_t *exact = malloc(len + 1);

        make(message, ICMP6_UNREACHABLE, 0);
        memcpy(exact, message, len);
        assert_false(icmp6_read_error(slice_of(exact, len), &error));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_errors),
        cmocka_unit_test(reads_errors),
        cmocka_unit_test(refuses_what_is_no_segment_of_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
