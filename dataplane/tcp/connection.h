/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_CONNECTION_H
#define ASSAY_TCP_CONNECTION_H
/* The instance and its connections: what the files of tcp/ share. Not for others: they have tcp.h.
 * Names of RFC 9293 §3.3.1 (snd_una, rcv_nxt, ...) mean what they mean there. */
#include <assert.h>
#include <sys/queue.h>

#include <rte_branch_prediction.h>

#include "base/address.h"
#include "base/sequence.h"
#include "base/timer_wheel.h"
#include "tcp/counters.h"
#include "tcp/options.h"
#include "tcp/tcp.h"
#include "tcp/wire.h"

struct rte_mbuf;

#define TCP_NONE UINT32_MAX /* no index */

enum tcp_state {
#define TCP_STATE(name, spelling) TCP_##name,
#include "tcp/states.def"
#undef TCP_STATE
};

/* Deadlines of a connection; one wheel node waits for the earliest. */
enum tcp_timer {
    TCP_TIMER_REXMT,     /* SYN, RTO, probe, reordering or persist: see enum tcp_rexmt */
    TCP_TIMER_DELACK,    /* RFC 1122 §4.2.3.2 */
    TCP_TIMER_KEEPALIVE, /* RFC 9293 §3.8.4 */
    TCP_TIMER_WAIT,      /* TIME-WAIT, FIN-WAIT-2 of a connection the application has closed, half-open ones */
    TCP_TIMER_COUNT,
};

enum tcp_rexmt { TCP_REXMT_RTO, TCP_REXMT_PROBE, TCP_REXMT_REORDER, TCP_REXMT_PERSIST };

enum tcp_recovery {
    TCP_RECOVERY_OPEN,
    TCP_RECOVERY_FAST, /* RFC 6675 / 8985 loss recovery, window by RFC 9937 */
    TCP_RECOVERY_LOSS, /* after a retransmission timeout */
};

/* RFC 5682 §2.1: was a timeout early? For connections without SACK and timestamps, which would tell. */
enum tcp_frto {
    TCP_FRTO_OFF,
    TCP_FRTO_HEAD, /* the head was sent again: does the ACK of it acknowledge more than that? */
    TCP_FRTO_NEW,  /* it does: two new segments may go out ... */
    TCP_FRTO_WAIT, /* ... and are out: the next ACK tells */
};

/* RFC 3168: ecn.h. */
enum {
    ECN_ASKED = 1 << 0,    /* a SYN of ours has asked for it */
    ECN_ON = 1 << 1,       /* agreed on: marks are echoed, and echoes heard */
    ECN_ECT = 1 << 2,      /* all our SYNs asked for it: new data may go out as ECT */
    ECN_ECHO = 1 << 3,     /* data has come marked: ECE goes out until CWR comes */
    ECN_CWR = 1 << 4,      /* the window was reduced: CWR is due with the next new data */
    ECN_HOLD = 1 << 5,     /* as long as nothing beyond cwr_point is acknowledged, an echo is of what we know */
    ECN_REDUCING = 1 << 6, /* an echo was answered: the window falls to ssthresh (RFC 9937) until then */
    ECN_PAUSE = 1 << 7, /* echoed with a window of one segment: no new data before the retransmission timer expires */
};

/* RFC 9406. */
enum tcp_hystart {
    TCP_HYSTART_OFF,      /* the first slow start is over */
    TCP_HYSTART_STANDARD, /* slow start, watching the delay */
    TCP_HYSTART_CONSERVATIVE,
};

