/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/sections.h"

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
    policy_text(policy, &text);
    policy->id = policy_number(text_slice(&text));
    text_free(&text);
}

struct section *section_build_trust(const struct config *config, const struct trust *trust,
                                    const struct verify_switch *verify, struct problems *problems)
{
    struct section *section = section_create(SECTION_TRUST);
    struct trust_section *out = &section->data.trust;
    struct x509_policy policy;

    section->store = trust_store(trust, problems);
    if (section->store == NULL) {
        section_drop(section);
        return NULL;
    }
    sections_policy(config, &policy);
    out->store = section->store;
    out->policy = arena_copy(&section->arena, &policy, sizeof(policy));
    out->mode = verify->set ? verify->mode : (enum verify_mode)config->root.verify.mode;
    out->properties = (enum verify_properties)config->root.verify.properties;
    out->revoke_grace_us = config->root.verify.revoke_grace;
    policy_text(&policy, &section->judged);
    trust_content(trust, &section->judged);
    text_printf(&section->content, "%d %d %llu\n%s", (int)out->mode, (int)out->properties,
                (unsigned long long)out->revoke_grace_us, text_get(&section->judged));
    return section;
}
