/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/counters.h"

static struct tcp_connection *with_data(struct bench *b, struct tcp_handle *handle)
{
    static const uint8_t data[5000];
    struct tcp_connection *c;

    bench_open(b, NULL);
    c = bench_establish(b, handle);
    assert_int_equal(tcp_write(b->tcp, *handle, data, sizeof(data)), sizeof(data));
    assert_int_equal(bench_flush(b), 5);
    return c;
}

static void what_was_never_sent_is_not_acknowledged(void **state)
{
    static const uint32_t acks[] = {5002, 6000, 0x7fffffff, 0x80000002, 0xffff0000};

    for (size_t i = 0; i < sizeof(acks) / sizeof(acks[0]); i++) {
        struct tcp_handle handle;
        struct bench b;
        struct tcp_connection *c = with_data(&b, &handle);

        bench_peer(&b, c, TCP_FLAG_ACK, 1, 10, acks[i]);
        assert_int_equal(tcp_unacked(b.tcp, handle), 5000);
        assert_int_equal(tcp_readable(b.tcp, handle), 0);
        assert_int_equal(tcp_get_counters(b.tcp)->drop_ack_range, 1);
        bench_close(&b);
    }
}

static void parts_of_segments(void **state)
{
    static const uint32_t acks[] = {2, 500, 1000, 1001, 1002, 2600, 5000, 5001};
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, &handle);

    for (size_t i = 0; i < sizeof(acks) / sizeof(acks[0]); i++) {
        bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, acks[i]);
        assert_int_equal(tcp_unacked(b.tcp, handle), 5001 - acks[i]);
        assert_int_equal(c->snd_una - c->iss, acks[i]);
    }
    assert_int_equal(c->sent_count, 0);
    assert_int_equal(c->send_mbufs, 0);
    assert_int_equal(b.events[0].flags, TCP_EVENT_SENT);
    bench_close(&b);
}

/* RFC 9293 §3.10.7.4: an old segment must not take a newer window back. */
static void windows_from_old_segments_do_not_count(void **state)
{
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, &handle);

    bench_in(&b,
             (struct rig_segment){.seq = PEER_ISN + 1, .ack = c->iss + 2001, .flags = TCP_FLAG_ACK, .window = 9000});
    assert_int_equal(c->snd_wnd, 9000);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1, .ack = c->iss + 1001, .flags = TCP_FLAG_ACK, .window = 100});
    assert_int_equal(c->snd_wnd, 9000);
    bench_in(&b,
             (struct rig_segment){.seq = PEER_ISN + 1, .ack = c->iss + 2001, .flags = TCP_FLAG_ACK, .window = 8000});
    assert_int_equal(c->snd_wnd, 8000);
    bench_close(&b);
}

static void an_ack_of_new_data_ends_the_backoff(void **state)
{
    struct tcp_handle handle;
    struct bench b;
    struct tcp_connection *c = with_data(&b, &handle);

    c->backoff = 4;
    c->retries = 4;
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1);
    assert_int_equal(c->backoff, 4);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1001);
    assert_int_equal(c->backoff, 0);
    assert_int_equal(c->retries, 0);
    bench_close(&b);
}

static void echoes_from_nowhere_measure_nothing(void **state)
{
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct rig_segment segment = {.seq = PEER_ISN,
                                  .flags = TCP_FLAG_SYN,
                                  .options = {2, 4, 4, 0, 1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0},
                                  .options_len = 16};
    struct bench b;

    bench_config(&config);
    config.timestamps = true;
    bench_open(&b, &config);
    bench_in(&b, segment);
    bench_flush(&b);
    b.now_us += 20000;
    segment = (struct rig_segment){.seq = PEER_ISN + 1,
                                   .flags = TCP_FLAG_ACK,
                                   .ack = b.tcp->connections[0].iss + 1,
                                   .options = {1, 1, 8, 10, 0, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef},
                                   .options_len = 12};
    bench_in(&b, segment);
    assert_int_equal(b.event_count, 1);
    handle = b.events[0].handle;
    c = &b.tcp->connections[handle.index];
    assert_int_equal(c->srtt_us, 20000);
    assert_int_equal(tcp_write(b.tcp, handle, "x", 1), 1);
    bench_flush(&b);
    /* sent twice: only the echo could tell, and it is nonsense */
    bench_wait(&b, 1000000);
    assert_true(bench_flush(&b) > 0);
    segment.ack++;
    bench_in(&b, segment);
    assert_int_equal(tcp_unacked(b.tcp, handle), 0);
    assert_int_equal(c->srtt_us, 20000);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_never_sent_is_not_acknowledged),
        cmocka_unit_test(parts_of_segments),
        cmocka_unit_test(windows_from_old_segments_do_not_count),
        cmocka_unit_test(an_ack_of_new_data_ends_the_backoff),
        cmocka_unit_test(echoes_from_nowhere_measure_nothing),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
