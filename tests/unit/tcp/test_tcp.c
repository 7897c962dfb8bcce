/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/counters.h"

static void refuses_what_cannot_work(void **state)
{
    static const struct {
        size_t offset;
        size_t size;
        uint32_t value;
    } rows[] = {
#define ROW(field, value) {offsetof(struct tcp_config, field), sizeof(((struct tcp_config *)0)->field), value}
        ROW(connections_max, 0),
        ROW(port_min, 0),
        ROW(port_min, 36000),
        ROW(mtu, 275),
        ROW(receive_buffer_bytes, 5000),
        ROW(receive_buffer_bytes, 0x80000000u),
        ROW(send_buffer_bytes, 1000),
        ROW(mbufs_max_per_connection, 4),
        ROW(mbufs_max_per_connection, 70000),
        ROW(rto_min_us, 0),
        ROW(rto_max_us, 1000),
        ROW(rto_initial_us, 0),
#undef ROW
    };
    struct rig_pools pools = rig_pools_create("refused", 64);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_config config;
        struct tcp *tcp = NULL;

        bench_config(&config);
        memcpy((char *)&config + rows[i].offset, &rows[i].value, rows[i].size);
        if (tcp_create(&config, pools.packet, pools.payload, pools.indirect, 1, &tcp) != ASSAY_ERR_RANGE)
            fail_msg("row %zu is accepted", i);
        assert_null(tcp);
    }
    rig_pools_free(&pools);
    tcp_destroy(NULL);
}

/* Every call with a handle of nothing does nothing. */
static void stale_handles_are_harmless(void **state)
{
    struct tcp_handle stale = {3, 9};
    struct tcp_info info;
    struct bench b;

    bench_open(&b, NULL);
    assert_false(tcp_live(b.tcp, stale));
    assert_int_equal(tcp_set_user(b.tcp, stale, 1), ASSAY_ERR_STALE);
    assert_int_equal(tcp_get_info(b.tcp, stale, &info), ASSAY_ERR_STALE);
    assert_int_equal(tcp_peek(b.tcp, stale).len, 0);
    assert_int_equal(tcp_readable(b.tcp, stale), 0);
    assert_false(tcp_at_end(b.tcp, stale));
    assert_int_equal(tcp_room(b.tcp, stale, 1), 0);
    assert_int_equal(tcp_write(b.tcp, stale, "x", 1), 0);
    assert_int_equal(tcp_unacked(b.tcp, stale), 0);
    tcp_consume(b.tcp, stale, 1);
    tcp_accepted(b.tcp, stale);
    tcp_shutdown(b.tcp, stale);
    tcp_close(b.tcp, stale);
    tcp_abort(b.tcp, stale);
    assert_int_equal(bench_flush(&b), 0);
    bench_close(&b);
}

static void room_is_promised_once(void **state)
{
    static const uint8_t data[20000];
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_config(&config);
    config.send_buffer_bytes = 10000;
    bench_open(&b, &config);
    c = bench_establish(&b, &handle);
    assert_int_equal(tcp_room(b.tcp, handle, 10000), 10000);
    assert_int_equal(tcp_write(b.tcp, handle, data, 9000), 9000);
    assert_int_equal(tcp_room(b.tcp, handle, 3000), 1000);
    bench_flush(&b);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 1001);
    assert_int_equal(b.event_count, 0);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 3001);
    assert_int_equal(b.event_count, 1);
    assert_int_equal(b.events[0].flags, TCP_EVENT_WRITABLE);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 5001);
    assert_int_equal(b.event_count, 0);
    /* more than there can ever be: told when everything is empty */
    assert_int_equal(tcp_room(b.tcp, handle, 1000000), 6000);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 9001);
    assert_int_equal(b.events[0].flags, TCP_EVENT_WRITABLE | TCP_EVENT_SENT);
    /* a short write asks by itself */
    assert_int_equal(tcp_write(b.tcp, handle, data, 20000), 10000);
    bench_flush(&b);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, 19001);
    assert_int_equal(b.events[0].flags, TCP_EVENT_WRITABLE | TCP_EVENT_SENT);
    bench_close(&b);
}

