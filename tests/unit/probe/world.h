/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_TEST_PROBE_WORLD_H
#define ASSAY_TEST_PROBE_WORLD_H
/* A root, servers' certificates below it, a client with a certificate and one without. For tests only. */
#include "forge.h"
#include "peer.h"
#include "probe/probe.h"

extern struct peer_settings world_ecdsa, world_both; /* for cucm.lab; the second has an RSA certificate too */
extern struct probe_client world_ours, world_bare;

/* cmocka set-up and tear-down of a group. */
int world_begin(void **state);
int world_end(void **state);

struct probe_target world_target(const char *host, uint16_t port); /* at the peer's address, without our certificate */
struct probe_target world_unresolved(const char *host);
uint64_t world_now_ms(void);
/* Runs to the end; targets live as long as the probe is looked at. */
struct probe *world_run(const struct probe_target *targets, size_t count, uint64_t timeout_ms, unsigned jobs);

#endif
