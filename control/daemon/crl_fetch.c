/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/crl_fetch.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/control.h"
#include "daemon/crl_cache.h"
#include "daemon/due.h"
#include "daemon/log.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "x509/crl_scope.h"
#include "x509/describe.h"
#include "x509/verify.h"

static const struct config_revocation *settings(const struct control *control)
{
    return &control->config->root.trust.revocation;
}

static struct crl_clock clock_now(uint64_t now_s)
{
    struct crl_clock clock = {.wall_s = (int64_t)now_s};
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    clock.now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    /* where there is no randomness, one moment is as good as another */
    if (getrandom(&clock.random, sizeof(clock.random), GRND_NONBLOCK) != sizeof(clock.random))
        clock.random = 0;
    return clock;
}

static uint64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static const struct x509_store *running_store(const struct control *control)
{
    const struct section *section = publisher_section(&control->publisher, SECTION_TRUST);

    return section != NULL ? section->store : NULL;
}

/* --- the thread ------------------------------------------------------------------------------------------------------------------- */

bool crl_fetch_start(struct control *control)
{
    control->fetcher_allowed = true;
    if (!settings(control)->fetch || control->fetcher != NULL)
        return true;
    control->fetcher = crl_fetcher_create();
    if (control->fetcher == NULL && control->log != NULL)
        log_event(control->log, "ERROR", "CRLs are not fetched: the thread for it cannot be started");
    return control->fetcher != NULL;
}

void crl_fetch_stop(struct control *control)
{
    crl_fetcher_free(control->fetcher);
    control->fetcher = NULL;
}

/* --- which lists ------------------------------------------------------------------------------------------------------------------ */

static void want_certificate(struct control *control, const struct x509_certificate *certificate, struct slice issuer)
{
    struct slice points = certificate->crl_points, uris[CRL_MIRRORS_MAX];
    struct crl_source *source;
    char name[100];
    size_t count;

    x509_describe_common_name(certificate->subject, name, sizeof(name));
    while (x509_crl_point_next(&points, uris, CRL_MIRRORS_MAX, &count))
        if (crl_sources_want(&control->crls.sources, uris, count, name, &source) && issuer.len > 0)
            crl_source_add_issuer(source, issuer);
}

static void want_all(struct control *control)
{
    const struct config_texts *urls = &settings(control)->crl_urls;

    for (uint32_t i = 0; i < urls->count; i++) {
        struct slice uri = slice_text(urls->items[i]);

        (void)crl_sources_want(&control->crls.sources, &uri, 1, "the configuration", NULL);
    }
    for (const struct trust *trust = control->trust; trust != NULL; trust = trust->next)
        for (size_t i = 0; i < trust->count; i++)
            want_certificate(control, &trust->entries[i].certificate, slice_of(NULL, 0));
}

static void cache_directory(const struct control *control, struct text *out)
{
    if (settings(control)->cache != NULL)
        text_add_text(out, settings(control)->cache);
    else if (control->state_directory != NULL)
        text_printf(out, "%s/crls", control->state_directory);
}

/* What an earlier run, or the time before fetch was off, has left. */
static bool take_cached(struct control *control, struct crl_source *source)
{
    struct text directory = {0}, body = {0};
    char error[CRL_FETCH_TEXT_MAX] = "";
    struct x509_crl_record *record = NULL;
    bool taken = false;

    cache_directory(control, &directory);
    source->cache_asked = true;
    if (directory.len > 0 && crl_cache_read(text_get(&directory), source->urls[0].text, &body) == ASSAY_OK)
        record = crl_fetcher_read(text_slice(&body), error);
    if (record != NULL)
        taken = crl_source_take_cached(source, record, running_store(control));
    text_free(&directory);
    text_free(&body);
    return taken;
}

/* Those that came since are resolved, and looked for on disk. True: there is a list more. */
static bool take_in_sources(struct control *control)
{
    bool taken = false;

    for (size_t i = 0; i < control->crls.sources.count; i++) {
        struct crl_source *source = control->crls.sources.items[i];

        names_want(&control->names, slice_text(source->at.host));
        if (source->record == NULL && !source->cache_asked)
            taken |= take_cached(control, source);
    }
    return taken;
}

