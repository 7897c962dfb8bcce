/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tcp/tcp.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <rte_mbuf.h>

#include "base/address.h"
#include "tcp/connection.h"
#include "tcp/ecn.h"
#include "tcp/input.h"
#include "tcp/output.h"
#include "tcp/path.h"
#include "tcp/ports.h"
#include "tcp/receive_buffer.h"
#include "tcp/send_buffer.h"
#include "tcp/sent.h"
#include "tcp/source_limit.h"
#include "tcp/table.h"
#include "tcp/timers.h"

/* Segments in flight a connection may have for each mbuf it may hold: small ones share mbufs. */
#define RECORDS_PER_MBUF 4

#define HUGE_PAGE_BYTES ((size_t)2 << 20)

/* A received segment is a chain of at most so many mbufs, as a rule. */
#define PIECES_MAX 4

void tcp_config_default(struct tcp_config *config)
{
    *config = (struct tcp_config){
        .connections_max = 65536,
        .time_wait_max = 16384,
        .receive_buffer_bytes = 262144,
        .send_buffer_bytes = 262144,
        .mbufs_max_per_connection = 512,
        .mtu = 1500,
        .path_mtu_min = 552,
        .port_min = 30000,
        .port_max = 35999,
        .syn_backlog_max = 4096,
        .accept_backlog_max = 1024,
        .rto_min_us = 200000,
        .rto_max_us = 60000000,
        .rto_initial_us = 1000000,
        .syn_retries = 5,
        .retries = 10,
        .delayed_ack_us = 40000,
        .keepalive_idle_us = 75000000,
        .keepalive_interval_us = 15000000,
        .keepalive_probes = 5,
        .time_wait_us = 60000000,
        .fin_wait_us = 60000000,
        .congestion = TCP_CONGESTION_CUBIC,
        .ecn = TCP_ECN_PASSIVE,
        .timestamps = true,
        .sack = true,
        .window_scaling = true,
        .syn_cookies = true,
        .half_open_us = 30000000,
        .source_half_open_max = 256,
        .source_connections_max = 0,
        .challenge_acks_max = 1000,
    };
}

static bool config_is_usable(const struct tcp_config *config)
{
    return config->connections_max > 0 && config->connections_max < TCP_NONE && config->port_min > 0 &&
           config->port_min <= config->port_max && config->mtu >= TCP_MSS_FLOOR + TCP_HEADERS_IP6 &&
           config->path_mtu_min >= TCP_MSS_FLOOR + TCP_HEADERS_IP4 && config->receive_buffer_bytes <= 1u << 30 &&
           config->send_buffer_bytes >= config->mtu && config->send_buffer_bytes <= 1u << 30 &&
           config->mbufs_max_per_connection >= 8 && config->mbufs_max_per_connection <= UINT16_MAX &&
           config->tso_bytes_max <= TCP_TSO_BYTES_MAX && config->rto_min_us > 0 &&
           config->rto_max_us >= config->rto_min_us && config->rto_initial_us > 0 && config->half_open_us > 0;
}

/* The largest window that always fits into limit, whatever the segments are: what is held, copied together into whole mbufs,
 * the eighth of the limit that may have come since the last time (receive_buffer.c), and a segment in a few pieces. */
static uint32_t capacity_of(uint32_t limit, const struct rte_mempool *pool)
{
    uint32_t room = rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool);
    uint32_t truesize = room + (uint32_t)sizeof(struct rte_mbuf);
    uint32_t slack = (limit / 8 > truesize ? limit / 8 : truesize) + PIECES_MAX * truesize;

    return limit > slack ? (limit - slack) / truesize * room : 0;
}

/* Half of a connection's mbufs are for what it receives, half for what it sends: a full send buffer must not close the window,
 * or two ends that both write first would wait for each other for ever. */
static void set_limits(struct tcp *tcp)
{
    const struct tcp_config *config = &tcp->config;
    uint32_t truesize = rte_pktmbuf_data_room_size(tcp->packet_pool) + (uint32_t)sizeof(struct rte_mbuf);
    uint32_t users = config->packet_pool_users > 0 ? config->packet_pool_users : 1;
    uint64_t most = (uint64_t)(config->mbufs_max_per_connection / 2) * truesize;

    tcp->receive_limit = most < config->receive_buffer_bytes ? (uint32_t)most : config->receive_buffer_bytes;
    tcp->receive_capacity = capacity_of(tcp->receive_limit, tcp->packet_pool);
    while (tcp->receive_capacity >> tcp->rcv_shift > UINT16_MAX)
        tcp->rcv_shift++;
    most = (uint64_t)(config->mbufs_max_per_connection / 2) * rte_pktmbuf_data_room_size(tcp->payload_pool);
    tcp->send_capacity = most < config->send_buffer_bytes ? (uint32_t)most : config->send_buffer_bytes;
    tcp->received_mbufs_max = (tcp->packet_pool->size - tcp->packet_pool->size / 4) / users;
}

