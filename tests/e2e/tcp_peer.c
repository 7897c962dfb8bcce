/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host made of net/ and tcp/ alone, for tests/e2e/tcp.sh. Its services, all of bytes that count modulo 251:
 *   port 7   echo
 *   port 9   reads to the end, answers "BYTES WRONG\n"
 *   port 19  reads "BYTES\n", sends so many, ends
 * With CONNECT-TO it opens connections itself: sends BYTES, half-closes, reads what comes back to the end.
 * usage: tcp_peer EAL-ARGUMENTS -- [--buffer BYTES] [--mtu BYTES] [--gateway ADDRESS] [--polls N] [--ecn on]
 *     DEVICE ADDRESS/BITS SECONDS [CONNECT-TO PORT BYTES COUNT]
 * --buffer: what a connection may hold to send, and to receive; --mtu: of the port, with mbufs that hold such frames;
 * --polls: that find nothing before it sleeps for a moment; --ecn on: asks for ECN where it connects. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>

#include "base/address.h"
#include "net/net.h"
#include "net/nic.h"
#include "tcp/counters.h"
#include "tcp/tcp.h"

#define BURST          32
#define MBUFS          16383
#define JUMBO_MBUFS    8191
#define ETHERNET_BYTES 18
#define CONNECTIONS    4096
#define PERIOD         251
#define CHUNK          (PERIOD * 64)
#define IDLE_POLLS     64
#define IDLE_NS        20000

enum service { SERVICE_ECHO = 7, SERVICE_DISCARD = 9, SERVICE_SOURCE = 19, SERVICE_CLIENT = 0 };

struct session {
    struct session *next_free;
    struct tcp_handle handle;
    enum service service;
    uint64_t read, wrong, to_write, written;
    char line[64];
    uint32_t line_len, line_sent;
    bool ready, closing;
};

struct host {
    uint32_t buffer_bytes, mtu, polls;
    bool asks_ecn;
    struct net_route gateway;
    bool routed;
    struct nic nic;
    struct net *net;
    struct tcp *tcp;
    struct rte_mempool *packets, *payloads, *indirects;
    struct net_tx tx;
    struct assay_address self, target;
    uint16_t target_port;
    uint64_t target_bytes;
    uint32_t to_connect, connected, done, failed;
    struct session sessions[CONNECTIONS];
    struct session *free;
    uint8_t pattern[CHUNK + PERIOD];
    uint32_t idle, in_use_at_start;
};

static volatile sig_atomic_t stopped; /* written by the signal handler */

static void on_signal(int signal)
{
    stopped = 1;
}

static uint64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void end_session(struct host *h, struct session *s)
{
    s->ready = false;
    s->next_free = h->free;
    h->free = s;
}

static struct session *new_session(struct host *h, enum service service)
{
    struct session *s = h->free;

    if (s == NULL)
        return NULL;
    h->free = s->next_free;
    memset(s, 0, sizeof(*s));
    s->service = service;
    return s;
}

/* --- services --------------------------------------------------------------------------------------------------------- */

static void write_pattern(struct host *h, struct session *s)
{
    while (s->written < s->to_write) {
        uint64_t left = s->to_write - s->written;
        size_t len = left < CHUNK ? (size_t)left : CHUNK;
        size_t room = tcp_room(h->tcp, s->handle, len);
        size_t taken = tcp_write(h->tcp, s->handle, h->pattern + s->written % PERIOD, room < len ? room : len);

        s->written += taken;
        if (taken < len)
            return;
    }
    if (!s->closing) {
        s->closing = true;
        tcp_shutdown(h->tcp, s->handle);
    }
}

static void check_pattern(struct host *h, struct session *s, struct slice piece)
{
    for (size_t at = 0; at < piece.len;) {
        size_t len = piece.len - at < CHUNK ? piece.len - at : CHUNK;

        if (memcmp(piece.data + at, h->pattern + s->read % PERIOD, len) != 0)
            s->wrong++;
        s->read += len;
        at += len;
    }
}

static void run_echo(struct host *h, struct session *s)
{
    struct slice piece = tcp_peek(h->tcp, s->handle);

    while (piece.len > 0 && tcp_room(h->tcp, s->handle, piece.len) >= piece.len) {
        if (tcp_write(h->tcp, s->handle, piece.data, piece.len) < piece.len)
            abort(); /* there was room; only an empty pool could say no, and it is never so small here */
        tcp_consume(h->tcp, s->handle, piece.len);
        piece = tcp_peek(h->tcp, s->handle);
    }
}

