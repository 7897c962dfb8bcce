/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/registry_judge.h"

#include <string.h>
#include <time.h>

#include "x509/crl_set.h"
#include "x509/dn.h"
#include "x509/scope.h"
#include "x509/signature.h"
#include "x509/verdict_table.h"

#define REACH_NAMES_MAX        64 /* more names on the way up, or more certificates of one: the verdict is not kept */
#define REACH_CERTIFICATES_MAX 64
#define NEGATIVE_AGAIN_S       60 /* refusals that hang on revocation lists */

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

const struct trust_scope *registry_scope(const struct trust_section *trust, const struct registry_entry *entry)
{
    return &trust->scopes[x509_scope_find(trust, entry->deployment, slice_text(entry->host), entry->port)];
}

enum x509_reason registry_reason(enum verify_properties properties, enum x509_reason chain_reason,
                                 enum x509_reason name_reason)
{
    if (properties != VERIFY_NAME && chain_reason != X509_REASON_OK)
        return chain_reason;
    return properties != VERIFY_SIGNATURE ? name_reason : X509_REASON_OK;
}

/* --- what can be reached from a chain --------------------------------------------------------------------------------------- */

struct reach {
    size_t count;
    struct slice names[REACH_NAMES_MAX];
    uint64_t hashes[REACH_NAMES_MAX];
    bool too_far;
    int64_t skew_s, now_s, next_s; /* the first moment at which a certificate begins or ends to be valid */
};

static void reach_name(struct reach *reach, struct slice name, uint64_t hash)
{
    for (size_t i = 0; i < reach->count; i++)
        if (reach->hashes[i] == hash && dn_equal(reach->names[i], name))
            return;
    if (reach->count == REACH_NAMES_MAX) {
        reach->too_far = true;
        return;
    }
    reach->names[reach->count] = name;
    reach->hashes[reach->count++] = hash;
}

static void reach_times(struct reach *reach, int64_t not_before_s, int64_t not_after_s)
{
    int64_t begins = not_before_s - reach->skew_s, ends = not_after_s + reach->skew_s + 1;

    if (begins > reach->now_s && begins < reach->next_s)
        reach->next_s = begins;
    if (ends > reach->now_s && ends < reach->next_s)
        reach->next_s = ends;
}

/* Walks up by names in the store. other: NULL, or a store to compare with; false: what is found there differs. */
static bool reach_walk(struct reach *reach, const struct x509_store *store, const struct x509_store *other)
{
    for (size_t i = 0; i < reach->count && !reach->too_far; i++) {
        struct x509_store_walk walk = x509_store_by_subject(store, reach->names[i], reach->hashes[i]);
        const struct x509_certificate *certificate;
        enum x509_role role;
        size_t n = 0;

        while (x509_store_walk_next(&walk, &certificate, &role)) {
            if (n++ == REACH_CERTIFICATES_MAX)
                reach->too_far = true;
            if (reach->too_far || (other != NULL && x509_store_roles(store, certificate->sha256) !=
                                                        x509_store_roles(other, certificate->sha256)))
                return false;
            reach_name(reach, certificate->issuer, certificate->issuer_hash);
            reach_times(reach, certificate->not_before_s, certificate->not_after_s);
        }
    }
    return !reach->too_far;
}

static void reach_begin(struct reach *reach, const struct registry_entry *entry, const struct x509_policy *policy,
                        uint64_t now_s)
{
    *reach = (struct reach){.skew_s = policy->skew_s, .now_s = (int64_t)now_s, .next_s = INT64_MAX};
    for (size_t i = 0; i < entry->shown_count; i++) {
        reach_name(reach, entry->shown[i].issuer, entry->shown[i].issuer_hash);
        reach_times(reach, entry->shown[i].not_before_s, entry->shown[i].not_after_s);
    }
}

/* Have both stores the same to say about the chain? */
static bool reach_same(const struct registry_entry *entry, const struct x509_store *from, const struct x509_store *to,
                       const struct x509_policy *policy, uint64_t now_s)
{
    struct reach reach;

    for (size_t i = 0; i < entry->shown_count; i++)
        if (x509_store_roles(from, entry->shown[i].sha256) != x509_store_roles(to, entry->shown[i].sha256))
            return false;
    /* What only one of them has stands under a name that is reached by what both have: each is walked. */
    reach_begin(&reach, entry, policy, now_s);
    if (!reach_walk(&reach, to, from))
        return false;
    reach_begin(&reach, entry, policy, now_s);
    return reach_walk(&reach, from, to);
}

/* --- a verdict ------------------------------------------------------------------------------------------------------------------ */

