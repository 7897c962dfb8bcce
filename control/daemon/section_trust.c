/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "daemon/crls.h"
#include "daemon/scopes.h"
#include "daemon/sections.h"

void sections_policy(const struct config *config, struct x509_policy *policy)
{
    scopes_global_policy(config, policy);
}

/* --- stores: that of all, and those of deployments -------------------------------------------------------------------------- */

struct stores {
    struct scopes_store items[64 + 1]; /* deployments: at most 64, says the table of keys */
    uint32_t count;
};

static void keep_store(struct section *section, struct x509_store *store)
{
    section->deployment_stores = memory_grow(section->deployment_stores, (section->deployment_store_count + 1) *
                                                                             sizeof(*section->deployment_stores));
    section->deployment_stores[section->deployment_store_count++] = store;
}

/* A deployment without certificates of its own, which takes those of all, needs no store. */
static bool add_deployment(struct section *section, const struct config_deployment *item, const struct trust *trust,
                           struct stores *stores, struct problems *problems)
{
    struct x509_store *store;

    for (; trust != NULL; trust = trust->next)
        if (trust->deployment != NULL && strcmp(trust->deployment, item->name) == 0)
            break;
    if (trust == NULL && item->trust.global)
        return true;
    store = trust != NULL ? trust_store(trust, problems) : x509_store_create();
    if (store == NULL)
        return false;
    keep_store(section, store);
    if (item->trust.global)
        x509_store_set_base(store, section->store);
    text_printf(&section->judged, "store of %s%s\n", item->name, item->trust.global ? ", with that of all" : "");
    if (trust != NULL)
        trust_content(trust, &section->judged);
    stores->items[stores->count++] = (struct scopes_store){arena_text(&section->arena, item->name), store};
    return true;
}

static bool build_stores(struct section *section, const struct config *config, const struct trust *trust,
                         struct stores *stores, struct problems *problems)
{
    section->store = trust_store(trust, problems);
    if (section->store == NULL)
        return false;
    trust_content(trust, &section->judged);
    stores->items[0] = (struct scopes_store){NULL, section->store};
    stores->count = 1;
    for (uint32_t i = 0; i < config->root.deployments.count; i++) {
        const struct config_deployment *item = &config->root.deployments.items[i];

        if (item->name != NULL && !add_deployment(section, item, trust, stores, problems))
            return false;
    }
    return true;
}

/* --- revocation -------------------------------------------------------------------------------------------------------------- */

static bool asks_for_status(const struct trust_section *trust)
{
    for (uint32_t i = 0; i < trust->scope_count; i++)
        if (trust->scopes[i].policy->revocation != X509_REVOCATION_OFF)
            return true;
    return false;
}

/* Into the stores, and by their fingerprints into what verdicts depend on. A CRL speaks for its issuer, in every store. */
static bool take_crls(const struct config *config, struct section *section, struct crls *crls,
                      struct problems *problems)
{
    const struct config_revocation *revocation = &config->root.trust.revocation;
    bool none = revocation->crls == NULL && !revocation->fetch && (crls == NULL || crls->revoked.count == 0);
    struct x509_crl_set *set;

    if (none || !asks_for_status(&section->data.trust))
        return true;
    set = crls_load(crls, revocation->crls, &section->judged, problems);
    x509_store_set_crls(section->store, set);
    for (size_t i = 0; i < section->deployment_store_count; i++)
        x509_store_lend_crls(section->deployment_stores[i], set);
    return set != NULL;
}

struct section *section_build_trust(const struct config *config, const struct trust *trust,
                                    const struct verify_switches *switches, struct crls *crls,
                                    struct problems *problems)
{
    struct section *section = section_create(SECTION_TRUST);
    struct trust_section *out = &section->data.trust;
    struct stores stores = {.count = 0};
    struct scopes_input input = {.config = config, .switches = switches, .stores = stores.items};

    if (build_stores(section, config, trust, &stores, problems)) {
        input.store_count = stores.count;
        if (scopes_build(&input, &section->arena, out, &section->judged, &section->content, problems) &&
            take_crls(config, section, crls, problems)) {
            out->revoke_grace_us = config->root.verify.revoke_grace;
            text_printf(&section->content, "%llu\n%s", (unsigned long long)out->revoke_grace_us,
                        text_get(&section->judged));
            return section;
        }
    }
    section_drop(section);
    return NULL;
}
