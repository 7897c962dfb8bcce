/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The turn of a core, frame by frame: a port (net_ring) on whose other end the test has a host of its own. The clock is
 * the machine's. */
#include <pthread.h>
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

#include "base/rcu.h"
#include "core/core_private.h"
#include "fixture.h"

#define DEADEND "198.18.2.13" /* answers ARP; what is sent to it comes back as an ICMP error */
#define NOBODY  "198.18.2.12" /* answers nothing */

static struct fixture *fixture;

/* The core, and the host at the other end of its port. */
struct bench {
    struct core *core;
    struct nic near;
    struct fixture_host host;
    struct tcp_handle client, origin;
    bool connected, client_closed;
    char answer[4096], request[4096];
    size_t answer_length, request_length;
    unsigned icmp_sent;
};

static int start(void **state)
{
    static const char *const origins[] = {FIXTURE_ORIGIN, DEADEND, NOBODY};

    fixture = fixture_start("assay-core-loop", 1, 4096, origins, 3);
    fixture->settings.clients_max = 8;
    fixture->settings.origin_connections_max = 4;
    return 0;
}

static int stop(void **state)
{
    fixture_stop();
    return 0;
}

static struct core *make_core(struct nic *nic, uint32_t idle_polls, uint32_t idle_sleep_us)
{
    struct fixture_core_config config;

    fixture_core_defaults(&config, nic);
    config.core.clients_max = 8;
    config.core.idle_polls = idle_polls;
    config.core.idle_sleep_us = idle_sleep_us;
    config.tcp.connections_max = 2048;
    return fixture_core(&config);
}

static struct bench *bench_create(void)
{
    struct bench *b = test_calloc(1, sizeof(*b));
    struct nic_config near = {.device = "net_ring0", .pools = &fixture->pools.packet},
                      far = {.device = "net_ring1", .pools = &fixture->pools.packet};

    assert_int_equal(nic_open(&near, &b->near, 1), ASSAY_OK);
    assert_int_equal(nic_open(&far, &b->host.nic, 1), ASSAY_OK);
    memcpy(b->near.mac, "\x02\0\0\0\0\x10", 6);
    memcpy(b->host.nic.mac, "\x02\0\0\0\0\x99", 6);
    b->core = make_core(&b->near, 0, 0);
    fixture_host_create(&b->host, (const char *const[]){FIXTURE_CLIENT, FIXTURE_ORIGIN, DEADEND}, 3, 64);
    return b;
}

static void bench_free(struct bench *b)
{
    core_free(b->core);
    fixture_drain(&b->near);
    fixture_host_free(&b->host);
    nic_close(&b->near, 1);
    assert_int_equal(rig_pools_missing(&fixture->pools), 0);
    test_free(b);
}

/* --- frames ------------------------------------------------------------------------------------------------------------------ */

static void put_checksum(uint8_t *at, const uint8_t *bytes, size_t len)
{
    uint32_t sum = 0;

    at[0] = at[1] = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    at[0] = (uint8_t)(~sum >> 8);
    at[1] = (uint8_t)~sum;
}

/* "Port unreachable" (RFC 792: type 3, code 3) about an IPv4 frame, back to who sent it. */
static void return_icmp_error(struct bench *b, const uint8_t *frame)
{
    enum { ICMP = 8, QUOTED = FIXTURE_IP_HEADER + 8, LENGTH = FIXTURE_ETHERNET + FIXTURE_IP_HEADER + ICMP + QUOTED };
    struct rte_mbuf *m = rte_pktmbuf_alloc(fixture->pools.packet);
    uint8_t *out, *ip, *icmp;

    assert_non_null(m);
    out = (uint8_t *)rte_pktmbuf_append(m, LENGTH);
    if (out == NULL) {
        rte_pktmbuf_free(m);
        fail_msg("no room for an ICMP error");
        return;
    }
    memset(out, 0, LENGTH);
    memcpy(out, frame + 6, 6);
    memcpy(out + 6, frame, 6);
    out[12] = 8;
    ip = out + FIXTURE_ETHERNET;
    ip[0] = 0x45;
    ip[3] = FIXTURE_IP_HEADER + ICMP + QUOTED;
    ip[8] = 64;
    ip[9] = 1;
    memcpy(ip + 12, frame + FIXTURE_ETHERNET + 16, 4);
    memcpy(ip + 16, frame + FIXTURE_ETHERNET + 12, 4);
    put_checksum(ip + 10, ip, FIXTURE_IP_HEADER);
    icmp = ip + FIXTURE_IP_HEADER;
    icmp[0] = 3;
    icmp[1] = 3;
    memcpy(icmp + ICMP, frame + FIXTURE_ETHERNET, QUOTED);
    put_checksum(icmp + 2, icmp, ICMP + QUOTED);
    nic_send(&b->near, m);
    b->icmp_sent++;
}

