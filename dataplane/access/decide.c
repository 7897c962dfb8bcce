/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "access/compiled.h"
#include "access/rules.h"

/* All rules of one scheme, host and port. */
struct origin {
    const struct access_entry *key; /* one of them; NULL: a free slot */
    uint32_t first;                 /* in access_set.order */
    uint32_t count;
    const struct pattern_set *patterns; /* pattern i is rule order[first + i] */
};

struct access_set {
    struct access_entry *entries; /* as they were added */
    size_t count;
    uint32_t *order; /* numbers of entries: origin by origin, and within one the rule that decides first */
    struct origin *origins;
    size_t origin_mask;
    struct access_compiled_list compiled;
    struct pattern_scratch **scratch; /* a core each */
    uint32_t cores;
};

static bool same_origin(const struct access_entry *a, const struct access_entry *b)
{
    return a->https == b->https && a->port == b->port && slice_equal(a->host, b->host);
}

static const struct origin *find_origin(const struct access_set *set, bool https, struct slice host, uint16_t port)
{
    size_t i = access_origin_hash(https, host, port) & set->origin_mask;

    for (; set->origins[i].key != NULL; i = (i + 1) & set->origin_mask) {
        const struct access_entry *key = set->origins[i].key;

        if (key->https == https && key->port == port && slice_equal(key->host, host))
            break;
    }
    return &set->origins[i];
}

/* --- building --------------------------------------------------------------------------------------------------------------- */

/* Origins side by side, then the order of decision. */
static int compare_order(const void *a, const void *b, void *context)
{
    const struct access_entry *entries = context;
    uint32_t ia = *(const uint32_t *)a;
    uint32_t ib = *(const uint32_t *)b;
    const struct access_entry *ea = &entries[ia];
    const struct access_entry *eb = &entries[ib];
    size_t len = ea->host.len < eb->host.len ? ea->host.len : eb->host.len;
    int difference = memcmp(ea->host.data, eb->host.data, len);

    if (difference != 0)
        return difference;
    if (ea->host.len != eb->host.len)
        return ea->host.len < eb->host.len ? -1 : 1;
    if (ea->port != eb->port)
        return ea->port < eb->port ? -1 : 1;
    if (ea->https != eb->https)
        return ea->https ? 1 : -1;
    return ia == ib ? 0 : access_entry_compare(ea, ia, eb, ib);
}

static enum assay_error copy_entries(struct access_set *set, const struct access_builder *builder)
{
    const char *fault;

    for (size_t i = 0; i < builder->count; i++) {
        enum assay_error error = access_entry_init(&builder->entries[i].rule, &set->entries[i], &fault);

        if (error != ASSAY_OK)
            return error;
        set->count++;
        set->order[i] = (uint32_t)i;
    }
    if (set->count > 0)
        qsort_r(set->order, set->count, sizeof(*set->order), compare_order, set->entries);
    return ASSAY_OK;
}

static enum assay_error compile_origin(struct access_set *set, const struct access_set *previous, uint32_t first,
                                       uint32_t count, struct pattern *patterns)
{
    const struct access_entry *key = &set->entries[set->order[first]];
    struct access_compiled *compiled;
    enum assay_error error;
    struct origin *origin;

    for (uint32_t i = 0; i < count; i++)
        patterns[i] = set->entries[set->order[first + i]].pattern;
    error = access_compiled_get(&set->compiled, previous ? &previous->compiled : NULL, patterns, count, &compiled);
    if (error != ASSAY_OK)
        return error;
    origin = &set->origins[find_origin(set, key->https, key->host, key->port) - set->origins];
    *origin = (struct origin){key, first, count, compiled->patterns};
    return ASSAY_OK;
}

static enum assay_error compile_origins(struct access_set *set, const struct access_set *previous)
{
    struct pattern *patterns = malloc((set->count + 1) * sizeof(*patterns));
    enum assay_error error = patterns != NULL ? ASSAY_OK : ASSAY_ERR_NO_MEMORY;

    for (uint32_t first = 0, next; first < set->count && error == ASSAY_OK; first = next) {
        for (next = first + 1; next < set->count; next++)
            if (!same_origin(&set->entries[set->order[first]], &set->entries[set->order[next]]))
                break;
        error = compile_origin(set, previous, first, next - first, patterns);
    }
    free(patterns);
    return error;
}

static enum assay_error create_scratch(struct access_set *set, uint32_t cores)
{
    size_t count = set->compiled.count;
    struct pattern_set **sets = malloc((count + 1) * sizeof(struct pattern_set *));
    enum assay_error error = sets != NULL ? ASSAY_OK : ASSAY_ERR_NO_MEMORY;

