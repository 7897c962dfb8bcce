/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crl_sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "daemon/arena.h"
#include "x509/certificate.h"
#include "x509/describe.h"
#include "x509/dn.h"

#define BACK_OFF_DOUBLINGS 6

static void source_free(struct crl_source *source)
{
    for (unsigned i = 0; i < source->issuer_count; i++)
        free((void *)(uintptr_t)source->issuers[i].data);
    x509_crl_record_unref(source->record);
    x509_crl_record_unref(source->newest);
    free(source);
}

void crl_sources_free(struct crl_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        source_free(sources->items[i]);
    free(sources->items);
    *sources = (struct crl_sources){0};
}

/* --- which ones ------------------------------------------------------------------------------------------------------------------ */

void crl_sources_begin(struct crl_sources *sources)
{
    sources->full = false;
    for (size_t i = 0; i < sources->count; i++) {
        struct crl_source *source = sources->items[i];

        source->wanted = false;
        memset(source->issuer_wanted, 0, sizeof(source->issuer_wanted));
    }
}

static struct crl_source *find_url(const struct crl_sources *sources, const char *text)
{
    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i]->urls[0].text, text) == 0)
            return sources->items[i];
    return NULL;
}

static struct crl_source *source_create(struct crl_sources *sources, const struct crl_url *urls, unsigned count,
                                        const char *named_by)
{
    struct crl_source *source = memory_alloc(sizeof(*source));

    source->id = ++sources->last_id;
    memcpy(source->urls, urls, count * sizeof(*urls));
    source->url_count = count;
    source->at = urls[0];
    snprintf(source->named_by, sizeof(source->named_by), "%s", named_by);
    sources->items = memory_grow(sources->items, (sources->count + 1) * sizeof(struct crl_source *));
    sources->items[sources->count++] = source;
    return source;
}

bool crl_sources_want(struct crl_sources *sources, const struct slice *uris, size_t count, const char *named_by,
                      struct crl_source **out)
{
    struct crl_url urls[CRL_MIRRORS_MAX];
    struct crl_source *source;
    unsigned usable = 0;

    for (size_t i = 0; i < count && usable < CRL_MIRRORS_MAX; i++)
        usable += crl_url_parse(uris[i], &urls[usable]) == ASSAY_OK;
    if (usable == 0)
        return false;
    source = find_url(sources, urls[0].text);
    if (source == NULL && sources->count >= CRL_SOURCES_MAX) {
        sources->full = true;
        return false;
    }
    if (source == NULL)
        source = source_create(sources, urls, usable, named_by);
    source->wanted = true;
    if (out != NULL)
        *out = source;
    return true;
}

static void sweep_issuers(struct crl_source *source)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < source->issuer_count; i++) {
        if (source->issuer_wanted[i]) {
            source->issuers[kept] = source->issuers[i];
            source->issuer_wanted[kept++] = true;
        } else {
            free((void *)(uintptr_t)source->issuers[i].data);
        }
    }
    source->issuer_count = kept;
}

size_t crl_sources_sweep(struct crl_sources *sources)
{
    size_t kept = 0, count = sources->count;

    for (size_t i = 0; i < count; i++) {
        if (!sources->items[i]->wanted) {
            source_free(sources->items[i]);
            continue;
        }
        sweep_issuers(sources->items[i]);
        sources->items[kept++] = sources->items[i];
    }
    sources->count = kept;
    return count - kept;
}

/* A free place, or that of one which is not wanted any more; CRL_ISSUERS_MAX: none. */
static unsigned issuer_place(struct crl_source *source)
{
    unsigned i = 0;

    if (source->issuer_count < CRL_ISSUERS_MAX)
        return source->issuer_count++;
    while (i < CRL_ISSUERS_MAX && source->issuer_wanted[i])
        i++;
    if (i < CRL_ISSUERS_MAX)
        free((void *)(uintptr_t)source->issuers[i].data);
    return i;
}