/* Big tables lie in huge pages where the kernel gives them: a lookup among a million connections would miss the TLB for each line
 * it reads. */
static void *allocate(size_t count, size_t size)
{
    size_t align = count * size >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : 64;
    size_t bytes = (count * size + align - 1) / align * align;
    void *memory = aligned_alloc(align, bytes);

    if (!memory)
        return NULL;
    if (align == HUGE_PAGE_BYTES)
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* without it all is well, but slower */
    memset(memory, 0, bytes);
    return memory;
}

static bool allocate_tables(struct tcp *tcp, uint32_t sent_count)
{
    uint32_t buckets = 1024;

    /* At most half full: who looks further than the head of a chain waits for memory. */
    while (buckets / 2 < tcp->config.connections_max)
        buckets *= 2;
    tcp->bucket_mask = buckets - 1;
    tcp->connections = allocate(tcp->config.connections_max, sizeof(*tcp->connections));
    tcp->buckets = allocate(buckets, sizeof(*tcp->buckets));
    tcp->sent = allocate(sent_count, sizeof(*tcp->sent));
    if (!tcp->connections || !tcp->buckets || !tcp->sent)
        return false;
    if ((tcp->config.source_half_open_max > 0 || tcp->config.source_connections_max > 0) &&
        source_limit_create(tcp->config.connections_max, tcp->config.secret, &tcp->sources))
        return false;
    memset(tcp->buckets, 0xff, (size_t)buckets * sizeof(*tcp->buckets));
    for (uint32_t i = 0; i < sent_count; i++)
        tcp->sent[i].next = i + 1 < sent_count ? i + 1 : TCP_NONE;
    tcp->sent_free = 0;
    for (uint32_t i = 0; i < tcp->config.connections_max; i++) {
        tcp->connections[i].generation = 1;
        TAILQ_INSERT_TAIL(&tcp->free, &tcp->connections[i], output_link);
    }
    return true;
}

enum assay_error tcp_create(const struct tcp_config *config, struct rte_mempool *packet_pool,
                            struct rte_mempool *payload_pool, struct rte_mempool *indirect_pool, uint64_t now_us,
                            struct tcp **out)
{
    struct tcp *tcp;

    if (!config_is_usable(config))
        return ASSAY_ERR_RANGE;
    tcp = allocate(1, sizeof(*tcp));
    if (!tcp)
        return ASSAY_ERR_NO_MEMORY;
    tcp->config = *config;
    tcp->now_us = now_us;
    tcp->packet_pool = packet_pool;
    tcp->payload_pool = payload_pool;
    tcp->indirect_pool = indirect_pool;
    TAILQ_INIT(&tcp->free);
    TAILQ_INIT(&tcp->output);
    TAILQ_INIT(&tcp->events);
    TAILQ_INIT(&tcp->time_wait);
    TAILQ_INIT(&tcp->half_open);
    TAILQ_INIT(&tcp->starved);
    tcp->challenge_second = UINT64_MAX;
    set_limits(tcp);
    if (tcp->receive_capacity < 2u * config->mtu) {
        free(tcp);
        return ASSAY_ERR_RANGE;
    }
    tcp->sent_max_per_connection = config->mbufs_max_per_connection * RECORDS_PER_MBUF;
    timer_wheel_init(&tcp->timers, now_us);
    /* What is in flight lies in payload mbufs, several small segments in one; and each connection may send a FIN. */
    if (!allocate_tables(tcp, payload_pool->size * 2 + config->connections_max)) {
        tcp_destroy(tcp);
        return ASSAY_ERR_NO_MEMORY;
    }
    *out = tcp;
    return ASSAY_OK;
}

