/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/staple_report.h"

#include "report/values.h"
#include "x509/ocsp.h"

static const char *status_word(enum x509_reason reason)
{
    switch (reason) {
    case X509_REASON_OK: return "good";
    case X509_REASON_REVOKED: return "revoked";
    case X509_REASON_OCSP_UNKNOWN: return "unknown";
    default: return "not usable";
    }
}

static json_t *time_or_null(int64_t seconds)
{
    return seconds != 0 ? report_time((uint64_t)seconds) : json_null();
}

json_t *staple_report_object(struct slice staple, const struct x509_result *result, const struct x509_policy *policy,
                             uint64_t now_s)
{
    struct x509_ocsp_verdict verdict;
    json_t *out;

    if (staple.len == 0)
        return json_null();
    x509_ocsp_judge_path(staple, result, policy, now_s, &verdict);
    out = json_object();
    json_object_set_new(out, "status", json_string(status_word(verdict.reason)));
    json_object_set_new(out, "detail", verdict.detail != NULL ? json_string(verdict.detail) : json_null());
    json_object_set_new(out, "this_update", time_or_null(verdict.this_update_s));
    json_object_set_new(out, "next_update", time_or_null(verdict.next_update_s));
    json_object_set_new(out, "asked", json_boolean(policy->revocation != X509_REVOCATION_OFF));
    json_object_set_new(out, "bytes", report_number(staple.len));
    return out;
}

void staple_report_text(const json_t *object, FILE *out)
{
    const char *detail = json_string_value(json_object_get(object, "detail"));
    const char *from = json_string_value(json_object_get(object, "this_update"));
    const char *until = json_string_value(json_object_get(object, "next_update"));

    if (!json_is_object(object)) {
        fputs("stapled response: none\n", out);
        return;
    }
    fprintf(out, "stapled response: %s", json_string_value(json_object_get(object, "status")));
    if (detail != NULL)
        fprintf(out, " (%s)", detail);
    if (from != NULL)
        fprintf(out, ", of %s, next %s", from, until != NULL ? until : "left open");
    fputs(json_is_true(json_object_get(object, "asked")) ? "\n" : "; revocation is not asked for\n", out);
}
