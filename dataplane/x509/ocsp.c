/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "x509/ocsp.h"

#include "x509/algorithm.h"
#include "x509/der.h"
#include "x509/dn.h"
#include "x509/revocation.h"
#include "x509/rules.h"
#include "x509/signature.h"

#define DER_ENUMERATED 0x0a

static enum assay_error malformed(const char **fault, const char *text)
{
    *fault = text;
    return ASSAY_ERR_MALFORMED;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------------- */

static const char *status_text(uint8_t status)
{
    switch (status) {
    case 1: return "the responder says malformedRequest";
    case 2: return "the responder says internalError";
    case 3: return "the responder says tryLater";
    case 5: return "the responder says sigRequired";
    case 6: return "the responder says unauthorized";
    default: return "the responder gives no answer";
    }
}

/* GeneralizedTime only (RFC 6960 §4.2.2.1 and its ASN.1). */
static bool time_take(struct slice *rest, int64_t *seconds)
{
    return der_is_next(*rest, DER_GENERALIZED_TIME) && der_read_time(rest, seconds) == ASSAY_OK;
}

/* Extensions in a context tag; *critical: one of them must be understood, and none is. */
static bool extensions_take(struct slice *rest, uint8_t tag, bool *critical)
{
    struct slice field, list, extension, oid, value;
    bool flag;

    if (!der_is_next(*rest, tag))
        return true;
    if (der_read(rest, tag, &field) != ASSAY_OK || der_read(&field, DER_SEQUENCE, &list) != ASSAY_OK || field.len != 0)
        return false;
    while (list.len > 0) {
        flag = false;
        if (der_read(&list, DER_SEQUENCE, &extension) != ASSAY_OK || der_read_oid(&extension, &oid) != ASSAY_OK ||
            (der_is_next(extension, DER_BOOLEAN) && der_read_boolean(&extension, &flag) != ASSAY_OK) ||
            der_read(&extension, DER_OCTET_STRING, &value) != ASSAY_OK || extension.len != 0)
            return false;
        *critical = *critical || flag;
    }
    return true;
}

static enum x509_digest digest_of(struct slice oid)
{
    static const uint8_t sha1[] = {0x2b, 0x0e, 0x03, 0x02, 0x1a};
    static const uint8_t sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};

    if (slice_equal(oid, slice_of(sha1, sizeof(sha1))))
        return X509_DIGEST_SHA1;
    return slice_equal(oid, slice_of(sha256, sizeof(sha256))) ? X509_DIGEST_SHA256 : X509_DIGEST_NONE;
}

/* CertID: {hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber}. */
static bool cert_id_take(struct slice *rest, struct x509_ocsp_single *out)
{
    struct slice id, algorithm, oid, null;

    if (der_read(rest, DER_SEQUENCE, &id) != ASSAY_OK || der_read(&id, DER_SEQUENCE, &algorithm) != ASSAY_OK ||
        der_read_oid(&algorithm, &oid) != ASSAY_OK ||
        (algorithm.len > 0 && (der_read(&algorithm, DER_NULL, &null) != ASSAY_OK || null.len != 0)) ||
        algorithm.len != 0 || der_read(&id, DER_OCTET_STRING, &out->name_hash) != ASSAY_OK ||
        der_read(&id, DER_OCTET_STRING, &out->key_hash) != ASSAY_OK ||
        der_read_integer(&id, DER_INTEGER, &out->serial) != ASSAY_OK || id.len != 0)
        return false;
    out->digest = digest_of(oid);
    return true;
}

/* RevokedInfo: {revocationTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL}. */
static bool revoked_take(struct slice body, struct x509_ocsp_single *out)
{
    struct slice field, reason;
    int64_t when;

    out->status = X509_OCSP_REVOKED;
    if (!time_take(&body, &when))
        return false;
    if (body.len == 0)
        return true;
    if (der_read(&body, DER_CONTEXT_CONSTRUCTED(0), &field) != ASSAY_OK || body.len != 0 ||
        der_read(&field, DER_ENUMERATED, &reason) != ASSAY_OK || field.len != 0 || reason.len != 1 ||
        reason.data[0] > 10)
        return false;
    out->reason = reason.data[0];
    return true;
}

