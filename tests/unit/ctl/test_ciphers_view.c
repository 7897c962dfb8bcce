/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ctl/ciphers_view.h"

#define RSA_PREFIX "ECDHE-RSA-AES256-GCM-SHA384:"
#define BOTH       "ECDHE+AESGCM"

static json_t *view_of(const char *string, const char *lowest, const char *rows, const char *entries)
{
    struct seen seen = {.rows = json_loads(rows, 0, NULL),
                        .entries = json_loads(entries, 0, NULL),
                        .ciphers = json_pack("{s:s,s:b,s:s}", "string", string, "default", 0, "lowest", lowest)};
    json_t *view;

    assert_non_null(seen.rows);
    assert_non_null(seen.entries);
    view = ciphers_view(&seen);
    seen_free(&seen);
    return view;
}

static void expect_list(const json_t *object, const char *member, const char *expected)
{
    char *list = json_dumps(json_object_get(object, member), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_non_null(list);
    assert_string_equal(list, expected);
    free(list);
}

static void test_unsound(void **state)
{
    assert_null(view_of("NONSENSE", "1.2", "[]", "[]"));
    assert_null(view_of("", "1.2", "[]", "[]"));
}

/* The order in TLS 1.2 is the suites', in TLS 1.3 that of the signature algorithms (S8). */
static void test_offer(void **state)
{
    json_t *view = view_of("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", "1.2", "[]", "[]");

    assert_string_equal(json_string_value(json_object_get(view, "prefers")), "ECDSA");
    expect_list(view, "offers", "[\"ECDSA\",\"RSA\"]");
    expect_list(json_object_get(view, "tls13"), "suites",
                "[\"TLS_AES_128_GCM_SHA256\",\"TLS_AES_256_GCM_SHA384\",\"TLS_CHACHA20_POLY1305_SHA256\"]");
    expect_list(json_object_get(view, "tls12"), "suites",
                "[\"ECDHE-ECDSA-AES128-GCM-SHA256\",\"ECDHE-RSA-AES128-GCM-SHA256\"]");
    expect_list(json_object_get(view, "tls13"), "signature_algorithms",
                "[\"ecdsa_secp256r1_sha256\",\"ecdsa_secp384r1_sha384\",\"ecdsa_secp521r1_sha512\",\"ed25519\","
                "\"rsa_pss_rsae_sha256\",\"rsa_pss_rsae_sha384\",\"rsa_pss_rsae_sha512\",\"rsa_pkcs1_sha256\","
                "\"rsa_pkcs1_sha384\",\"rsa_pkcs1_sha512\"]");
    json_decref(view);
    view = view_of(RSA_PREFIX "!aECDSA", "1.2", "[]", "[]");
    expect_list(view, "offers", "[\"RSA\"]");
    expect_list(json_object_get(view, "tls13"), "signature_algorithms",
                "[\"rsa_pss_rsae_sha256\",\"rsa_pss_rsae_sha384\",\"rsa_pss_rsae_sha512\",\"rsa_pkcs1_sha256\","
                "\"rsa_pkcs1_sha384\",\"rsa_pkcs1_sha512\"]");
    json_decref(view);
    view = view_of(BOTH, "1.3", "[]", "[]");
    assert_true(json_is_null(json_object_get(view, "tls12")));
    json_decref(view);
    view = view_of("TLS_AES_256_GCM_SHA384", "1.2", "[]", "[]");
    assert_true(json_is_null(json_object_get(view, "tls12")));
    expect_list(view, "offers", "[\"ECDSA\",\"RSA\"]");
    json_decref(view);
}

#define ROW(now, key)                                                                                                  \
    "{\"node\":\"a\",\"port\":8443,\"address\":\"198.18.2.1\",\"now\":" now ",\"key_type\":\"" key "\",\"key\":\"" key \
    " key\",\"common_name\":\"cn\",\"reason\":\"ok\"}"
#define SHOWN(key)                                                                                                   \
    "{\"host\":\"b\",\"port\":8443,\"address\":\"198.18.2.2\",\"superseded\":false,\"certificates\":[{\"key_type\":" \
    "\"" key "\",\"key\":\"" key " key\",\"common_name\":\"cn\"}]}"

/* Why that certificate: of what a preflight found, and of what traffic alone shows. */
static void test_origins(void **state)
{
    static const struct {
        const char *string, *rows, *entries, *shows, *why, *source;
    } cases[] = {
        {BOTH, "[" ROW("true", "EC") "," ROW("false", "RSA") "]", "[]", "EC key",
         "ECDSA is preferred; it has a certificate of each type and follows the preference", "preflight"},
        {BOTH, "[" ROW("true", "RSA") "," ROW("false", "EC") "]", "[]", "RSA key",
         "it has a certificate of each type and follows an order of its own, not that ECDSA is preferred", "preflight"},
        {BOTH, "[" ROW("true", "EC") "]", "[]", "EC key",
         "ECDSA is preferred; it shows the same when RSA is: it has no other, or follows an order of its own",
         "preflight"},
        {RSA_PREFIX BOTH, "[" ROW("true", "EC") "]", "[]", "EC key",
         "RSA is preferred; it has no such certificate, or none that it may use", "preflight"},
        {RSA_PREFIX "!aECDSA", "[" ROW("true", "RSA") "]", "[]", "RSA key", "the string leaves ECDSA certificates out",
         "preflight"},
        {BOTH, "[{\"node\":\"a\",\"port\":8443,\"address\":null,\"now\":true,\"reason\":\"NXDOMAIN\"}]", "[]", NULL,
         "NXDOMAIN", "preflight"},
        {BOTH, "[]", "[" SHOWN("EC") "]", "EC key", "ECDSA is preferred (a preflight finds out what else it has)",
         "traffic"},
        {BOTH, "[]", "[" SHOWN("RSA") "]", "RSA key",
         "ECDSA is preferred; it has no such certificate, or none that it may use", "traffic"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *view = view_of(cases[i].string, "1.2", cases[i].rows, cases[i].entries);
        const json_t *origin = json_array_get(json_object_get(view, "origins"), 0);
        const char *shows = json_string_value(json_object_get(origin, "shows"));

        assert_int_equal(json_array_size(json_object_get(view, "origins")), 1);
        assert_int_equal(shows != NULL, cases[i].shows != NULL);
        if (shows != NULL)
            assert_string_equal(shows, cases[i].shows);
        assert_string_equal(json_string_value(json_object_get(origin, "why")), cases[i].why);
        assert_string_equal(json_string_value(json_object_get(origin, "source")), cases[i].source);
        json_decref(view);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unsound),
        cmocka_unit_test(test_offer),
        cmocka_unit_test(test_origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
