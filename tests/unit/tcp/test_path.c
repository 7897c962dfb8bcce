/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/counters.h"
#include "tcp/path.h"
#include "tcp/sent.h"

/* The peer's MSS is 1000 (bench_establish): an MTU of 1040. */
#define MTU 1040

static struct tcp_connection *with_data(struct bench *b, uint32_t bytes, struct tcp_handle *handle)
{
    static const uint8_t data[32000];
    struct tcp_connection *c;

    bench_open(b, NULL);
    c = bench_establish(b, handle);
    assert_int_equal(c->mtu, MTU);
    assert_int_equal(tcp_write(b->tcp, *handle, data, bytes), bytes);
    bench_flush(b);
    return c;
}

static void error_in(struct bench *b, uint32_t sequence, uint16_t mtu)
{
    struct net_icmp_error error = {.local = b->us,
                                   .remote = b->peer,
                                   .local_port = OUR_PORT,
                                   .remote_port = PEER_PORT,
                                   .sequence = sequence,
                                   .kind = NET_ERROR_TOO_BIG,
                                   .mtu = mtu};

    assert_int_equal(tcp_icmp_error(b->tcp, &error, b->now_us, b->events, 64), 0);
}

static void sack_in(struct bench *b, const struct tcp_connection *c, uint32_t ack, uint32_t start, uint32_t end)
{
    struct tcp_options options = {.sack_count = 1, .sack = {{start, end}}};
    struct rig_segment segment = {.seq = PEER_ISN + 1, .ack = ack, .flags = TCP_FLAG_ACK};

    segment.options_len = (uint8_t)tcp_options_write(&options, segment.options);
    bench_in(b, segment);
    assert_int_equal(c->state, TCP_ESTABLISHED);
}

/* Lengths of what goes out now, each starting where the one before ended. */
static void expect_lengths(struct bench *b, uint32_t seq, const uint32_t *lengths, uint32_t count)
{
    struct rig_segment out;

    for (uint32_t i = 0; i < count; i++) {
        assert_true(bench_out(b, &out, NULL));
        assert_int_equal(out.seq, seq);
        assert_int_equal(out.payload_len, lengths[i]);
        seq += lengths[i];
    }
    assert_false(bench_out(b, &out, NULL));
}
#define EXPECT(b, seq, ...) \
    expect_lengths(b, seq, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void what_is_in_flight_goes_again_smaller(void **state)
{
    struct tcp_handle handle;
    struct tcp_info info;
    struct bench b;
    struct tcp_connection *c = with_data(&b, 3500, &handle);
    uint32_t una = c->snd_una, cwnd = c->cwnd, ssthresh = c->ssthresh;

    error_in(&b, una + 1000, 740);
    /* the last, 500 bytes, was not too big */
    EXPECT(&b, una, 700, 300, 700, 300, 700, 300);
    assert_int_equal(c->cwnd, cwnd);
    assert_int_equal(c->ssthresh, ssthresh);
    assert_int_equal(tcp_get_info(b.tcp, handle, &info), ASSAY_OK);
    assert_int_equal(info.mtu, 740);
    assert_int_equal(info.mss, 700);
    assert_int_equal(b.tcp->counters.path_mtu_lowered, 1);
    assert_int_equal(b.tcp->counters.timeouts, 0);
    /* the errors about the others say nothing new */
    error_in(&b, una, 740);
    error_in(&b, una + 2000, 740);
    assert_false(bench_out(&b, &(struct rig_segment){0}, NULL));
    assert_int_equal(b.tcp->counters.path_mtu_refused, 0);
    assert_int_equal(b.tcp->counters.path_mtu_lowered, 1);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 3501);
    assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
    assert_true(c->cwnd >= cwnd);
    bench_close(&b);
}