static bool status_take(struct slice *rest, struct x509_ocsp_single *out)
{
    struct der_value value;

    if (der_next(rest, &value) != ASSAY_OK)
        return false;
    switch (value.tag) {
    case DER_CONTEXT(0): out->status = X509_OCSP_GOOD; return value.body.len == 0;
    case DER_CONTEXT_CONSTRUCTED(1): return revoked_take(value.body, out);
    case DER_CONTEXT(2): out->status = X509_OCSP_UNKNOWN; return value.body.len == 0;
    default: return false;
    }
}

static bool single_take(struct slice *rest, struct x509_ocsp_single *out)
{
    struct slice body, field;

    memset(out, 0, sizeof(*out));
    if (der_read(rest, DER_SEQUENCE, &body) != ASSAY_OK || !cert_id_take(&body, out) || !status_take(&body, out) ||
        !time_take(&body, &out->this_update_s))
        return false;
    out->has_next_update = der_is_next(body, DER_CONTEXT_CONSTRUCTED(0));
    if (out->has_next_update && (der_read(&body, DER_CONTEXT_CONSTRUCTED(0), &field) != ASSAY_OK ||
                                 !time_take(&field, &out->next_update_s) || field.len != 0))
        return false;
    return extensions_take(&body, DER_CONTEXT_CONSTRUCTED(1), &out->unknown_critical) && body.len == 0;
}

bool x509_ocsp_single_next(struct slice *rest, struct x509_ocsp_single *out)
{
    return rest->len > 0 && single_take(rest, out);
}

/* ResponderID, a CHOICE: byName [1] Name, byKey [2] KeyHash. */
static bool responder_take(struct slice *tbs, struct x509_ocsp *out)
{
    struct slice field;

    if (der_is_next(*tbs, DER_CONTEXT_CONSTRUCTED(1)))
        return der_read(tbs, DER_CONTEXT_CONSTRUCTED(1), &field) == ASSAY_OK &&
               der_read(&field, DER_SEQUENCE, &out->responder_name) == ASSAY_OK && field.len == 0 &&
               out->responder_name.len > 0 && out->responder_name.len <= X509_DN_SIZE_MAX &&
               dn_check(out->responder_name) == ASSAY_OK;
    return der_read(tbs, DER_CONTEXT_CONSTRUCTED(2), &field) == ASSAY_OK &&
           der_read(&field, DER_OCTET_STRING, &out->responder_key_sha1) == ASSAY_OK && field.len == 0 &&
           out->responder_key_sha1.len == 20;
}

static enum assay_error data_parse(struct slice tbs, struct x509_ocsp *out, const char **fault)
{
    struct x509_ocsp_single single;
    struct slice rest;
    bool critical = false;

    if (der_read(&tbs, DER_SEQUENCE, &tbs) != ASSAY_OK)
        return malformed(fault, "the response data do not decode");
    /* version [0] DEFAULT v1: DER leaves it out, and there is no other. */
    if (!responder_take(&tbs, out))
        return malformed(fault, "the responder's identity does not decode");
    if (!time_take(&tbs, &out->produced_s))
        return malformed(fault, "producedAt does not decode");
    if (der_read(&tbs, DER_SEQUENCE, &out->responses) != ASSAY_OK || out->responses.len == 0)
        return malformed(fault, "the responses do not decode");
    for (rest = out->responses; rest.len > 0;)
        if (!single_take(&rest, &single))
            return malformed(fault, "a response does not decode");
    if (!extensions_take(&tbs, DER_CONTEXT_CONSTRUCTED(1), &critical) || tbs.len != 0)
        return malformed(fault, "the response's extensions do not decode");
    if (!critical)
        return ASSAY_OK;
    *fault = "the response has an unknown critical extension";
    return ASSAY_ERR_UNSUPPORTED;
}

