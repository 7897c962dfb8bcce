/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_FAKE_CORE_H
#define ASSAY_TEST_FAKE_CORE_H
/* Stands for dataplane/core in tests of control: adopts what is published (or not), answers commands with made-up rows. It
 * defines core.h's functions, so the real core is not linked. */
#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "daemon/fleet.h"
#include "net/dispatch.h"
#include "net/net.h"
#include "tcp/counters.h"

struct core {
    uint32_t index;
    const struct core_shared *shared; /* NULL: generation as set */
    uint64_t generation, duplicates;
    bool drained, deaf; /* deaf: takes commands, never answers */
    bool refuses;       /* its command ring is full */
    uint32_t rows;      /* it has so many of each kind */
    unsigned commands[COMMAND_CAPTURE + 1];
    struct capture *capture;   /* as the last COMMAND_CAPTURE said */
    struct core_command *left; /* the one a deaf core holds */
    struct assay_counters proxy;
    struct tcp_counters tcp;
    struct net_counters net;
    struct dispatch_counters dispatch;
    struct byte_ring *rings[2], *chains;
};

/* count cores, in their loops, that adopt at once. */
void fake_fleet(struct fleet *fleet, struct core *cores, uint32_t count, const struct core_shared *shared);

#endif
