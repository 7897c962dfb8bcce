/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/counters.h"
#include "tcp/input.h"

static void what_is_no_syn_opens_nothing(void **state)
{
    static const uint8_t flags[] = {TCP_FLAG_ACK,
                                    TCP_FLAG_FIN,
                                    TCP_FLAG_RST,
                                    TCP_FLAG_RST | TCP_FLAG_ACK,
                                    TCP_FLAG_SYN | TCP_FLAG_ACK,
                                    TCP_FLAG_SYN | TCP_FLAG_FIN,
                                    0,
                                    0xff};
    struct bench b;

    bench_open(&b, NULL);
    for (size_t i = 0; i < sizeof(flags); i++)
        bench_in(&b, (struct rig_segment){.seq = 1, .flags = flags[i]});
    assert_int_equal(tcp_get_counters(b.tcp)->passive_opens, 0);
    bench_close(&b);
}

static void a_full_table_drops_syns(void **state)
{
    struct tcp_config config;
    struct bench b;

    bench_config(&config);
    config.syn_cookies = false;
    bench_open(&b, &config);
    for (uint16_t i = 0; i < 40; i++)
        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(1000 + i), .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(tcp_get_counters(b.tcp)->passive_opens, 32);
    assert_int_equal(tcp_get_counters(b.tcp)->drop_no_slot, 8);
    assert_int_equal(bench_flush(&b), 32);
    bench_close(&b);
}

/* RFC 6528: the tuple and the secret set where the clock begins; it ticks every 4 us. RFC 7323 §5.4: so with timestamps. */
static void initial_numbers(void **state)
{
    struct tcp_tuple tuple, other;
    struct tcp_connection a, again, elsewhere, floored, keyed;
    struct tcp_config config;
    struct bench b;

    bench_open(&b, NULL);
    tuple = (struct tcp_tuple){b.us, b.peer, 443, 1000};
    other = (struct tcp_tuple){b.us, b.peer, 443, 1001};
    /* copies of a slot: only their numbers are looked at */
#define OPEN(c, t, floor)                                                 \
    do {                                                                  \
        struct tcp_connection *slot = conn_new(b.tcp);                    \
                                                                          \
        open_init(b.tcp, slot, &(t), tcp_tuple_hash(b.tcp, &(t)), floor); \
        (c) = *slot;                                                      \
        conn_free(b.tcp, slot);                                           \
    } while (0)
    OPEN(a, tuple, 0);
    b.tcp->now_us += 4000;
    OPEN(again, tuple, 0);
    assert_int_equal(again.iss - a.iss, 1000);
    assert_int_equal(again.ts_offset, a.ts_offset);
    OPEN(elsewhere, other, 0);
    assert_true(elsewhere.iss - again.iss > 100000);
    assert_int_not_equal(elsewhere.ts_offset, a.ts_offset);
    /* RFC 6191: beyond the numbers of the connection before */
    OPEN(floored, tuple, again.iss + 5000000);
    assert_int_equal(floored.iss, again.iss + 5000001);
    OPEN(floored, tuple, again.iss - 5000000);
    assert_int_equal(floored.iss, again.iss);
    bench_close(&b);
    bench_config(&config);
    config.secret[0] ^= 1;
    bench_open(&b, &config);
    OPEN(keyed, tuple, 0);
    assert_int_not_equal(keyed.iss, a.iss);
    bench_close(&b);
#undef OPEN
}

static void what_we_do_not_do_is_not_agreed_to(void **state)
{
    static const uint8_t all[] = {2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 7, 0, 0, 0, 0, 1, 3, 3, 7};

    for (uint32_t bits = 0; bits < 8; bits++) {
        struct rig_segment syn = {.seq = 1, .flags = TCP_FLAG_SYN, .options_len = sizeof(all)}, answer;
        struct tcp_options options;
        struct tcp_config config;
        struct bench b;

        memcpy(syn.options, all, sizeof(all));
        bench_config(&config);
        config.sack = bits & 1;
        config.timestamps = bits & 2;
        config.window_scaling = bits & 4;
        bench_open(&b, &config);
        bench_in(&b, syn);
        assert_true(bench_out(&b, &answer, &options));
        assert_int_equal(options.sack_permitted, config.sack);
        assert_int_equal(options.has_timestamps, config.timestamps);
        assert_int_equal(options.has_window_scale, config.window_scaling);
        assert_int_equal(b.tcp->connections[0].snd_mss, config.timestamps ? 1448 : 1460);
        bench_close(&b);
    }
}

/* RFC 6691 §2, RFC 8200 §8.3: the MTU less the headers of the connection's own IP version. */
static void announces_the_mss_of_its_family(void **state)
{
    static const struct {
        const char *us, *peer;
        uint16_t mtu, mss;
    } rows[] = {
        {"198.18.1.1", "198.18.1.2", 1500, 1460},
        {"2001:db8::1", "2001:db8::2", 1500, 1440},
        {"198.18.1.1", "198.18.1.2", 9000, 8960},
        {"2001:db8::1", "2001:db8::2", 1280, 1220},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_options options;
        struct tcp_handle handle;
        struct tcp_config config;
        struct rig_segment syn;
        struct tcp_info info;
        struct bench b;

        bench_config(&config);
        config.mtu = rows[i].mtu;
        bench_open(&b, &config);
        b.us = rig_address(rows[i].us);
        b.peer = rig_address(rows[i].peer);
        assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 1, b.now_us, &handle), ASSAY_OK);
        assert_true(bench_out(&b, &syn, &options));
        assert_int_equal(options.mss, rows[i].mss);
        assert_int_equal(tcp_get_info(b.tcp, handle, &info), ASSAY_OK);
        assert_int_equal(info.mss, rows[i].mss);
        bench_close(&b);
    }
}

/* RFC 6298 (5.7): nothing measured after a lost SYN leaves a long RTO, and RFC 5681 §3.1 one segment. */
static void a_lost_syn_ack_is_remembered(void **state)
{
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    bench_in(&b, (struct rig_segment){.seq = 1, .flags = TCP_FLAG_SYN});
    bench_flush(&b);
    bench_wait(&b, 1100000);
    assert_int_equal(bench_flush(&b), 1);
    c = &b.tcp->connections[0];
    bench_in(&b, (struct rig_segment){.seq = 2, .ack = c->iss + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b.events[0].flags, TCP_EVENT_ACCEPTED);
    assert_int_equal(c->rto_us, 3000000);
    assert_int_equal(c->srtt_us, 0);
    assert_int_equal(c->cwnd, c->snd_mss);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_syn_opens_nothing),
        cmocka_unit_test(a_full_table_drops_syns),
        cmocka_unit_test(initial_numbers),
        cmocka_unit_test(what_we_do_not_do_is_not_agreed_to),
        cmocka_unit_test(announces_the_mss_of_its_family),
        cmocka_unit_test(a_lost_syn_ack_is_remembered),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