void tcp_destroy(struct tcp *tcp)
{
    if (!tcp)
        return;
    for (uint32_t i = 0; tcp->connections && i < tcp->config.connections_max; i++) {
        struct tcp_connection *c = &tcp->connections[i];

        if (c->send_head || c->receive_head || c->ooo_head) {
            send_buffer_free(c);
            receive_free(tcp, c);
        }
    }
    while (tcp->acks_first < tcp->acks.count)
        rte_pktmbuf_free(tcp->acks.datagrams[tcp->acks_first++].mbuf);
    source_limit_free(tcp->sources);
    free(tcp->connections);
    free(tcp->buckets);
    free(tcp->sent);
    free(tcp);
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

enum assay_error tcp_listen(struct tcp *tcp, const struct assay_address *local, uint16_t port, uint64_t user)
{
    uint32_t slot = 0;

    for (uint32_t i = 0; i < tcp->listener_count; i++) {
        const struct tcp_listener *listener = &tcp->listeners[i];

        if (listener->live && listener->port == port && address_equal(&listener->local, local))
            return ASSAY_ERR_DUPLICATE;
    }
    /* A slot whose connections have not all been accepted yet is still counted in: it is not given away. */
    while (slot < tcp->listener_count && (tcp->listeners[slot].live || tcp->listeners[slot].accept_queued > 0))
        slot++;
    if (slot == TCP_LISTENERS_MAX)
        return ASSAY_ERR_NO_SLOT;
    if (slot == tcp->listener_count)
        tcp->listener_count++;
    tcp->listeners[slot] = (struct tcp_listener){.local = *local, .port = port, .user = user, .live = true};
    return ASSAY_OK;
}

enum assay_error tcp_unlisten(struct tcp *tcp, const struct assay_address *local, uint16_t port)
{
    struct tcp_connection *c, *next;
    uint32_t slot = 0;

    while (slot < tcp->listener_count && !(tcp->listeners[slot].live && tcp->listeners[slot].port == port &&
                                           address_equal(&tcp->listeners[slot].local, local)))
        slot++;
    if (slot == tcp->listener_count)
        return ASSAY_ERR_NOT_FOUND;
    tcp->listeners[slot].live = false;
    for (c = TAILQ_FIRST(&tcp->half_open); c; c = next) {
        next = TAILQ_NEXT(c, wait_link);
        if (c->listener == slot)
            conn_free(tcp, c);
    }
    return ASSAY_OK;
}

void tcp_accepted(struct tcp *tcp, struct tcp_handle handle)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (c)
        conn_accepted(tcp, c);
}

/* The active open of c, whose tuple is complete. */
static void open_active(struct tcp *tcp, struct tcp_connection *c, const struct tcp_tuple *tuple, uint32_t hash,
                        uint32_t iss_floor)
{
    open_init(tcp, c, tuple, hash, iss_floor);
    c->rcv_shift = tcp->rcv_shift;
    c->flags |= CONN_ANNOUNCED | CONN_SYN_NOW | (tcp->config.timestamps ? CONN_TIMESTAMPS : 0) |
                (tcp->config.sack ? CONN_SACK : 0) | (tcp->config.window_scaling ? CONN_WINDOW_SCALE : 0);
    ecn_ask(tcp, c);
    c->mss_limit = conn_own_mss(tcp, c);
    path_open(tcp, c);
    tcp->counters.active_opens++;
    conn_set_state(tcp, c, TCP_SYN_SENT);
    conn_rexmt_rearm(tcp, c, 0);
    conn_want_output(tcp, c);
}

/* The first of locals that has a port toward the destination; local_port 0: any. */
static enum assay_error choose_local(struct tcp *tcp, const struct assay_address *locals, uint32_t count,
                                     uint16_t local_port, struct tcp_tuple *tuple, uint32_t *hash, uint32_t *iss_floor)
{
    enum assay_error error = ASSAY_ERR_NO_PORT;

    for (uint32_t i = 0; i < count && error; i++) {
        tuple->local = locals[i];
        tuple->local_port = local_port;
        error = local_port ? ports_claim(tcp, tuple, hash, iss_floor) : ports_choose(tcp, tuple, hash, iss_floor);
    }
    if (error == ASSAY_ERR_NO_PORT)
        tcp->counters.no_port++;
    return error;
}

