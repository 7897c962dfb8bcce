/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/judge.h"

#include <stdio.h>

#include "base/append.h"
#include "x509/action.h"
#include "x509/certificate.h"
#include "x509/describe.h"

#define DAY_S 86400

static const struct {
    enum x509_warning warning;
    const char *name, *action;
} warnings[] = {
    {X509_WARN_CN_USED, "CN", "reissue it with this address as SAN: stricter profiles do not look at the Common Name"},
    {X509_WARN_IP_AS_DNS, "IP as DNS name", "reissue it with the address as iPAddress SAN"},
    {X509_WARN_SHA1, "SHA-1", "have it signed with SHA-256"},
    {X509_WARN_SMALL_KEY, "small RSA key", "renew it with an RSA key of 2048 bits, or an EC key"},
    {X509_WARN_NO_STATUS, "unknown revocation status", "provide the CRLs of its CAs (trust.revocation)"},
};
#define WARNINGS (sizeof(warnings) / sizeof(warnings[0]))

const char *probe_verdict_name(enum probe_verdict verdict)
{
    switch (verdict) {
    case PROBE_PASS: return "pass";
    case PROBE_WARNING: return "warning";
    case PROBE_FAIL: return "fail";
    case PROBE_UNKNOWN: return "unknown";
    }
    return "?";
}

/* As on a core: which half of the check counts is a setting (S29). */
static enum x509_reason reason_that_counts(const struct x509_result *result, enum verify_properties properties)
{
    if (properties != VERIFY_NAME && result->chain_reason != X509_REASON_OK)
        return result->chain_reason;
    return properties != VERIFY_SIGNATURE ? result->name_reason : X509_REASON_OK;
}

static void describe_names(const struct x509_certificate *leaf, struct probe_finding *out)
{
    struct append names = append_to(out->names, sizeof(out->names));
    struct slice rest = leaf->san, value;
    enum x509_general_name kind;
    size_t count = 0;

    while (x509_general_name_next(&rest, &kind, &value)) {
        char text[PROBE_NAME_SIZE];

        x509_describe_general_name(kind, value, text, sizeof(text));
        append_text(&names, count > 0 ? ", " : "");
        append_text(&names, text);
        count++;
    }
    out->multi_server = count > 1;
}

static void describe_leaf(struct slice der, struct probe_finding *out)
{
    struct x509_certificate leaf;

    if (x509_certificate_parse(der, &leaf, NULL) != ASSAY_OK)
        return;
    out->parsed = true;
    out->rsa = leaf.key.kind == X509_KEY_RSA || leaf.key.kind == X509_KEY_RSA_PSS;
    out->ec = leaf.key.kind == X509_KEY_P256 || leaf.key.kind == X509_KEY_P384 || leaf.key.kind == X509_KEY_P521;
    out->self_signed = leaf.self_issued;
    out->not_after_s = out->ends_s = leaf.not_after_s;
    x509_describe_key(&leaf, out->key, sizeof(out->key));
    x509_describe_common_name(leaf.subject, out->common_name, sizeof(out->common_name));
    if (x509_describe_common_name(leaf.issuer, out->issuer, sizeof(out->issuer)) == 0)
        x509_describe_dn(leaf.issuer, out->issuer, sizeof(out->issuer));
    describe_names(&leaf, out);
}

/* A chain ends with the first of its certificates. */
static void find_end(const struct x509_result *result, struct probe_finding *out)
{
    for (size_t i = 1; i < result->path_length; i++) {
        struct x509_certificate above;

        if (x509_certificate_parse(result->path[i], &above, NULL) == ASSAY_OK && above.not_after_s < out->ends_s)
            out->ends_s = above.not_after_s;
    }
}

void probe_judge(const struct x509_chain *chain, const struct x509_identity *identity, const struct probe_trust *trust,
                 uint64_t now_s, struct probe_finding *out)
{
    const struct x509_chain_digest *digest = x509_chain_digests(chain);
    struct x509_result result;
    const struct slice *presented;

    *out = (struct probe_finding){0};
    presented = x509_chain_slices(chain, &out->presented);
    memcpy(out->chain_sha256, digest->chain, sizeof(out->chain_sha256));
    memcpy(out->sha256, digest->leaf, sizeof(out->sha256));
    describe_leaf(presented[0], out);
    x509_verify_traced(trust->store, presented, out->presented, x509_chain_staple(chain), identity, trust->policy,
                       now_s, &result, NULL);
    out->reason = reason_that_counts(&result, trust->properties);
    out->depth = out->reason == result.chain_reason ? result.depth : 0;
    out->detail = out->reason == X509_REASON_OK || out->reason == result.chain_reason ? result.detail : NULL;
    out->warnings = out->reason == X509_REASON_OK ? result.warnings : 0;
    if (result.chain_reason == X509_REASON_OK)
        find_end(&result, out);
    out->verdict = out->reason != X509_REASON_OK ? PROBE_FAIL : out->warnings != 0 ? PROBE_WARNING : PROBE_PASS;
}

/* Toward minus infinity, so that a certificate that ended an hour ago has -1. */
long probe_days_left(const struct probe_finding *finding, uint64_t now_s)
{
    int64_t left = finding->ends_s - (int64_t)now_s;

    return (long)(left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S));
}

char *probe_warnings_text(uint32_t bits, char *out, size_t size)
{
    struct append text = append_to(out, size);

    for (size_t i = 0; i < WARNINGS; i++)
        if (bits & warnings[i].warning) {
            append_text(&text, text.length > 0 ? ", " : "");
            append_text(&text, warnings[i].name);
        }
    return out;
}

char *probe_action(const struct probe_finding *finding, uint64_t now_s, char out[PROBE_ACTION_SIZE])
{
    struct append text = append_to(out, PROBE_ACTION_SIZE);
    long days = probe_days_left(finding, now_s);
    char end[X509_DESCRIBE_TIME_SIZE];

    append_text(&text, x509_reason_action(finding->reason, finding->depth));
    for (size_t i = 0; i < WARNINGS; i++)
        if (finding->warnings & warnings[i].warning) {
            append_text(&text, text.length > 0 ? "; " : "");
            append_text(&text, warnings[i].action);
        }
    if (!finding->parsed || finding->reason == X509_REASON_EXPIRED || days > PROBE_SOON_DAYS)
        return out;
    x509_describe_time(finding->ends_s, end, sizeof(end));
    append_text(&text, text.length > 0 ? "; " : "");
    append_text(&text, finding->ends_s < finding->not_after_s ? "renew the CA certificate above it before "
                                                              : "renew it before ");
    append_text(&text, end);
    return out;
}