static bool is_tcp_to(const uint8_t *frame, const char *address)
{
    struct assay_address to = rig_address(address);

    return frame[12] == 8 && frame[13] == 0 && frame[FIXTURE_ETHERNET + 9] == 6 &&
           memcmp(frame + FIXTURE_ETHERNET + 16, to.bytes + 12, 4) == 0;
}

/* From the core's port to the host's. */
static void carry_out(struct bench *b)
{
    struct rte_mbuf *packets[64];
    uint16_t n = nic_rx(&b->near, packets, 64);

    for (uint16_t i = 0; i < n; i++) {
        const uint8_t *frame = rte_pktmbuf_mtod(packets[i], const uint8_t *);

        if (is_tcp_to(frame, DEADEND)) {
            return_icmp_error(b, frame);
            rte_pktmbuf_free(packets[i]);
        } else {
            nic_send(&b->host.nic, packets[i]);
        }
    }
    nic_flush(&b->host.nic);
}

static void carry_in(struct bench *b)
{
    struct rte_mbuf *packets[64];
    uint16_t n = nic_rx(&b->host.nic, packets, 64);

    for (uint16_t i = 0; i < n; i++)
        nic_send(&b->near, packets[i]);
    nic_flush(&b->near);
}

static void host_read(struct bench *b, struct tcp_handle handle, char *text, size_t *length)
{
    struct slice piece;

    while ((piece = tcp_peek(b->host.tcp, handle)).len > 0) {
        assert_in_range(*length + piece.len, 0, 4095);
        memcpy(text + *length, piece.data, piece.len);
        *length += piece.len;
        tcp_consume(b->host.tcp, handle, piece.len);
    }
}

static void host_turn(struct bench *b)
{
    struct rte_mbuf *packets[64];
    struct net_segment segments[64];
    struct net_icmp_error errors[64];
    struct tcp_event events[128];
    struct net_tx tx = {0};
    uint64_t now = fixture_now_us();
    uint32_t error_count = 0, n, e;
    uint16_t received = nic_rx(&b->host.nic, packets, 64);

    n = net_input(b->host.net, 0, packets, received, now, segments, errors, &error_count);
    e = tcp_timers(b->host.tcp, now, events, 64);
    e += tcp_input(b->host.tcp, segments, n, now, events + e, 128 - e);
    for (uint32_t i = 0; i < e; i++) {
        if (events[i].flags & TCP_EVENT_ACCEPTED) {
            tcp_accepted(b->host.tcp, events[i].handle);
            b->origin = events[i].handle;
        }
        b->connected |= (events[i].flags & TCP_EVENT_CONNECTED) != 0;
        b->client_closed |= (events[i].flags & TCP_EVENT_CLOSED) && events[i].handle.index == b->client.index;
    }
    host_read(b, b->client, b->answer, &b->answer_length);
    host_read(b, b->origin, b->request, &b->request_length);
    (void)net_timers(b->host.net, now, errors, 64);
    (void)tcp_output(b->host.tcp, now, &tx);
    net_output(b->host.net, &tx, now);
}

static bool turn(struct bench *b)
{
    bool busy = core_turn(b->core);

    carry_out(b);
    host_turn(b);
    carry_in(b);
    usleep(200);
    return busy;
}

static void connect_client(struct bench *b)
{
    struct assay_address from = rig_address(FIXTURE_CLIENT), to = rig_address(FIXTURE_PROXY);

    assert_int_equal(tcp_connect(b->host.tcp, &from, 0, &to, 8080, 0, fixture_now_us(), &b->client), ASSAY_OK);
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000; !b->connected && fixture_now_us() < end;)
        turn(b);
    assert_true(b->connected);
}

