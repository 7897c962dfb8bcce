/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_DAEMON_REGISTRY_H
#define ASSAY_DAEMON_REGISTRY_H
/* Every chain that an origin showed, and for which name and port (DESIGN 6): what the certificate view, dry runs, `enforce` and
 * expiry warnings are made of, and what verdicts are worked out for before a trust section is published (registry_judge.h).
 * Cores hand chains over by ring (assay/chain_record.h). Bounded: at most limits.entries of them and limits.bytes of chains,
 * the one not seen for longest goes first; those not seen for limits.keep_s go by themselves.
 * An entry is a chain of one origin: host, port, deployment; with the OCSP response that was stapled to it last. It lives through reloads, and through restarts by
 * registry_file.h.
 * Owner: control. Thread: control. Units: wall-clock nanoseconds (_ns) and seconds (_s) since 1970; bytes. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/address.h"
#include "base/slice.h"
#include "x509/certificate.h"
#include "x509/chain.h"
#include "x509/identity.h"
#include "x509/verdict_cache.h"
#include "x509/verify.h"

#define REGISTRY_HOST_MAX 256

struct byte_ring;

struct registry_limits {
    uint32_t entries;
    uint64_t bytes;
    uint64_t keep_s;
};

/* A certificate of the chain that decodes, as far as verdicts are kept or not because of it. */
struct registry_shown {
    struct slice issuer; /* into the chain */
    uint64_t issuer_hash;
    int64_t not_before_s, not_after_s;
    uint8_t sha256[X509_FINGERPRINT_SIZE];
};

/* What control found itself, with the store and the policy of one trust epoch (registry_judge.c). */
struct registry_judgement {
    uint64_t epoch; /* of the trust section it holds in; 0: not judged yet */
    uint32_t policy_id;
    uint64_t until_s; /* judged anew after it: the path ends, or time alone may change what was found */
    enum x509_reason chain_reason, name_reason;
    int depth;
    uint32_t warnings;
    uint64_t valid_until_s;
    size_t path_length; /* of an accepted chain */
    uint8_t path[X509_PATH_MAX][X509_FINGERPRINT_SIZE];
};

/* What would be under a section that is only thought of (registry_judge_candidate()). */
struct registry_thought {
    uint64_t round; /* 0: none yet */
    enum x509_reason chain_reason, name_reason;
    int depth;
};

struct registry_entry {
    char host[REGISTRY_HOST_MAX]; /* canonical */
    struct x509_identity identity;
    uint16_t port;
    uint64_t deployment;
    struct x509_chain_digest digest;
    struct x509_chain *chain;
    uint64_t staple_epoch; /* control_revoked.h has looked at what is stapled to it in that epoch */
    bool leaf_parsed;
    struct x509_certificate leaf; /* slices into chain */
    bool names_crls;              /* a certificate of it has CRL distribution points */
    uint64_t crls_round;          /* crl_fetch.h came by in that round; 0: not yet */
    struct assay_address address; /* where it was seen last */
    uint64_t first_ns, last_ns;   /* seen, in a handshake or in use */
    uint64_t shown_ns;            /* in a full handshake, last */
    uint64_t handshakes;          /* full ones */
    /* the last use that failed: refused, let pass, or found so by control while verification is disabled */
    uint64_t failed_ns, failures;
    enum x509_reason failed_reason;
    int failed_depth;
    /* the cores' last word */
    uint64_t seen_epoch; /* 0: they did not judge */
    enum x509_reason seen_chain_reason, seen_name_reason;
    int seen_depth;
    uint32_t seen_warnings;
    /* uses that are not counted among the failures yet: with a bad verdict of a core, and without any (registry_judge.h) */
    uint32_t bad_uses, unjudged_uses;
    struct registry_judgement judged;
    struct registry_thought thought;
    struct registry_entry *next_hash;
    struct registry_entry *newer, *older; /* by last_ns */
    size_t shown_count;
    struct registry_shown shown[];
};

struct registry_stats {
    uint64_t added;     /* entries */
    uint64_t records;   /* from the cores */
    uint64_t malformed; /* of them, that are none (a bug of the writer) */
    uint64_t unknown;   /* about a chain that is not here any more: it comes whole within a minute */
    uint64_t evicted;   /* for room */
    uint64_t aged;      /* not seen for limits.keep_s */
};

struct registry;

struct registry *registry_create(const struct registry_limits *limits);
void registry_free(struct registry *registry); /* NULL is fine */
/* Takes others over, and evicts what is too much now. */
void registry_set_limits(struct registry *registry, const struct registry_limits *limits);

/* One record's bytes. The entry it is about, NULL: none. */
struct registry_entry *registry_take(struct registry *registry, struct slice bytes);
/* Empties a core's ring, at most max records; how many. */
size_t registry_drain(struct registry *registry, struct byte_ring *ring, size_t max);
/* A chain from elsewhere (the file of an earlier run); an entry that is there already stays. NULL: the host is none, or the limits
 * leave no room. Fields beyond these are the caller's to fill. */
struct registry_entry *registry_add(struct registry *registry, const char *host, uint16_t port, uint64_t deployment,
                                    const struct slice *certificates, size_t count, uint64_t last_ns);
/* The same with what was stapled to it last; empty: nothing. */
struct registry_entry *registry_add_stapled(struct registry *registry, const char *host, uint16_t port,
                                            uint64_t deployment, const struct slice *certificates, size_t count,
                                            struct slice staple, uint64_t last_ns);
/* Forgets what was not seen for too long. */
void registry_age(struct registry *registry, uint64_t now_s);

/* Most recently seen first. */
struct registry_entry *registry_first(const struct registry *registry);
struct registry_entry *registry_next(const struct registry_entry *entry);
/* The next entry of an origin; from NULL: the first. Any order. */
struct registry_entry *registry_of_origin(const struct registry *registry, const char *host, uint16_t port,
                                          const struct registry_entry *from);
size_t registry_count(const struct registry *registry);
uint64_t registry_bytes(const struct registry *registry);
const struct registry_stats *registry_stats(const struct registry *registry);

/* A number that no round of thoughts had before. */
uint64_t registry_new_round(struct registry *registry);
/* Does the origin show another chain by now, with the same type of key at the same address? */
bool registry_superseded(const struct registry *registry, const struct registry_entry *entry);
/* So many uses that failed, the last one when the entry was seen last. */
void registry_note_failures(struct registry_entry *entry, enum x509_reason reason, int depth, uint64_t count);

#endif