/* OCSPResponse as far as the basic response in it. */
static enum assay_error envelope_open(struct slice der, struct slice *basic, const char **fault)
{
    static const uint8_t id_basic[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};
    struct slice response, status, bytes, oid, octets;

    if (der_read(&der, DER_SEQUENCE, &response) != ASSAY_OK || der.len != 0 ||
        der_read(&response, DER_ENUMERATED, &status) != ASSAY_OK || status.len != 1)
        return malformed(fault, "not a DER OCSP response");
    if (status.data[0] != 0) {
        *fault = status_text(status.data[0]);
        return ASSAY_ERR_REFUSED;
    }
    if (der_read(&response, DER_CONTEXT_CONSTRUCTED(0), &bytes) != ASSAY_OK || response.len != 0 ||
        der_read(&bytes, DER_SEQUENCE, &bytes) != ASSAY_OK || der_read_oid(&bytes, &oid) != ASSAY_OK ||
        der_read(&bytes, DER_OCTET_STRING, &octets) != ASSAY_OK || bytes.len != 0)
        return malformed(fault, "the response bytes do not decode");
    if (!slice_equal(oid, slice_of(id_basic, sizeof(id_basic)))) {
        *fault = "not a basic OCSP response";
        return ASSAY_ERR_UNSUPPORTED;
    }
    if (der_read(&octets, DER_SEQUENCE, basic) != ASSAY_OK || octets.len != 0)
        return malformed(fault, "the basic response does not decode");
    return ASSAY_OK;
}

static bool certificates_take(struct slice *basic, struct slice *out)
{
    struct slice field, list, whole;

    if (basic->len == 0)
        return true;
    if (der_read(basic, DER_CONTEXT_CONSTRUCTED(0), &field) != ASSAY_OK || basic->len != 0 ||
        der_read(&field, DER_SEQUENCE, &list) != ASSAY_OK || field.len != 0)
        return false;
    *out = list;
    while (list.len > 0)
        if (der_read_whole(&list, DER_SEQUENCE, &whole) != ASSAY_OK)
            return false;
    return true;
}

enum assay_error x509_ocsp_parse(struct slice der, struct x509_ocsp *out, const char **fault)
{
    const char *unused_fault;
    struct slice basic, algorithm;
    enum assay_error error;

    if (fault == NULL)
        fault = &unused_fault;
    memset(out, 0, sizeof(*out));
    if (der.len > X509_OCSP_SIZE_MAX)
        return malformed(fault, "the response is too large");
    if ((error = envelope_open(der, &basic, fault)) != ASSAY_OK)
        return error;
    if (der_read_whole(&basic, DER_SEQUENCE, &out->tbs) != ASSAY_OK ||
        der_read(&basic, DER_SEQUENCE, &algorithm) != ASSAY_OK ||
        der_read_octet_bits(&basic, &out->signature) != ASSAY_OK || !certificates_take(&basic, &out->certificates))
        return malformed(fault, "the basic response does not decode");
    if ((error = x509_signature_algorithm_parse(algorithm, &out->signature_algorithm, fault)) != ASSAY_OK)
        return error;
    return data_parse(out->tbs, out, fault);
}

/* --- judging ---------------------------------------------------------------------------------------------------------------------- */

/* The Name with its header, of which we keep the contents: in strict DER the header's length follows from theirs. */
static struct slice name_whole(struct slice contents)
{
    size_t header = contents.len < 0x80 ? 2 : contents.len < 0x100 ? 3 : 4;

    return slice_of(contents.data - header, contents.len + header);
}

static bool hash_is(enum x509_digest kind, struct slice message, struct slice expected)
{
    struct x509_digest_value digest;

    return x509_digest_make(kind, message, &digest) == ASSAY_OK &&
           slice_equal(slice_of(digest.bytes, digest.size), expected);
}

