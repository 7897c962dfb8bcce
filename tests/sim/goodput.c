/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much gets through, in virtual time, against what theory lets one expect: a bulk transfer over paths of known rate, delay and
 * loss. What loss leaves is bounded by the response functions of RFC 5681 (Mathis et al. 1997: MSS/RTT * sqrt(3/2)/sqrt(p)) and of
 * CUBIC (RFC 9438 §5.1, figure in packets: 1.054 * (RTT^0.75 / p^0.75) / RTT), whichever is more; a clean path must be filled. A
 * share below the floor of its row is a regression of recovery. The rows of the bench (tests/bench/tcp.sh: the same losses and round
 * trips, ACKs lost too, both ways the same) tell of recovery without the noise of a machine; theirs is a short path, where timeouts
 * decide, which these functions leave out.
 * usage: sim_goodput [--verbose] [--path N] [--seed N] [--trace] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "invariants.h"
#include "link.h"
#include "tcp/counters.h"

#define START_US    1000000
#define LIMIT_US    UINT64_C(4000000000)
#define MSS         1448
#define SEEDS       5
#define CHUNK_BYTES 65536

struct path {
    const char *name;
    uint32_t bytes_per_ms; /* of the bottleneck */
    uint32_t rtt_us, queue_bytes;
    uint32_t loss_ppm;
    bool bursts;  /* the same loss, some segments at a time */
    bool reorder; /* every tenth segment is late */
    bool both;    /* what comes back is lost like what goes there */
    uint32_t bytes;
    double floor; /* the share of what is expected that must be reached */
    uint32_t
        mark_bytes; /* the queue marks (RFC 3168) what waits beyond it; 0: it drops what waits beyond queue_bytes, and else nothing */
};

static const struct path paths[] = {
    {"clean, 100 Mbit/s, 2 ms", 12500, 2000, 64000, 0, false, false, false, 20000000, 0.95, 0},
    {"clean, 100 Mbit/s, 40 ms", 12500, 40000, 500000, 0, false, false, false, 40000000, 0.90, 0},
    {"clean, short queue", 12500, 20000, 60000, 0, false, false, false, 40000000, 0.80, 0},
    {"clean, deep queue", 12500, 20000, 2000000, 0, false, false, false, 40000000, 0.92, 0},
    {"0.1 % lost, 20 ms", 125000, 20000, 1000000, 1000, false, false, false, 50000000, 1.00, 0},
    {"1 % lost, 20 ms", 125000, 20000, 1000000, 10000, false, false, false, 10000000, 1.10, 0},
    {"3 % lost, 20 ms", 125000, 20000, 1000000, 30000, false, false, false, 5000000, 1.00, 0},
    {"1 % lost, 100 ms", 125000, 100000, 1000000, 10000, false, false, false, 5000000, 1.15, 0},
    {"1 % lost in bursts, 20 ms", 125000, 20000, 1000000, 10000, true, false, false, 10000000, 1.40, 0},
    {"reordered, 20 ms", 12500, 20000, 500000, 0, false, true, false, 20000000, 0.65, 0},
    {"bench: 0 %, 0 ms", 125000, 200, 1000000, 0, false, false, true, 40000000, 0.80, 0},
    {"bench: 0.1 %, 0 ms", 125000, 200, 1000000, 1000, false, false, true, 40000000, 0.80, 0},
    {"bench: 1 %, 0 ms", 125000, 200, 1000000, 10000, false, false, true, 20000000, 0.85, 0},
    {"bench: 3 %, 0 ms", 125000, 200, 1000000, 30000, false, false, true, 20000000, 0.85, 0},
    {"bench: 10 %, 0 ms", 125000, 200, 1000000, 100000, false, false, true, 3000000, 0.04, 0},
    {"bench: 0 %, 20 ms", 125000, 20000, 1000000, 0, false, false, true, 100000000, 0.70, 0},
    {"bench: 0.1 %, 20 ms", 125000, 20000, 1000000, 1000, false, false, true, 50000000, 1.10, 0},
    {"bench: 1 %, 20 ms", 125000, 20000, 1000000, 10000, false, false, true, 10000000, 1.05, 0},
    {"bench: 3 %, 20 ms", 125000, 20000, 1000000, 30000, false, false, true, 5000000, 1.05, 0},
    {"bench: 10 %, 20 ms", 125000, 20000, 1000000, 100000, false, false, true, 1000000, 0.70, 0},
    {"marked, 20 ms", 12500, 20000, 1000000, 0, false, false, false, 40000000, 0.90, 100000},
    {"marked, short queue", 12500, 20000, 1000000, 0, false, false, false, 40000000, 0.80, 60000},
    {"marked, 0.2 ms", 12500, 200, 1000000, 0, false, false, false, 20000000, 0.80, 10000},
};

