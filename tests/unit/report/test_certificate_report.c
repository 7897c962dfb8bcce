/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "forge.h"
#include "report/certificate_report.h"

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : "(none)";
}

static void what_does_not_decode(void **state)
{
    json_t *json = certificate_report_json(slice_text("x"));
    char line[256] = "";
    FILE *out = fmemopen(line, sizeof(line) - 1, "w");

    assert_string_equal(text_of(json, "malformed"), "not a DER certificate");
    assert_int_equal(json_object_size(json), 1);
    json_decref(json);
    certificate_report_line(slice_text("x"), "  ", out);
    fclose(out);
    assert_string_equal(line, "  (not a DER certificate)\n");
}

static void decoded(void **state)
{
    struct slice der = forge_certificate(
        &(struct forge){.subject = "cucm.steven.lab",
                        .issuer = "root",
                        .key = forge_key(FORGE_P256, 1),
                        .signer = forge_key(FORGE_RSA2048, 2),
                        .extensions = {forge_san(forge_join(forge_dns("cucm.steven.lab"), forge_ip("198.18.2.11")))}});
    json_t *json = certificate_report_json(der);

    assert_string_equal(text_of(json, "common_name"), "cucm.steven.lab");
    assert_string_equal(text_of(json, "issuer"), "CN=root");
    assert_string_equal(text_of(json, "type"), "CA-signed");
    assert_string_equal(text_of(json, "key"), "EC P-256");
    assert_string_equal(text_of(json, "key_type"), "EC");
    assert_int_equal(json_integer_value(json_object_get(json, "not_after_s")), FORGE_AFTER);
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "names"), 1)), "IP:198.18.2.11");
    assert_int_equal(strlen(text_of(json, "sha256")), 64);
    json_decref(json);
}

/* A name cannot forge a line. */
static void hostile(void **state)
{
    struct slice name =
        FORGE_TLV(0x30, FORGE_TLV(0x31, FORGE_TLV(0x30, forge_oid("2.5.4.3"), forge_text(0x0c, "a\nb\xff"))));
    struct slice der = forge_certificate(&(struct forge){.subject_name = name, .issuer = "ca"});
    char line[1024] = "";
    FILE *out = fmemopen(line, sizeof(line) - 1, "w");
    json_t *json = certificate_report_json(der);

    certificate_report_line(der, "", out);
    fclose(out);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_string_equal(text_of(json, "subject"), "CN=a\\0ab\\ff");
    json_decref(json);
}

static int end(void **state)
{
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_decode),
        cmocka_unit_test(decoded),
        cmocka_unit_test(hostile),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
