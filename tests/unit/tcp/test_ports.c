/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/ports.h"

static void open_with_range(struct bench *b, uint16_t min, uint16_t max)
{
    struct tcp_config config;

    bench_config(&config);
    config.connections_max = 200;
    config.port_min = min;
    config.port_max = max;
    bench_open(b, &config);
}

static void none_is_left(void **state)
{
    struct assay_address other = rig_address("198.18.1.3");
    struct tcp_handle handles[101];
    bool seen[100] = {false};
    struct bench b;

    open_with_range(&b, 30000, 30099);
    for (int i = 0; i < 100; i++) {
        struct tcp_info info;

        assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handles[i]), ASSAY_OK);
        assert_int_equal(tcp_get_info(b.tcp, handles[i], &info), ASSAY_OK);
        assert_in_range(info.local_port, 30000, 30099);
        assert_false(seen[info.local_port - 30000]);
        seen[info.local_port - 30000] = true;
    }
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handles[100]), ASSAY_ERR_NO_PORT);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 30001, &b.peer, 443, 0, b.now_us, &handles[100]), ASSAY_ERR_NO_PORT);
    assert_int_equal(b.tcp->counters.no_port, 2);
    /* another port, address or source is another space */
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 444, 0, b.now_us, &handles[100]), ASSAY_OK);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &other, 443, 0, b.now_us, &handles[100]), ASSAY_OK);
    assert_int_equal(tcp_connect(b.tcp, &other, 0, &b.peer, 443, 0, b.now_us, &handles[100]), ASSAY_OK);
    /* one is closed: its port is the one that is free */
    tcp_close(b.tcp, handles[37]);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handles[37]), ASSAY_OK);
    bench_close(&b);
}

/* RFC 6056 §3.3.4: the sequence of ports toward one destination says nothing about that toward another. */
static void destinations_have_their_own_sequence(void **state)
{
    struct tcp_tuple tuple;
    uint32_t hash, floor, distances[16];
    int same = 0;
    struct bench b;

    open_with_range(&b, 1024, 65535);
    for (uint16_t i = 0; i < 16; i++) {
        tuple = (struct tcp_tuple){b.us, b.peer, 0, (uint16_t)(1000 + i)};
        assert_int_equal(ports_choose(b.tcp, &tuple, &hash, &floor), ASSAY_OK);
        distances[i] = tuple.local_port;
        assert_int_equal(floor, 0);
        /* the next one toward the same destination is the next port, or a few on */
        assert_int_equal(ports_choose(b.tcp, &tuple, &hash, &floor), ASSAY_OK);
        assert_in_range(tuple.local_port - distances[i], 1, 16);
    }
    for (int i = 1; i < 16; i++)
        same += distances[i] > distances[i - 1] && distances[i] - distances[i - 1] < 100;
    assert_true(same < 3);
    bench_close(&b);
}

static void one_port_is_a_range_too(void **state)
{
    struct tcp_handle handle;
    struct bench b;

    open_with_range(&b, 30000, 30000);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handle), ASSAY_OK);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handle), ASSAY_ERR_NO_PORT);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_left),
        cmocka_unit_test(destinations_have_their_own_sequence),
        cmocka_unit_test(one_port_is_a_range_too),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
