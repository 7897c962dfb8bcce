/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include "tcp/input.h"
#include "tcp/syn_cookie.h"

#define FULL_TS 0x01020304u

/* A listener whose backlog is of one, and taken. */
static void open_full(struct bench *b, const struct tcp_config *base)
{
    struct tcp_config config = *base;

    config.syn_backlog_max = 1;
    bench_open(b, &config);
    bench_in(b, (struct rig_segment){.source_port = 1, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(bench_flush(b), 1);
}

/* The options of a SYN: MSS 1412, SACK, timestamps, shift 7. */
static struct rig_segment syn_with_all(void)
{
    static const uint8_t all[] = {2, 4, 1412 >> 8, 1412 & 0xff, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7};
    struct rig_segment syn = {.seq = PEER_ISN, .flags = TCP_FLAG_SYN, .options_len = sizeof(all)};

    memcpy(syn.options, all, sizeof(all));
    return syn;
}

static void put_timestamps(struct rig_segment *segment, uint32_t value, uint32_t echo)
{
    struct tcp_options options = {.has_timestamps = true, .ts_value = value, .ts_echo = echo};

    segment->options_len = (uint8_t)tcp_options_write(&options, segment->options);
}

static void nothing_is_remembered(void **state)
{
    struct tcp_config config;
    struct rig_segment answer, again;
    struct tcp_options options;
    struct bench b;

    bench_config(&config);
    open_full(&b, &config);
    for (int i = 0; i < 3; i++) {
        bench_in(&b, (struct rig_segment){.seq = PEER_ISN, .flags = TCP_FLAG_SYN});
        assert_true(bench_out(&b, i == 0 ? &answer : &again, &options));
        assert_int_equal(answer.flags, TCP_FLAG_SYN | TCP_FLAG_ACK);
        assert_int_equal(answer.ack, PEER_ISN + 1);
        assert_int_equal(options.mss, 1460);
        assert_false(options.has_timestamps || options.has_window_scale || options.sack_permitted);
    }
    /* the same SYN, the same answer */
    assert_int_equal(again.seq, answer.seq);
    assert_int_equal(b.tcp->counters.syn_cookies_sent, 3);
    assert_int_equal(b.tcp->counters.drop_syn_backlog, 0);
    assert_int_equal(b.tcp->counters.passive_opens, 1);
    /* time passes and nothing is sent again */
    bench_wait(&b, 500000);
    assert_int_equal(bench_flush(&b), 0);
    bench_close(&b);
}

static void the_ack_opens_it_with_all_terms(void **state)
{
    struct rig_segment answer, ack = {.flags = TCP_FLAG_ACK, .seq = PEER_ISN + 1, .window = 1000};
    struct tcp_config config;
    struct tcp_options options;
    struct tcp_connection *c;
    struct bench b;

    bench_config(&config);
    config.timestamps = true;
    open_full(&b, &config);
    bench_in(&b, syn_with_all());
    assert_true(bench_out(&b, &answer, &options));
    assert_true(options.has_timestamps && options.sack_permitted && options.has_window_scale);
    assert_int_equal(options.ts_echo, FULL_TS);
    assert_int_equal(options.window_shift, b.tcp->rcv_shift);
    b.now_us += 30000;
    ack.ack = answer.seq + 1;
    put_timestamps(&ack, FULL_TS + 30, options.ts_value);
    bench_in(&b, ack);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_ACCEPTED);
    assert_int_equal(b.events[0].user, 77);
    c = &b.tcp->connections[b.events[0].handle.index];
    assert_int_equal(c->state, TCP_ESTABLISHED);
    assert_int_equal(c->snd_mss, 1400 - 12);
    assert_int_equal(c->snd_shift, 7);
    assert_int_equal(c->snd_wnd, 1000 << 7);
    assert_int_equal(c->rcv_shift, b.tcp->rcv_shift);
    assert_true(conn_has(c, CONN_SACK) && conn_has(c, CONN_TIMESTAMPS) && conn_has(c, CONN_WINDOW_SCALE));
    assert_int_equal(c->ts_recent, FULL_TS + 30);
    /* nothing was measured, and nothing is made up: the first timeout is the initial one */
    assert_int_equal(c->srtt_us, 0);
    assert_int_equal(c->rto_us, config.rto_initial_us);
    assert_int_equal(b.tcp->counters.syn_cookies_accepted, 1);
    assert_int_equal(b.tcp->listeners[0].half_open, 1);
    assert_int_equal(b.tcp->listeners[0].accept_queued, 1);
    /* our clock goes on from the cookie's timestamp */
    assert_int_equal(tcp_write(b.tcp, b.events[0].handle, "hello", 5), 5);
    assert_true(bench_out(&b, &ack, &options));
    assert_int_equal(ack.payload_len, 5);
    assert_int_equal(ack.seq, answer.seq + 1);
    assert_int_equal(options.ts_echo, FULL_TS + 30);
    bench_close(&b);
}

/* The ACK was lost: the first data ends the handshake, and counts as data. */
static void data_opens_it_too(void **state)
{
    struct rig_segment answer;
    struct tcp_config config;
    struct bench b;

    bench_config(&config);
    open_full(&b, &config);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &answer, NULL));
    for (int i = 0; i < 2; i++) {
        bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1,
                                          .ack = answer.seq + 1,
                                          .flags = TCP_FLAG_ACK | TCP_FLAG_PSH,
                                          .payload = (const uint8_t *)"request",
                                          .payload_len = 7});
        assert_int_equal(b.event_count, i == 0);
    }
    assert_int_equal(b.tcp->counters.syn_cookies_accepted, 1);
    assert_int_equal(b.tcp->counters.drop_duplicate, 1);
    assert_int_equal(b.tcp->counters.bytes_in, 7);
    bench_close(&b);
}

