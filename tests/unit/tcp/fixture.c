/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <rte_mbuf.h>

void bench_config(struct tcp_config *config)
{
    tcp_config_default(config);
    config->connections_max = 32;
    config->time_wait_max = 16;
    config->keepalive_idle_us = 0;
    config->timestamps = false;
    memset(config->secret, 0xa5, sizeof(config->secret));
}

void bench_open(struct bench *b, const struct tcp_config *config)
{
    struct tcp_config standard;

    memset(b, 0, sizeof(*b));
    bench_config(&standard);
    b->pools = rig_pools_create("bench", 1024);
    b->now_us = 1000000;
    b->us = rig_address("198.18.1.1");
    b->peer = rig_address("198.18.1.2");
    assert_int_equal(tcp_create(config ? config : &standard, b->pools.packet, b->pools.payload, b->pools.indirect,
                                b->now_us, &b->tcp),
                     ASSAY_OK);
    assert_int_equal(tcp_listen(b->tcp, &b->us, OUR_PORT, 77), ASSAY_OK);
}

static void refill(struct bench *b)
{
    if (b->tx_taken < b->tx.count)
        return;
    b->tx.count = 0;
    b->tx_taken = 0;
    tcp_output(b->tcp, b->now_us, &b->tx);
}

void bench_close(struct bench *b)
{
    /* What nobody looked at may be for anybody. */
    do {
        while (b->tx_taken < b->tx.count)
            rte_pktmbuf_free(b->tx.datagrams[b->tx_taken++].mbuf);
        refill(b);
    } while (b->tx_taken < b->tx.count);
    tcp_destroy(b->tcp);
    assert_int_equal(rig_pools_missing(&b->pools), 0);
    rig_pools_free(&b->pools);
}

void bench_in(struct bench *b, struct rig_segment segment)
{
    struct net_segment packet;

    if (segment.source_port == 0)
        segment.source_port = PEER_PORT;
    if (segment.destination_port == 0)
        segment.destination_port = OUR_PORT;
    if (segment.window == 0)
        segment.window = 60000;
    packet = rig_receive(&b->pools, &b->peer, &b->us, &segment, 1);
    b->event_count = tcp_input(b->tcp, &packet, 1, b->now_us, b->events, 64);
}

bool bench_out(struct bench *b, struct rig_segment *out, struct tcp_options *options)
{
    struct tcp_options ignored;
    struct net_datagram *datagram;
    uint32_t len;

    refill(b);
    if (b->tx_taken == b->tx.count)
        return false;
    datagram = &b->tx.datagrams[b->tx_taken++];
    assert_memory_equal(&datagram->src, &b->us, sizeof(b->us));
    assert_memory_equal(&datagram->dst, &b->peer, sizeof(b->peer));
    len = rig_linearize(datagram->mbuf, b->bytes, sizeof(b->bytes));
    rte_pktmbuf_free(datagram->mbuf);
    assert_true(rig_parse(b->bytes, len, out, options ? options : &ignored));
    return true;
}

uint32_t bench_flush(struct bench *b)
{
    struct rig_segment ignored;
    uint32_t n = 0;

    while (bench_out(b, &ignored, NULL))
        n++;
    return n;
}

void bench_wait(struct bench *b, uint64_t us)
{
    b->now_us += us;
    b->event_count = tcp_timers(b->tcp, b->now_us, b->events, 64);
}

struct tcp_connection *bench_establish(struct bench *b, struct tcp_handle *handle)
{
    static const uint8_t offer[] = {2, 4, 1000 >> 8, 1000 & 0xff, 1, 1, 4, 2};
    struct rig_segment syn = {.seq = PEER_ISN, .flags = TCP_FLAG_SYN, .options_len = sizeof(offer)};
    struct rig_segment answer = {0};

    memcpy(syn.options, offer, sizeof(offer));
    bench_in(b, syn);
    assert_true(bench_out(b, &answer, NULL));
    assert_int_equal(answer.flags, TCP_FLAG_SYN | TCP_FLAG_ACK);
    b->now_us += 10000;
    bench_in(b, (struct rig_segment){.seq = PEER_ISN + 1, .ack = answer.seq + 1, .flags = TCP_FLAG_ACK});
    assert_int_equal(b->event_count, 1);
    assert_int_equal(b->events[0].flags, TCP_EVENT_ACCEPTED);
    assert_int_equal(b->events[0].user, 77);
    *handle = b->events[0].handle;
    tcp_accepted(b->tcp, *handle);
    bench_flush(b);
    return &b->tcp->connections[handle->index];
}

void bench_peer(struct bench *b, const struct tcp_connection *c, uint8_t flags, uint32_t seq, uint32_t len,
                uint32_t ack)
{
    static uint8_t payload[1460];

    for (uint32_t i = 0; i < len; i++)
        payload[i] = (uint8_t)(seq + i);
    bench_in(b,
             (struct rig_segment){
                 .seq = PEER_ISN + seq, .ack = c->iss + ack, .flags = flags, .payload = payload, .payload_len = len});
}

int bench_group(void **state)
{
    rig_start("assay-unit-tcp");
    return 0;
}