    for (size_t i = 0; sets != NULL && i < count; i++)
        sets[i] = set->compiled.items[i]->patterns;
    while (error == ASSAY_OK && set->cores < cores) {
        error = pattern_scratch_create(sets, count, &set->scratch[set->cores]);
        set->cores += error == ASSAY_OK;
    }
    free(sets);
    return error;
}

static struct access_set *allocate(size_t count, uint32_t cores)
{
    struct access_set *set = calloc(1, sizeof(*set));
    size_t slots = 16;

    if (set == NULL)
        return NULL;
    while (slots < 2 * count)
        slots *= 2;
    set->origin_mask = slots - 1;
    set->origins = calloc(slots, sizeof(*set->origins));
    set->entries = calloc(count + 1, sizeof(*set->entries));
    set->order = calloc(count + 1, sizeof(*set->order));
    set->scratch = calloc(cores, sizeof(*set->scratch));
    if (set->origins == NULL || set->entries == NULL || set->order == NULL || set->scratch == NULL) {
        access_set_free(set);
        return NULL;
    }
    return set;
}

enum assay_error access_builder_finish(struct access_builder *builder, uint32_t cores, struct access_set **out)
{
    struct access_set *set;
    enum assay_error error;

    if (cores == 0)
        return ASSAY_ERR_RANGE;
    set = allocate(builder->count, cores);
    if (set == NULL)
        return ASSAY_ERR_NO_MEMORY;
    error = copy_entries(set, builder);
    if (error == ASSAY_OK)
        error = compile_origins(set, builder->previous);
    if (error == ASSAY_OK)
        error = create_scratch(set, cores);
    if (error != ASSAY_OK) {
        access_set_free(set);
        return error;
    }
    *out = set;
    return ASSAY_OK;
}

void access_set_free(struct access_set *set)
{
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->count; i++)
        access_entry_clear(&set->entries[i]);
    for (uint32_t i = 0; i < set->cores; i++)
        pattern_scratch_free(set->scratch[i]);
    access_compiled_clear(&set->compiled);
    free(set->scratch);
    free(set->entries);
    free(set->order);
    free(set->origins);
    free(set);
}

size_t access_set_count(const struct access_set *set)
{
    return set->count;
}

const struct access_rule *access_set_at(const struct access_set *set, size_t i)
{
    return &set->entries[i].rule;
}

/* --- deciding --------------------------------------------------------------------------------------------------------------- */

bool access_knows_origin(const struct access_set *set, bool https, struct slice host, uint16_t port)
{
    return find_origin(set, https, host, port)->key != NULL;
}

/* Why no rule allows, the furthest that one came. */
enum refusal { REFUSED_NO_RULE, REFUSED_DEPLOYMENT, REFUSED_METHOD };

static const char *refusal_text(enum refusal refusal)
{
    switch (refusal) {
    case REFUSED_NO_RULE: break;
    case REFUSED_DEPLOYMENT: return "Only in the allow list of another deployment";
    case REFUSED_METHOD: return "Method not allowed by rule";
    }
    return "Not in allow list";
}

/* The first rule in the order of decision that covers the path, is of the deployment and allows the method; any rule may allow. */
static const struct access_rule *first_allowing(const struct access_set *set, const struct origin *origin,
                                                const uint64_t *matched, const struct access_request *request,
                                                enum refusal *refusal)
{
    uint32_t method = access_method_bit(request->method);

    for (size_t word = 0; word < pattern_words(origin->count); word++) {
        for (uint64_t bits = matched[word]; bits != 0; bits &= bits - 1) {
            size_t i = word * 64 + (size_t)__builtin_ctzll(bits);
            const struct access_rule *rule = &set->entries[set->order[origin->first + i]].rule;

            if (request->deployment != NULL && strcmp(rule->deployment, request->deployment) != 0) {
                *refusal = *refusal == REFUSED_METHOD ? REFUSED_METHOD : REFUSED_DEPLOYMENT;
                continue;
            }
            if (rule->methods == 0 || (rule->methods & method) != 0)
                return rule;
            *refusal = REFUSED_METHOD;
        }
    }
    return NULL;
}

void access_decide(const struct access_set *set, uint32_t core, const struct access_request *request,
                   struct access_decision *out)
{
    const struct origin *origin = find_origin(set, request->https, request->host, request->port);
    const uint64_t *matched;
    enum refusal refusal = REFUSED_NO_RULE;

    assert(core < set->cores);
    out->allowed = false;
    out->rule = NULL;
    out->reason = "Not in allow list";
    if (origin->key == NULL)
        return;
    matched = pattern_set_scan(origin->patterns, set->scratch[core], request->path);
    if (matched == NULL) {
        out->reason = "Allow list could not be searched";
        return;
    }
    out->rule = first_allowing(set, origin, matched, request, &refusal);
    out->allowed = out->rule != NULL;
    out->reason = out->allowed ? "In allow list" : refusal_text(refusal);
}
