/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "forge.h"
#include "probe/judge.h"

#define DAY 86400

static struct x509_store *store;
static struct x509_policy policy;
static void *root_key, *key;

static int begin(void **state)
{
    struct slice root;

    root_key = forge_key(FORGE_P256, 0);
    key = forge_key(FORGE_P256, 1);
    root = forge_certificate(&(struct forge){
        .subject = "Root", .key = root_key, .not_after = FORGE_NOW + 100 * DAY, .extensions = {forge_ca(-1)}});
    store = x509_store_create();
    x509_policy_default(&policy);
    return store != NULL && x509_store_add(store, root, X509_ROLE_ANCHOR, NULL) == ASSAY_OK ? 0 : -1;
}

static int end(void **state)
{
    x509_store_free(store);
    forge_free();
    return 0;
}

static struct probe_finding judge(struct slice leaf, const char *host, enum verify_properties properties)
{
    struct probe_trust trust = {store, &policy, properties};
    struct x509_chain *chain = x509_chain_create(&leaf, 1);
    struct x509_identity identity;
    struct probe_finding finding;

    assert_int_equal(x509_identity_from_host(slice_text(host), &identity), ASSAY_OK);
    probe_judge(chain, &identity, &trust, FORGE_NOW, &finding);
    x509_chain_unref(chain);
    return finding;
}

static struct slice leaf(struct forge what)
{
    what.subject = what.subject != NULL ? what.subject : "cucm-ms.lab";
    what.issuer = "Root";
    what.key = what.key != NULL ? what.key : key;
    what.signer = root_key;
    if (what.not_after == 0)
        what.not_after = FORGE_NOW + 90 * DAY;
    return forge_certificate(&what);
}

static void test_fail(void **state)
{
    struct slice self = forge_certificate(
        &(struct forge){.subject = "self", .key = key, .extensions = {forge_san(forge_dns("cucm.lab"))}});
    struct slice garbage = forge_hex("30 03 02 01 01");
    char action[PROBE_ACTION_SIZE];
    struct probe_finding finding = judge(garbage, "cucm.lab", VERIFY_ALL);

    assert_false(finding.parsed);
    assert_int_equal(finding.verdict, PROBE_FAIL);
    assert_int_equal(finding.reason, X509_REASON_MALFORMED);
    assert_string_equal(probe_action(&finding, FORGE_NOW, action), "issue the certificate again: it does not decode");
    finding = judge(self, "cucm.lab", VERIFY_ALL);
    assert_int_equal(finding.reason, X509_REASON_SELF_SIGNED_LEAF);
    assert_true(finding.self_signed);
    assert_non_null(strstr(probe_action(&finding, FORGE_NOW, action), "assayctl trust add"));
    finding = judge(leaf((struct forge){.extensions = {forge_san(forge_dns("other.lab"))}}), "cucm.lab", VERIFY_ALL);
    assert_int_equal(finding.reason, X509_REASON_NAME_MISMATCH);
    assert_int_equal(finding.depth, 0);
    finding =
        judge(leaf((struct forge){.not_after = FORGE_NOW - DAY / 2, .extensions = {forge_san(forge_dns("cucm.lab"))}}),
              "cucm.lab", VERIFY_ALL);
    assert_int_equal(finding.reason, X509_REASON_EXPIRED);
    assert_int_equal(probe_days_left(&finding, FORGE_NOW), -1);
    assert_string_equal(probe_action(&finding, FORGE_NOW, action), "renew the certificate on the node");
}

/* Which half counts is the trust section's setting (S29). */
static void test_properties(void **state)
{
    struct slice self = forge_certificate(
        &(struct forge){.subject = "self", .key = key, .extensions = {forge_san(forge_dns("cucm.lab"))}});
    struct slice other = leaf((struct forge){.extensions = {forge_san(forge_dns("other.lab"))}});

    assert_int_equal(judge(self, "cucm.lab", VERIFY_NAME).verdict, PROBE_PASS);
    assert_int_equal(judge(self, "cucm.lab", VERIFY_SIGNATURE).verdict, PROBE_FAIL);
    assert_int_equal(judge(other, "cucm.lab", VERIFY_NAME).verdict, PROBE_FAIL);
    assert_int_equal(judge(other, "cucm.lab", VERIFY_SIGNATURE).verdict, PROBE_PASS);
}

static void test_warnings(void **state)
{
    struct probe_finding finding = judge(leaf((struct forge){.subject = "cucm.lab"}), "cucm.lab", VERIFY_ALL);
    char text[128], action[PROBE_ACTION_SIZE];

    assert_int_equal(finding.verdict, PROBE_WARNING);
    assert_string_equal(probe_warnings_text(finding.warnings, text, sizeof(text)), "CN");
    assert_non_null(strstr(probe_action(&finding, FORGE_NOW, action), "Common Name"));
    finding = judge(leaf((struct forge){.digest = 1, .extensions = {forge_san(forge_dns("cucm.lab"))}}), "cucm.lab",
                    VERIFY_ALL);
    assert_int_equal(finding.verdict, PROBE_WARNING);
    assert_string_equal(probe_warnings_text(finding.warnings, text, sizeof(text)), "SHA-1");
    finding = judge(
        leaf((struct forge){.key = forge_key(FORGE_RSA1024, 0), .extensions = {forge_san(forge_dns("cucm.lab"))}}),
        "cucm.lab", VERIFY_ALL);
    assert_string_equal(probe_warnings_text(finding.warnings, text, sizeof(text)), "small RSA key");
    assert_true(finding.rsa && !finding.ec);
    assert_string_equal(probe_warnings_text(X509_WARN_CN_USED | X509_WARN_SHA1, text, sizeof(text)), "CN, SHA-1");
    assert_string_equal(probe_warnings_text(0, text, sizeof(text)), "");
}

static void test_pass(void **state)
{
    struct probe_finding finding =
        judge(leaf((struct forge){.extensions = {forge_san(forge_join(forge_dns("cucm.lab"), forge_dns("sub.lab")))}}),
              "CUCM.lab", VERIFY_ALL);
    char action[PROBE_ACTION_SIZE];

    assert_int_equal(finding.verdict, PROBE_PASS);
    assert_string_equal(finding.key, "EC P-256");
    assert_string_equal(finding.common_name, "cucm-ms.lab");
    assert_string_equal(finding.issuer, "Root");
    assert_string_equal(finding.names, "DNS:cucm.lab, DNS:sub.lab");
    assert_true(finding.multi_server && finding.ec && !finding.self_signed);
    assert_int_equal(finding.presented, 1);
    assert_int_equal(probe_days_left(&finding, FORGE_NOW), 90);
    assert_string_equal(probe_action(&finding, FORGE_NOW, action), "");
    /* soon over: the leaf itself, or the CA above it */
    assert_string_equal(probe_action(&finding, FORGE_NOW + 60 * DAY, action), "renew it before 2024-02-12T22:13:20Z");
    finding = judge(
        leaf((struct forge){.not_after = FORGE_NOW + 300 * DAY, .extensions = {forge_san(forge_dns("cucm.lab"))}}),
        "cucm.lab", VERIFY_ALL);
    assert_int_equal(probe_days_left(&finding, FORGE_NOW), 100);
    assert_string_equal(probe_action(&finding, FORGE_NOW + 80 * DAY, action),
                        "renew the CA certificate above it before 2024-02-22T22:13:20Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_pass),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