static void what_is_no_cookie_gets_a_reset(void **state)
{
    struct rig_segment answer, reset;
    struct tcp_config config;
    struct bench b;

    bench_config(&config);
    open_full(&b, &config);
    /* as long as none has been sent, none is looked for */
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1, .ack = 12345, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.tcp->counters.syn_cookies_bad, 0);
    assert_int_equal(bench_flush(&b), 1);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &answer, NULL));
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1, .ack = answer.seq + 100, .flags = TCP_FLAG_ACK});
    assert_true(bench_out(&b, &reset, NULL));
    assert_int_equal(reset.flags, TCP_FLAG_RST);
    assert_int_equal(reset.seq, answer.seq + 100);
    /* the second segment without the first: what came between would be lost */
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1001, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(bench_flush(&b), 1);
    assert_int_equal(b.tcp->counters.syn_cookies_bad, 2);
    /* a RST ends nothing, for there is nothing */
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1, .flags = TCP_FLAG_RST});
    assert_int_equal(bench_flush(&b), 0);
    /* a SYN-ACK is no ACK of a cookie */
    bench_in(&b,
             (struct rig_segment){.seq = PEER_ISN + 1, .ack = answer.seq + 1, .flags = TCP_FLAG_SYN | TCP_FLAG_ACK});
    assert_int_equal(bench_flush(&b), 1);
    assert_int_equal(b.tcp->counters.syn_cookies_accepted, 0);
    /* two minutes later it is too old; much later nobody asks */
    b.now_us += 3 * UINT64_C(64000000);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(bench_flush(&b), 1);
    assert_int_equal(b.tcp->counters.syn_cookies_old, 1);
    b.now_us += 300 * UINT64_C(64000000);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(bench_flush(&b), 1);
    assert_int_equal(b.tcp->counters.syn_cookies_old, 1);
    assert_int_equal(b.tcp->counters.syn_cookies_bad, 2);
    bench_close(&b);
}

