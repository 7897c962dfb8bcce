/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/sections.h"

#include <stdlib.h>

#include "access/access.h"
#include "access/clients.h"
#include "x509/verdict_table.h"

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
    for (size_t i = 0; i < section->deployment_store_count; i++)
        x509_store_free(section->deployment_stores[i]);
    free(section->deployment_stores);
    if (section->store != NULL)
        x509_store_free(section->store);
    if (section->verdicts != NULL)
        x509_verdict_table_free(section->verdicts);
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
        if (next->kind == SECTION_TRUST)
            next->data.trust.revision = 1;
        return next;
    }
    if (slice_equal(text_slice(&running->content), text_slice(&next->content))) {
        section_drop(next);
        return section_take(running);
    }
    same_judgement =
        next->kind == SECTION_TRUST && slice_equal(text_slice(&running->judged), text_slice(&next->judged));
    *epoch_of(next) = *epoch_of(running) + (same_judgement ? 0 : 1);
    if (next->kind == SECTION_TRUST)
        next->data.trust.revision = running->data.trust.revision + 1;
    return next;
}
