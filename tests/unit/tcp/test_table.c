/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/table.h"

static struct tcp_tuple tuple_of(const struct bench *b, uint32_t i)
{
    return (struct tcp_tuple){b->us, b->peer, OUR_PORT, (uint16_t)(1000 + i)};
}

static void finds_only_the_whole_tuple(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    for (int what = 0; what < 5; what++) {
        struct tcp_tuple tuple = {b.us, b.peer, OUR_PORT, PEER_PORT};
        struct tcp_connection *found;

        switch (what) {
        case 0: tuple.local_port++; break;
        case 1: tuple.remote_port++; break;
        case 2: tuple.local.bytes[0] ^= 1; break;
        case 3: tuple.remote.bytes[15] ^= 1; break;
        default: break;
        }
        /* even with the hash of the right one */
        found = tcp_table_find(b.tcp, &tuple, c->hash);
        assert_ptr_equal(found, what == 4 ? c : NULL);
    }
    bench_close(&b);
}

static void holds_and_forgets_all_in_any_order(void **state)
{
    struct tcp_connection *c[30];
    struct bench b;

    bench_open(&b, NULL);
    for (uint32_t i = 0; i < 30; i++) {
        struct tcp_tuple tuple = tuple_of(&b, i);

        c[i] = conn_new(b.tcp);
        c[i]->local = tuple.local;
        c[i]->remote = tuple.remote;
        c[i]->local_port = tuple.local_port;
        c[i]->remote_port = tuple.remote_port;
        /* all in three chains */
        c[i]->hash = i % 3;
        tcp_table_insert(b.tcp, c[i]);
    }
    for (uint32_t k = 0; k < 30; k++) {
        uint32_t gone = k * 7 % 30;

        tcp_table_remove(b.tcp, c[gone]);
        tcp_table_remove(b.tcp, c[gone]); /* twice is once */
        for (uint32_t i = 0; i < 30; i++) {
            struct tcp_tuple tuple = tuple_of(&b, i);
            bool there = conn_has(c[i], CONN_IN_TABLE);

            assert_ptr_equal(tcp_table_find(b.tcp, &tuple, i % 3), there ? c[i] : NULL);
        }
    }
    bench_close(&b);
}

static void the_secret_decides_the_bucket(void **state)
{
    struct tcp_config config;
    struct tcp_tuple tuple;
    struct bench b;
    uint32_t hash;

    bench_open(&b, NULL);
    tuple = tuple_of(&b, 1);
    hash = tcp_tuple_hash(b.tcp, &tuple);
    bench_close(&b);
    bench_config(&config);
    config.secret[3] ^= 1;
    bench_open(&b, &config);
    assert_int_not_equal(tcp_tuple_hash(b.tcp, &tuple), hash);
    bench_close(&b);
}

static void listeners(void **state)
{
    struct assay_address any = rig_address("0.0.0.0"), other = rig_address("198.18.1.9");
    struct bench b;

    bench_open(&b, NULL);
    assert_int_equal(tcp_listener_find(b.tcp, &b.us, 80), TCP_NONE);
    assert_int_equal(tcp_listener_find(b.tcp, &other, OUR_PORT), TCP_NONE);
    assert_int_equal(tcp_listener_find(b.tcp, &b.us, OUR_PORT), 0);
    assert_int_equal(tcp_listen(b.tcp, &b.us, OUR_PORT, 5), ASSAY_ERR_DUPLICATE);
    assert_int_equal(tcp_listen(b.tcp, &any, OUR_PORT, 5), ASSAY_OK);
    assert_int_equal(tcp_listener_find(b.tcp, &other, OUR_PORT), 1);
    /* the exact address first */
    assert_int_equal(tcp_listener_find(b.tcp, &b.us, OUR_PORT), 0);
    assert_int_equal(tcp_unlisten(b.tcp, &b.us, OUR_PORT), ASSAY_OK);
    assert_int_equal(tcp_unlisten(b.tcp, &b.us, OUR_PORT), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(tcp_listener_find(b.tcp, &b.us, OUR_PORT), 1);
    for (uint16_t port = 1; port < TCP_LISTENERS_MAX; port++)
        assert_int_equal(tcp_listen(b.tcp, &b.us, port, port), ASSAY_OK);
    assert_int_equal(tcp_listen(b.tcp, &b.us, 9999, 1), ASSAY_ERR_NO_SLOT);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_only_the_whole_tuple),
        cmocka_unit_test(holds_and_forgets_all_in_any_order),
        cmocka_unit_test(the_secret_decides_the_bucket),
        cmocka_unit_test(listeners),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
