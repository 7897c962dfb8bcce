/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_VERDICT_CACHE_H
#define ASSAY_X509_VERDICT_CACHE_H
/* The verdicts of one core (DESIGN 6). Positive: key = SHA-256 of the leaf and of the OCSP response stapled to it + identity
 * + policy id, valid in one trust epoch and until valid_until_s. So a response is judged on every handshake: the same octets
 * as before, or anew; what one response proved serves no connection without it. Negative: a small table of its own, keyed also on the digest of the whole presented chain, for
 * negative_ttl_s, only for deterministic reasons (not WORK_LIMIT).
 * A verdict does not depend on the mode. Owner: one core; memory allocated at creation only. Thread: that core (control
 * reads the counters). Units: seconds of wall clock. Lookup cost: one hash, one compare (target ≤ 100 ns). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "x509/identity.h"
#include "x509/reason.h"
#include "x509/verify.h"

struct x509_verdict_cache;

struct x509_verdict {
    enum x509_reason chain_reason;
    enum x509_reason name_reason;
    int depth;
    uint32_t warnings;
    uint64_t valid_until_s; /* positive: of the path; negative: when it is forgotten */
};

struct x509_verdict_stats {
    uint64_t hits, misses, inserts, evictions, negative_hits, epoch_flushes;
};

/* A chain as a key: SHA-256 of the leaf, SHA-256 over all presented certificates, SHA-256 of the stapled OCSP response. */
struct x509_chain_digest {
    uint8_t leaf[32];
    uint8_t chain[32];
    uint8_t staple[32]; /* zero: none */
};
/* Of a chain without a staple. */
void x509_chain_digest(const struct slice *presented, size_t count, struct x509_chain_digest *out);
void x509_chain_digest_staple(struct slice staple, struct x509_chain_digest *out); /* empty: none */

struct x509_verdict_cache *x509_verdict_cache_create(uint32_t entries, uint32_t negative_entries,
                                                     uint32_t negative_ttl_s);
void x509_verdict_cache_free(struct x509_verdict_cache *cache);

/* True and *out filled when a verdict of this epoch is there and still valid. */
bool x509_verdict_cache_lookup(struct x509_verdict_cache *cache, const struct x509_chain_digest *digest,
                               const struct x509_identity *identity, uint32_t policy_id, uint64_t trust_epoch,
                               uint64_t now_s, struct x509_verdict *out);
void x509_verdict_cache_insert(struct x509_verdict_cache *cache, const struct x509_chain_digest *digest,
                               const struct x509_identity *identity, uint32_t policy_id, uint64_t trust_epoch,
                               uint64_t now_s, const struct x509_result *result);
/* The same with the key worked out once (a connection asks again and again): one compare, no hashing. */
struct x509_verdict_key {
    struct x509_chain_digest digest;
    struct x509_identity identity;
    uint32_t policy_id;
    uint64_t hash;
};
void x509_verdict_key_init(struct x509_verdict_key *key, const struct x509_chain_digest *digest,
                           const struct x509_identity *identity, uint32_t policy_id);
bool x509_verdict_cache_find(struct x509_verdict_cache *cache, const struct x509_verdict_key *key, uint64_t trust_epoch,
                             uint64_t now_s, struct x509_verdict *out);
void x509_verdict_cache_put(struct x509_verdict_cache *cache, const struct x509_verdict_key *key, uint64_t trust_epoch,
                            uint64_t now_s, const struct x509_result *result);

/* The counters; another thread may read them while the core writes (relaxed). */
const struct x509_verdict_stats *x509_verdict_cache_stats(const struct x509_verdict_cache *cache);
/* Live view for control, by the core itself (command): calls are made for each entry with (fingerprint, identity, verdict). */
typedef void (*x509_verdict_visit)(void *arg, const uint8_t leaf_sha256[32], const struct x509_identity *identity,
                                   uint32_t policy_id, uint64_t trust_epoch, const struct x509_verdict *verdict);
void x509_verdict_cache_each(const struct x509_verdict_cache *cache, x509_verdict_visit visit, void *arg);

#endif
