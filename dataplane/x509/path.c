/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/path.h"

#include <wolfssl/options.h>

#include <wolfssl/wolfcrypt/hash.h>

#include "x509/constraints.h"
#include "x509/dn.h"
#include "x509/policies.h"
#include "x509/profile.h"
#include "x509/rules.h"
#include "x509/signature.h"

struct candidate {
    const struct x509_certificate *certificate;
    bool ends;        /* the store lets a path end here */
    bool contradicts; /* the subject's authorityKeyIdentifier names another key */
    uint32_t score;
};

struct candidates {
    struct candidate list[PATH_CANDIDATES_MAX];
    size_t count;
};

#define CLASS_NONE 255

/* A subject's class is the first presented certificate with that subject; an issuer's the same, or none. */
static void classes_fill(struct path_search *search)
{
    for (size_t i = 0; i < search->presented_count; i++) {
        const struct x509_certificate *certificate = &search->presented[i];

        search->subject_class[i] = (uint8_t)i;
        for (size_t j = 0; j < i; j++)
            if (search->presented[j].subject_hash == certificate->subject_hash &&
                dn_equal(search->presented[j].subject, certificate->subject)) {
                search->subject_class[i] = (uint8_t)j;
                break;
            }
    }
    for (size_t i = 0; i < search->presented_count; i++) {
        const struct x509_certificate *certificate = &search->presented[i];

        search->issuer_class[i] = CLASS_NONE;
        for (size_t j = 0; j < search->presented_count; j++)
            if (search->subject_class[j] == j && search->presented[j].subject_hash == certificate->issuer_hash &&
                dn_equal(search->presented[j].subject, certificate->issuer)) {
                search->issuer_class[i] = (uint8_t)j;
                break;
            }
    }
}

/* The place of a certificate among the presented, or CLASS_NONE for one of the store. */
static size_t presented_index(const struct path_search *search, const struct x509_certificate *certificate)
{
    for (size_t i = 0; i < search->presented_count; i++)
        if (certificate == &search->presented[i])
            return i;
    return CLASS_NONE;
}

static bool subjects_are_equal(const struct path_search *search, const struct x509_certificate *a,
                               const struct x509_certificate *b)
{
    size_t i = presented_index(search, a), j = presented_index(search, b);

    if (i != CLASS_NONE && j != CLASS_NONE)
        return search->subject_class[i] == search->subject_class[j];
    return a->subject_hash == b->subject_hash && dn_equal(a->subject, b->subject);
}

/* Does the i-th presented certificate bear the name of the subject's issuer? */
static bool presented_is_issuer(const struct path_search *search, const struct x509_certificate *subject, size_t i)
{
    size_t at = presented_index(search, subject);

    if (at != CLASS_NONE)
        return search->issuer_class[at] == search->subject_class[i];
    return search->presented[i].subject_hash == subject->issuer_hash &&
           dn_equal(search->presented[i].subject, subject->issuer);
}

void path_search_begin(struct path_search *search, const struct x509_store *store, const struct x509_policy *policy,
                       uint64_t now_s)
{
    search->store = store;
    search->policy = policy;
    search->now_s = now_s;
    search->path[0] = &search->presented[0];
    search->length = 1;
    search->link_count = 0;
    search->work = (struct x509_work){.max = policy->work_max};
    search->steps = 0;
    search->constraints_budget = PATH_CONSTRAINTS_MAX;
    search->exhausted = false;
    search->best.rank = 0;
    search->trace = NULL;
    search->revocation = (struct x509_revocation){
        .crls = x509_store_crls(store),
        .policy = policy,
        .now_s = now_s,
        .work = &search->work,
        .until_s = INT64_MAX,
    };
    classes_fill(search);
}

/* Is there no room for another certificate, be it the anchor? Self-issued intermediates do not count, as they do not toward a
 * pathLenConstraint; the path's length is bounded in any case. */
static bool path_is_full(const struct path_search *search)
{
    size_t intermediates = 0;

    for (size_t i = 1; i < search->length; i++)
        intermediates += !search->path[i]->self_issued;
    return intermediates > search->policy->depth_max || search->length == X509_PATH_MAX;
}