enum {
    CONN_ORPHAN = 1 << 0,          /* the application has closed it: its handle is stale, no events */
    CONN_ANNOUNCED = 1 << 1,       /* the application has its handle */
    CONN_PASSIVE = 1 << 2,         /* from a listener */
    CONN_HALF_OPEN = 1 << 3,       /* counted in the listener's half-open */
    CONN_ACCEPT_QUEUED = 1 << 4,   /* counted in the listener's accept backlog */
    CONN_IN_TABLE = 1 << 5,        /* found by its tuple */
    CONN_IN_OUTPUT = 1 << 6,       /* in the list of those with something to send */
    CONN_IN_EVENTS = 1 << 7,       /* in the list of those with something to tell */
    CONN_ACK_NOW = 1 << 8,         /* an ACK is due at the next output */
    CONN_SYN_NOW = 1 << 9,         /* SYN or SYN-ACK is due */
    CONN_FIN_QUEUED = 1 << 10,     /* the application will write no more */
    CONN_FIN_SENT = 1 << 11,       /* snd_nxt is past our FIN */
    CONN_PEER_FIN_KNOWN = 1 << 12, /* rcv_fin holds the FIN's sequence number; data before it may be missing */
    CONN_PEER_FIN = 1 << 13,       /* the peer's FIN is in order: rcv_nxt is past it */
    CONN_SACK = 1 << 14,
    CONN_TIMESTAMPS = 1 << 15,
    CONN_WINDOW_SCALE = 1 << 16,
    CONN_WANTS_ROOM = 1 << 17,    /* tcp_room() was too small: WRITABLE once it is room_wanted */
    CONN_STARVED = 1 << 18,       /* in the list of those that wait for the payload pool */
    CONN_CWND_LIMITED = 1 << 19,  /* the congestion window held something back since the last growth */
    CONN_REORDERING = 1 << 20,    /* RACK.reordering_seen */
    CONN_DSACK_ROUND = 1 << 21,   /* rack_dsack_round is set */
    CONN_PROBE_OUT = 1 << 22,     /* a tail loss probe is in flight: probe_end */
    CONN_PROBE_AGAIN = 1 << 23,   /* that probe was a retransmission */
    CONN_PROBE_NOW = 1 << 24,     /* a tail loss probe is due */
    CONN_KEEPALIVE_NOW = 1 << 25, /* a keepalive probe is due */
    CONN_PERSIST_NOW = 1 << 26,   /* a window probe is due */
    CONN_DSACK_DUE = 1 << 27,     /* dsack is to be reported (RFC 2883) */
    CONN_TIME_WAIT_LISTED = 1 << 28,
    CONN_WINDOW_UPDATE = 1 << 29, /* the ACK that is due opens the window: for the counter */
    CONN_UNDO = 1 << 30,          /* undo_* hold the windows from before the loss, in case it was none */
};

/* What is in flight: a segment's worth of sequence space, or of several that the port cut apart (TSO). In two lists of its connection: by sequence number, and by time of
 * the last transmission (RFC 8985 §6.2: only what is neither SACKed nor marked lost). */
struct tcp_sent {
    uint64_t sent_us;              /* last transmission */
    struct rte_mbuf *mbuf;         /* where its data begins ... */
    uint32_t next, prev;           /* by sequence */
    uint32_t time_next, time_prev; /* by time */
    uint32_t seq;
    uint16_t offset; /* ... and at which byte of the mbuf's buffer */
    uint16_t len;    /* data bytes; a FIN counts one more sequence number */
    uint8_t flags;
    uint8_t retransmits; /* saturates */
};

enum {
    SENT_FIN = 1 << 0,
    SENT_SACKED = 1 << 1,
    SENT_LOST = 1 << 2,
    SENT_RETRANSMITTED = 1 << 3,
    SENT_CUT = 1 << 4,   /* the retransmission in flight is only as much of it as the peer's window had room for */
    SENT_PROBE = 1 << 5, /* larger than a full segment, to see whether it passes: path.h */
};

static inline uint32_t sent_end(const struct tcp_sent *sent)
{
    return sent->seq + sent->len + (sent->flags & SENT_FIN ? 1 : 0);
}

struct tcp_rate_limit {
    uint32_t window_ms; /* start of the current interval */
    uint16_t count;
};

