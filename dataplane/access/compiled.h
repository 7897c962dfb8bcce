/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ASSAY_ACCESS_COMPILED_H
#define ASSAY_ACCESS_COMPILED_H
/* Lists of patterns compiled once: the nodes of one type have the same paths, and most origins are the same in the next
 * set, so a change of rules compiles what it changed and nothing else (DESIGN 8). Internal to this folder.
 * Owner: counted; a set holds one reference for each of its lists. Thread: control's; the counts are atomic, because sets
 * are freed when cores are done with them. */
#include <stdatomic.h>

#include "base/pattern_set.h"

struct access_compiled {
    atomic_uint references;
    uint64_t hash;
    struct pattern_set *patterns;
    size_t signature_len;
    uint8_t signature[]; /* the patterns, spelled out */
};

/* A growing list of references. */
struct access_compiled_list {
    struct access_compiled **items;
    size_t count;
    size_t capacity;
    uint32_t *slots; /* hash table of number + 1 */
    size_t slot_count;
};

/* The list's own copy of these patterns, or one taken over from previous (may be NULL), or compiled now. *out is valid as
 * long as the list. NO_MEMORY, INTERNAL. */
enum assay_error access_compiled_get(struct access_compiled_list *list, const struct access_compiled_list *previous,
                                     const struct pattern *patterns, size_t count, struct access_compiled **out)
    ASSAY_MUST_USE;
void access_compiled_clear(struct access_compiled_list *list);

#endif
