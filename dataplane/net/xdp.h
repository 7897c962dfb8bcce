/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_NET_XDP_H
#define ASSAY_NET_XDP_H
/* A net_af_xdp port that is shared with the kernel: our XDP program (net/xdp/steer_kern.c) is attached by DPDK's driver, and told
 * here which addresses are ours. Needs CAP_SYS_ADMIN for the moment: the kernel gives a program's maps to nobody else.
 * Thread: control, before the cores run. Errors: NOT_FOUND: no such interface, or another program is attached to it;
 * PERMISSION; SYSTEM. */
#include <stdint.h>

#include "assay/error.h"
#include "net/net.h"

/* Takes away a program of ours that a process which was killed has left behind: the driver would not put another in its place. */
enum assay_error xdp_clear(const char *interface) ASSAY_MUST_USE;
/* After the port was opened with our program. vlan 0: untagged. */
enum assay_error xdp_fill(const char *interface, const struct net_address *addresses, uint32_t count, uint16_t vlan)
    ASSAY_MUST_USE;

#endif