struct tcp_connection {
    /* --- line 0: who it is; all that a lookup reads --- */
    struct assay_address local, remote;
    uint16_t local_port, remote_port;
    uint32_t hash;
    uint32_t hash_next;
    uint32_t generation;
    uint32_t flags;
    uint8_t state;
    uint8_t recovery;
    uint8_t snd_shift, rcv_shift;
    uint8_t rexmt;   /* enum tcp_rexmt: what TCP_TIMER_REXMT stands for */
    uint8_t backoff; /* doublings of the RTO */
    uint8_t retries; /* timeouts or unanswered probes in a row */
    uint8_t dup_acks;
    uint16_t listener;
    uint8_t events; /* enum tcp_event_flag, not yet handed out */
    uint8_t reason;

    /* --- lines 1 and 2: what every segment in or out touches --- */
    uint32_t snd_una, snd_nxt, snd_wnd, snd_wnd_max;
    uint32_t snd_wl1, snd_wl2;
    uint32_t cwnd, ssthresh;           /* bytes */
    uint32_t sacked_bytes, lost_bytes; /* of what is in flight; see tcp_pipe() */
    uint16_t snd_mss;                  /* payload of a full segment, timestamps already taken off */
    uint16_t peer_mss;                 /* the largest segment the peer has sent: what delayed ACKs count in */

    uint32_t rcv_nxt;
    uint32_t rcv_adv;   /* right edge of the window as offered */
    uint32_t rcv_acked; /* Last.ACK.sent of RFC 7323 */
    uint32_t ts_recent;
    uint32_t ts_recent_s; /* when, for the 24 days of RFC 7323 §5.5 */
    uint32_t ts_offset;
    uint8_t keepalive_sent;
    uint8_t sack_count;   /* of sack[] */
    uint8_t ecn;          /* ECN_... */
    uint8_t frto;         /* enum tcp_frto */
    uint64_t last_in_us;  /* something was received: keepalive */
    uint64_t last_out_us; /* data was sent: restart after idle, probe timeout */

    struct rte_mbuf *send_head, *send_tail; /* payload, from snd_una on */
    struct rte_mbuf *send_next;             /* where the next unsent byte is ... */
    uint32_t send_bytes;                    /* buffered: unacknowledged and unsent */
    uint16_t send_next_offset;              /* ... at which byte of its buffer */
    uint16_t send_mbufs, receive_mbufs;
    uint32_t sent_count;
    uint32_t sent_head, sent_tail, time_head, time_tail; /* records in flight */

    struct rte_mbuf *receive_head, *receive_tail; /* in order, not yet consumed */
    struct rte_mbuf *ooo_head, *ooo_tail;         /* what came behind a gap */
    uint32_t receive_bytes;
    uint32_t truesize;       /* what both receive queues pin */
    uint32_t collapse_floor; /* of it, what the last collapse could not save */
    uint32_t turn_delivered; /* newly acknowledged or SACKed in this turn, since it last could send ... */

    /* --- timers --- */
    uint64_t due_us[TCP_TIMER_COUNT]; /* 0: off */
    struct timer_node timer;
    uint64_t rto_start_us; /* RFC 6298 (5.3): when the timer was last restarted */
    uint32_t rto_us, srtt_us, rttvar_us, min_rtt_us;

    /* --- what the application is told --- */
    uint64_t user;
    uint64_t bytes_in, bytes_out;
    TAILQ_ENTRY(tcp_connection) event_link;
    TAILQ_ENTRY(tcp_connection) output_link; /* free list too */

    /* --- loss recovery --- */
    uint32_t recovery_point;
    uint32_t turn_us;                            /* ... which is this one: now_us, its low half */
    uint32_t prr_delivered, prr_out, prr_flight; /* RFC 9937; prr_flight: RecoverFS */
    uint32_t rack_rtt_us, rack_end, rack_fack;
    uint32_t rack_dsack_round;
    uint64_t rack_sent_us;
    uint8_t rack_reo_mult, rack_reo_persist;
    uint32_t probe_end;
    uint32_t undo_cwnd, undo_ssthresh, undo_w_max, undo_ts;
    uint32_t undo_marker;  /* snd_una when the losses of this episode were found */
    uint16_t undo_retrans; /* retransmissions since that no DSACK has shown to be needless (RFC 3708) */
    uint8_t undo_recovery; /* enum tcp_recovery: what would be undone */