/* Sends a request for an origin; runs until there is an answer, or the origin has the request. */
static void ask(struct bench *b, const char *path)
{
    char text[512];

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: edge\r\n\r\n", path);
    assert_int_equal(tcp_write(b->host.tcp, b->client, text, strlen(text)), strlen(text));
    b->answer_length = 0;
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000;
         b->answer_length == 0 && b->request_length == 0 && fixture_now_us() < end;)
        turn(b);
}

/* --- tests -------------------------------------------------------------------------------------------------------------------- */

static void a_request_goes_through_frame_by_frame(void **state)
{
    const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    struct bench *b = bench_create();
    struct core_stats stats;

    connect_client(b);
    ask(b, "/c3RldmVuLmxhYi9odHRwLzE5OC4xOC4yLjExLzgwMDA/x"); /* steven.lab/http/198.18.2.11/8000 */
    assert_memory_equal(b->request, "GET /x HTTP/1.1\r\n", 17);
    tcp_write(b->host.tcp, b->origin, answer, strlen(answer));
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000; b->answer_length == 0 && fixture_now_us() < end;)
        turn(b);
    assert_memory_equal(b->answer, "HTTP/1.1 200 OK\r\n", 17);
    assert_memory_equal(b->answer + b->answer_length - 5, "hello", 5);
    core_get_stats(b->core, &stats);
    assert_int_equal(stats.proxy->responses, 1);
    assert_int_equal(stats.generation, 1);
    assert_false(stats.drained);
    assert_true(stats.net->rx_packets > 0);
    bench_free(b);
}

static void a_turn_without_frames_is_idle_and_one_with_a_frame_is_not(void **state)
{
    struct bench *b = bench_create();
    unsigned busy = 0;

    for (int i = 0; i < 50; i++)
        turn(b); /* our announcements go out */
    for (int i = 0; i < 50; i++)
        busy += turn(b);
    assert_int_equal(busy, 0);
    b->connected = false;
    connect_client(b);
    for (int i = 0; i < 300; i++)
        turn(b); /* delayed acknowledgements */
    for (int i = 0; i < 50; i++)
        busy += turn(b);
    assert_int_equal(busy, 0); /* an idle connection costs no turn */
    tcp_write(b->host.tcp, b->client, "G", 1);
    for (int i = 0; i < 20; i++)
        busy += turn(b);
    assert_true(busy > 0);
    bench_free(b);
}

static void an_icmp_error_ends_the_connect_it_is_about(void **state)
{
    struct bench *b = bench_create();
    uint64_t begin;

    connect_client(b);
    begin = fixture_now_us();
    ask(b, "/c3RldmVuLmxhYi9odHRwLzE5OC4xOC4yLjEzLzgwMDA/x"); /* the dead end */
    assert_memory_equal(b->answer, "HTTP/1.1 502 connect failed\r\n", 29);
    assert_true(fixture_now_us() - begin < 3000000); /* not by the clock of the connect */
    assert_int_equal(b->icmp_sent, 2);               /* tried twice */
    assert_int_equal(b->request_length, 0);
    bench_free(b);
}

/* ARP gives up after some seconds, and says so as an ICMP error would. */
static void a_neighbour_that_does_not_answer_ends_the_connect_too(void **state)
{
    struct bench *b = bench_create();
    const char request[] =
        "GET /c3RldmVuLmxhYi9odHRwLzE5OC4xOC4yLjEyLzgwMDA/x HTTP/1.1\r\nHost: e\r\n\r\n"; /* nobody */
    struct core_stats stats;

    connect_client(b);
    tcp_write(b->host.tcp, b->client, request, strlen(request));
    core_get_stats(b->core, &stats);
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000;
         stats.proxy->origin_connect_failures == 0 && fixture_now_us() < end;)
        turn(b);
    assert_int_equal(stats.proxy->origin_connect_failures, 1);
    assert_int_equal(stats.proxy->origin_retries, 1);
    assert_int_equal(stats.net->arp_failed, 1);
    bench_free(b);
}

static void a_drain_by_command_ends_connections_and_says_when_it_is_done(void **state)
{
    struct bench *b = bench_create();
    struct core_command drain = {.kind = COMMAND_DRAIN};
    struct core_stats stats;

    connect_client(b);
    assert_int_equal(core_command(b->core, &drain), ASSAY_OK);
    assert_int_equal(atomic_load(&drain.state), COMMAND_PENDING);
    turn(b);
    assert_int_equal(atomic_load(&drain.state), COMMAND_DONE);
    for (uint64_t end = fixture_now_us() + FIXTURE_WAIT_MS * 1000;
         !tcp_at_end(b->host.tcp, b->client) && fixture_now_us() < end;)
        turn(b);
    assert_true(tcp_at_end(b->host.tcp, b->client));
    tcp_close(b->host.tcp, b->client);
    for (int i = 0; i < 50; i++)
        turn(b);
    core_get_stats(b->core, &stats);
    assert_true(stats.drained);
    bench_free(b);
}

