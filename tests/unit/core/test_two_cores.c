/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two cores of one host, driven in turn by one thread: a port (net_ring) with two queues, on whose other end the test has a
 * host that is clients and origin at once. The test plays a port without RSS that is as bad as can be: each frame comes in on
 * the queue of the other core than it is for, or on either in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "base/flow_map.h"
#include "base/rcu.h"
#include "core/core_private.h"
#include "fixture.h"
#include "net/mbuf.h"
#include "net/mesh.h"
#include "tcp/counters.h"

#define CORES   2
#define CLIENTS 24

static struct fixture *fixture;
static struct flow_map map;

/* A connection of the host. */
struct end {
    struct tcp_handle tcp;
    bool connected, origin, answered;
    char text[1024];
    size_t length;
};

struct bench {
    struct core *cores[CORES];
    struct mesh *mesh;
    struct nic near[CORES];
    struct fixture_host host;
    struct end ends[CLIENTS * 4];
    uint32_t count;
    bool wrong;        /* each frame into the queue of the core it is not for */
    bool fragmented;   /* TCP with text comes in two fragments, each in another queue */
    uint32_t arp_seen; /* ARP replies that came out */
};

static int start(void **state)
{
    static const char *const origins[] = {FIXTURE_ORIGIN};

    fixture = fixture_start("assay-two-cores", CORES, 8192, origins, 1);
    return 0;
}

static int stop(void **state)
{
    fixture_stop();
    return 0;
}

static struct core *make_core(struct bench *b, uint32_t index)
{
    struct fixture_core_config config;

    fixture_core_defaults(&config, &b->near[index]);
    config.core.index = index;
    config.core.cores = CORES;
    config.core.flows = &map;
    config.core.mesh = b->mesh;
    config.net.listens_only = index > 0;
    config.net.reassemble = true;
    config.tcp.connections_max = 256;
    return fixture_core(&config);
}

static struct bench *bench_create(bool wrong)
{
    struct bench *b = test_calloc(1, sizeof(*b));
    struct rte_mempool *both[CORES] = {fixture->pools.packet, fixture->pools.packet};
    struct nic_config near = {.device = "net_ring0", .pools = both}, far = {.device = "net_ring1", .pools = both};
    uint8_t key[TOEPLITZ_KEY_BYTES_MAX];

    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i * 101 + 7);
    assert_int_equal(flow_map_init(&map, CORES, key), ASSAY_OK);
    assert_true(flow_map_is_fair(&map, 30000, 35999));
    assert_int_equal(mesh_create(CORES, 256, &b->mesh), ASSAY_OK);
    assert_int_equal(nic_open(&near, b->near, CORES), ASSAY_OK);
    assert_int_equal(nic_open(&far, &b->host.nic, 1), ASSAY_OK);
    for (int i = 0; i < CORES; i++)
        memcpy(b->near[i].mac, "\x02\0\0\0\0\x10", 6);
    memcpy(b->host.nic.mac, "\x02\0\0\0\0\x99", 6);
    atomic_store(&fixture->shared.snapshot, &fixture->snapshots[0]);
    b->wrong = wrong;
    for (uint32_t i = 0; i < CORES; i++)
        b->cores[i] = make_core(b, i);
    fixture_host_create(&b->host, (const char *const[]){FIXTURE_CLIENT, FIXTURE_ORIGIN}, 2, 256);
    return b;
}

static void bench_free(struct bench *b)
{
    for (int i = 0; i < CORES; i++)
        core_free(b->cores[i]);
    for (int i = 0; i < CORES; i++)
        fixture_drain(&b->near[i]);
    fixture_host_free(&b->host);
    nic_close(b->near, CORES);
    mesh_destroy(b->mesh);
    assert_int_equal(rig_pools_missing(&fixture->pools), 0);
    test_free(b);
}

/* --- the wire ---------------------------------------------------------------------------------------------------------------- */

static void carry_out(struct bench *b, uint32_t core)
{
    struct rte_mbuf *packets[64];
    uint16_t n = nic_rx(&b->near[core], packets, 64);

    for (uint16_t i = 0; i < n; i++) {
        const uint8_t *frame = rte_pktmbuf_mtod(packets[i], const uint8_t *);

        b->arp_seen += frame[12] == 8 && frame[13] == 6 && frame[FIXTURE_ETHERNET + 7] == 2;
        nic_send(&b->host.nic, packets[i]);
    }
    nic_flush(&b->host.nic);
}

/* Whose it is, counted out by hand: IPv4 without options, TCP. */
static uint32_t owner(const struct rte_mbuf *m)
{
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, FIXTURE_ETHERNET);

    return flow_map_core(&map, toeplitz_hash(&map.toeplitz, ip + 12, 12));
}