    /* --- path MTU: path.h --- */
    bool mtu_suspect;      /* lowered after timeouts, and nothing acknowledged since */
    uint16_t mtu;          /* of the path, as far as known */
    uint16_t mtu_failed;   /* the smallest size that is known not to pass; 0: none */
    uint16_t mss_limit;    /* the smaller of the peer's MSS and ours */
    uint64_t mtu_probe_us; /* when to try a larger one; 0: never, or one is in flight */

    /* --- congestion control: RFC 9438 §4.1, or the bytes counted toward the next segment of NewReno --- */
    uint64_t epoch_us;
    float cubic_k_s, cubic_w_est;
    uint32_t cubic_w_max, cubic_prior;
    uint32_t acked_acc;

    /* --- HyStart++: hystart.c --- */
    uint32_t hystart_end;                     /* windowEnd: what was sent when the round began */
    uint32_t hystart_last_us, hystart_now_us; /* the smallest round trip of the last round, and of this one; 0: none */
    uint32_t hystart_baseline_us;             /* of conservative slow start, when it began */
    uint8_t hystart;                          /* enum tcp_hystart */
    uint8_t hystart_samples, hystart_rounds;

    /* --- receiving out of order --- */
    uint32_t rcv_fin;
    uint8_t quick_acks;                              /* so many full segments more are acknowledged one by one */
    uint8_t gap_acks;                                /* ... and were, since rcv_nxt last moved */
    struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX]; /* most recent first (RFC 2018 §4) */
    struct tcp_sack_block dsack;

    /* --- cold --- */
    uint32_t room_wanted;
    uint32_t iss, irs;
    uint32_t source; /* where source_limit.h counts it, or SOURCE_NONE */
    struct tcp_rate_limit challenge;
    uint32_t retransmits;
    uint32_t cwr_point; /* snd_nxt when the window was last reduced, with ECN_HOLD */
    uint64_t opened_us;
    TAILQ_ENTRY(tcp_connection) wait_link; /* TIME-WAIT or half-open by age, or the starved */
} __attribute__((aligned(64)));

/* What a segment in or out touches as a rule, and nothing else: fetched ahead for each burst (tcp_table_prefetch()). */
#define TCP_CONNECTION_HOT_LINES 7
static_assert(offsetof(struct tcp_connection, snd_una) == 64, "a lookup reads one cache line");
static_assert(offsetof(struct tcp_connection, due_us) % 64 == 0, "the timers lie in one cache line");
static_assert(offsetof(struct tcp_connection, rack_sent_us) < 64 * TCP_CONNECTION_HOT_LINES,
              "the hot lines come first");
static_assert(sizeof(struct tcp_connection) <= 640, "an idle connection is small (DESIGN, numbers to keep in mind)");

TAILQ_HEAD(tcp_connection_list, tcp_connection);

#define TCP_LISTENERS_MAX 256

struct tcp_listener {
    struct assay_address local; /* all zero or 0.0.0.0: any */
    uint64_t user;
    uint32_t half_open, accept_queued;
    uint64_t cookie_us; /* when it sent the last SYN cookie; 0: never */
    uint16_t port;
    bool live;
};

/* A segment that belongs to no connection: a RST, or a SYN-ACK with a cookie, which alone has options. */
struct tcp_reply {
    struct assay_address src, dst;
    uint16_t source_port, destination_port;
    uint32_t sequence, acknowledgment;
    uint16_t window;
    uint8_t flags;
    struct {
        uint16_t mss;
        bool timestamps, sack, window_scaling;
        uint32_t ts_value, ts_echo;
    } syn;
};