static enum assay_error connect_from(struct tcp *tcp, const struct assay_address *locals, uint32_t count,
                                     uint16_t local_port, const struct assay_address *remote, uint16_t remote_port,
                                     uint64_t user, uint64_t now_us, struct tcp_handle *out)
{
    struct tcp_tuple tuple = {.remote = *remote, .remote_port = remote_port};
    struct tcp_connection *c;
    uint32_t hash = 0, iss_floor = 0;
    enum assay_error error;

    tcp->now_us = now_us;
    /* The slot first: a TIME-WAIT connection should not end for an open that then fails. */
    c = conn_new(tcp);
    if (!c) {
        tcp->counters.no_slot++;
        return ASSAY_ERR_NO_SLOT;
    }
    error = choose_local(tcp, locals, count, local_port, &tuple, &hash, &iss_floor);
    if (error) {
        conn_free(tcp, c);
        return error;
    }
    c->user = user;
    open_active(tcp, c, &tuple, hash, iss_floor);
    *out = conn_handle(tcp, c);
    return ASSAY_OK;
}

enum assay_error tcp_connect(struct tcp *tcp, const struct assay_address *local, uint16_t local_port,
                             const struct assay_address *remote, uint16_t remote_port, uint64_t user, uint64_t now_us,
                             struct tcp_handle *out)
{
    return connect_from(tcp, local, 1, local_port, remote, remote_port, user, now_us, out);
}

enum assay_error tcp_connect_any(struct tcp *tcp, const struct assay_address *locals, uint32_t count,
                                 const struct assay_address *remote, uint16_t remote_port, uint64_t user,
                                 uint64_t now_us, struct tcp_handle *out)
{
    return connect_from(tcp, locals, count, 0, remote, remote_port, user, now_us, out);
}

/* Has the peer ended it? The application may still be reading. */
static bool was_reset(const struct tcp_connection *c)
{
    return c->state == TCP_CLOSED && c->reason == TCP_REASON_RESET;
}

bool tcp_live(const struct tcp *tcp, struct tcp_handle handle)
{
    const struct tcp_connection *c = tcp_by_handle(tcp, handle);

    return c && !was_reset(c);
}

enum assay_error tcp_set_user(struct tcp *tcp, struct tcp_handle handle, uint64_t user)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c)
        return ASSAY_ERR_STALE;
    c->user = user;
    return ASSAY_OK;
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

struct slice tcp_peek(struct tcp *tcp, struct tcp_handle handle)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c || !c->receive_head)
        return slice_of(NULL, 0);
    return slice_of(rte_pktmbuf_mtod(c->receive_head, const uint8_t *), c->receive_head->data_len);
}

struct slice tcp_peek_at(const struct tcp *tcp, struct tcp_handle handle, size_t offset)
{
    const struct tcp_connection *c = tcp_by_handle(tcp, handle);
    const struct rte_mbuf *mbuf = c ? c->receive_head : NULL;

    while (mbuf && offset >= mbuf->data_len) {
        offset -= mbuf->data_len;
        mbuf = mbuf->next;
    }
    return mbuf ? slice_of(rte_pktmbuf_mtod(mbuf, const uint8_t *) + offset, mbuf->data_len - offset)
                : slice_of(NULL, 0);
}

void tcp_consume(struct tcp *tcp, struct tcp_handle handle, size_t len)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c)
        return;
    receive_consume(tcp, c, len);
    if (was_reset(c) && c->receive_bytes == 0)
        conn_raise(tcp, c, TCP_EVENT_CLOSED);
    if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2)
        return;
    if (receive_window_opened(tcp, c)) {
        c->flags |= CONN_WINDOW_UPDATE;
        conn_ack_now(tcp, c);
    }
}

size_t tcp_readable(const struct tcp *tcp, struct tcp_handle handle)
{
    const struct tcp_connection *c = tcp_by_handle(tcp, handle);

    return c ? c->receive_bytes : 0;
}

bool tcp_at_end(const struct tcp *tcp, struct tcp_handle handle)
{
    const struct tcp_connection *c = tcp_by_handle(tcp, handle);

    return c && conn_has(c, CONN_PEER_FIN) && c->receive_bytes == 0;
}

/* --- writing ---------------------------------------------------------------------------------------------------------- */

static bool may_write(const struct tcp_connection *c)
{
    if (conn_has(c, CONN_FIN_QUEUED))
        return false;
    return c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT || c->state == TCP_SYN_SENT ||
           c->state == TCP_SYN_RECEIVED;
}

static void want_room(const struct tcp *tcp, struct tcp_connection *c, size_t wanted)
{
    c->flags |= CONN_WANTS_ROOM;
    /* More than an empty buffer never comes: that must do. */
    c->room_wanted = wanted < tcp->send_capacity ? (uint32_t)wanted : tcp->send_capacity;
}

