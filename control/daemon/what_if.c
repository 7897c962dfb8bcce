/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/what_if.h"

#include <string.h>

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
                                 enum x509_reason chain_reason, enum x509_reason name_reason, int depth)
{
    const struct trust_scope *scope = registry_scope(trust, entry);
    enum x509_reason reason = registry_reason(scope->properties, chain_reason, name_reason);

    return (struct outcome){reason, reason == chain_reason ? depth : 0, scope->mode};
}

static struct outcome outcome_now(const struct trust_section *running, const struct registry_entry *entry)
{
    const struct registry_judgement *judged = &entry->judged;

    return outcome_of(running, entry, judged->chain_reason, judged->name_reason, judged->depth);
}

static struct outcome outcome_then(const struct trust_section *candidate, const struct registry_entry *entry)
{
    const struct registry_thought *thought = &entry->thought;

    return outcome_of(candidate, entry, thought->chain_reason, thought->name_reason, thought->depth);
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

json_t *what_if_answer(const struct control *control, const struct survey *survey, uint64_t now_s,
                       const struct problems *problems)
{
    const struct trust_section *running = &survey->running->data.trust, *candidate = &survey->candidate->data.trust;
    json_t *out = json_object(), *rows = json_array(), *warnings = json_array();
    uint64_t considered = 0;

    for (const struct registry_entry *entry = registry_first(control->registry); entry != NULL;
         entry = registry_next(entry)) {
        struct outcome from = outcome_now(running, entry), to = outcome_then(candidate, entry);

        if (entry->last_ns / NS_PER_S + WHAT_IF_WINDOW_S < now_s || registry_superseded(control->registry, entry))
            continue;
        considered++;
        if ((from.reason == X509_REASON_OK) != (to.reason == X509_REASON_OK) || refused(&from) != refused(&to))
            json_array_append_new(rows, flip_json(control, entry, &from, &to));
    }
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
static bool begin_trust(const struct control *control, const struct trust *trust, struct survey *survey,
                        struct problems *problems)
{
    struct section *running = publisher_section(&control->publisher, SECTION_TRUST), *section;
    struct crls crls = crls_lend(&control->crls);

    section = section_build_trust(control->config, trust, &control->verify, &crls, problems);
    crls_give_back(&crls);
    if (section == NULL)
        return false;
    survey_begin(survey, control, section_choose(running, section));
    return true;
}

bool what_if_trust_add(const struct control *control, const char *deployment, struct slice data, int role,
                       struct survey *survey, struct problems *problems)
{
    struct trust *added = trust_read(data, "certificates", role, problems), *all = NULL;
    bool good = false;

    if (added != NULL)
        all = trust_load_all_again(control->config, control->trust, problems);
    if (all != NULL) {
        trust_merge(trust_of(all, deployment), added);
        good = begin_trust(control, all, survey, problems);
    }
    trust_free(added);
    trust_free(all);
    return good;
}

enum assay_error what_if_trust_remove(const struct control *control, const char *deployment, const char *fingerprint,
                                      struct survey *survey, struct problems *problems)
{
    struct trust *all = trust_load_all_again(control->config, control->trust, problems);
    const struct trust_entry *entry;
    uint8_t sha256[X509_FINGERPRINT_SIZE];
    enum assay_error error;

    if (all == NULL)
        return ASSAY_ERR_IO;
    error = trust_find(trust_of(all, deployment), fingerprint, &entry);
    if (error == ASSAY_OK) {
        memcpy(sha256, entry->certificate.sha256, sizeof(sha256));
        trust_forget(trust_of(all, deployment), sha256);
        error = begin_trust(control, all, survey, problems) ? ASSAY_OK : ASSAY_ERR_IO;
    }
    trust_free(all);
    return error;
}

bool what_if_reload(struct control *control, struct slice text, uint64_t now_s, struct survey *survey,
                    struct problems *problems)
{
    struct section *section = control_try_config(control, text, now_s, problems);

    if (section == NULL)
        return false;
    survey_begin(survey, control, section);
    return true;
}
