/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#define SRC 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77
#define DST 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10

struct packet {
    size_t len;
    uint8_t bytes[512];
};

/* An IPv6 header and what is behind it. */
static struct packet packet_of(uint8_t next, const void *payload, size_t len)
{
    static const uint8_t addresses[] = {SRC, DST};
    struct packet p = {.len = IP6_BYTES + len};

    p.bytes[0] = 0x60;
    p.bytes[5] = (uint8_t)len;
    p.bytes[6] = next;
    p.bytes[7] = 64;
    memcpy(p.bytes + 8, addresses, 32);
    memcpy(p.bytes + IP6_BYTES, payload, len);
    return p;
}

/* From memory that ends where the packet does, so that a sanitizer sees a read behind it. */
static enum ip6_fault read_exact(const struct packet *p, struct ip6_header *out)
{
    uint8_t *exact = malloc(p->len + 1);
    enum ip6_fault fault;

    memcpy(exact, p->bytes, p->len);
    fault = ip6_read(slice_head(slice_of(exact, p->len), IP6_BYTES + IP6_EXTENSION_BYTES_MAX), (uint32_t)p->len, out);
    free(exact);
    return fault;
}

static void judges_the_chain_of_headers(void **state)
{
    static const struct {
        const char *what;
        uint8_t next;
        uint8_t len;
        uint8_t payload[64];
        enum ip6_fault fault;
        uint8_t protocol; /* of a good one */
        uint16_t header_length;
        bool tell;
        uint8_t code;
        uint16_t pointer;
    } rows[] = {
        {"TCP at once", 6, 8, {1}, IP6_OK, 6, 40, false, 0, 0},
        {"nothing behind it", 59, 0, {0}, IP6_OK, 59, 40, false, 0, 0},
        {"ESP is no extension we skip", 50, 8, {1}, IP6_OK, 50, 40, false, 0, 0},
        {"PadN", 0, 16, {6, 0, 1, 4, 0, 0, 0, 0}, IP6_OK, 6, 48, false, 0, 0},
        {"Pad1 six times", 60, 16, {6, 0, 0, 0, 0, 0, 0, 0}, IP6_OK, 6, 48, false, 0, 0},
        {"router alert", 0, 16, {58, 0, 5, 2, 0, 0, 1, 0}, IP6_OK, 58, 48, false, 0, 0},
        {"unknown option to skip", 60, 16, {6, 0, 0x1e, 4, 1, 2, 3, 4}, IP6_OK, 6, 48, false, 0, 0},
        {"two headers", 0, 24, {60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, IP6_OK, 6, 56, false, 0, 0},
        {"routing header that is used up", 43, 16, {6, 0, 4, 0, 0, 0, 0, 0}, IP6_OK, 6, 48, false, 0, 0},
        {"atomic fragment", 44, 16, {6, 0, 0, 0, 1, 2, 3, 4}, IP6_OK, 6, 48, false, 0, 0},
        {"option to discard at", 60, 16, {6, 0, 0x5e, 4}, IP6_BAD_OPTION, 0, 0, false, 0, 0},
        {"option to tell of", 60, 16, {6, 0, 1, 0, 0x9e, 2}, IP6_BAD_OPTION, 0, 0, true, 2, 44},
        {"option to tell of unless a group", 60, 16, {6, 0, 0xde, 4}, IP6_BAD_OPTION, 0, 0, true, 2, 42},
        {"jumbo option", 0, 16, {6, 0, 0xc2, 4, 0, 1, 0, 0}, IP6_BAD_OPTION, 0, 0, true, 2, 42},
        {"option behind the end", 60, 16, {6, 0, 1, 5}, IP6_BAD_EXTENSION, 0, 0, false, 0, 0},
        {"option without its length", 60, 16, {6, 0, 1, 3, 0, 0, 0, 1}, IP6_BAD_EXTENSION, 0, 0, false, 0, 0},
        {"header longer than the packet", 60, 16, {6, 2, 1, 4}, IP6_BAD_EXTENSION, 0, 0, false, 0, 0},
        {"header cut off", 60, 7, {6, 0, 1, 4}, IP6_BAD_EXTENSION, 0, 0, false, 0, 0},
        {"no header at all", 60, 0, {0}, IP6_BAD_EXTENSION, 0, 0, false, 0, 0},
        {"hop-by-hop not first", 60, 24, {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, IP6_BAD_EXTENSION, 0, 0, true, 1, 40},
        {"hop-by-hop twice", 0, 24, {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4}, IP6_BAD_EXTENSION, 0, 0, true, 1, 40},
        {"type 0 routing header", 43, 16, {6, 0, 0, 0}, IP6_ROUTING, 0, 0, false, 0, 0},
        {"type 0 routing header to forward by", 43, 16, {6, 0, 0, 1}, IP6_ROUTING, 0, 0, true, 0, 42},
        {"type 4 routing header to forward by", 43, 16, {6, 0, 4, 1}, IP6_ROUTING, 0, 0, true, 0, 42},
        {"first fragment", 44, 16, {6, 0, 0, 1, 1, 2, 3, 4}, IP6_FRAGMENT, 0, 0, false, 0, 0},
        {"last fragment", 44, 16, {6, 0, 5, 0xa8, 1, 2, 3, 4}, IP6_FRAGMENT, 0, 0, false, 0, 0},
        {"fragment in a fragment", 44, 24, {44, 0, 0, 0, 1, 2, 3, 4, 6}, IP6_BAD_EXTENSION, 0, 0, false, 0, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct packet p = packet_of(rows[i].next, rows[i].payload, rows[i].len);
        struct ip6_header ip;

        if (read_exact(&p, &ip) != rows[i].fault || ip.tell != rows[i].tell || ip.code != rows[i].code ||
            ip.pointer != rows[i].pointer)
            fail_msg("%s", rows[i].what);
        if (rows[i].fault == IP6_OK && (ip.protocol != rows[i].protocol || ip.header_length != rows[i].header_length ||
                                        p.bytes[ip.next_at] != ip.protocol))
            fail_msg("%s: protocol %u behind %u bytes", rows[i].what, ip.protocol, ip.header_length);
    }
}

static void bounds_number_and_bytes_of_headers(void **state)
{
    uint8_t payload[200] = {0};
    struct ip6_header ip;

    for (size_t count = 1; count <= 20; count++) {
        for (size_t i = 0; i < count; i++)
            memcpy(payload + 8 * i, (uint8_t[]){i + 1 < count ? 60 : 6, 0, 1, 4, 0, 0, 0, 0}, 8);
        struct packet p = packet_of(60, payload, 8 * count + 8);

        assert_int_equal(read_exact(&p, &ip), count <= IP6_EXTENSIONS_MAX ? IP6_OK : IP6_BAD_EXTENSION);
    }
    for (size_t words = 0; words < 20; words++) {
        memset(payload, 0, sizeof(payload));
        payload[0] = 6;
        payload[1] = (uint8_t)words;
        struct packet p = packet_of(60, payload, 180);

        assert_int_equal(read_exact(&p, &ip), (words + 1) * 8 <= IP6_EXTENSION_BYTES_MAX ? IP6_OK : IP6_BAD_EXTENSION);
    }
}

static void refuses_headers_that_cannot_be(void **state)
{
    struct packet good = packet_of(6, "01234567", 8), p;
    struct ip6_header ip;

    for (p = good, p.len = 0; p.len < good.len; p.len++)
        assert_int_equal(read_exact(&p, &ip), IP6_BAD_HEADER);
    p = good;
    p.bytes[0] = 0x45;
    assert_int_equal(read_exact(&p, &ip), IP6_BAD_HEADER);
    p = good;
    p.bytes[5] = 9; /* longer than what came */
    assert_int_equal(read_exact(&p, &ip), IP6_BAD_HEADER);
    p = packet_of(0, (uint8_t[]){6, 0, 0xc2, 4, 0, 1, 0, 0}, 8); /* a jumbogram */
    p.bytes[5] = 0;
    assert_int_equal(read_exact(&p, &ip), IP6_BAD_HEADER);
    p = good;
    p.bytes[0] = 0x6f;
    p.bytes[1] = 0x3f;
    assert_int_equal(read_exact(&p, &ip), IP6_OK);
    assert_int_equal(ip.ecn, 3);
    assert_int_equal(ip.hop_limit, 64);
    assert_int_equal(ip.total_length, 48);
    assert_memory_equal(ip.src.bytes, ((uint8_t[]){SRC}), 16);
    assert_memory_equal(ip.dst.bytes, ((uint8_t[]){DST}), 16);
}

static void reads_the_fragment_header(void **state)
{
    struct packet p = packet_of(0, (uint8_t[]){44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0x05, 0xa9, 9, 8, 7, 6, 1, 2}, 18);
    struct ip6_header ip;

    assert_int_equal(read_exact(&p, &ip), IP6_FRAGMENT);
    assert_true(ip.fragment && ip.more);
    assert_int_equal(ip.fragment_at, 48);
    assert_int_equal(ip.fragment_offset, 0x5a8);
    assert_int_equal(ip.header_length, 56);
    assert_int_equal(ip.protocol, 6);
    assert_int_equal(ip.id, read_raw32((uint8_t[]){9, 8, 7, 6}));
}

static void judges_addresses(void **state)
{
    static const struct {
        const char *text;
        bool martian, multicast, link_local;
    } rows[] = {
        {"::", true, false, false},         {"::1", true, false, false},      {"::198.18.0.1", true, false, false},
        {"ff02::1", true, true, false},     {"ff0e::1", true, true, false},   {"fe80::1", false, false, true},
        {"febf::1", false, false, true},    {"fec0::1", false, false, false}, {"2001:db8::1", false, false, false},
        {"0:0:0:1::", false, false, false}, {"fd00::1", false, false, false}, {"64:ff9b::1", false, false, false},
        {"::1:0:0:0", false, false, false},
    };
    struct assay_address mapped = address_from_ip4_be(IP(198, 18, 0, 1));

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct assay_address a = ip6(rows[i].text);

        if (ip6_is_martian_source(&a) != rows[i].martian || ip6_is_multicast(&a) != rows[i].multicast ||
            ip6_is_link_local(&a) != rows[i].link_local || ip6_is_unspecified(&a) != (i == 0))
            fail_msg("%s", rows[i].text);
    }
    assert_true(ip6_is_martian_source(&mapped)); /* IPv4 in disguise */
}

static void derives_addresses(void **state)
{
    struct assay_address a = ip6("2001:db8::1:2:abcd:ef01"), group = ip6("ff02::1:ffcd:ef01");
    struct assay_address own = ip6_solicited_node(&a), link_local = ip6("fe80::3456:78ff:fe9a:bcde");
    uint8_t mac[6];

    assert_true(address_equal(&own, &group));
    ip6_multicast_mac(&group, mac);
    assert_memory_equal(mac, ((uint8_t[]){0x33, 0x33, 0xff, 0xcd, 0xef, 0x01}), 6);
    own = ip6_link_local((uint8_t[]){0x36, 0x56, 0x78, 0x9a, 0xbc, 0xde});
    assert_true(address_equal(&own, &link_local));
}

static void writes_what_it_reads(void **state)
{
    struct assay_address src = {{SRC}}, dst = {{DST}};
    struct packet p = {.len = IP6_BYTES + 300};
    struct ip6_header ip;

    ip6_write(p.bytes, &src, &dst, 6, 2, 300, 64, 0xfffabcde);
    assert_memory_equal(p.bytes, ((uint8_t[]){0x60, 0x2a, 0xbc, 0xde, 1, 44, 6, 64}), 8);
    assert_int_equal(read_exact(&p, &ip), IP6_OK);
    assert_int_equal(ip.total_length, 340);
    assert_int_equal(ip.ecn, 2);
    assert_true(address_equal(&ip.src, &src) && address_equal(&ip.dst, &dst));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_the_chain_of_headers),
        cmocka_unit_test(bounds_number_and_bytes_of_headers),
        cmocka_unit_test(refuses_headers_that_cannot_be),
        cmocka_unit_test(reads_the_fragment_header),
        cmocka_unit_test(judges_addresses),
        cmocka_unit_test(derives_addresses),
        cmocka_unit_test(writes_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