struct side {
    struct tcp *tcp;
    struct rig_pools pools;
    struct link out;
    struct tcp_handle handle;
    bool connected;
};

struct run {
    const struct path *path;
    struct side sender, receiver;
    uint64_t now_us, received;
    uint32_t written;
};

static uint8_t chunk[CHUNK_BYTES];

/* Bytes a second. */
static double expected(const struct path *path)
{
    double line = path->bytes_per_ms * 1000.0 * MSS / (MSS + 52 + 34), rtt_s = path->rtt_us / 1e6;
    double p = path->loss_ppm / 1e6, reno, cubic, most;

    if (path->loss_ppm == 0)
        return line;
    reno = MSS / rtt_s * sqrt(1.5) / sqrt(p);
    cubic = MSS / rtt_s * 1.054 * pow(rtt_s, 0.75) / pow(p, 0.75);
    most = reno > cubic ? reno : cubic;
    return most < line ? most : line;
}

static void start(struct run *run, uint64_t seed, bool trace)
{
    const struct path *path = run->path;
    struct link_config there = {.delay_us = path->rtt_us / 2,
                                .bytes_per_ms = path->bytes_per_ms,
                                .queue_bytes = path->queue_bytes,
                                .hold_us = 100};
    struct link_config back = there;
    struct side *sides[] = {&run->sender, &run->receiver};
    struct assay_address addresses[] = {rig_address("198.18.1.1"), rig_address("198.18.1.2")};

    if (path->bursts) {
        /* Three segments at a time, on average. */
        there.burst_enter_ppm = path->loss_ppm / 3;
        there.burst_leave_ppm = 333333;
        there.burst_loss_ppm = 1000000;
        there.burst_us = path->rtt_us;
    } else {
        there.loss_ppm = path->loss_ppm;
    }
    if (path->reorder) {
        there.reorder_ppm = 100000;
        there.jitter_us = 5000;
    }
    there.mark_bytes = path->mark_bytes;
    if (path->both)
        back.loss_ppm = path->loss_ppm;
    link_init(&run->sender.out, &there, seed);
    link_init(&run->receiver.out, &back, seed + 1);
    run->sender.out.trace = trace ? "sender" : NULL;
    run->receiver.out.trace = trace ? "receiver" : NULL;
    for (uint32_t i = 0; i < 2; i++) {
        struct tcp_config config;

        tcp_config_default(&config);
        config.connections_max = 4;
        config.receive_buffer_bytes = config.send_buffer_bytes = 8000000;
        config.mbufs_max_per_connection = 8000;
        config.mtu = MSS + 12 + 40;
        if (path->mark_bytes)
            config.ecn = TCP_ECN_ON;
        for (uint32_t k = 0; k < sizeof(config.secret); k++)
            config.secret[k] = (uint8_t)(seed * 31 + k);
        if (tcp_create(&config, sides[i]->pools.packet, sides[i]->pools.payload, sides[i]->pools.indirect, run->now_us,
                       &sides[i]->tcp))
            abort();
    }
    if (tcp_listen(run->receiver.tcp, &addresses[1], 443, 0) ||
        tcp_connect(run->sender.tcp, &addresses[0], 0, &addresses[1], 443, 0, run->now_us, &run->sender.handle))
        abort();
}