static void a_turn_takes_a_few_commands_and_leaves_the_rest_for_the_next(void **state)
{
    struct bench *b = bench_create();
    struct core_command commands[6];
    unsigned done = 0;

    for (int i = 0; i < 6; i++) {
        commands[i] = (struct core_command){.kind = COMMAND_ORIGINS};
        assert_int_equal(core_command(b->core, &commands[i]), ASSAY_OK);
    }
    turn(b);
    for (int i = 0; i < 6; i++)
        done += atomic_load(&commands[i].state) == COMMAND_DONE;
    assert_int_equal(done, 4);
    turn(b);
    for (int i = 0; i < 6; i++)
        assert_int_equal(atomic_load(&commands[i].state), COMMAND_DONE);
    bench_free(b);
}

/* RFC 5227 §2.3: after the link came back, whoever is there hears of our addresses again. */
static void a_command_announces_our_addresses(void **state)
{
    struct bench *b = bench_create();
    struct core_command announce = {.kind = COMMAND_ANNOUNCE};
    struct assay_address ours = rig_address(FIXTURE_PROXY);
    struct rte_mbuf *packets[8];
    uint16_t n;

    (void)core_turn(b->core);
    assert_int_equal(nic_rx(&b->near, packets, 8), 0);
    assert_int_equal(core_command(b->core, &announce), ASSAY_OK);
    (void)core_turn(b->core);
    assert_int_equal(atomic_load(&announce.state), COMMAND_DONE);
    n = nic_rx(&b->near, packets, 8);
    assert_int_equal(n, 1);
    assert_memory_equal(rte_pktmbuf_mtod(packets[0], uint8_t *), "\xff\xff\xff\xff\xff\xff", 6);
    assert_memory_equal(rte_pktmbuf_mtod_offset(packets[0], uint8_t *, 12), "\x08\x06", 2);
    assert_memory_equal(rte_pktmbuf_mtod_offset(packets[0], uint8_t *, 28), ours.bytes + 12, 4); /* sender ... */
    assert_memory_equal(rte_pktmbuf_mtod_offset(packets[0], uint8_t *, 38), ours.bytes + 12, 4); /* ... and target */
    rte_pktmbuf_free(packets[0]);
    bench_free(b);
}

/* The table of connections is looked at in slices; what was asked later waits. */
static void a_walk_takes_several_turns_and_ends(void **state)
{
    static struct connection_row rows[4];
    struct bench *b = bench_create();
    struct core_command walk = {.kind = COMMAND_CONNECTIONS, .rows = rows, .rows_max = 4},
                        behind = {.kind = COMMAND_ORIGINS};
    int turns = 0;

    connect_client(b);
    assert_int_equal(core_command(b->core, &walk), ASSAY_OK);
    assert_int_equal(core_command(b->core, &behind), ASSAY_OK);
    while (atomic_load(&walk.state) != COMMAND_DONE && turns++ < 100) {
        assert_int_equal(atomic_load(&behind.state), COMMAND_PENDING);
        turn(b);
    }
    assert_in_range(turns, 2, 99);
    assert_int_equal(atomic_load(&behind.state), COMMAND_DONE);
    assert_int_equal(walk.row_count, 1);
    assert_string_equal(rows[0].state, "ESTABLISHED");
    assert_false(rows[0].origin_side);
    bench_free(b);
}

static void a_full_command_ring_says_so(void **state)
{
    static struct core_command commands[80];
    struct bench *b = bench_create();
    unsigned taken = 0;

    for (int i = 0; i < 80; i++) {
        commands[i] = (struct core_command){.kind = COMMAND_ORIGINS};
        taken += core_command(b->core, &commands[i]) == ASSAY_OK;
    }
    assert_int_equal(taken, 63);
    bench_free(b);
}

/* --- with the loop in a thread ----------------------------------------------------------------------------------------------- */