static void run_discard(struct host *h, struct session *s)
{
    struct slice piece;

    while ((piece = tcp_peek(h->tcp, s->handle)).len > 0) {
        check_pattern(h, s, piece);
        tcp_consume(h->tcp, s->handle, piece.len);
    }
    if (tcp_at_end(h->tcp, s->handle) && s->line_len == 0 && s->service == SERVICE_DISCARD) {
        s->line_len = (uint32_t)snprintf(s->line, sizeof(s->line), "%" PRIu64 " %" PRIu64 "\n", s->read, s->wrong);
        s->line_sent = (uint32_t)tcp_write(h->tcp, s->handle, s->line, s->line_len);
    }
}

static void run_source(struct host *h, struct session *s)
{
    struct slice piece = tcp_peek(h->tcp, s->handle);

    while (piece.len > 0) {
        for (size_t i = 0; i < piece.len && s->line_len < sizeof(s->line) - 1; i++)
            s->line[s->line_len++] = (char)piece.data[i];
        tcp_consume(h->tcp, s->handle, piece.len);
        piece = tcp_peek(h->tcp, s->handle);
    }
    if (memchr(s->line, '\n', s->line_len) == NULL)
        return;
    s->to_write = strtoull(s->line, NULL, 10);
    write_pattern(h, s);
}

