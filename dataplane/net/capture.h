/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_CAPTURE_H
#define ASSAY_NET_CAPTURE_H
/* Copies of frames for the operator: what passes the filter goes, cut to snaplen, into a ring that somebody else empties. While
 * no capture runs, a port pays one branch a burst (nic.h). A full ring loses the copy, never the frame, and counts.
 * What is sent is copied as it is handed to the port: a checksum that the port fills in is not there yet.
 * Owner: control makes the struct and its ring, and takes them back after the core has let go (COMMAND_CAPTURE).
 * Thread: the core is the ring's producer and the counters' writer; anybody may read the counters.
 * Units: nanoseconds of the wall clock, bytes. */
#include <stdint.h>

struct bpf_insn;
struct byte_ring;
struct rte_mbuf;

#define CAPTURE_SNAPLEN_MIN 64
#define CAPTURE_SNAPLEN_MAX 65535

enum capture_direction { CAPTURE_IN = 1, CAPTURE_OUT = 2 }; /* as pcapng's epb_flags say it */

struct capture {
    const struct bpf_insn *filter; /* a classic BPF program that was validated; NULL: every frame */
    uint32_t snaplen;
    struct byte_ring *ring; /* struct capture_record and its bytes */
    uint64_t (*wall_ns)(void);
    uint64_t seen, matched,
        dropped; /* frames looked at; that passed the filter; of them, those the ring had no room for */
};

struct capture_record {
    uint64_t wall_ns;
    uint32_t length;    /* of the frame; the record holds at most snaplen of it */
    uint32_t direction; /* enum capture_direction */
    uint8_t bytes[];
};

void capture_burst(struct capture *capture, enum capture_direction direction, struct rte_mbuf *const *packets,
                   uint32_t n);

#endif
