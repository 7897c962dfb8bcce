/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two TCP instances over a bad path, in virtual time: whatever the path does, what arrives is what was sent, or the connection
 * ends cleanly; and every mbuf comes home. One run a seed: sim_tcp [--seeds N] [--seed N] [--verbose] [--trace]. */
#include <stdio.h>
#include <stdlib.h>

#include "invariants.h"
#include "link.h"
#include "tcp/counters.h"

#define CONNECTIONS_MAX  4
#define VIRTUAL_LIMIT_US UINT64_C(3600000000)
#define START_US         1000000
#define STALL_US         UINT64_C(60000000) /* three times the longest wait for a retransmission */
#define CHECK_EVERY      8                  /* steps from one check of the books to the next */

enum ending { ENDING_CLOSE, ENDING_HALF_CLOSE, ENDING_ABORT };

/* One end of one connection, as an application sees it. */
struct end {
    struct tcp_handle handle;
    bool open, connected, closed, failed, saw_end, shut;
    enum tcp_reason reason;
    uint32_t to_write, written, to_read, read;
    uint64_t pause_until_us;
    uint8_t salt;
};

struct side {
    struct tcp *tcp;
    struct rig_pools pools;
    struct end ends[CONNECTIONS_MAX];
    struct link out;
    const char *name;
    bool slow_reader;
};

struct sim {
    uint64_t seed, random, now_us;
    uint32_t connections, accepted;
    enum ending ending;
    bool hopeless; /* the path dies, or loses so much that giving up is right */
    bool corrupt, verbose, trace;
    uint32_t steps;
    uint64_t moved, moved_us; /* bytes written and read by all, and when that last grew */
    bool stalled;
    const char *wrong; /* an invariant that does not hold */
    struct side client, server;
    struct assay_address client_address, server_address;
};

/* What is sent: each direction of each connection begins at a place of its own in one long random string. */
#define STREAM_BYTES 1000000
static uint8_t stream[STREAM_BYTES];

static void make_stream(void)
{
    uint64_t random = 1;

    for (uint32_t i = 0; i < STREAM_BYTES; i++)
        stream[i] = (uint8_t)rig_random(&random);
}

static const uint8_t *pattern(uint8_t salt, uint32_t at)
{
    return stream + at + salt * 997u;
}

/* --- the applications ------------------------------------------------------------------------------------------------- */

static void app_write(struct sim *sim, struct side *side, struct end *end)
{
    while (end->written < end->to_write) {
        uint32_t len = 1 + rig_below(&sim->random, 20000), room, taken;

        if (len > end->to_write - end->written)
            len = end->to_write - end->written;
        room = (uint32_t)tcp_room(side->tcp, end->handle, len < 4096 ? len : 4096);
        /* WRITABLE follows; more than the smallest send buffer is not asked for. */
        if (room < len && room < 4096 && rig_below(&sim->random, 2))
            return;
        taken = (uint32_t)tcp_write(side->tcp, end->handle, pattern(end->salt, end->written), len);
        end->written += taken;
        if (taken < len)
            return;
    }
    if (end->shut || sim->ending == ENDING_ABORT)
        return;
    end->shut = true;
    if (sim->ending == ENDING_CLOSE && end->read == end->to_read) {
        tcp_close(side->tcp, end->handle);
        end->closed = true;
        return;
    }
    tcp_shutdown(side->tcp, end->handle);
}

static void app_read(struct sim *sim, struct side *side, const struct end *peer, struct end *end)
{
    if (sim->now_us < end->pause_until_us)
        return;
    for (;;) {
        struct slice piece = tcp_peek(side->tcp, end->handle);

        if (piece.len == 0)
            break;
        piece.len = 1 + rig_below(&sim->random, (uint32_t)piece.len);
        if (end->read + piece.len > end->to_read || memcmp(piece.data, pattern(peer->salt, end->read), piece.len) != 0)
            sim->corrupt = true;
        end->read += (uint32_t)piece.len;
        tcp_consume(side->tcp, end->handle, piece.len);
        if (side->slow_reader && rig_below(&sim->random, 4) == 0) {
            end->pause_until_us = sim->now_us + rig_below(&sim->random, 50000);
            return;
        }
    }
    if (tcp_at_end(side->tcp, end->handle))
        end->saw_end = true;
}

