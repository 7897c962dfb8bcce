/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_PATH_H
#define ASSAY_TCP_PATH_H
/* The path MTU of a connection: learned from "too big" errors that fit what is in flight, from full segments that time out
 * again and again while smaller ones pass, and from probes that go up again; remembered for each destination, so that the next
 * connection begins with it. Segments in flight that have become too big are sent again in smaller ones at once, and the
 * congestion window stays: nothing says that the path is congested.
 * Owner: the instance; the memory of destinations is a table of fixed size.
 * Source: RFC 1191 §6 (ageing, plateaus), RFC 8201, RFC 5927 §7 (validation), RFC 4821 §7 and RFC 8899 §5 (probes, black
 * holes). */
#include "tcp/connection.h"

/* What the peer's SYN and the memory of destinations allow: sets mtu and snd_mss. mss_limit and CONN_TIMESTAMPS are set. */
void path_open(struct tcp *tcp, struct tcp_connection *c);
/* A "too big" error about sequence; mtu 0: it did not say. False when it cannot be true. */
bool path_too_big(struct tcp *tcp, struct tcp_connection *c, uint32_t sequence, uint32_t mtu);
/* The retransmission timer has fired: is it the size that does not get through? Before anything is marked lost. */
void path_timeout(struct tcp *tcp, struct tcp_connection *c);
/* Something new was acknowledged. */
void path_acked(struct tcp *tcp, struct tcp_connection *c);

/* The payload of the probe that should go out now instead of a full segment, 0: none. unsent, room: what there is to send, and
 * what windows and congestion control let out. */
uint32_t path_probe_length(struct tcp *tcp, struct tcp_connection *c, uint32_t unsent, uint32_t room);
/* A record with SENT_PROBE has arrived, or is lost: the loss says nothing about congestion. */
void path_probe_passed(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent);
void path_probe_lost(struct tcp *tcp, struct tcp_connection *c, struct tcp_sent *sent);

/* What is remembered for a destination; the port's MTU when nothing is. */
uint16_t path_remembered(const struct tcp *tcp, const struct assay_address *remote);

#endif
