/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_X509_VERDICT_TABLE_H
#define ASSAY_X509_VERDICT_TABLE_H
/* Verdicts that control has worked out before it publishes a trust section, for the chains it knows: part of that section, so
 * that after a publish a core finds them instead of judging each chain in full (DESIGN 6). Keyed like the verdict cache:
 * positive by leaf, identity and policy, negative by the presented chain too; valid until each verdict's valid_until_s.
 * Owner: control. Thread: built by one thread, then immutable and readable by all. Units: seconds of wall clock. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "x509/verdict_cache.h"

struct x509_verdict_table;

/* Room for so many verdicts. NULL: out of memory. */
struct x509_verdict_table *x509_verdict_table_create(size_t capacity);
void x509_verdict_table_free(struct x509_verdict_table *table); /* NULL is fine */
/* Before it is shared. One of the same key replaces the earlier one; beyond the capacity it is left out. */
void x509_verdict_table_add(struct x509_verdict_table *table, const struct x509_verdict_key *key,
                            const struct x509_verdict *verdict);
/* True and *out filled when a verdict is there and still valid. */
bool x509_verdict_table_find(const struct x509_verdict_table *table, const struct x509_verdict_key *key, uint64_t now_s,
                             struct x509_verdict *out);
size_t x509_verdict_table_count(const struct x509_verdict_table *table);

#endif
