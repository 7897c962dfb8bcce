/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"
#include "tcp/recovery.h"
#include "tcp/sent.h"

static void reports_the_latest_first(void **state)
{
    static const struct {
        uint32_t start, end; /* what comes */
        uint32_t count;
        struct tcp_sack_block blocks[4];
    } rows[] = {
        {100, 200, 1, {{100, 200}}},
        {300, 400, 2, {{300, 400}, {100, 200}}},
        {200, 250, 2, {{100, 250}, {300, 400}}}, /* touches behind */
        {280, 300, 2, {{280, 400}, {100, 250}}}, /* touches in front */
        {500, 600, 3, {{500, 600}, {280, 400}, {100, 250}}},
        {700, 800, 4, {{700, 800}, {500, 600}, {280, 400}, {100, 250}}},
        {900, 950, 4, {{900, 950}, {700, 800}, {500, 600}, {280, 400}}}, /* the oldest is forgotten */
        {600, 700, 3, {{500, 800}, {900, 950}, {280, 400}}},             /* two become one */
        {0, 1000, 1, {{0, 1000}}},
        {10, 20, 1, {{0, 1000}}}, /* inside another */
    };
    struct tcp_connection c = {.flags = CONN_SACK};
    struct tcp_sack_block out[TCP_SACK_BLOCKS_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sack_report(&c, rows[i].start, rows[i].end);
        assert_int_equal(sack_blocks(&c, out), rows[i].count);
        assert_memory_equal(out, rows[i].blocks, rows[i].count * sizeof(out[0]));
    }
}

static void nothing_without_permission(void **state)
{
    struct tcp_connection c = {0};
    struct tcp_sack_block out[TCP_SACK_BLOCKS_MAX];

    sack_report(&c, 1, 2);
    sack_report_duplicate(&c, 1, 2);
    assert_int_equal(sack_blocks(&c, out), 0);
}

static void a_duplicate_goes_first_and_once(void **state)
{
    struct tcp_connection c = {.flags = CONN_SACK};
    struct tcp_sack_block out[TCP_SACK_BLOCKS_MAX];

    sack_report(&c, 0xfffffff0, 10);
    sack_report_duplicate(&c, 0xffffff00, 0xffffff10);
    assert_int_equal(sack_blocks(&c, out), 2);
    assert_int_equal(out[0].start, 0xffffff00);
    assert_int_equal(out[1].end, 10);
    assert_int_equal(sack_blocks(&c, out), 1);
    sack_forget_below(&c, 9);
    assert_int_equal(c.sack_count, 1);
    sack_forget_below(&c, 10);
    assert_int_equal(c.sack_count, 0);
}

/* Ten segments of 1000 in flight; what blocks of all kinds do to the scoreboard. */
static void marks_what_is_covered_whole(void **state)
{
    static const struct {
        uint32_t count;
        struct tcp_sack_block blocks[4];
        uint32_t sacked, invalid;
        bool dsack;
    } rows[] = {
        {1, {{1, 1}}, 0, 1, false},             /* empty */
        {1, {{3001, 2001}}, 0, 1, false},       /* backwards */
        {1, {{9001, 11001}}, 0, 1, false},      /* beyond what was sent */
        {1, {{4294963297u, 2001}}, 0, 0, true}, /* begins below the ACK: a duplicate, whatever else */
        {1, {{1, 1001}}, 1000, 0, false},
        {1, {{1501, 2501}}, 0, 0, false},    /* two halves */
        {1, {{1501, 4501}}, 2000, 0, false}, /* two whole ones inside */
        {2, {{2001, 3001}, {4001, 6001}}, 3000, 0, false},
        {2, {{2001, 3001}, {1001, 4001}}, 3000, 0, true}, /* the first inside the second: a duplicate */
        {4, {{9001, 10001}, {7001, 8001}, {5001, 6001}, {3001, 4001}}, 4000, 0, false},
        {1, {{1, 10001}}, 10000, 0, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tcp_options options = {.sack_count = (uint8_t)rows[i].count};
        struct tcp_ack_sample sample = {0};
        struct tcp_handle handle;
        struct tcp_connection *c;
        uint8_t data[10000] = {0};
        struct bench b;

        bench_open(&b, NULL);
        c = bench_establish(&b, &handle);
        assert_int_equal(tcp_write(b.tcp, handle, data, sizeof(data)), sizeof(data));
        bench_flush(&b);
        assert_int_equal(c->sent_count, 10);
        for (uint32_t k = 0; k < rows[i].count; k++)
            options.sack[k] = (struct tcp_sack_block){c->iss + rows[i].blocks[k].start, c->iss + rows[i].blocks[k].end};
        sample.now_us = b.now_us + 1000;
        sample.fack_before = c->rack_fack;
        sack_apply(b.tcp, c, &options, c->snd_una, &sample);
        assert_int_equal(c->sacked_bytes, rows[i].sacked);
        assert_int_equal(sent_bytes_with(b.tcp, c, SENT_SACKED), rows[i].sacked);
        assert_int_equal(sample.delivered_bytes, rows[i].sacked);
        assert_int_equal(b.tcp->counters.sack_invalid, rows[i].invalid);
        assert_int_equal(sample.dsack, rows[i].dsack);
        /* blocks of one ACK, in whatever order, are no reordering */
        assert_false(conn_has(c, CONN_REORDERING));
        /* again: nothing is new */
        sample.delivered_bytes = 0;
        sack_apply(b.tcp, c, &options, c->snd_una, &sample);
        assert_int_equal(sample.delivered_bytes, 0);
        bench_close(&b);
    }
}

static void forgets_from_an_end_on(void **state)
{
    struct tcp_connection c = {.flags = CONN_SACK};

    sack_report(&c, 100, 200);
    sack_report(&c, 500, 600);
    sack_report(&c, 300, 400);
    sack_forget_from(&c, 600);
    assert_int_equal(c.sack_count, 3);
    sack_forget_from(&c, 350);
    assert_int_equal(c.sack_count, 2);
    assert_int_equal(c.sack[0].start, 300);
    assert_int_equal(c.sack[0].end, 350);
    assert_int_equal(c.sack[1].end, 200);
    sack_forget_from(&c, 100);
    assert_int_equal(c.sack_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forgets_from_an_end_on),      cmocka_unit_test(reports_the_latest_first),
        cmocka_unit_test(nothing_without_permission),  cmocka_unit_test(a_duplicate_goes_first_and_once),
        cmocka_unit_test(marks_what_is_covered_whole),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