size_t tcp_room(struct tcp *tcp, struct tcp_handle handle, size_t wanted)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);
    size_t room;

    if (!c || !may_write(c))
        return 0;
    room = send_buffer_room(tcp, c);
    if (room < wanted)
        want_room(tcp, c, wanted);
    return room;
}

size_t tcp_write(struct tcp *tcp, struct tcp_handle handle, const void *data, size_t len)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);
    size_t taken;

    if (!c || !may_write(c))
        return 0;
    taken = send_buffer_append(tcp, c, data, len);
    if (taken < len) {
        want_room(tcp, c, len - taken);
        /* No ACK will tell when the pool has mbufs again: look again by the clock. */
        if (send_buffer_room(tcp, c) > 0 && !conn_has(c, CONN_STARVED)) {
            if (TAILQ_EMPTY(&tcp->starved))
                tcp->starved_since_us = tcp->now_us;
            TAILQ_INSERT_TAIL(&tcp->starved, c, wait_link);
            c->flags |= CONN_STARVED;
        }
    }
    if (taken > 0 && (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT))
        conn_want_output(tcp, c);
    return taken;
}

size_t tcp_unacked(const struct tcp *tcp, struct tcp_handle handle)
{
    const struct tcp_connection *c = tcp_by_handle(tcp, handle);

    return c ? c->send_bytes : 0;
}

/* --- closing ---------------------------------------------------------------------------------------------------------- */

void tcp_shutdown(struct tcp *tcp, struct tcp_handle handle)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c || !may_write(c))
        return;
    c->flags |= CONN_FIN_QUEUED;
    conn_want_output(tcp, c);
}

void tcp_close(struct tcp *tcp, struct tcp_handle handle)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c)
        return;
    if (c->state == TCP_CLOSED || c->state == TCP_SYN_SENT) {
        conn_free(tcp, c);
        return;
    }
    if (c->receive_bytes > 0 && c->state != TCP_TIME_WAIT) {
        output_reset(tcp, c);
        conn_free(tcp, c);
        return;
    }
    if (may_write(c))
        c->flags |= CONN_FIN_QUEUED;
    conn_orphan(tcp, c);
    if (c->state != TCP_TIME_WAIT)
        conn_want_output(tcp, c);
}

/* Does the peer know of it, and has something to lose? */
static bool peer_must_hear(const struct tcp_connection *c)
{
    return c->state != TCP_CLOSED && c->state != TCP_SYN_SENT && c->state != TCP_TIME_WAIT;
}

void tcp_abort(struct tcp *tcp, struct tcp_handle handle)
{
    struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c)
        return;
    if (peer_must_hear(c))
        output_reset(tcp, c);
    conn_free(tcp, c);
}

void tcp_reset_all(struct tcp *tcp)
{
    for (uint32_t i = 0; i < tcp->config.connections_max; i++) {
        struct tcp_connection *c = &tcp->connections[i];

        /* A slot that is free has no flags. */
        if (c->flags == 0)
            continue;
        if (peer_must_hear(c))
            output_reset(tcp, c);
        conn_free(tcp, c);
    }
}

/* --- looking ---------------------------------------------------------------------------------------------------------- */

enum assay_error tcp_get_info(const struct tcp *tcp, struct tcp_handle handle, struct tcp_info *out)
{
    const struct tcp_connection *c = tcp_by_handle(tcp, handle);

    if (!c)
        return ASSAY_ERR_STALE;
    *out = (struct tcp_info){
        .local = c->local,
        .remote = c->remote,
        .local_port = c->local_port,
        .remote_port = c->remote_port,
        .state = tcp_state_text(c->state),
        .srtt_us = c->srtt_us,
        .rttvar_us = c->rttvar_us,
        .rto_us = c->rto_us,
        .cwnd_bytes = c->cwnd,
        .ssthresh_bytes = c->ssthresh,
        .snd_wnd_bytes = c->snd_wnd,
        .rcv_wnd_bytes = c->rcv_adv - c->rcv_nxt,
        .mss = c->snd_mss,
        .mtu = c->mtu,
        .retransmits = c->retransmits,
        .bytes_in = c->bytes_in,
        .bytes_out = c->bytes_out,
        .ecn = c->ecn & ECN_ON,
    };
    return ASSAY_OK;
}

const struct tcp_counters *tcp_get_counters(const struct tcp *tcp)
{
    return &tcp->counters;
}
