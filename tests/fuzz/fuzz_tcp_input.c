/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A peer that sends anything at any time to an instance with live connections, and an application that does anything with them.
 * The input is a list of steps: an opcode, then its operands (see step()). Sequence and acknowledgment numbers are offsets from
 * what is expected, so that the interesting ones are near. Payload is always a pattern of its sequence number: what the
 * application reads, and what goes out, must be the right bytes. After each step the books must balance; at the end every mbuf
 * must be home. */
#include "fuzz.h"
#include "invariants.h"
#include "rig.h"
#include "tcp/connection.h"
#include "tcp/counters.h"

#include <rte_mbuf.h>

#define PEERS     4
#define OUR_PORT  443
#define TSO_BYTES 20000 /* what the port cuts into segments, in half of the runs */
#define PEER_PORT 1000  /* and those behind it */
#define PEER_ISN  0xfffff000u
#define STREAM    131072
#define PIECE_MAX 65536

struct peer {
    struct tcp_handle handle;
    uint32_t written, read; /* bytes of our stream and of the peer's */
    bool open;
};

struct world {
    struct tcp *tcp;
    uint64_t now_us;
    struct peer peers[PEERS];
    uint32_t cookies[PEERS]; /* the number of the last SYN-ACK that stood for no connection */
    struct slice input;
};

/* libFuzzer gives the target no context of its own. */
static struct rig_pools pools;
static struct assay_address our_address, peer_address;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both streams repeat after STREAM bytes: any piece of them lies in one of these, and is copied and compared as a whole. */
static uint8_t their_stream[STREAM + PIECE_MAX], our_stream[STREAM + PIECE_MAX];

static void make_streams(void)
{
    for (uint32_t at = 0; at < sizeof(our_stream); at++) {
        their_stream[at] = (uint8_t)(at * 3 + (at % STREAM >> 8));
        our_stream[at] = (uint8_t)(at * 5 + (at % STREAM >> 9) + 1);
    }
}

static const uint8_t *theirs(uint32_t at)
{
    return their_stream + at % STREAM;
}

static const uint8_t *ours(uint32_t at)
{
    return our_stream + at % STREAM;
}

/* --- what has been reached -------------------------------------------------------------------------------------------- */

/* Segments that came to a connection, by its state and the control bits it carried. */
enum { CONTROLS = 16, STATES = 16 };
static uint64_t reached[STATES][CONTROLS];
static struct tcp_counters reached_counters;

static uint32_t controls_of(uint8_t flags)
{
    return (flags & TCP_FLAG_SYN ? 1 : 0) | (flags & TCP_FLAG_FIN ? 2 : 0) | (flags & TCP_FLAG_RST ? 4 : 0) |
           (flags & TCP_FLAG_ACK ? 8 : 0);
}

static void note_counters(const struct tcp *tcp)
{
    const struct tcp_counters *counters = tcp_get_counters(tcp);

#define TCP_COUNTER(name, help) reached_counters.name += counters->name;
#include "tcp/counters.def"
#undef TCP_COUNTER
}

