/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_BASE_PATTERN_SET_H
#define ASSAY_BASE_PATTERN_SET_H
/* Many patterns against one subject in a single scan, whatever their number. The only caller of Hyperscan.
 * Every pattern is anchored at the subject's beginning: a literal, then what may follow it.
 * Owner: the caller. Thread: a compiled set is immutable, any number of threads; a scratch serves one thread at a time.
 * Errors: NO_MEMORY, RANGE (no patterns, or one that is too long), INTERNAL.
 * Source: Hyperscan developer's reference. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "assay/error.h"
#include "base/slice.h"

/* Four characters of an expression each, and Hyperscan reads 16,000. */
#define PATTERN_LITERAL_MAX 2048

enum pattern_tail {
    PATTERN_TAIL_ANY,     /* anything, or nothing */
    PATTERN_TAIL_END,     /* nothing */
    PATTERN_TAIL_QUERY,   /* nothing, or '?' and anything */
    PATTERN_TAIL_SEGMENT, /* nothing, or '/' or '?' and anything */
    PATTERN_TAIL_PAIR,    /* nothing, or '&' and anything */
};

struct pattern {
    struct slice literal;
    enum pattern_tail tail;
};

struct pattern_set;
struct pattern_scratch;

enum assay_error pattern_set_compile(const struct pattern *patterns, size_t count, struct pattern_set **out)
    ASSAY_MUST_USE;
void pattern_set_free(struct pattern_set *set);
size_t pattern_set_count(const struct pattern_set *set);

/* Room for a scan of any one of the sets. */
enum assay_error pattern_scratch_create(struct pattern_set *const *sets, size_t count, struct pattern_scratch **out)
    ASSAY_MUST_USE;
void pattern_scratch_free(struct pattern_scratch *scratch);

/* A bit for each pattern that matches: pattern i is bit i % 64 of word i / 64. The words are the scratch's, until its next
 * scan. NULL: the scan failed (a scratch that was not made for the set); nothing matches then. */
const uint64_t *pattern_set_scan(const struct pattern_set *set, struct pattern_scratch *scratch, struct slice subject);

static inline size_t pattern_words(size_t count)
{
    return (count + 63) / 64;
}

#endif