/* --- chains that origins showed --------------------------------------------------------------------------------------------------- */

/* The path counts as if nothing were revoked: a list is wanted before its verdict is known, and stays wanted when it is bad. */
static void want_chain(struct control *control, const struct registry_entry *entry, uint64_t now_s)
{
    const struct trust_scope *scope = registry_scope(publisher_snapshot(&control->publisher)->trust, entry);
    struct x509_certificate certificate;
    struct x509_policy policy = *scope->policy;
    struct x509_result result;
    const struct slice *certificates;
    size_t count;

    if (policy.revocation == X509_REVOCATION_OFF)
        return;
    policy.revocation = X509_REVOCATION_OFF;
    certificates = x509_chain_slices(entry->chain, &count);
    x509_verify(scope->store, certificates, count, &entry->identity, &policy, now_s, &result);
    /* where only names are asked for (VERIFY_NAME), anybody's chain would do: not here */
    if (result.chain_reason != X509_REASON_OK ||
        registry_reason(scope->properties, result.chain_reason, result.name_reason) != X509_REASON_OK)
        return;
    for (size_t i = 0; i + 1 < result.path_length; i++)
        if (x509_certificate_parse(result.path[i], &certificate, NULL) == ASSAY_OK)
            want_certificate(control, &certificate, result.path[i + 1]);
}

/* Those not looked at in this round, seen last first. */
static void look_at_chains(struct control *control, uint64_t now_s, uint64_t budget_us)
{
    uint64_t begin_us = clock_us();

    for (struct registry_entry *entry = registry_first(control->registry); entry != NULL;
         entry = registry_next(entry)) {
        if (!entry->names_crls || entry->crls_round == control->crl_round.number)
            continue;
        if (clock_us() - begin_us >= budget_us)
            return;
        entry->crls_round = control->crl_round.number;
        want_chain(control, entry, now_s);
    }
    control->crl_round.pending = false;
}

/* --- the round -------------------------------------------------------------------------------------------------------------------- */

static void round_begin(struct control *control, uint64_t now_s)
{
    crl_sources_begin(&control->crls.sources);
    control->crl_round = (struct crl_round){.number = control->crl_round.number + 1,
                                            .begun_s = now_s,
                                            .open = true,
                                            .pending = settings(control)->fetch,
                                            .added = registry_stats(control->registry)->added};
    if (settings(control)->fetch)
        want_all(control);
}

static size_t count_lists(const struct crl_sources *sources)
{
    size_t count = 0;

    for (size_t i = 0; i < sources->count; i++)
        count += sources->items[i]->record != NULL;
    return count;
}

/* Every chain has been looked at. True: lists went. */
static bool round_close(struct control *control, uint64_t now_s)
{
    struct crl_sources *sources = &control->crls.sources;
    size_t before = count_lists(sources), swept;
    bool changed;

    control->crl_round.open = false;
    swept = crl_sources_sweep(sources);
    changed = count_lists(sources) != before;
    /* the room that others had is free only now */
    if (sources->full && swept > 0)
        round_begin(control, now_s);
    return changed;
}

static bool round_go_on(struct control *control, uint64_t now_s, uint64_t budget_us)
{
    struct crl_round *round = &control->crl_round;
    bool changed = false;

    if (round->pending)
        look_at_chains(control, now_s, budget_us);
    if (round->open && !round->pending)
        changed = round_close(control, now_s);
    changed |= take_in_sources(control);
    if (!round->open && control->crls.sources.full && !round->full_said) {
        round->full_said = true;
        if (control->log != NULL)
            log_event(control->log, "WARNING", "more than %d CRLs are wanted: the others are not fetched",
                      CRL_SOURCES_MAX);
    }
    return changed;
}

bool crl_fetch_follow(struct control *control, uint64_t budget_us)
{
    bool changed;

    round_begin(control, control->now_s);
    changed = round_go_on(control, control->now_s, budget_us);
    if (control->fetcher_allowed)
        (void)crl_fetch_start(control); /* a reload has turned it on */
    return changed;
}