/* Each counter is an outcome that some branch of tcp/ has; with FUZZ_REACHED=1 in the environment the end tells which came. */
static void print_reached(void)
{
    static const char *const controls[CONTROLS] = {"none", "S",  "F",  "SF",  "R",  "SR",  "FR",  "SFR",
                                                   "A",    "SA", "FA", "SFA", "RA", "SRA", "FRA", "SFRA"};
    uint32_t hit = 0, all = 0;

    for (uint32_t state = 1; state <= TCP_TIME_WAIT; state++) {
        printf("%-13s", tcp_state_text((enum tcp_state)state));
        for (uint32_t i = 0; i < CONTROLS; i++)
            printf(" %s:%lu", controls[i], reached[state][i]);
        printf("\n");
    }
#define TCP_COUNTER(name, help) \
    all++;                      \
    if (reached_counters.name)  \
        hit++;                  \
    else                        \
        printf("never: %s (%s)\n", #name, help);
#include "tcp/counters.def"
#undef TCP_COUNTER
    printf("%u of %u counters\n", hit, all);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    rig_start("assay-fuzz-tcp");
    /* Few: to run out of them is one of the things that happen. */
    pools = rig_pools_create("fuzz", 64);
    make_streams();
    if (getenv("FUZZ_REACHED"))
        atexit(print_reached);
    our_address = rig_address("198.18.1.1");
    peer_address = rig_address("198.18.1.2");
    return 0;
}

static uint8_t byte(struct world *w)
{
    uint8_t value = w->input.len > 0 ? w->input.data[0] : 0;

    w->input = slice_tail(w->input, 1);
    return value;
}

static uint32_t word(struct world *w)
{
    uint32_t low = byte(w);

    return low | (uint32_t)byte(w) << 8;
}

static void check_books(const char *wrong)
{
    if (wrong) {
        fprintf(stderr, "it is not so that %s\n", wrong);
        abort();
    }
}

/* --- the two sides ---------------------------------------------------------------------------------------------------- */

static struct tcp_connection *find(const struct world *w, uint32_t peer)
{
    for (uint32_t i = 0; i < w->tcp->config.connections_max; i++) {
        struct tcp_connection *c = &w->tcp->connections[i];

        if (conn_has(c, CONN_IN_TABLE) && c->remote_port == PEER_PORT + peer)
            return c;
    }
    return NULL;
}

static void take_events(struct world *w, const struct tcp_event *events, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct tcp_info info;
        struct peer *peer;

        if (events[i].flags & TCP_EVENT_ACCEPTED) {
            FUZZ_CHECK(tcp_get_info(w->tcp, events[i].handle, &info) == ASSAY_OK);
            peer = &w->peers[info.remote_port - PEER_PORT];
            if (peer->open)
                tcp_abort(w->tcp, peer->handle);
            *peer = (struct peer){.handle = events[i].handle, .open = true};
            FUZZ_CHECK(tcp_set_user(w->tcp, peer->handle, (uint64_t)(peer - w->peers)) == ASSAY_OK);
            continue;
        }
        peer = &w->peers[events[i].user];
        if (events[i].flags & TCP_EVENT_CLOSED && peer->handle.generation == events[i].handle.generation &&
            peer->handle.index == events[i].handle.index) {
            FUZZ_CHECK(!tcp_live(w->tcp, events[i].handle));
            peer->open = false;
        }
    }
}

/* Options as a real peer writes them: on a SYN what the byte names, else the timestamps the connection has agreed on (a little
 * off) and a SACK block near what is in flight. Returns their length. */
static uint8_t usual_options(struct world *w, const struct tcp_connection *c, bool syn, uint8_t which,
                             uint8_t out[TCP_OPTIONS_MAX])
{
    struct tcp_options options = {.mss = 1460, .ts_value = 1000};

    if (syn) {
        options.sack_permitted = which & 1;
        options.has_timestamps = which & 2;
        options.has_window_scale = which & 4;
        options.window_shift = which >> 3 & 15;
        return (uint8_t)tcp_options_write_syn(&options, out);
    }
    if (!c)
        return 0;
    options.has_timestamps = conn_has(c, CONN_TIMESTAMPS);
    options.ts_value = c->ts_recent + (uint32_t)(int8_t)byte(w);
    options.ts_echo = conn_ts_now(c, w->now_us) - byte(w);
    options.sack_count = which % 4;
    for (uint32_t i = 0; i < options.sack_count; i++) {
        options.sack[i].start = c->snd_una + (uint32_t)(int16_t)word(w);
        options.sack[i].end = options.sack[i].start + word(w) % 8192;
    }
    return (uint8_t)tcp_options_write(&options, out);
}

