/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_ECN_H
#define ASSAY_TCP_ECN_H
/* Explicit congestion notification: what the handshake agrees on, the echo of marks on what we receive, and when an echo of the
 * peer's counts. What the window does about it is recovery.c's and congestion.c's. The state is c->ecn, ECN_... of connection.h.
 * Only new data goes out as ECT (§6.1.1, §6.1.4 to §6.1.6; what RFC 8311 §4.3 lets experiments do is not done).
 * Source: RFC 3168 §6.1. */
#include "tcp/connection.h"

/* An active open: asks for it where the configuration says so. */
void ecn_ask(const struct tcp *tcp, struct tcp_connection *c);
/* Our SYN goes out again: a host or path that drops SYNs that ask gets one that does not (§6.1.1.1). */
void ecn_fall_back(struct tcp *tcp, struct tcp_connection *c);
/* ECE and CWR of our SYN or SYN-ACK. */
uint8_t ecn_syn_flags(const struct tcp_connection *c);

/* Does a SYN with these flags ask for it, and do we agree? */
bool ecn_asked(const struct tcp *tcp, uint8_t flags);
/* The peer's SYN or SYN-ACK: the state is still that in which it came. */
void ecn_take_syn(const struct tcp *tcp, struct tcp_connection *c, uint8_t flags);
/* In SYN-RECEIVED, the peer's SYN has come again; it may ask no longer. */
void ecn_syn_again(struct tcp_connection *c, uint8_t flags);
/* The SYN-ACK of a simultaneous open: it may not agree. */
void ecn_syn_answered(struct tcp_connection *c, uint8_t flags);

/* A segment with text inside the window, where it is agreed on: a mark is to be echoed until CWR comes (§6.1.3). */
void ecn_input(struct tcp *tcp, struct tcp_connection *c, uint8_t flags, bool marked);
/* An ACK has been accounted for: is what was in flight at the last reduction past? echo: it tells of a mark. */
void ecn_on_ack(struct tcp *tcp, struct tcp_connection *c, bool echo);
/* The window has been reduced for whatever reason: the peer is to hear of it (§6.1.2). */
void ecn_window_reduced(struct tcp_connection *c);
/* That was undone. */
void ecn_window_restored(struct tcp_connection *c);

#endif