static void what_cannot_be_true_is_refused(void **state)
{
    static const struct {
        uint32_t offset; /* of the sequence number */
        uint16_t mtu;
        const char *what;
    } rows[] = {
        {0, MTU + 1, "no smaller than the packet"},
        {0, 1500, "larger than the packet"},
        {0, 551, "below the floor"},
        {0, 68, "far below the floor"},
        {1000, 700, "about what was SACKed"},
        {3000, 576, "about a small one"},
    };
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, 3500, &handle);
    uint32_t una = c->snd_una;

    sack_in(&b, c, una, una + 1000, una + 2000);
    bench_flush(&b);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        error_in(&b, una + rows[i].offset, rows[i].mtu);
        if (c->mtu != MTU || b.tcp->counters.path_mtu_refused != i + 1)
            fail_msg("believed: %s", rows[i].what);
    }
    error_in(&b, una - 1, 700);
    error_in(&b, una + 3500, 700);
    assert_int_equal(c->mtu, MTU);
    assert_int_equal(b.tcp->counters.icmp_ignored, 2);
    error_in(&b, una, 552);
    assert_int_equal(c->mtu, 552);
    bench_close(&b);
}

static void an_old_router_says_no_number(void **state)
{
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, 1000, &handle);
    uint32_t una = c->snd_una;

    error_in(&b, una, 0);
    assert_int_equal(c->mtu, 1006); /* RFC 1191 §7 */
    EXPECT(&b, una, 966, 34);
    bench_close(&b);
}

static void the_next_connection_begins_with_it(void **state)
{
    struct assay_address other;
    struct tcp_handle handle;
    struct tcp_info info;
    struct bench b;
    struct tcp_connection *c = with_data(&b, 1000, &handle);

    error_in(&b, c->snd_una, 740);
    other = rig_address("198.18.1.3");
    assert_int_equal(path_remembered(b.tcp, &b.peer), 740);
    assert_int_equal(path_remembered(b.tcp, &other), 1500);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 1, b.now_us, &handle), ASSAY_OK);
    assert_int_equal(tcp_get_info(b.tcp, handle, &info), ASSAY_OK);
    assert_int_equal(info.mtu, 740);
    /* RFC 1191 §6.3: ten minutes */
    b.tcp->now_us += UINT64_C(599000000);
    assert_int_equal(path_remembered(b.tcp, &b.peer), 740);
    b.tcp->now_us += UINT64_C(1000001);
    assert_int_equal(path_remembered(b.tcp, &b.peer), 1500);
    bench_close(&b);
}

static void the_memory_is_bounded(void **state)
{
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, 1000, &handle);
    struct assay_address remote = c->remote;
    uint32_t known = 0;

    for (uint32_t i = 0; i < 20 * TCP_PATH_SETS * TCP_PATH_WAYS; i++) {
        c->remote.bytes[14] = (uint8_t)(i >> 8);
        c->remote.bytes[15] = (uint8_t)i;
        c->remote.bytes[13] = (uint8_t)(i >> 16);
        b.tcp->now_us++;
        c->mtu_suspect = true;
        c->mtu = 576;
        path_acked(b.tcp, c);
        assert_int_equal(path_remembered(b.tcp, &c->remote), 576);
    }
    for (uint32_t i = 0; i < TCP_PATH_SETS * TCP_PATH_WAYS; i++)
        known += b.tcp->paths[i].until_us > b.tcp->now_us;
    assert_int_equal(known, TCP_PATH_SETS * TCP_PATH_WAYS);
    c->remote = remote;
    bench_close(&b);
}

/* Four timeouts of a full segment, and its bytes pass in smaller ones. */
static struct tcp_connection *in_a_black_hole(struct bench *b, struct tcp_handle *handle)
{
    struct tcp_connection *c = with_data(b, 1000, handle);
    uint32_t una = c->snd_una;

    for (uint32_t i = 0; i < 100 && b->tcp->counters.timeouts < 4; i++) {
        bench_flush(b);
        bench_wait(b, 50000);
    }
    assert_int_equal(c->snd_mss, 536);
    assert_int_equal(b->tcp->counters.path_black_holes, 0); /* nothing is proven yet */
    assert_int_equal(path_remembered(b->tcp, &b->peer), 1500);
    EXPECT(b, una, 536);
    bench_peer(b, c, TCP_FLAG_ACK, 1, 0, 537);
    EXPECT(b, una + 536, 464);
    bench_peer(b, c, TCP_FLAG_ACK, 1, 0, 1001);
    assert_int_equal(b->tcp->counters.path_black_holes, 1);
    assert_int_equal(path_remembered(b->tcp, &b->peer), 576);
    assert_int_equal(c->snd_mss, 536);
    return c;
}

