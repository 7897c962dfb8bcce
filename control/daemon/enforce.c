/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/enforce.h"

#include <string.h>

#include "daemon/prober.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "daemon/registry_view.h"
#include "report/values.h"
#include "x509/scope.h"

#define NS_PER_S 1000000000

/* The trust section as the switch would make it: the same stores and policies, other modes. */
static struct section *switched(const struct control *control, const struct verify_target *target,
                                struct problems *problems)
{
    struct verify_switches switches = switches_copy(&control->verify);
    struct crls crls = crls_lend(&control->crls);
    struct section *section;

    switches_put(&switches, target, (struct verify_switch){.set = true, .mode = VERIFY_ENFORCED});
    section = section_build_trust(control->config, control->trust, &switches, &crls, problems);
    switches_free(&switches);
    crls_give_back(&crls);
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

/* --- what no traffic has shown ------------------------------------------------------------------------------------------------ */

static const char *text(const json_t *row, const char *member)
{
    const char *value = json_string_value(json_object_get(row, member));

    return value != NULL ? value : "";
}

static bool was_seen(const struct control *control, const char *host, uint16_t port, uint64_t since_ns)
{
    const struct registry_entry *entry = NULL;

    while ((entry = registry_of_origin(control->registry, host, port, entry)) != NULL)
        if (entry->last_ns >= since_ns)
            return true;
    return false;
}

/* A certificate that a preflight found bad, of an origin whose chains nobody has seen since. That it refuses our certificate, or
 * does not answer, is no matter of verification. */
static bool stands_in_the_way(const struct control *control, const struct trust_section *running,
                              const struct trust_section *next, const json_t *row, uint64_t since_ns)
{
    uint64_t deployment = x509_scope_deployment(slice_text(text(row, "deployment")));
    struct slice host = slice_text(text(row, "node"));
    uint16_t port = (uint16_t)json_integer_value(json_object_get(row, "port"));

    return json_is_true(json_object_get(row, "now")) && strcmp(text(row, "verdict"), "fail") == 0 &&
           json_object_get(row, "depth") != NULL && !was_seen(control, text(row, "node"), port, since_ns) &&
           running->scopes[x509_scope_find(running, deployment, host, port)].mode != VERIFY_ENFORCED &&
           next->scopes[x509_scope_find(next, deployment, host, port)].mode == VERIFY_ENFORCED;
}

static json_t *probed(const struct control *control, const struct trust_section *running,
                      const struct trust_section *next, uint64_t since_ns)
{
    json_t *out = json_array();
    const json_t *row;
    size_t i;

    json_array_foreach(prober_rows(control->prober), i,
                       row) if (stands_in_the_way(control, running, next, row, since_ns))
        json_array_append_new(out, json_pack("{s:s, s:O, s:O, s:s, s:O, s:s}", "host", text(row, "node"), "port",
                                             json_object_get(row, "port"), "address", json_object_get(row, "address"),
                                             "error", text(row, "reason"), "depth", json_object_get(row, "depth"),
                                             "action", text(row, "action")));
    return out;
}

json_t *enforce_report(const struct control *control, const struct verify_target *target, uint64_t now_s,
                       size_t *failing, struct problems *problems)
{
    const struct trust_section *running = publisher_snapshot(&control->publisher)->trust;
    uint64_t since_ns = (now_s - ENFORCE_WINDOW_S) * NS_PER_S;
    struct section *next = switched(control, target, problems);
    json_t *out, *bad, *repaired, *unseen;
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
    unseen = probed(control, running, &next->data.trust, since_ns);
    section_drop(next);
    *failing = json_array_size(bad) + json_array_size(unseen);
    json_object_set_new(out, "considered", report_number(considered));
    json_object_set_new(out, "window_s", report_number(ENFORCE_WINDOW_S));
    json_object_set_new(out, "failing", bad);
    json_object_set_new(out, "preflight", unseen);
    json_object_set_new(out, "repaired", repaired);
    return out;
}
