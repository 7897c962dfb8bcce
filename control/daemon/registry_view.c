/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/registry_view.h"

#include <string.h>

#include "base/address.h"
#include "daemon/registry_judge.h"
#include "report/certificate_report.h"
#include "report/values.h"
#include "report/verify_report.h"
#include "x509/action.h"
#include "x509/describe.h"
#include "x509/scope.h"

#define NS_PER_S 1000000000

/* The name behind a number; one that the configuration does not know any more has none. */
static json_t *deployment(const struct config *config, uint64_t number)
{
    const struct config_root *root = &config->root;
    const char *const implied = "1";
    const char *name = NULL;

    if (x509_scope_deployment(slice_text(implied)) == number)
        name = implied;
    for (uint32_t i = 0; i < root->deployments.count && name == NULL; i++)
        if (x509_scope_deployment(slice_text(root->deployments.items[i].name)) == number)
            name = root->deployments.items[i].name;
    for (uint32_t i = 0; i < root->domains.count && name == NULL; i++)
        if (x509_scope_deployment(slice_text(root->domains.items[i].deployment)) == number)
            name = root->domains.items[i].deployment;
    return name != NULL ? json_string(name) : json_null();
}

static void set_reason(json_t *out, enum x509_reason reason, int depth)
{
    json_object_set_new(out, "reason", json_string(x509_reason_name(reason)));
    json_object_set_new(out, "error", json_string(x509_reason_text(reason)));
    json_object_set_new(out, "depth", json_integer(depth));
}

const char *registry_effect(enum x509_reason reason, enum verify_mode mode)
{
    if (mode == VERIFY_DISABLED)
        return "not checked";
    if (reason == X509_REASON_OK)
        return "passes";
    return mode == VERIFY_ENFORCED ? "refused" : "let pass";
}

static json_t *verdict(const struct trust_section *trust, const struct registry_entry *entry)
{
    struct registry_verdict verdict = registry_verdict(entry, trust);
    const struct trust_scope *scope = registry_scope(trust, entry);
    json_t *out = json_object();

    json_object_set_new(out, "judged", json_boolean(verdict.judged));
    json_object_set_new(out, "scope", json_string(scope->name));
    json_object_set_new(out, "mode", json_string(verify_mode_name(scope->mode)));
    if (!verdict.judged)
        return out;
    json_object_set_new(out, "accepted", json_boolean(verdict.reason == X509_REASON_OK));
    json_object_set_new(out, "effect", json_string(registry_effect(verdict.reason, scope->mode)));
    set_reason(out, verdict.reason, verdict.depth);
    json_object_set_new(out, "chain_reason", json_string(x509_reason_name(verdict.chain_reason)));
    json_object_set_new(out, "name_reason", json_string(x509_reason_name(verdict.name_reason)));
    json_object_set_new(out, "warnings", verify_report_warnings(verdict.warnings));
    json_object_set_new(out, "action", json_string(x509_reason_action(verdict.reason, verdict.depth)));
    return out;
}

static json_t *failed(const struct registry_entry *entry)
{
    json_t *out;

    if (entry->failures == 0)
        return json_null();
    out = json_object();
    json_object_set_new(out, "last", report_time(entry->failed_ns / NS_PER_S));
    json_object_set_new(out, "last_s", report_number(entry->failed_ns / NS_PER_S));
    json_object_set_new(out, "count", report_number(entry->failures));
    set_reason(out, entry->failed_reason, entry->failed_depth);
    return out;
}

static json_t *certificates(const struct registry_entry *entry)
{
    json_t *out = json_array();
    size_t count;
    const struct slice *ders = x509_chain_slices(entry->chain, &count);

    for (size_t i = 0; i < count; i++)
        json_array_append_new(out, certificate_report_json(ders[i]));
    return out;
}

