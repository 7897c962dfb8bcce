/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/report.h"

#include <stdio.h>

#include "base/address.h"
#include "x509/describe.h"

/* The tries behind a row. */
struct row {
    const struct probe_target *target;
    const struct probe_result *result;
    int finding;                /* -1: of the tries that came without a chain and ended with */
    enum probe_outcome outcome; /* this */
    uint64_t now_s;
};

static bool in_row(const struct row *row, const struct probe_try *try)
{
    return try->finding == row->finding && (row->finding >= 0 || try->report.outcome == row->outcome);
}

/* Does assayd, as it is configured now, connect like this? */
static bool is_now(const struct row *row, const struct probe_try *try)
{
    return try->prefer == row->target->ours->own && try->versions == PROBE_ALL_VERSIONS && !try->bare;
}

static const struct probe_finding *finding_of(const struct row *row)
{
    return row->finding >= 0 ? &row->result->findings[row->finding] : NULL;
}

/* What makes a request fail whatever the certificate is, of the tries as assayd makes them; NULL: nothing. */
static const struct probe_try *refusal(const struct row *row)
{
    for (size_t i = 0; i < row->result->try_count; i++) {
        const struct probe_try *try = &row->result->tries[i];

        if (in_row(row, try) && !try->bare && probe_outcome_class(try->report.outcome) != PROBE_CLASS_GOOD)
            return try;
    }
    return NULL;
}

static enum probe_verdict verdict_of(const struct row *row)
{
    const struct probe_finding *finding = finding_of(row);
    const struct probe_try *refused = refusal(row);

    if (finding != NULL && (finding->verdict == PROBE_FAIL || refused == NULL))
        return finding->verdict;
    return refused != NULL && probe_outcome_class(refused->report.outcome) == PROBE_CLASS_UNREACHABLE && finding == NULL
               ? PROBE_UNKNOWN
               : PROBE_FAIL;
}

/* --- what was asked ----------------------------------------------------------------------------------------------------- */

static void append_once(json_t *array, const char *word)
{
    const json_t *item;
    size_t i;

    json_array_foreach(array, i, item) if (strcmp(json_string_value(item), word) == 0) return;
    json_array_append_new(array, json_string(word));
}

static void add_conditions(json_t *out, const struct row *row)
{
    json_t *preferring = json_array(), *versions = json_array(), *ciphers = json_array();
    bool now = false;

    for (size_t i = 0; i < row->result->try_count; i++) {
        const struct probe_try *try = &row->result->tries[i];

        if (!in_row(row, try))
            continue;
        now |= is_now(row, try);
        append_once(preferring, try->prefer == TLS_PREFER_RSA ? "RSA" : "ECDSA");
        if (try->report.version != 0)
            append_once(versions, try->report.version == TLS_VERSION_1_3 ? "1.3" : "1.2");
        if (try->report.cipher[0] != '\0')
            append_once(ciphers, try->report.cipher);
    }
    json_object_set_new(out, "now", json_boolean(now));
    json_object_set_new(out, "preferring", preferring);
    json_object_set_new(out, "tls", versions);
    json_object_set_new(out, "ciphers", ciphers);
}

/* What the origin makes of our certificate, and of none: over all of its tries. */
static const char *client_word(const struct probe_result *result, bool bare)
{
    const char *word = "not tried";

    for (size_t i = 0; i < result->try_count; i++) {
        const struct dial_report *report = &result->tries[i].report;

        if (result->tries[i].bare != bare || !report->requested)
            continue;
        if (report->outcome == PROBE_CLIENT_CERTIFICATE)
            return "refused";
        if (report->outcome == PROBE_OK)
            word = "accepted";
    }
    return word;
}

static void add_client(json_t *out, const struct row *row)
{
    json_t *client = json_object();
    bool asked = false, ours = row->target->ours->certificate;

    for (size_t i = 0; i < row->result->try_count; i++)
        asked |= row->result->tries[i].report.requested;
    json_object_set_new(client, "asked", json_boolean(asked));
    json_object_set_new(client, "configured", json_boolean(ours));
    json_object_set_new(client, "with", json_string(ours ? client_word(row->result, false) : "not tried"));
    json_object_set_new(client, "without", json_string(client_word(row->result, ours)));
    json_object_set_new(out, "client_certificate", client);
}

/* --- what was seen ------------------------------------------------------------------------------------------------------ */

static void add_certificate(json_t *out, const struct probe_finding *finding)
{
    char hex[X509_DESCRIBE_HEX_SIZE], time[X509_DESCRIBE_TIME_SIZE];

    x509_describe_hex(slice_of(finding->sha256, sizeof(finding->sha256)), hex, sizeof(hex));
    json_object_set_new(out, "sha256", json_string(hex));
    json_object_set_new(out, "presented", json_integer((json_int_t)finding->presented));
    if (!finding->parsed)
        return;
    x509_describe_time(finding->not_after_s, time, sizeof(time));
    json_object_set_new(out, "key", json_string(finding->key));
    json_object_set_new(out, "key_type", json_string(finding->rsa ? "RSA" : finding->ec ? "EC" : "other"));
    json_object_set_new(out, "common_name", json_string(finding->common_name));
    json_object_set_new(out, "issuer", json_string(finding->issuer));
    json_object_set_new(out, "self_signed", json_boolean(finding->self_signed));
    json_object_set_new(out, "multi_server", json_boolean(finding->multi_server));
    json_object_set_new(out, "names", json_string(finding->names));
    json_object_set_new(out, "not_after", json_string(time));
}

