/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames in and out of a port, as a ring holds them. */
#include "fixture.h"

#include <sys/types.h>

#include <pcap/bpf.h>

#include "base/byte_ring.h"
#include "net/capture.h"

static uint64_t the_time;

static uint64_t wall_ns(void)
{
    return ++the_time;
}

/* "ether proto 0x0806", and a frame's byte beyond the first 100 is 7. */
static struct bpf_insn arp_only[] = {
    {BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x0806},
    {BPF_RET | BPF_K, 0, 0, 65535},
    {BPF_RET | BPF_K, 0, 0, 0},
};
static struct bpf_insn byte_100_is_7[] = {
    {BPF_LD | BPF_B | BPF_ABS, 0, 0, 100},
    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 7},
    {BPF_RET | BPF_K, 0, 0, 65535},
    {BPF_RET | BPF_K, 0, 0, 0},
};

static struct capture begin(struct bpf_insn *filter, uint32_t snaplen, size_t ring_bytes)
{
    struct capture capture = {.filter = filter, .snaplen = snaplen, .wall_ns = wall_ns};

    assert_int_equal(byte_ring_create(ring_bytes, &capture.ring), ASSAY_OK);
    return capture;
}

static const struct capture_record *first(struct capture *capture, size_t *len)
{
    struct slice record;

    if (!byte_ring_peek(capture->ring, &record))
        return NULL;
    *len = record.len - sizeof(struct capture_record);
    return (const struct capture_record *)record.data;
}

static void both_directions_are_copied_and_cut(void **state)
{
    struct fixture *f = *state;
    struct capture capture = begin(NULL, 64, 65536);
    struct frame frame = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 10), 100);
    const struct capture_record *record;
    struct rte_mbuf *m;
    size_t len;

    nic_set_capture(&f->nics[0], &capture);
    nic_send(&f->nics[0], mbuf_of(f->pool, frame.bytes, frame.len));
    assert_null(first(&capture, &len)); /* not before it is handed to the port */
    assert_int_equal(nic_flush(&f->nics[0]), 0);
    record = first(&capture, &len);
    assert_int_equal(record->direction, CAPTURE_OUT);
    assert_int_equal(record->length, frame.len);
    assert_int_equal(len, 64);
    assert_memory_equal(record->bytes, frame.bytes, 64);
    assert_int_equal(record->wall_ns, the_time);
    byte_ring_release(capture.ring);
    assert_int_equal(nic_rx(&f->nics[0], &m, 1), 1);
    rte_pktmbuf_free(m);
    record = first(&capture, &len);
    assert_int_equal(record->direction, CAPTURE_IN);
    assert_memory_equal(record->bytes, frame.bytes, 64);
    byte_ring_release(capture.ring);
    assert_int_equal(capture.seen, 2);
    assert_int_equal(capture.matched, 2);
    /* off: nothing more */
    nic_set_capture(&f->nics[0], NULL);
    nic_send(&f->nics[0], mbuf_of(f->pool, frame.bytes, frame.len));
    m = sent(f, 0);
    rte_pktmbuf_free(m);
    assert_null(first(&capture, &len));
    byte_ring_destroy(capture.ring);
}

static void a_filter_looks_over_segment_borders(void **state)
{
    struct fixture *f = *state;
    struct capture capture = begin(byte_100_is_7, 65535, 65536);
    struct frame frame = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 10), 100);
    static const uint32_t cuts[] = {54, 60, 60, 101};
    struct rte_mbuf *m;
    const struct capture_record *record;
    size_t len;

    frame.bytes[100] = 7;
    m = mbuf_cut(f->tiny_pool, frame.bytes, frame.len, cuts, 4);
    capture_burst(&capture, CAPTURE_OUT, &m, 1);
    record = first(&capture, &len);
    assert_non_null(record);
    assert_int_equal(len, frame.len);
    assert_memory_equal(record->bytes, frame.bytes, frame.len);
    byte_ring_release(capture.ring);
    rte_pktmbuf_free(m);
    frame.bytes[100] = 8;
    m = mbuf_cut(f->tiny_pool, frame.bytes, frame.len, cuts, 4);
    capture_burst(&capture, CAPTURE_OUT, &m, 1);
    assert_null(first(&capture, &len));
    rte_pktmbuf_free(m);
    /* shorter than what the filter asks for: no */
    m = mbuf_of(f->pool, frame.bytes, 60);
    capture_burst(&capture, CAPTURE_OUT, &m, 1);
    assert_null(first(&capture, &len));
    rte_pktmbuf_free(m);
    assert_int_equal(capture.seen, 3);
    assert_int_equal(capture.matched, 1);
    byte_ring_destroy(capture.ring);
}

static void a_full_ring_loses_copies_and_counts(void **state)
{
    struct fixture *f = *state;
    struct capture capture = begin(arp_only, 65535, 512);
    struct frame ask = frame_arp(ARP_REQUEST, all_mac, peer_mac, IP(198, 18, 1, 7), all_mac, IP(198, 18, 1, 10));
    struct frame other = frame_tcp(IP(198, 18, 1, 7), IP(198, 18, 1, 10), 10);
    struct rte_mbuf *m[20];

    for (int i = 0; i < 20; i++)
        m[i] = i % 2 ? mbuf_of(f->pool, other.bytes, other.len) : mbuf_of(f->pool, ask.bytes, ask.len);
    capture_burst(&capture, CAPTURE_IN, m, 20);
    rte_pktmbuf_free_bulk(m, 20);
    assert_int_equal(capture.seen, 20);
    assert_int_equal(capture.matched, 10);
    assert_in_range(capture.dropped, 1, 9);
    for (uint64_t i = capture.dropped; i < 10; i++) {
        size_t len;

        assert_non_null(first(&capture, &len));
        byte_ring_release(capture.ring);
    }
    capture_burst(&capture, CAPTURE_IN, m, 0);
    byte_ring_destroy(capture.ring);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(both_directions_are_copied_and_cut),
        CASE(a_filter_looks_over_segment_borders),
        CASE(a_full_ring_loses_copies_and_counts),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