static void app_run(struct sim *sim, struct side *side, struct side *other)
{
    for (uint32_t i = 0; i < sim->connections; i++) {
        struct end *end = &side->ends[i], *peer = &other->ends[i];

        if (!end->open || end->closed || !end->connected)
            continue;
        app_read(sim, side, peer, end);
        app_write(sim, side, end);
        if (end->closed)
            continue;
        if (sim->ending == ENDING_ABORT && end->read >= end->to_read / 2 && end->written >= end->to_write / 2) {
            tcp_abort(side->tcp, end->handle);
            end->closed = true;
        } else if (end->saw_end && end->written == end->to_write) {
            tcp_close(side->tcp, end->handle);
            end->closed = true;
        }
    }
}

static uint64_t app_next_us(const struct sim *sim, const struct side *side)
{
    uint64_t next_us = UINT64_MAX;

    for (uint32_t i = 0; i < sim->connections; i++)
        if (side->ends[i].open && !side->ends[i].closed && side->ends[i].pause_until_us > sim->now_us &&
            side->ends[i].pause_until_us < next_us)
            next_us = side->ends[i].pause_until_us;
    return next_us;
}

static void take_events(struct sim *sim, struct side *side, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct end *end;

        if (events[i].flags & TCP_EVENT_ACCEPTED) {
            struct tcp_info info;

            /* The client's port says which of its connections this is. */
            if (tcp_get_info(side->tcp, events[i].handle, &info) != ASSAY_OK)
                abort();
            end = &side->ends[info.remote_port - 20000];
            end->handle = events[i].handle;
            end->open = end->connected = true;
            tcp_accepted(side->tcp, end->handle);
            if (tcp_set_user(side->tcp, end->handle, info.remote_port - 20000) != ASSAY_OK)
                abort();
            sim->accepted++;
        } else {
            end = &side->ends[events[i].user];
        }
        if (events[i].flags & TCP_EVENT_CONNECTED)
            end->connected = true;
        if (events[i].flags & TCP_EVENT_CLOSED) {
            end->closed = end->failed = true;
            end->reason = events[i].reason;
            if (sim->verbose)
                printf("  %8lu us: %s closed, reason %d\n", sim->now_us, side->name, events[i].reason);
        }
    }
}

/* --- one run ---------------------------------------------------------------------------------------------------------- */

static void side_step(struct sim *sim, struct side *side, struct side *other)
{
    struct net_segment segments[64];
    struct tcp_event events[8];
    uint32_t n = link_receive(&other->out, &side->pools, segments, 1 + rig_below(&sim->random, 64), sim->now_us);

    /* Room for few events: the rest waits for the next turn. */
    take_events(sim, side, events, tcp_input(side->tcp, segments, n, sim->now_us, events, 8));
    take_events(sim, side, events, tcp_timers(side->tcp, sim->now_us, events, 8));
    app_run(sim, side, other);
}

static bool side_output(struct sim *sim, struct side *side)
{
    struct net_tx tx = {0};
    bool more = tcp_output(side->tcp, sim->now_us, &tx);

    link_send(&side->out, &tx, sim->now_us);
    return more;
}

static bool all_closed(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->connections; i++)
        if (!sim->client.ends[i].closed || (sim->server.ends[i].open && !sim->server.ends[i].closed))
            return false;
    return true;
}

/* No connection slot is in use any more, TIME-WAIT included. */
static bool all_gone(const struct side *side)
{
    const struct tcp_counters *counters = tcp_get_counters(side->tcp);

    return counters->closed == counters->active_opens + counters->passive_opens;
}

