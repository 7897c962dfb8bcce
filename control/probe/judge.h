/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_PROBE_JUDGE_H
#define ASSAY_PROBE_JUDGE_H
/* What the data path would say of a chain that a probe saw, and what an operator wants to know of its leaf. Pure.
 * Owner: a finding holds copies, no pointer into the chain. Units: wall-clock seconds. Source: MRA S2, S4, S12, S29, S33. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/snapshot.h"
#include "x509/chain.h"
#include "x509/identity.h"
#include "x509/verify.h"

/* How an origin is judged; borrowed from a trust section. */
struct probe_trust {
    const struct x509_store *store;
    const struct x509_policy *policy;
    enum verify_properties properties; /* which half counts (S29) */
};

enum probe_verdict { PROBE_PASS, PROBE_WARNING, PROBE_FAIL, PROBE_UNKNOWN };
const char *probe_verdict_name(enum probe_verdict verdict); /* "pass", "warning", "fail", "unknown" */

#define PROBE_NAME_SIZE   256
#define PROBE_SOON_DAYS   30 /* an expiry within them is said */
#define PROBE_ACTION_SIZE 512

struct probe_finding {
    uint8_t chain_sha256[32]; /* equal chains, equal findings */
    uint8_t sha256[32];       /* of the leaf */
    bool parsed;              /* false: the leaf does not decode; what follows of it is empty */
    bool rsa, ec;             /* kind of its key */
    bool self_signed;         /* its issuer is its own name */
    bool multi_server;        /* more names than one */
    char key[32], common_name[PROBE_NAME_SIZE], issuer[PROBE_NAME_SIZE], names[PROBE_NAME_SIZE];
    int64_t not_after_s; /* of the leaf */
    int64_t ends_s;      /* the first end in its path, when it has one; else of the leaf */
    size_t presented;    /* certificates in the chain */
    enum probe_verdict verdict;
    enum x509_reason reason; /* the one that counts */
    const char *detail;      /* static; NULL: nothing more is known */
    int depth;
    uint32_t warnings; /* enum x509_warning */
};

void probe_judge(const struct x509_chain *chain, const struct x509_identity *identity, const struct probe_trust *trust,
                 uint64_t now_s, struct probe_finding *out);
/* Whole days until it ends; negative: since it has ended. */
long probe_days_left(const struct probe_finding *finding, uint64_t now_s);
/* "CN", "SHA-1" …, comma separated: what it passes by only. "" without warnings. Returns out. */
char *probe_warnings_text(uint32_t warnings, char *out, size_t size);
/* What to do about it, in a sentence or two; "": nothing. Returns out. */
char *probe_action(const struct probe_finding *finding, uint64_t now_s, char out[PROBE_ACTION_SIZE]);

#endif
