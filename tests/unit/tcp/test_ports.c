/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/flow_map.h"
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

/* The second address is for when the ports of the first are used up, and none is left when those of both are. */
static void several_addresses(void **state)
{
    struct assay_address locals[2] = {rig_address("198.18.1.1"), rig_address("198.18.1.9")};
    struct tcp_handle handles[21];
    struct tcp_info info;
    struct bench b;

    open_with_range(&b, 30000, 30009);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(tcp_connect_any(b.tcp, locals, 2, &b.peer, 443, 0, b.now_us, &handles[i]), ASSAY_OK);
        assert_int_equal(tcp_get_info(b.tcp, handles[i], &info), ASSAY_OK);
        assert_memory_equal(&info.local, &locals[i >= 10], sizeof(info.local));
    }
    assert_int_equal(tcp_connect_any(b.tcp, locals, 2, &b.peer, 443, 0, b.now_us, &handles[20]), ASSAY_ERR_NO_PORT);
    assert_int_equal(tcp_connect_any(b.tcp, locals, 0, &b.peer, 443, 0, b.now_us, &handles[20]), ASSAY_ERR_NO_PORT);
    assert_int_equal(b.tcp->counters.no_port, 2);
    /* toward another destination the first one serves again */
    assert_int_equal(tcp_connect_any(b.tcp, locals, 2, &b.peer, 444, 0, b.now_us, &handles[20]), ASSAY_OK);
    assert_int_equal(tcp_get_info(b.tcp, handles[20], &info), ASSAY_OK);
    assert_memory_equal(&info.local, &locals[0], sizeof(info.local));
    tcp_abort(b.tcp, handles[13]);
    assert_int_equal(tcp_connect_any(b.tcp, locals, 2, &b.peer, 443, 0, b.now_us, &handles[13]), ASSAY_OK);
    assert_int_equal(tcp_get_info(b.tcp, handles[13], &info), ASSAY_OK);
    assert_memory_equal(&info.local, &locals[1], sizeof(info.local));
    bench_close(&b);
}

/* That all are taken is found out once; a port that is given up is found at once, and so is a TIME-WAIT that has come of age
 * without anybody giving up anything. */
static void a_full_range_is_remembered(void **state)
{
    struct tcp_tuple tuple;
    struct tcp_handle handles[10], handle;
    struct tcp_connection *c;
    uint32_t hash, floor, next_before[TCP_PORT_SLOTS];
    struct bench b;

    open_with_range(&b, 30000, 30009);
    for (int i = 0; i < 10; i++)
        assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handles[i]), ASSAY_OK);
    tuple = (struct tcp_tuple){b.us, b.peer, 0, 443};
    assert_int_equal(ports_choose(b.tcp, &tuple, &hash, &floor), ASSAY_ERR_NO_PORT);
    memcpy(next_before, b.tcp->port_next, sizeof(next_before));
    assert_int_equal(ports_choose(b.tcp, &tuple, &hash, &floor), ASSAY_ERR_NO_PORT);
    /* nobody went through the range again */
    assert_memory_equal(b.tcp->port_next, next_before, sizeof(next_before));
    tcp_abort(b.tcp, handles[4]);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handles[4]), ASSAY_OK);
    assert_int_equal(ports_choose(b.tcp, &tuple, &hash, &floor), ASSAY_ERR_NO_PORT);
    c = &b.tcp->connections[handles[7].index];
    conn_set_state(b.tcp, c, TCP_TIME_WAIT);
    c->flags &= ~(uint32_t)CONN_ANNOUNCED;
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handle), ASSAY_ERR_NO_PORT);
    b.now_us += 1000000;
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handle), ASSAY_OK);
    assert_int_equal(b.tcp->counters.time_wait_reused, 1);
    bench_flush(&b);
    bench_close(&b);
}

/* Two cores with the same addresses: each opens only from ports whose answers come to it, and together they have them all. */
static void each_core_has_the_ports_whose_answers_come_to_it(void **state)
{
    static struct flow_map map;
    static bool seen[512];
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];
    uint32_t total = 0;
    uint64_t seed = 3;

    do {
        for (size_t i = 0; i < sizeof(key); i++)
            key[i] = (uint8_t)rig_random(&seed);
        assert_int_equal(flow_map_init(&map, 2, key), ASSAY_OK);
    } while (!flow_map_is_fair(&map, 30000, 30511));
    for (uint32_t core = 0; core < 2; core++) {
        struct tcp_config config;
        struct tcp_handle handle;
        struct flow_ports ports;
        enum assay_error error;
        uint32_t opened = 0;
        struct bench b;

        bench_config(&config);
        config.connections_max = 1000;
        config.port_min = 30000;
        config.port_max = 30511;
        config.flows = &map;
        config.core = core;
        bench_open(&b, &config);
        ports = flow_map_ports(&map, &b.peer, 443, &b.us);
        while ((error = tcp_connect(b.tcp, &b.us, 0, &b.peer, 443, 0, b.now_us, &handle)) == ASSAY_OK) {
            struct tcp_info info;

            assert_int_equal(tcp_get_info(b.tcp, handle, &info), ASSAY_OK);
            assert_int_equal(flow_map_port_core(&map, &ports, info.local_port), core);
            assert_false(seen[info.local_port - 30000]);
            seen[info.local_port - 30000] = true;
            opened++;
        }
        assert_int_equal(error, ASSAY_ERR_NO_PORT);
        assert_int_equal(b.tcp->counters.no_port, 1);
        assert_in_range(opened, 128, 384);
        total += opened;
        bench_close(&b);
    }
    assert_int_equal(total, 512);
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
        cmocka_unit_test(several_addresses),
        cmocka_unit_test(a_full_range_is_remembered),
        cmocka_unit_test(each_core_has_the_ports_whose_answers_come_to_it),
        cmocka_unit_test(one_port_is_a_range_too),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
