/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_CHAIN_H
#define ASSAY_X509_CHAIN_H
/* A presented chain that outlives its handshake: an origin's pooled connections, and control's registry of chains, keep it so
 * that it can be judged again when the trust changes (DESIGN 6). One allocation, immutable.
 * Owner: counted; the last unref frees. Thread: any may hold, ref and unref. */
#include <stddef.h>

#include "assay/error.h"
#include "base/slice.h"
#include "x509/verdict_cache.h"

struct x509_chain;

/* A copy of the DERs, count at least 1, with one reference. NULL: out of memory, or an empty chain. */
struct x509_chain *x509_chain_create(const struct slice *presented, size_t count);
/* The same with the OCSP response that was stapled to it; empty: none. */
struct x509_chain *x509_chain_create_stapled(const struct slice *presented, size_t count, struct slice staple);
struct x509_chain *x509_chain_ref(struct x509_chain *chain); /* returns chain */
void x509_chain_unref(struct x509_chain *chain);             /* NULL is fine */

/* Leaf first; *count of them, owned by the chain. */
const struct slice *x509_chain_slices(const struct x509_chain *chain, size_t *count);
struct slice x509_chain_staple(const struct x509_chain *chain); /* empty: none */
const struct x509_chain_digest *x509_chain_digests(const struct x509_chain *chain);
/* Memory it holds, for limits. */
size_t x509_chain_bytes(const struct x509_chain *chain);

#endif
