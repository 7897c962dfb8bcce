/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a connection costs when there are many: one TCP instance, its peers simulated, no TLS; at 1,000, 10,000, 100,000 and
 * 1,000,000 established connections: bytes each; a segment of the same 256 connections in the same order; a segment of any
 * connection at random; a keepalive timer, and the longest call of tcp_timers().
 * usage: tcp_scale [CONNECTIONS...]      run by scripts/bench scale */
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>

#include "rig.h"
#include "tcp/connection.h"
#include "tcp/counters.h"

#define BURST     32
#define ACTIVE    256
#define ROUNDS    200 /* segments of each active connection */
#define REQUEST   100 /* bytes in a segment */
#define START_US  1000000
#define IDLE_US   75000000 /* keepalive */
#define LEVELS    8
#define PEER_PORT 1024
/* What a profiler is told to collect by its name: valgrind --tool=callgrind --toggle-collect='fixed_pattern*' */
#define NOINLINE __attribute__((noinline))

struct peer {
    uint32_t seq, ack, ts_echo;
};

struct scale {
    struct tcp *tcp;
    struct rig_pools pools;
    struct peer *peers;
    struct tcp_handle *handles;
    uint32_t count;
    uint64_t now_us, random;
    struct assay_address us;
    int instructions_fd;
    uint64_t clock_ns; /* what reading the clock costs: a system call */
    size_t resident_before;
};

/* What a stretch of work cost. */
struct cost {
    uint64_t ns, instructions, units;
};

struct result {
    uint32_t connections;
    double bytes, fixed_ns, fixed_instructions, random_ns, random_instructions, timer_ns, timer_worst_us;
};

/* --- measuring -------------------------------------------------------------------------------------------------------- */

/* Time this thread has had: others on the machine do not count. */
static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* -1 where the machine does not count. */
static int open_instructions(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof(attr),
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static uint64_t instructions(const struct scale *s)
{
    uint64_t value = 0;

    if (s->instructions_fd >= 0 && read(s->instructions_fd, &value, sizeof(value)) != sizeof(value))
        value = 0;
    return value;
}

static void begin(const struct scale *s, struct cost *cost)
{
    cost->instructions -= instructions(s);
    cost->ns -= now_ns();
}

static void end(const struct scale *s, struct cost *cost, uint32_t units)
{
    cost->ns += now_ns();
    cost->ns -= (int64_t)cost->ns > (int64_t)s->clock_ns ? s->clock_ns : cost->ns;
    cost->instructions += instructions(s);
    cost->units += units;
}

/* The cheapest of many: what is left when nothing is measured. */
static uint64_t clock_cost(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < 10000; i++) {
        uint64_t before = now_ns(), ns = now_ns() - before;

        least = ns < least ? ns : least;
    }
    return least;
}

static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long size = 0, resident = 0;

    if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (file)
        fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* --- the peers -------------------------------------------------------------------------------------------------------- */

/* Sixteen thousand connections an address, as behind a NAT: 198.19.0.0 and on. */
static struct assay_address address_of(uint32_t index)
{
    struct assay_address address = rig_address("198.19.0.0");

    address.bytes[15] = (uint8_t)(index >> 14);
    return address;
}

static uint16_t port_of(uint32_t index)
{
    return (uint16_t)(PEER_PORT + (index & 0x3fff));
}

static uint32_t index_of(const struct net_datagram *datagram, const struct rig_segment *segment)
{
    return (uint32_t)datagram->dst.bytes[15] << 14 | (uint32_t)(segment->destination_port - PEER_PORT);
}

static struct net_segment segment_of(struct scale *s, uint32_t index, uint8_t flags, uint32_t len)
{
    static const uint8_t payload[REQUEST];
    struct peer *peer = &s->peers[index];
    struct assay_address address = address_of(index);
    struct tcp_options options = {.has_timestamps = true, .ts_value = (uint32_t)(s->now_us / 1000)};
    struct rig_segment segment = {.source_port = port_of(index),
                                  .destination_port = 443,
                                  .seq = peer->seq,
                                  .ack = peer->ack,
                                  .flags = flags,
                                  .window = 60000,
                                  .payload = payload,
                                  .payload_len = len};

