/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ctl/certs_view.h"

#define PROBED(node, port, sha, key, cn, self, multi, verdict, reason)                                                \
    "{\"node\":\"" node "\",\"port\":" #port ",\"sha256\":\"" sha "\",\"key_type\":\"" key "\",\"common_name\":\"" cn \
    "\",\"self_signed\":" self ",\"multi_server\":" multi                                                             \
    ",\"issuer\":\"CA\",\"not_after\":\"2027-01-01T00:00:00Z\", "                                                     \
    "\"verdict\":\"" verdict "\",\"reason\":\"" reason "\"}"
#define SHOWN(host, port, sha, key, superseded, accepted, error)                                                       \
    "{\"host\":\"" host "\",\"port\":" #port ",\"superseded\":" superseded ",\"leaf_sha256\":\"" sha                   \
    "\",\"verdict\":{\"judged\":true,\"accepted\":" accepted ",\"error\":\"" error                                     \
    "\"},\"certificates\":[{\"common_name\":\"cn\",\"type\":\"self-signed\",\"issuer\":\"O=x\",\"issuer_common_name\"" \
    ":\"\",\"key_type\":\"" key "\",\"names\":[\"DNS:a\",\"DNS:b\"],\"not_after\":\"2026-01-01T00:00:00Z\"}]}"

static const char *text(const json_t *row, const char *member)
{
    const char *value = json_string_value(json_object_get(row, member));

    return value != NULL ? value : "(none)";
}

static json_t *view_of(const char *rows, const char *entries)
{
    struct seen seen = {.rows = json_loads(rows, 0, NULL), .entries = json_loads(entries, 0, NULL)};
    json_t *view;

    assert_non_null(seen.rows);
    assert_non_null(seen.entries);
    view = certs_view(&seen);
    seen_free(&seen);
    return view;
}

static void test_nothing(void **state)
{
    json_t *view = view_of("[{\"node\":\"a\",\"port\":1,\"verdict\":\"unknown\"}]",
                           "[" SHOWN("a", 1, "ff", "RSA", "true", "true", "ok") "]"); /* replaced since */

    assert_int_equal(json_array_size(view), 0);
    json_decref(view);
}

/* One row a certificate, whatever ports and sources showed it; RSA and ECDSA next to each other. */
static void test_rows(void **state)
{
    json_t *view = view_of(
        "[" PROBED("cucm", 8443, "aa", "RSA", "ms", "false", "true", "pass", "ok") "," PROBED(
            "cucm", 443, "aa", "RSA", "ms", "false", "true", "fail",
            "hostname mismatch") "," PROBED("cucm", 8443, "bb", "EC", "ec", "true", "false", "fail",
                                            "self signed certificate") "," PROBED("alpha", 6972, "cc", "EC", "alpha",
                                                                                  "true", "false", "pass", "ok") "]",
        "[" SHOWN("cucm", 8443, "aa", "RSA", "false", "true", "ok") "," SHOWN("cucm", 6971, "dd", "EC", "false",
                                                                              "false", "self signed certificate") "]");
    static const struct {
        const char *node, *certificate, *type, *key_type, *distribution, *description;
    } expected[] = {
        {"alpha", "tomcat-ECDSA", "Self-signed", "EC", "alpha", "on 6972; from preflight"},
        {"cucm", "CallManager-ECDSA", "Self-signed", "EC", "Multi-server (SAN)",
         "on 6971; from traffic; fails on 6971: self signed certificate"},
        {"cucm", "tomcat", "CA-signed", "RSA", "Multi-server (SAN)",
         "on 443, 8443; from traffic and preflight; fails on 443: hostname mismatch"},
        {"cucm", "tomcat-ECDSA", "Self-signed", "EC", "cucm",
         "on 8443; from preflight; fails on 8443: self signed certificate"},
    };

    assert_int_equal(json_array_size(view), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *row = json_array_get(view, i);

        assert_string_equal(text(row, "node"), expected[i].node);
        assert_string_equal(text(row, "certificate"), expected[i].certificate);
        assert_string_equal(text(row, "type"), expected[i].type);
        assert_string_equal(text(row, "key_type"), expected[i].key_type);
        assert_string_equal(text(row, "distribution"), expected[i].distribution);
        assert_string_equal(text(row, "description"), expected[i].description);
    }
    assert_string_equal(text(json_array_get(view, 1), "issued_by"), "O=x");
    assert_string_equal(text(json_array_get(view, 2), "issued_by"), "CA");
    json_decref(view);
}

static void test_filters(void **state)
{
    static const struct {
        const char *filter;
        bool sound, matches;
    } cases[] = {
        {"tomcat", true, true},       {"TOMCAT", true, true},       {"rsa", true, true},
        {"node=cucm", true, true},    {"node=tomcat", true, false}, {"key_type=EC", true, false},
        {"issued_by=ca", true, true}, {"nonsense", true, false},    {"nonsense=x", false, false},
        {"", false, false},           {"node=", false, false},      {"description=8443", true, true},
    };
    json_t *view = view_of("[" PROBED("cucm", 8443, "aa", "RSA", "ms", "false", "false", "pass", "ok") "]", "[]");

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(certs_filter_is_sound(cases[i].filter), cases[i].sound);
        if (cases[i].sound)
            assert_int_equal(certs_matches(json_array_get(view, 0), cases[i].filter), cases[i].matches);
    }
    json_decref(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_filters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
