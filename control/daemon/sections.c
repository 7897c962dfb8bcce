/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/sections.h"

#include <stdlib.h>

#include "access/access.h"
#include "access/clients.h"
#include "base/host.h"

struct section *section_create(enum section_kind kind)
{
    struct section *section = memory_alloc(sizeof(*section));

    section->kind = kind;
    section->references = 1;
    return section;
}

struct section *section_take(struct section *section)
{
    section->references++;
    return section;
}

void section_drop(struct section *section)
{
    if (section == NULL || --section->references > 0)
        return;
    if (section->store != NULL)
        x509_store_free(section->store);
    if (section->rules != NULL)
        access_set_free(section->rules);
    for (size_t i = 0; i < section->credential_count; i++)
        credentials_drop(section->credential_refs[i]);
    for (size_t i = 0; i < section->client_list_count; i++)
        access_clients_free(section->client_lists[i]);
    free(section->credential_refs);
    free(section->client_lists);
    text_free(&section->content);
    text_free(&section->judged);
    /* ticket keys among it */
    if (section->kind == SECTION_CREDENTIALS && section->data.credentials.ticket_keys != NULL)
        explicit_bzero((void *)(uintptr_t)section->data.credentials.ticket_keys, sizeof(struct tls_ticket_keys));
    arena_free(&section->arena);
    free(section);
}

static uint64_t *epoch_of(struct section *section)
{
    switch (section->kind) {
    case SECTION_SETTINGS: return &section->data.settings.epoch;
    case SECTION_TRUST: return &section->data.trust.epoch;
    case SECTION_ACCESS: return &section->data.access.epoch;
    case SECTION_CREDENTIALS: return &section->data.credentials.epoch;
    case SECTION_ROUTE:
    case SECTION_COUNT: break;
    }
    return &section->data.route.epoch;
}

uint64_t section_epoch(const struct section *section)
{
    return *epoch_of((struct section *)(uintptr_t)section);
}

struct section *section_choose(struct section *running, struct section *next)
{
    bool same_judgement;

    if (running == NULL) {
        *epoch_of(next) = 1;
        return next;
    }
    if (slice_equal(text_slice(&running->content), text_slice(&next->content))) {
        section_drop(next);
        return section_take(running);
    }
    same_judgement =
        next->kind == SECTION_TRUST && slice_equal(text_slice(&running->judged), text_slice(&next->judged));
    *epoch_of(next) = *epoch_of(running) + (same_judgement ? 0 : 1);
    return next;
}

/* --- names -------------------------------------------------------------------------------------------------------------- */

/* The host of scheme://authority[/path]. */
static void want_url(struct names *names, const char *url)
{
    const char *authority = strstr(url, "://");
    struct slice host;
    uint16_t port;

    if (authority == NULL)
        return;
    authority += 3;
    if (authority_parse(slice_of(authority, strcspn(authority, "/")), &host, &port) == ASSAY_OK)
        names_want(names, host);
}

static void want_text(struct names *names, const char *host)
{
    if (host != NULL)
        names_want(names, slice_text(host));
}

void sections_want_names(const struct config *config, const struct access_set *rules, struct names *names)
{
    const struct config_root *root = &config->root;

    names_begin(names);
    for (size_t i = 0; rules != NULL && i < access_set_count(rules); i++)
        want_url(names, access_set_at(rules, i)->url);
    for (uint32_t i = 0; i < root->nodes.count; i++)
        want_text(names, root->nodes.items[i].address);
    for (uint32_t i = 0; i < root->domains.count; i++)
        want_text(names, root->domains.items[i].edge_config.host);
    for (uint32_t i = 0; i < root->listeners.count; i++)
        want_text(names, root->listeners.items[i].origin.host);
    names_sweep(names);
    for (uint32_t i = 0; i < root->dns.hosts.count; i++) {
        const struct config_host *host = &root->dns.hosts.items[i];
        struct name *name = names_at(names, slice_text(host->name));

        if (name != NULL)
            name->fixed = true;
    }
}