void crl_source_add_issuer(struct crl_source *source, struct slice der)
{
    uint8_t *copy;
    unsigned i;

    for (i = 0; i < source->issuer_count; i++) {
        if (slice_equal(source->issuers[i], der)) {
            source->issuer_wanted[i] = true;
            return;
        }
    }
    i = issuer_place(source);
    if (i == CRL_ISSUERS_MAX)
        return;
    copy = memory_alloc(der.len + 1);
    memcpy(copy, der.data, der.len);
    source->issuers[i] = slice_of(copy, der.len);
    source->issuer_wanted[i] = true;
}

struct crl_source *crl_sources_find(struct crl_sources *sources, uint64_t id)
{
    for (size_t i = 0; i < sources->count; i++)
        if (sources->items[i]->id == id)
            return sources->items[i];
    return NULL;
}

/* --- when ------------------------------------------------------------------------------------------------------------------------ */

/* Nine tenths of it to all of it. */
static uint64_t jittered(uint64_t delay_ms, const struct crl_clock *clock)
{
    return delay_ms - delay_ms / 10 * (clock->random % 1024) / 1024;
}

/* At three quarters of what is left of the list, at the latest after the interval. A list that did not change is not asked for
 * more often than after a failure. */
static void schedule_good(struct crl_source *source, bool unchanged, const struct config_revocation *config,
                          const struct crl_clock *clock)
{
    int64_t left_s = crl_source_latest(source)->crl.next_update_s - clock->wall_s;
    uint64_t delay_ms = config->fetch_interval / 1000, floor_ms = unchanged ? config->fetch_retry / 1000 : 1000;

    if (left_s < 0)
        left_s = 0;
    if ((uint64_t)left_s * 750 < delay_ms)
        delay_ms = (uint64_t)left_s * 750;
    delay_ms = jittered(delay_ms, clock);
    source->due_ms = clock->now_ms + (delay_ms > floor_ms ? delay_ms : floor_ms);
    source->failures = 0;
    source->error[0] = '\0';
}

static void schedule_failed(struct crl_source *source, const struct config_revocation *config,
                            const struct crl_clock *clock)
{
    uint64_t delay_ms = config->fetch_retry / 1000, most_ms = config->fetch_interval / 1000;
    unsigned doublings = source->failures < BACK_OFF_DOUBLINGS ? source->failures : BACK_OFF_DOUBLINGS;

    source->failures++;
    delay_ms <<= doublings;
    if (delay_ms > most_ms)
        delay_ms = most_ms;
    source->due_ms = clock->now_ms + jittered(delay_ms, clock);
}

/* The next of its URLs at once; when all have failed, later. The error is set. */
static enum crl_outcome source_failed(struct crl_sources *sources, struct crl_source *source,
                                      const struct config_revocation *config, const struct crl_clock *clock)
{
    sources->failed++;
    source->redirects = 0;
    source->which = (source->which + 1) % source->url_count;
    source->at = source->urls[source->which];
    if (source->which == 0)
        schedule_failed(source, config, clock);
    else
        source->due_ms = clock->now_ms;
    return CRL_FAILED;
}

/* --- whom to ask ------------------------------------------------------------------------------------------------------------------ */

static bool may_ask(const struct assay_address *address, const struct config_revocation *config)
{
    if (address_is_special(address))
        return false;
    for (uint32_t i = 0; i < config->fetch_from.count; i++)
        if (prefix_contains(&config->fetch_from.items[i], address))
            return true;
    return config->fetch_from.count == 0;
}

/* One of the host's addresses, another one after each failure. False: none, with the reason in error; error "" as long as
 * the name has not been answered. */