/* The last second for which what was found is true, nothing else being changed. */
static uint64_t holds_until(const struct registry_entry *entry, const struct trust_scope *scope, uint64_t now_s,
                            const struct registry_judgement *judgement)
{
    struct reach reach;

    if (judgement->chain_reason == X509_REASON_OK)
        return judgement->valid_until_s;
    if (scope->policy->revocation != X509_REVOCATION_OFF)
        return now_s + NEGATIVE_AGAIN_S;
    reach_begin(&reach, entry, scope->policy, now_s);
    if (!reach_walk(&reach, scope->store, NULL))
        return now_s + NEGATIVE_AGAIN_S;
    return (uint64_t)reach.next_s - 1;
}

static void judge(const struct registry_entry *entry, const struct trust_section *trust, uint64_t now_s,
                  struct registry_judgement *out)
{
    const struct trust_scope *scope = registry_scope(trust, entry);
    size_t count;
    const struct slice *certificates = x509_chain_slices(entry->chain, &count);
    struct x509_digest_value digest;
    struct x509_result result;

    x509_verify_traced(scope->store, certificates, count, x509_chain_staple(entry->chain), &entry->identity,
                       scope->policy, now_s, &result, NULL);
    *out = (struct registry_judgement){.epoch = trust->epoch,
                                       .policy_id = scope->policy->id,
                                       .chain_reason = result.chain_reason,
                                       .name_reason = result.name_reason,
                                       .depth = result.depth,
                                       .warnings = result.warnings,
                                       .valid_until_s = result.valid_until_s};
    for (size_t i = 0; result.chain_reason == X509_REASON_OK && i < result.path_length; i++) {
        if (x509_digest_make(X509_DIGEST_SHA256, result.path[i], &digest) != ASSAY_OK)
            break;
        memcpy(out->path[out->path_length++], digest.bytes, X509_FINGERPRINT_SIZE);
    }
    out->until_s = holds_until(entry, scope, now_s, out);
}

/* Whether two scopes have the same CRLs: asked for the same two again and again. */
struct crls_memory {
    const struct x509_store *from, *to;
    bool same;
};

static bool crls_same_again(struct crls_memory *memory, const struct x509_store *from, const struct x509_store *to)
{
    if (memory->from != from || memory->to != to)
        *memory = (struct crls_memory){from, to, x509_crl_set_same(x509_store_crls(from), x509_store_crls(to))};
    return memory->same;
}

static bool path_stands(const struct registry_judgement *judgement, const struct x509_store *from,
                        const struct x509_store *to)
{
    for (size_t i = 0; i < judgement->path_length; i++)
        if (x509_store_roles(from, judgement->path[i]) != x509_store_roles(to, judgement->path[i]))
            return false;
    return judgement->path_length > 0;
}

/* The conditions of registry_judge.h. */
static bool stands(const struct registry_entry *entry, const struct trust_section *running,
                   const struct trust_section *next, uint64_t now_s, struct crls_memory *memory)
{
    const struct registry_judgement *judgement = &entry->judged;
    const struct trust_scope *from, *to;
    bool accepted = judgement->chain_reason == X509_REASON_OK;

    if (running == NULL || judgement->epoch != running->epoch || now_s > judgement->until_s)
        return false;
    from = registry_scope(running, entry);
    to = registry_scope(next, entry);
    if (judgement->policy_id != to->policy->id || from->policy->id != to->policy->id)
        return false;
    if (to->policy->revocation != X509_REVOCATION_OFF &&
        (!accepted || !crls_same_again(memory, from->store, to->store)))
        return false;
    return from->store == to->store || (accepted && path_stands(judgement, from->store, to->store)) ||
           reach_same(entry, from->store, to->store, to->policy, now_s);
}

/* --- all of them ---------------------------------------------------------------------------------------------------------------- */

static void table_add(struct x509_verdict_table *table, const struct registry_entry *entry, uint64_t now_s)
{
    const struct registry_judgement *judgement = &entry->judged;
    struct x509_verdict verdict = {.chain_reason = judgement->chain_reason,
                                   .name_reason = judgement->name_reason,
                                   .depth = judgement->depth,
                                   .warnings = judgement->warnings,
                                   .valid_until_s = judgement->valid_until_s};
    struct x509_verdict_key key;

    if (judgement->chain_reason == X509_REASON_WORK_LIMIT)
        return;
    if (judgement->chain_reason != X509_REASON_OK || judgement->name_reason != X509_REASON_OK)
        verdict.valid_until_s =
            now_s + REGISTRY_NEGATIVE_S < judgement->until_s ? now_s + REGISTRY_NEGATIVE_S : judgement->until_s;
    x509_verdict_key_init(&key, &entry->digest, &entry->identity, judgement->policy_id);
    x509_verdict_table_add(table, &key, &verdict);
}

