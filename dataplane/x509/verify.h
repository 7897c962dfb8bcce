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

#include "assay/error.h"
#include "base/slice.h"
#include "x509/identity.h"
#include "x509/reason.h"
#include "x509/store.h"

enum x509_cn_match { X509_CN_FALLBACK, X509_CN_EITHER, X509_CN_NEVER };
enum x509_profile { X509_PROFILE_ENTERPRISE, X509_PROFILE_RFC5280, X509_PROFILE_WEBPKI };
enum x509_purpose { X509_PURPOSE_SERVER, X509_PURPOSE_CLIENT };
/* Soft: a certificate without a usable CRL passes, with a warning; hard: it is refused. Revoked is refused in both. */
enum x509_revocation_mode { X509_REVOCATION_OFF, X509_REVOCATION_SOFT_FAIL, X509_REVOCATION_HARD_FAIL };

#define X509_PINS_MAX 16

struct x509_policy {
    uint32_t id; /* part of the verdict cache's key: two policies that may judge differently have different ids */
    enum x509_cn_match cn_match;
    bool compat_ip_as_dns; /* a dNSName or CN spelled as the IP matches it (the daemon: true; assayctl verify: false) */
    bool partial_chain;    /* a helper may end a path */
    bool sha1_allowed;     /* S33: accepted with a warning bit */
    uint16_t rsa_bits_min; /* refused below (1024 by default; below 2048 is a warning bit) */
    uint8_t depth_max;     /* certificates in a path besides leaf and anchor, self-issued ones not counted */
    uint32_t work_max;     /* signature checks before WORK_LIMIT, dear ones count more: struct x509_work */
    uint32_t skew_s;       /* clock skew allowed at both ends of validity */
    enum x509_profile profile;
    enum x509_purpose purpose;
    enum x509_revocation_mode revocation; /* by the CRLs of the store */
    uint8_t pin_count;                    /* 0: no pinning; else a path must hold a key with one of them */
    uint8_t pins[X509_PINS_MAX][32];      /* SHA-256 of SubjectPublicKeyInfos (RFC 7469 §2.4) */
};
void x509_policy_default(struct x509_policy *policy); /* the enterprise profile */
/* Tightens a policy to a profile, and never loosens it: rfc5280 and webpki know no CN and no address spelled as a name
 * (RFC 9525 §2); webpki neither SHA-1 nor RSA below 2048 bits. The rules themselves are in profile.h. */
void x509_policy_profile(struct x509_policy *policy, enum x509_profile profile);

/* A pin as operators write it: 64 hex digits. MALFORMED. */
enum assay_error x509_pin_parse(struct slice text, uint8_t out[32]) ASSAY_MUST_USE;

#define X509_PRESENTED_MAX 10 /* certificates of a chain looked at; more: CHAIN_TOO_LONG */
#define X509_PATH_MAX      12

enum x509_warning {
    X509_WARN_SHA1 = 1 << 0,
    X509_WARN_SMALL_KEY = 1 << 1,
    X509_WARN_CN_USED = 1 << 2,
    X509_WARN_IP_AS_DNS = 1 << 3,
    X509_WARN_NO_STATUS = 1 << 4 /* soft-fail: whether a certificate of the path is revoked is not known */
};

struct x509_result {
    enum x509_reason chain_reason; /* OK, or why there is no path */
    enum x509_reason name_reason;  /* OK or NAME_MISMATCH; judged whenever the leaf parses, whatever the chain says */
    int depth;                     /* of the certificate at fault (chain_reason), 0 = leaf, counted as OpenSSL counts */
    struct slice fault;            /* DER of the certificate at fault; empty where there is none */
    const char *detail;            /* more about chain_reason, or about X509_WARN_NO_STATUS: static; NULL: nothing */
    uint32_t warnings;             /* enum x509_warning */
    size_t path_length;            /* of the accepted path, or of the best attempt */
    struct slice path[X509_PATH_MAX]; /* leaf first; der slices */
    uint64_t valid_until_s;           /* earliest notAfter of the path, and nextUpdate of its CRLs (accepted only) */
    uint32_t signatures_checked;
};

/* presented[0] is the leaf; the others in any order. */
void x509_verify(const struct x509_store *store, const struct slice *presented, size_t presented_count,
                 const struct x509_identity *identity, const struct x509_policy *policy, uint64_t now_s,
                 struct x509_result *result);

/* The candidate paths that did not do, in the order tried: of an accepted chain those before the path, cut where they failed; of
 * a refused one every way up, as far as it goes. */
#define X509_TRACE_MAX 64
struct x509_attempt {
    enum x509_reason reason;
    int depth;
    bool reached; /* it ends in the store */
    const char *detail;
    size_t length;
    struct slice path[X509_PATH_MAX];
};
struct x509_trace {
    size_t count;    /* of attempts */
    size_t left_out; /* beyond X509_TRACE_MAX */
    struct x509_attempt attempts[X509_TRACE_MAX];
};
/* The same verdict with a stapled OCSP response about the leaf (empty: none), and with its trace (NULL: not asked for). */
void x509_verify_traced(const struct x509_store *store, const struct slice *presented, size_t presented_count,
                        struct slice staple, const struct x509_identity *identity, const struct x509_policy *policy,
                        uint64_t now_s, struct x509_result *result, struct x509_trace *trace);

/* The reason that counts for a verdict: the chain's, else the name's. */
static inline enum x509_reason x509_result_reason(const struct x509_result *result)
{
    return result->chain_reason != X509_REASON_OK ? result->chain_reason : result->name_reason;
}

#endif
