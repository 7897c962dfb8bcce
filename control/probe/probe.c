/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <poll.h>
#include <stdlib.h>

struct slot {
    bool busy;
    size_t target;
    struct dial dial;
};

struct probe {
    const struct probe_target *targets;
    size_t count, next, done;
    struct probe_options options;
    struct probe_result *results;
    struct slot *slots;
    struct pollfd *polled;
};

struct probe *probe_create(const struct probe_target *targets, size_t count, const struct probe_options *options)
{
    struct probe *probe = calloc(1, sizeof(*probe));

    if (probe == NULL)
        return NULL;
    probe->targets = targets;
    probe->count = count;
    probe->options = *options;
    if (probe->options.jobs > count)
        probe->options.jobs = count > 0 ? (unsigned)count : 1;
    probe->results = calloc(count + 1, sizeof(*probe->results));
    probe->slots = calloc(probe->options.jobs, sizeof(*probe->slots));
    probe->polled = calloc(probe->options.jobs, sizeof(*probe->polled));
    if (probe->results != NULL && probe->slots != NULL && probe->polled != NULL)
        return probe;
    probe_free(probe);
    return NULL;
}

void probe_free(struct probe *probe)
{
    if (probe == NULL)
        return;
    for (unsigned i = 0; probe->slots != NULL && i < probe->options.jobs; i++)
        if (probe->slots[i].busy)
            dial_end(&probe->slots[i].dial);
    for (size_t i = 0; probe->results != NULL && i < probe->count; i++)
        free(probe->results[i].findings);
    free(probe->results);
    free(probe->slots);
    free(probe->polled);
    free(probe);
}

size_t probe_done(const struct probe *probe)
{
    return probe->done;
}

const struct probe_result *probe_result_at(const struct probe *probe, size_t i)
{
    return &probe->results[i];
}

/* --- which connections a target gets ------------------------------------------------------------------------------------ */

static struct tls_context *context_of(const struct probe_target *target, const struct probe_try *try)
{
    const struct probe_client *client = try->bare ? target->bare : target->ours;

    return client != NULL ? client->contexts[try->prefer][try->versions] : NULL;
}

static const struct probe_try *find_try(const struct probe_result *result, enum tls_preference prefer,
                                        enum probe_versions versions)
{
    for (size_t i = 0; i < result->try_count; i++)
        if (result->tries[i].prefer == prefer && result->tries[i].versions == versions && !result->tries[i].bare)
            return &result->tries[i];
    return NULL;
}

static bool asked_for_certificate(const struct probe_result *result)
{
    for (size_t i = 0; i < result->try_count; i++)
        if (result->tries[i].report.requested)
            return true;
    return false;
}

static bool bare_tried(const struct probe_result *result)
{
    return result->try_count > 0 && result->tries[result->try_count - 1].bare;
}

/* What does not answer by TCP, or accepts and says nothing, will not do better the next time. */
static bool hopeless(const struct probe_result *result)
{
    enum probe_outcome outcome;

    if (result->try_count == 0)
        return false;
    outcome = result->tries[result->try_count - 1].report.outcome;
    return probe_outcome_class(outcome) == PROBE_CLASS_UNREACHABLE || outcome == PROBE_TLS_TIMEOUT ||
           outcome == PROBE_NO_TLS;
}

/* The next connection in the order of the header. False: the target is done. */
static bool plan_try(const struct probe_target *target, const struct probe_result *result, struct probe_try *out)
{
    enum tls_preference own = target->ours->own;
    enum tls_preference order[PROBE_PREFERENCES] = {own, own == TLS_PREFER_RSA ? TLS_PREFER_ECDSA : TLS_PREFER_RSA};

    if (hopeless(result) || result->try_count == PROBE_TRIES_MAX)
        return false;
    for (size_t i = 0; i < PROBE_PREFERENCES; i++) {
        const struct probe_try *all = find_try(result, order[i], PROBE_ALL_VERSIONS);

        *out = (struct probe_try){.prefer = order[i], .versions = PROBE_ALL_VERSIONS, .finding = -1};
        if (all == NULL && context_of(target, out) != NULL)
            return true;
        out->versions = PROBE_TLS12_ALONE;
        if (all != NULL && all->report.version == TLS_VERSION_1_3 &&
            find_try(result, order[i], PROBE_TLS12_ALONE) == NULL && context_of(target, out) != NULL)
            return true;
    }
    *out = (struct probe_try){.prefer = own, .versions = PROBE_ALL_VERSIONS, .bare = true, .finding = -1};
    return target->bare != NULL && asked_for_certificate(result) && !bare_tried(result) &&
           context_of(target, out) != NULL;
}

