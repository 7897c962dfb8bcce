/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TESTS_UNIT_TCP_FIXTURE_H
#define ASSAY_TESTS_UNIT_TCP_FIXTURE_H
/* An instance of tcp/ on a bench: segments go in and come out by hand, time is a field. Every mbuf must be home at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rig.h"
#include "tcp/connection.h"

#define PEER_ISN  5000u
#define PEER_PORT 50000
#define OUR_PORT  443

struct bench {
    struct rig_pools pools;
    struct tcp *tcp;
    uint64_t now_us;
    struct assay_address us, peer;
    struct tcp_event events[64];
    uint32_t event_count;
    /* the segment bench_out() returned last */
    uint8_t bytes[1600];
    struct net_tx tx;
    uint32_t tx_taken;
};

/* Small numbers that tests can count on; timestamps off. */
void bench_config(struct tcp_config *config);
/* config NULL: that of bench_config(). Listens on OUR_PORT. */
void bench_open(struct bench *b, const struct tcp_config *config);
void bench_close(struct bench *b);

/* From PEER_PORT to OUR_PORT unless the segment says otherwise. */
void bench_in(struct bench *b, struct rig_segment segment);
/* The next segment that goes out; false when there is none. */
bool bench_out(struct bench *b, struct rig_segment *out, struct tcp_options *options);
/* Lets everything out and forgets it; how many segments that were. */
uint32_t bench_flush(struct bench *b);
void bench_wait(struct bench *b, uint64_t us);

/* The connection to PEER_PORT, established by a handshake in which the peer offered MSS 1000 and SACK; its numbers go on at
 * PEER_ISN + 1. Its handle comes with ACCEPTED. */
struct tcp_connection *bench_establish(struct bench *b, struct tcp_handle *handle);
/* A data or bare segment of the established peer: seq and ack count from 1. */
void bench_peer(struct bench *b, const struct tcp_connection *c, uint8_t flags, uint32_t seq, uint32_t len,
                uint32_t ack);

/* Fixture of a group: starts EAL. */
int bench_group(void **state);

#endif