static void add_warnings(json_t *out, uint32_t bits)
{
    json_t *array = json_array();

    for (uint32_t bit = 1; bit != 0 && bit <= bits; bit <<= 1) {
        char text[64];

        if (bits & bit)
            json_array_append_new(array, json_string(probe_warnings_text(bit, text, sizeof(text))));
    }
    json_object_set_new(out, "warnings", array);
}

static void add_failed_certificate(json_t *out, const struct probe_finding *finding)
{
    json_object_set_new(out, "code", json_string(x509_reason_name(finding->reason)));
    json_object_set_new(out, "reason", json_string(x509_reason_text(finding->reason)));
    json_object_set_new(out, "depth", json_integer(finding->depth));
    if (finding->detail != NULL)
        json_object_set_new(out, "detail", json_string(finding->detail));
}

static void add_refusal(json_t *out, const struct row *row, const struct probe_try *refused)
{
    enum probe_outcome outcome = refused->report.outcome;
    const char *text = probe_outcome_text(outcome);
    char reason[192];

    if (outcome == PROBE_UNRESOLVED)
        text = row->target->unresolved;
    else if (outcome == PROBE_CLIENT_CERTIFICATE && !row->target->ours->certificate)
        text = "it demands a client certificate";
    if (refused->report.alert != 0)
        snprintf(reason, sizeof(reason), "%s (%s)", text, tls_alert_name(refused->report.alert));
    else
        snprintf(reason, sizeof(reason), "%s", text);
    json_object_set_new(out, "code", json_string(probe_outcome_name(outcome)));
    json_object_set_new(out, "reason", json_string(reason));
    json_object_set_new(out, "action", json_string(probe_outcome_action(outcome)));
}

static void add_verdict(json_t *out, const struct row *row)
{
    const struct probe_finding *finding = finding_of(row);
    const struct probe_try *refused = refusal(row);
    char action[PROBE_ACTION_SIZE];

    json_object_set_new(out, "verdict", json_string(probe_verdict_name(verdict_of(row))));
    add_warnings(out, finding != NULL ? finding->warnings : 0);
    json_object_set_new(out, "days_left",
                        finding != NULL && finding->parsed ? json_integer(probe_days_left(finding, row->now_s))
                                                           : json_null());
    if (refused != NULL && (finding == NULL || finding->verdict != PROBE_FAIL)) {
        add_refusal(out, row, refused);
        return;
    }
    add_failed_certificate(out, finding);
    json_object_set_new(out, "action", json_string(probe_action(finding, row->now_s, action)));
}

static json_t *row_json(const struct row *row)
{
    const struct probe_target *target = row->target;
    char address[ASSAY_ADDRESS_TEXT_MAX];
    json_t *out = json_object();

    json_object_set_new(out, "node", json_string(target->node));
    json_object_set_new(out, "deployment", json_string(target->deployment));
    json_object_set_new(out, "type", target->type != NULL ? json_string(target->type) : json_null());
    json_object_set_new(out, "address",
                        target->unresolved == NULL ? json_string(address_format(&target->address, address))
                                                   : json_null());
    json_object_set_new(out, "port", json_integer(target->port));
    add_conditions(out, row);
    add_verdict(out, row);
    if (finding_of(row) != NULL)
        add_certificate(out, finding_of(row));
    add_client(out, row);
    return out;
}

/* --- rows --------------------------------------------------------------------------------------------------------------- */

/* TLS 1.2 alone is a question: an origin that speaks nothing but 1.3 may decline it. */
static bool says_nothing(const struct probe_result *result, const struct probe_try *try)
{
    if (try->versions != PROBE_TLS12_ALONE || try->finding >= 0)
        return try->bare && try->finding < 0;
    for (size_t i = 0; i < result->try_count; i++)
        if (result->tries[i].prefer == try->prefer && result->tries[i].finding >= 0)
            return true;
    return false;
}

struct report {
    json_t *rows;
    json_int_t origins[PROBE_UNKNOWN + 1], fail_rows, warning_rows;
};

static void add_row(struct report *report, const struct row *row)
{
    json_t *out = row_json(row);
    enum probe_verdict verdict = verdict_of(row);

    report->fail_rows += verdict == PROBE_FAIL;
    report->warning_rows += verdict == PROBE_WARNING;
    if (json_is_true(json_object_get(out, "now")))
        report->origins[verdict]++;
    json_array_append_new(report->rows, out);
}

/* In the order of the tries: what assayd meets now comes first. */
static void add_target(struct report *report, const struct probe_target *target, const struct probe_result *result,
                       uint64_t now_s)
{
    for (size_t i = 0; i < result->try_count; i++) {
        const struct probe_try *try = &result->tries[i];
        struct row row = {target, result, try->finding, try->report.outcome, now_s};
        bool first = true;

        for (size_t k = 0; k < i; k++)
            first = first && !in_row(&row, &result->tries[k]);
        if (first && !says_nothing(result, try))
            add_row(report, &row);
    }
}

json_t *probe_report(const struct probe *probe, const struct probe_target *targets, size_t count, uint64_t now_s)
{
    struct report report = {.rows = json_array()};
    json_t *out = json_object(), *summary = json_object();

    for (size_t i = 0; i < count; i++)
        add_target(&report, &targets[i], probe_result_at(probe, i), now_s);
    json_object_set_new(summary, "origins", json_integer((json_int_t)count));
    for (int verdict = PROBE_PASS; verdict <= PROBE_UNKNOWN; verdict++)
        json_object_set_new(summary, probe_verdict_name((enum probe_verdict)verdict),
                            json_integer(report.origins[verdict]));
    json_object_set_new(summary, "rows_fail", json_integer(report.fail_rows));
    json_object_set_new(summary, "rows_warning", json_integer(report.warning_rows));
    json_object_set_new(out, "rows", report.rows);
    json_object_set_new(out, "summary", summary);
    return out;
}
