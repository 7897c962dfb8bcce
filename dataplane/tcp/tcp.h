/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_TCP_H
#define ASSAY_TCP_TCP_H
/* A TCP instance: one per core, no locks, no I/O, no clock of its own. Segments come in by tcp_input(), time by
 * tcp_timers(), segments go out by tcp_output(). What happened is appended to the caller's event array; nothing is called
 * back.
 * Owner: the instance owns connections and their packet memory. The application names a connection by handle; a handle of a
 * connection that is gone is recognised (STALE).
 * Thread: one core calls everything of one instance.
 * Units: microseconds of a monotonic clock (now_us, must not be 0), bytes.
 * Source: RFC 9293; 7323 (window scaling, timestamps, PAWS), 2018/6675 (SACK), 8985 (RACK-TLP), 6298 (RTO), 5681/6582 or
 * 9438 (congestion), 3168 (ECN), 6928 (IW10), 9406 (HyStart++), 5961 (blind attacks), 6528 (ISN), 4987 (SYN floods), 6191 (TIME_WAIT reuse), 6056 (ports). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "assay/error.h"
#include "base/slice.h"
#include "net/packet.h"

struct flow_map;
struct rte_mempool;
struct tcp;

struct tcp_handle {
    uint32_t index;
    uint32_t generation; /* 0 is never a live connection */
};

enum tcp_congestion { TCP_CONGESTION_CUBIC, TCP_CONGESTION_NEWRENO };

enum tcp_ecn {
    TCP_ECN_OFF,
    TCP_ECN_PASSIVE, /* a peer that asks for it gets it */
    TCP_ECN_ON,      /* and we ask for it */
};

struct tcp_config {
    uint32_t connections_max; /* slots, all states; allocated at creation */
    uint32_t time_wait_max;   /* of them in TIME_WAIT; the oldest goes first when more are needed */
    uint32_t
        receive_buffer_bytes;   /* per connection: the bound on truesize held; the largest window is what of it always
                                    * fits (about four fifths), whatever the segments' sizes */
    uint32_t send_buffer_bytes; /* per connection: what tcp_write() takes before tcp_room() is 0 */
    uint32_t mbufs_max_per_connection; /* half for receiving, half for sending: the smaller limit holds */
    uint16_t mtu;                      /* of the port: we announce an MSS of 40 less, 60 less over IPv6 (RFC 6691) */
    uint16_t path_mtu_min;             /* no ICMP error brings an IPv4 path below it; IPv6's is 1280 (RFC 8201) */
    uint32_t tso_bytes_max;            /* payload that the port cuts into segments itself (TSO); 0: it does not */
    uint16_t port_min, port_max;       /* source ports of tcp_connect(), both inclusive (S15: 30000-35999) */
    uint32_t syn_backlog_max;          /* half-open per listener; beyond: syn_cookies */
    uint32_t accept_backlog_max;       /* per listener: established, not yet seen by tcp_accepted() */
    uint32_t rto_min_us, rto_max_us, rto_initial_us;
    uint32_t syn_retries; /* retransmissions of SYN or SYN-ACK before giving up */
    uint32_t retries;     /* retransmissions of data (and zero-window probes unanswered) before giving up */
    uint32_t delayed_ack_us;
    uint32_t keepalive_idle_us, keepalive_interval_us, keepalive_probes; /* idle 0: off */
    uint32_t time_wait_us;
    uint32_t fin_wait_us; /* FIN-WAIT-2 of a connection the application has closed */
    enum tcp_congestion congestion;
    enum tcp_ecn ecn;
    bool timestamps, sack, window_scaling;
    bool syn_cookies;      /* answer SYNs there is no room for by cookies (syn_cookie.h) instead of dropping them */
    uint32_t half_open_us; /* the longest a handshake of a listener may take */
    uint32_t source_half_open_max; /* of one IPv4 address or IPv6 /64; beyond: syn_cookies; 0: no limit */
    uint32_t
        source_connections_max; /* of one IPv4 address or IPv6 /64, to all listeners, TIME-WAIT not counted; 0: no limit */
    uint32_t challenge_acks_max; /* of the instance a second, about (RFC 5961 §10); 0: no limit */
    uint32_t
        packet_pool_users; /* instances that receive into the packet pool and share its bound on what is held; 0: one */
    const struct flow_map
        *flows;         /* tcp_connect() chooses ports whose answers come to this core; NULL: any port. Outlives us */
    uint32_t core;      /* which one we are there */
    uint8_t secret[16]; /* SipHash key for ISN, ports, timestamp offsets: random per start */
};

