/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames, and whose they are. Every frame is cut at each length too: what is not there is not read, and never steered wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/ether.h"
#include "net/steer.h"

struct bytes {
    size_t len;
    uint8_t data[512];
};

static void add(struct bytes *b, const void *data, size_t len)
{
    assert_in_range(b->len + len, 0, sizeof(b->data));
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

static void add_byte(struct bytes *b, unsigned value)
{
    uint8_t byte = (uint8_t)value;

    add(b, &byte, 1);
}

static void add16(struct bytes *b, unsigned value)
{
    add_byte(b, value >> 8);
    add_byte(b, value & 255);
}

static void add_zero(struct bytes *b, size_t len)
{
    while (len-- > 0)
        add_byte(b, 0);
}

#define PEER4 "\xc6\x12\x01\x07"
#define OURS4 "\xc6\x12\x00\x0a"
#define PEER6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\x01\x07"
#define OURS6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a"

static void ethernet(struct bytes *b, unsigned type)
{
    b->len = 0;
    add(b, "\x02\0\0\0\0\x10\x02\0\0\0\0\x99", 12);
    add16(b, type);
}

static void vlan(struct bytes *b, unsigned outer, int tags)
{
    ethernet(b, outer);
    for (int i = 0; i < tags; i++) {
        add16(b, 100);
        add16(b, i + 1 < tags ? ETHER_TYPE_VLAN : ETHER_TYPE_IP4);
    }
}

static void ip4(struct bytes *b, const char *src, const char *dst, unsigned protocol, unsigned fragment,
                unsigned option_words)
{
    add_byte(b, 0x45 + option_words);
    add_byte(b, 0);
    add16(b, 100);
    add16(b, 1);
    add16(b, fragment);
    add_byte(b, 64);
    add_byte(b, protocol);
    add16(b, 0);
    add(b, src, 4);
    add(b, dst, 4);
    add_zero(b, option_words * 4);
}

static void ip6(struct bytes *b, const char *src, const char *dst, unsigned next)
{
    add(b, "\x60\0\0\0\0\x40", 6);
    add_byte(b, next);
    add_byte(b, 64);
    add(b, src, 16);
    add(b, dst, 16);
}

/* An extension header of 8 × (words + 1) bytes. */
static void extension(struct bytes *b, unsigned next, unsigned words)
{
    add_byte(b, next);
    add_byte(b, words);
    add_zero(b, words * 8 + 6);
}

static void tcp(struct bytes *b, unsigned source, unsigned destination)
{
    add16(b, source);
    add16(b, destination);
    add_zero(b, 16);
}

static void expect_flow(const struct steer_flow *flow, size_t address_bytes, const char *src, const char *dst,
                        unsigned source, unsigned destination, bool plain)
{
    assert_int_equal(flow->address_bytes, address_bytes);
    assert_memory_equal(flow->addresses, src, address_bytes);
    assert_memory_equal(flow->addresses + address_bytes, dst, address_bytes);
    assert_int_equal(read_be16(flow->ports), source);
    assert_int_equal(read_be16(flow->ports + 2), destination);
    assert_int_equal(flow->plain, plain);
}

/* A frame that is cut short is steered as the whole one is, or stays where it is. */
static enum steer_way steer(const struct bytes *b, struct steer_flow *flow)
{
    enum steer_way way = steer_frame(slice_of(b->data, b->len), flow);

    for (size_t len = 0; len < b->len; len++) {
        /* on the heap, so that a sanitizer sees a read behind it */
        uint8_t *cut = malloc(len > 0 ? len : 1);
        struct steer_flow other;
        enum steer_way it;

        assert_non_null(cut);
        memcpy(cut, b->data, len);
        it = steer_frame(slice_of(cut, len), &other);
        free(cut);
        assert_true(it == way || it == STEER_HERE);
        if (it == STEER_FLOW || it == STEER_QUOTED)
            assert_memory_equal(other.ports, flow->ports, 4);
    }
    return way;
}

static void tcp_goes_to_the_core_of_its_connection(void **state)
{
    struct steer_flow flow;
    struct bytes b;

    ethernet(&b, ETHER_TYPE_IP4);
    ip4(&b, PEER4, OURS4, 6, 0x4000, 0);
    tcp(&b, 40000, 8443);
    assert_int_equal(steer(&b, &flow), STEER_FLOW);
    expect_flow(&flow, 4, PEER4, OURS4, 40000, 8443, true);

    ethernet(&b, ETHER_TYPE_IP4);
    ip4(&b, PEER4, OURS4, 6, 0, 10); /* with options a NIC may hash in another way */
    tcp(&b, 40000, 8443);
    assert_int_equal(steer(&b, &flow), STEER_FLOW);
    expect_flow(&flow, 4, PEER4, OURS4, 40000, 8443, false);

    ethernet(&b, ETHER_TYPE_IP6);
    ip6(&b, PEER6, OURS6, 6);
    tcp(&b, 40000, 8443);
    assert_int_equal(steer(&b, &flow), STEER_FLOW);
    expect_flow(&flow, 16, PEER6, OURS6, 40000, 8443, true);
}

static void vlan_tags_are_stepped_over(void **state)
{
    struct steer_flow flow;
    struct bytes b;

    for (int tags = 1; tags <= 2; tags++) {
        vlan(&b, tags == 2 ? ETHER_TYPE_QINQ : ETHER_TYPE_VLAN, tags);
        ip4(&b, PEER4, OURS4, 6, 0, 0);
        tcp(&b, 1, 2);
        assert_int_equal(steer(&b, &flow), STEER_FLOW);
        expect_flow(&flow, 4, PEER4, OURS4, 1, 2, false);
    }
    vlan(&b, ETHER_TYPE_VLAN, 3);
    ip4(&b, PEER4, OURS4, 6, 0, 0);
    tcp(&b, 1, 2);
    assert_int_equal(steer(&b, &flow), STEER_HERE);
}

static void extension_headers_are_stepped_over(void **state)
{
    struct steer_flow flow;
    struct bytes b;

    ethernet(&b, ETHER_TYPE_IP6);
    ip6(&b, PEER6, OURS6, 0);
    extension(&b, 60, 0);   /* hop by hop */
    extension(&b, 43, 2);   /* destination options */
    extension(&b, 51, 0);   /* routing */
    add(&b, "\x87\x04", 2); /* authentication: 4-byte words, less 2; then mobility */
    add_zero(&b, 22);
    extension(&b, 44, 0);
    add(&b, "\x06\0\0\0\0\0\0\0", 8); /* an atomic fragment is none (RFC 6946) */
    tcp(&b, 3, 4);
    assert_int_equal(steer(&b, &flow), STEER_FLOW);
    expect_flow(&flow, 16, PEER6, OURS6, 3, 4, false);

    ethernet(&b, ETHER_TYPE_IP6);
    ip6(&b, PEER6, OURS6, 60);
    for (int i = 0; i < 30; i++) /* more than anybody needs, and they lead nowhere */
        extension(&b, 60, 0);
    assert_int_equal(steer(&b, &flow), STEER_HERE);
}

static void arp_and_neighbour_discovery_go_to_all(void **state)
{
    struct steer_flow flow;
    struct bytes b;

    ethernet(&b, ETHER_TYPE_ARP);
    add_zero(&b, 46);
    assert_int_equal(steer(&b, &flow), STEER_ALL);
    for (unsigned type = 128; type < 145; type++) {
        ethernet(&b, ETHER_TYPE_IP6);
        ip6(&b, PEER6, OURS6, 58);
        add_byte(&b, type);
        add_zero(&b, 31);
        assert_int_equal(steer(&b, &flow), type >= 133 && type <= 137 ? STEER_ALL : STEER_HERE);
    }
}

static void fragments_go_to_one_core_by_their_addresses(void **state)
{
    static const unsigned fragments[] = {0x2000, 0x0001, 0x2010, 0x1fff}; /* first, last, middle */
    struct steer_flow flow;
    struct bytes b;

    for (size_t i = 0; i < 4; i++) {
        ethernet(&b, ETHER_TYPE_IP4);
        ip4(&b, PEER4, OURS4, i == 1 ? 17 : 6, fragments[i], 0);
        tcp(&b, 7, 8);
        assert_int_equal(steer(&b, &flow), STEER_FRAGMENT);
        expect_flow(&flow, 4, PEER4, OURS4, 0, 0, false);
    }
    for (unsigned offset = 0; offset < 0x100; offset += 0x51) {
        ethernet(&b, ETHER_TYPE_IP6);
        ip6(&b, PEER6, OURS6, 44);
        add(&b, "\x06\0", 2);
        add16(&b, offset << 3 | 1);
        add(&b, "\0\0\0\1", 4);
        tcp(&b, 7, 8);
        assert_int_equal(steer(&b, &flow), STEER_FRAGMENT);
        expect_flow(&flow, 16, PEER6, OURS6, 0, 0, false);
    }
}

/* Whatever the bytes of a piece say, an "atomic" fragment header among them included, it is one, and no core may take it for a
 * whole datagram. */
static void fragment_stays_one_behind_a_second_fragment_header(void **state)
{
    struct steer_flow flow;
    struct bytes b;

    ethernet(&b, ETHER_TYPE_IP6);
    ip6(&b, PEER6, OURS6, 44);
    add(&b, "\x2c\0\0\1\0\0\0\1", 8); /* the first piece of more; next: */
    add(&b, "\x06\0\0\0\0\0\0\1", 8); /* an atomic one */
    tcp(&b, 7, 8);
    assert_int_equal(steer(&b, &flow), STEER_FRAGMENT);
    expect_flow(&flow, 16, PEER6, OURS6, 0, 0, false);
}

/* A router's error about a segment of ours: the answers to that segment come the other way. */
static void icmp_errors_go_where_the_quoted_connection_is(void **state)
{
    static const uint8_t types4[] = {3, 11, 12};
    struct steer_flow flow;
    struct bytes b;

    for (size_t i = 0; i < sizeof(types4); i++) {
        ethernet(&b, ETHER_TYPE_IP4);
        ip4(&b, "\xc6\x12\x09\x01", OURS4, 1, 0, 0);
        add_byte(&b, types4[i]);
        add_zero(&b, 7);
        ip4(&b, OURS4, PEER4, 6, 0x4000, i == 1 ? 5 : 0);
        add16(&b, 30123); /* ours */
        add16(&b, 8443);
        add_zero(&b, 4);
        assert_int_equal(steer(&b, &flow), STEER_QUOTED);
        expect_flow(&flow, 4, PEER4, OURS4, 8443, 30123, false);
    }
    for (unsigned type = 1; type <= 4; type++) {
        ethernet(&b, ETHER_TYPE_IP6);
        ip6(&b, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\x09\x01", OURS6, 58);
        add_byte(&b, type);
        add_zero(&b, 7);
        ip6(&b, OURS6, PEER6, type == 2 ? 60 : 6);
        if (type == 2)
            extension(&b, 6, 0);
        tcp(&b, 30123, 8443);
        assert_int_equal(steer(&b, &flow), STEER_QUOTED);
        expect_flow(&flow, 16, PEER6, OURS6, 8443, 30123, false);
    }
}

static void icmp_errors_about_anything_else_stay(void **state)
{
    struct steer_flow flow;
    struct bytes b;

    ethernet(&b, ETHER_TYPE_IP4); /* about UDP */
    ip4(&b, PEER4, OURS4, 1, 0, 0);
    add(&b, "\x03\x03\0\0\0\0\0\0", 8);
    ip4(&b, OURS4, PEER4, 17, 0, 0);
    add_zero(&b, 8);
    assert_int_equal(steer(&b, &flow), STEER_HERE);

    ethernet(&b, ETHER_TYPE_IP4); /* about a later fragment: no ports in it */
    ip4(&b, PEER4, OURS4, 1, 0, 0);
    add(&b, "\x03\x04\0\0\0\0\0\0", 8);
    ip4(&b, OURS4, PEER4, 6, 0x2001, 0);
    add_zero(&b, 8);
    assert_int_equal(steer(&b, &flow), STEER_HERE);

    ethernet(&b, ETHER_TYPE_IP4); /* about an IPv6 packet, in an ICMP of IPv4 */
    ip4(&b, PEER4, OURS4, 1, 0, 0);
    add(&b, "\x03\x01\0\0\0\0\0\0", 8);
    ip6(&b, OURS6, PEER6, 6);
    tcp(&b, 1, 2);
    assert_int_equal(steer(&b, &flow), STEER_HERE);
}

static void echo_other_protocols_and_malformed_frames_stay(void **state)
{
    static const unsigned protocols[] = {0, 1, 2, 17, 47, 58, 132, 255};
    struct steer_flow flow;
    struct bytes b;

    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        ethernet(&b, ETHER_TYPE_IP4);
        ip4(&b, PEER4, OURS4, protocols[i], 0, 0);
        add(&b, "\x08\0", 2);
        add_zero(&b, 40);
        assert_int_equal(steer(&b, &flow), STEER_HERE);
    }
    ethernet(&b, 0x88cc); /* LLDP */
    add_zero(&b, 60);
    assert_int_equal(steer(&b, &flow), STEER_HERE);
    ethernet(&b, ETHER_TYPE_IP4); /* says IPv4, is IPv6 */
    ip6(&b, PEER6, OURS6, 6);
    tcp(&b, 1, 2);
    assert_int_equal(steer(&b, &flow), STEER_HERE);
    ethernet(&b, ETHER_TYPE_IP4);
    ip4(&b, PEER4, OURS4, 6, 0, 0);
    tcp(&b, 1, 2);
    b.data[ETHER_BYTES] = 0x44; /* a header shorter than a header */
    assert_int_equal(steer(&b, &flow), STEER_HERE);
    b.data[ETHER_BYTES] = 0x4f; /* one longer than the frame */
    assert_int_equal(steer(&b, &flow), STEER_HERE);
    ethernet(&b, ETHER_TYPE_IP6);
    ip6(&b, PEER6, OURS6, 60);
    add(&b, "\x06\xff", 2); /* an extension header longer than the frame */
    tcp(&b, 1, 2);
    assert_int_equal(steer(&b, &flow), STEER_HERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_goes_to_the_core_of_its_connection),
        cmocka_unit_test(vlan_tags_are_stepped_over),
        cmocka_unit_test(extension_headers_are_stepped_over),
        cmocka_unit_test(arp_and_neighbour_discovery_go_to_all),
        cmocka_unit_test(fragments_go_to_one_core_by_their_addresses),
        cmocka_unit_test(fragment_stays_one_behind_a_second_fragment_header),
        cmocka_unit_test(icmp_errors_go_where_the_quoted_connection_is),
        cmocka_unit_test(icmp_errors_about_anything_else_stay),
        cmocka_unit_test(echo_other_protocols_and_malformed_frames_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