/* The application has too much to take already: neither SYN nor ACK is answered, and the peer's data brings it back. */
static void the_accept_backlog_holds(void **state)
{
    struct rig_segment first, second;
    struct tcp_handle accepted;
    struct tcp_config config;
    struct bench b;

    bench_config(&config);
    config.accept_backlog_max = 1;
    open_full(&b, &config);
    bench_in(&b, (struct rig_segment){.source_port = 2, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &first, NULL));
    bench_in(&b, (struct rig_segment){.source_port = 3, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &second, NULL));
    bench_in(&b, (struct rig_segment){.source_port = 2, .seq = 2, .ack = first.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.event_count, 1);
    accepted = b.events[0].handle;
    bench_in(&b, (struct rig_segment){.source_port = 3, .seq = 2, .ack = second.seq + 1, .flags = TCP_FLAG_ACK});
    bench_in(&b, (struct rig_segment){.source_port = 4, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(bench_flush(&b), 0);
    assert_int_equal(b.tcp->counters.drop_accept_backlog, 2);
    tcp_accepted(b.tcp, accepted);
    bench_in(&b, (struct rig_segment){.source_port = 3,
                                      .seq = 2,
                                      .ack = second.seq + 1,
                                      .flags = TCP_FLAG_ACK,
                                      .payload = (const uint8_t *)"x",
                                      .payload_len = 1});
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_ACCEPTED | TCP_EVENT_READABLE);
    bench_close(&b);
}

/* Half of the table is all that half-open connections of all listeners get. */
static void half_of_the_table_stays_free(void **state)
{
    struct bench b;

    bench_open(&b, NULL);
    for (uint16_t i = 0; i < 1000; i++)
        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(1 + i), .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(b.tcp->counters.passive_opens, 16);
    /* the queue of answers is of 512, and nobody sent them in between */
    assert_int_equal(b.tcp->counters.syn_cookies_sent, 984);
    assert_int_equal(b.tcp->counters.replies_dropped, 984 - 512);
    assert_int_equal(bench_flush(&b), 512 + 16);
    bench_close(&b);
}

/* Nobody can be reopened by a cookie in place of a TIME-WAIT: our numbers must go on behind the old ones (RFC 6191 §2). */
static void a_time_wait_gives_its_slot_without_a_cookie(void **state)
{
    struct tcp_handle handle;
    struct rig_segment answer;
    struct tcp_connection *c;
    uint32_t snd_nxt;
    struct bench b;

    bench_open(&b, NULL);
    b.tcp->config.syn_backlog_max = 1;
    c = bench_establish(&b, &handle);
    tcp_close(b.tcp, handle);
    bench_flush(&b);
    bench_peer(&b, c, TCP_FLAG_ACK | TCP_FLAG_FIN, 1, 0, 2);
    assert_int_equal(c->state, TCP_TIME_WAIT);
    snd_nxt = c->snd_nxt;
    bench_flush(&b);
    bench_in(&b, (struct rig_segment){.source_port = 1, .seq = 1, .flags = TCP_FLAG_SYN});
    bench_flush(&b);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 100, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &answer, NULL));
    assert_true(seq_gt(answer.seq, snd_nxt - 1));
    assert_int_equal(b.tcp->counters.time_wait_reused, 1);
    assert_int_equal(b.tcp->counters.syn_cookies_sent, 0);
    assert_int_equal(b.tcp->listeners[0].half_open, 2);
    bench_close(&b);
}