static bool address_of(const struct crl_source *source, const struct names *names,
                       const struct config_revocation *config, struct assay_address *out, char *error)
{
    const struct name *name;
    uint32_t first;

    if (address_parse(slice_text(source->at.host), out) == ASSAY_OK) {
        if (may_ask(out, config))
            return true;
        snprintf(error, CRL_FETCH_TEXT_MAX, "%.100s may not be asked (trust.revocation.fetch_from)", source->at.host);
        return false;
    }
    name = names_find(names, slice_text(source->at.host));
    if (name == NULL || (name->count == 0 && !name->answered && !name->fixed))
        return false;
    if (name->count == 0) {
        snprintf(error, CRL_FETCH_TEXT_MAX, "the server has no address: %.100s", name->error);
        return false;
    }
    first = source->failures % name->count;
    for (uint32_t i = 0; i < name->count; i++) {
        *out = name->addresses[(first + i) % name->count];
        if (may_ask(out, config))
            return true;
    }
    snprintf(error, CRL_FETCH_TEXT_MAX, "no address of the server may be asked (trust.revocation.fetch_from)");
    return false;
}

bool crl_source_request(struct crl_sources *sources, struct crl_source *source, const struct names *names,
                        const struct config_revocation *config, const struct crl_clock *clock, struct crl_request *out)
{
    char error[CRL_FETCH_TEXT_MAX] = "";

    if (source->asked || clock->now_ms < source->due_ms)
        return false;
    if (!address_of(source, names, config, &out->address, error)) {
        if (error[0] == '\0')
            return false;
        snprintf(source->error, sizeof(source->error), "%s", error);
        source->tried_s = clock->wall_s;
        source_failed(sources, source, config, clock);
        return false;
    }
    out->id = source->id;
    out->url = source->at;
    out->bytes_max = config->fetch_max;
    out->timeout_ms = (uint32_t)(config->fetch_timeout / 1000);
    source->asked = true;
    source->tried_s = clock->wall_s;
    return true;
}

void crl_source_not_asked(struct crl_source *source)
{
    source->asked = false;
}

/* --- what came --------------------------------------------------------------------------------------------------------------------- */

/* Who has signed it? By the store's certificates and those that came with the source. */
static bool is_signed(const struct crl_source *source, const struct x509_crl_record *record,
                      const struct x509_store *store, bool *issuer_known)
{
    struct x509_store_walk walk = x509_store_by_subject(store, record->crl.issuer, record->crl.issuer_hash);
    const struct x509_certificate *certificate;
    struct x509_certificate parsed;
    enum x509_role role;

    *issuer_known = false;
    while (x509_store_walk_next(&walk, &certificate, &role)) {
        *issuer_known = true;
        if (role != X509_ROLE_LEAF_ONLY && x509_crl_record_signed_by(record, certificate))
            return true;
    }
    for (unsigned i = 0; i < source->issuer_count; i++) {
        if (x509_certificate_parse(source->issuers[i], &parsed, NULL) != ASSAY_OK ||
            parsed.subject_hash != record->crl.issuer_hash)
            continue;
        *issuer_known = true;
        if (x509_crl_record_signed_by(record, &parsed))
            return true;
    }
    return false;
}

/* Why it is not believed; "" when it is. *is_proven: by a signature. */
static void judge(const struct crl_source *source, const struct x509_crl_record *record, const struct x509_store *store,
                  const struct crl_clock *clock, bool *is_proven, char *error)
{
    const struct x509_crl *crl = &record->crl, *have = NULL;
    char issuer[100];
    bool known;

    error[0] = '\0';
    x509_describe_common_name(crl->issuer, issuer, sizeof(issuer));
    *is_proven = is_signed(source, record, store, &known);
    /* What nobody has proven is no reason to refuse what is. */
    if (source->record != NULL && (source->proven || !*is_proven))
        have = &crl_source_latest(source)->crl;
    if (!*is_proven && known)
        snprintf(error, CRL_FETCH_TEXT_MAX, "the CRL is not signed by %s", issuer);
    else if (!*is_proven && source->proven)
        snprintf(error, CRL_FETCH_TEXT_MAX, "the CRL's issuer %s is not known", issuer);
    else if (!*is_proven && have != NULL && !dn_equal(crl->issuer, have->issuer))
        snprintf(error, CRL_FETCH_TEXT_MAX, "the CRL is of another issuer, %s, than the one at hand", issuer);
    else if (have != NULL && crl->this_update_s < have->this_update_s)
        snprintf(error, CRL_FETCH_TEXT_MAX, "the CRL is older than the one at hand");
    else if (have != NULL && crl->next_update_s < clock->wall_s && have->next_update_s >= clock->wall_s)
        snprintf(error, CRL_FETCH_TEXT_MAX, "the CRL's nextUpdate is over, that of the one at hand is not");
}

