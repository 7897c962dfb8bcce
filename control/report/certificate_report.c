/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/certificate_report.h"

#include "x509/describe.h"

#define NAME_SIZE 2048

void certificate_report_line(struct slice der, const char *indent, FILE *out)
{
    struct x509_certificate certificate;
    const char *fault = "";
    char line[NAME_SIZE];

    if (x509_certificate_parse(der, &certificate, &fault) != ASSAY_OK) {
        fprintf(out, "%s(%s)\n", indent, fault);
        return;
    }
    x509_describe_line(&certificate, line, sizeof(line));
    fprintf(out, "%s%s\n", indent, line);
}

const char *certificate_report_key_type(const struct x509_certificate *certificate)
{
    switch (certificate->key.kind) {
    case X509_KEY_RSA:
    case X509_KEY_RSA_PSS: return "RSA";
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521: return "EC";
    case X509_KEY_ED25519: return "Ed25519";
    case X509_KEY_UNSUPPORTED: break;
    }
    return "other";
}

/* --- JSON ------------------------------------------------------------------------------------------------------------------ */

static json_t *general_names(struct slice names)
{
    json_t *list = json_array();
    enum x509_general_name kind;
    struct slice value;
    char text[NAME_SIZE];

    while (x509_general_name_next(&names, &kind, &value)) {
        x509_describe_general_name(kind, value, text, sizeof(text));
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static void set_name(json_t *object, const char *key, struct slice name,
                     size_t (*describe)(struct slice, char *, size_t))
{
    char text[NAME_SIZE];

    describe(name, text, sizeof(text));
    json_object_set_new(object, key, json_string(text));
}

static void set_time(json_t *object, const char *key, int64_t seconds)
{
    char text[X509_DESCRIBE_TIME_SIZE];

    x509_describe_time(seconds, text, sizeof(text));
    json_object_set_new(object, key, json_string(text));
}

static void set_text(json_t *object, const char *key, const struct x509_certificate *certificate,
                     size_t (*describe)(const struct x509_certificate *, char *, size_t))
{
    char text[NAME_SIZE];

    describe(certificate, text, sizeof(text));
    json_object_set_new(object, key, json_string(text));
}

json_t *certificate_report_json(struct slice der)
{
    struct x509_certificate certificate;
    const char *fault = "";
    json_t *object = json_object();
    char hex[X509_DESCRIBE_HEX_SIZE];

    if (x509_certificate_parse(der, &certificate, &fault) != ASSAY_OK) {
        json_object_set_new(object, "malformed", json_string(fault));
        return object;
    }
    set_name(object, "subject", certificate.subject, x509_describe_dn);
    set_name(object, "common_name", certificate.subject, x509_describe_common_name);
    set_name(object, "issuer", certificate.issuer, x509_describe_dn);
    set_name(object, "issuer_common_name", certificate.issuer, x509_describe_common_name);
    json_object_set_new(object, "type", json_string(certificate.self_issued ? "self-signed" : "CA-signed"));
    json_object_set_new(object, "ca", json_boolean(certificate.is_ca));
    set_text(object, "serial", &certificate, x509_describe_serial);
    set_time(object, "not_before", certificate.not_before_s);
    set_time(object, "not_after", certificate.not_after_s);
    json_object_set_new(object, "not_after_s", json_integer(certificate.not_after_s));
    set_text(object, "key", &certificate, x509_describe_key);
    json_object_set_new(object, "key_type", json_string(certificate_report_key_type(&certificate)));
    set_text(object, "signature", &certificate, x509_describe_signature);
    json_object_set_new(object, "names", general_names(certificate.san));
    x509_describe_hex(slice_of(certificate.sha256, sizeof(certificate.sha256)), hex, sizeof(hex));
    json_object_set_new(object, "sha256", json_string(hex));
    return object;
}
