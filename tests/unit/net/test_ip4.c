/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define SRC IP(198, 18, 1, 1)
#define DST IP(198, 18, 1, 10)

static struct frame good(void)
{
    return frame_ip4(SRC, DST, IP4_PROTO_TCP, "0123456789abcdefghij", 20);
}

static enum ip4_fault read_frame(const struct frame *f, struct ip4_header *out)
{
    return ip4_read(slice_of(f->bytes + ETHER_BYTES, f->len - ETHER_BYTES), f->len - ETHER_BYTES, false, out);
}

static void judges_each_field(void **state)
{
    static const struct {
        uint32_t offset; /* in the IP header */
        uint8_t value;
        bool fix; /* the checksum is made right again */
        enum ip4_fault fault;
        const char *what;
    } rows[] = {
        {0, 0x05, true, IP4_BAD_HEADER, "version 0"},
        {0, 0x65, true, IP4_BAD_HEADER, "version 6"},
        {0, 0x40, false, IP4_BAD_HEADER, "header length 0"},
        {0, 0x44, false, IP4_BAD_HEADER, "header length 16"},
        {0, 0x4f, false, IP4_BAD_HEADER, "header length beyond the datagram"},
        {3, 0, true, IP4_BAD_HEADER, "total length 0"},
        {3, 19, true, IP4_BAD_HEADER, "total length under the header"},
        {3, 41, true, IP4_BAD_HEADER, "total length beyond the frame"},
        {2, 0xff, true, IP4_BAD_HEADER, "total length beyond the frame"},
        {3, 20, true, IP4_OK, "an empty datagram"},
        {3, 39, true, IP4_OK, "a byte of padding"},
        {8, 0, true, IP4_OK, "TTL 0 at its destination (RFC 1122 3.2.1.7)"},
        {8, 61, false, IP4_BAD_CHECKSUM, "wrong checksum"},
        {10, 0x55, false, IP4_BAD_CHECKSUM, "wrong checksum"},
        {6, 0x20, true, IP4_FRAGMENT, "more fragments"},
        {7, 0x01, true, IP4_FRAGMENT, "offset 8"},
        {6, 0x1f, true, IP4_FRAGMENT, "offset"},
        {6, 0x40, true, IP4_OK, "don't fragment"},
        {1, 0x03, true, IP4_OK, "ECN"},
    };
    struct ip4_header ip;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame f = good();

        f.bytes[ETHER_BYTES + rows[i].offset] = rows[i].value;
        if (rows[i].fix)
            frame_fix_ip(&f);
        if (read_frame(&f, &ip) != rows[i].fault)
            fail_msg("%s", rows[i].what);
    }
}

static void judges_options(void **state)
{
    static const struct {
        uint8_t options[8];
        enum ip4_fault fault;
        const char *what;
    } rows[] = {
        {{7, 0, 0, 0}, IP4_BAD_OPTIONS, "length 0 must not loop"},
        {{7, 1, 0, 0}, IP4_BAD_OPTIONS, "length 1"},
        {{7, 9, 4, 0}, IP4_BAD_OPTIONS, "length beyond the header"},
        {{1, 1, 1, 1, 1, 1, 1, 7}, IP4_BAD_OPTIONS, "a kind without its length"},
        {{131, 7, 4, 1, 2, 3, 4}, IP4_SOURCE_ROUTE, "loose source route"},
        {{137, 7, 4, 1, 2, 3, 4}, IP4_SOURCE_ROUTE, "strict source route"},
        {{1, 131, 3, 4}, IP4_SOURCE_ROUTE, "behind a no-op"},
        {{68, 4, 5, 0, 137, 3, 4}, IP4_SOURCE_ROUTE, "behind a timestamp"},
        {{0, 131, 3, 4}, IP4_OK, "behind the end of the list"},
        {{1, 1, 1, 1, 1, 1, 1, 1}, IP4_OK, "no-ops"},
        {{148, 4, 0, 0}, IP4_OK, "router alert"},
        {{7, 8, 4}, IP4_OK, "record route, to the last byte"},
        {{0}, IP4_OK, "end of list at once"},
    };
    struct ip4_header ip;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct frame f = good();

        f.bytes[ETHER_BYTES] = 0x47;
        memcpy(f.bytes + ETHER_BYTES + IP4_BYTES, rows[i].options, 8);
        frame_fix_ip(&f);
        if (read_frame(&f, &ip) != rows[i].fault)
            fail_msg("%s", rows[i].what);
        assert_int_equal(ip.header_length, 28);
    }
}

