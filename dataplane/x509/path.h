/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_PATH_H
#define ASSAY_X509_PATH_H
/* The search for a path from a leaf to the store, over presented and stored certificates; verify.c is its only caller.
 * First a search that cuts each branch at its first fault and ends at the first valid path. When there is none, a second walk
 * without cutting, only to say what is wrong, in OpenSSL's order, with the attempt that came furthest: one that reached the
 * store with right signatures before one that did not; then the most links that hold; then the longest.
 * Bounds: policy.work_max for signature checks in all (each pair once, and those of CRLs), PATH_STEPS_MAX certificates visited in each walk,
 * PATH_CANDIDATES_MAX issuers considered for one certificate.
 * Owner: the caller; the struct is large (16 KiB), on its stack. Source: RFC 4158 §2.4, §3.5. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "x509/certificate.h"
#include "x509/revocation.h"
#include "x509/signature.h"
#include "x509/store.h"
#include "x509/verify.h"

#define PATH_STEPS_MAX       256
#define PATH_CANDIDATES_MAX  64
#define PATH_SIGNATURES_MAX  256
#define PATH_CONSTRAINTS_MAX 131072 /* names times subtrees, long ones counting more */

/* What a signature check said, once. */
struct path_link {
    const struct x509_certificate *subject, *issuer;
    enum x509_reason reason;
};

struct path_attempt {
    const struct x509_certificate *path[X509_PATH_MAX];
    size_t length;
    enum x509_reason reason;
    int depth;
    const char *detail;
    uint32_t rank; /* 0: nothing recorded */
};

struct path_search {
    const struct x509_store *store;
    const struct x509_policy *policy;
    uint64_t now_s;
    struct x509_certificate presented[X509_PRESENTED_MAX];
    size_t presented_count;
    /* Equal names have equal numbers: compared once, however often the search comes by. */
    uint8_t subject_class[X509_PRESENTED_MAX], issuer_class[X509_PRESENTED_MAX];

    const struct x509_certificate *path[X509_PATH_MAX];
    size_t length;

    struct path_link links[PATH_SIGNATURES_MAX];
    size_t link_count;
    struct x509_work work;
    uint32_t steps, constraints_budget;
    bool exhausted;
    struct x509_revocation revocation; /* of the path judged last */
    struct path_attempt best;
    struct x509_trace *trace; /* NULL: nobody asks */
};

/* presented[0] of search is the leaf, parsed; the counts and pointers are set, the rest zero. */
void path_search_begin(struct path_search *search, const struct x509_store *store, const struct x509_policy *policy,
                       uint64_t now_s);
/* True: path[0..length) is valid. */
bool path_find(struct path_search *search);
/* Fills best; call after path_find() has failed. */
void path_explain(struct path_search *search);

#endif
