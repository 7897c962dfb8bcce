/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table as the operator sees it: in slices, with everything that holds a slot. */
#include "fixture.h"
#include "tcp/walk.h"

static uint32_t count(const struct bench *b, struct tcp_row *rows, uint32_t max)
{
    uint32_t slot = 0, n = 0;

    while (n < max && tcp_walk(b->tcp, &slot, UINT32_MAX, b->now_us, &rows[n]))
        n++;
    return n;
}

static void an_empty_table_has_no_rows_and_ends(void **state)
{
    struct tcp_row row;
    struct bench b;
    uint32_t slot = 0;

    bench_open(&b, NULL);
    assert_int_equal(tcp_walk_slots(b.tcp), b.tcp->config.connections_max);
    assert_false(tcp_walk(b.tcp, &slot, 7, b.now_us, &row));
    assert_int_equal(slot, 7);
    assert_false(tcp_walk(b.tcp, &slot, UINT32_MAX, b.now_us, &row));
    assert_int_equal(slot, tcp_walk_slots(b.tcp));
    bench_close(&b);
}

static void a_connection_is_told_with_its_queues_and_times(void **state)
{
    struct tcp_handle handle;
    struct tcp_row rows[2];
    struct bench b;

    bench_open(&b, NULL);
    bench_establish(&b, &handle);
    assert_int_equal(tcp_set_user(b.tcp, handle, 77), ASSAY_OK);
    bench_peer(&b, tcp_by_handle(b.tcp, handle), TCP_FLAG_ACK, 1, 300, 1);
    assert_int_equal(tcp_write(b.tcp, handle, b.bytes, 500), 500);
    assert_int_equal(count(&b, rows, 2), 1);
    assert_int_equal(rows[0].unsent_bytes, 500);
    bench_flush(&b);
    bench_wait(&b, 20000);
    assert_int_equal(count(&b, rows, 2), 1);
    assert_string_equal(rows[0].state, "ESTABLISHED");
    assert_true(rows[0].passive);
    assert_false(rows[0].orphan);
    assert_false(rows[0].ecn);
    assert_int_equal(rows[0].user, 77);
    assert_memory_equal(&rows[0].handle, &handle, sizeof(handle));
    assert_int_equal(rows[0].local_port, OUR_PORT);
    assert_int_equal(rows[0].remote_port, PEER_PORT);
    assert_memory_equal(&rows[0].remote, &b.peer, sizeof(b.peer));
    assert_int_equal(rows[0].send_bytes, 500);
    assert_int_equal(rows[0].unsent_bytes, 0);
    assert_int_equal(rows[0].receive_bytes, 300);
    assert_int_equal(rows[0].bytes_in, 300);
    assert_int_equal(rows[0].mss, 1000);
    assert_true(rows[0].cwnd_bytes >= 1000);
    assert_true(rows[0].ssthresh_bytes >= 1u << 30);
    assert_true(rows[0].rto_us > 0);
    assert_true(rows[0].age_us >= 20000);
    assert_in_range(rows[0].idle_us, 20000, rows[0].age_us);
    tcp_by_handle(b.tcp, handle)->ecn = ECN_ON;
    assert_int_equal(count(&b, rows, 2), 1);
    assert_true(rows[0].ecn);
    tcp_by_handle(b.tcp, handle)->ecn = 0;
    bench_close(&b);
}

static void half_open_orphans_and_time_wait_are_told_too(void **state)
{
    struct tcp_handle handle;
    struct tcp_row rows[8];
    struct bench b;
    uint32_t n, half_open = 0, orphans = 0;

    bench_open(&b, NULL);
    bench_establish(&b, &handle);
    for (uint16_t i = 1; i <= 3; i++)
        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(PEER_PORT + i), .seq = 1, .flags = TCP_FLAG_SYN});
    tcp_close(b.tcp, handle);
    bench_flush(&b);
    n = count(&b, rows, 8);
    assert_int_equal(n, 4);
    for (uint32_t i = 0; i < n; i++) {
        half_open += strcmp(rows[i].state, "SYN-RECEIVED") == 0;
        orphans += rows[i].orphan && strcmp(rows[i].state, "FIN-WAIT-1") == 0;
    }
    assert_int_equal(half_open, 3);
    assert_int_equal(orphans, 1);
    bench_in(&b, (struct rig_segment){.seq = PEER_ISN + 1,
                                      .ack = b.tcp->connections[rows[0].handle.index].snd_nxt,
                                      .flags = TCP_FLAG_ACK | TCP_FLAG_FIN});
    n = count(&b, rows, 8);
    assert_int_equal(n, 4);
    for (uint32_t i = 0, waits = 0; i < n; i++) {
        waits += strcmp(rows[i].state, "TIME-WAIT") == 0;
        assert_true(i + 1 < n || waits == 1);
    }
    bench_close(&b);
}

static void slices_together_are_the_table_once(void **state)
{
    struct bench b;
    uint32_t slot = 0, found = 0;

    bench_open(&b, NULL);
    for (uint16_t i = 1; i <= 5; i++)
        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(PEER_PORT + i), .seq = 1, .flags = TCP_FLAG_SYN});
    while (slot < tcp_walk_slots(b.tcp)) {
        struct tcp_row row;

        for (uint32_t end = slot + 3; tcp_walk(b.tcp, &slot, end, b.now_us, &row);)
            found++;
    }
    assert_int_equal(found, 5);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_has_no_rows_and_ends),
        cmocka_unit_test(a_connection_is_told_with_its_queues_and_times),
        cmocka_unit_test(half_open_orphans_and_time_wait_are_told_too),
        cmocka_unit_test(slices_together_are_the_table_once),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
