/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/counters.h"
#include "tcp/input.h"

/* Any header cut anywhere: counted, nothing answered, nothing read beyond the end, the mbuf given back. */
static void short_segments_are_counted(void **state)
{
    uint8_t bytes[60] = {0xc3, 0x50, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0xf0, TCP_FLAG_SYN, 0xff, 0xff};
    struct bench b;

    bench_open(&b, NULL);
    memset(bytes + 20, 1, 40);
    for (uint32_t len = 0; len < 60; len++) {
        struct net_segment packet = rig_receive_bytes(&b.pools, &b.peer, &b.us, bytes, len, 1);

        assert_int_equal(tcp_input(b.tcp, &packet, 1, b.now_us, b.events, 64), 0);
    }
    assert_int_equal(tcp_get_counters(b.tcp)->drop_short, 60);
    /* a header length below five words */
    for (uint8_t words = 0; words < 5; words++) {
        struct net_segment packet;

        bytes[12] = (uint8_t)(words << 4);
        packet = rig_receive_bytes(&b.pools, &b.peer, &b.us, bytes, 60, 1);
        assert_int_equal(tcp_input(b.tcp, &packet, 1, b.now_us, b.events, 64), 0);
    }
    assert_int_equal(tcp_get_counters(b.tcp)->drop_short, 65);
    assert_int_equal(tcp_get_counters(b.tcp)->segments_in, 65);
    assert_int_equal(bench_flush(&b), 0);
    bench_close(&b);
}

/* RFC 9293 §3.4: which segments are acceptable, for each kind of length and window. */
static void acceptability(void **state)
{
    static const struct {
        uint32_t window; /* left */
        uint32_t seq;    /* from RCV.NXT */
        uint32_t len;
        uint32_t taken;
        bool answered; /* at once */
    } rows[] = {
        {1000, 0, 0, 0, false},
        {1000, 1000, 0, 0, false}, /* at the edge: all of the window was used */
        {1000, 1001, 0, 0, true},
        {1000, 0, 10, 10, false},
        {1000, 0xfffffff6, 10, 0, true}, /* all of it old */
        {1000, 0xfffffff6, 11, 1, true}, /* one byte new: told as a duplicate in part */
        {1000, 990, 10, 0, true},        /* behind a gap */
        {1000, 1000, 10, 0, true},
        {1000, 0, 1100, 1000, true}, /* clipped */
        {0, 0, 0, 0, false},
        {0, 0, 10, 0, true}, /* a probe of the closed window */
        {0, 1, 0, 0, true},
        {0, 5, 10, 0, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_handle handle;
        struct tcp_connection *c;
        uint32_t before;
        struct bench b;

        bench_open(&b, NULL);
        c = bench_establish(&b, &handle);
        c->rcv_adv = c->rcv_nxt + rows[i].window;
        before = c->rcv_nxt;
        bench_peer(&b, c, TCP_FLAG_ACK, 1 + rows[i].seq, rows[i].len, 1);
        if (c->rcv_nxt - before != rows[i].taken)
            fail_msg("row %zu: %u taken", i, c->rcv_nxt - before);
        if (bench_flush(&b) != rows[i].answered)
            fail_msg("row %zu: answered or not", i);
        bench_close(&b);
    }
}

static void bursts_are_taken_whole(void **state)
{
    struct net_segment packets[100];
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint8_t data[100] = {0};
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    for (uint32_t i = 0; i < 100; i++) {
        struct rig_segment segment = {.source_port = PEER_PORT,
                                      .destination_port = OUR_PORT,
                                      .seq = PEER_ISN + 1 + i * 100,
                                      .ack = c->snd_nxt,
                                      .flags = TCP_FLAG_ACK,
                                      .window = 1000,
                                      .payload = data,
                                      .payload_len = 100};

        packets[i] = rig_receive(&b.pools, &b.peer, &b.us, &segment, 1 + i % 3);
    }
    assert_int_equal(tcp_input(b.tcp, packets, 100, b.now_us, b.events, 64), 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_READABLE);
    assert_int_equal(tcp_readable(b.tcp, handle), 10000);
    /* one ACK for all of it */
    assert_int_equal(bench_flush(&b), 1);
    bench_close(&b);
}

static void no_room_for_events_is_no_loss(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct net_segment packet;
    struct rig_segment segment;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    segment = (struct rig_segment){.source_port = PEER_PORT,
                                   .destination_port = OUR_PORT,
                                   .seq = PEER_ISN + 1,
                                   .ack = c->snd_nxt,
                                   .flags = TCP_FLAG_ACK | TCP_FLAG_FIN,
                                   .window = 1000};
    packet = rig_receive(&b.pools, &b.peer, &b.us, &segment, 1);
    assert_int_equal(tcp_input(b.tcp, &packet, 1, b.now_us, b.events, 0), 0);
    assert_int_equal(tcp_timers(b.tcp, b.now_us, b.events, 64), 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_PEER_FIN);
    bench_close(&b);
}

static void challenges_are_rationed(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    for (int i = 0; i < 30; i++)
        input_challenge(b.tcp, c);
    assert_int_equal(tcp_get_counters(b.tcp)->challenge_acks, 10);
    assert_int_equal(tcp_get_counters(b.tcp)->challenge_acks_limited, 20);
    b.tcp->now_us += 5000000;
    input_challenge(b.tcp, c);
    assert_int_equal(tcp_get_counters(b.tcp)->challenge_acks, 11);
    bench_close(&b);
}

static void a_reset_answers_what_came(void **state)
{
    static const struct {
        uint8_t flags;
        uint32_t len;
        uint8_t reply;
        uint32_t seq, ack;
    } rows[] = {
        {TCP_FLAG_RST, 0, 0, 0, 0},
        {TCP_FLAG_RST | TCP_FLAG_ACK, 0, 0, 0, 0},
        {TCP_FLAG_ACK, 10, TCP_FLAG_RST, 99, 0},
        {TCP_FLAG_SYN, 10, TCP_FLAG_RST | TCP_FLAG_ACK, 0, 1011},
        {TCP_FLAG_FIN, 0, TCP_FLAG_RST | TCP_FLAG_ACK, 0, 1001},
        {TCP_FLAG_SYN | TCP_FLAG_ACK, 0, TCP_FLAG_RST, 99, 0},
    };
    struct bench b;

    bench_open(&b, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t data[10] = {0};
        struct rig_segment answer;

        bench_in(&b, (struct rig_segment){.destination_port = 9,
                                          .seq = 1000,
                                          .ack = 99,
                                          .flags = rows[i].flags,
                                          .payload = data,
                                          .payload_len = rows[i].len});
        assert_int_equal(bench_out(&b, &answer, NULL), rows[i].reply != 0);
        if (rows[i].reply == 0)
            continue;
        assert_int_equal(answer.flags, rows[i].reply);
        assert_int_equal(answer.seq, rows[i].seq);
        assert_int_equal(answer.ack, rows[i].ack);
    }
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_segments_are_counted), cmocka_unit_test(acceptability),
        cmocka_unit_test(bursts_are_taken_whole),     cmocka_unit_test(no_room_for_events_is_no_loss),
        cmocka_unit_test(challenges_are_rationed),    cmocka_unit_test(a_reset_answers_what_came),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
