/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static void stale_handles_name_nothing(void **state)
{
    struct tcp_handle handle, none = {0, 0}, beyond = {1000000, 1}, wrong;
    struct bench b;

    bench_open(&b, NULL);
    bench_establish(&b, &handle);
    wrong = handle;
    wrong.generation++;
    assert_null(tcp_by_handle(b.tcp, none));
    assert_null(tcp_by_handle(b.tcp, beyond));
    assert_null(tcp_by_handle(b.tcp, wrong));
    assert_non_null(tcp_by_handle(b.tcp, handle));
    tcp_abort(b.tcp, handle);
    assert_null(tcp_by_handle(b.tcp, handle));
    bench_close(&b);
}

static void a_slot_used_again_has_another_handle(void **state)
{
    struct tcp_handle first, second;
    struct bench b;

    bench_open(&b, NULL);
    bench_establish(&b, &first);
    tcp_abort(b.tcp, first);
    bench_flush(&b);
    bench_establish(&b, &second);
    assert_int_equal(first.index, second.index);
    assert_int_not_equal(first.generation, second.generation);
    assert_false(tcp_live(b.tcp, first));
    assert_true(tcp_live(b.tcp, second));
    bench_close(&b);
}

static void the_generation_skips_zero(void **state)
{
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = conn_new(b.tcp);
    c->generation = UINT32_MAX;
    conn_free(b.tcp, c);
    assert_int_equal(c->generation, 1);
    bench_close(&b);
}

static void a_full_table_takes_back_time_wait(void **state)
{
    struct tcp_connection *c[32];
    struct bench b;

    bench_open(&b, NULL);
    for (int i = 0; i < 32; i++)
        assert_non_null(c[i] = conn_new(b.tcp));
    assert_null(conn_new(b.tcp));
    conn_set_state(b.tcp, c[5], TCP_TIME_WAIT);
    conn_set_state(b.tcp, c[3], TCP_TIME_WAIT);
    /* the application still has the older one */
    c[5]->flags |= CONN_ANNOUNCED;
    assert_ptr_equal(conn_new(b.tcp), c[3]);
    assert_null(conn_new(b.tcp));
    assert_int_equal(b.tcp->counters.time_wait_evicted, 1);
    bench_close(&b);
}

static void events_gather_until_there_is_room(void **state)
{
    struct tcp_event events[4];
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    conn_raise(b.tcp, c, TCP_EVENT_READABLE);
    conn_raise(b.tcp, c, TCP_EVENT_PEER_FIN);
    conn_raise(b.tcp, c, TCP_EVENT_READABLE);
    assert_int_equal(conn_flush_events(b.tcp, events, 0), 0);
    assert_int_equal(tcp_next_timer_us(b.tcp), 0);
    assert_int_equal(conn_flush_events(b.tcp, events, 4), 1);
    assert_int_equal(events[0].flags, TCP_EVENT_READABLE | TCP_EVENT_PEER_FIN);
    assert_int_equal(conn_flush_events(b.tcp, events, 4), 0);
    /* after a failure nothing else is told, and the handle lives until it has been */
    conn_raise(b.tcp, c, TCP_EVENT_WRITABLE);
    conn_fail(b.tcp, c, TCP_REASON_TIMEOUT);
    assert_true(tcp_live(b.tcp, handle));
    assert_int_equal(tcp_write(b.tcp, handle, "x", 1), 0);
    assert_int_equal(conn_flush_events(b.tcp, events, 4), 1);
    assert_int_equal(events[0].flags, TCP_EVENT_CLOSED);
    assert_int_equal(events[0].reason, TCP_REASON_TIMEOUT);
    assert_false(tcp_live(b.tcp, handle));
    bench_close(&b);
}

static void an_orphan_hears_nothing(void **state)
{
    struct tcp_event events[4];
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct bench b;

    bench_open(&b, NULL);
    c = bench_establish(&b, &handle);
    conn_raise(b.tcp, c, TCP_EVENT_SENT);
    tcp_close(b.tcp, handle);
    assert_int_equal(conn_flush_events(b.tcp, events, 4), 0);
    conn_raise(b.tcp, c, TCP_EVENT_SENT);
    assert_int_equal(conn_flush_events(b.tcp, events, 4), 0);
    conn_fail(b.tcp, c, TCP_REASON_RESET);
    assert_int_equal(conn_flush_events(b.tcp, events, 4), 0);
    assert_int_equal(b.tcp->counters.closed, 1);
    bench_close(&b);
}

static void states_have_names(void **state)
{
    assert_string_equal(tcp_state_text(TCP_CLOSED), "CLOSED");
    assert_string_equal(tcp_state_text(TCP_FIN_WAIT_2), "FIN-WAIT-2");
    assert_string_equal(tcp_state_text(TCP_TIME_WAIT), "TIME-WAIT");
    assert_string_equal(tcp_state_text((enum tcp_state)200), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_handles_name_nothing),
        cmocka_unit_test(a_slot_used_again_has_another_handle),
        cmocka_unit_test(the_generation_skips_zero),
        cmocka_unit_test(a_full_table_takes_back_time_wait),
        cmocka_unit_test(events_gather_until_there_is_room),
        cmocka_unit_test(an_orphan_hears_nothing),
        cmocka_unit_test(states_have_names),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