static void take_events(struct side *side, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (events[i].flags & (TCP_EVENT_ACCEPTED | TCP_EVENT_CONNECTED)) {
            side->handle = events[i].handle;
            side->connected = true;
        }
        if (events[i].flags & TCP_EVENT_CLOSED) {
            printf("a connection has ended, reason %d\n", events[i].reason);
            exit(1);
        }
    }
}

static void applications(struct run *run)
{
    struct side *sender = &run->sender, *receiver = &run->receiver;
    struct slice piece;

    while (sender->connected && run->written < run->path->bytes) {
        uint32_t left = run->path->bytes - run->written;
        uint32_t taken =
            (uint32_t)tcp_write(sender->tcp, sender->handle, chunk, left < CHUNK_BYTES ? left : CHUNK_BYTES);

        run->written += taken;
        if (taken < CHUNK_BYTES)
            break;
    }
    while (receiver->connected && (piece = tcp_peek(receiver->tcp, receiver->handle)).len > 0) {
        run->received += piece.len;
        tcp_consume(receiver->tcp, receiver->handle, piece.len);
    }
}

static void step(struct run *run)
{
    struct side *sides[] = {&run->sender, &run->receiver};
    uint64_t next_us = UINT64_MAX;
    bool more = false;

    for (uint32_t i = 0; i < 2; i++) {
        struct side *side = sides[i];
        struct net_segment segments[64];
        struct tcp_event events[8];
        uint32_t n = link_receive(&sides[1 - i]->out, &side->pools, segments, 64, run->now_us);

        take_events(side, events, tcp_input(side->tcp, segments, n, run->now_us, events, 8));
        take_events(side, events, tcp_timers(side->tcp, run->now_us, events, 8));
    }
    applications(run);
    for (uint32_t i = 0; i < 2; i++) {
        struct net_tx tx = {0};
        uint64_t timer_us, link_us;

        more |= tcp_output(sides[i]->tcp, run->now_us, &tx);
        link_send(&sides[i]->out, &tx, run->now_us);
        timer_us = tcp_next_timer_us(sides[i]->tcp);
        link_us = link_next_us(&sides[i]->out);
        next_us = timer_us < next_us ? timer_us : next_us;
        next_us = link_us < next_us ? link_us : next_us;
    }
    run->now_us = more || next_us <= run->now_us ? run->now_us + 1 : next_us;
}

struct options {
    bool verbose, trace;
    int path;           /* -1: all */
    size_t part, parts; /* each parts-th path, from part on */
    uint64_t seed;      /* 0: some */
};

static void tell(const struct run *run, uint64_t seed, double seconds)
{
    const struct tcp_counters *sender = tcp_get_counters(run->sender.tcp);

    printf("    seed %lu: %.2f s, %lu lost, %lu retransmits, %lu recoveries (%lu spurious), %lu timeouts (%lu "
           "spurious), %lu "
           "tail probes, slow start slowed %lu resumed %lu left %lu, %lu marked, %lu reductions\n",
           seed, seconds, run->sender.out.lost, sender->retransmits, sender->recoveries, sender->recoveries_spurious,
           sender->timeouts, sender->timeouts_spurious, sender->tail_probes, sender->slow_start_conservative,
           sender->slow_start_resumed, sender->slow_start_left, run->sender.out.marked, sender->ecn_reductions);
}

