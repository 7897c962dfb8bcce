/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define OURS  IP(198, 18, 1, 10)
#define PEERS IP(198, 18, 2, 11)

/* "fragmentation needed", MTU 1400, about our segment with sequence number 0x01020304, from port 40000 to 443. */
static uint32_t good(uint8_t message[64])
{
    struct frame quoted = frame_tcp(OURS, PEERS, 100);
    static const uint8_t header[ICMP_BYTES] = {3, 4, 0, 0, 0, 0, 0x05, 0x78};

    memcpy(message, header, ICMP_BYTES);
    memcpy(message + ICMP_BYTES, quoted.bytes + ETHER_BYTES, 28);
    return ICMP_BYTES + 28;
}

static void refuses_quotes_that_cannot_be_ours(void **state)
{
    static const struct {
        uint32_t offset; /* in the message */
        uint8_t value;
        const char *what;
    } rows[] = {
        {8, 0x65, "version 6"},
        {8, 0x44, "header length 16"},
        {8, 0x40, "header length 0"},
        {8, 0x4f, "header length beyond the message"},
        {8, 0x46, "ports beyond the message"},
        {8 + 3, 27, "total length without ports"},
        {8 + 7, 1, "not the first fragment"},
        {8 + 9, 17, "UDP"},
        {8 + 9, 1, "ICMP about ICMP"},
    };
    struct net_icmp_error error;
    uint8_t message[64];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t len = good(message);

        message[rows[i].offset] = rows[i].value;
        if (rows[i].offset == 8 + 3)
            message[8 + 2] = 0;
        if (icmp_read_error(slice_of(message, len), &error))
            fail_msg("accepted: %s", rows[i].what);
    }
    for (uint32_t len = 0; len < ICMP_BYTES + 28; len++) {
        uint8_t *exact = malloc(len + 1);

        good(message);
        memcpy(exact, message, len);
        assert_false(icmp_read_error(slice_of(exact, len), &error));
        free(exact);
    }
}

static void reads_the_tuple_and_the_mtu(void **state)
{
    struct assay_address ours = address_from_ip4_be(OURS), peers = address_from_ip4_be(PEERS);
    struct net_icmp_error error;
    uint8_t message[64];
    uint32_t len = good(message);

    assert_true(icmp_read_error(slice_of(message, len), &error));
    assert_true(address_equal(&error.local, &ours));
    assert_true(address_equal(&error.remote, &peers));
    assert_int_equal(error.local_port, 0x9c40);
    assert_int_equal(error.remote_port, 443);
    assert_int_equal(error.sequence, 0x01020304);
    assert_int_equal(error.type, 3);
    assert_int_equal(error.code, 4);
    assert_int_equal(error.mtu, 1400);
    message[1] = 1; /* host unreachable: those two bytes mean nothing */
    assert_true(icmp_read_error(slice_of(message, len), &error));
    assert_int_equal(error.mtu, 0);
    message[8 + 10] ^= 0x55; /* a router changed the TTL and not the quoted checksum */
    assert_true(icmp_read_error(slice_of(message, len), &error));
}

static void knows_which_types_are_errors(void **state)
{
    for (unsigned type = 0; type < 256; type++)
        assert_int_equal(icmp_is_error((uint8_t)type), type == 3 || type == 11 || type == 12); /* not 4, not 5 */
}

static void tells_tcp_what_an_error_means(void **state)
{
    static const struct {
        uint8_t type, code;
        enum net_error_kind kind;
    } rows[] = {
        {3, 0, NET_ERROR_HARD},  {3, 1, NET_ERROR_HARD},    {3, 2, NET_ERROR_HARD},
        {3, 3, NET_ERROR_HARD},  {3, 4, NET_ERROR_TOO_BIG}, {3, 13, NET_ERROR_HARD},
        {11, 0, NET_ERROR_SOFT}, {11, 4, NET_ERROR_SOFT},   {12, 0, NET_ERROR_SOFT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_icmp_error error;
        uint8_t message[64];
        uint32_t len = good(message);

        message[0] = rows[i].type;
        message[1] = rows[i].code;
        assert_true(icmp_read_error(slice_of(message, len), &error));
        assert_int_equal(error.kind, rows[i].kind);
        assert_int_equal(error.mtu, rows[i].kind == NET_ERROR_TOO_BIG ? 1400 : 0);
    }
}

static void writes_unreachable(void **state)
{
    struct frame quoted = frame_ip4(PEERS, OURS, IP4_PROTO_UDP, "abcdefgh", 8);
    uint8_t message[ICMP_BYTES + ICMP_QUOTE_MAX], huge[500] = {0x45};

    assert_int_equal(
        icmp_write_error(message, ICMP_UNREACHABLE, ICMP_CODE_PORT, slice_of(quoted.bytes + ETHER_BYTES, 28)), 36);
    assert_int_equal(message[0], 3);
    assert_int_equal(message[1], 3);
    assert_int_equal(checksum_add(0, message, 36), 0xffff);
    assert_memory_equal(message + 8, quoted.bytes + ETHER_BYTES, 28);
    assert_int_equal(icmp_write_error(message, ICMP_UNREACHABLE, ICMP_CODE_PORT, slice_of(huge, sizeof(huge))),
                     sizeof(message));
}

static uint32_t allowed(struct icmp_limit *limit, uint64_t now_us, uint32_t tries)
{
    uint32_t n = 0;

    while (tries-- > 0)
        n += icmp_limit_allow(limit, now_us);
    return n;
}

static void limits_to_its_rate(void **state)
{
    struct icmp_limit limit;
    uint32_t n = 0;

    icmp_limit_init(&limit, 0);
    assert_int_equal(allowed(&limit, 12345, 10), 0);
    icmp_limit_init(&limit, 1); /* not even one of a rate of one would be too strict */
    assert_int_equal(allowed(&limit, START_US, 10), 1);
    assert_int_equal(allowed(&limit, START_US + 999999, 10), 0);
    assert_int_equal(allowed(&limit, START_US + 1000000, 10), 1);
    icmp_limit_init(&limit, 1000);
    assert_int_equal(allowed(&limit, START_US, 1000), 100); /* the burst */
    assert_int_equal(allowed(&limit, START_US + 10000, 1000), 10);
    for (uint64_t t = 0; t < 10 * SECOND; t += 100)
        n += allowed(&limit, START_US + SECOND + t, 2);
    assert_in_range(n, 10000, 10100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_quotes_that_cannot_be_ours),
        cmocka_unit_test(reads_the_tuple_and_the_mtu),
        cmocka_unit_test(knows_which_types_are_errors),
        cmocka_unit_test(tells_tcp_what_an_error_means),
        cmocka_unit_test(writes_unreachable),
        cmocka_unit_test(limits_to_its_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
