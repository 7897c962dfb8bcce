/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_CAPTURE_FILTER_H
#define ASSAY_DAEMON_CAPTURE_FILTER_H
/* A filter in the language of pcap-filter(7), without names: addresses and ports are numbers, so that nothing is ever looked up
 * (a resolver would hold up control). Compiled by libpcap for Ethernet; the result has forward jumps only and is validated.
 * Owner: the caller; capture_filter_free(). Thread: control. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_insn;

#define CAPTURE_FILTER_MAX 1024 /* characters */

/* "" is every frame: *out is NULL. False: error says what is wrong, and where it can be said. */
bool capture_filter_compile(const char *text, uint32_t snaplen, struct bpf_insn **out, char *error, size_t error_size);
void capture_filter_free(struct bpf_insn *filter);

#endif
