/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PCAPNG_H
#define ASSAY_DAEMON_PCAPNG_H
/* Blocks of a pcapng file with one Ethernet interface, appended to a buffer, in the machine's byte order. Pure. Thread: any.
 * Units: nanoseconds since 1970. Source: draft-ietf-opsawg-pcapng §4.1-4.3, §4.6. */
#include <stdint.h>

#include "base/slice.h"
#include "daemon/text.h"

/* The first block. */
void pcapng_section(struct text *out, const char *application);
/* The second: the interface, and what was asked for. filter: "" none. */
void pcapng_interface(struct text *out, const char *name, const char *filter, uint32_t snaplen);
/* direction: 1 received, 2 sent; length: of the whole frame, of which bytes are the beginning. */
void pcapng_packet(struct text *out, uint64_t wall_ns, uint32_t direction, struct slice bytes, uint32_t length);
/* Bytes that pcapng_packet() appends. */
size_t pcapng_packet_size(size_t captured);
/* The last: frames that were looked at, and those that were lost. */
void pcapng_statistics(struct text *out, uint64_t wall_ns, uint64_t seen, uint64_t dropped);

#endif