static void reading(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct slice piece;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 1000, 1);
    assert_int_equal(tcp_readable(b.tcp, handle), 1000);
    piece = tcp_peek(b.tcp, handle);
    assert_int_equal(piece.len, 1000);
    assert_int_equal(piece.data[10], 11);
    tcp_consume(b.tcp, handle, 10);
    assert_int_equal(tcp_peek(b.tcp, handle).data[0], 11);
    /* more than there is: all */
    tcp_consume(b.tcp, handle, 5000);
    assert_int_equal(tcp_readable(b.tcp, handle), 0);
    assert_int_equal(tcp_peek(b.tcp, handle).len, 0);
    bench_close(&b);
}

static void opening(void **state)
{
    struct tcp_handle handle, other;
    struct rig_segment syn;
    struct tcp_info info;
    struct bench b;

    bench_open(&b, NULL);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 8443, 5, b.now_us, &handle), ASSAY_OK);
    assert_true(bench_out(&b, &syn, NULL));
    assert_int_equal(syn.flags, TCP_FLAG_SYN);
    assert_int_equal(syn.destination_port, 8443);
    assert_int_equal(tcp_get_info(b.tcp, handle, &info), ASSAY_OK);
    assert_string_equal(info.state, "SYN-SENT");
    assert_in_range(info.local_port, 30000, 35999);
    /* written before it is established: kept */
    assert_int_equal(tcp_write(b.tcp, handle, "hello", 5), 5);
    assert_int_equal(bench_flush(&b), 0);
    bench_in(&b, (struct rig_segment){.source_port = 8443,
                                      .destination_port = info.local_port,
                                      .seq = 1,
                                      .ack = syn.seq + 1,
                                      .flags = TCP_FLAG_SYN | TCP_FLAG_ACK});
    assert_int_equal(b.events[0].flags, TCP_EVENT_CONNECTED);
    assert_int_equal(b.events[0].user, 5);
    assert_true(bench_out(&b, &syn, NULL));
    assert_int_equal(syn.payload_len, 5);
    assert_memory_equal(syn.payload, "hello", 5);
    for (int i = 0; i < 31; i++)
        assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 8443, 5, b.now_us, &other), ASSAY_OK);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 8443, 5, b.now_us, &other), ASSAY_ERR_NO_SLOT);
    assert_int_equal(tcp_get_counters(b.tcp)->no_slot, 1);
    bench_close(&b);
}

static void closing_before_it_is_open(void **state)
{
    struct tcp_handle handle;
    struct bench b;

    bench_open(&b, NULL);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 8443, 5, b.now_us, &handle), ASSAY_OK);
    tcp_close(b.tcp, handle);
    assert_int_equal(bench_flush(&b), 0);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 0, &b.peer, 8443, 5, b.now_us, &handle), ASSAY_OK);
    assert_int_equal(bench_flush(&b), 1);
    tcp_abort(b.tcp, handle);
    assert_int_equal(bench_flush(&b), 0);
    assert_int_equal(tcp_get_counters(b.tcp)->closed, 2);
    bench_close(&b);
}

