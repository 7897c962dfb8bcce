/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_INPUT_H
#define ASSAY_TCP_INPUT_H
/* Segments in: RFC 9293 §3.10.7, one function a step. input.c: reading a segment, steps 1 to 4, 6 to 8. input_ack.c: step 5.
 * input_open.c: LISTEN, SYN-SENT and what a SYN negotiates. input_cookie.c: LISTEN without memory. challenge.c: RFC 5961.
 * ecn.c: RFC 3168. */
#include "tcp/connection.h"
#include "tcp/table.h"

struct tcp_segment {
    struct rte_mbuf *mbuf; /* the payload; NULL once somebody else owns it */
    struct tcp_tuple tuple;
    uint32_t hash;
    uint32_t seq, ack;
    uint32_t len; /* payload bytes */
    uint16_t window;
    uint8_t flags;
    bool was_syn; /* a SYN-ACK whose SYN had come before: its window is not scaled (RFC 7323 §2.2) */
    bool marked;  /* CE: a queue on its way was congested (RFC 3168) */
    bool was_cut; /* text or FIN lay beyond the window and is gone: it is no bare ACK all the same (RFC 5681 §2) */
    bool own_ack; /* no later ACK is to stand for its own */
    struct tcp_options options;
};

/* Sequence space it takes: SEG.LEN. */
static inline uint32_t segment_length(const struct tcp_segment *segment)
{
    return segment->len + (segment->flags & TCP_FLAG_SYN ? 1 : 0) + (segment->flags & TCP_FLAG_FIN ? 1 : 0);
}

/* RFC 9293 §3.10.7.1: a RST that the sender of segment will believe. */
void input_reply_reset(struct tcp *tcp, const struct tcp_segment *segment);
/* RFC 5961: an ACK of what we are at, a limited number per time for each connection (§7) and for all together (§10). */
void input_challenge(struct tcp *tcp, struct tcp_connection *c);

/* §3.10.7.4: a segment for a connection in any state but SYN-SENT. */
void input_synchronized(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment);
/* Text and FIN beyond the window are cut off. */
void input_cut_to_window(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment);

/* Step 5. False when the segment is done with (and the connection perhaps gone). */
bool input_ack(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment);
/* Steps 6 to 8. */
void input_text(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment);

/* §3.10.7.2, LISTEN. iss_floor: our first sequence number must lie beyond it (RFC 6191), unless 0. */
void input_listen(struct tcp *tcp, uint32_t listener, struct tcp_segment *segment, uint32_t iss_floor);
/* Answers a SYN there is no room for with a cookie (syn_cookie.h). */
void input_send_cookie(struct tcp *tcp, uint32_t listener, const struct tcp_segment *segment);
/* A segment with ACK for a listener: may it end a handshake of which we kept nothing but the cookie? True when it was dealt
 * with; else it deserves a RST. */
bool input_take_cookie(struct tcp *tcp, uint32_t listener, struct tcp_segment *segment);
/* §3.10.7.3, SYN-SENT. */
void input_syn_sent(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment);
/* The handshake is over: windows, timers, the application. */
void input_established(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment);

/* Tuple, numbers and options of an open, active or passive: RFC 6528, RFC 7323 §5.4. */
void open_init(struct tcp *tcp, struct tcp_connection *c, const struct tcp_tuple *tuple, uint32_t hash,
               uint32_t iss_floor);
/* Our timestamp clock for a tuple of which there is no connection yet. */
uint32_t open_ts_now(const struct tcp *tcp, const struct tcp_tuple *tuple);
/* What a passive open is counted in besides its listener. */
void open_passive(struct tcp *tcp, struct tcp_connection *c, uint32_t listener, bool half_open);
/* The peer's SYN: its numbers, and what it asks for and we agree to. */
void open_take_syn(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment);
/* The MSS a SYN announces, or the default it stands for without the option (RFC 9293 §3.7.1), within our bounds. */
uint16_t open_mss(const struct tcp *tcp, const struct tcp_segment *segment);
/* Has peer's prefix as many connections as it may have? */
bool open_source_is_full(const struct tcp *tcp, const struct assay_address *peer);

#endif
