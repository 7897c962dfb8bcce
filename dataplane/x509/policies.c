/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/policies.h"

#include "x509/der.h"

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

static bool oid_is_any(struct slice oid)
{
    static const uint8_t any[] = {0x55, 0x1d, 0x20, 0x00};

    return slice_equal(oid, slice_of(any, sizeof(any)));
}

/* --- decoding ----------------------------------------------------------------------------------------------------------------- */

/* PolicyInformation: {policyIdentifier, policyQualifiers SEQUENCE SIZE (1..MAX) OPTIONAL}. */
static bool policy_take(struct slice *list, struct slice *oid)
{
    struct slice information, qualifiers, qualifier, id;

    if (der_read(list, DER_SEQUENCE, &information) != ASSAY_OK || der_read_oid(&information, oid) != ASSAY_OK)
        return false;
    if (information.len == 0)
        return true;
    if (der_read(&information, DER_SEQUENCE, &qualifiers) != ASSAY_OK || information.len != 0 || qualifiers.len == 0)
        return false;
    while (qualifiers.len > 0) {
        struct der_value any;

        if (der_read(&qualifiers, DER_SEQUENCE, &qualifier) != ASSAY_OK || der_read_oid(&qualifier, &id) != ASSAY_OK ||
            der_next(&qualifier, &any) != ASSAY_OK || qualifier.len != 0)
            return false;
    }
    return true;
}

enum assay_error x509_policies_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list, oid, seen[POLICIES_MAX];
    size_t count = 0;

    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0 || list.len == 0)
        return malformed(fault, "the certificatePolicies do not decode");
    out->policies = list;
    while (list.len > 0) {
        if (!policy_take(&list, &oid))
            return malformed(fault, "the certificatePolicies do not decode");
        /* §4.2.1.4: none more than once. Beyond our bound no policy counts at all. */
        for (size_t i = 0; i < count; i++)
            if (slice_equal(seen[i], oid))
                return malformed(fault, "a certificate policy is there twice");
        if (count < POLICIES_MAX)
            seen[count++] = oid;
    }
    return ASSAY_OK;
}

static bool mapping_take(struct slice *list, struct slice *from, struct slice *to)
{
    struct slice pair;

    return der_read(list, DER_SEQUENCE, &pair) == ASSAY_OK && der_read_oid(&pair, from) == ASSAY_OK &&
           der_read_oid(&pair, to) == ASSAY_OK && pair.len == 0;
}

enum assay_error x509_policy_mappings_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list, from, to;

    if (der_read(&value, DER_SEQUENCE, &list) != ASSAY_OK || value.len != 0 || list.len == 0)
        return malformed(fault, "the policyMappings do not decode");
    out->policy_mappings = list;
    while (list.len > 0)
        if (!mapping_take(&list, &from, &to))
            return malformed(fault, "the policyMappings do not decode");
    return ASSAY_OK;
}

/* SkipCerts; a number beyond any path is as good as the largest we hold. */
static bool skip_take(struct slice *rest, uint8_t tag, int16_t *out)
{
    struct slice large;
    uint32_t value;
    enum assay_error error = der_read_small(rest, tag, &value);

    if (error == ASSAY_ERR_RANGE) {
        value = INT16_MAX;
        error = der_read_integer(rest, tag, &large);
    }
    *out = (int16_t)(value < INT16_MAX ? value : INT16_MAX);
    return error == ASSAY_OK;
}

enum assay_error x509_policy_constraints_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    struct slice list;
    bool good = der_read(&value, DER_SEQUENCE, &list) == ASSAY_OK && value.len == 0 && list.len > 0;

    if (good && der_is_next(list, DER_CONTEXT(0)))
        good = skip_take(&list, DER_CONTEXT(0), &out->require_explicit_policy);
    if (good && der_is_next(list, DER_CONTEXT(1)))
        good = skip_take(&list, DER_CONTEXT(1), &out->inhibit_policy_mapping);
    return good && list.len == 0 ? ASSAY_OK : malformed(fault, "the policyConstraints do not decode");
}

enum assay_error x509_inhibit_any_policy_parse(struct slice value, struct x509_certificate *out, const char **fault)
{
    if (!skip_take(&value, DER_INTEGER, &out->inhibit_any_policy) || value.len != 0)
        return malformed(fault, "the inhibitAnyPolicy does not decode");
    return ASSAY_OK;
}

/* --- the graph's last level ----------------------------------------------------------------------------------------------------- */

struct oid_set {
    struct slice oids[POLICIES_MAX];
    size_t count;
    bool any;      /* anyPolicy is among them */
    bool overflow; /* more than we look at: what is missing may not count */
};

static bool set_has(const struct oid_set *set, struct slice oid)
{
    for (size_t i = 0; i < set->count; i++)
        if (slice_equal(set->oids[i], oid))
            return true;
    return false;
}