/* May a path end at a certificate of the store with these roles? */
static bool roles_end(const struct path_search *search, unsigned roles)
{
    return (roles & 1u << X509_ROLE_ANCHOR) || (search->policy->partial_chain && (roles & 1u << X509_ROLE_HELPER));
}

enum key_id_fit { KEY_ID_CONTRADICTS, KEY_ID_SILENT, KEY_ID_MATCHES };

/* RFC 4158 §3.5.12: the subject's authorityKeyIdentifier against what the issuer says of itself. */
static enum key_id_fit key_id_fit(const struct x509_certificate *subject, const struct x509_certificate *issuer)
{
    struct slice names = subject->aki_issuer, value;
    enum x509_general_name kind;

    if (subject->aki_key_id.len > 0 && issuer->ski.len > 0)
        return slice_equal(subject->aki_key_id, issuer->ski) ? KEY_ID_MATCHES : KEY_ID_CONTRADICTS;
    if (subject->aki_serial.len == 0 || !slice_equal(subject->aki_serial, issuer->serial))
        return KEY_ID_SILENT;
    while (x509_general_name_next(&names, &kind, &value))
        if (kind == X509_NAME_DIRECTORY && dn_equal(value, issuer->issuer))
            return KEY_ID_MATCHES;
    return KEY_ID_SILENT;
}

/* Key identifier first, then anchors, then certificates that are valid now, then roots before cross-certificates. */
static uint32_t candidate_score(const struct path_search *search, const struct x509_certificate *subject,
                                const struct candidate *candidate)
{
    const struct x509_certificate *issuer = candidate->certificate;

    return (uint32_t)key_id_fit(subject, issuer) << 3 | (uint32_t)candidate->ends << 2 |
           (uint32_t)(x509_rule_validity(issuer, search->policy, search->now_s) == X509_REASON_OK) << 1 |
           (uint32_t)issuer->self_issued;
}

/* The same name and key again lead nowhere new (RFC 4158 §2.4.2), be it this certificate or a sibling. */
static bool is_in_path(const struct path_search *search, const struct x509_certificate *certificate)
{
    for (size_t i = 0; i < search->length; i++) {
        const struct x509_certificate *there = search->path[i];

        if (slice_equal(there->spki, certificate->spki) && subjects_are_equal(search, there, certificate))
            return true;
    }
    return false;
}

/* Keeps the list sorted by score, earlier ones first among equals; the worst falls off a full one. */
static void candidates_add(const struct path_search *search, struct candidates *candidates, struct candidate candidate)
{
    const struct x509_certificate *subject = search->path[search->length - 1];
    size_t at;

    if (is_in_path(search, candidate.certificate))
        return;
    for (at = 0; at < candidates->count; at++)
        if (x509_certificate_same(candidates->list[at].certificate, candidate.certificate))
            return;
    candidate.contradicts = key_id_fit(subject, candidate.certificate) == KEY_ID_CONTRADICTS;
    candidate.score = candidate_score(search, subject, &candidate);
    for (at = candidates->count; at > 0 && candidates->list[at - 1].score < candidate.score; at--)
        ;
    if (at == PATH_CANDIDATES_MAX)
        return;
    if (candidates->count < PATH_CANDIDATES_MAX)
        candidates->count++;
    memmove(candidates->list + at + 1, candidates->list + at, (candidates->count - 1 - at) * sizeof(candidate));
    candidates->list[at] = candidate;
}

/* Everything whose subject is the issuer of the path's last certificate; the store's copies first, as they carry roles. */
static void candidates_gather(const struct path_search *search, struct candidates *candidates)
{
    const struct x509_certificate *subject = search->path[search->length - 1], *certificate;
    struct x509_store_walk walk = x509_store_by_subject(search->store, subject->issuer, subject->issuer_hash);
    enum x509_role role;

    candidates->count = 0;
    while (x509_store_walk_next(&walk, &certificate, &role)) {
        unsigned roles = x509_store_roles(search->store, certificate->sha256);

        if (role != X509_ROLE_LEAF_ONLY)
            candidates_add(search, candidates, (struct candidate){certificate, roles_end(search, roles), false, 0});
    }
    for (size_t i = 1; i < search->presented_count; i++) {
        certificate = &search->presented[i];
        if (!presented_is_issuer(search, subject, i))
            continue;
        /* A server's own certificate in the store is never an issuer, also where a peer presents it as one. */
        if (x509_store_roles(search->store, certificate->sha256) == 1u << X509_ROLE_LEAF_ONLY)
            continue;
        candidates_add(search, candidates, (struct candidate){certificate, false, false, 0});
    }
}

