/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_SENT_H
#define ASSAY_TCP_SENT_H
/* The scoreboard: a record for each segment in flight, in order of sequence and in order of transmission. Every mark goes
 * through here, so that the byte counts of tcp_pipe() always agree with the records.
 * Owner: the instance's pool, sized at creation. Sources: RFC 6675 §3, RFC 8985 §5.2. */
#include "tcp/connection.h"

static inline struct tcp_sent *sent_at(const struct tcp *tcp, uint32_t index)
{
    return &tcp->sent[index];
}

/* A record for what is about to be sent for the first time, behind all others; NULL when the pool or the connection's share of
 * it is used up. The caller has moved nothing yet: snd_nxt is the record's seq. */
struct tcp_sent *sent_add(struct tcp *tcp, struct tcp_connection *c, uint16_t len, bool fin);
/* Takes back the youngest record, whose transmission did not come about. */
void sent_undo_add(struct tcp *tcp, struct tcp_connection *c);
/* The first and last record by sequence, NULL when nothing is in flight. */
struct tcp_sent *sent_first(const struct tcp *tcp, const struct tcp_connection *c);
struct tcp_sent *sent_last(const struct tcp *tcp, const struct tcp_connection *c);

static inline struct tcp_sent *sent_next(const struct tcp *tcp, const struct tcp_sent *sent)
{
    return sent->next == TCP_NONE ? NULL : sent_at(tcp, sent->next);
}

/* Makes two records of one, the first of len data bytes (0 < len < its length), marks and times as before. False when the pool
 * of records is empty: it is whole then. */
bool sent_split(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent, uint32_t len) ASSAY_MUST_USE;

/* Removes the first record: it is acknowledged. */
void sent_remove_first(struct tcp *tcp, struct tcp_connection *c);
/* The first len sequence numbers of the first record are acknowledged; the rest stays. */
void sent_trim_first(struct tcp *tcp, struct tcp_connection *c, uint32_t len);

void sent_mark_sacked(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent);
/* Lost: to be sent again. A retransmission that was in flight is lost with it. */
void sent_mark_lost(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent);
/* Just sent again, at now_us. */
void sent_mark_retransmitted(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent, uint64_t now_us);
/* The receiver has taken its SACKs back (RFC 2018 §8): nothing is SACKed any more. */
void sent_forget_sacks(struct tcp *tcp, struct tcp_connection *c);
/* What was marked lost is in flight after all. */
void sent_forget_losses(struct tcp *tcp, struct tcp_connection *c);

void sent_free_all(struct tcp *tcp, struct tcp_connection *c);
/* Sum of lengths of the records that have all of flags set: for tests. */
uint32_t sent_bytes_with(const struct tcp *tcp, const struct tcp_connection *c, uint8_t flags);

#endif
