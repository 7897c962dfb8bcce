/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_STARTUP_H
#define ASSAY_DAEMON_STARTUP_H
/* Does this machine have what this configuration needs? Asked before anything is set up, answered with what is missing and
 * the command that gives it. Thread: one. */
#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/problems.h"

/* What the machine says, gathered in one place so that the judgement can be tested. */
struct startup_machine {
    bool avx2, aes, pclmul, bmi2;
    uint64_t hugepage_bytes, hugepages_free; /* of the default size */
    uint64_t memory_available_bytes;
    uint64_t capabilities;     /* effective, bit = number */
    uint64_t files_max;        /* RLIMIT_NOFILE, soft */
    uint64_t locked_max_bytes; /* RLIMIT_MEMLOCK, soft */
    uint64_t cpus[16];         /* bitmap of those we may use, 1024 of them */
    bool tun_known;            /* /dev/net/tun is there */
    bool interface_known;      /* the port's iface= exists; true where it has none */
    bool interface_up;
    uint32_t interface_queues; /* its receive queues; 0: not known */
    char interface[64];        /* "" where the port has none */
};

void startup_probe(const struct config *config, struct startup_machine *out);
void startup_judge(const struct config *config, const struct startup_machine *machine, struct problems *problems);

#endif