/* Does this issuer's key verify that certificate, by a signature policy relies on? Each pair is computed once a search. */
static enum x509_reason link_check(struct path_search *search, const struct x509_certificate *subject,
                                   const struct x509_certificate *issuer)
{
    enum x509_reason reason = x509_rule_digest(subject, search->policy);

    if (reason != X509_REASON_OK)
        return reason;
    for (size_t i = 0; i < search->link_count; i++)
        if (search->links[i].subject == subject && search->links[i].issuer == issuer)
            return search->links[i].reason;
    if (search->link_count == PATH_SIGNATURES_MAX || !x509_work_take(&search->work, &issuer->key)) {
        search->exhausted = true;
        return X509_REASON_WORK_LIMIT;
    }
    switch (x509_signature_check(subject, &issuer->key)) {
    case ASSAY_OK: reason = X509_REASON_OK; break;
    case ASSAY_ERR_UNSUPPORTED: reason = X509_REASON_UNSUPPORTED_ALGORITHM; break;
    case ASSAY_ERR_REFUSED: reason = X509_REASON_BAD_SIGNATURE; break;
    default: /* the machine failed: say nothing about the certificate, and let nobody remember it */
        search->exhausted = true;
        return X509_REASON_WORK_LIMIT;
    }
    search->links[search->link_count++] = (struct path_link){subject, issuer, reason};
    return reason;
}

/* Keeps why a path did not do, for who asks. */
static void trace_add(const struct path_search *search, bool reached, enum x509_reason reason, int depth,
                      const char *detail)
{
    struct x509_trace *trace = search->trace;
    struct x509_attempt *attempt;

    if (trace == NULL)
        return;
    if (trace->count == X509_TRACE_MAX) {
        trace->left_out++;
        return;
    }
    attempt = &trace->attempts[trace->count++];
    *attempt = (struct x509_attempt){
        .reason = reason, .depth = depth, .reached = reached, .detail = detail, .length = search->length};
    for (size_t i = 0; i < search->length; i++)
        attempt->path[i] = search->path[i]->der;
}

/* What the path's last certificate breaks of the rules that need nothing above it. */
static enum x509_reason last_fault(const struct path_search *search, bool is_anchor, const char **detail)
{
    size_t last = search->length - 1;
    enum x509_reason reason;

    *detail = NULL;
    if ((reason = x509_rule_validity(search->path[last], search->policy, search->now_s)) != X509_REASON_OK ||
        (reason = x509_rule_extensions(search->path, last, is_anchor, search->policy)) != X509_REASON_OK ||
        (reason = x509_rule_key(search->path[last], search->policy)) != X509_REASON_OK)
        return reason;
    *detail = x509_profile_fault(search->path, last, is_anchor, search->policy);
    return *detail != NULL ? X509_REASON_PROFILE : X509_REASON_OK;
}

/* RFC 7469 §2.6: one pinned key anywhere in the path is enough. */
static bool pins_are_kept(const struct path_search *search)
{
    uint8_t digest[32];

    for (size_t i = 0; search->policy->pin_count > 0 && i < search->length; i++) {
        struct slice spki = search->path[i]->spki;

        if (wc_Sha256Hash(spki.data, (word32)spki.len, digest) != 0)
            return false;
        for (size_t j = 0; j < search->policy->pin_count; j++)
            if (memcmp(search->policy->pins[j], digest, sizeof(digest)) == 0)
                return true;
    }
    return search->policy->pin_count == 0;
}

/* What only a whole path can be asked whose signatures hold: names and policies, */
static enum x509_reason whole_names_fault(struct path_search *search, int *depth)
{
    enum x509_reason reason =
        x509_constraints_check(search->path, search->length, search->policy, &search->constraints_budget, depth);

    search->exhausted = search->exhausted || reason == X509_REASON_WORK_LIMIT;
    return reason != X509_REASON_OK ? reason : x509_policies_check(search->path, search->length, depth);
}

