/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which section stays, which is new, and what happens to the epochs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/sections.h"
#include "forge.h"
#include "scratch.h"

/* The trust section of the good configuration with one more line, after the one that runs. */
static struct section *trust_after(struct section *running, const char *more, const struct verify_switches *verify)
{
    struct config *config = scratch_config(more);
    struct problems problems = {0};
    struct trust *trust = trust_load(scratch_path("trust"), &problems);
    struct section *next = section_build_trust(config, trust, verify, NULL, &problems);
    struct section *chosen;

    assert_non_null(next);
    chosen = section_choose(running, next);
    trust_free(trust);
    config_free(config);
    problems_free(&problems);
    section_drop(running);
    return chosen;
}

static void test_the_trust_epoch_follows_what_verdicts_depend_on(void **state)
{
    const struct verify_switches none = {0}, off = {.global = {true, VERIFY_PERMISSIVE, 0}};
    struct section *section = trust_after(NULL, "", &none), *before;

    assert_int_equal(section_epoch(section), 1);
    before = section;
    section = trust_after(section_take(section), "", &none); /* nothing changed: the same one */
    assert_ptr_equal(section, before);
    section_drop(before);

    section = trust_after(section, "", &off); /* the mode alone: another section, the same epoch */
    assert_int_equal(section->data.trust.scopes[0].mode, VERIFY_PERMISSIVE);
    assert_int_equal(section_epoch(section), 1);
    section = trust_after(section, "verify: {properties: name, revoke_grace: 5s}\n", &none);
    assert_int_equal(section->data.trust.scopes[0].properties, VERIFY_NAME);
    assert_int_equal(section->data.trust.revoke_grace_us, 5000000);
    assert_int_equal(section_epoch(section), 1);

    section = trust_after(section, "verify: {sha1: off}\n", &none); /* the policy */
    assert_int_equal(section_epoch(section), 2);
    SCRATCH_PEM("trust/new.pem", scratch_ca("new", 1)); /* the certificates */
    section = trust_after(section, "verify: {sha1: off}\n", &none);
    assert_int_equal(section_epoch(section), 3);
    assert_int_equal(x509_store_count(section->data.trust.scopes[0].store), 1);
    section_drop(section);
}

static void test_other_epochs(void **state)
{
    struct config *a = scratch_config(""), *b = scratch_config("maintenance: on\n");
    struct problems problems = {0};
    struct section *one = section_choose(NULL, section_build_settings(a, &problems));
    struct section *same = section_choose(one, section_build_settings(a, &problems));
    struct section *other = section_choose(one, section_build_settings(b, &problems));

    assert_ptr_equal(same, one);
    assert_int_equal(section_epoch(one), 1);
    assert_int_equal(section_epoch(other), 2);
    section_drop(one);
    section_drop(same);
    section_drop(other);
    section_drop(NULL);
    config_free(a);
    config_free(b);
}

static void test_policies_have_numbers(void **state)
{
    static const char *const different[] = {"",
                                            "verify: {cn_match: never}\n",
                                            "verify: {rsa_bits_min: 2048}\n",
                                            "verify: {compat_ip_as_dns: off}\n",
                                            "verify: {partial_chain: on}\n",
                                            "verify: {profile: rfc5280}\n",
                                            "verify: {profile: webpki}\n",
                                            ("verify: {pins: [00112233445566778899aabbccddeeff"
                                             "00112233445566778899aabbccddeeff]}\n")};
    struct x509_policy policies[8];

    for (size_t i = 0; i < 8; i++) {
        struct config *config = scratch_config(different[i]);

        sections_policy(config, &policies[i]);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(policies[i].id, policies[k].id);
        config_free(config);
    }
    assert_int_equal(policies[1].cn_match, X509_CN_NEVER);
    assert_int_equal(policies[2].rsa_bits_min, 2048);
    assert_true(policies[0].sha1_allowed); /* S33: the enterprise profile */
    assert_int_equal(policies[5].cn_match, X509_CN_NEVER);
    assert_false(policies[6].sha1_allowed);
    assert_int_equal(policies[7].pin_count, 1);
    assert_int_equal(policies[7].pins[0][31], 0xff);
}

static void test_wanted_names(void **state)
{
    struct config *config = scratch_config("allow_list: rules.csv\n"
                                           "domains: [{name: steven.lab, edge_config: \"https://edge.steven.lab\"}]\n"
                                           "dns: {hosts: [{name: imp.steven.lab, addresses: 198.18.2.12},"
                                           " {name: nobody.asks, addresses: 198.18.2.13}]}\n");
    struct problems problems = {0};
    struct names names = {0};
    struct section *access;

    scratch_write("rules.csv", "Url,Deployment,HttpMethods,MatchType,Description\n"
                               "https://imp.steven.lab:8443/a/,1,GET,prefix,one\n"
                               "https://10.48.36.215:8443/b/,1,GET,prefix,an address needs no answer\n");
    access = section_build_access(config, 1, NULL, &problems);
    assert_non_null(access);
    sections_want_names(config, access->rules, NULL, &names);
    assert_int_equal(names.count, 3);
    assert_string_equal(names.items[0].host, "cucm.steven.lab");
    assert_string_equal(names.items[1].host, "edge.steven.lab");
    assert_string_equal(names.items[2].host, "imp.steven.lab");
    assert_false(names.items[0].fixed);
    assert_true(names.items[2].fixed);
    names_free(&names);
    section_drop(access);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_trust_epoch_follows_what_verdicts_depend_on),
        cmocka_unit_test(test_other_epochs),
        cmocka_unit_test(test_policies_have_numbers),
        cmocka_unit_test(test_wanted_names),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