static void set_add(struct oid_set *set, struct slice oid)
{
    if (set_has(set, oid))
        return;
    if (set->count == POLICIES_MAX)
        set->overflow = true;
    else
        set->oids[set->count++] = oid;
}

static bool set_is_empty(const struct oid_set *set)
{
    return set->overflow || (set->count == 0 && !set->any);
}

struct policy_state {
    struct oid_set expected; /* of the level done last; empty: the graph is NULL */
    size_t explicit_policy, inhibit_any, policy_mapping;
};

/* RFC 9618 §5.3 (d), (e): the policies valid in this certificate, out of those expected. */
static void level_take(const struct policy_state *state, const struct x509_certificate *certificate, bool final,
                       struct oid_set *valid)
{
    struct slice list = certificate->policies, oid;
    bool states_any = false;

    *valid = (struct oid_set){.overflow = state->expected.overflow};
    if (!x509_certificate_has(certificate, X509_EXT_POLICIES))
        return;
    while (list.len > 0 && policy_take(&list, &oid)) {
        if (oid_is_any(oid))
            states_any = true;
        else if (state->expected.any || set_has(&state->expected, oid))
            set_add(valid, oid);
    }
    if (!states_any || (state->inhibit_any == 0 && (final || !certificate->self_issued)))
        return;
    for (size_t i = 0; i < state->expected.count; i++)
        set_add(valid, state->expected.oids[i]);
    valid->any = state->expected.any;
}

static bool mapping_is_from(const struct x509_certificate *certificate, struct slice policy)
{
    struct slice list = certificate->policy_mappings, from, to;

    while (list.len > 0 && mapping_take(&list, &from, &to))
        if (slice_equal(from, policy))
            return true;
    return false;
}

/* §5.4 (a), (b): what the next certificate is expected to say. False: anyPolicy is mapped, which nobody may. */
static bool level_map(struct policy_state *state, const struct x509_certificate *certificate,
                      const struct oid_set *valid)
{
    struct slice list = certificate->policy_mappings, from, to;

    state->expected = (struct oid_set){.any = valid->any, .overflow = valid->overflow};
    for (size_t i = 0; i < valid->count; i++)
        if (!mapping_is_from(certificate, valid->oids[i]))
            set_add(&state->expected, valid->oids[i]);
    while (list.len > 0 && mapping_take(&list, &from, &to)) {
        if (oid_is_any(from) || oid_is_any(to))
            return false;
        if (state->policy_mapping > 0 && (valid->any || set_has(valid, from)))
            set_add(&state->expected, to);
    }
    return true;
}

static void count_down(size_t *counter)
{
    if (*counter > 0)
        --*counter;
}

static void counter_limit(size_t *counter, int16_t limit)
{
    if (limit >= 0 && (size_t)limit < *counter)
        *counter = (size_t)limit;
}

/* §5.4 (h) to (j). */
static void counters_step(struct policy_state *state, const struct x509_certificate *certificate)
{
    if (!certificate->self_issued) {
        count_down(&state->explicit_policy);
        count_down(&state->policy_mapping);
        count_down(&state->inhibit_any);
    }
    counter_limit(&state->explicit_policy, certificate->require_explicit_policy);
    counter_limit(&state->policy_mapping, certificate->inhibit_policy_mapping);
    counter_limit(&state->inhibit_any, certificate->inhibit_any_policy);
}

/* Does any CA of the path, the anchor aside, speak of policies in a way that could refuse it? */
static bool path_is_concerned(const struct x509_certificate *const *path, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        if (path[i]->extensions & (X509_EXT_POLICY_CONSTRAINTS | X509_EXT_POLICY_MAPPINGS))
            return true;
    return false;
}

enum x509_reason x509_policies_check(const struct x509_certificate *const *path, size_t count, int *depth)
{
    struct policy_state state = {.expected = {.any = true}};
    struct oid_set valid = {.count = 0};

    if (!path_is_concerned(path, count))
        return X509_REASON_OK;
    state.explicit_policy = state.inhibit_any = state.policy_mapping = count; /* n + 1, n without the anchor */
    for (size_t i = count - 1; i-- > 0;) {
        *depth = (int)i;
        level_take(&state, path[i], i == 0, &valid);
        if (state.explicit_policy == 0 && set_is_empty(&valid))
            return X509_REASON_NO_POLICY;
        if (i == 0)
            break;
        if (!level_map(&state, path[i], &valid))
            return X509_REASON_INVALID_POLICY;
        counters_step(&state, path[i]);
    }
    /* §5.5 (a), (b): the leaf's own demand counts as well. */
    count_down(&state.explicit_policy);
    if (path[0]->require_explicit_policy == 0)
        state.explicit_policy = 0;
    return state.explicit_policy == 0 && set_is_empty(&valid) ? X509_REASON_NO_POLICY : X509_REASON_OK;
}