static void sources_have_their_share(void **state)
{
    struct rig_segment answer;
    struct tcp_config config;
    struct tcp_handle handle;
    struct bench b;

    bench_config(&config);
    config.source_half_open_max = 2;
    config.source_connections_max = 4;
    bench_open(&b, &config);
    for (uint16_t i = 1; i <= 3; i++) {
        bench_in(&b, (struct rig_segment){.source_port = i, .seq = 1, .flags = TCP_FLAG_SYN});
        assert_true(bench_out(&b, &answer, NULL));
    }
    assert_int_equal(b.tcp->counters.passive_opens, 2);
    assert_int_equal(b.tcp->counters.source_half_open_limited, 1);
    assert_int_equal(b.tcp->counters.syn_cookies_sent, 1);
    /* by the cookie it is a third connection, then a fourth one of the ordinary kind is half-open no more */
    bench_in(&b, (struct rig_segment){.source_port = 3, .seq = 2, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.event_count, 1);
    handle = b.events[0].handle;
    bench_in(&b, (struct rig_segment){.source_port = 4, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &answer, NULL));
    bench_in(&b, (struct rig_segment){.source_port = 4, .seq = 2, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.event_count, 1);
    /* four: no fifth, and no cookie either */
    bench_in(&b, (struct rig_segment){.source_port = 5, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(bench_flush(&b), 0);
    assert_int_equal(b.tcp->counters.drop_source_connections, 1);
    /* one ends: there is room again */
    tcp_abort(b.tcp, handle);
    bench_flush(&b);
    bench_in(&b, (struct rig_segment){.source_port = 5, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(bench_flush(&b), 1);
    bench_close(&b);
}

static void a_cookie_over_the_limit_is_reset(void **state)
{
    struct rig_segment answers[2], reset;
    struct tcp_config config;
    struct bench b;

    bench_config(&config);
    config.source_connections_max = 2;
    config.syn_backlog_max = 1;
    bench_open(&b, &config);
    bench_in(&b, (struct rig_segment){.source_port = 1, .seq = 1, .flags = TCP_FLAG_SYN});
    bench_flush(&b);
    for (uint16_t i = 0; i < 2; i++) {
        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(2 + i), .seq = 1, .flags = TCP_FLAG_SYN});
        assert_true(bench_out(&b, &answers[i], NULL));
    }
    for (uint16_t i = 0; i < 2; i++)
        bench_in(&b, (struct rig_segment){
                         .source_port = (uint16_t)(2 + i), .seq = 2, .ack = answers[i].seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.tcp->counters.syn_cookies_accepted, 1);
    assert_int_equal(b.tcp->counters.drop_source_connections, 1);
    assert_true(bench_out(&b, &reset, NULL));
    assert_int_equal(reset.flags, TCP_FLAG_RST);
    assert_int_equal(reset.destination_port, 3);
    bench_close(&b);
}

static void ip6_works_alike(void **state)
{
    struct net_segment packet;
    struct tcp_config config;
    struct rig_segment answer, syn = syn_with_all();
    struct tcp_options options;
    struct bench b;

    bench_config(&config);
    config.timestamps = true;
    config.syn_backlog_max = 1;
    bench_open(&b, &config);
    b.us = rig_address("2001:db8::1");
    b.peer = rig_address("2001:db8::2");
    assert_int_equal(tcp_listen(b.tcp, &b.us, OUR_PORT, 78), ASSAY_OK);
    bench_in(&b, (struct rig_segment){.source_port = 1, .seq = 1, .flags = TCP_FLAG_SYN});
    bench_flush(&b);
    bench_in(&b, syn);
    assert_true(bench_out(&b, &answer, &options));
    assert_int_equal(b.tcp->counters.syn_cookies_sent, 1);
    syn = (struct rig_segment){.source_port = PEER_PORT,
                               .destination_port = OUR_PORT,
                               .seq = PEER_ISN + 1,
                               .ack = answer.seq + 1,
                               .flags = TCP_FLAG_ACK,
                               .window = 500};
    put_timestamps(&syn, FULL_TS, options.ts_value);
    packet = rig_receive(&b.pools, &b.peer, &b.us, &syn, 1);
    assert_int_equal(tcp_input(b.tcp, &packet, 1, b.now_us, b.events, 64), 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_ACCEPTED);
    assert_int_equal(b.events[0].user, 78);
    /* no MSS option: 1220 for IPv6 (RFC 9293 §3.7.1) */
    bench_in(&b, (struct rig_segment){.source_port = 9, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_true(bench_out(&b, &answer, NULL));
    bench_in(&b, (struct rig_segment){.source_port = 9, .seq = 2, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.tcp->connections[b.events[0].handle.index].snd_mss, 1220);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_remembered),
        cmocka_unit_test(the_ack_opens_it_with_all_terms),
        cmocka_unit_test(data_opens_it_too),
        cmocka_unit_test(what_is_no_cookie_gets_a_reset),
        cmocka_unit_test(the_accept_backlog_holds),
        cmocka_unit_test(half_of_the_table_stays_free),
        cmocka_unit_test(a_time_wait_gives_its_slot_without_a_cookie),
        cmocka_unit_test(sources_have_their_share),
        cmocka_unit_test(a_cookie_over_the_limit_is_reset),
        cmocka_unit_test(ip6_works_alike),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