static bool single_is_of(const struct x509_ocsp_single *single, const struct x509_certificate *certificate,
                         const struct x509_certificate *issuer)
{
    return single->digest != X509_DIGEST_NONE && slice_equal(single->serial, certificate->serial) &&
           hash_is(single->digest, name_whole(certificate->issuer), single->name_hash) &&
           hash_is(single->digest, issuer->key.octets, single->key_hash);
}

static bool responder_is(const struct x509_ocsp *ocsp, const struct x509_certificate *certificate)
{
    if (ocsp->responder_name.len > 0)
        return dn_equal(ocsp->responder_name, certificate->subject);
    return hash_is(X509_DIGEST_SHA1, certificate->key.octets, ocsp->responder_key_sha1);
}

/* RFC 6960 §4.2.2.2: what a delegated responder's certificate must be; NULL: nothing is wrong, the signatures aside. */
static const char *delegate_fault(const struct x509_certificate *delegate, const struct x509_certificate *issuer,
                                  const struct x509_policy *policy, uint64_t now_s)
{
    if (delegate->issuer_hash != issuer->subject_hash || !dn_equal(delegate->issuer, issuer->subject))
        return "the responder's certificate is not from the certificate's issuer";
    if (!(delegate->extended_key_usage & X509_EKU_OCSP_SIGNING))
        return "the responder's certificate is not for OCSPSigning";
    if (!x509_certificate_has(delegate, X509_EXT_OCSP_NOCHECK))
        return "the responder's certificate has no ocsp-nocheck";
    if (x509_certificate_has(delegate, X509_EXT_KEY_USAGE) && !(delegate->key_usage & X509_KU_DIGITAL_SIGNATURE))
        return "the responder's certificate may not sign (keyUsage)";
    if (delegate->unknown_critical || x509_rule_validity(delegate, policy, now_s) != X509_REASON_OK ||
        x509_rule_key(delegate, policy) != X509_REASON_OK || x509_rule_digest(delegate, policy) != X509_REASON_OK)
        return "the responder's certificate is not valid";
    return NULL;
}

static const char no_work[] = "too many signatures to check";

/* NULL: the key signed the response; else wrong, or that the work is used up. */
static const char *signed_by(const struct x509_ocsp *ocsp, const struct x509_key *key, struct x509_work *work,
                             const char *wrong)
{
    if (!x509_work_take(work, key))
        return no_work;
    return x509_signature_check_bytes(ocsp->tbs, &ocsp->signature_algorithm, ocsp->signature, key) == ASSAY_OK ? NULL
                                                                                                               : wrong;
}

/* NULL: the response is signed by who may, *until_s: as long as that one may. */
static const char *signer_fault(const struct x509_ocsp *ocsp, const struct x509_certificate *issuer,
                                const struct x509_policy *policy, uint64_t now_s, struct x509_work *work,
                                int64_t *until_s)
{
    const char *fault = "no certificate of the responder";
    struct slice rest = ocsp->certificates, der;

    if (ocsp->signature_algorithm.digest == X509_DIGEST_MD5 ||
        (ocsp->signature_algorithm.digest == X509_DIGEST_SHA1 && !policy->sha1_allowed))
        return "the response's digest is too weak";
    if (responder_is(ocsp, issuer))
        return signed_by(ocsp, &issuer->key, work, "the response's signature is not the issuer's");
    for (int i = 0; i < OCSP_CERTIFICATES_MAX && der_read_whole(&rest, DER_SEQUENCE, &der) == ASSAY_OK; i++) {
        struct x509_certificate delegate;
        const char *wrong;

        if (x509_certificate_parse(der, &delegate, NULL) != ASSAY_OK || !responder_is(ocsp, &delegate))
            continue;
        wrong = delegate_fault(&delegate, issuer, policy, now_s);
        if (wrong == NULL && !x509_work_take(work, &issuer->key))
            return no_work;
        if (wrong == NULL && x509_signature_check(&delegate, &issuer->key) != ASSAY_OK)
            wrong = "the responder's certificate is not signed by the certificate's issuer";
        if (wrong == NULL)
            wrong = signed_by(ocsp, &delegate.key, work, "the response's signature is not the responder's");
        if (wrong == NULL)
            *until_s = delegate.not_after_s;
        if (wrong == NULL || wrong == no_work)
            return wrong;
        fault = wrong;
    }
    return fault;
}