static uint64_t min_us(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void advance(struct sim *sim, bool more)
{
    uint64_t next_us = min_us(tcp_next_timer_us(sim->client.tcp), tcp_next_timer_us(sim->server.tcp));

    next_us = min_us(next_us, min_us(link_next_us(&sim->client.out), link_next_us(&sim->server.out)));
    next_us = min_us(next_us, min_us(app_next_us(sim, &sim->client), app_next_us(sim, &sim->server)));
    if (more || next_us <= sim->now_us)
        next_us = sim->now_us + 1;
    sim->now_us = min_us(next_us, START_US + VIRTUAL_LIMIT_US);
}

static uint64_t bytes_moved(const struct sim *sim)
{
    uint64_t sum = sim->accepted;

    for (uint32_t i = 0; i < sim->connections; i++) {
        const struct end *ends[] = {&sim->client.ends[i], &sim->server.ends[i]};

        for (uint32_t k = 0; k < 2; k++)
            sum += ends[k]->written + ends[k]->read + ends[k]->saw_end + ends[k]->closed + ends[k]->connected;
    }
    return sum;
}

/* Whatever the path does, something moves from time to time, as long as anything is left to be moved. (Where the peer's RST may
 * have been lost, only keepalive can tell.) */
static void watch(struct sim *sim)
{
    uint64_t moved = bytes_moved(sim);

    if (moved != sim->moved || all_closed(sim)) {
        sim->moved = moved;
        sim->moved_us = sim->now_us;
    } else if (!sim->hopeless && sim->ending != ENDING_ABORT && sim->now_us > sim->moved_us + STALL_US) {
        sim->stalled = true;
    }
    if (sim->steps++ % CHECK_EVERY != 0 || sim->wrong)
        return;
    sim->wrong = invariants_check(sim->client.tcp);
    if (!sim->wrong)
        sim->wrong = invariants_check(sim->server.tcp);
}

static bool run_until(struct sim *sim, bool (*done)(const struct sim *))
{
    while (!done(sim)) {
        bool more;

        if (sim->now_us >= START_US + VIRTUAL_LIMIT_US || sim->stalled || sim->wrong)
            return false;
        side_step(sim, &sim->client, &sim->server);
        side_step(sim, &sim->server, &sim->client);
        more = side_output(sim, &sim->client);
        more |= side_output(sim, &sim->server);
        watch(sim);
        if (!done(sim))
            advance(sim, more);
    }
    return true;
}

static bool everything_gone(const struct sim *sim)
{
    return all_gone(&sim->client) && all_gone(&sim->server);
}

/* --- what the path and the two ends are like -------------------------------------------------------------------------- */

static uint32_t one_of(struct sim *sim, const uint32_t *values, uint32_t count)
{
    return values[rig_below(&sim->random, count)];
}
#define ONE_OF(sim, ...) \
    one_of(sim, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static struct link_config choose_link(struct sim *sim)
{
    struct link_config config = {
        .delay_us = ONE_OF(sim, 20, 50, 200, 1000, 10000, 80000),
        .loss_ppm = ONE_OF(sim, 0, 0, 0, 1000, 10000, 30000, 100000, 200000),
        .duplicate_ppm = ONE_OF(sim, 0, 0, 10000, 100000),
        .reorder_ppm = ONE_OF(sim, 0, 0, 20000, 200000, 1000000),
        .bytes_per_ms = ONE_OF(sim, 0, 0, 1000, 12500, 125000),
        .hold_us = ONE_OF(sim, 0, 100, 100000),
        .corrupt_ppm = ONE_OF(sim, 0, 0, 0, 1000, 20000),
        .mtu_bytes = ONE_OF(sim, 0, 0, 0, 0, 1400, 1280),
        .mark_bytes = ONE_OF(sim, 0, 3000, 30000),
        .mark_ppm = ONE_OF(sim, 0, 0, 0, 1000, 20000, 100000),
    };

    if (rig_below(&sim->random, 4) == 0) {
        config.burst_enter_ppm = ONE_OF(sim, 500, 3000, 10000);
        config.burst_leave_ppm = ONE_OF(sim, 50000, 100000, 300000);
        config.burst_loss_ppm = ONE_OF(sim, 500000, 1000000);
        config.burst_us = ONE_OF(sim, 1000, 50000, 300000);
    }
    config.jitter_us = ONE_OF(sim, 10, 500, 5000, 60000);
    config.queue_bytes = ONE_OF(sim, 20000, 100000, 1000000);
    return config;
}

static void start_side(struct sim *sim, struct side *side, const char *name)
{
    struct tcp_config config;

    tcp_config_default(&config);
    config.connections_max = 16;
    config.time_wait_max = 8;
    config.receive_buffer_bytes = ONE_OF(sim, 20000, 40000, 65536, 262144, 1000000);
    config.send_buffer_bytes = ONE_OF(sim, 4096, 65536, 262144, 500000);
    config.mbufs_max_per_connection = ONE_OF(sim, 32, 128, 512);
    config.mtu = (uint16_t)ONE_OF(sim, 1500, 1500, 1500, 576, 340);
    config.tso_bytes_max = ONE_OF(sim, 0, 0, 20000, 65000);
    config.timestamps = rig_below(&sim->random, 5) != 0;
    config.sack = rig_below(&sim->random, 5) != 0;
    config.window_scaling = rig_below(&sim->random, 5) != 0;
    config.congestion = rig_below(&sim->random, 3) ? TCP_CONGESTION_CUBIC : TCP_CONGESTION_NEWRENO;
    config.ecn = (enum tcp_ecn)ONE_OF(sim, TCP_ECN_OFF, TCP_ECN_PASSIVE, TCP_ECN_ON, TCP_ECN_ON);
    config.keepalive_idle_us = ONE_OF(sim, 0, 2000000, 75000000);
    /* Who only waits learns of a peer that is gone (its RST may be lost) by keepalive alone. */
    if (config.keepalive_idle_us == 0 && (sim->hopeless || sim->ending == ENDING_ABORT))
        config.keepalive_idle_us = 75000000;
    config.time_wait_us = 5000000;
    config.rto_max_us = 20000000;
    config.retries = 12;
    config.syn_retries = 8;
    config.port_min = 20000;
    config.port_max = 20000 + CONNECTIONS_MAX - 1;
    for (uint32_t i = 0; i < sizeof(config.secret); i++)
        config.secret[i] = (uint8_t)rig_random(&sim->random);
    side->name = name;
    side->slow_reader = rig_below(&sim->random, 4) == 0;
    if (tcp_create(&config, side->pools.packet, side->pools.payload, side->pools.indirect, sim->now_us, &side->tcp))
        abort();
}

static void start(struct sim *sim)
{
    struct link_config there = choose_link(sim), back = rig_below(&sim->random, 2) ? there : choose_link(sim);
    uint32_t size = ONE_OF(sim, 0, 1, 1000, 30000, 100000, 600000), loss_ppm;

    if (rig_below(&sim->random, 20) == 0) {
        there.dead_from_us = START_US + rig_below(&sim->random, 2000000);
        if (rig_below(&sim->random, 2))
            back.dead_from_us = there.dead_from_us;
    }
    loss_ppm = link_loss_ppm(&there) + link_loss_ppm(&back);
    sim->hopeless = there.dead_from_us || back.dead_from_us || loss_ppm > 100000;
    /* A slow link moves little in the time there is. */
    if ((there.bytes_per_ms == 1000 || back.bytes_per_ms == 1000 || loss_ppm >= 100000) && size > 300000)
        size = 300000;
    if (loss_ppm >= 200000 && size > 100000)
        size = 100000;
    sim->connections = 1 + rig_below(&sim->random, CONNECTIONS_MAX);
    sim->ending = rig_below(&sim->random, 10) == 0 ? ENDING_ABORT : rig_below(&sim->random, 2);
    link_init(&sim->client.out, &there, rig_random(&sim->random));
    link_init(&sim->server.out, &back, rig_random(&sim->random));
    sim->client.out.trace = sim->trace ? "client" : NULL;
    sim->server.out.trace = sim->trace ? "server" : NULL;
    start_side(sim, &sim->client, "client");
    start_side(sim, &sim->server, "server");
    if (tcp_listen(sim->server.tcp, &sim->server_address, 443, 99))
        abort();
    for (uint32_t i = 0; i < sim->connections; i++) {
        struct end *client = &sim->client.ends[i], *server = &sim->server.ends[i];

        client->to_write = server->to_read = size ? rig_below(&sim->random, size) : 0;
        client->to_read = server->to_write = size ? rig_below(&sim->random, size) : 0;
        client->salt = (uint8_t)(i * 2 + 1);
        server->salt = (uint8_t)(i * 2 + 2);
        client->open = true;
        if (tcp_connect(sim->client.tcp, &sim->client_address, (uint16_t)(20000 + i), &sim->server_address, 443, i,
                        sim->now_us, &client->handle))
            abort();
    }
    if (sim->verbose)
        printf("  loss %u/%u ppm, delay %u/%u us, rate %u/%u, %u connections, ending %d%s\n", there.loss_ppm,
               back.loss_ppm, there.delay_us, back.delay_us, there.bytes_per_ms, back.bytes_per_ms, sim->connections,
               sim->ending, there.dead_from_us ? ", dies" : "");
}

static const char *judge(const struct sim *sim, bool closed, bool gone)
{
    if (sim->wrong)
        return sim->wrong;
    if (sim->corrupt)
        return "bytes that were never sent";
    /* A corrupted segment may come twice. */
    if (sim->client.out.corrupted_found > sim->client.out.corrupted * 2 ||
        sim->server.out.corrupted_found > sim->server.out.corrupted * 2)
        return "the checksum finds faults where there are none";
    if (sim->stalled)
        return "stalled: nothing moves any more";
    if (sim->client.out.changed || sim->server.out.changed)
        return "an mbuf was rewritten while the port owned it";
    if (!closed)
        return "did not end";
    if (!gone)
        return "connections are left over";
    for (uint32_t i = 0; i < sim->connections && !sim->hopeless && sim->ending != ENDING_ABORT; i++) {
        const struct end *client = &sim->client.ends[i], *server = &sim->server.ends[i];

        if (client->failed || server->failed)
            return "failed without need";
        if (client->read != server->to_write || server->read != client->to_write)
            return "bytes are missing";
    }
    return NULL;
}

static bool run(uint64_t seed, struct rig_pools *client_pools, struct rig_pools *server_pools, bool verbose, bool trace)
{
    struct sim sim = {
        .seed = seed, .random = seed * 0x100001 + 7, .now_us = START_US, .verbose = verbose, .trace = trace};
    const char *fault;
    bool closed, gone;

    sim.client.pools = *client_pools;
    sim.server.pools = *server_pools;
    sim.client_address = rig_address("198.18.1.1");
    sim.server_address = rig_address(seed % 3 ? "198.18.2.2" : "2001:db8::2");
    if (seed % 3 == 0)
        sim.client_address = rig_address("2001:db8::1");
    start(&sim);
    closed = run_until(&sim, all_closed);
    gone = closed && run_until(&sim, everything_gone);
    link_drain(&sim.client.out);
    link_drain(&sim.server.out);
    fault = judge(&sim, closed, gone);
    if (!fault && !(fault = invariants_check_records(sim.client.tcp)))
        fault = invariants_check_records(sim.server.tcp);
    if (!fault && rig_pools_missing(client_pools) + rig_pools_missing(server_pools) > 0)
        fault = "mbufs are missing before tcp_destroy()";
    if (fault || verbose) {
        const struct tcp_counters *c = tcp_get_counters(sim.client.tcp), *s = tcp_get_counters(sim.server.tcp);

        printf("seed %lu: %s; %lu ms virtual, sent %lu/%lu lost %lu/%lu, retransmits %lu/%lu, timeouts %lu/%lu, tail "
               "probes "
               "%lu/%lu, recoveries %lu/%lu\n",
               seed, fault ? fault : "ok", (sim.now_us - START_US) / 1000, sim.client.out.sent, sim.server.out.sent,
               sim.client.out.lost, sim.server.out.lost, c->retransmits, s->retransmits, c->timeouts, s->timeouts,
               c->tail_probes, s->tail_probes, c->recoveries, s->recoveries);
        for (uint32_t i = 0; fault && i < sim.connections; i++)
            printf("  connection %u: client read %u of %u, wrote %u of %u%s, server read %u of %u, wrote %u of %u%s\n",
                   i, sim.client.ends[i].read, sim.client.ends[i].to_read, sim.client.ends[i].written,
                   sim.client.ends[i].to_write, sim.client.ends[i].closed ? " closed" : "", sim.server.ends[i].read,
                   sim.server.ends[i].to_read, sim.server.ends[i].written, sim.server.ends[i].to_write,
                   sim.server.ends[i].closed ? " closed" : "");
    }
    tcp_destroy(sim.client.tcp);
    tcp_destroy(sim.server.tcp);
    if (rig_pools_missing(client_pools) + rig_pools_missing(server_pools) > 0) {
        printf("seed %lu: %u mbufs leaked\n", seed, rig_pools_missing(client_pools) + rig_pools_missing(server_pools));
        exit(1);
    }
    return fault == NULL;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, last = 200, failed = 0;
    struct rig_pools client_pools, server_pools;
    bool verbose = false, trace = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0)
            verbose = true;
        else if (strcmp(argv[i], "--trace") == 0)
            trace = true;
        else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
            last = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            first = last = strtoull(argv[++i], NULL, 10);
        else
            return fprintf(stderr, "usage: sim_tcp [--seeds N] [--seed N] [--verbose] [--trace]\n"), 2;
    }
    make_stream();
    rig_start("assay-sim");
    client_pools = rig_pools_create("client", 4096);
    server_pools = rig_pools_create("server", 4096);
    for (uint64_t seed = first; seed <= last; seed++)
        failed += !run(seed, &client_pools, &server_pools, verbose, trace);
    printf("sim: %lu seeds, %lu failed\n", last - first + 1, failed);
    rig_pools_free(&client_pools);
    rig_pools_free(&server_pools);
    return failed ? 1 : 0;
}
