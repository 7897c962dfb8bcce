/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_RECOVERY_H
#define ASSAY_TCP_RECOVERY_H
/* Loss detection and recovery, what an ACK tells being collected in a sample first. sack.c reads SACK blocks, rack.c decides
 * what is lost, recovery.c what the connection does about it, rtt.c keeps the estimates. */
#include "tcp/connection.h"

struct tcp_ack_sample {
    uint64_t now_us;
    uint32_t acked_bytes;     /* cumulatively acknowledged */
    uint32_t delivered_bytes; /* newly acknowledged or SACKed */
    uint32_t rtt_us;          /* of the youngest segment delivered that was sent once; 0: none */
    uint32_t lost_bytes;      /* newly marked lost */
    uint32_t ts_echo;
    uint32_t fack_before; /* RACK.fack when the ACK came */
    bool has_ts;
    bool echo;             /* the peer tells of a mark (ECE) on what we sent as ECT */
    bool dsack;            /* the peer received something twice */
    bool duplicate;        /* a duplicate ACK (RFC 5681 §2) */
    bool retransmit_acked; /* the first segment acknowledged had been sent again */
    bool original_arrived; /* something arrived that was taken for lost, and had not been sent again */
    bool all_needless;     /* DSACKs tell that all that was sent again had arrived */
};

/* --- sack.c: RFC 2018, 2883, 6675 --- */
/* Marks what the blocks cover. snd_una is still the one before this ACK. */
void sack_apply(struct tcp *tcp, struct tcp_connection *c, const struct tcp_options *options, uint32_t ack,
                struct tcp_ack_sample *sample);
/* A range has come out of order; it becomes the first block to report. */
void sack_report(struct tcp_connection *c, uint32_t start, uint32_t end);
/* A range has come again (RFC 2883). */
void sack_report_duplicate(struct tcp_connection *c, uint32_t start, uint32_t end);
/* rcv_nxt has moved: what lies below is no longer reported. */
void sack_forget_below(struct tcp_connection *c, uint32_t rcv_nxt);
/* Nothing from end on is held (any more). */
void sack_forget_from(struct tcp_connection *c, uint32_t end);
/* What the next ACK reports; the duplicate goes first, once. */
uint32_t sack_blocks(struct tcp_connection *c, struct tcp_sack_block out[TCP_SACK_BLOCKS_MAX]);

/* --- rack.c: RFC 8985 --- */
/* A segment has been delivered (§6.2 steps 1 to 3). */
void rack_delivered(struct tcp_connection *c, const struct tcp_sent *sent, struct tcp_ack_sample *sample);
/* Step 4: the reordering window, widened by DSACKs. */
void rack_update_window(struct tcp_connection *c, const struct tcp_ack_sample *sample);
/* Step 5: marks what is lost; returns after how many microseconds to look again, 0: no need. */
uint32_t rack_detect(struct tcp *tcp, struct tcp_connection *c, uint64_t now_us, uint32_t *lost_bytes);
/* §6.3: the retransmission timer has fired. */
void rack_timeout(struct tcp *tcp, struct tcp_connection *c, uint64_t now_us);
/* §7.2: how long to wait for an ACK before a tail loss probe, or 0 when none may be sent. */
uint32_t rack_probe_timeout_us(const struct tcp *tcp, const struct tcp_connection *c);
/* §7.3: a probe goes out, new data if there is any. */
void rack_probe_sent(struct tcp_connection *c, bool retransmission);
/* §7.4: has a probe repaired a loss? The window must pay for it then. */
bool rack_probe_acked(struct tcp_connection *c, uint32_t ack, const struct tcp_ack_sample *sample);

/* --- rtt.c: RFC 6298 --- */
void rtt_sample(const struct tcp *tcp, struct tcp_connection *c, uint32_t rtt_us);

/* --- hystart.c: RFC 9406, slow start that ends before the queue overflows. For a connection's first slow start alone; a loss
 * ends it (TCP_HYSTART_OFF). --- */
void hystart_init(struct tcp_connection *c);
/* An ACK, snd_una moved, with the round trip it has measured (0: none). */
void hystart_on_ack(struct tcp *tcp, struct tcp_connection *c, uint32_t rtt_us);
/* What slow start's window grows by where so many bytes were acknowledged. */
uint32_t hystart_growth(const struct tcp_connection *c, uint32_t bytes);

/* --- recovery.c --- */
/* After SACKs and snd_una are accounted: detect, enter, leave, set the window. Returns RACK's wait. */
uint32_t recovery_on_ack(struct tcp *tcp, struct tcp_connection *c, struct tcp_ack_sample *sample);
/* Something was sent again: what may turn out to have been needless. */
void recovery_on_retransmit(const struct tcp *tcp, struct tcp_connection *c);
/* The retransmission timer has fired with data in flight. */
void recovery_on_timeout(struct tcp *tcp, struct tcp_connection *c);
/* RACK's reordering timer has fired. Returns its next wait. */
uint32_t recovery_on_reorder_timer(struct tcp *tcp, struct tcp_connection *c);
/* A segment goes out while the window falls (RFC 9937: prr_out). */
void recovery_on_sent(struct tcp_connection *c, uint32_t len);

/* --- congestion.c: RFC 5681, 9438, 3168 --- */
void congestion_init(const struct tcp *tcp, struct tcp_connection *c);
/* The window grows by what was acknowledged, if it was what held us back. */
void congestion_on_ack(const struct tcp *tcp, struct tcp_connection *c, uint32_t acked_bytes);
/* Loss: sets ssthresh, and what CUBIC remembers; the caller sets cwnd. */
void congestion_on_loss(const struct tcp *tcp, struct tcp_connection *c);
/* The peer tells of a mark on what was in flight, acked_bytes among it: the same, and returns what cwnd is to fall to, at least
 * one segment. */
uint32_t congestion_on_echo(const struct tcp *tcp, struct tcp_connection *c, uint32_t acked_bytes);
/* It was no loss: the windows are those of undo_* again. */
void congestion_undo(struct tcp_connection *c);
/* RFC 5681 §4.1: idle for longer than an RTO. */
void congestion_after_idle(const struct tcp *tcp, struct tcp_connection *c);
uint32_t congestion_initial_window(uint32_t mss);

#endif