static const char *times_fault(const struct x509_ocsp *ocsp, const struct x509_ocsp_single *single,
                               const struct x509_policy *policy, int64_t now)
{
    int64_t skew = policy->skew_s;

    if (now + skew < single->this_update_s || now + skew < ocsp->produced_s)
        return "the response is not valid yet";
    /* Revoked stays revoked, however old the word of it is: as by an expired CRL (revocation.h). */
    if (single->status == X509_OCSP_REVOKED)
        return NULL;
    if (!single->has_next_update)
        return "the response has no nextUpdate";
    return now > single->next_update_s + skew ? "the response's nextUpdate is over" : NULL;
}

static void judge_single(const struct x509_ocsp_single *single, const struct x509_policy *policy,
                         int64_t signer_until_s, struct x509_ocsp_verdict *out)
{
    switch (single->status) {
    case X509_OCSP_GOOD:
        out->reason = X509_REASON_OK;
        out->detail = NULL;
        out->until_s = single->next_update_s < signer_until_s ? single->next_update_s : signer_until_s;
        out->until_s += policy->skew_s;
        return;
    case X509_OCSP_REVOKED:
        out->reason = X509_REASON_REVOKED;
        out->detail = x509_revocation_reason(single->reason);
        return;
    case X509_OCSP_UNKNOWN: break;
    }
    out->reason = X509_REASON_OCSP_UNKNOWN;
    out->detail = "the responder does not know the certificate";
}

void x509_ocsp_judge(struct slice response, const struct x509_certificate *certificate,
                     const struct x509_certificate *issuer, const struct x509_policy *policy, uint64_t now_s,
                     struct x509_work *work, struct x509_ocsp_verdict *out)
{
    struct x509_ocsp_single single;
    struct x509_ocsp ocsp;
    struct slice rest;
    int64_t signer_until_s = INT64_MAX;
    bool found = false;

    *out = (struct x509_ocsp_verdict){.reason = X509_REASON_OCSP_FAILED};
    if (x509_ocsp_parse(response, &ocsp, &out->detail) != ASSAY_OK)
        return;
    for (rest = ocsp.responses; !found && x509_ocsp_single_next(&rest, &single);)
        found = single_is_of(&single, certificate, issuer);
    if (!found) {
        out->detail = "the response is about another certificate";
        return;
    }
    out->this_update_s = single.this_update_s;
    out->next_update_s = single.next_update_s;
    if (single.unknown_critical) {
        out->detail = "the response has an unknown critical extension";
        return;
    }
    if ((out->detail = times_fault(&ocsp, &single, policy, (int64_t)now_s)) != NULL ||
        (out->detail = signer_fault(&ocsp, issuer, policy, now_s, work, &signer_until_s)) != NULL) {
        if (out->detail == no_work)
            out->reason = X509_REASON_WORK_LIMIT;
        return;
    }
    judge_single(&single, policy, signer_until_s, out);
}

void x509_ocsp_judge_path(struct slice response, const struct x509_result *result, const struct x509_policy *policy,
                          uint64_t now_s, struct x509_ocsp_verdict *out)
{
    struct x509_work work = {.max = policy->work_max};
    struct x509_certificate leaf, issuer;

    *out = (struct x509_ocsp_verdict){.reason = X509_REASON_OCSP_FAILED,
                                      .detail = "no issuer of the certificate is known"};
    if (result->path_length < 2 || x509_certificate_parse(result->path[0], &leaf, NULL) != ASSAY_OK ||
        x509_certificate_parse(result->path[1], &issuer, NULL) != ASSAY_OK)
        return;
    x509_ocsp_judge(response, &leaf, &issuer, policy, now_s, &work, out);
}