    options.ts_echo = peer->ts_echo;
    if (flags & TCP_FLAG_SYN) {
        options.has_mss = options.sack_permitted = options.has_window_scale = true;
        options.mss = 1460;
        options.window_shift = 7;
        segment.options_len = (uint8_t)tcp_options_write_syn(&options, segment.options);
    } else {
        segment.options_len = (uint8_t)tcp_options_write(&options, segment.options);
    }
    peer->seq += len + (flags & TCP_FLAG_SYN ? 1 : 0);
    return rig_receive(&s->pools, &address, &s->us, &segment, 1);
}

/* Takes what goes out: the numbers of SYN-ACKs, and in probes (NULL: not wanted) who is to answer a keepalive probe. */
static uint32_t take_output(struct scale *s, struct net_tx *tx, uint32_t *probes)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < tx->count; i++) {
        uint8_t bytes[1600];
        struct tcp_options options;
        struct rig_segment segment;
        uint32_t index;

        if (rig_parse(bytes, rig_linearize(tx->datagrams[i].mbuf, bytes, sizeof(bytes)), &segment, &options)) {
            index = index_of(&tx->datagrams[i], &segment);
            s->peers[index].ts_echo = options.ts_value;
            if (segment.flags & TCP_FLAG_SYN)
                s->peers[index].ack = segment.seq + 1;
            else if (probes && segment.seq == s->peers[index].ack - 1)
                probes[count++] = index;
        }
        rte_pktmbuf_free(tx->datagrams[i].mbuf);
    }
    tx->count = 0;
    return count;
}

static void answer_probes(struct scale *s, const uint32_t *probes, uint32_t n)
{
    struct net_segment segments[BURST] = {0};
    struct tcp_event events[BURST] = {0};

    for (uint32_t done = 0; done < n;) {
        uint32_t piece = n - done < BURST ? n - done : BURST;

        for (uint32_t i = 0; i < piece; i++)
            segments[i] = segment_of(s, probes[done + i], TCP_FLAG_ACK, 0);
        tcp_input(s->tcp, segments, piece, s->now_us, events, BURST);
        done += piece;
    }
}

/* Lets everything out; who is probed answers. How many were. */
static uint32_t flush(struct scale *s)
{
    static struct net_tx tx;
    uint32_t probes[NET_TX_MAX], probed = 0;
    bool more = true;

    while (more) {
        uint32_t n;

        more = tcp_output(s->tcp, s->now_us, &tx);
        n = take_output(s, &tx, probes);
        answer_probes(s, probes, n);
        probed += n;
    }
    return probed;
}

static void pass_time(struct scale *s, uint64_t us)
{
    struct tcp_event events[BURST] = {0};

    s->now_us += us;
    if (tcp_timers(s->tcp, s->now_us, events, BURST) > 0)
        exit(1); /* a connection was given up */
    flush(s);
}

static void establish(struct scale *s, uint32_t first, uint32_t n)
{
    struct net_segment segments[BURST] = {0};
    struct tcp_event events[BURST] = {0};
    uint32_t got;

    for (uint32_t i = 0; i < n; i++) {
        s->peers[first + i] = (struct peer){.seq = first + i};
        segments[i] = segment_of(s, first + i, TCP_FLAG_SYN, 0);
    }
    got = tcp_input(s->tcp, segments, n, s->now_us, events, BURST);
    flush(s);
    for (uint32_t i = 0; i < n; i++)
        segments[i] = segment_of(s, first + i, TCP_FLAG_ACK, 0);
    got += tcp_input(s->tcp, segments, n, s->now_us, events, BURST);
    flush(s);
    if (got != n) {
        fprintf(stderr, "tcp_scale: %u of %u connections were accepted at %u\n", got, n, first);
        exit(1);
    }
    for (uint32_t i = 0; i < n; i++) {
        s->handles[first + i] = events[i].handle;
        tcp_accepted(s->tcp, events[i].handle);
    }
}