json_t *registry_view_entry(const struct control *control, const struct registry_entry *entry)
{
    const struct trust_section *trust = publisher_snapshot(&control->publisher)->trust;
    char address[ASSAY_ADDRESS_TEXT_MAX];
    json_t *out = json_object();

    json_object_set_new(out, "host", json_string(entry->host));
    json_object_set_new(out, "port", report_number(entry->port));
    json_object_set_new(out, "deployment", deployment(control->config, entry->deployment));
    json_object_set_new(out, "address", json_string(address_format(&entry->address, address)));
    json_object_set_new(out, "first_seen", report_time(entry->first_ns / NS_PER_S));
    json_object_set_new(out, "last_seen", report_time(entry->last_ns / NS_PER_S));
    json_object_set_new(out, "last_seen_s", report_number(entry->last_ns / NS_PER_S));
    json_object_set_new(out, "handshakes", report_number(entry->handshakes));
    json_object_set_new(out, "superseded", json_boolean(registry_superseded(control->registry, entry)));
    json_object_set_new(out, "verdict", verdict(trust, entry));
    json_object_set_new(out, "failed", failed(entry));
    json_object_set_new(out, "leaf_sha256", report_sha256(entry->digest.leaf));
    json_object_set_new(out, "chain_sha256", report_sha256(entry->digest.chain));
    json_object_set_new(out, "certificates", certificates(entry));
    return out;
}

json_t *registry_view_row(const struct control *control, const struct registry_entry *entry, enum x509_reason reason,
                          int depth)
{
    char address[ASSAY_ADDRESS_TEXT_MAX], name[256] = "";
    json_t *out = json_object();

    if (entry->leaf_parsed)
        x509_describe_common_name(entry->leaf.subject, name, sizeof(name));
    json_object_set_new(out, "host", json_string(entry->host));
    json_object_set_new(out, "port", report_number(entry->port));
    json_object_set_new(out, "deployment", deployment(control->config, entry->deployment));
    json_object_set_new(out, "address", json_string(address_format(&entry->address, address)));
    json_object_set_new(out, "common_name", json_string(name));
    json_object_set_new(out, "leaf_sha256", report_sha256(entry->digest.leaf));
    json_object_set_new(out, "last_seen", report_time(entry->last_ns / NS_PER_S));
    set_reason(out, reason, depth);
    json_object_set_new(out, "action", json_string(x509_reason_action(reason, depth)));
    return out;
}

json_t *registry_view_stats(const struct registry *registry, bool help)
{
    const struct registry_stats *stats = registry_stats(registry);
    const struct {
        const char *name, *help;
        uint64_t value;
    } rows[] = {
        {"chains", "chains of origins that are known", registry_count(registry)},
        {"chain_bytes", "what their certificates take", registry_bytes(registry)},
        {"records", "what cores have told of them", stats->records},
        {"records_malformed", "of them, that are none", stats->malformed},
        {"records_unknown", "of them, about a chain that is not here any more; it comes whole within a minute",
         stats->unknown},
        {"chains_evicted", "chains forgotten for room", stats->evicted},
        {"chains_aged", "chains forgotten: not seen for registry.keep", stats->aged},
    };
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        json_object_set_new(out, rows[i].name, help ? json_string(rows[i].help) : report_number(rows[i].value));
    return out;
}

static json_t *limits(const struct control *control)
{
    const struct config_registry *config = &control->config->root.registry;
    json_t *out = json_object();

    json_object_set_new(out, "entries", report_number(config->entries));
    json_object_set_new(out, "bytes", report_number(config->memory));
    json_object_set_new(out, "keep_s", report_number(config->keep / 1000000));
    return out;
}

static json_t *statistics(const struct registry_stats *stats)
{
    json_t *out = json_object();

    json_object_set_new(out, "records", report_number(stats->records));
    json_object_set_new(out, "malformed", report_number(stats->malformed));
    json_object_set_new(out, "unknown", report_number(stats->unknown));
    json_object_set_new(out, "evicted", report_number(stats->evicted));
    json_object_set_new(out, "aged", report_number(stats->aged));
    return out;
}

json_t *registry_view(const struct control *control, const char *host, uint16_t port, size_t max)
{
    const struct registry *registry = control->registry;
    json_t *out = json_object(), *rows = json_array();
    const struct registry_entry *entry;

    for (entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        if (host != NULL && (strcmp(entry->host, host) != 0 || (port != 0 && port != entry->port)))
            continue;
        if (json_array_size(rows) == max)
            break;
        json_array_append_new(rows, registry_view_entry(control, entry));
    }
    json_object_set_new(out, "entries", rows);
    json_object_set_new(out, "more", json_boolean(entry != NULL));
    json_object_set_new(out, "count", report_number(registry_count(registry)));
    json_object_set_new(out, "bytes", report_number(registry_bytes(registry)));
    json_object_set_new(out, "limits", limits(control));
    json_object_set_new(out, "stats", statistics(registry_stats(registry)));
    return out;
}
