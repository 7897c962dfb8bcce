/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

#include "tcp/sent.h"

/* The counts must agree with the records at any time. */
static void check_counts(const struct tcp *tcp, const struct tcp_connection *c)
{
    uint32_t timed = 0, all = 0;

    assert_int_equal(c->sacked_bytes, sent_bytes_with(tcp, c, SENT_SACKED));
    assert_int_equal(c->lost_bytes, sent_bytes_with(tcp, c, SENT_LOST));
    for (uint32_t i = c->time_head; i != TCP_NONE; i = tcp->sent[i].time_next) {
        assert_false(tcp->sent[i].flags & (SENT_SACKED | SENT_LOST));
        if (tcp->sent[i].time_next != TCP_NONE)
            assert_true(tcp->sent[i].sent_us <= tcp->sent[tcp->sent[i].time_next].sent_us);
        timed += sent_end(&tcp->sent[i]) - tcp->sent[i].seq;
    }
    for (uint32_t i = c->sent_head; i != TCP_NONE; i = tcp->sent[i].next)
        all += sent_end(&tcp->sent[i]) - tcp->sent[i].seq;
    assert_int_equal(timed + c->sacked_bytes + c->lost_bytes, all);
    assert_int_equal(all, c->snd_nxt - c->snd_una);
    assert_int_equal(tcp_pipe(c), timed);
}

static struct tcp_connection *with_data(struct bench *b, uint32_t segments)
{
    static const uint8_t data[32000];
    struct tcp_handle handle;
    struct tcp_connection *c;

    bench_open(b, NULL);
    c = bench_establish(b, &handle);
    c->cwnd = 100000;
    assert_int_equal(tcp_write(b->tcp, handle, data, segments * 1000), segments * 1000);
    bench_flush(b);
    assert_int_equal(c->sent_count, segments);
    check_counts(b->tcp, c);
    return c;
}

/* One record of ten segments, cut where it must be. */
static void a_record_is_cut(void **state)
{
    static const uint8_t data[10000];
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;
    struct tcp_sent *sent;
    struct net_tx tx = {0};
    struct bench b;

    bench_config(&config);
    config.tso_bytes_max = 60000;
    bench_open(&b, &config);
    c = bench_establish(&b, &handle);
    c->cwnd = 100000;
    assert_int_equal(tcp_write(b.tcp, handle, data, 10000), 10000);
    tcp_shutdown(b.tcp, handle);
    tcp_output(b.tcp, b.now_us, &tx);
    for (uint32_t i = 0; i < tx.count; i++)
        rte_pktmbuf_free(tx.datagrams[i].mbuf);
    assert_int_equal(c->sent_count, 2);
    sent = sent_first(b.tcp, c);
    assert_int_equal(sent->len, 10000);
    assert_true(sent_split(b.tcp, c, sent, 3000));
    check_counts(b.tcp, c);
    assert_int_equal(sent->len, 3000);
    sent = sent_next(b.tcp, sent);
    assert_int_equal(sent->len, 7000);
    assert_int_equal(sent->seq, c->snd_una + 3000);
    /* marks stay with both parts */
    sent_mark_lost(b.tcp, c, sent);
    assert_true(sent_split(b.tcp, c, sent, 1));
    check_counts(b.tcp, c);
    assert_int_equal(c->lost_bytes, 7000);
    sent = sent_next(b.tcp, sent);
    sent_mark_sacked(b.tcp, c, sent);
    assert_true(sent_split(b.tcp, c, sent, 999));
    check_counts(b.tcp, c);
    assert_int_equal(c->sacked_bytes, 6999);
    assert_int_equal(c->sent_count, 5);
    bench_close(&b);
}

static void a_share_ends(void **state)
{
    struct tcp_config config;
    struct tcp_handle handle;
    struct tcp_connection *c;
    uint8_t byte = 0;
    struct bench b;

    bench_config(&config);
    config.mbufs_max_per_connection = 32;
    bench_open(&b, &config);
    c = bench_establish(&b, &handle);
    c->cwnd = 100000;
    /* one record for each of many tiny writes, until the connection's share is used up */
    for (uint32_t i = 0; i < b.tcp->sent_max_per_connection + 10; i++) {
        assert_int_equal(tcp_write(b.tcp, handle, &byte, 1), 1);
        bench_flush(&b);
    }
    assert_int_equal(c->sent_count, b.tcp->sent_max_per_connection);
    assert_true(b.tcp->counters.no_record > 0);
    /* an ACK makes room, and what waited goes out in one segment */
    bench_peer(&b, c, TCP_FLAG_ACK, 1, 0, b.tcp->sent_max_per_connection + 1);
    assert_int_equal(bench_flush(&b), 1);
    assert_int_equal(c->sent_count, 1);
    assert_int_equal(sent_last(b.tcp, c)->len, 10);
    bench_close(&b);
}