/* --- the stretches ---------------------------------------------------------------------------------------------------- */

/* A burst of requests: input, reading, the ACKs that are due. */
static void requests(struct scale *s, const uint32_t *indices, struct cost *cost)
{
    static struct net_tx tx;
    struct net_segment segments[BURST] = {0};
    struct tcp_event events[BURST] = {0};
    uint32_t n;

    for (uint32_t i = 0; i < BURST; i++)
        segments[i] = segment_of(s, indices[i], TCP_FLAG_ACK | TCP_FLAG_PSH, REQUEST);
    begin(s, cost);
    n = tcp_input(s->tcp, segments, BURST, s->now_us, events, BURST);
    for (uint32_t i = 0; i < n; i++)
        tcp_consume(s->tcp, events[i].handle, tcp_readable(s->tcp, events[i].handle));
    tcp_output(s->tcp, s->now_us, &tx);
    end(s, cost, BURST);
    take_output(s, &tx, NULL);
}

/* The same connections in the same order, whatever the number of others: spread over the table. */
static NOINLINE struct cost fixed_pattern(struct scale *s)
{
    struct cost cost = {0};
    uint32_t indices[BURST];

    for (uint32_t round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS / 10)
            cost = (struct cost){0}; /* warm */
        for (uint32_t first = 0; first < ACTIVE; first += BURST) {
            for (uint32_t i = 0; i < BURST; i++)
                indices[i] = (uint32_t)((uint64_t)(first + i) * s->count / ACTIVE);
            requests(s, indices, &cost);
        }
        pass_time(s, 1000);
    }
    return cost;
}

static NOINLINE struct cost random_pattern(struct scale *s)
{
    struct cost cost = {0};
    uint32_t indices[BURST];

    for (uint32_t burst = 0; burst < ACTIVE / BURST * ROUNDS; burst++) {
        for (uint32_t i = 0; i < BURST; i++)
            indices[i] = rig_below(&s->random, s->count);
        requests(s, indices, &cost);
        pass_time(s, 1000);
    }
    return cost;
}

/* All are idle for as long as keepalive lasts, and a little: each one's timer comes due, and its peer answers. */
static struct cost timers(struct scale *s, uint64_t *worst_ns)
{
    struct cost cost = {0}, call;
    struct tcp_event events[BURST] = {0};
    uint64_t until_us = s->now_us + IDLE_US + IDLE_US / 4;

    *worst_ns = 0;
    while (s->now_us < until_us) {
        uint32_t fired;

        s->now_us += TIMER_WHEEL_TICK_US;
        call = (struct cost){0};
        begin(s, &call);
        tcp_timers(s->tcp, s->now_us, events, BURST);
        end(s, &call, 0);
        if (call.ns > *worst_ns)
            *worst_ns = call.ns;
        fired = flush(s);
        /* A tick in which nothing is due costs next to nothing, and is not a timer's. */
        if (fired > 0 || call.ns > 1000)
            cost.ns += call.ns;
        cost.units += fired;
    }
    return cost;
}

/* --- levels ----------------------------------------------------------------------------------------------------------- */

static double each(uint64_t total, const struct cost *cost)
{
    return cost->units ? (double)total / (double)cost->units : 0;
}

static struct result measure(struct scale *s, uint32_t connections)
{
    struct result result = {.connections = connections};
    uint64_t worst_ns;
    struct cost cost;

    /* They come over one keepalive interval, so that their timers are spread as those of real ones. */
    while (s->count < connections) {
        uint32_t n = connections - s->count < BURST ? connections - s->count : BURST;

        establish(s, s->count, n);
        s->count += n;
        pass_time(s, (uint64_t)IDLE_US / 8 * 7 * n / connections);
    }
    result.bytes = (double)(resident_bytes() - s->resident_before) / connections;
    cost = fixed_pattern(s);
    result.fixed_ns = each(cost.ns, &cost);
    result.fixed_instructions = each(cost.instructions, &cost);
    cost = random_pattern(s);
    result.random_ns = each(cost.ns, &cost);
    result.random_instructions = each(cost.instructions, &cost);
    cost = timers(s, &worst_ns);
    result.timer_ns = each(cost.ns, &cost);
    result.timer_worst_us = (double)worst_ns / 1000;
    return result;
}

