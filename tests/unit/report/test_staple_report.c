/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <string.h>

#include "forge.h"
#include "forge_ocsp.h"
#include "report/staple_report.h"

#define REVOKED    forge_ocsp_revoked(FORGE_NOW - 9, 1)
#define BY_CA(...) forge_ocsp(&(struct forge_ocsp){__VA_ARGS__})

static void what_it_says(void **state)
{
    void *ca = forge_key(FORGE_P256, 0);
    struct x509_result result = {.path_length = 2}, alone = {.path_length = 1};
    const struct {
        struct slice staple;
        const struct x509_result *result;
        bool off;
        const char *text;
    } cases[] = {
        {slice_of(NULL, 0), &result, false, "stapled response: none\n"},
        {BY_CA(.digest = 256), &result, false,
         "stapled response: good, of 2023-11-14T21:13:20Z, next 2023-11-14T23:13:20Z\n"},
        {BY_CA(.digest = 256), &result, true,
         "stapled response: good, of 2023-11-14T21:13:20Z, next 2023-11-14T23:13:20Z; revocation is not asked for\n"},
        {BY_CA(.status = REVOKED, .no_next_update = true), &result, false,
         "stapled response: revoked (keyCompromise), of 2023-11-14T21:13:20Z, next left open\n"},
        {BY_CA(.status = forge_hex("8200")), &result, false,
         "stapled response: unknown (the responder does not know the certificate), of 2023-11-14T21:13:20Z, next "
         "2023-11-14T23:13:20Z\n"},
        {BY_CA(.next_update = FORGE_NOW - 1), &result, false,
         "stapled response: not usable (the response's nextUpdate is over), of 2023-11-14T21:13:20Z, next "
         "2023-11-14T22:13:19Z\n"},
        {BY_CA(.serial = forge_integer(1)), &result, false,
         "stapled response: not usable (the response is about another certificate)\n"},
        {forge_hex("3000"), &result, false, "stapled response: not usable (not a DER OCSP response)\n"},
        {BY_CA(.digest = 256), &alone, false, "stapled response: not usable (no issuer of the certificate is known)\n"},
    };

    (void)state;
    result.path[0] = alone.path[0] = forge_certificate(
        &(struct forge){.subject = "leaf", .issuer = "CA", .key = forge_key(FORGE_P256, 1), .signer = ca});
    result.path[1] = forge_certificate(&(struct forge){.subject = "CA", .key = ca, .extensions = {forge_ca(-1)}});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct x509_policy policy;
        char text[512] = "";
        FILE *out = fmemopen(text, sizeof(text) - 1, "w");
        json_t *object;

        x509_policy_default(&policy);
        policy.revocation = cases[i].off ? X509_REVOCATION_OFF : X509_REVOCATION_SOFT_FAIL;
        object = staple_report_object(cases[i].staple, cases[i].result, &policy, FORGE_NOW);
        staple_report_text(object, out);
        fclose(out);
        if (strcmp(text, cases[i].text) != 0)
            fail_msg("%zu: %s", i, text);
        assert_int_equal(json_integer_value(json_object_get(object, "bytes")), cases[i].staple.len);
        json_decref(object);
    }
}

static int end(void **state)
{
    (void)state;
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_it_says)};

    return cmocka_run_group_tests(tests, NULL, end);
}