/* Did chains come, or did time pass? */
static bool round_turn(struct control *control, uint64_t now_s, uint64_t budget_us)
{
    uint64_t added = registry_stats(control->registry)->added;

    if (!settings(control)->fetch)
        return false;
    if (due_now(control->crl_round.begun_s + CRL_ROUND_S, now_s, CRL_ROUND_S))
        round_begin(control, now_s);
    control->crl_round.pending |= added != control->crl_round.added;
    control->crl_round.added = added;
    return control->crl_round.pending && round_go_on(control, now_s, budget_us);
}

/* --- the turn --------------------------------------------------------------------------------------------------------------------- */

static void log_new(const struct control *control, const struct crl_source *source)
{
    const struct x509_crl *crl = &crl_source_latest(source)->crl;
    char issuer[100], number[X509_DESCRIBE_HEX_SIZE], until[X509_DESCRIBE_TIME_SIZE];

    if (control->log == NULL)
        return;
    x509_describe_common_name(crl->issuer, issuer, sizeof(issuer));
    x509_describe_hex(slice_head(crl->number, 20), number, sizeof(number));
    x509_describe_time(crl->next_update_s, until, sizeof(until));
    log_event(control->log, "INFO", "CRL of %s from %s: number %s, %zu entries, until %s", issuer, source->urls[0].text,
              crl->has_number ? number : "none", crl->entry_count, until);
}

static void log_failed(const struct control *control, const struct crl_source *source)
{
    if (control->log != NULL)
        log_event(control->log, "WARNING", "CRL from %s: %s; %s", source->urls[0].text, source->error,
                  source->record != NULL ? "the one at hand stays" : "there is none");
}

static void keep_on_disk(struct control *control, const struct crl_source *source)
{
    struct text directory = {0};

    cache_directory(control, &directory);
    if (directory.len > 0 && control->fetcher != NULL)
        crl_fetcher_store(control->fetcher, source->id, source->newest != NULL ? source->newest : source->record,
                          text_get(&directory), source->urls[0].text, settings(control)->cache_max);
    text_free(&directory);
}

static bool take_answer(struct control *control, struct crl_answer *answer, const struct crl_clock *clock)
{
    struct crl_sources *sources = &control->crls.sources;
    struct crl_source *source = crl_sources_find(sources, answer->id);
    const struct x509_crl_record *before = source != NULL ? source->record : NULL;

    if (answer->stored) {
        if (answer->error[0] != '\0' && control->log != NULL)
            log_event(control->log, "WARNING", "a fetched CRL cannot be kept on disk: %s", answer->error);
        return false;
    }
    if (source == NULL) { /* not wanted any more */
        x509_crl_record_unref(answer->record);
        return false;
    }
    switch (crl_source_take(sources, source, answer, running_store(control), settings(control), clock)) {
    case CRL_NEW:
        log_new(control, source);
        if (source->error[0] != '\0')
            log_failed(control, source);
        keep_on_disk(control, source);
        return true;
    case CRL_REDIRECTED: names_want(&control->names, slice_text(source->at.host)); return false;
    case CRL_FAILED: log_failed(control, source); return source->record != before;
    case CRL_UNCHANGED: break;
    }
    return false;
}

static void ask(struct control *control, struct crl_source *source, const struct crl_clock *clock)
{
    unsigned failures = source->failures, which = source->which;
    struct crl_request request;

    if (crl_source_request(&control->crls.sources, source, &control->names, settings(control), clock, &request)) {
        if (!crl_fetcher_ask(control->fetcher, &request))
            crl_source_not_asked(source); /* too many at once: the next turn */
    } else if (source->failures != failures || source->which != which) {
        log_failed(control, source);
    }
}

size_t crl_fetch_again(struct control *control)
{
    for (size_t i = 0; i < control->crls.sources.count; i++)
        control->crls.sources.items[i]->due_ms = 0;
    return control->crls.sources.count;
}

bool crl_fetch_turn(struct control *control, uint64_t now_s, uint64_t budget_us)
{
    bool changed = round_turn(control, now_s, budget_us);
    struct crl_clock clock = clock_now(now_s);
    struct crl_answer answer;

    if (control->fetcher == NULL)
        return changed;
    while (crl_fetcher_next(control->fetcher, &answer))
        changed |= take_answer(control, &answer, &clock);
    for (size_t i = 0; i < control->crls.sources.count; i++)
        ask(control, control->crls.sources.items[i], &clock);
    return changed;
}
