/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_REGISTRY_JUDGE_H
#define ASSAY_DAEMON_REGISTRY_JUDGE_H
/* Verdicts about the chains of the registry, under a trust section: one that is about to be published (then they become part of
 * it, so that no core has to judge), the running one, or one that is only thought of (dry runs).
 *
 * What a verdict follows from: the chain, the name, the policy, the CRLs, the certificates of the store that can be reached from
 * the chain by names (issuer to subject, and so on: the only ones a path can be made of), and the time. So a verdict of the
 * running section is kept for the next one when the policy and the CRLs are the same, its time is not over, and either
 *   - no certificate that was added, removed or given another role can be reached, and none is the same as a presented one; or
 *   - it is positive, and every certificate of its path has the roles it had: the path stands, whatever else there is now.
 * Its time is over when the path is, and for a refusal when any certificate within reach begins or ends to be valid. With
 * revocation on, refusals are not kept. Everything else is judged anew, the chains seen last first, within a budget; those it does
 * not reach are left to the cores, and to registry_judge_rest() afterwards.
 * Owner: the caller. Thread: control. Units: microseconds (budget), seconds of wall clock. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/snapshot.h"
#include "daemon/registry.h"

struct x509_verdict_table;

#define REGISTRY_NEGATIVE_S 5 /* how long a precomputed refusal is believed, like the cores' own */

struct registry_judged {
    size_t known;  /* chains */
    size_t kept;   /* verdicts that stand */
    size_t judged; /* in full */
    size_t left;   /* the budget was over */
    uint64_t elapsed_us;
};

/* Before next is published. running: the section before it, NULL at start. The table is the caller's (it goes into next); NULL
 * where there is no memory for it. Each entry's judgement is then that of next's epoch. */
struct x509_verdict_table *registry_precompute(struct registry *registry, const struct trust_section *running,
                                               const struct trust_section *next, uint64_t now_s, uint64_t budget_us,
                                               struct registry_judged *out);
/* Judges entries that have no judgement of this section, or one whose time is over, until the budget is; false: some are left. */
bool registry_judge_rest(struct registry *registry, const struct trust_section *trust, uint64_t now_s,
                         uint64_t budget_us);
/* This entry's, at once. */
void registry_judge_entry(struct registry_entry *entry, const struct trust_section *trust, uint64_t now_s);

/* What would be under another section, into each entry's thought, until the budget is over; false: some are left, the next call goes on
 * with them. round: registry_new_round(), one for each candidate. Where an entry has a judgement of running that stands, it is taken. */
bool registry_judge_candidate(struct registry *registry, const struct trust_section *running,
                              const struct trust_section *candidate, uint64_t now_s, uint64_t round, uint64_t budget_us)
    ASSAY_MUST_USE;

/* The scope that judges an entry. */
const struct trust_scope *registry_scope(const struct trust_section *trust, const struct registry_entry *entry);
/* Which of two reasons counts under the scope's properties; OK: the verdict is good. */
enum x509_reason registry_reason(enum verify_properties properties, enum x509_reason chain_reason,
                                 enum x509_reason name_reason);

/* What holds for an entry now: control's judgement; the cores' word of the same epoch where control has not come by yet. */
struct registry_verdict {
    bool judged;
    bool by_core;
    enum x509_reason reason; /* that counts */
    enum x509_reason chain_reason, name_reason;
    int depth;
    uint32_t warnings;
};
struct registry_verdict registry_verdict(const struct registry_entry *entry, const struct trust_section *trust);

#endif
