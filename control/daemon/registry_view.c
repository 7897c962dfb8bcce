/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "daemon/registry_view.h"

#include <string.h>

#include "base/address.h"
#include "daemon/registry_judge.h"
#include "report/certificate_report.h"
#include "report/verify_report.h"
#include "x509/action.h"
#include "x509/describe.h"

#define NS_PER_S 1000000000

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *time_text(uint64_t ns)
{
    char text[X509_DESCRIBE_TIME_SIZE];

    x509_describe_time((int64_t)(ns / NS_PER_S), text, sizeof(text));
    return json_string(text);
}

static json_t *hex_text(const uint8_t bytes[32])
{
    char text[X509_DESCRIBE_HEX_SIZE];

    x509_describe_hex(slice_of(bytes, 32), text, sizeof(text));
    return json_string(text);
}

static void set_reason(json_t *out, enum x509_reason reason, int depth)
{
    json_object_set_new(out, "reason", json_string(x509_reason_name(reason)));
    json_object_set_new(out, "error", json_string(x509_reason_text(reason)));
    json_object_set_new(out, "depth", json_integer(depth));
}

static const char *mode_action(enum x509_reason reason, enum verify_mode mode)
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
    json_object_set_new(out, "effect", json_string(mode_action(verdict.reason, scope->mode)));
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
    json_object_set_new(out, "last", time_text(entry->failed_ns));
    json_object_set_new(out, "last_s", number(entry->failed_ns / NS_PER_S));
    json_object_set_new(out, "count", number(entry->failures));
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
    json_object_set_new(out, "port", number(entry->port));
    json_object_set_new(out, "deployment", number(entry->deployment));
    json_object_set_new(out, "address", json_string(address_format(&entry->address, address)));
    json_object_set_new(out, "first_seen", time_text(entry->first_ns));
    json_object_set_new(out, "last_seen", time_text(entry->last_ns));
    json_object_set_new(out, "last_seen_s", number(entry->last_ns / NS_PER_S));
    json_object_set_new(out, "handshakes", number(entry->handshakes));
    json_object_set_new(out, "superseded", json_boolean(registry_superseded(control->registry, entry)));
    json_object_set_new(out, "verdict", verdict(trust, entry));
    json_object_set_new(out, "failed", failed(entry));
    json_object_set_new(out, "leaf_sha256", hex_text(entry->digest.leaf));
    json_object_set_new(out, "chain_sha256", hex_text(entry->digest.chain));
    json_object_set_new(out, "certificates", certificates(entry));
    return out;
}

static json_t *limits(const struct control *control)
{
    const struct config_registry *config = &control->config->root.registry;
    json_t *out = json_object();

    json_object_set_new(out, "entries", number(config->entries));
    json_object_set_new(out, "bytes", number(config->memory));
    json_object_set_new(out, "keep_s", number(config->keep / 1000000));
    return out;
}

static json_t *statistics(const struct registry_stats *stats)
{
    json_t *out = json_object();

    json_object_set_new(out, "records", number(stats->records));
    json_object_set_new(out, "malformed", number(stats->malformed));
    json_object_set_new(out, "unknown", number(stats->unknown));
    json_object_set_new(out, "evicted", number(stats->evicted));
    json_object_set_new(out, "aged", number(stats->aged));
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
    json_object_set_new(out, "count", number(registry_count(registry)));
    json_object_set_new(out, "bytes", number(registry_bytes(registry)));
    json_object_set_new(out, "limits", limits(control));
    json_object_set_new(out, "stats", statistics(registry_stats(registry)));
    return out;
}
