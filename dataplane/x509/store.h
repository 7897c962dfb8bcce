/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_STORE_H
#define ASSAY_X509_STORE_H
/* A set of trusted certificates with roles (DESIGN 6), built once and then read by all cores: many certificates of one
 * subject are held side by side (MRA S10), found by subject, by subject key identifier, by fingerprint.
 * Owner: the creator (control: a trust section); it holds copies of the DER. Thread: built by one thread, then immutable and
 * readable by all. Errors: see each. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

enum x509_role {
    X509_ROLE_ANCHOR,    /* ends a path */
    X509_ROLE_HELPER,    /* an intermediate: helps to build, ends a path only with partial_chain */
    X509_ROLE_LEAF_ONLY, /* a server's own certificate, matched by fingerprint, never an issuer whatever it says */
};

struct x509_store;
struct x509_certificate;
struct x509_crl_set;

struct x509_store *x509_store_create(void); /* NULL: out of memory */
void x509_store_free(struct x509_store *store);
/* MALFORMED (with *fault, if not NULL, set to a static text that says what is wrong), DUPLICATE (same fingerprint and role:
 * nothing changes), NO_MEMORY. An expired certificate is accepted (S12). */
enum assay_error x509_store_add(struct x509_store *store, struct slice der, enum x509_role role, const char **fault)
    ASSAY_MUST_USE;
/* What base holds counts in the store as well, behind its own: look-ups and walks see both, count, at and add its own alone.
 * base: unchanged and alive as long as the store, without a base of its own. */
void x509_store_set_base(struct x509_store *store, const struct x509_store *base);
size_t x509_store_count(const struct x509_store *store);
/* The i-th certificate in order of adding; role may be NULL. */
const struct x509_certificate *x509_store_at(const struct x509_store *store, size_t i, enum x509_role *role);

/* CRLs of what the store's certificates issued, for revocation.h; the store owns them from then on. crls may be NULL: none. */
void x509_store_set_crls(struct x509_store *store, struct x509_crl_set *crls);
/* The same with CRLs that are another's, and outlive the store: several stores may share them. */
void x509_store_lend_crls(struct x509_store *store, const struct x509_crl_set *crls);
const struct x509_crl_set *x509_store_crls(const struct x509_store *store);

/* Is a certificate of this fingerprint here, and in which roles? Bits 1 << role; 0 = no. */
unsigned x509_store_roles(const struct x509_store *store, const uint8_t sha256[32]);

/* The certificates whose subject equals a name (dn.h), in order of adding. */
struct x509_store_walk {
    const struct x509_store *store, *at; /* at: the one of the two that next is in */
    struct slice subject;
    uint64_t hash;
    uint32_t next; /* entry to look at, or UINT32_MAX */
};
struct x509_store_walk x509_store_by_subject(const struct x509_store *store, struct slice subject, uint64_t hash);
bool x509_store_walk_next(struct x509_store_walk *walk, const struct x509_certificate **certificate,
                          enum x509_role *role);

/* The role that `trust add` proposes: self-signed CA → anchor; other CA → helper; self-signed that is no CA, or a server's
 * certificate (SAN or serverAuth) that says CA:TRUE as CUCM's self-signed ones do → leaf-only; other leaf → leaf-only. */
enum x509_role x509_role_propose(const struct x509_certificate *certificate);
const char *x509_role_name(enum x509_role role); /* "anchor", "helper", "leaf-only" */

#endif
