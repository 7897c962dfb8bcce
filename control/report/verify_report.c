/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/verify_report.h"

#include "report/certificate_report.h"
#include "x509/certificate.h"
#include "x509/describe.h"
#include "x509/reason.h"

#define NAME_SIZE 2048

static const struct {
    enum x509_warning bit;
    const char *name, *text;
} warnings[] = {
    {X509_WARN_SHA1, "sha1", "a signature of the path is made with SHA-1"},
    {X509_WARN_SMALL_KEY, "small_key", "an RSA key of the path is smaller than 2048 bits"},
    {X509_WARN_CN_USED, "cn_used", "the name was found in the Common Name, not in a SAN"},
    {X509_WARN_IP_AS_DNS, "ip_as_dns", "the address was found spelled as a name"},
    {X509_WARN_NO_STATUS, "no_status", "whether a certificate of the path is revoked is not known"},
};

static const char *alert_name(uint8_t alert)
{
    switch (alert) {
    case 42: return "bad_certificate";
    case 43: return "unsupported_certificate";
    case 44: return "certificate_revoked";
    case 45: return "certificate_expired";
    case 46: return "certificate_unknown";
    case 48: return "unknown_ca";
    case 113: return "bad_certificate_status_response";
    default: return "none";
    }
}

void verify_report_text(const struct verify_report *report, FILE *out)
{
    const struct x509_result *result = report->result;
    enum x509_reason reason = x509_result_reason(result);
    char name[256], time[X509_DESCRIBE_TIME_SIZE];

    x509_identity_format(&report->identity, name);
    x509_describe_time((int64_t)report->at_s, time, sizeof(time));
    fprintf(out, "%s: %s at %s\n", reason == X509_REASON_OK ? "accepted" : "rejected", name, time);
    if (reason != X509_REASON_OK) {
        fprintf(out, "reason: %s\n", x509_reason_name(reason));
        fprintf(out, "Error=%s depth=%d\n", x509_reason_text(reason),
                reason == result->chain_reason ? result->depth : 0);
        fprintf(out, "alert: %u %s\n", x509_reason_alert(reason), alert_name(x509_reason_alert(reason)));
    }
    if (result->detail != NULL)
        fprintf(out, "detail: %s\n", result->detail);
    if (result->chain_reason != X509_REASON_OK && result->name_reason != X509_REASON_OK)
        fprintf(out, "and: %s (%s not in certificate)\n", x509_reason_name(result->name_reason), name);
    if (result->chain_reason != X509_REASON_OK && result->fault.len > 0) {
        fprintf(out, "certificate at fault:\n");
        certificate_report_line(result->fault, "  ", out);
    }
    fprintf(out, result->chain_reason == X509_REASON_OK ? "path:\n" : "path tried:\n");
    for (size_t i = 0; i < result->path_length; i++) {
        fprintf(out, "  %zu ", i);
        certificate_report_line(result->path[i], "", out);
    }
    if (reason == X509_REASON_OK) {
        x509_describe_time((int64_t)result->valid_until_s, time, sizeof(time));
        fprintf(out, "valid until: %s\n", time);
    }
    for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
        if (result->warnings & warnings[i].bit)
            fprintf(out, "warning: %s\n", warnings[i].text);
}

void verify_report_attempts(const struct x509_trace *trace, FILE *out)
{
    for (size_t i = 0; i < trace->count; i++) {
        const struct x509_attempt *attempt = &trace->attempts[i];

        fprintf(out, "failed path %zu, %s trust: %s at depth %d%s%s\n", i + 1,
                attempt->reached ? "which reaches" : "which does not reach", x509_reason_text(attempt->reason),
                attempt->depth, attempt->detail != NULL ? ": " : "", attempt->detail != NULL ? attempt->detail : "");
        for (size_t k = 0; k < attempt->length; k++) {
            fprintf(out, "  %zu ", k);
            certificate_report_line(attempt->path[k], "", out);
        }
    }
    if (trace->left_out > 0)
        fprintf(out, "(and %zu more)\n", trace->left_out);
}

json_t *verify_report_warnings(uint32_t bits)
{
    json_t *out = json_array();

    for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
        if (bits & warnings[i].bit)
            json_array_append_new(out, json_string(warnings[i].name));
    return out;
}

