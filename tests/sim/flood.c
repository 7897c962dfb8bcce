/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server under attack, in virtual time: one connection transfers when the flood begins, another one opens in the midst of it.
 * Both must go on as if there were none, and the flood must find a bound: half-open connections, table, packet memory.
 * Sources: RFC 4987 (SYN floods), RFC 5961 (blind segments). usage: sim_flood [--verbose] */
#include <stdio.h>
#include <stdlib.h>

#include <rte_mbuf.h>

#include "link.h"
#include "tcp/connection.h"
#include "tcp/counters.h"

#define START_US        1000000
#define STEP_US         250
#define FLOOD_FROM_US   (START_US + 50000)
#define SECOND_OPENS_US (START_US + 150000)
#define PER_STEP        250 /* a million a second */
#define BURST           64
#define BYTES           1500000 /* each way, of each connection */
#define BACKLOG         256
#define CONNECTIONS     1024
#define LIMIT_US        (START_US + UINT64_C(20000000))
#define PERIOD          251
#define DELAY_US        5000

enum attack { ATTACK_NONE, ATTACK_SYN, ATTACK_SYN_ONE_SOURCE, ATTACK_ACK, ATTACK_BLIND };

struct scenario {
    const char *name;
    enum attack attack;
    const char *server, *client;
    bool cookies; /* the second connection must need one */
};

static const struct scenario scenarios[] = {
    {"no attack", ATTACK_NONE, "198.18.2.2", "198.18.1.1", false},
    {"SYNs of spoofed sources", ATTACK_SYN, "198.18.2.2", "198.18.1.1", true},
    {"SYNs of spoofed sources, IPv6", ATTACK_SYN, "2001:db8::2", "2001:db8:1::1", true},
    {"SYNs of one source", ATTACK_SYN_ONE_SOURCE, "198.18.2.2", "198.18.1.1", false},
    {"ACKs and SYNs of spoofed sources", ATTACK_ACK, "198.18.2.2", "198.18.1.1", true},
    {"blind segments at the connection", ATTACK_BLIND, "198.18.2.2", "198.18.1.1", false},
};

struct end {
    struct tcp_handle handle;
    bool open, closed;
    uint32_t written, read;
};

struct side {
    struct tcp *tcp;
    struct rig_pools *pools;
    struct link out;
    struct end ends[2];
};

struct world {
    const struct scenario *scenario;
    uint64_t now_us, random, flooded, answers, retransmits;
    struct side client, server;
    struct assay_address client_address, server_address;
    uint16_t first_port;
    uint32_t half_open_most, used_most, mbufs_most;
    uint64_t done_us[2];
    bool corrupt, failed;
};

static uint8_t pattern[PERIOD * 40 + PERIOD];

/* --- the applications ------------------------------------------------------------------------------------------------- */

static void app(struct world *w, struct side *side, uint32_t index)
{
    struct end *end = &side->ends[index];
    struct slice piece;

    if (!end->open || end->closed)
        return;
    while ((piece = tcp_peek(side->tcp, end->handle)).len > 0) {
        if (piece.len > PERIOD * 40)
            piece.len = PERIOD * 40;
        w->corrupt |= memcmp(piece.data, pattern + end->read % PERIOD, piece.len) != 0;
        end->read += (uint32_t)piece.len;
        tcp_consume(side->tcp, end->handle, piece.len);
    }
    while (end->written < BYTES) {
        uint32_t len = BYTES - end->written < PERIOD * 40 ? BYTES - end->written : PERIOD * 40;
        uint32_t taken = (uint32_t)tcp_write(side->tcp, end->handle, pattern + end->written % PERIOD, len);

        end->written += taken;
        if (taken < len)
            return;
    }
    if (end->read == BYTES && tcp_unacked(side->tcp, end->handle) == 0) {
        if (side == &w->client)
            w->done_us[index] = w->now_us;
        tcp_close(side->tcp, end->handle);
        end->closed = true;
    }
}

static void take_events(struct world *w, struct side *side, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct tcp_info info;

        if (events[i].flags & TCP_EVENT_CLOSED) {
            w->failed = true;
        } else if (events[i].flags & TCP_EVENT_ACCEPTED) {
            uint32_t index = 0;

            /* nobody but our client completes a handshake */
            if (tcp_get_info(side->tcp, events[i].handle, &info) ||
                memcmp(&info.remote, &w->client_address, sizeof(info.remote)) != 0)
                w->failed = true;
            else
                index = info.remote_port != w->first_port;
            side->ends[index].handle = events[i].handle;
            side->ends[index].open = true;
            tcp_accepted(side->tcp, events[i].handle);
        } else if (events[i].flags & TCP_EVENT_CONNECTED) {
            side->ends[events[i].user].open = true;
        }
    }
}

/* --- the attack ------------------------------------------------------------------------------------------------------- */

static struct assay_address random_source(struct world *w)
{
    struct assay_address source = w->client_address;