static void put_checksum(uint8_t *ip)
{
    uint32_t sum = 0;

    ip[10] = ip[11] = 0;
    for (int i = 0; i < FIXTURE_IP_HEADER; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    ip[10] = (uint8_t)(~sum >> 8);
    ip[11] = (uint8_t)~sum;
}

static void set_fragment(struct rte_mbuf *m, uint16_t length, uint16_t fragment)
{
    uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, FIXTURE_ETHERNET);

    ip[2] = (uint8_t)(length >> 8);
    ip[3] = (uint8_t)length;
    ip[6] = (uint8_t)(fragment >> 8);
    ip[7] = (uint8_t)fragment;
    put_checksum(ip);
}

/* Cuts a segment with text behind its first so many bytes; the second fragment goes into the other queue. */
static void cut(struct bench *b, struct rte_mbuf *m, uint32_t queue)
{
    enum { FIRST = 48 };
    const uint8_t *ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, FIXTURE_ETHERNET);
    uint32_t data = (uint32_t)(ip[2] << 8 | ip[3]) - FIXTURE_IP_HEADER;
    struct rte_mbuf *rest;

    if (ip[9] != 6 || data <= FIRST)
        return;
    rest = rte_pktmbuf_copy(m, fixture->pools.packet, 0, UINT32_MAX);
    assert_non_null(rest);
    assert_int_equal(rest->nb_segs, 1);
    memmove(rte_pktmbuf_mtod_offset(rest, uint8_t *, FIXTURE_ETHERNET + FIXTURE_IP_HEADER),
            rte_pktmbuf_mtod_offset(rest, uint8_t *, FIXTURE_ETHERNET + FIXTURE_IP_HEADER + FIRST), data - FIRST);
    assert_int_equal(
        rte_pktmbuf_trim(rest, (uint16_t)(rest->pkt_len - FIXTURE_ETHERNET - FIXTURE_IP_HEADER - (data - FIRST))), 0);
    set_fragment(rest, (uint16_t)(FIXTURE_IP_HEADER + data - FIRST), FIRST / 8);
    nic_send(&b->near[(queue + 1) % CORES], rest);
    mbuf_truncate(m, FIXTURE_ETHERNET + FIXTURE_IP_HEADER + FIRST);
    set_fragment(m, FIXTURE_IP_HEADER + FIRST, 0x2000);
}

static void carry_in(struct bench *b)
{
    static uint32_t turn;
    struct rte_mbuf *packets[64];
    uint16_t n = nic_rx(&b->host.nic, packets, 64);

    for (uint16_t i = 0; i < n; i++) {
        uint32_t queue = b->wrong ? (owner(packets[i]) + 1) % CORES : turn++ % CORES;

        if (b->fragmented)
            cut(b, packets[i], queue);
        nic_send(&b->near[queue], packets[i]);
    }
    for (int i = 0; i < CORES; i++)
        nic_flush(&b->near[i]);
}

/* --- the host ------------------------------------------------------------------------------------------------------------------ */

static struct end *end_of(struct bench *b, struct tcp_handle handle)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (b->ends[i].tcp.index == handle.index && b->ends[i].tcp.generation == handle.generation)
            return &b->ends[i];
    return NULL;
}

/* The origin answers each request with its path. */
static void serve(struct bench *b, struct end *end)
{
    char path[64], answer[256];

    if (!end->origin || end->length < 4 || memcmp(end->text + end->length - 4, "\r\n\r\n", 4) != 0)
        return;
    assert_int_equal(sscanf(end->text, "GET %63s HTTP/1.1", path), 1);
    snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(path), path);
    assert_int_equal(tcp_write(b->host.tcp, end->tcp, answer, strlen(answer)), strlen(answer));
    end->length = 0;
    end->answered = true;
}

static void host_event(struct bench *b, const struct tcp_event *event)
{
    struct end *end;
    struct slice piece;

    if (event->flags & TCP_EVENT_ACCEPTED) {
        assert_in_range(b->count, 0, sizeof(b->ends) / sizeof(b->ends[0]) - 1);
        b->ends[b->count++] = (struct end){.tcp = event->handle, .origin = true};
        tcp_accepted(b->host.tcp, event->handle);
    }
    end = end_of(b, event->handle);
    assert_non_null(end);
    end->connected |= (event->flags & TCP_EVENT_CONNECTED) != 0;
    assert_int_equal(event->flags & TCP_EVENT_CLOSED, 0); /* nothing is ever reset */
    while ((piece = tcp_peek(b->host.tcp, end->tcp)).len > 0) {
        assert_in_range(end->length + piece.len, 0, sizeof(end->text) - 1);
        memcpy(end->text + end->length, piece.data, piece.len);
        end->length += piece.len;
        end->text[end->length] = '\0';
        tcp_consume(b->host.tcp, end->tcp, piece.len);
    }
    serve(b, end);
}

