/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TCP_OPTIONS_H
#define ASSAY_TCP_OPTIONS_H
/* TCP options, read and written. Pure. Sources: RFC 9293 §3.2 (MSS, and the rules for unknown kinds), RFC 7323 §2.2 and §3.2,
 * RFC 2018 §2 and §3. */
#include <stdbool.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"
#include "tcp/wire.h"

#define TCP_SACK_BLOCKS_MAX 4

struct tcp_sack_block {
    uint32_t start, end; /* sequence numbers; end is the first one not received */
};

struct tcp_options {
    bool has_mss, has_window_scale, has_timestamps, sack_permitted;
    uint8_t window_shift; /* as sent, not clamped */
    uint8_t sack_count;
    uint16_t mss;
    uint32_t ts_value, ts_echo;
    struct tcp_sack_block sack[TCP_SACK_BLOCKS_MAX];
};

/* Reads the bytes after the fixed header. MSS, window scale and SACK-permitted count only in a SYN: elsewhere they are passed
 * over. MALFORMED when a length is 0 or 1, runs past the end, or is wrong for a known kind; the segment is then dropped. */
enum assay_error tcp_options_parse(struct slice options, bool syn, struct tcp_options *out) ASSAY_MUST_USE;

/* Writes the options of a SYN as options says (mss always); returns how many bytes, a multiple of 4. */
uint32_t tcp_options_write_syn(const struct tcp_options *options, uint8_t out[TCP_OPTIONS_MAX]);
/* Writes timestamps, then as many SACK blocks as there are and as fit; returns how many bytes, a multiple of 4. */
uint32_t tcp_options_write(const struct tcp_options *options, uint8_t out[TCP_OPTIONS_MAX]);
/* How long tcp_options_write() makes it. */
uint32_t tcp_options_length(bool timestamps, uint32_t sack_count);

#endif