static void segment_in(struct world *w, uint32_t index)
{
    static const uint8_t usual[] = {TCP_FLAG_ACK,
                                    TCP_FLAG_ACK | TCP_FLAG_PSH,
                                    TCP_FLAG_ACK | TCP_FLAG_FIN,
                                    TCP_FLAG_SYN,
                                    TCP_FLAG_SYN | TCP_FLAG_ACK,
                                    TCP_FLAG_RST,
                                    TCP_FLAG_RST | TCP_FLAG_ACK,
                                    TCP_FLAG_ACK};
    const struct tcp_connection *c = find(w, index);
    struct rig_segment segment = {.source_port = (uint16_t)(PEER_PORT + index), .destination_port = OUR_PORT};
    struct tcp_event events[4];
    struct net_segment packet;
    uint8_t how = byte(w), options = byte(w) % (TCP_OPTIONS_MAX + 1);

    if (c)
        segment.destination_port = c->local_port;
    segment.flags = byte(w);
    if (how & 16)
        segment.flags = usual[segment.flags % sizeof(usual)] | (segment.flags & (TCP_FLAG_ECE | TCP_FLAG_CWR));
    if (c)
        reached[c->state][controls_of(segment.flags)]++;
    segment.seq = (c && c->state != TCP_SYN_SENT ? c->rcv_nxt : PEER_ISN) + (uint32_t)(int16_t)word(w);
    segment.ack = (c ? how & 1 ? c->snd_nxt : c->snd_una : w->cookies[index]) + (uint32_t)(int16_t)word(w);
    segment.window = (uint16_t)word(w);
    segment.payload_len = how & 2 ? word(w) % 1500 : 0;
    /* a SYN takes a number of its own in front of the text */
    segment.payload = theirs(segment.seq + (segment.flags & TCP_FLAG_SYN ? 1 : 0));
    if (how & 32)
        options = usual_options(w, c, segment.flags & TCP_FLAG_SYN, options, segment.options);
    else
        for (uint8_t i = 0; i < options; i++)
            segment.options[i] = byte(w);
    segment.options_len = options;
    /* the SACK blocks that come after this opcode's offsets are made to lie near what is in flight */
    if ((how & 36) == 4 && c && options >= 10 && segment.options[0] == 5) {
        for (uint8_t at = 2; at + 4 <= options; at += 4) {
            uint32_t near = c->snd_una + (uint32_t)(segment.options[at + 2] << 8 | segment.options[at + 3]);

            for (int k = 0; k < 4; k++)
                segment.options[at + k] = (uint8_t)(near >> (24 - 8 * k));
        }
    }
    if (rte_mempool_avail_count(pools.packet) < 8)
        return;
    packet = rig_receive(&pools, &peer_address, &our_address, &segment, 1 + (how >> 6) % 3);
    packet.ecn = segment.window & 3;
    take_events(w, events, tcp_input(w->tcp, &packet, 1, w->now_us, events, (how & 8) ? 0 : 4));
}

/* Many small segments at once, with gaps between them or none: what fills the receive queues. */
static void crumbs_in(struct world *w, uint32_t index)
{
    const struct tcp_connection *c = find(w, index);
    uint32_t count = byte(w) % 64, distance = 1 + word(w) % 3000, len = 1 + byte(w) % 200, stride = 1 + byte(w) % 8;

    for (uint32_t i = 0; c && conn_synchronized(c) && i < count && rte_mempool_avail_count(pools.packet) >= 2; i++) {
        struct rig_segment segment = {.source_port = (uint16_t)(PEER_PORT + index),
                                      .destination_port = c->local_port,
                                      .seq = c->rcv_nxt + distance + i * len * stride,
                                      .ack = c->snd_una,
                                      .flags = TCP_FLAG_ACK,
                                      .window = 40000,
                                      .payload_len = len};
        struct tcp_options options = {.has_timestamps = conn_has(c, CONN_TIMESTAMPS), .ts_value = c->ts_recent};
        struct tcp_event events[4];
        struct net_segment packet;

        segment.payload = theirs(segment.seq);
        segment.options_len = (uint8_t)tcp_options_write(&options, segment.options);
        packet = rig_receive(&pools, &peer_address, &our_address, &segment, 1);
        take_events(w, events, tcp_input(w->tcp, &packet, 1, w->now_us, events, 4));
        c = find(w, index);
    }
}

