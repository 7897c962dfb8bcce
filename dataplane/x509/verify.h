/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_VERIFY_H
#define ASSAY_X509_VERIFY_H
/* Judges a presented chain for an identity: the reason this product exists (MRA S1-S5). Pure: no clock, no I/O, no threads;
 * the same code runs on a core, in control and in assayctl. Possession of the key is the handshake's business, not ours.
 * Owner: the caller of everything; result slices point into presented or into the store. Work is bounded by
 * policy.work_max signature checks. Source: RFC 5280 §6, RFC 4158, RFC 9525, MRA §2 and §4. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "x509/identity.h"
#include "x509/reason.h"
#include "x509/store.h"

enum x509_cn_match { X509_CN_FALLBACK, X509_CN_EITHER, X509_CN_NEVER };

struct x509_policy {
    uint32_t id; /* part of the verdict cache's key: two policies that may judge differently have different ids */
    enum x509_cn_match cn_match;
    bool compat_ip_as_dns; /* a dNSName or CN spelled as the IP matches it (the daemon: true; assayctl verify: false) */
    bool partial_chain;    /* a helper may end a path */
    bool sha1_allowed;     /* S33: accepted with a warning bit */
    uint16_t rsa_bits_min; /* refused below (1024 by default; below 2048 is a warning bit) */
    uint8_t depth_max;     /* certificates in a path besides leaf and anchor */
    uint32_t work_max;     /* signature checks before WORK_LIMIT */
    uint32_t skew_s;       /* clock skew allowed at both ends of validity */
};
void x509_policy_default(struct x509_policy *policy); /* the enterprise profile */

#define X509_PRESENTED_MAX 10 /* certificates of a chain looked at; more: CHAIN_TOO_LONG */
#define X509_PATH_MAX      12

enum x509_warning {
    X509_WARN_SHA1 = 1 << 0,
    X509_WARN_SMALL_KEY = 1 << 1,
    X509_WARN_CN_USED = 1 << 2,
    X509_WARN_IP_AS_DNS = 1 << 3
};

struct x509_result {
    enum x509_reason chain_reason; /* OK, or why there is no path */
    enum x509_reason name_reason;  /* OK or NAME_MISMATCH; judged whenever the leaf parses, whatever the chain says */
    int depth;                     /* of the certificate at fault (chain_reason), 0 = leaf, counted as OpenSSL counts */
    struct slice fault;            /* DER of the certificate at fault; empty where there is none */
    uint32_t warnings;             /* enum x509_warning */
    size_t path_length;            /* of the accepted path, or of the best attempt */
    struct slice path[X509_PATH_MAX]; /* leaf first; der slices */
    uint64_t valid_until_s;           /* earliest notAfter of the path (accepted only) */
    uint32_t signatures_checked;
};

/* presented[0] is the leaf; the others in any order. */
void x509_verify(const struct x509_store *store, const struct slice *presented, size_t presented_count,
                 const struct x509_identity *identity, const struct x509_policy *policy, uint64_t now_s,
                 struct x509_result *result);

/* The reason that counts for a verdict: the chain's, else the name's. */
static inline enum x509_reason x509_result_reason(const struct x509_result *result)
{
    return result->chain_reason != X509_REASON_OK ? result->chain_reason : result->name_reason;
}

#endif
