/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/what_if.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/arena.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "daemon/registry_view.h"
#include "daemon/trust.h"
#include "report/values.h"
#include "x509/action.h"

#define NS_PER_S 1000000000

struct outcome {
    enum x509_reason reason;
    int depth;
    enum verify_mode mode;
};

static struct outcome outcome_of(const struct trust_section *trust, const struct registry_entry *entry,
                                 const struct registry_judgement *judgement)
{
    const struct trust_scope *scope = registry_scope(trust, entry);
    enum x509_reason reason = registry_reason(scope->properties, judgement->chain_reason, judgement->name_reason);

    return (struct outcome){reason, reason == judgement->chain_reason ? judgement->depth : 0, scope->mode};
}

static bool refused(const struct outcome *outcome)
{
    return outcome->mode == VERIFY_ENFORCED && outcome->reason != X509_REASON_OK;
}

static json_t *outcome_json(const struct outcome *outcome)
{
    json_t *out = json_object();

    json_object_set_new(out, "accepted", json_boolean(outcome->reason == X509_REASON_OK));
    json_object_set_new(out, "effect", json_string(registry_effect(outcome->reason, outcome->mode)));
    json_object_set_new(out, "reason", json_string(x509_reason_name(outcome->reason)));
    json_object_set_new(out, "error", json_string(x509_reason_text(outcome->reason)));
    json_object_set_new(out, "depth", json_integer(outcome->depth));
    return out;
}

static json_t *flip_json(const struct control *control, const struct registry_entry *entry, const struct outcome *from,
                         const struct outcome *to)
{
    json_t *out = registry_view_row(control, entry, to->reason, to->depth);

    json_object_del(out, "reason");
    json_object_del(out, "error");
    json_object_del(out, "depth");
    json_object_set_new(out, "from", outcome_json(from));
    json_object_set_new(out, "to", outcome_json(to));
    return out;
}

static json_t *flips(const struct control *control, const struct trust_section *candidate, uint64_t now_s,
                     const struct problems *problems)
{
    const struct trust_section *running = publisher_snapshot(&control->publisher)->trust;
    size_t known = registry_count(control->registry), i = 0;
    struct registry_judgement *judged = memory_alloc(known * sizeof(*judged));
    json_t *out = json_object(), *rows = json_array(), *warnings = json_array();
    uint64_t considered = 0;

    (void)registry_judge_rest(control->registry, running, now_s, UINT64_MAX);
    registry_judge_candidate(control->registry, running, candidate, now_s, judged);
    for (const struct registry_entry *entry = registry_first(control->registry); entry != NULL;
         entry = registry_next(entry), i++) {
        struct outcome from = outcome_of(running, entry, &entry->judged), to = outcome_of(candidate, entry, &judged[i]);

        if (entry->last_ns / NS_PER_S + WHAT_IF_WINDOW_S < now_s || registry_superseded(control->registry, entry))
            continue;
        considered++;
        if ((from.reason == X509_REASON_OK) != (to.reason == X509_REASON_OK) || refused(&from) != refused(&to))
            json_array_append_new(rows, flip_json(control, entry, &from, &to));
    }
    free(judged);
    for (size_t k = 0; k < problems->warnings_kept; k++)
        json_array_append_new(warnings, json_string(problems->warnings[k]));
    json_object_set_new(out, "considered", report_number(considered));
    json_object_set_new(out, "unchanged", report_number(considered - json_array_size(rows)));
    json_object_set_new(out, "window_s", report_number(WHAT_IF_WINDOW_S));
    json_object_set_new(out, "flips", rows);
    json_object_set_new(out, "warnings", warnings);
    return out;
}

/* --- the candidates ---------------------------------------------------------------------------------------------------------------- */

/* The section of these certificates, with everything else as it runs. */
static json_t *flips_of_trust(const struct control *control, const struct trust *trust, uint64_t now_s,
                              struct problems *problems)
{
    struct section *running = publisher_section(&control->publisher, SECTION_TRUST), *section;
    struct crls crls = crls_lend(&control->crls);
    json_t *out;

    section = section_build_trust(control->config, trust, &control->verify, &crls, problems);
    crls_give_back(&crls);
    if (section == NULL)
        return NULL;
    section = section_choose(running, section);
    out = flips(control, &section->data.trust, now_s, problems);
    section_drop(section);
    return out;
}

json_t *what_if_trust_add(const struct control *control, const char *deployment, struct slice data, int role,
                          uint64_t now_s, struct problems *problems)
{
    struct trust *added = trust_read(data, "certificates", role, problems), *all = NULL;
    json_t *out = NULL;

    if (added != NULL)
        all = trust_load_all_again(control->config, control->trust, problems);
    if (all != NULL) {
        trust_merge(trust_of(all, deployment), added);
        out = flips_of_trust(control, all, now_s, problems);
    }
    trust_free(added);
    trust_free(all);
    return out;
}

json_t *what_if_trust_remove(const struct control *control, const char *deployment, const char *fingerprint,
                             uint64_t now_s, enum assay_error *error, struct problems *problems)
{
    struct trust *all = trust_load_all_again(control->config, control->trust, problems);
    const struct trust_entry *entry;
    uint8_t sha256[X509_FINGERPRINT_SIZE];
    json_t *out = NULL;

    *error = ASSAY_ERR_IO;
    if (all == NULL)
        return NULL;
    *error = trust_find(trust_of(all, deployment), fingerprint, &entry);
    if (*error == ASSAY_OK) {
        memcpy(sha256, entry->certificate.sha256, sizeof(sha256));
        trust_forget(trust_of(all, deployment), sha256);
        out = flips_of_trust(control, all, now_s, problems);
        *error = out != NULL ? ASSAY_OK : ASSAY_ERR_IO;
    }
    trust_free(all);
    return out;
}

json_t *what_if_reload(struct control *control, struct slice text, uint64_t now_s, struct problems *problems)
{
    struct section *section = control_try_config(control, text, now_s, problems);
    json_t *out;

    if (section == NULL)
        return NULL;
    out = flips(control, &section->data.trust, now_s, problems);
    section_drop(section);
    return out;
}