static void check_segment_out(struct world *w, const struct net_datagram *datagram)
{
    static uint8_t bytes[UINT16_MAX];
    uint32_t len = rig_linearize(datagram->mbuf, bytes, sizeof(bytes));
    struct rig_segment segment;
    struct tcp_options options;
    const struct tcp_connection *c;

    FUZZ_CHECK(rig_parse(bytes, len, &segment, &options));
    FUZZ_CHECK(datagram->segment_bytes ? len <= 60 + TSO_BYTES && datagram->segment_bytes <= 1460 : len <= 1480);
    FUZZ_CHECK(datagram->ecn == NET_ECN_NONE || (datagram->ecn == NET_ECN_ECT0 && segment.payload_len > 0));
    FUZZ_CHECK(!(segment.flags & TCP_FLAG_CWR) || segment.flags & TCP_FLAG_SYN || datagram->ecn == NET_ECN_ECT0);
    c = segment.destination_port >= PEER_PORT && segment.destination_port < PEER_PORT + PEERS
            ? find(w, segment.destination_port - PEER_PORT)
            : NULL;
    if (!c && segment.flags == (TCP_FLAG_SYN | TCP_FLAG_ACK))
        w->cookies[(uint32_t)(segment.destination_port - PEER_PORT) % PEERS] = segment.seq;
    if (!c || c->local_port != segment.source_port)
        return;
    FUZZ_CHECK(memcmp(segment.payload, ours(segment.seq - c->iss - 1), segment.payload_len) == 0);
}

static void output(struct world *w)
{
    struct net_tx tx = {0};

    tcp_output(w->tcp, w->now_us, &tx);
    for (uint32_t i = 0; i < tx.count; i++) {
        check_segment_out(w, &tx.datagrams[i]);
        rte_pktmbuf_free(tx.datagrams[i].mbuf);
    }
}

static void app_read(struct world *w, struct peer *peer, uint32_t left)
{
    const struct tcp_connection *c = tcp_by_handle(w->tcp, peer->handle);

    while (left > 0 && c) {
        struct slice piece = slice_head(tcp_peek(w->tcp, peer->handle), left);

        if (piece.len == 0)
            return;
        FUZZ_CHECK(memcmp(piece.data, theirs(c->irs + 1 + peer->read), piece.len) == 0);
        peer->read += (uint32_t)piece.len;
        left -= (uint32_t)piece.len;
        tcp_consume(w->tcp, peer->handle, piece.len);
    }
}

static void app_write(struct world *w, struct peer *peer, uint32_t len)
{
    if (len & 1)
        tcp_room(w->tcp, peer->handle, len);
    peer->written += (uint32_t)tcp_write(w->tcp, peer->handle, ours(peer->written), len);
}

static void open_out(struct world *w, uint32_t index)
{
    struct tcp_handle handle;

    if (w->peers[index].open || find(w, index))
        return;
    if (tcp_connect(w->tcp, &our_address, byte(w), &peer_address, (uint16_t)(PEER_PORT + index), index, w->now_us,
                    &handle) == ASSAY_OK)
        w->peers[index] = (struct peer){.handle = handle, .open = true};
}

static void icmp(struct world *w, uint32_t index)
{
    const struct tcp_connection *c = find(w, index);
    struct net_icmp_error error = {.local = our_address,
                                   .remote = peer_address,
                                   .local_port = c ? c->local_port : OUR_PORT,
                                   .remote_port = (uint16_t)(PEER_PORT + index),
                                   .type = byte(w),
                                   .code = byte(w)};
    struct tcp_event events[4];

    error.sequence = (c ? c->snd_una : 0) + (uint32_t)(int8_t)byte(w);
    error.kind = (enum net_error_kind)(byte(w) % 3);
    error.mtu = (uint16_t)(byte(w) * 8);
    take_events(w, events, tcp_icmp_error(w->tcp, &error, w->now_us, events, 4));
}

