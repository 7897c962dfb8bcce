/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include <jansson.h>

#include "forge.h"
#include "report/verify_report.h"

static char output[16384];

static void report(const struct x509_result *result, void (*write)(const struct verify_report *, FILE *))
{
    struct verify_report what = {.at_s = FORGE_NOW, .result = result};
    FILE *out;

    assert_int_equal(x509_identity_from_host(slice_text("cucm.steven.lab"), &what.identity), ASSAY_OK);
    memset(output, 0, sizeof(output));
    out = fmemopen(output, sizeof(output) - 1, "w");
    write(&what, out);
    fclose(out);
}

static json_t *json_of(const struct x509_result *result)
{
    json_t *json;

    report(result, verify_report_json);
    json = json_loads(output, 0, NULL);
    assert_non_null(json);
    return json;
}

/* Names that try to forge lines or break the JSON, and certificates that do not decode. */
static void hostile_names(void **state)
{
    struct slice name = FORGE_TLV(
        0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, "a\"\nreason: OK\n\xff"))));
    struct slice der = forge_certificate(&(struct forge){.subject_name = name, .issuer = "ca"});
    struct x509_result result = {
        .chain_reason = X509_REASON_UNKNOWN_ISSUER, .fault = der, .path_length = 2, .path = {der}};
    json_t *json;

    (void)state;
    result.path[1] = slice_text("x");
    report(&result, verify_report_text);
    assert_null(strstr(output, "\nreason: OK"));
    assert_non_null(strstr(output, "  1 (not a DER certificate)\n"));
    json = json_of(&result);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "fault"), "subject")),
                        "CN=a\\\"\\0areason: OK\\0a\\ff");
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(json_object_get(json, "path"), 1), "malformed")),
        "not a DER certificate");
    json_decref(json);
}

static void rejected(void **state)
{
    struct slice der = forge_certificate(&(struct forge){.subject = "a"});
    struct x509_result result = {.chain_reason = X509_REASON_SELF_SIGNED_IN_CHAIN,
                                 .name_reason = X509_REASON_NAME_MISMATCH,
                                 .depth = 1,
                                 .fault = der,
                                 .path_length = 1,
                                 .path = {der}};
    json_t *json = json_of(&result);

    (void)state;
    assert_true(json_is_false(json_object_get(json, "accepted")));
    assert_string_equal(json_string_value(json_object_get(json, "reason")), "SELF_SIGNED_IN_CHAIN");
    assert_string_equal(json_string_value(json_object_get(json, "name_reason")), "NAME_MISMATCH");
    assert_string_equal(json_string_value(json_object_get(json, "error")),
                        "self signed certificate in certificate chain");
    assert_int_equal(json_integer_value(json_object_get(json, "depth")), 1);
    assert_int_equal(json_integer_value(json_object_get(json, "alert")), 48);
    assert_null(json_object_get(json, "valid_until"));
    json_decref(json);
    report(&result, verify_report_text);
    assert_non_null(strstr(output, "Error=self signed certificate in certificate chain depth=1\nalert: 48 unknown_ca\n"
                                   "and: NAME_MISMATCH (cucm.steven.lab not in certificate)\n"));
}

static void accepted(void **state)
{
    struct slice der =
        forge_certificate(&(struct forge){.subject = "a", .extensions = {forge_san(forge_dns("cucm.steven.lab"))}});
    struct x509_result result = {.valid_until_s = FORGE_NOW + 1,
                                 .warnings = X509_WARN_SHA1 | X509_WARN_CN_USED,
                                 .path_length = 1,
                                 .path = {der}};
    json_t *json = json_of(&result), *certificate;

    (void)state;
    assert_true(json_is_true(json_object_get(json, "accepted")));
    assert_string_equal(json_string_value(json_object_get(json, "valid_until")), "2023-11-14T22:13:21Z");
    assert_int_equal(json_array_size(json_object_get(json, "warnings")), 2);
    certificate = json_array_get(json_object_get(json, "path"), 0);
    assert_string_equal(json_string_value(json_object_get(certificate, "key")), "EC P-256");
    assert_string_equal(json_string_value(json_array_get(json_object_get(certificate, "names"), 0)),
                        "DNS:cucm.steven.lab");
    assert_int_equal(strlen(json_string_value(json_object_get(certificate, "sha256"))), 64);
    json_decref(json);
}

static int teardown(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_names),
        cmocka_unit_test(rejected),
        cmocka_unit_test(accepted),
    };

    return cmocka_run_group_tests(tests, NULL, teardown);
}