static void marks_keep_the_counts(void **state)
{
    struct bench b;
    struct tcp_connection *c = with_data(&b, 8);
    struct tcp_sent *records[8];

    records[0] = sent_at(b.tcp, c->sent_head);
    for (uint32_t i = 1; i < 8; i++)
        records[i] = sent_at(b.tcp, records[i - 1]->next);
    sent_mark_sacked(b.tcp, c, records[3]);
    check_counts(b.tcp, c);
    sent_mark_lost(b.tcp, c, records[3]); /* what is SACKed is not lost */
    assert_int_equal(c->lost_bytes, 0);
    sent_mark_lost(b.tcp, c, records[0]);
    sent_mark_lost(b.tcp, c, records[0]);
    sent_mark_lost(b.tcp, c, records[5]);
    check_counts(b.tcp, c);
    assert_int_equal(c->lost_bytes, 2000);
    sent_mark_retransmitted(b.tcp, c, records[0], b.now_us + 5);
    assert_int_equal(c->time_tail, (uint32_t)(records[0] - b.tcp->sent));
    assert_int_equal(records[0]->retransmits, 1);
    check_counts(b.tcp, c);
    sent_mark_sacked(b.tcp, c, records[5]);
    check_counts(b.tcp, c);
    assert_int_equal(c->lost_bytes, 0);
    sent_mark_lost(b.tcp, c, records[1]);
    sent_mark_lost(b.tcp, c, records[7]);
    sent_forget_losses(b.tcp, c);
    check_counts(b.tcp, c);
    assert_int_equal(c->lost_bytes, 0);
    sent_forget_sacks(b.tcp, c);
    check_counts(b.tcp, c);
    assert_int_equal(c->sacked_bytes, 0);
    assert_int_equal(c->lost_bytes, 2000);
    bench_close(&b);
}

static void what_is_acknowledged_goes(void **state)
{
    struct bench b;
    struct tcp_connection *c = with_data(&b, 4);
    uint16_t offset = sent_first(b.tcp, c)->offset;

    sent_mark_lost(b.tcp, c, sent_first(b.tcp, c));
    sent_trim_first(b.tcp, c, 300);
    c->snd_una += 300;
    check_counts(b.tcp, c);
    assert_int_equal(sent_first(b.tcp, c)->len, 700);
    assert_int_equal(sent_first(b.tcp, c)->offset, offset + 300);
    sent_remove_first(b.tcp, c);
    c->snd_una += 700;
    check_counts(b.tcp, c);
    assert_int_equal(c->sent_count, 3);
    sent_free_all(b.tcp, c);
    assert_null(sent_first(b.tcp, c));
    assert_int_equal(c->time_head, TCP_NONE);
    bench_close(&b);
}

/* Random marks and ACKs. */
static void the_counts_survive_anything(void **state)
{
    uint64_t random = 7;

    for (int round = 0; round < 60; round++) {
        struct bench b;
        struct tcp_connection *c = with_data(&b, 20);

        while (c->sent_count > 0) {
            uint32_t index = c->sent_head;
            struct tcp_sent *sent;

            for (uint32_t skip = rig_below(&random, c->sent_count); skip > 0; skip--)
                index = b.tcp->sent[index].next;
            sent = &b.tcp->sent[index];
            switch (rig_below(&random, 8)) {
            case 0:
            case 1:
                if (!(sent->flags & SENT_SACKED))
                    sent_mark_sacked(b.tcp, c, sent);
                break;
            case 2:
            case 3: sent_mark_lost(b.tcp, c, sent); break;
            case 4:
                b.now_us += 10;
                sent_mark_retransmitted(b.tcp, c, sent, b.now_us);
                break;
            case 5: sent_forget_losses(b.tcp, c); break;
            case 6:
                c->snd_una += sent_end(sent_first(b.tcp, c)) - sent_first(b.tcp, c)->seq;
                sent_remove_first(b.tcp, c);
                break;
            default:
                if (sent_first(b.tcp, c)->len > 1) {
                    sent_trim_first(b.tcp, c, 1);
                    c->snd_una++;
                }
                break;
            }
            check_counts(b.tcp, c);
        }
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_cut),
        cmocka_unit_test(a_share_ends),
        cmocka_unit_test(marks_keep_the_counts),
        cmocka_unit_test(what_is_acknowledged_goes),
        cmocka_unit_test(the_counts_survive_anything),
    };

    return cmocka_run_group_tests(tests, bench_group, NULL);
}