static bool same_list(const struct x509_crl_record *a, const struct x509_crl_record *b)
{
    return a != NULL && memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

/* True: it is a list that was not there before. */
static bool keep_record(struct crl_source *source, struct x509_crl_record *record, bool is_proven, int64_t now_s)
{
    bool unchanged = same_list(source->record, record) || same_list(source->newest, record);

    if (is_proven || source->record == NULL || same_list(source->record, record)) {
        x509_crl_record_unref(source->record);
        if (is_proven) {
            x509_crl_record_unref(source->newest);
            source->newest = NULL;
        }
        source->record = record;
        source->proven = is_proven;
        return !unchanged;
    }
    /* The first one stays until it is over: a forged one may have come since. */
    if (source->newest != NULL && source->record->crl.next_update_s < now_s) {
        x509_crl_record_unref(source->record);
        source->record = source->newest;
    } else {
        x509_crl_record_unref(source->newest);
    }
    source->newest = record;
    return !unchanged;
}

static enum crl_outcome redirect(struct crl_sources *sources, struct crl_source *source, const char *to,
                                 const struct config_revocation *config, const struct crl_clock *clock)
{
    struct crl_url url;

    if (++source->redirects > CRL_REDIRECTS_MAX)
        snprintf(source->error, sizeof(source->error), "redirected more than %d times", CRL_REDIRECTS_MAX);
    else if (crl_url_parse(slice_text(to), &url) != ASSAY_OK)
        snprintf(source->error, sizeof(source->error), "redirected to what is no http or https URL");
    else {
        source->at = url;
        source->due_ms = clock->now_ms;
        return CRL_REDIRECTED;
    }
    return source_failed(sources, source, config, clock);
}

enum crl_outcome crl_source_take(struct crl_sources *sources, struct crl_source *source, struct crl_answer *answer,
                                 const struct x509_store *store, const struct config_revocation *config,
                                 const struct crl_clock *clock)
{
    struct x509_crl_record *record = answer->record;
    bool is_proven, changed;

    answer->record = NULL;
    source->asked = false;
    if (answer->redirected)
        return redirect(sources, source, answer->redirect, config, clock);
    if (record == NULL) {
        snprintf(source->error, sizeof(source->error), "%s", answer->error);
        return source_failed(sources, source, config, clock);
    }
    judge(source, record, store, clock, &is_proven, source->error);
    if (source->error[0] != '\0') {
        x509_crl_record_unref(record);
        return source_failed(sources, source, config, clock);
    }
    changed = keep_record(source, record, is_proven, clock->wall_s);
    source->redirects = 0;
    source->at = source->urls[source->which];
    source->taken_s = clock->wall_s;
    if (record->crl.next_update_s < clock->wall_s) {
        /* better than none: what is on it is revoked */
        snprintf(source->error, sizeof(source->error), "the CRL's nextUpdate is over");
        source_failed(sources, source, config, clock);
        return changed ? CRL_NEW : CRL_FAILED;
    }
    schedule_good(source, !changed, config, clock);
    sources->fetched += changed;
    sources->unchanged += !changed;
    return changed ? CRL_NEW : CRL_UNCHANGED;
}

bool crl_source_take_cached(struct crl_source *source, struct x509_crl_record *record, const struct x509_store *store)
{
    bool known, is_proven = is_signed(source, record, store, &known);

    if (source->record != NULL || (known && !is_proven)) {
        x509_crl_record_unref(record);
        return false;
    }
    source->record = record;
    source->proven = is_proven;
    return true;
}