static void raw_in(struct world *w)
{
    struct slice bytes = slice_head(w->input, byte(w));
    struct tcp_event events[4];
    struct net_segment packet;

    w->input = slice_tail(w->input, bytes.len);
    if (rte_mempool_avail_count(pools.packet) < 8)
        return;
    packet = rig_receive_bytes(&pools, &peer_address, &our_address, bytes.data, (uint32_t)bytes.len, 1);
    /* not to a port of ours, so that the pattern stays whole */
    if (bytes.len >= 4)
        *rte_pktmbuf_mtod_offset(packet.mbuf, uint8_t *, 2) |= 0x80;
    take_events(w, events, tcp_input(w->tcp, &packet, 1, w->now_us, events, 4));
}

static void pass_time(struct world *w, uint64_t us)
{
    struct tcp_event events[4];

    w->now_us += us;
    take_events(w, events, tcp_timers(w->tcp, w->now_us, events, 4));
}

static void step(struct world *w)
{
    uint8_t code = byte(w);
    uint32_t index = code >> 4 & (PEERS - 1);
    struct peer *peer = &w->peers[index];

    switch (code & 15) {
    case 0:
    case 1:
    case 2:
    case 3: segment_in(w, index); break;
    case 4: app_write(w, peer, word(w)); break;
    case 5: app_read(w, peer, word(w)); break;
    case 6: tcp_shutdown(w->tcp, peer->handle); break;
    case 7:
        code & 0x40 ? tcp_abort(w->tcp, peer->handle) : tcp_close(w->tcp, peer->handle);
        peer->open = false;
        break;
    case 8: pass_time(w, word(w)); break;
    case 9: pass_time(w, word(w) * UINT64_C(1000)); break;
    case 10: open_out(w, index); break;
    case 11: icmp(w, index); break;
    case 12: raw_in(w); break;
    case 13: tcp_accepted(w->tcp, peer->handle); break;
    case 14: crumbs_in(w, index); break;
    default: output(w); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.now_us = 1000000, .input = slice_of(data, size)};
    struct tcp_config config;
    uint8_t how;

    if (size < 4 || size > 8192)
        return -1;
    tcp_config_default(&config);
    how = byte(&w);
    config.connections_max = how & 16 ? 3 : 6;
    config.time_wait_max = how & 16 ? 1 : 3;
    config.syn_backlog_max = how & 32 ? 1 : 3;
    config.accept_backlog_max = 3;
    config.port_min = 30000;
    config.port_max = 30001;
    config.syn_cookies = how & 64;
    config.source_half_open_max = how & 128 ? 2 : 0;
    config.source_connections_max = how & 128 ? 3 : 0;
    config.challenge_acks_max = how & 128 ? 20 : 0;
    config.send_buffer_bytes = 40000;
    config.receive_buffer_bytes = 40000;
    config.mbufs_max_per_connection = 64;
    config.sack = how & 1;
    config.timestamps = how & 2;
    config.window_scaling = how & 4;
    config.tso_bytes_max = how & 16 ? TSO_BYTES : 0;
    config.ecn = how & 8 ? TCP_ECN_ON : TCP_ECN_PASSIVE;
    config.congestion = how & 8 ? TCP_CONGESTION_NEWRENO : TCP_CONGESTION_CUBIC;
    FUZZ_CHECK(tcp_create(&config, pools.packet, pools.payload, pools.indirect, w.now_us, &w.tcp) == ASSAY_OK);
    FUZZ_CHECK(tcp_listen(w.tcp, &our_address, OUR_PORT, 0) == ASSAY_OK);
    while (w.input.len > 0) {
        step(&w);
        check_books(invariants_check(w.tcp));
    }
    check_books(invariants_check_records(w.tcp));
    note_counters(w.tcp);
    tcp_destroy(w.tcp);
    FUZZ_CHECK(rig_pools_missing(&pools) == 0);
    return 0;
}