static void host_turn(struct bench *b)
{
    struct rte_mbuf *packets[64];
    struct net_segment segments[64];
    struct net_icmp_error errors[64];
    struct tcp_event events[192];
    struct net_tx tx = {0};
    uint64_t now = fixture_now_us();
    uint32_t error_count = 0, n, e;
    uint16_t received = nic_rx(&b->host.nic, packets, 64);

    n = net_input(b->host.net, 0, packets, received, now, segments, errors, &error_count);
    e = tcp_timers(b->host.tcp, now, events, 64);
    e += tcp_input(b->host.tcp, segments, n, now, events + e, 192 - e);
    for (uint32_t i = 0; i < e; i++)
        host_event(b, &events[i]);
    (void)net_timers(b->host.net, now, errors, 64);
    (void)tcp_output(b->host.tcp, now, &tx);
    net_output(b->host.net, &tx, now);
}

static void turn(struct bench *b)
{
    for (uint32_t i = 0; i < CORES; i++) {
        (void)core_turn(b->cores[i]);
        carry_out(b, i);
    }
    host_turn(b);
    carry_in(b);
    usleep(100);
}

/* --- tests ---------------------------------------------------------------------------------------------------------------------- */

static void connect_all(struct bench *b)
{
    struct assay_address from = rig_address(FIXTURE_CLIENT), to = rig_address(FIXTURE_PROXY);
    uint32_t up = 0;

    for (b->count = 0; b->count < CLIENTS; b->count++)
        assert_int_equal(
            tcp_connect(b->host.tcp, &from, 0, &to, 8080, b->count, fixture_now_us(), &b->ends[b->count].tcp),
            ASSAY_OK);
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000; up < CLIENTS && fixture_now_us() < end;) {
        turn(b);
        up = 0;
        for (uint32_t i = 0; i < CLIENTS; i++)
            up += b->ends[i].connected;
    }
    assert_int_equal(up, CLIENTS);
}

/* Each of these clients asks for a path of its own, and gets it. */
static void ask_some(struct bench *b, int round, uint32_t first, uint32_t last)
{
    char text[256], expected[64];
    uint32_t answered = 0;

    for (uint32_t i = first; i < last; i++) {
        /* steven.lab/http/198.18.2.11/8000 */
        snprintf(text, sizeof(text),
                 "GET /c3RldmVuLmxhYi9odHRwLzE5OC4xOC4yLjExLzgwMDA/%d/%u HTTP/1.1\r\nHost: edge\r\n\r\n", round, i);
        b->ends[i].length = 0;
        assert_int_equal(tcp_write(b->host.tcp, b->ends[i].tcp, text, strlen(text)), strlen(text));
    }
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000; answered < last - first && fixture_now_us() < end;) {
        turn(b);
        answered = 0;
        for (uint32_t i = first; i < last; i++) {
            snprintf(expected, sizeof(expected), "\r\n\r\n/%d/%u", round, i);
            b->ends[i].text[b->ends[i].length] = '\0';
            answered += strstr(b->ends[i].text, expected) != NULL;
        }
    }
    assert_int_equal(answered, last - first);
}

static void ask_all(struct bench *b, int round)
{
    ask_some(b, round, 0, CLIENTS);
}

static void every_connection_is_served_by_its_core_whatever_queue_its_frames_come_in(void **state)
{
    for (int wrong = 0; wrong < 2; wrong++) {
        struct bench *b = bench_create(wrong != 0);
        struct core_stats stats[CORES];

        connect_all(b);
        for (int round = 0; round < 4; round++)
            ask_all(b, round);
        for (int i = 0; i < CORES; i++) {
            core_get_stats(b->cores[i], &stats[i]);
            assert_in_range(stats[i].proxy->client_connections, 1, CLIENTS - 1);
            assert_true(stats[i].proxy->origin_connections > 0);
            assert_int_equal(stats[i].proxy->requests, stats[i].proxy->client_connections * 4);
            assert_true(stats[i].dispatch->handed_over > 0 && stats[i].dispatch->taken > 0);
            assert_int_equal(stats[i].dispatch->drop_full, 0);
            assert_int_equal(stats[i].tcp->rst_out, 0); /* no core met a segment of the other's */
            if (wrong) /* but ARP, all that a core had from its own queue was the other's */
                assert_int_equal(stats[i].net->rx_tcp + stats[i].net->arp_requests_received +
                                     stats[i].net->arp_replies_received,
                                 stats[i].dispatch->taken + stats[i].dispatch->kept);
        }
        assert_int_equal(stats[0].proxy->client_connections + stats[1].proxy->client_connections, CLIENTS);
        assert_int_equal(stats[0].proxy->responses + stats[1].proxy->responses, CLIENTS * 4);
        bench_free(b);
    }
}