    /* another host, or another /64, each time */
    for (int i = w->client_address.bytes[0] ? 4 : 12; i < (w->client_address.bytes[0] ? 8 : 16); i++)
        source.bytes[i] = (uint8_t)rig_random(&w->random);
    source.bytes[w->client_address.bytes[0] ? 4 : 12] |= 0x80;
    return source;
}

static struct net_segment attack_segment(struct world *w)
{
    struct rig_segment segment = {.source_port = (uint16_t)(1024 + rig_below(&w->random, 60000)),
                                  .destination_port = 443,
                                  .seq = (uint32_t)rig_random(&w->random),
                                  .flags = TCP_FLAG_SYN,
                                  .window = 65535};
    struct tcp_options options = {.has_mss = true, .mss = 1460, .sack_permitted = true, .has_timestamps = true};
    struct assay_address source = random_source(w);

    options.ts_value = (uint32_t)rig_random(&w->random);
    segment.options_len = (uint8_t)tcp_options_write_syn(&options, segment.options);
    switch (w->scenario->attack) {
    case ATTACK_SYN_ONE_SOURCE: source = rig_address("198.18.9.9"); break;
    case ATTACK_ACK:
        if (rig_below(&w->random, 4)) {
            segment.flags = TCP_FLAG_ACK;
            segment.ack = (uint32_t)rig_random(&w->random);
            segment.options_len = 0;
        }
        break;
    case ATTACK_BLIND:
        source = w->client_address;
        segment.source_port = w->first_port;
        segment.ack = (uint32_t)rig_random(&w->random);
        segment.flags = (uint8_t[]){TCP_FLAG_SYN, TCP_FLAG_RST, TCP_FLAG_RST | TCP_FLAG_ACK,
                                    TCP_FLAG_ACK}[rig_below(&w->random, 4)];
        break;
    case ATTACK_SYN:
    case ATTACK_NONE: break;
    }
    return rig_receive(w->server.pools, &source, &w->server_address, &segment, 1);
}

/* --- the world -------------------------------------------------------------------------------------------------------- */

/* What goes to our client takes the link; the rest is what an attack has us answer to others. */
static void send_all(struct world *w, struct side *side)
{
    bool more = true;

    while (more) {
        struct net_tx tx = {0};
        uint32_t kept = 0;

        more = tcp_output(side->tcp, w->now_us, &tx);
        for (uint32_t i = 0; i < tx.count; i++) {
            if (side == &w->server &&
                memcmp(&tx.datagrams[i].dst, &w->client_address, sizeof(w->client_address)) != 0) {
                rte_pktmbuf_free(tx.datagrams[i].mbuf);
                w->answers++;
            } else {
                tx.datagrams[kept++] = tx.datagrams[i];
            }
        }
        tx.count = kept;
        link_send(&side->out, &tx, w->now_us);
    }
}

static void receive(struct world *w, struct side *side, struct link *from, uint32_t attacks)
{
    struct net_segment segments[BURST];
    struct tcp_event events[BURST * 2];

    for (;;) {
        uint32_t n = link_receive(from, side->pools, segments, BURST / 2, w->now_us);

        for (; n < BURST && attacks > 0; attacks--, w->flooded++)
            segments[n++] = attack_segment(w);
        if (n == 0)
            break;
        take_events(w, side, events, tcp_input(side->tcp, segments, n, w->now_us, events, BURST * 2));
        send_all(w, side);
    }
}

static uint32_t slots_used(const struct tcp *tcp)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < tcp->config.connections_max; i++)
        n += tcp->connections[i].state != TCP_CLOSED;
    return n;
}

static void watch(struct world *w)
{
    uint32_t used = slots_used(w->server.tcp), mbufs = rig_pools_missing(w->server.pools);

    if (w->server.tcp->half_open_count > w->half_open_most)
        w->half_open_most = w->server.tcp->half_open_count;
    w->used_most = used > w->used_most ? used : w->used_most;
    w->mbufs_most = mbufs > w->mbufs_most ? mbufs : w->mbufs_most;
}

static void turn(struct world *w)
{
    struct tcp_event events[BURST];
    struct side *sides[2] = {&w->client, &w->server};
    bool flood = w->scenario->attack != ATTACK_NONE && w->now_us >= FLOOD_FROM_US;

    for (int i = 0; i < 2; i++) {
        take_events(w, sides[i], events, tcp_timers(sides[i]->tcp, w->now_us, events, BURST));
        receive(w, sides[i], &sides[1 - i]->out, i == 1 && flood ? PER_STEP : 0);
        app(w, sides[i], 0);
        app(w, sides[i], 1);
        send_all(w, sides[i]);
    }
    watch(w);
}

static void start_side(struct side *side, struct rig_pools *pools, uint8_t secret)
{
    const struct link_config link = {.delay_us = DELAY_US};
    struct tcp_config config;

    memset(side, 0, sizeof(*side));
    tcp_config_default(&config);
    config.connections_max = CONNECTIONS;
    config.syn_backlog_max = BACKLOG;
    memset(config.secret, secret, sizeof(config.secret));
    side->pools = pools;
    link_init(&side->out, &link, secret);
    if (tcp_create(&config, pools->packet, pools->payload, pools->indirect, START_US, &side->tcp))
        abort();
}

