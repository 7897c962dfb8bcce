/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_SIM_LINK_H
#define ASSAY_TESTS_SIM_LINK_H
/* One direction of a simulated path: rate, queue (that may mark what is ECT, RFC 3168, before it drops), delay, jitter (and so reordering), loss one by one and in bursts (Gilbert and
 * Elliott's two states), duplication, corruption (which net/'s checksum must find), a hop that swallows what is too long. What the sender handed
 * over stays alive for a while after it was "sent", as a port's transmit ring keeps it, and must not change meanwhile. */
#include "rig.h"

struct link_config {
    uint32_t delay_us, jitter_us;
    uint32_t bytes_per_ms; /* 0: no limit */
    uint32_t queue_bytes;  /* with a rate: what waits beyond it is dropped */
    uint32_t mark_bytes;   /* ... and what waits beyond this is marked, where it is ECT; 0: nothing is */
    uint32_t mark_ppm;     /* marked besides, of what is ECT */
    uint32_t loss_ppm, duplicate_ppm, reorder_ppm, corrupt_ppm;
    /* Each segment begins, or ends, a bad time with that probability; in it so many are lost. It ends by the clock too: what is
     * sent once in a second does not meet the same one again and again. */
    uint32_t burst_enter_ppm, burst_leave_ppm, burst_loss_ppm, burst_us;
    uint32_t mtu_bytes;    /* of the IP layer: longer ones vanish; 0: no limit */
    uint32_t hold_us;      /* how long a transmit ring keeps an mbuf */
    uint64_t dead_from_us; /* nothing passes from then on; 0: never */
};

struct link_packet {
    struct link_packet *next;
    uint64_t at_us;
    struct assay_address src, dst;
    uint32_t len;
    uint8_t bytes[1600];
    uint8_t ecn; /* enum net_ecn */
};

struct link_held {
    struct link_held *next;
    uint64_t until_us;
    struct rte_mbuf *mbuf;
    uint64_t digest;
};

struct link {
    struct link_config config;
    uint64_t random;
    uint64_t busy_until_us;
    struct link_packet *packets; /* by arrival */
    struct link_held *held_first, *held_last;
    bool in_burst;
    uint64_t burst_until_us;
    uint64_t sent, lost, delivered, marked, corrupted, corrupted_found;
    const char *trace; /* whose segments to print; NULL: none */
    bool changed;      /* an mbuf was rewritten while the port owned it */
};

void link_init(struct link *link, const struct link_config *config, uint64_t seed);
/* Takes over what tcp_output() made. */
void link_send(struct link *link, struct net_tx *tx, uint64_t now_us);
/* What has arrived by now, at most max. */
uint32_t link_receive(struct link *link, const struct rig_pools *pools, struct net_segment *out, uint32_t max,
                      uint64_t now_us);
/* What share of the segments does not arrive, on average (a full queue not counted). */
uint32_t link_loss_ppm(const struct link_config *config);
uint64_t link_next_us(const struct link *link);
/* Lets go of everything. */
void link_drain(struct link *link);

#endif
