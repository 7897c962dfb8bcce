/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crls.h"
#include "daemon/sections.h"
#include "x509/describe.h"

/* A policy's number in the keys of verdict caches: equal settings, equal number. FNV-1a: no adversary chooses settings. */
static uint32_t policy_number(struct slice settings)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < settings.len; i++)
        hash = (hash ^ settings.data[i]) * 16777619U;
    return hash;
}

static void policy_text(const struct x509_policy *policy, struct text *out)
{
    text_printf(out, "cn=%d ip_as_dns=%d partial=%d sha1=%d rsa=%u depth=%u work=%u skew=%u\n", (int)policy->cn_match,
                policy->compat_ip_as_dns, policy->partial_chain, policy->sha1_allowed, policy->rsa_bits_min,
                policy->depth_max, policy->work_max, policy->skew_s);
    text_printf(out, "profile=%d purpose=%d revocation=%d\n", (int)policy->profile, (int)policy->purpose,
                (int)policy->revocation);
    for (uint8_t i = 0; i < policy->pin_count; i++) {
        char hex[X509_DESCRIBE_HEX_SIZE];

        x509_describe_hex(slice_of(policy->pins[i], sizeof(policy->pins[i])), hex, sizeof(hex));
        text_printf(out, "pin=%s\n", hex);
    }
}

void sections_policy(const struct config *config, struct x509_policy *policy)
{
    const struct config_verify *verify = &config->root.verify;
    struct text text = {0};

    x509_policy_default(policy);
    policy->cn_match = (enum x509_cn_match)verify->cn_match;
    policy->compat_ip_as_dns = verify->compat_ip_as_dns;
    policy->partial_chain = verify->partial_chain;
    policy->sha1_allowed = verify->sha1;
    policy->rsa_bits_min = (uint16_t)verify->rsa_bits_min;
    policy->depth_max = (uint8_t)verify->depth_max;
    policy->work_max = (uint32_t)verify->work_max;
    policy->skew_s = (uint32_t)(verify->skew / 1000000);
    policy->revocation = (enum x509_revocation_mode)config->root.trust.revocation.mode;
    for (uint32_t i = 0; i < verify->pins.count && policy->pin_count < X509_PINS_MAX; i++)
        if (x509_pin_parse(slice_text(verify->pins.items[i]), policy->pins[policy->pin_count]) == ASSAY_OK)
            policy->pin_count++; /* check_values() has refused the others */
    x509_policy_profile(policy, (enum x509_profile)verify->profile);
    policy_text(policy, &text);
    policy->id = policy_number(text_slice(&text));
    text_free(&text);
}

/* Into the store, and by their fingerprints into what verdicts depend on. */
static bool take_crls(const struct config *config, struct section *section, struct problems *problems)
{
    const struct config_revocation *revocation = &config->root.trust.revocation;
    struct x509_crl_set *crls;

    if (revocation->mode == X509_REVOCATION_OFF || revocation->crls == NULL)
        return true;
    crls = crls_load(revocation->crls, &section->judged, problems);
    x509_store_set_crls(section->store, crls);
    return crls != NULL;
}

struct section *section_build_trust(const struct config *config, const struct trust *trust,
                                    const struct verify_switch *verify, struct problems *problems)
{
    struct section *section = section_create(SECTION_TRUST);
    struct trust_section *out = &section->data.trust;
    struct trust_scope scope = {.name = "global"};
    struct x509_policy policy;

    section->store = trust_store(trust, problems);
    if (section->store == NULL || !take_crls(config, section, problems)) {
        section_drop(section);
        return NULL;
    }
    sections_policy(config, &policy);
    scope.store = section->store;
    scope.policy = arena_copy(&section->arena, &policy, sizeof(policy));
    scope.mode = verify->set ? verify->mode : (enum verify_mode)config->root.verify.mode;
    scope.properties = (enum verify_properties)config->root.verify.properties;
    out->scopes = arena_copy(&section->arena, &scope, sizeof(scope));
    out->scope_count = 1;
    out->revoke_grace_us = config->root.verify.revoke_grace;
    policy_text(&policy, &section->judged);
    trust_content(trust, &section->judged);
    text_printf(&section->content, "%d %d %llu\n%s", (int)scope.mode, (int)scope.properties,
                (unsigned long long)out->revoke_grace_us, text_get(&section->judged));
    return section;
}