static void run_session(struct host *h, struct session *s)
{
    switch (s->service) {
    case SERVICE_ECHO: run_echo(h, s); break;
    case SERVICE_DISCARD: run_discard(h, s); break;
    case SERVICE_SOURCE: run_source(h, s); break;
    case SERVICE_CLIENT:
        write_pattern(h, s);
        run_discard(h, s);
        break;
    }
    if (!tcp_at_end(h->tcp, s->handle) || s->written < s->to_write || s->line_sent < s->line_len * (s->service == 9))
        return;
    if (s->service == SERVICE_CLIENT) {
        h->done++;
        printf("client sent %" PRIu64 " read %" PRIu64 " wrong %" PRIu64 "\n", s->written, s->read, s->wrong);
    }
    tcp_close(h->tcp, s->handle);
    end_session(h, s);
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

static void take_event(struct host *h, const struct tcp_event *e)
{
    struct session *s;

    if (e->flags & TCP_EVENT_ACCEPTED) {
        s = new_session(h, (enum service)e->user);
        tcp_accepted(h->tcp, e->handle);
        if (s == NULL || tcp_set_user(h->tcp, e->handle, (uint64_t)(uintptr_t)s) != ASSAY_OK) {
            tcp_abort(h->tcp, e->handle);
            return;
        }
        s->handle = e->handle;
        s->ready = true;
    } else {
        s = (struct session *)(uintptr_t)e->user;
    }
    if (e->flags & TCP_EVENT_CLOSED) {
        if (s->service == SERVICE_CLIENT)
            h->failed++;
        printf("closed, reason %d, after %" PRIu64 " read %" PRIu64 " written\n", e->reason, s->read, s->written);
        end_session(h, s);
        return;
    }
    if (e->flags & TCP_EVENT_CONNECTED)
        s->ready = true;
    if (s->ready)
        run_session(h, s);
}

static void take_events(struct host *h, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        take_event(h, &events[i]);
}

static void connect_out(struct host *h, uint64_t now)
{
    struct session *s = new_session(h, SERVICE_CLIENT);

    if (s == NULL)
        return;
    s->to_write = h->target_bytes;
    if (tcp_connect(h->tcp, &h->self, 0, &h->target, h->target_port, (uint64_t)(uintptr_t)s, now, &s->handle) !=
        ASSAY_OK) {
        end_session(h, s);
        return;
    }
    h->connected++;
}

static bool turn(struct host *h)
{
    struct rte_mbuf *packets[BURST];
    struct net_segment segments[BURST];
    struct net_icmp_error errors[BURST * 2];
    struct tcp_event events[BURST * 4];
    uint64_t now = now_us();
    uint32_t errors_count = 0, n;
    bool busy, more;

    n = nic_rx(&h->nic, packets, BURST);
    busy = n > 0;
    n = net_input(h->net, 0, packets, n, now, segments, errors, &errors_count);
    errors_count += net_timers(h->net, now, errors + errors_count, BURST);
    take_events(h, events, tcp_input(h->tcp, segments, n, now, events, BURST * 4));
    take_events(h, events, tcp_timers(h->tcp, now, events, BURST * 4));
    for (uint32_t i = 0; i < errors_count; i++)
        take_events(h, events, tcp_icmp_error(h->tcp, &errors[i], now, events, BURST * 4));
    if (h->connected < h->to_connect && h->connected - h->done - h->failed < 64)
        connect_out(h, now);
    more = tcp_output(h->tcp, now, &h->tx);
    busy |= more || h->tx.count > 0;
    net_output(h->net, &h->tx, now);
    return busy;
}

/* The peers run on the same cores: after a while without work, a moment for them. */
static void run(struct host *h, uint64_t end_us)
{
    const struct timespec nap = {.tv_nsec = IDLE_NS};

    while (!stopped && now_us() < end_us) {
        if (turn(h)) {
            h->idle = 0;
        } else if (++h->idle > h->polls) {
            nanosleep(&nap, NULL);
            if (h->to_connect > 0 && h->done + h->failed == h->to_connect)
                break;
        }
    }
}

/* --- start and end ---------------------------------------------------------------------------------------------------- */

static enum assay_error open_host(struct host *h, const char *device, char *address)
{
    char *slash = strchr(address, '/');
    struct nic_config nic = {
        .device = device, .pools = &h->packets, .mtu = (uint16_t)h->mtu, .multicast = strchr(address, ':') != NULL};
    uint32_t frame = ETHERNET_BYTES + (h->mtu != 0 ? h->mtu : 1500), driver = nic_device_buffer_min(device);
    uint32_t room = RTE_PKTMBUF_HEADROOM + (frame > driver ? frame : driver), mbufs = JUMBO_MBUFS;
    struct net_config config;
    struct net_address own;
    struct net_port_config port = {.nic = &h->nic, .addresses = &own, .addresses_count = 1};
    enum assay_error error;

    if (slash == NULL || address_parse(slice_of(address, (size_t)(slash - address)), &own.address) != ASSAY_OK)
        return ASSAY_ERR_MALFORMED;
    own.prefix_length = (uint8_t)((address_is_ip4(&own.address) ? 96 : 0) + atoi(slash + 1));
    h->self = own.address;
    if (room <= RTE_MBUF_DEFAULT_BUF_SIZE) {
        room = RTE_MBUF_DEFAULT_BUF_SIZE;
        mbufs = MBUFS;
    }
    h->packets = rte_pktmbuf_pool_create("packets", mbufs, 250, 0, (uint16_t)room, SOCKET_ID_ANY);
    h->payloads = rte_pktmbuf_pool_create("payloads", mbufs, 250, 0, (uint16_t)room, SOCKET_ID_ANY);
    h->indirects = rte_pktmbuf_pool_create("indirects", MBUFS, 250, 0, 0, SOCKET_ID_ANY);
    if (h->packets == NULL || h->payloads == NULL || h->indirects == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = nic_open(&nic, &h->nic, 1);
    if (error != ASSAY_OK)
        return error;
    net_config_default(&config);
    config.ports = &port;
    config.ports_count = 1;
    config.pool = h->packets;
    config.routes = &h->gateway;
    config.routes_count = h->routed;
    return net_create(&config, &h->net);
}

static enum assay_error open_tcp(struct host *h)
{
    static const uint16_t services[] = {SERVICE_ECHO, SERVICE_DISCARD, SERVICE_SOURCE};
    struct tcp_config config;
    enum assay_error error;

    tcp_config_default(&config);
    config.connections_max = CONNECTIONS * 2;
    config.time_wait_max = CONNECTIONS;
    config.time_wait_us = 2000000;
    if (h->asks_ecn)
        config.ecn = TCP_ECN_ON;
    if (h->mtu != 0)
        config.mtu = (uint16_t)h->mtu;
    if (h->buffer_bytes != 0) {
        uint32_t mbufs = h->buffer_bytes / rte_pktmbuf_data_room_size(h->payloads) + 16;

        config.send_buffer_bytes = h->buffer_bytes;
        config.receive_buffer_bytes = h->buffer_bytes;
        config.mbufs_max_per_connection = 2 * mbufs;
    }
    config.tso_bytes_max = nic_tso_bytes(&h->nic, rte_pktmbuf_data_room_size(h->payloads));
    for (size_t i = 0; i < sizeof(config.secret); i++)
        config.secret[i] = (uint8_t)(now_us() >> i);
    error = tcp_create(&config, h->packets, h->payloads, h->indirects, now_us(), &h->tcp);
    for (size_t i = 0; error == ASSAY_OK && i < sizeof(services) / sizeof(services[0]); i++)
        error = tcp_listen(h->tcp, &h->self, services[i], services[i]);
    return error;
}

static void print_counters(const struct host *h)
{
    const struct tcp_counters *c = tcp_get_counters(h->tcp);

#define TCP_COUNTER(name, help) \
    if (c->name != 0)           \
        printf("%s %" PRIu64 "\n", #name, c->name);
#include "tcp/counters.def"
#undef TCP_COUNTER
    printf("nic_tx_dropped %" PRIu64 "\n", h->nic.counters.tx_dropped);
}

static uint32_t in_use(const struct host *h)
{
    return rte_mempool_in_use_count(h->packets) + rte_mempool_in_use_count(h->payloads) +
           rte_mempool_in_use_count(h->indirects);
}

/* Takes the options off the front; returns how many words they were. */
static int read_options(struct host *h, int argc, char **argv)
{
    int at = 0;

    h->polls = IDLE_POLLS;
    h->gateway.prefix.address = address_from_ip4_be(0);
    h->gateway.prefix.length = 96;
    for (; at + 1 < argc; at += 2) {
        if (strcmp(argv[at], "--buffer") == 0)
            h->buffer_bytes = (uint32_t)strtoul(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--mtu") == 0)
            h->mtu = (uint32_t)strtoul(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--polls") == 0)
            h->polls = (uint32_t)strtoul(argv[at + 1], NULL, 10);
        else if (strcmp(argv[at], "--ecn") == 0)
            h->asks_ecn = strcmp(argv[at + 1], "on") == 0;
        else if (strcmp(argv[at], "--gateway") == 0)
            h->routed = address_parse(slice_text(argv[at + 1]), &h->gateway.gateway) == ASSAY_OK;
        else
            break;
    }
    return at;
}

int main(int argc, char **argv)
{
    static struct host h; /* too big for the stack */
    enum assay_error error;
    int used = rte_eal_init(argc, argv);

    if (used >= 0)
        used += 1 + read_options(&h, argc - used - 1, argv + used + 1);
    if (used < 0 || argc - used < 3) {
        fprintf(stderr,
                "usage: tcp_peer EAL-ARGUMENTS -- [--buffer BYTES] [--mtu BYTES] [--gateway ADDRESS] [--ecn on] "
                "DEVICE ADDRESS/BITS SECONDS "
                "[CONNECT-TO PORT BYTES COUNT]\n");
        return 2;
    }
    argv += used;
    /* Naps to the nanosecond, not 50 µs longer: a turn late is a round trip late. */
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint32_t i = 0; i < sizeof(h.pattern); i++)
        h.pattern[i] = (uint8_t)(i % PERIOD);
    for (uint32_t i = 0; i < CONNECTIONS; i++)
        end_session(&h, &h.sessions[i]);
    if (argc - used == 7) {
        if (address_parse(slice_text(argv[3]), &h.target) != ASSAY_OK)
            return 2;
        h.target_port = (uint16_t)atoi(argv[4]);
        h.target_bytes = strtoull(argv[5], NULL, 10);
        h.to_connect = (uint32_t)atoi(argv[6]);
    }
    error = open_host(&h, argv[0], argv[1]);
    if (error == ASSAY_OK)
        error = open_tcp(&h);
    if (error != ASSAY_OK) {
        fprintf(stderr, "tcp_peer: %s: %s\n", argv[0], assay_error_text(error));
        return 1;
    }
    printf("ready %s\n", nic_driver(&h.nic));
    h.in_use_at_start = in_use(&h);
    net_announce(h.net, now_us());
    run(&h, now_us() + (uint64_t)atoi(argv[2]) * 1000000);
    print_counters(&h);
    tcp_destroy(h.tcp);
    net_destroy(h.net);
    printf("mbufs lost %d\n", (int)(in_use(&h) - h.in_use_at_start));
    nic_close(&h.nic, 1);
    rte_eal_cleanup();
    return h.failed ? 1 : 0;
}
