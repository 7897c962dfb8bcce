/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/control_revoked.h"

#include <string.h>

#include "daemon/control.h"
#include "daemon/log.h"
#include "daemon/registry.h"
#include "daemon/registry_judge.h"
#include "x509/describe.h"
#include "x509/ocsp.h"

/* By the path that the chain has, or nearly has: where a revoked leaf is its fault, all signatures hold. */
static void judge_staple(const struct registry_entry *entry, const struct trust_section *trust, uint64_t now_s,
                         struct x509_ocsp_verdict *out)
{
    const struct trust_scope *scope = registry_scope(trust, entry);
    size_t count;
    const struct slice *certificates = x509_chain_slices(entry->chain, &count);
    struct slice staple = x509_chain_staple(entry->chain);
    struct x509_result result;

    x509_verify_traced(scope->store, certificates, count, staple, &entry->identity, scope->policy, now_s, &result,
                       NULL);
    x509_ocsp_judge_path(staple, &result, scope->policy, now_s, out);
}

/* Most chains have nothing to say here: no response, or a good one of a certificate that nobody called revoked. */
static bool speaks(const struct registry_entry *entry, const struct trust_section *trust, const struct revoked *known)
{
    const struct registry_judgement *judged = &entry->judged;

    if (x509_chain_staple(entry->chain).len == 0 || !entry->leaf_parsed || judged->epoch != trust->epoch ||
        entry->staple_epoch == trust->epoch || registry_scope(trust, entry)->policy->revocation == X509_REVOCATION_OFF)
        return false;
    if (judged->chain_reason == X509_REASON_REVOKED)
        return judged->depth == 0;
    return judged->chain_reason == X509_REASON_OK && revoked_find(known, entry->leaf.sha256) != NULL;
}

static void say(const struct control *control, const struct registry_entry *entry, const char *what, const char *reason)
{
    char hex[X509_DESCRIBE_HEX_SIZE];

    if (control->log == NULL)
        return;
    x509_describe_hex(slice_of(entry->leaf.sha256, 8), hex, sizeof(hex));
    log_event(control->log, "WARNING", "certificate %s of %s:%u is %s%s%s, says a response stapled to it", hex,
              entry->host, entry->port, what, reason[0] != '\0' ? ": " : "", reason);
}

static bool take(struct control *control, const struct registry_entry *entry, const struct x509_ocsp_verdict *verdict,
                 uint64_t now_s)
{
    struct revoked *revoked = &control->crls.revoked;
    const struct revoked_item *known = revoked_find(revoked, entry->leaf.sha256);
    struct revoked_item item = {.response = x509_chain_staple(entry->chain),
                                .this_update_s = verdict->this_update_s,
                                .not_after_s = entry->leaf.not_after_s,
                                .reason = verdict->detail,
                                .port = entry->port};

    if (known != NULL && verdict->this_update_s <= known->this_update_s)
        return false;
    if (verdict->reason == X509_REASON_OK && known != NULL) {
        revoked_remove(revoked, entry->leaf.sha256);
        say(control, entry, "not revoked any more", "");
        return true;
    }
    if (verdict->reason != X509_REASON_REVOKED || (int64_t)now_s > entry->leaf.not_after_s)
        return false;
    memcpy(item.sha256, entry->leaf.sha256, sizeof(item.sha256));
    memcpy(item.host, entry->host, sizeof(item.host));
    if (known == NULL)
        say(control, entry, "revoked", verdict->detail);
    revoked_put(revoked, &item);
    return true;
}

bool control_revoked_follow(struct control *control, uint64_t now_s)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    bool changed = false;

    revoked_age(&control->crls.revoked, now_s);
    for (struct registry_entry *entry = registry_first(control->registry); entry != NULL;
         entry = registry_next(entry)) {
        struct x509_ocsp_verdict verdict;

        if (!speaks(entry, trust, &control->crls.revoked))
            continue;
        entry->staple_epoch = trust->epoch;
        judge_staple(entry, trust, now_s, &verdict);
        changed |= take(control, entry, &verdict, now_s);
    }
    return changed;
}
