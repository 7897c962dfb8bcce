/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pattern_set.h"

#include <stdlib.h>

#include <hs/hs.h>

struct pattern_set {
    hs_database_t *database;
    size_t count;
};

struct pattern_scratch {
    hs_scratch_t *scratch;
    size_t words;
    uint64_t matched[];
};

static const char *const tail_expressions[] = {
    [PATTERN_TAIL_ANY] = "",
    [PATTERN_TAIL_END] = "\\z",
    [PATTERN_TAIL_QUERY] = "(?:\\?|\\z)",
    [PATTERN_TAIL_SEGMENT] = "(?:[/?]|\\z)",
    [PATTERN_TAIL_PAIR] = "(?:&|\\z)",
};

/* Every byte as \xHH: nothing a rule contains is ever read as an operator. */
static char *expression_create(const struct pattern *pattern)
{
    static const char digits[] = "0123456789abcdef";
    const char *tail = tail_expressions[pattern->tail];
    char *text = malloc(1 + 4 * pattern->literal.len + strlen(tail) + 1);
    char *p = text;

    if (text == NULL)
        return NULL;
    *p++ = '^';
    for (size_t i = 0; i < pattern->literal.len; i++) {
        *p++ = '\\';
        *p++ = 'x';
        *p++ = digits[pattern->literal.data[i] >> 4];
        *p++ = digits[pattern->literal.data[i] & 0xf];
    }
    memcpy(p, tail, strlen(tail) + 1);
    return text;
}

/* A pattern of nothing at all matches every subject, and Hyperscan compiles it only when told so. */
static unsigned expression_flags(const struct pattern *pattern)
{
    bool empty = pattern->literal.len == 0;

    return HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH | (empty ? HS_FLAG_ALLOWEMPTY : 0);
}

static enum assay_error compile(char **expressions, const unsigned *flags, const unsigned *ids, size_t count,
                                struct pattern_set **out)
{
    struct pattern_set *set = malloc(sizeof(*set));
    hs_compile_error_t *fault = NULL;
    hs_error_t result;

    if (set == NULL)
        return ASSAY_ERR_NO_MEMORY;
    set->count = count;
    result = hs_compile_multi((const char *const *)expressions, flags, ids, (unsigned)count, HS_MODE_BLOCK, NULL,
                              &set->database, &fault);
    if (result != HS_SUCCESS) {
        hs_free_compile_error(fault);
        free(set);
        return result == HS_NOMEM ? ASSAY_ERR_NO_MEMORY : ASSAY_ERR_INTERNAL;
    }
    *out = set;
    return ASSAY_OK;
}

enum assay_error pattern_set_compile(const struct pattern *patterns, size_t count, struct pattern_set **out)
{
    enum assay_error error = ASSAY_ERR_NO_MEMORY;
    char **expressions;
    unsigned *flags;
    unsigned *ids;

    if (count == 0 || count > UINT32_MAX)
        return ASSAY_ERR_RANGE;
    expressions = calloc(count, sizeof(*expressions));
    flags = calloc(count, sizeof(*flags));
    ids = calloc(count, sizeof(*ids));
    if (expressions == NULL || flags == NULL || ids == NULL)
        goto out;
    for (size_t i = 0; i < count; i++) {
        if (patterns[i].literal.len > PATTERN_LITERAL_MAX) {
            error = ASSAY_ERR_RANGE;
            goto out;
        }
        expressions[i] = expression_create(&patterns[i]);
        if (expressions[i] == NULL)
            goto out;
        flags[i] = expression_flags(&patterns[i]);
        ids[i] = (unsigned)i;
    }
    error = compile(expressions, flags, ids, count, out);
out:
    for (size_t i = 0; expressions != NULL && i < count; i++)
        free(expressions[i]);
    free(expressions);
    free(flags);
    free(ids);
    return error;
}

void pattern_set_free(struct pattern_set *set)
{
    if (set == NULL)
        return;
    hs_free_database(set->database);
    free(set);
}

size_t pattern_set_count(const struct pattern_set *set)
{
    return set->count;
}

enum assay_error pattern_scratch_create(struct pattern_set *const *sets, size_t count, struct pattern_scratch **out)
{
    struct pattern_scratch *scratch;
    size_t words = 1;

    for (size_t i = 0; i < count; i++)
        if (pattern_words(sets[i]->count) > words)
            words = pattern_words(sets[i]->count);
    scratch = malloc(sizeof(*scratch) + words * sizeof(scratch->matched[0]));
    if (scratch == NULL)
        return ASSAY_ERR_NO_MEMORY;
    scratch->scratch = NULL;
    scratch->words = words;
    for (size_t i = 0; i < count; i++) {
        if (hs_alloc_scratch(sets[i]->database, &scratch->scratch) != HS_SUCCESS) {
            pattern_scratch_free(scratch);
            return ASSAY_ERR_NO_MEMORY;
        }
    }
    *out = scratch;
    return ASSAY_OK;
}

void pattern_scratch_free(struct pattern_scratch *scratch)
{
    if (scratch == NULL)
        return;
    hs_free_scratch(scratch->scratch);
    free(scratch);
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context)
{
    struct pattern_scratch *scratch = context;

    scratch->matched[id / 64] |= UINT64_C(1) << (id % 64);
    return 0;
}

const uint64_t *pattern_set_scan(const struct pattern_set *set, struct pattern_scratch *scratch, struct slice subject)
{
    size_t words = pattern_words(set->count);

    if (words > scratch->words || subject.len > UINT32_MAX)
        return NULL;
    memset(scratch->matched, 0, words * sizeof(scratch->matched[0]));
    if (hs_scan(set->database, (const char *)subject.data, (unsigned)subject.len, 0, scratch->scratch, on_match,
                scratch) != HS_SUCCESS)
        return NULL;
    return scratch->matched;
}