static void unlisten_drops_what_is_half_open(void **state)
{
    struct tcp_handle handle;
    struct bench b;

    bench_open(&b, NULL);
    bench_establish(&b, &handle);
    for (uint16_t i = 1; i <= 5; i++)
        bench_in(&b, (struct rig_segment){.source_port = (uint16_t)(PEER_PORT + i), .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(b.tcp->listeners[0].half_open, 5);
    assert_int_equal(tcp_unlisten(b.tcp, &b.us, OUR_PORT), ASSAY_OK);
    assert_int_equal(tcp_get_counters(b.tcp)->closed, 5);
    assert_true(tcp_live(b.tcp, handle));
    bench_flush(&b);
    bench_in(&b, (struct rig_segment){.source_port = 1, .seq = 1, .flags = TCP_FLAG_SYN});
    assert_int_equal(bench_flush(&b), 1); /* a RST */
    assert_int_equal(tcp_get_counters(b.tcp)->rst_out, 1);
    bench_close(&b);
}

static void peeking_further(void **state)
{
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;
    size_t seen = 0;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    assert_int_equal(tcp_peek_at(b.tcp, handle, 0).len, 0);
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 1000, 1);
    bench_peer(&b, c, TCP_FLAG_ACK, 1001, 1000, 1);
    assert_int_equal(tcp_readable(b.tcp, handle), 2000);
    assert_ptr_equal(tcp_peek_at(b.tcp, handle, 0).data, tcp_peek(b.tcp, handle).data);
    while (seen < 2000) {
        struct slice piece = tcp_peek_at(b.tcp, handle, seen);

        assert_true(piece.len > 0 && piece.len <= 2000 - seen);
        seen += piece.len;
    }
    assert_int_equal(tcp_peek_at(b.tcp, handle, 1999).len, 1);
    assert_int_equal(tcp_peek_at(b.tcp, handle, 2000).len, 0);
    assert_int_equal(tcp_peek_at(b.tcp, handle, SIZE_MAX).len, 0);
    assert_int_equal(tcp_readable(b.tcp, handle), 2000);
    tcp_abort(b.tcp, handle);
    assert_int_equal(tcp_peek_at(b.tcp, handle, 0).len, 0);
    bench_flush(&b);
    bench_close(&b);
}

/* Established, half open, closed by the application; TIME-WAIT has nobody to tell. */
static void resetting_all(void **state)
{
    struct rig_segment syn = {
        .source_port = PEER_PORT + 1, .destination_port = OUR_PORT, .seq = 100, .flags = TCP_FLAG_SYN};
    struct tcp_handle handle, closed;
    struct tcp_options options;
    struct rig_segment out;
    struct bench b;
    uint32_t resets = 0;

    bench_open(&b, NULL);
    bench_establish(&b, &closed);
    tcp_close(b.tcp, closed);
    bench_in(&b, syn);
    bench_flush(&b);
    assert_int_equal(tcp_connect(b.tcp, &b.us, 40000, &b.peer, 80, 0, b.now_us, &handle), ASSAY_OK);
    bench_flush(&b);
    tcp_reset_all(b.tcp);
    while (bench_out(&b, &out, &options)) {
        assert_int_equal(out.flags, TCP_FLAG_RST | TCP_FLAG_ACK);
        resets++;
    }
    /* not for the SYN that nobody has answered */
    assert_int_equal(resets, 2);
    assert_false(tcp_live(b.tcp, handle));
    assert_int_equal(tcp_get_counters(b.tcp)->closed, 3);
    tcp_reset_all(b.tcp);
    assert_false(bench_out(&b, &out, &options));
    assert_int_equal(tcp_get_counters(b.tcp)->closed, 3);
    /* the listener is still there */
    bench_in(&b, syn);
    assert_true(bench_out(&b, &out, &options));
    assert_int_equal(out.flags, TCP_FLAG_SYN | TCP_FLAG_ACK);
    tcp_reset_all(b.tcp);
    bench_flush(&b);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_cannot_work),
        cmocka_unit_test(stale_handles_are_harmless),
        cmocka_unit_test(room_is_promised_once),
        cmocka_unit_test(reading),
        cmocka_unit_test(peeking_further),
        cmocka_unit_test(resetting_all),
        cmocka_unit_test(opening),
        cmocka_unit_test(closing_before_it_is_open),
        cmocka_unit_test(unlisten_drops_what_is_half_open),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