/* What is known of the path to a destination whose MTU is smaller than the port's. */
struct tcp_path {
    struct assay_address remote;
    uint64_t until_us; /* forgotten then */
    uint16_t mtu;
};

#define TCP_PATH_SETS 256 /* a destination's place is in one of them */
#define TCP_PATH_WAYS 4

#define TCP_REPLIES_MAX 512
#define TCP_PORT_SLOTS  256

/* All ports toward one destination were taken when so many connections had left theirs: no need to look through them again
 * before another one does. */
struct tcp_ports_full {
    uint64_t destination; /* its keyed hash; 0: none */
    uint32_t freed;
};

struct tcp {
    struct tcp_config config;
    uint32_t
        receive_limit; /* what a connection's receive queues may pin: receive_buffer_bytes, or what its mbufs hold */
    uint32_t receive_capacity; /* the largest window: what always fits into that */
    uint32_t send_capacity;    /* the largest tcp_room() */
    uint8_t rcv_shift;
    uint64_t now_us;
    struct rte_mempool *packet_pool, *payload_pool, *indirect_pool;

    struct tcp_connection *connections;
    struct tcp_connection_list free;
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct tcp_connection_list output, events, time_wait, half_open, starved;
    uint32_t time_wait_count, half_open_count;
    struct source_limit *sources; /* NULL: no limits per source */
    uint64_t challenge_second;    /* the second that challenges_left is of */
    uint32_t challenges_left;
    uint64_t starved_since_us;

    struct tcp_sent *sent;
    uint32_t sent_free;
    uint32_t sent_max_per_connection;

    uint32_t received_mbufs, received_mbufs_max; /* held by all receive queues */
    bool receive_refused;                        /* data was dropped because they hold too many together */
    uint32_t shed_next, shed_next_ooo;           /* the slot to look at next */
    uint64_t shed_us;                            /* when the last one was ended */
    uint64_t starving_since_us;                  /* the payload pool has been empty since; 0: it is not */

    struct timer_wheel timers;
    struct tcp_listener listeners[TCP_LISTENERS_MAX];
    uint32_t listener_count; /* slots ever used */
    struct tcp_reply replies[TCP_REPLIES_MAX];
    uint32_t reply_first, reply_count;
    struct net_tx acks;                 /* built while segments came in, for the next tcp_output() ... */
    uint32_t acks_first;                /* ... from here on */
    uint32_t port_next[TCP_PORT_SLOTS]; /* RFC 6056 §3.3.4 */
    struct tcp_ports_full ports_full[TCP_PORT_SLOTS];
    uint32_t ports_freed; /* active opens that have left their port, or may soon, since the start */
    struct tcp_path paths[TCP_PATH_SETS * TCP_PATH_WAYS];
    struct tcp_counters counters;
};

static inline bool conn_has(const struct tcp_connection *c, uint32_t flags)
{
    return (c->flags & flags) != 0;
}

static inline uint32_t conn_index(const struct tcp *tcp, const struct tcp_connection *c)
{
    return (uint32_t)(c - tcp->connections);
}

/* In a state in which sequence numbers of both sides are known. */
static inline bool conn_synchronized(const struct tcp_connection *c)
{
    return c->state >= TCP_ESTABLISHED;
}

/* What we believe to be in the network, in bytes: RFC 6675's pipe, kept by counting. Without SACK each duplicate ACK stands
 * for a segment that has left it (RFC 5681 §3.2). */
static inline uint32_t tcp_pipe(const struct tcp_connection *c)
{
    uint32_t flight = c->snd_nxt - c->snd_una;
    uint32_t gone = c->sacked_bytes + c->lost_bytes + c->dup_acks * c->snd_mss;

    return flight > gone ? flight - gone : 0;
}

/* Where the peer's window ends, as it told us last. */
static inline uint32_t conn_snd_edge(const struct tcp_connection *c)
{
    return c->snd_una + c->snd_wnd;
}