/* and, once nothing else is wrong with it, pins and revocation. */
static enum x509_reason whole_status_fault(struct path_search *search, int *depth)
{
    enum x509_reason reason;

    if (!pins_are_kept(search)) {
        *depth = 0;
        return X509_REASON_PIN_MISMATCH;
    }
    reason = x509_revocation_check(search->path, search->length, &search->revocation, depth);
    search->exhausted = search->exhausted || reason == X509_REASON_WORK_LIMIT;
    return reason;
}

static bool whole_is_good(struct path_search *search)
{
    int depth = 0;
    enum x509_reason reason = whole_names_fault(search, &depth);

    search->revocation.detail = NULL;
    if (reason == X509_REASON_OK)
        reason = whole_status_fault(search, &depth);
    if (reason != X509_REASON_OK)
        trace_add(search, true, reason, depth, search->revocation.detail);
    return reason == X509_REASON_OK;
}

static bool step_is_left(struct path_search *search)
{
    if (search->steps == PATH_STEPS_MAX) {
        search->exhausted = true;
        return false;
    }
    search->steps++;
    return true;
}

static bool find_issuer(struct path_search *search);

/* Takes a candidate on, as long as nothing is wrong so far, and goes on from there. */
static bool find_with(struct path_search *search, const struct candidate *candidate)
{
    enum x509_reason reason = link_check(search, search->path[search->length - 1], candidate->certificate);
    int depth = (int)search->length - 1;
    const char *detail = NULL;
    bool found = false;

    search->path[search->length++] = candidate->certificate;
    if (reason == X509_REASON_OK) {
        depth++;
        reason = last_fault(search, candidate->ends, &detail);
    }
    if (reason != X509_REASON_OK)
        trace_add(search, candidate->ends, reason, depth, detail);
    else
        found = candidate->ends ? whole_is_good(search) : find_issuer(search);
    if (!found)
        search->length--;
    return found;
}

/* Tries to complete the path upwards from its last certificate. */
static bool find_issuer(struct path_search *search)
{
    struct candidates candidates;

    if (path_is_full(search) || !step_is_left(search))
        return false;
    candidates_gather(search, &candidates);
    for (size_t i = 0; i < candidates.count && !search->exhausted; i++)
        if (find_with(search, &candidates.list[i]))
            return true;
    return false;
}

/* Is the leaf itself in the store, as a server's own certificate or as an anchor? */
static bool leaf_ends(const struct path_search *search)
{
    unsigned roles = x509_store_roles(search->store, search->path[0]->sha256);

    return roles_end(search, roles) || (roles & 1u << X509_ROLE_LEAF_ONLY);
}

bool path_find(struct path_search *search)
{
    const char *detail;

    search->length = 1;
    if (last_fault(search, leaf_ends(search), &detail) != X509_REASON_OK)
        return false;
    return leaf_ends(search) ? whole_is_good(search) : find_issuer(search);
}

/* The first fault of a path that reached the store, in the order OpenSSL looks: extensions from the leaf up, keys, name
 * constraints, then signatures and dates from the top down. */
static enum x509_reason path_fault(struct path_search *search, int *depth, const char **detail)
{
    enum x509_reason reason;
    bool signatures_hold = true;

    for (size_t i = 0; i < search->length; i++) {
        *depth = (int)i;
        reason = x509_rule_extensions(search->path, i, i == search->length - 1, search->policy);
        if (reason != X509_REASON_OK)
            return reason;
    }
    for (size_t i = 0; i < search->length; i++) {
        *depth = (int)i;
        if ((reason = x509_rule_key(search->path[i], search->policy)) != X509_REASON_OK)
            return reason;
        if (i + 1 < search->length && link_check(search, search->path[i], search->path[i + 1]) != X509_REASON_OK)
            signatures_hold = false;
    }
    /* Names in certificates that nobody signed are not worth the work a peer could make of them. */
    if (signatures_hold && (reason = whole_names_fault(search, depth)) != X509_REASON_OK)
        return reason;
    for (size_t i = search->length; i-- > 0;) {
        *depth = (int)i;
        if (i + 1 < search->length &&
            (reason = link_check(search, search->path[i], search->path[i + 1])) != X509_REASON_OK)
            return reason;
        if ((reason = x509_rule_validity(search->path[i], search->policy, search->now_s)) != X509_REASON_OK)
            return reason;
    }
    for (size_t i = 0; i < search->length; i++) {
        *depth = (int)i;
        *detail = x509_profile_fault(search->path, i, i == search->length - 1, search->policy);
        if (*detail != NULL)
            return X509_REASON_PROFILE;
    }
    reason = whole_status_fault(search, depth);
    *detail = search->revocation.detail;
    return reason;
}