static void a_black_hole_is_found(void **state)
{
    struct tcp_handle handle;
    struct bench b;

    in_a_black_hole(&b, &handle);
    bench_close(&b);
}

static void small_segments_that_time_out_are_no_black_hole(void **state)
{
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, 900, &handle);

    for (uint32_t i = 0; i < 200 && b.tcp->counters.timeouts < 5; i++) {
        bench_flush(&b);
        bench_wait(&b, 50000);
    }
    assert_int_equal(c->mtu, MTU);
    bench_close(&b);
}

static void a_probe_that_passes_raises(void **state)
{
    static const uint8_t data[16000];
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = in_a_black_hole(&b, &handle);
    uint32_t una = c->snd_una;

    bench_wait(&b, 11000000);
    c->cwnd = 20000;
    /* too little to tell a lost probe from a lost tail */
    assert_int_equal(tcp_write(b.tcp, handle, data, 1072), 1072);
    EXPECT(&b, una, 536, 536);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 2073);
    una += 1072;
    /* half way from 576 to 1040 */
    assert_int_equal(tcp_write(b.tcp, handle, data, 3000), 3000);
    EXPECT(&b, una, 768, 536, 536, 536, 536, 88);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 5073);
    assert_int_equal(c->mtu, 808);
    assert_int_equal(b.tcp->counters.path_mtu_raised, 1);
    una += 3000;
    /* and on */
    assert_int_equal(tcp_write(b.tcp, handle, data, 4000), 4000);
    EXPECT(&b, una, 884, 768, 768, 768, 768, 44);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 9073);
    assert_int_equal(c->mtu, 924);
    assert_int_equal(path_remembered(b.tcp, &b.peer), 924);
    bench_close(&b);
}

static void a_probe_that_is_lost_costs_nothing(void **state)
{
    static const uint8_t data[16000];
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = in_a_black_hole(&b, &handle);
    uint32_t una = c->snd_una, cwnd;

    bench_wait(&b, 11000000);
    c->cwnd = 20000;
    assert_int_equal(tcp_write(b.tcp, handle, data, 3000), 3000);
    EXPECT(&b, una, 768, 536, 536, 536, 536, 88);
    cwnd = c->cwnd;
    bench_wait(&b, 10000);
    sack_in(&b, c, una, una + 768, una + 768 + 3 * 536);
    EXPECT(&b, una, 536, 232);
    assert_int_equal(c->recovery, TCP_RECOVERY_OPEN);
    assert_int_equal(c->cwnd, cwnd);
    assert_int_equal(c->mtu, 576);
    assert_int_equal(b.tcp->counters.recoveries, 0);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 4001);
    /* half way again, below what has failed */
    una += 3000;
    assert_int_equal(tcp_write(b.tcp, handle, data, 3000), 3000);
    EXPECT(&b, una, 652, 536, 536, 536, 536, 204);
    /* this one a router answers: no more than we know */
    error_in(&b, una, 576);
    EXPECT(&b, una, 536, 116);
    assert_int_equal(c->mtu, 576);
    assert_int_equal(c->mtu_failed, 0);
    assert_true(c->mtu_probe_us > b.now_us + UINT64_C(599000000));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_flight_goes_again_smaller),
        cmocka_unit_test(what_cannot_be_true_is_refused),
        cmocka_unit_test(an_old_router_says_no_number),
        cmocka_unit_test(the_next_connection_begins_with_it),
        cmocka_unit_test(the_memory_is_bounded),
        cmocka_unit_test(a_black_hole_is_found),
        cmocka_unit_test(small_segments_that_time_out_are_no_black_hole),
        cmocka_unit_test(a_probe_that_passes_raises),
        cmocka_unit_test(a_probe_that_is_lost_costs_nothing),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