static json_t *verdict_json(const struct verify_report *report)
{
    const struct x509_result *result = report->result;
    enum x509_reason reason = x509_result_reason(result);
    char text[256];
    json_t *object = json_object();

    x509_identity_format(&report->identity, text);
    json_object_set_new(object, "accepted", json_boolean(reason == X509_REASON_OK));
    json_object_set_new(object, "name", json_string(text));
    x509_describe_time((int64_t)report->at_s, text, sizeof(text));
    json_object_set_new(object, "at", json_string(text));
    json_object_set_new(object, "reason", json_string(x509_reason_name(reason)));
    json_object_set_new(object, "error", json_string(x509_reason_text(reason)));
    json_object_set_new(object, "depth", json_integer(reason == result->chain_reason ? result->depth : 0));
    json_object_set_new(object, "alert", json_integer(x509_reason_alert(reason)));
    json_object_set_new(object, "chain_reason", json_string(x509_reason_name(result->chain_reason)));
    json_object_set_new(object, "name_reason", json_string(x509_reason_name(result->name_reason)));
    json_object_set_new(object, "signatures_checked", json_integer(result->signatures_checked));
    return object;
}

/* A candidate path in few words: the subjects, leaf first; the path of the verdict is there in full. */
static json_t *attempt_json(const struct x509_attempt *attempt)
{
    json_t *object = json_object(), *subjects = json_array();
    struct x509_certificate certificate;
    char text[NAME_SIZE];

    for (size_t i = 0; i < attempt->length; i++) {
        json_t *entry;

        if (x509_certificate_parse(attempt->path[i], &certificate, NULL) != ASSAY_OK)
            continue;
        entry = json_object();
        x509_describe_dn(certificate.subject, text, sizeof(text));
        json_object_set_new(entry, "subject", json_string(text));
        x509_describe_hex(slice_of(certificate.sha256, sizeof(certificate.sha256)), text, sizeof(text));
        json_object_set_new(entry, "sha256", json_string(text));
        json_array_append_new(subjects, entry);
    }
    json_object_set_new(object, "reason", json_string(x509_reason_name(attempt->reason)));
    json_object_set_new(object, "error", json_string(x509_reason_text(attempt->reason)));
    if (attempt->detail != NULL)
        json_object_set_new(object, "detail", json_string(attempt->detail));
    json_object_set_new(object, "depth", json_integer(attempt->depth));
    json_object_set_new(object, "reached_trust", json_boolean(attempt->reached));
    json_object_set_new(object, "path", subjects);
    return object;
}

static void trace_json(const struct x509_trace *trace, json_t *object)
{
    json_t *list = json_array();

    for (size_t i = 0; i < trace->count; i++)
        json_array_append_new(list, attempt_json(&trace->attempts[i]));
    json_object_set_new(object, "failed_paths", list);
    if (trace->left_out > 0)
        json_object_set_new(object, "failed_paths_left_out", json_integer((json_int_t)trace->left_out));
}

json_t *verify_report_object(const struct verify_report *report)
{
    const struct x509_result *result = report->result;
    json_t *object = verdict_json(report), *path = json_array();
    char text[X509_DESCRIBE_TIME_SIZE];

    if (x509_result_reason(result) == X509_REASON_OK) {
        x509_describe_time((int64_t)result->valid_until_s, text, sizeof(text));
        json_object_set_new(object, "valid_until", json_string(text));
    }
    json_object_set_new(object, "warnings", verify_report_warnings(result->warnings));
    if (result->detail != NULL)
        json_object_set_new(object, "detail", json_string(result->detail));
    if (result->fault.len > 0)
        json_object_set_new(object, "fault", certificate_report_json(result->fault));
    for (size_t i = 0; i < result->path_length; i++)
        json_array_append_new(path, certificate_report_json(result->path[i]));
    json_object_set_new(object, "path", path);
    if (report->trace != NULL)
        trace_json(report->trace, object);
    return object;
}

void verify_report_json(const struct verify_report *report, FILE *out)
{
    json_t *object = verify_report_object(report);

    json_dumpf(object, out, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(object);
}
