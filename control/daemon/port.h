/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_PORT_H
#define ASSAY_DAEMON_PORT_H
/* The arguments of a virtual port (port.device), as far as they are about queues: each core has a queue pair of its own.
 * net_af_packet is told how many; net_af_xdp is a device for each queue of the interface, since DPDK 22.11 gives it several
 * only where the kernel's driver has "combined" channels, which a veth has not. Pure. */
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/text.h"

/* The driver's word for the number of its queue pairs ("qpairs", "queue_count"); NULL where it need not be told. */
const char *port_queues_key(const char *device);
/* The number behind KEY= among the device's arguments. False when it is not there, or no number. */
bool port_argument(const char *device, const char *key, uint32_t *out);

/* How many devices the port is made of: one with a queue pair for each core, or one for each core. */
uint32_t port_devices(const struct config *config);
/* The index-th of them. */
void port_device(const struct config *config, uint32_t index, struct text *out);

#endif