struct x509_verdict_table *registry_precompute(struct registry *registry, const struct trust_section *running,
                                               const struct trust_section *next, uint64_t now_s, uint64_t budget_us,
                                               struct registry_judged *out)
{
    struct x509_verdict_table *table = x509_verdict_table_create(registry_count(registry));
    struct crls_memory memory = {0};
    uint64_t begin_us = clock_us();

    *out = (struct registry_judged){.known = registry_count(registry)};
    for (struct registry_entry *entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        if (stands(entry, running, next, now_s, &memory)) {
            entry->judged.epoch = next->epoch;
            out->kept++;
        } else if (clock_us() - begin_us < budget_us) {
            judge(entry, next, now_s, &entry->judged);
            out->judged++;
        } else {
            entry->judged.epoch = 0;
            out->left++;
            continue;
        }
        if (table != NULL)
            table_add(table, entry, now_s);
    }
    out->elapsed_us = clock_us() - begin_us;
    return table;
}

/* Uses whose outcome is known now. */
static void settle_uses(struct registry_entry *entry, const struct trust_section *trust)
{
    enum verify_properties properties = registry_scope(trust, entry)->properties;
    enum x509_reason reason = registry_reason(properties, entry->seen_chain_reason, entry->seen_name_reason);

    if (entry->bad_uses > 0 && reason != X509_REASON_OK)
        registry_note_failures(entry, reason, reason == entry->seen_chain_reason ? entry->seen_depth : 0,
                               entry->bad_uses);
    reason = registry_reason(properties, entry->judged.chain_reason, entry->judged.name_reason);
    if (entry->unjudged_uses > 0 && reason != X509_REASON_OK)
        registry_note_failures(entry, reason, reason == entry->judged.chain_reason ? entry->judged.depth : 0,
                               entry->unjudged_uses);
    entry->bad_uses = entry->unjudged_uses = 0;
}

bool registry_judge_rest(struct registry *registry, const struct trust_section *trust, uint64_t now_s,
                         uint64_t budget_us)
{
    uint64_t begin_us = clock_us();

    for (struct registry_entry *entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        if (entry->judged.epoch != trust->epoch || now_s > entry->judged.until_s) {
            if (clock_us() - begin_us >= budget_us)
                return false;
            judge(entry, trust, now_s, &entry->judged);
        }
        if (entry->bad_uses + entry->unjudged_uses > 0)
            settle_uses(entry, trust);
    }
    return true;
}

void registry_judge_entry(struct registry_entry *entry, const struct trust_section *trust, uint64_t now_s)
{
    judge(entry, trust, now_s, &entry->judged);
}

bool registry_judge_candidate(struct registry *registry, const struct trust_section *running,
                              const struct trust_section *candidate, uint64_t now_s, uint64_t round, uint64_t budget_us)
{
    struct crls_memory memory = {0};
    uint64_t begin_us = clock_us();

    for (struct registry_entry *entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        struct registry_judgement other;
        const struct registry_judgement *judgement = &entry->judged;

        if (entry->thought.round == round)
            continue;
        if (!stands(entry, running, candidate, now_s, &memory)) {
            if (clock_us() - begin_us >= budget_us)
                return false;
            judge(entry, candidate, now_s, &other);
            judgement = &other;
        }
        entry->thought =
            (struct registry_thought){round, judgement->chain_reason, judgement->name_reason, judgement->depth};
    }
    return true;
}

struct registry_verdict registry_verdict(const struct registry_entry *entry, const struct trust_section *trust)
{
    bool judged = entry->judged.epoch == trust->epoch;
    struct registry_verdict out = {0};

    if (entry->seen_epoch == trust->epoch && !judged) {
        out = (struct registry_verdict){.judged = true,
                                        .by_core = true,
                                        .chain_reason = entry->seen_chain_reason,
                                        .name_reason = entry->seen_name_reason,
                                        .depth = entry->seen_depth,
                                        .warnings = entry->seen_warnings};
    } else if (judged) {
        out = (struct registry_verdict){.judged = true,
                                        .chain_reason = entry->judged.chain_reason,
                                        .name_reason = entry->judged.name_reason,
                                        .depth = entry->judged.depth,
                                        .warnings = entry->judged.warnings};
    }
    out.reason = registry_reason(registry_scope(trust, entry)->properties, out.chain_reason, out.name_reason);
    if (out.reason != out.chain_reason)
        out.depth = 0;
    return out;
}