static void *run(void *core)
{
    return (void *)(intptr_t)core_run(core);
}

static void commands_behind_stop_are_answered_and_its_statistics_stay(void **state)
{
    struct core_command commands[8];
    struct nic nic;
    struct nic_config config = {.device = "net_null0", .pools = &fixture->pools.packet};
    struct core_stats stats;
    struct core *core;
    pthread_t thread;
    void *result;

    assert_int_equal(nic_open(&config, &nic, 1), ASSAY_OK);
    core = make_core(&nic, 0, 0);
    for (int i = 0; i < 8; i++) {
        commands[i] = (struct core_command){.kind = i == 0 ? COMMAND_STOP : COMMAND_ORIGINS};
        assert_int_equal(core_command(core, &commands[i]), ASSAY_OK);
    }
    assert_int_equal(pthread_create(&thread, NULL, run, core), 0);
    pthread_join(thread, &result);
    assert_int_equal((intptr_t)result, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(atomic_load(&commands[i].state), COMMAND_DONE);
    core_get_stats(core, &stats);
    assert_int_equal(stats.proxy->turns, 1);
    assert_int_equal(stats.heap_bytes_in_use, 0);
    assert_non_null(stats.verdicts);
    core_free(core);
    nic_close(&nic, 1);
    assert_int_equal(rig_pools_missing(&fixture->pools), 0);
}

/* A core that is told to may spin; one that sleeps holds nobody up. */
static void sleeping_is_offline_and_polling_does_not_sleep(void **state)
{
    for (int sleeps = 0; sleeps < 2; sleeps++) {
        struct core_command stop_it = {.kind = COMMAND_STOP};
        struct nic nic;
        struct nic_config config = {.device = "net_ring2", .pools = &fixture->pools.packet};
        struct core_stats stats;
        struct core *core;
        pthread_t thread;
        void *result;

        assert_int_equal(nic_open(&config, &nic, 1), ASSAY_OK);
        core = make_core(&nic, sleeps ? 1 : 0, 900000);
        assert_int_equal(pthread_create(&thread, NULL, run, core), 0);
        usleep(100000);
        core_get_stats(core, &stats);
        if (sleeps) /* for 0.9 s at a time */
            assert_int_equal(rcu_wait(fixture->shared.rcu, rcu_start(fixture->shared.rcu), 300000), ASSAY_OK);
        assert_int_equal(core_command(core, &stop_it), ASSAY_OK);
        pthread_join(thread, &result);
        core_get_stats(core, &stats);
        assert_int_equal(stats.proxy->sleeps > 0, sleeps);
        assert_true(stats.proxy->turns_idle > 0);
        core_free(core);
        fixture_drain(&nic);
        nic_close(&nic, 1);
        assert_int_equal(rig_pools_missing(&fixture->pools), 0);
    }
}

static void a_core_whose_number_is_taken_does_not_run(void **state)
{
    struct nic nic;
    struct nic_config config = {.device = "net_null0", .pools = &fixture->pools.packet};
    struct core *core;

    assert_int_equal(nic_open(&config, &nic, 1), ASSAY_OK);
    core = make_core(&nic, 0, 0);
    assert_int_equal(rcu_register(fixture->shared.rcu, 0), ASSAY_OK);
    assert_int_equal(core_run(core), -1);
    rcu_unregister(fixture->shared.rcu, 0);
    core_free(core);
    nic_close(&nic, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_goes_through_frame_by_frame),
        cmocka_unit_test(a_turn_without_frames_is_idle_and_one_with_a_frame_is_not),
        cmocka_unit_test(an_icmp_error_ends_the_connect_it_is_about),
        cmocka_unit_test(a_neighbour_that_does_not_answer_ends_the_connect_too),
        cmocka_unit_test(a_drain_by_command_ends_connections_and_says_when_it_is_done),
        cmocka_unit_test(a_turn_takes_a_few_commands_and_leaves_the_rest_for_the_next),
        cmocka_unit_test(a_command_announces_our_addresses),
        cmocka_unit_test(a_walk_takes_several_turns_and_ends),
        cmocka_unit_test(a_full_command_ring_says_so),
        cmocka_unit_test(commands_behind_stop_are_answered_and_its_statistics_stay),
        cmocka_unit_test(sleeping_is_offline_and_polling_does_not_sleep),
        cmocka_unit_test(a_core_whose_number_is_taken_does_not_run),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
