/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/counters.h"

static void only_a_refusal_of_our_syn_ends_anything(void **state)
{
    static const struct {
        enum net_error_kind kind;
        uint32_t offset; /* of the sequence number from our SYN's */
        bool ends;
    } rows[] = {
        {NET_ERROR_TOO_BIG, 0, false},       {NET_ERROR_SOFT, 0, false}, {NET_ERROR_HARD, 1, false}, /* not in flight */
        {NET_ERROR_HARD, 0xffffffff, false}, {NET_ERROR_HARD, 0, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_handle handle;
        struct net_icmp_error error;
        struct tcp_event events[2];
        struct tcp_info info;
        struct rig_segment syn;
        struct bench b;

        bench_open(&b, NULL);
        assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 1, b.now_us, &handle), ASSAY_OK);
        assert_true(bench_out(&b, &syn, NULL));
        assert_int_equal(tcp_get_info(b.tcp, handle, &info), ASSAY_OK);
        error = (struct net_icmp_error){.local = b.us,
                                        .remote = b.peer,
                                        .local_port = info.local_port,
                                        .remote_port = 443,
                                        .sequence = syn.seq + rows[i].offset,
                                        .kind = rows[i].kind};
        assert_int_equal(tcp_icmp_error(b.tcp, &error, b.now_us, events, 2), rows[i].ends);
        if (rows[i].ends) {
            assert_int_equal(events[0].flags, TCP_EVENT_CLOSED);
            assert_int_equal(events[0].reason, TCP_REASON_UNREACHABLE);
        }
        assert_int_equal(tcp_live(b.tcp, handle), !rows[i].ends);
        bench_close(&b);
    }
}

static void strangers_and_the_established_are_left_alone(void **state)
{
    struct net_icmp_error error = {.local_port = OUR_PORT, .remote_port = PEER_PORT, .kind = NET_ERROR_HARD};
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct tcp_event events[2];
    struct bench b;

    bench_open(&b, NULL);
    error.local = b.us;
    error.remote = b.peer;
    assert_int_equal(tcp_icmp_error(b.tcp, &error, b.now_us, events, 2), 0);
    c = bench_establish(&b, &handle);
    assert_int_equal(tcp_write(b.tcp, handle, "x", 1), 1);
    bench_flush(&b);
    error.sequence = c->snd_una;
    assert_int_equal(tcp_icmp_error(b.tcp, &error, b.now_us, events, 2), 0);
    assert_true(tcp_live(b.tcp, handle));
    assert_int_equal(tcp_get_counters(b.tcp)->icmp_ignored, 1);
    assert_int_equal(tcp_get_counters(b.tcp)->icmp_errors, 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_refusal_of_our_syn_ends_anything),
        cmocka_unit_test(strangers_and_the_established_are_left_alone),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
