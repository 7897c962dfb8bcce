/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROBE_PROBE_H
#define ASSAY_PROBE_PROBE_H
/* Asks many origins which certificates they show, and judges each as the data path would (MRA S7, S8, S18, S34). An origin is
 * one address and port; it is asked by one connection after the other, different ones at the same time:
 *     1. as assayd connects: its preference of key type, TLS 1.2 to 1.3, our client certificate where there is one;
 *     2. the same in TLS 1.2 alone, when 1. came to TLS 1.3;
 *     3. and 4. as 1. and 2. with the other key type preferred;
 *     5. as 1. without our certificate, when the origin asked for it.
 * What does not answer at all is asked once. No connection carries a request.
 * Owner: targets, and all they point to, outlive the run; results belong to it. Thread: one at a time. Units: milliseconds of
 * a monotonic clock, wall-clock seconds. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "probe/client.h"
#include "probe/dial.h"
#include "probe/judge.h"

#define PROBE_TRIES_MAX 5
#define PROBE_JOBS_MAX  256

struct probe_target {
    const char *node; /* as announced, canonical */
    const char *deployment;
    const char *type;       /* "cucm"; NULL: not known */
    const char *unresolved; /* why there is no address; NULL: there is one */
    struct x509_identity identity;
    struct assay_address address;
    uint16_t port;
    const struct probe_client *ours; /* what assayd uses toward it: perhaps without a certificate */
    const struct probe_client *bare; /* the same without a certificate; NULL when ours has none */
    const struct probe_trust *trust;
};

struct probe_try {
    enum tls_preference prefer;
    enum probe_versions versions;
    bool bare; /* without our certificate, though there is one */
    struct dial_report report;
    int finding; /* of what it presented; -1: nothing */
};

struct probe_result {
    size_t try_count, finding_count;
    struct probe_try tries[PROBE_TRIES_MAX];
    struct probe_finding *findings;
};

struct probe_options {
    unsigned jobs;       /* connections at once, 1 to PROBE_JOBS_MAX */
    uint64_t timeout_ms; /* of one connection */
    uint64_t now_s;      /* certificates are judged at this moment */
};

struct probe;

/* NULL: out of memory. */
struct probe *probe_create(const struct probe_target *targets, size_t count, const struct probe_options *options);
void probe_free(struct probe *probe);
/* Waits at most wait_ms for something to happen and works on it. False: all is done. */
bool probe_turn(struct probe *probe, uint64_t now_ms, int wait_ms);
/* Targets that are done. */
size_t probe_done(const struct probe *probe);
/* Of targets[i]; complete when all is done. */
const struct probe_result *probe_result_at(const struct probe *probe, size_t i);

#endif
