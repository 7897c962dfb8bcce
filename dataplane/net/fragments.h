/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_FRAGMENTS_H
#define ASSAY_NET_FRAGMENTS_H
/* Reassembly of fragmented datagrams of both families, within strict bounds: few datagrams at a time, fewer of one source, few
 * fragments each, and not for long. A datagram whose fragments overlap is never delivered (RFC 5722, RFC 8900 §3.7), nor one
 * whose first fragment is so short that a filter could not see its ports (RFC 1858, RFC 3128, RFC 7112). Knows no headers: it
 * is told where the data of a fragment begin. A mark of congestion on one of them is one on the datagram; one that not all of
 * them could have carried is no mark, and the datagram is dropped (RFC 3168 §5.3).
 * Owner: the table owns the fragments that wait. Thread: one core. Units: bytes, microseconds.
 * Source: RFC 791 §3.2, RFC 815, RFC 1122 §3.3.2, RFC 8200 §4.5, RFC 3168 §5.3. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/address.h"

struct rte_mbuf;
struct net_counters;

#define FRAGMENTS_DATAGRAMS_MAX  32
#define FRAGMENTS_PER_SOURCE_MAX 4
#define FRAGMENTS_PARTS_MAX      16    /* of a datagram */
#define FRAGMENTS_BYTES_MAX      65000 /* of its data: with its headers no more than a length field holds */
#define FRAGMENTS_TIMEOUT_US     15000000ULL

struct fragment {
    struct assay_address src, dst;
    uint32_t id;
    uint8_t key_protocol; /* part of an IPv4 datagram's name; 0 for IPv6 */
    uint8_t protocol;     /* what the data are of: TCP, UDP, … */
    uint8_t ecn;          /* enum net_ecn */
    bool more;            /* it is not the last one */
    uint16_t offset;      /* of its data in the datagram's */
    uint16_t data_at;     /* where they begin in the mbuf */
};

struct fragment_part {
    struct rte_mbuf *m;
    uint32_t offset, length;
};

struct fragment_datagram {
    struct fragment key; /* of the fragment that came first */
    uint64_t due_us;     /* 0: the row is free */
    uint32_t port;
    uint32_t total;                                  /* bytes of data; 0: the last fragment has not come yet */
    uint32_t count;                                  /* of parts */
    uint8_t ecn_seen;                                /* bit n: enum net_ecn n, on one of the parts */
    bool spoilt;                                     /* fragments overlapped: what still comes is dropped as well */
    struct fragment_part parts[FRAGMENTS_PARTS_MAX]; /* by offset */
};

struct fragments {
    struct net_counters *counters;
    uint64_t next_due_us; /* UINT64_MAX: none */
    struct fragment_datagram rows[FRAGMENTS_DATAGRAMS_MAX];
};

void fragments_init(struct fragments *table, struct net_counters *counters);
/* Frees what waits. */
void fragments_fini(struct fragments *table);

/* Takes over m, a fragment that came in on port: headers, then its data to the end. Returns the whole datagram once nothing is
 * missing: the first fragment with its own headers, as they came, and behind them all data (chained); else NULL. *marked: one of
 * the fragments was, and so is the datagram (NET_ECN_CE), whatever the first one's header says. */
struct rte_mbuf *fragments_add(struct fragments *table, uint32_t port, const struct fragment *fragment,
                               struct rte_mbuf *m, uint64_t now_us, bool *marked);
/* Gives up what waited too long, a datagram a call. Returns its first fragment (the caller's then), data at its IP header, and the
 * port it came in on: its source is to be told (RFC 792, RFC 8200 §4.5). What has none, or overlapped, goes without a word.
 * NULL: nothing more is due. */
struct rte_mbuf *fragments_expire(struct fragments *table, uint64_t now_us, uint32_t *port);

#endif