static void create(struct scale *s, uint32_t connections_max)
{
    struct tcp_config config;

    tcp_config_default(&config);
    config.connections_max = connections_max;
    config.accept_backlog_max = connections_max;
    config.keepalive_idle_us = IDLE_US;
    config.syn_cookies = false;
    memset(config.secret, 0x77, sizeof(config.secret));
    s->us = rig_address("198.18.1.1");
    s->now_us = START_US;
    s->random = 9;
    s->instructions_fd = open_instructions();
    s->clock_ns = clock_cost();
    s->pools = rig_pools_create("scale", 511);
    s->peers = malloc(connections_max * sizeof(*s->peers));
    s->handles = malloc(connections_max * sizeof(*s->handles));
    if (!s->peers || !s->handles)
        exit(99);
    memset(s->peers, 1, connections_max * sizeof(*s->peers));
    memset(s->handles, 1, connections_max * sizeof(*s->handles));
    s->resident_before = resident_bytes();
    if (tcp_create(&config, s->pools.packet, s->pools.payload, s->pools.indirect, s->now_us, &s->tcp) ||
        tcp_listen(s->tcp, &s->us, 443, 0)) {
        fprintf(stderr, "tcp_scale: no instance of %u connections\n", connections_max);
        exit(1);
    }
}

static void print(const struct result *r, const struct result *first, bool has_instructions)
{
    printf("%11u %7.0f %9.0f", r->connections, r->bytes, r->fixed_ns);
    if (has_instructions)
        printf(" %7.0f", r->fixed_instructions);
    printf(" %6.2f %9.0f", r->fixed_ns / first->fixed_ns, r->random_ns);
    if (has_instructions)
        printf(" %7.0f", r->random_instructions);
    printf(" %6.2f %9.0f %6.2f %11.0f\n", r->random_ns / first->random_ns, r->timer_ns, r->timer_ns / first->timer_ns,
           r->timer_worst_us);
}

int main(int argc, char **argv)
{
    static struct scale s;
    uint32_t levels[LEVELS] = {1000, 10000, 100000, 1000000}, count = 4;
    struct result first = {0};
    const char *column;

    for (int i = 1; i < argc && i <= LEVELS; i++) {
        levels[i - 1] = (uint32_t)strtoul(argv[i], NULL, 10);
        count = (uint32_t)i;
        if (levels[i - 1] < ACTIVE || levels[i - 1] > 1 << 22 || (i > 1 && levels[i - 1] <= levels[i - 2]))
            return fprintf(stderr, "usage: tcp_scale [CONNECTIONS...]   (256 to 4194304, ascending)\n"), 2;
    }
    rig_start("assay-scale");
    create(&s, levels[count - 1]);
    column = s.instructions_fd >= 0 ? "  instr" : "";
    printf("struct tcp_connection: %zu bytes\n", sizeof(struct tcp_connection));
    printf("                     256 of them, in order%s     any at random%s          timers, each     longest call\n",
           column[0] ? "        " : "", column[0] ? "        " : "");
    printf("connections   bytes        ns%s  ratio        ns%s  ratio        ns  ratio          us\n", column, column);
    for (uint32_t i = 0; i < count; i++) {
        struct result result = measure(&s, levels[i]);

        if (i == 0)
            first = result;
        print(&result, &first, s.instructions_fd >= 0);
        fflush(stdout);
    }
    if (tcp_get_counters(s.tcp)->established != levels[count - 1] || tcp_get_counters(s.tcp)->closed > 0) {
        fprintf(stderr, "tcp_scale: a connection was lost: the figures are wrong\n");
        return 1;
    }
    tcp_destroy(s.tcp);
    return 0;
}