/* Sensible values for all but the secret. */
void tcp_config_default(struct tcp_config *config);

enum tcp_event_flag {
    TCP_EVENT_ACCEPTED = 1 << 0,  /* a passive open reached ESTABLISHED: user is the listener's; set your own */
    TCP_EVENT_CONNECTED = 1 << 1, /* an active open reached ESTABLISHED */
    TCP_EVENT_READABLE = 1 << 2,  /* new in-order data */
    TCP_EVENT_PEER_FIN = 1 << 3,  /* the peer's FIN is in order: after what is readable comes the end */
    TCP_EVENT_WRITABLE = 1 << 4,  /* tcp_room() grew after it had been too small (see tcp_room) */
    TCP_EVENT_SENT = 1 << 5,      /* all that was written (and FIN, where sent) is acknowledged */
    TCP_EVENT_CLOSED = 1 << 6, /* gone for a reason other than a clean close: see reason; the handle is stale after the
                                   * event has been returned, unread data is lost except after TIMEOUT of our own FIN.
                                   * After a RESET of an active open it comes when all has been read */
};

enum tcp_reason {
    TCP_REASON_NONE,
    TCP_REASON_RESET,       /* the peer's RST */
    TCP_REASON_REFUSED,     /* RST in answer to our SYN */
    TCP_REASON_TIMEOUT,     /* retransmissions ran out */
    TCP_REASON_KEEPALIVE,   /* keepalive probes unanswered */
    TCP_REASON_UNREACHABLE, /* hard ICMP error during SYN-SENT (RFC 5461) */
    TCP_REASON_NO_MEMORY,   /* shed to protect the packet pool */
};

struct tcp_event {
    struct tcp_handle handle;
    uint64_t user;
    uint32_t flags; /* enum tcp_event_flag, several at once; a connection has at most one event per burst */
    enum tcp_reason reason;
};

/* packet_pool serves headers, payload_pool the send buffers (they may be one); indirect_pool (no data room) the indirect
 * mbufs by which a payload is sent and sent again without copying. now_us seeds the wheel. */
enum assay_error tcp_create(const struct tcp_config *config, struct rte_mempool *packet_pool,
                            struct rte_mempool *payload_pool, struct rte_mempool *indirect_pool, uint64_t now_us,
                            struct tcp **out) ASSAY_MUST_USE;
/* Frees every connection (no packet is sent) and returns every mbuf. */
void tcp_destroy(struct tcp *tcp);

/* --- packets and time ------------------------------------------------------------------------------------------------- */

/* Takes over all mbufs of segments[0..n). Returns how many events were appended: at most events_max; what is left over comes
 * with the next call that has an array (tcp_next_timer_us() is 0 until then). */
uint32_t tcp_input(struct tcp *tcp, const struct net_segment *segments, uint32_t n, uint64_t now_us,
                   struct tcp_event *events, uint32_t events_max);
/* Hard and soft errors of RFC 5461, each validated against the connection (sequence in flight). Appends
 * at most events_max events, as tcp_input(). */
uint32_t tcp_icmp_error(struct tcp *tcp, const struct net_icmp_error *error, uint64_t now_us, struct tcp_event *events,
                        uint32_t events_max);
/* Runs what is due, appending at most events_max events (the rest waits for the next turn). */
uint32_t tcp_timers(struct tcp *tcp, uint64_t now_us, struct tcp_event *events, uint32_t events_max);
/* Appends what may go out now, fairly among connections, until tx is full. True when something was left for next turn. */
bool tcp_output(struct tcp *tcp, uint64_t now_us, struct net_tx *tx);
/* Earliest moment at which tcp_timers() may have work; UINT64_MAX when none. */
uint64_t tcp_next_timer_us(const struct tcp *tcp);

/* --- the application --------------------------------------------------------------------------------------------------- */

enum assay_error tcp_listen(struct tcp *tcp, const struct assay_address *local, uint16_t port, uint64_t user)
    ASSAY_MUST_USE;
/* Half-open connections of it are dropped; established ones live on. */
enum assay_error tcp_unlisten(struct tcp *tcp, const struct assay_address *local, uint16_t port) ASSAY_MUST_USE;
/* The application has taken an ACCEPTED connection: it no longer counts against the accept backlog. */
void tcp_accepted(struct tcp *tcp, struct tcp_handle handle);

