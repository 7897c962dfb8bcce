/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_INPUT_H
#define ASSAY_TCP_INPUT_H
/* Segments in: RFC 9293 §3.10.7, one function a step. input.c: reading a segment, steps 1 to 4, 6 to 8. input_ack.c: step 5.
 * input_open.c: LISTEN, SYN-SENT and what a SYN negotiates. */
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
    struct tcp_options options;
};

/* Sequence space it takes: SEG.LEN. */
static inline uint32_t segment_length(const struct tcp_segment *segment)
{
    return segment->len + (segment->flags & TCP_FLAG_SYN ? 1 : 0) + (segment->flags & TCP_FLAG_FIN ? 1 : 0);
}

/* RFC 9293 §3.10.7.1: a RST that the sender of segment will believe. */
void input_reply_reset(struct tcp *tcp, const struct tcp_segment *segment);
/* RFC 5961: an ACK of what we are at, a limited number per time. */
void input_challenge(struct tcp *tcp, struct tcp_connection *c);

/* Step 5. False when the segment is done with (and the connection perhaps gone). */
bool input_ack(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment);
/* Steps 6 to 8. */
void input_text(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment);

/* §3.10.7.2, LISTEN. iss_floor: our first sequence number must lie beyond it (RFC 6191), unless 0. */
void input_listen(struct tcp *tcp, uint32_t listener, const struct tcp_segment *segment, uint32_t iss_floor);
/* §3.10.7.3, SYN-SENT. */
void input_syn_sent(struct tcp *tcp, struct tcp_connection *c, struct tcp_segment *segment);
/* The handshake is over: windows, timers, the application. */
void input_established(struct tcp *tcp, struct tcp_connection *c, const struct tcp_segment *segment);

/* Tuple, numbers and options of an open, active or passive: RFC 6528, RFC 7323 §5.4. */
void open_init(struct tcp *tcp, struct tcp_connection *c, const struct tcp_tuple *tuple, uint32_t hash,
               uint32_t iss_floor);

#endif