static void refuses_every_truncation(void **state)
{
    struct frame f = good();
    struct ip4_header ip;

    f.bytes[ETHER_BYTES] = 0x47;
    memset(f.bytes + ETHER_BYTES + IP4_BYTES, 1, 8);
    frame_fix_ip(&f);
    for (uint32_t len = 0; len < 40; len++) {
        uint8_t *exact = malloc(len + 1);

        memcpy(exact, f.bytes + ETHER_BYTES, len);
        assert_int_equal(ip4_read(slice_of(exact, len), len, false, &ip), IP4_BAD_HEADER);
        /* header there, payload not yet: enough when the rest is elsewhere in the packet */
        assert_int_equal(ip4_read(slice_of(exact, len), 40, false, &ip), len < 28 ? IP4_BAD_HEADER : IP4_OK);
        free(exact);
    }
}

static void reads_the_fields(void **state)
{
    struct frame f = good();
    struct ip4_header ip;

    f.bytes[ETHER_BYTES + 1] = 0xb9;
    frame_fix_ip(&f);
    assert_int_equal(read_frame(&f, &ip), IP4_OK);
    assert_int_equal(ip.src_be, SRC);
    assert_int_equal(ip.dst_be, DST);
    assert_int_equal(ip.total_length, 40);
    assert_int_equal(ip.header_length, 20);
    assert_int_equal(ip.protocol, IP4_PROTO_TCP);
    assert_int_equal(ip.ecn, 1);
    f.bytes[ETHER_BYTES + 10] ^= 1; /* the port has said that it is right */
    assert_int_equal(ip4_read(slice_of(f.bytes + ETHER_BYTES, 40), 40, true, &ip), IP4_OK);
}

static void knows_impossible_sources(void **state)
{
    static const struct {
        uint32_t ip_be;
        bool martian, multicast;
    } rows[] = {
        {IP(0, 0, 0, 0), true, false},         {IP(0, 1, 2, 3), true, false},        {IP(127, 0, 0, 1), true, false},
        {IP(224, 0, 0, 1), true, true},        {IP(239, 9, 9, 9), true, true},       {IP(240, 0, 0, 1), true, false},
        {IP(255, 255, 255, 255), true, false}, {IP(223, 255, 255, 1), false, false}, {IP(1, 1, 1, 1), false, false},
        {IP(198, 18, 0, 1), false, false},     {IP(169, 254, 1, 1), false, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(ip4_is_martian_source(rows[i].ip_be), rows[i].martian);
        assert_int_equal(ip4_is_multicast(rows[i].ip_be), rows[i].multicast);
    }
    assert_int_equal(ip4_mask_be(0), 0);
    assert_int_equal(ip4_mask_be(24), IP(255, 255, 255, 0));
    assert_int_equal(ip4_mask_be(32), UINT32_MAX);
}

static void reads_what_it_writes(void **state)
{
    uint8_t header[IP4_BYTES];
    struct ip4_header ip;

    memset(header, 0xaa, sizeof(header));
    ip4_write(header, SRC, DST, IP4_PROTO_TCP, 2, 1500, 0x1234, true);
    assert_int_equal(ip4_read(slice_of(header, sizeof(header)), 1500, false, &ip), IP4_OK);
    assert_int_equal(ip.total_length, 1500);
    assert_int_equal(ip.ecn, 2);
    assert_int_equal(header[1], 2);
    assert_int_equal(read_be16(header + 6), 0x4000); /* DF */
    assert_int_equal(header[8], 64);
    assert_int_equal(read_be16(header + 4), 0x1234);
    ip4_write(header, SRC, DST, IP4_PROTO_TCP, 0, 1500, 0x1234, false);
    assert_int_equal(read_be16(header + 10), 0); /* the port fills it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_each_field),        cmocka_unit_test(judges_options),
        cmocka_unit_test(refuses_every_truncation), cmocka_unit_test(reads_the_fields),
        cmocka_unit_test(knows_impossible_sources), cmocka_unit_test(reads_what_it_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