static void connect_client(struct world *w, uint32_t index)
{
    struct tcp_info info;

    if (tcp_connect(w->client.tcp, &w->client_address, 0, &w->server_address, 443, index, w->now_us,
                    &w->client.ends[index].handle) ||
        tcp_get_info(w->client.tcp, w->client.ends[index].handle, &info))
        abort();
    if (index == 0)
        w->first_port = info.local_port;
}

static const char *judge(const struct world *w, const struct world *quiet)
{
    const struct tcp_counters *c = tcp_get_counters(w->server.tcp);

    if (w->corrupt)
        return "bytes that were never sent";
    if (w->failed)
        return "a connection failed, or somebody got in";
    if (!w->done_us[0] || !w->done_us[1])
        return "the transfers did not end";
    if (w->half_open_most > BACKLOG)
        return "more half-open connections than the backlog holds";
    if (w->used_most > BACKLOG + 2)
        return "the flood has filled the table";
    if (w->scenario->cookies && (c->syn_cookies_accepted != 1 || c->syn_cookies_sent < 100))
        return "no cookie was used";
    if (w->scenario->attack == ATTACK_NONE && w->retransmits > 0)
        return "something was sent again on a path that loses nothing";
    if (quiet->done_us[0] == 0)
        return NULL;
    if (w->retransmits > quiet->retransmits)
        return "the flood has pushed something out";
    /* the quiet run's, and what one burst of attacks may hold at a time */
    if (w->mbufs_most > quiet->mbufs_most + BURST)
        return "packet memory grows with the flood";
    for (int i = 0; i < 2; i++)
        if (w->done_us[i] > quiet->done_us[i] + DELAY_US)
            return "the flood has slowed a transfer down";
    return NULL;
}

static bool run(const struct scenario *scenario, struct rig_pools *pools, struct world *quiet, bool verbose)
{
    struct world w = {.scenario = scenario, .now_us = START_US, .random = 3};
    const char *fault;

    w.client_address = rig_address(scenario->client);
    w.server_address = rig_address(scenario->server);
    start_side(&w.client, &pools[0], 1);
    start_side(&w.server, &pools[1], 2);
    if (tcp_listen(w.server.tcp, &w.server_address, 443, 0))
        abort();
    connect_client(&w, 0);
    while (w.now_us < LIMIT_US && !w.failed && !(w.done_us[0] && w.done_us[1])) {
        if (w.now_us == SECOND_OPENS_US)
            connect_client(&w, 1);
        turn(&w);
        w.now_us += STEP_US;
    }
    w.retransmits = tcp_get_counters(w.server.tcp)->retransmits + tcp_get_counters(w.client.tcp)->retransmits;
    fault = judge(&w, quiet);
    if (fault || verbose) {
        const struct tcp_counters *c = tcp_get_counters(w.server.tcp);

        printf("%s: %s; %lu segments of attack, %lu answers, %lu cookies (%lu taken, %lu bad), %lu/%lu challenge ACKs "
               "sent/not, at most %u half-open, %u connections, %u mbufs; transfers took %lu and %lu ms\n",
               scenario->name, fault ? fault : "ok", w.flooded, w.answers, c->syn_cookies_sent, c->syn_cookies_accepted,
               c->syn_cookies_bad, c->challenge_acks, c->challenge_acks_limited + c->challenge_acks_over_budget,
               w.half_open_most, w.used_most, w.mbufs_most, (w.done_us[0] - START_US) / 1000,
               (w.done_us[1] - SECOND_OPENS_US) / 1000);
    }
    if (scenario->attack == ATTACK_NONE)
        *quiet = w;
    link_drain(&w.client.out);
    link_drain(&w.server.out);
    tcp_destroy(w.client.tcp);
    tcp_destroy(w.server.tcp);
    if (rig_pools_missing(&pools[0]) + rig_pools_missing(&pools[1]) > 0) {
        printf("%s: mbufs leaked\n", scenario->name);
        exit(1);
    }
    return fault == NULL;
}

int main(int argc, char **argv)
{
    bool verbose = argc > 1 && strcmp(argv[1], "--verbose") == 0;
    struct world quiet = {0};
    struct rig_pools pools[2];
    uint32_t failed = 0, count = sizeof(scenarios) / sizeof(scenarios[0]);

    for (uint32_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)(i % PERIOD);
    rig_start("assay-flood");
    pools[0] = rig_pools_create("client", 4096);
    pools[1] = rig_pools_create("server", 4096);
    for (uint32_t i = 0; i < count; i++)
        failed += !run(&scenarios[i], pools, &quiet, verbose);
    printf("flood: %u scenarios, %u failed\n", count, failed);
    rig_pools_free(&pools[0]);
    rig_pools_free(&pools[1]);
    return failed ? 1 : 0;
}
