/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_EXCEPTION_XDP_H
#define ASSAY_DAEMON_EXCEPTION_XDP_H
/* port.exception.xdp: a net_af_xdp port on an interface that the kernel goes on using. DPDK's driver attaches our program, which
 * is the file assay_xdp.o beside assayd; we tell it the addresses. Thread: control. Errors: false, with problems. */
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/problems.h"
#include "daemon/text.h"

/* Before the port is opened: adds the program to the arguments of its device, and takes away what a killed assayd left attached.
 * Does nothing where the key is off. */
bool exception_xdp_prepare(const struct config *config, struct text *device, struct problems *problems);
/* When it is open. */
bool exception_xdp_fill(const struct config *config, struct problems *problems);

/* Pure parts, for the tests: the interface among a device's arguments ("" when there is none); the program's path beside a binary. */
void exception_xdp_interface(const char *device, struct text *out);
void exception_xdp_program(const char *binary, struct text *out);

#endif