/* --- what came of them -------------------------------------------------------------------------------------------------- */

/* The finding of a chain: an old one, when it is the same chain again. */
static int find_or_judge(const struct probe *probe, const struct probe_target *target, struct probe_result *result,
                         const struct x509_chain *chain)
{
    const struct x509_chain_digest *digest = x509_chain_digests(chain);
    struct probe_finding *findings;

    for (size_t i = 0; i < result->finding_count; i++)
        if (memcmp(result->findings[i].chain_sha256, digest->chain, sizeof(digest->chain)) == 0)
            return (int)i;
    findings = realloc(result->findings, (result->finding_count + 1) * sizeof(*findings));
    if (findings == NULL)
        return -1;
    result->findings = findings;
    probe_judge(chain, &target->identity, target->trust, probe->options.now_s, &findings[result->finding_count]);
    return (int)result->finding_count++;
}

static void take_report(const struct probe *probe, struct slot *slot)
{
    struct probe_result *result = &probe->results[slot->target];
    struct probe_try *try = &result->tries[result->try_count - 1];

    try->report = slot->dial.report;
    if (slot->dial.chain != NULL)
        try->finding = find_or_judge(probe, &probe->targets[slot->target], result, slot->dial.chain);
    dial_end(&slot->dial);
}

/* --- running ------------------------------------------------------------------------------------------------------------ */

/* Begins the target's next connection. False: it is done. */
static bool advance(struct probe *probe, struct slot *slot, uint64_t now_ms)
{
    const struct probe_target *target = &probe->targets[slot->target];
    struct probe_result *result = &probe->results[slot->target];
    struct dial_request request = {
        .address = target->address, .port = target->port, .timeout_ms = probe->options.timeout_ms};
    struct probe_try try;

    if (!plan_try(target, result, &try))
        return false;
    result->tries[result->try_count++] = try;
    if (target->identity.kind == X509_IDENTITY_DNS)
        request.server_name = (const char *)target->identity.bytes; /* a NUL follows */
    request.context = context_of(target, &try);
    request.ask_status = target->trust->policy->revocation != X509_REVOCATION_OFF; /* as on the data path */
    dial_begin(&slot->dial, &request, now_ms);
    return true;
}

/* A name without an address is a result as well. */
static void note_unresolved(struct probe *probe, size_t i)
{
    struct probe_result *result = &probe->results[i];

    result->tries[0] = (struct probe_try){
        .prefer = probe->targets[i].ours->own, .report = {.outcome = PROBE_UNRESOLVED}, .finding = -1};
    result->try_count = 1;
    probe->done++;
}

/* The next target into a free slot; false: there is none left. */
static bool fill(struct probe *probe, struct slot *slot, uint64_t now_ms)
{
    while (probe->next < probe->count) {
        slot->target = probe->next++;
        if (probe->targets[slot->target].unresolved != NULL) {
            note_unresolved(probe, slot->target);
            continue;
        }
        slot->busy = advance(probe, slot, now_ms);
        if (slot->busy)
            return true;
        probe->done++;
    }
    return false;
}

static void work(struct probe *probe, struct slot *slot, bool ready, uint64_t now_ms)
{
    while (slot->busy && dial_step(&slot->dial, ready, now_ms)) {
        take_report(probe, slot);
        ready = false;
        slot->busy = advance(probe, slot, now_ms);
        if (!slot->busy)
            probe->done++;
    }
}

bool probe_turn(struct probe *probe, uint64_t now_ms, int wait_ms)
{
    for (unsigned i = 0; i < probe->options.jobs; i++) {
        struct slot *slot = &probe->slots[i];

        work(probe, slot, false, now_ms);
        if (!slot->busy)
            fill(probe, slot, now_ms);
        probe->polled[i] = (struct pollfd){.fd = -1};
        if (!slot->busy)
            continue;
        if (slot->dial.phase == DIAL_OVER)
            wait_ms = 0;
        else
            probe->polled[i] = (struct pollfd){.fd = slot->dial.fd, .events = dial_events(&slot->dial)};
        if (slot->dial.phase != DIAL_OVER && slot->dial.deadline_ms < now_ms + (uint64_t)wait_ms)
            wait_ms = slot->dial.deadline_ms > now_ms ? (int)(slot->dial.deadline_ms - now_ms) : 0;
    }
    if (probe->done == probe->count)
        return false;
    if (poll(probe->polled, probe->options.jobs, wait_ms) <= 0)
        return true;
    for (unsigned i = 0; i < probe->options.jobs; i++)
        if (probe->polled[i].revents != 0)
            work(probe, &probe->slots[i], true, now_ms);
    return true;
}
