/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_SCOPES_H
#define ASSAY_DAEMON_SCOPES_H
/* Makes the scopes of a trust section (assay/snapshot.h) from what the configuration and an operator's switches say of all
 * origins, of deployments, of origins: each scope whole, with what the less specific ones give it. A policy's number stands
 * for its settings and its store: two that may judge differently have different ones.
 * Thread: control. Source: MRA S29. */
#include <stdbool.h>

#include "daemon/config.h"
#include "daemon/problems.h"
#include "daemon/switches.h"
#include "daemon/text.h"
#include "x509/store.h"
#include "x509/verify.h"

#define SCOPES_MAX 10000

/* The store of the scopes of a deployment. */
struct scopes_store {
    const char *deployment; /* NULL: of all others */
    const struct x509_store *store;
};

struct scopes_input {
    const struct config *config;
    const struct verify_switches *switches;
    const struct scopes_store *stores; /* [0]: that of all */
    uint32_t store_count;
};

/* Fills scopes, deployments and origins of out from the arena; judged gets each policy spelled out, content everything. False
 * with problems: too many. */
bool scopes_build(const struct scopes_input *input, struct arena *arena, struct trust_section *out, struct text *judged,
                  struct text *content, struct problems *problems);
/* The policy of all origins of which nothing more specific is said. */
void scopes_global_policy(const struct config *config, struct x509_policy *policy);

#endif