/* Starts an active open from local (port chosen by RFC 6056, or given when local_port is not 0). NO_PORT when every port
 * toward that address and port is taken, NO_SLOT when the table is full. */
enum assay_error tcp_connect(struct tcp *tcp, const struct assay_address *local, uint16_t local_port,
                             const struct assay_address *remote, uint16_t remote_port, uint64_t user, uint64_t now_us,
                             struct tcp_handle *out) ASSAY_MUST_USE;

/* The same from any of locals[0..count), in this order: the next address is for when the ports of the one before are used up
 * toward that destination. */
enum assay_error tcp_connect_any(struct tcp *tcp, const struct assay_address *locals, uint32_t count,
                                 const struct assay_address *remote, uint16_t remote_port, uint64_t user,
                                 uint64_t now_us, struct tcp_handle *out) ASSAY_MUST_USE;

/* False: the handle is stale, or the peer has reset it, and what is still readable is all that there will be. */
bool tcp_live(const struct tcp *tcp, struct tcp_handle handle);
enum assay_error tcp_set_user(struct tcp *tcp, struct tcp_handle handle, uint64_t user) ASSAY_MUST_USE;

/* The longest contiguous piece at the head of what is readable; empty when there is nothing (or the handle is stale). Valid
 * until the next tcp_consume/tcp_input/tcp_close/tcp_abort. */
struct slice tcp_peek(struct tcp *tcp, struct tcp_handle handle);
/* The same from offset bytes behind the head on: what lies in several pieces is seen one after the other. */
struct slice tcp_peek_at(const struct tcp *tcp, struct tcp_handle handle, size_t offset);
/* Gives back len readable bytes (never more than are readable); may reopen the window (RFC 9293 §3.8.6.2.2). */
void tcp_consume(struct tcp *tcp, struct tcp_handle handle, size_t len);
size_t tcp_readable(const struct tcp *tcp, struct tcp_handle handle);
/* The peer's FIN is in order and everything before it has been consumed. */
bool tcp_at_end(const struct tcp *tcp, struct tcp_handle handle);

/* How many bytes tcp_write() would take now. When that is less than wanted, a WRITABLE event follows once it is not;
 * wanting more than an empty buffer holds counts as wanting all of that. */
size_t tcp_room(struct tcp *tcp, struct tcp_handle handle, size_t wanted);
/* Copies up to len bytes into the send buffer and returns how many (0 when stale or shut down). Nagle is off: the caller
 * writes whole records; full segments are made where there is more. */
size_t tcp_write(struct tcp *tcp, struct tcp_handle handle, const void *data, size_t len);
/* Bytes written and not yet acknowledged. */
size_t tcp_unacked(const struct tcp *tcp, struct tcp_handle handle);

/* FIN after what was written; reading goes on (half close). */
void tcp_shutdown(struct tcp *tcp, struct tcp_handle handle);
/* The application is done with it: FIN after what was written, or RST where received data was left unread or more comes
 * (RFC 1122 §4.2.2.13, RFC 2525 §2.17). The handle is stale at once; no event follows. */
void tcp_close(struct tcp *tcp, struct tcp_handle handle);
/* RST, gone at once; no event follows. */
void tcp_abort(struct tcp *tcp, struct tcp_handle handle);

/* RST to every peer that there is, those of connections that the application has closed too; all are gone at once, TIME-WAIT
 * quietly. Listeners stay. No event follows. RSTs beyond what the reply queue holds are counted (replies_dropped). */
void tcp_reset_all(struct tcp *tcp);

struct tcp_info {
    struct assay_address local, remote;
    uint16_t local_port, remote_port;
    const char *state; /* RFC 9293 §3.3.2 spelling */
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t cwnd_bytes, ssthresh_bytes, snd_wnd_bytes, rcv_wnd_bytes, mss, mtu;
    uint64_t retransmits;
    uint64_t bytes_in, bytes_out;
    bool ecn; /* agreed on */
};
enum assay_error tcp_get_info(const struct tcp *tcp, struct tcp_handle handle, struct tcp_info *out) ASSAY_MUST_USE;

/* Always-on counters of the instance (plain uint64_t, one writer); the list is tcp/counters.def. */
struct tcp_counters;
const struct tcp_counters *tcp_get_counters(const struct tcp *tcp);

#endif