/* Bytes a second of one transfer. */
static double transfer(const struct path *path, uint64_t seed, struct rig_pools pools[2], const struct options *options)
{
    struct run run = {.path = path, .now_us = START_US};
    const struct tcp_counters *counters;
    const char *wrong;
    double seconds;

    run.sender.pools = pools[0];
    run.receiver.pools = pools[1];
    start(&run, seed, options->trace);
    while (run.received < path->bytes && run.now_us < START_US + LIMIT_US)
        step(&run);
    seconds = (double)(run.now_us - START_US) / 1e6;
    counters = tcp_get_counters(run.sender.tcp);
    if (options->verbose)
        tell(&run, seed, seconds);
    wrong = invariants_check_records(run.sender.tcp);
    if (wrong || run.received != path->bytes) {
        printf("%s, seed %lu: %s, %lu of %u bytes\n", path->name, seed, wrong ? wrong : "no end", run.received,
               path->bytes);
        exit(1);
    }
    /* On a path that turns nothing around, no loss is a mistake. */
    if (!path->reorder && counters->recoveries_spurious > 0) {
        printf("%s, seed %lu: %lu of %lu recoveries undone\n", path->name, seed, counters->recoveries_spurious,
               counters->recoveries);
        exit(1);
    }
    /* Marks do what drops would have done. */
    if (path->mark_bytes && (counters->ecn_reductions == 0 || counters->retransmits > 0 || run.sender.out.lost > 0)) {
        printf("%s, seed %lu: %lu reductions, %lu retransmits, %lu lost\n", path->name, seed, counters->ecn_reductions,
               counters->retransmits, run.sender.out.lost);
        exit(1);
    }
    link_drain(&run.sender.out);
    link_drain(&run.receiver.out);
    tcp_destroy(run.sender.tcp);
    tcp_destroy(run.receiver.tcp);
    return path->bytes / seconds;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The median share of all seeds. Not the mean: a first loss that comes late makes one run of a few seconds many times faster. */
static double judge(const struct path *path, size_t row, struct rig_pools pools[2], const struct options *options)
{
    uint32_t runs = options->seed ? 1 : SEEDS;
    double rates[SEEDS];

    for (uint64_t i = 0; i < runs; i++)
        rates[i] = transfer(path, options->seed ? options->seed : (i + 1) * 1000 + row, pools, options);
    qsort(rates, runs, sizeof(rates[0]), compare);
    return rates[runs / 2];
}

static bool read_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            options->verbose = true;
        else if (strcmp(argv[i], "--trace") == 0)
            options->trace = true;
        else if (strcmp(argv[i], "--path") == 0 && i + 1 < argc)
            options->path = atoi(argv[++i]);
        else if (strcmp(argv[i], "--part") == 0 && i + 2 < argc) {
            options->part = strtoull(argv[++i], NULL, 10);
            options->parts = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            options->seed = strtoull(argv[++i], NULL, 10);
        else
            return false;
    }
    return options->parts > 0;
}

int main(int argc, char **argv)
{
    struct options options = {.path = -1, .parts = 1};
    struct rig_pools pools[2];
    uint32_t failed = 0;

    if (!read_options(&options, argc, argv))
        return fprintf(stderr, "usage: sim_goodput [--verbose] [--path N] [--part K OF] [--seed N] [--trace]\n"), 2;
    rig_start("assay-goodput");
    pools[0] = rig_pools_create("sender", 8000);
    pools[1] = rig_pools_create("receiver", 8000);
    printf("%-31s %10s %10s %6s %6s\n", "path", "MB/s", "expected", "share", "floor");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct path *path = &paths[i];
        double rate, share;

        if ((options.path >= 0 && options.path != (int)i) || i % options.parts != options.part)
            continue;
        rate = judge(path, i, pools, &options);
        share = rate / expected(path);
        printf("%2zu %-28s %10.3f %10.3f %6.2f %6.2f%s\n", i, path->name, rate / 1e6, expected(path) / 1e6, share,
               path->floor, share < path->floor ? "  TOO LITTLE" : "");
        failed += share < path->floor;
    }
    if (rig_pools_missing(&pools[0]) + rig_pools_missing(&pools[1]) > 0) {
        printf("mbufs are missing\n");
        failed++;
    }
    rig_pools_free(&pools[0]);
    rig_pools_free(&pools[1]);
    return failed ? 1 : 0;
}