/* The fragments of a datagram meet on a core that knows only its addresses; the whole goes on to that of its connection. */
static void fragments_find_the_core_of_their_connection(void **state)
{
    struct bench *b = bench_create(false);
    struct core_stats stats[CORES];

    b->fragmented = true;
    connect_all(b);
    for (uint32_t i = 0; i < CLIENTS; i++) /* one by one: few datagrams of one source may wait at a time */
        ask_some(b, 0, i, i + 1);
    for (int i = 0; i < CORES; i++) {
        core_get_stats(b->cores[i], &stats[i]);
        assert_true(stats[i].proxy->requests > 0);
        assert_int_equal(stats[i].tcp->rst_out, 0);
    }
    assert_int_equal(stats[0].proxy->responses + stats[1].proxy->responses, CLIENTS);
    assert_true(stats[0].dispatch->fragments + stats[1].dispatch->fragments >= CLIENTS * 2);
    bench_free(b);
}

static void one_core_speaks_for_the_host_and_both_learn(void **state)
{
    struct bench *b = bench_create(false);
    struct core_stats stats[CORES];

    for (int i = 0; i < CORES; i++) {
        net_announce(b->cores[i]->net, fixture_now_us());
        core_get_stats(b->cores[i], &stats[i]);
    }
    assert_int_equal(stats[0].net->arp_requests_sent, 1);
    assert_int_equal(stats[1].net->arp_requests_sent, 0);
    connect_all(b); /* the host asks who we are: each core hears it, one answers */
    for (int i = 0; i < CORES; i++) {
        core_get_stats(b->cores[i], &stats[i]);
        assert_true(stats[i].net->arp_requests_received > 0);
        assert_int_equal(stats[i].net->arp_requests_received, stats[0].net->arp_requests_received);
    }
    assert_int_equal(stats[0].net->arp_replies_sent, stats[0].net->arp_requests_received);
    assert_int_equal(stats[1].net->arp_replies_sent, 0);
    assert_int_equal(b->arp_seen, stats[0].net->arp_replies_sent);
    bench_free(b);
}

static void both_adopt_a_snapshot_and_drain(void **state)
{
    struct core_command drain[CORES];
    struct bench *b = bench_create(false);
    struct core_stats stats;

    connect_all(b);
    atomic_store(&fixture->shared.snapshot, &fixture->snapshots[1]);
    turn(b);
    for (int i = 0; i < CORES; i++) {
        core_get_stats(b->cores[i], &stats);
        assert_int_equal(stats.generation, 2);
        assert_false(stats.drained);
        drain[i] = (struct core_command){.kind = COMMAND_DRAIN};
        assert_int_equal(core_command(b->cores[i], &drain[i]), ASSAY_OK);
    }
    for (uint32_t drained = 0, i = 0; drained < CORES && i < 5000; i++) {
        turn(b);
        drained = 0;
        for (int k = 0; k < CORES; k++) {
            core_get_stats(b->cores[k], &stats);
            drained += stats.drained;
        }
        /* the host ends its side as well */
        for (uint32_t k = 0; k < b->count; k++)
            if (tcp_at_end(b->host.tcp, b->ends[k].tcp))
                tcp_shutdown(b->host.tcp, b->ends[k].tcp);
    }
    for (int i = 0; i < CORES; i++) {
        core_get_stats(b->cores[i], &stats);
        assert_true(stats.drained);
    }
    bench_free(b);
}

static void what_is_left_in_the_mesh_is_not_lost(void **state)
{
    struct bench *b = bench_create(true);
    struct assay_address from = rig_address(FIXTURE_CLIENT), to = rig_address(FIXTURE_PROXY);

    connect_all(b);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(tcp_connect(b->host.tcp, &from, 0, &to, 8080, 0, fixture_now_us(), &b->ends[b->count++].tcp),
                         ASSAY_OK);
    host_turn(b);
    carry_in(b);
    (void)core_turn(b->cores[0]); /* hands over, and nobody takes */
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_connection_is_served_by_its_core_whatever_queue_its_frames_come_in),
        cmocka_unit_test(fragments_find_the_core_of_their_connection),
        cmocka_unit_test(one_core_speaks_for_the_host_and_both_learn),
        cmocka_unit_test(both_adopt_a_snapshot_and_drain),
        cmocka_unit_test(what_is_left_in_the_mesh_is_not_lost),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