/* The sequence number of a segment without data. snd_nxt, unless the peer has taken window back (RFC 9293 §3.8.6): a segment
 * beyond what it accepts now would be dropped, and its ACK with it, so that neither side ever got on. */
static inline uint32_t conn_control_seq(const struct tcp_connection *c)
{
    uint32_t edge = conn_snd_edge(c);

    return conn_synchronized(c) && seq_gt(c->snd_nxt, edge) ? edge : c->snd_nxt;
}

/* IP and TCP headers of segments to remote, options not counted. */
static inline uint16_t tcp_headers(const struct assay_address *remote)
{
    return address_is_ip4(remote) ? TCP_HEADERS_IP4 : TCP_HEADERS_IP6;
}

/* The largest segment from there that our port takes: what we announce. */
static inline uint16_t tcp_own_mss(const struct tcp *tcp, const struct assay_address *remote)
{
    return (uint16_t)(tcp->config.mtu - tcp_headers(remote));
}

static inline uint16_t conn_own_mss(const struct tcp *tcp, const struct tcp_connection *c)
{
    return tcp_own_mss(tcp, &c->remote);
}

/* Our timestamp clock: milliseconds and a secret offset (RFC 7323 §5.4). */
static inline uint32_t conn_ts_now(const struct tcp_connection *c, uint64_t now_us)
{
    return (uint32_t)(now_us / 1000) + c->ts_offset;
}

/* A live connection the application may name, or NULL. */
struct tcp_connection *tcp_by_handle(const struct tcp *tcp, struct tcp_handle handle);
struct tcp_handle conn_handle(const struct tcp *tcp, const struct tcp_connection *c);

const char *tcp_state_text(enum tcp_state state);
/* The only place where a state changes; keeps what hangs on it (backlogs, TIME-WAIT list, timers). */
void conn_set_state(struct tcp *tcp, struct tcp_connection *c, enum tcp_state state);

/* A fresh connection, in no table and no list, or NULL (others give way first: shed.h). */
struct tcp_connection *conn_new(struct tcp *tcp);
/* Out of the table, the lists and the wheel; packet memory returned; the slot is free and its handle stale. */
void conn_free(struct tcp *tcp, struct tcp_connection *c);
/* The application lets go of it: its handle is stale, it hears nothing more; the connection goes on by itself. */
void conn_orphan(struct tcp *tcp, struct tcp_connection *c);
/* It is over without error: freed when the application has closed it, else kept (CLOSED) until it does. */
void conn_finish(struct tcp *tcp, struct tcp_connection *c);
/* It is over with an error: freed, after the application has been told where it knows of it. */
void conn_fail(struct tcp *tcp, struct tcp_connection *c, enum tcp_reason reason);
/* The peer's RST. Of an active open what it had sent before stays readable, and CLOSED comes behind it: it may be the answer that
 * we asked for, from a peer that then closed with our text unread (RFC 2525 §2.17). */
void conn_reset(struct tcp *tcp, struct tcp_connection *c);

/* A passive open that waits for the ACK of our SYN-ACK: it counts in its listener's backlog, and the clock runs. */
void conn_half_open(struct tcp *tcp, struct tcp_connection *c);
/* The application has taken it: it leaves the listener's accept backlog. */
void conn_accepted(struct tcp *tcp, struct tcp_connection *c);

/* Something has happened that the application should hear of. */
void conn_raise(struct tcp *tcp, struct tcp_connection *c, uint32_t events);
/* Hands out what has been raised, and frees what has failed. */
uint32_t conn_flush_events(struct tcp *tcp, struct tcp_event *events, uint32_t events_max);

/* It has something to send: tcp_output() will look at it. */
void conn_want_output(struct tcp *tcp, struct tcp_connection *c);
static inline void conn_ack_now(struct tcp *tcp, struct tcp_connection *c)
{
    c->flags |= CONN_ACK_NOW;
    conn_want_output(tcp, c);
}

#endif
