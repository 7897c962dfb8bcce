/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/enforce.h"

#include <string.h>

#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "daemon/registry_view.h"
#include "report/values.h"

#define NS_PER_S 1000000000

/* The trust section as the switch would make it: the same stores and policies, other modes. */
static struct section *switched(const struct control *control, const struct verify_target *target,
                                struct problems *problems)
{
    struct verify_switches switches = switches_copy(&control->verify);
    struct section *section;

    switches_put(&switches, target, (struct verify_switch){.set = true, .mode = VERIFY_ENFORCED});
    section = section_build_trust(control->config, control->trust, &switches, problems);
    switches_free(&switches);
    return section;
}

static bool enforced_newly(const struct trust_section *running, const struct trust_section *next,
                           const struct registry_entry *entry)
{
    return registry_scope(running, entry)->mode != VERIFY_ENFORCED &&
           registry_scope(next, entry)->mode == VERIFY_ENFORCED;
}

static void look_at(const struct control *control, const struct trust_section *running,
                    const struct registry_entry *entry, uint64_t since_ns, json_t *failing, json_t *repaired)
{
    struct registry_verdict verdict = registry_verdict(entry, running);
    bool superseded = registry_superseded(control->registry, entry);
    json_t *row;

    if (verdict.judged && verdict.reason != X509_REASON_OK && !superseded) {
        json_array_append_new(failing, registry_view_row(control, entry, verdict.reason, verdict.depth));
    } else if (entry->failures > 0 && entry->failed_ns >= since_ns) {
        row = registry_view_row(control, entry, entry->failed_reason, entry->failed_depth);
        json_object_set_new(row, "last_failed", report_time(entry->failed_ns / NS_PER_S));
        json_object_set_new(row, "superseded", json_boolean(superseded));
        json_array_append_new(repaired, row);
    }
}

json_t *enforce_report(const struct control *control, const struct verify_target *target, uint64_t now_s,
                       size_t *failing, struct problems *problems)
{
    const struct trust_section *running = publisher_snapshot(&control->publisher)->trust;
    uint64_t since_ns = (now_s - ENFORCE_WINDOW_S) * NS_PER_S;
    struct section *next = switched(control, target, problems);
    json_t *out, *bad, *repaired;
    uint64_t considered = 0;

    *failing = 0;
    if (next == NULL)
        return NULL;
    out = json_object();
    bad = json_array();
    repaired = json_array();
    (void)registry_judge_rest(control->registry, running, now_s, UINT64_MAX);
    for (const struct registry_entry *entry = registry_first(control->registry);
         entry != NULL && entry->last_ns >= since_ns; entry = registry_next(entry)) {
        if (!enforced_newly(running, &next->data.trust, entry))
            continue;
        considered++;
        look_at(control, running, entry, since_ns, bad, repaired);
    }
    section_drop(next);
    *failing = json_array_size(bad);
    json_object_set_new(out, "considered", report_number(considered));
    json_object_set_new(out, "window_s", report_number(ENFORCE_WINDOW_S));
    json_object_set_new(out, "failing", bad);
    json_object_set_new(out, "repaired", repaired);
    return out;
}