/* Ranks the present path with its fault and keeps it when it came further than any before. */
static void attempt_record(struct path_search *search, bool reached, bool self_signed, enum x509_reason reason,
                           int depth, const char *detail)
{
    uint32_t held = self_signed, rank;

    trace_add(search, reached, reason, depth, detail);
    for (size_t i = 0; i + 1 < search->length; i++)
        held += link_check(search, search->path[i], search->path[i + 1]) == X509_REASON_OK;
    rank = (uint32_t)(reached && held + 1 == search->length) << 24 | held << 16 | (uint32_t)reached << 8 |
           (uint32_t)search->length;
    if (rank <= search->best.rank)
        return;
    memcpy(search->best.path, search->path, sizeof(search->path));
    search->best.length = search->length;
    search->best.reason = reason;
    search->best.depth = depth;
    search->best.detail = detail;
    search->best.rank = rank;
}

static void record_reached(struct path_search *search)
{
    int depth = 0;
    const char *detail = NULL;
    enum x509_reason reason = path_fault(search, &depth, &detail);

    /* No fault, and yet no path was found: the work ran out before it. */
    attempt_record(search, true, false, reason == X509_REASON_OK ? X509_REASON_WORK_LIMIT : reason, depth, detail);
}

static void record_dead_end(struct path_search *search)
{
    const struct x509_certificate *last = search->path[search->length - 1];
    bool self_signed = last->self_issued && key_id_fit(last, last) != KEY_ID_CONTRADICTS &&
                       link_check(search, last, last) == X509_REASON_OK;
    enum x509_reason reason = !self_signed          ? X509_REASON_UNKNOWN_ISSUER
                              : search->length == 1 ? X509_REASON_SELF_SIGNED_LEAF
                                                    : X509_REASON_SELF_SIGNED_IN_CHAIN;

    attempt_record(search, false, self_signed, reason, (int)search->length - 1, NULL);
}

/* Walks every way up, by links that are known already or that the work left still allows. */
static void explain_issuer(struct path_search *search)
{
    struct candidates candidates;
    bool found = false;

    if (!step_is_left(search))
        return;
    candidates_gather(search, &candidates);
    if (candidates.count > 0 && path_is_full(search)) {
        attempt_record(search, false, false, X509_REASON_CHAIN_TOO_LONG, (int)search->length - 1, NULL);
        return;
    }
    for (size_t i = 0; i < candidates.count && search->steps < PATH_STEPS_MAX; i++) {
        const struct candidate *candidate = &candidates.list[i];
        enum x509_reason link = link_check(search, search->path[search->length - 1], candidate->certificate);

        /* A namesake with another key is not this certificate's issuer, and so not a wrong signature of it. */
        if (link == X509_REASON_WORK_LIMIT || (link == X509_REASON_BAD_SIGNATURE && candidate->contradicts))
            continue;
        found = true;
        search->path[search->length++] = candidate->certificate;
        if (candidate->ends)
            record_reached(search);
        else
            explain_issuer(search);
        search->length--;
    }
    /* With wrong signatures only, "self signed" may still be the better explanation. */
    if (!found || search->path[search->length - 1]->self_issued)
        record_dead_end(search);
}

void path_explain(struct path_search *search)
{
    bool exhausted = search->exhausted;

    if (search->trace != NULL) /* the same ways once more, and farther */
        search->trace->count = search->trace->left_out = 0;
    search->length = 1;
    search->steps = 0;
    search->best.rank = 0;
    if (leaf_ends(search))
        record_reached(search);
    else
        explain_issuer(search);
    if (exhausted || search->best.rank == 0) {
        search->best.reason = X509_REASON_WORK_LIMIT;
        search->best.depth = search->best.rank == 0 ? 0 : search->best.depth;
    }
    if (search->best.rank == 0) {
        search->best.path[0] = search->path[0];
        search->best.length = 1;
    }
}
