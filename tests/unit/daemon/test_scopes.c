/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a configuration and switches say of deployments and origins, as scopes (MRA S29). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/arena.h"
#include "daemon/scopes.h"
#include "forge.h"
#include "scratch.h"
#include "x509/scope.h"

/* Stores are only told apart here. */
static struct x509_store *of_all, *of_two;

struct built {
    struct config *config;
    struct arena arena;
    struct trust_section trust;
    struct text judged, content;
};

static void build(struct built *built, const char *more, const struct verify_switches *switches)
{
    static const struct verify_switches none;
    const struct scopes_store stores[] = {{NULL, of_all}, {"two", of_two}};
    struct scopes_input input = {.switches = switches != NULL ? switches : &none, .stores = stores, .store_count = 2};
    struct problems problems = {0};

    *built = (struct built){.config = scratch_config(more)};
    input.config = built->config;
    assert_true(scopes_build(&input, &built->arena, &built->trust, &built->judged, &built->content, &problems));
}

static void drop(struct built *built)
{
    config_free(built->config);
    arena_free(&built->arena);
    text_free(&built->judged);
    text_free(&built->content);
}

/* deployment NULL: one that nothing is said of. */
static const struct trust_scope *scope_of(const struct built *built, const char *deployment, const char *host,
                                          uint16_t port)
{
    uint64_t number = x509_scope_deployment(slice_text(deployment != NULL ? deployment : "other"));

    return &built->trust.scopes[x509_scope_find(&built->trust, number, slice_text(host), port)];
}

static void nothing_more_specific_is_one_scope(void **state)
{
    struct x509_policy policy;
    struct built built;

    build(&built, "verify: {mode: permissive, properties: name, skew: 5s}\n", NULL);
    assert_int_equal(built.trust.scope_count, 1);
    assert_string_equal(built.trust.scopes[0].name, "global");
    assert_ptr_equal(built.trust.scopes[0].store, of_all);
    assert_int_equal(built.trust.scopes[0].mode, VERIFY_PERMISSIVE);
    assert_int_equal(built.trust.scopes[0].properties, VERIFY_NAME);
    assert_int_equal(built.trust.scopes[0].policy->skew_s, 5);
    scopes_global_policy(built.config, &policy);
    assert_memory_equal(&policy, built.trust.scopes[0].policy, sizeof(policy));
    drop(&built);
}

static const char nested[] = "verify: {cn_match: never, rsa_bits_min: 2048}\n"
                             "deployments:\n"
                             "  - {name: two, verify: {mode: permissive, rsa_bits_min: 1024, revocation: soft-fail}}\n"
                             "  - {name: three}\n"
                             "origins:\n"
                             "  - {hosts: [cucm.lab, 198.18.2.12], verify: {profile: rfc5280, depth_max: 0}}\n"
                             "  - {hosts: \"cucm.lab:6972\", verify: {mode: disabled, revocation: hard-fail, pins: "
                             "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff}}\n";

static void each_key_comes_from_the_most_specific_that_has_it(void **state)
{
    static const struct {
        const char *deployment, *host, *name;
        uint16_t port;
        enum verify_mode mode;
        enum x509_revocation_mode revocation;
        enum x509_profile profile;
        unsigned rsa_bits_min, depth_max, pins;
        bool own_store;
    } rows[] = {
        {NULL, "imp.lab", "global", 1, VERIFY_ENFORCED, X509_REVOCATION_OFF, X509_PROFILE_ENTERPRISE, 2048, 8, 0,
         false},
        {"two", "imp.lab", "deployment two", 1, VERIFY_PERMISSIVE, X509_REVOCATION_SOFT_FAIL, X509_PROFILE_ENTERPRISE,
         1024, 8, 0, true},
        {"three", "imp.lab", "deployment three", 1, VERIFY_ENFORCED, X509_REVOCATION_OFF, X509_PROFILE_ENTERPRISE, 2048,
         8, 0, false},
        {NULL, "cucm.lab", "origin cucm.lab", 8443, VERIFY_ENFORCED, X509_REVOCATION_OFF, X509_PROFILE_RFC5280, 2048, 0,
         0, false},
        {"two", "cucm.lab", "origin cucm.lab (deployment two)", 8443, VERIFY_PERMISSIVE, X509_REVOCATION_SOFT_FAIL,
         X509_PROFILE_RFC5280, 1024, 0, 0, true},
        {NULL, "cucm.lab", "origin cucm.lab:6972", 6972, VERIFY_DISABLED, X509_REVOCATION_HARD_FAIL,
         X509_PROFILE_RFC5280, 2048, 0, 1, false},
        {"two", "cucm.lab", "origin cucm.lab:6972 (deployment two)", 6972, VERIFY_DISABLED, X509_REVOCATION_HARD_FAIL,
         X509_PROFILE_RFC5280, 1024, 0, 1, true},
        {"three", "198.18.2.12", "origin 198.18.2.12 (deployment three)", 443, VERIFY_ENFORCED, X509_REVOCATION_OFF,
         X509_PROFILE_RFC5280, 2048, 0, 0, false},
    };
    struct built built;

    build(&built, nested, NULL);
    assert_int_equal(built.trust.scope_count, 3 + 3 * 3);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct trust_scope *scope = scope_of(&built, rows[i].deployment, rows[i].host, rows[i].port);

        assert_string_equal(scope->name, rows[i].name);
        assert_int_equal(scope->mode, rows[i].mode);
        assert_ptr_equal(scope->store, rows[i].own_store ? of_two : of_all);
        assert_int_equal(scope->policy->revocation, rows[i].revocation);
        assert_int_equal(scope->policy->profile, rows[i].profile);
        assert_int_equal(scope->policy->rsa_bits_min, rows[i].rsa_bits_min);
        assert_int_equal(scope->policy->depth_max, rows[i].depth_max);
        assert_int_equal(scope->policy->pin_count, rows[i].pins);
        assert_int_equal(scope->policy->cn_match, X509_CN_NEVER);
    }
    drop(&built);
}

static void a_switch_goes_before_the_file_and_not_before_what_is_more_specific(void **state)
{
    struct verify_switches switches = {.global = {true, VERIFY_DISABLED, 0}};
    struct built built;

    switches_put(&switches, &(struct verify_target){.deployment = "three"},
                 (struct verify_switch){true, VERIFY_PERMISSIVE, 0});
    switches_put(&switches, &(struct verify_target){.host = "unity.lab", .port = 7443},
                 (struct verify_switch){true, VERIFY_ENFORCED, 0});
    switches_put(&switches, &(struct verify_target){.deployment = "four"},
                 (struct verify_switch){true, VERIFY_ENFORCED, 0});
    build(&built, nested, &switches);
    assert_int_equal(scope_of(&built, NULL, "imp.lab", 1)->mode, VERIFY_DISABLED);
    assert_int_equal(scope_of(&built, NULL, "cucm.lab", 1)->mode, VERIFY_DISABLED);   /* it says nothing of modes */
    assert_int_equal(scope_of(&built, "two", "imp.lab", 1)->mode, VERIFY_PERMISSIVE); /* by the file */
    assert_int_equal(scope_of(&built, "three", "imp.lab", 1)->mode, VERIFY_PERMISSIVE);
    assert_int_equal(scope_of(&built, "three", "cucm.lab", 1)->mode, VERIFY_PERMISSIVE);
    assert_int_equal(scope_of(&built, "three", "cucm.lab", 6972)->mode, VERIFY_DISABLED); /* by the file */
    assert_int_equal(scope_of(&built, "four", "imp.lab", 1)->mode, VERIFY_ENFORCED); /* known by the switch alone */
    assert_int_equal(scope_of(&built, "three", "unity.lab", 7443)->mode, VERIFY_ENFORCED);
    assert_int_equal(scope_of(&built, "three", "unity.lab", 7444)->mode, VERIFY_PERMISSIVE);
    drop(&built);
    switches_free(&switches);
}

/* A verdict is remembered under the policy's number: what may judge differently has another one, whatever the store. */
static void numbers_tell_policies_and_stores_apart_and_nothing_else(void **state)
{
    struct built built;

    build(
        &built,
        "deployments: [{name: two}, {name: three}]\n"
        "origins: [{hosts: a.lab, verify: {mode: disabled, properties: name}}, {hosts: b.lab, verify: {sha1: off}}]\n",
        NULL);
    assert_int_equal(scope_of(&built, NULL, "a.lab", 1)->policy->id, built.trust.scopes[0].policy->id);
    assert_ptr_equal(scope_of(&built, "three", "x.lab", 1)->policy, built.trust.scopes[0].policy); /* the same store */
    assert_int_not_equal(scope_of(&built, "two", "x.lab", 1)->policy->id, built.trust.scopes[0].policy->id);
    assert_int_not_equal(scope_of(&built, NULL, "b.lab", 1)->policy->id, built.trust.scopes[0].policy->id);
    assert_int_not_equal(scope_of(&built, "two", "b.lab", 1)->policy->id,
                         scope_of(&built, NULL, "b.lab", 1)->policy->id);
    drop(&built);
}

static void an_empty_list_of_pins_takes_the_wider_ones_away(void **state)
{
    struct built built;

    build(&built,
          "verify: {pins: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff}\n"
          "origins: [{hosts: a.lab, verify: {pins: []}}, {hosts: b.lab, verify: {mode: enforced}}]\n",
          NULL);
    assert_int_equal(scope_of(&built, NULL, "a.lab", 1)->policy->pin_count, 0);
    assert_int_equal(scope_of(&built, NULL, "b.lab", 1)->policy->pin_count, 1);
    drop(&built);
}

static void there_is_an_end_to_combinations(void **state)
{
    const struct scopes_store stores[] = {{NULL, of_all}};
    static const struct verify_switches none;
    struct scopes_input input = {.stores = stores, .store_count = 1, .switches = &none};
    struct problems problems = {0};
    struct trust_section trust = {0};
    struct arena arena = {0};
    struct text text = {0}, judged = {0}, content = {0};

    text_add_text(&text, "deployments:\n");
    for (int i = 0; i < 49; i++)
        text_printf(&text, "  - {name: d%d}\n", i);
    text_add_text(&text, "origins:\n");
    for (int i = 0; i < 200; i++)
        text_printf(&text, "  - {hosts: h%d.lab}\n", i);
    input.config = scratch_config(text_get(&text));
    assert_false(scopes_build(&input, &arena, &trust, &judged, &content, &problems));
    assert_int_equal(problems.count, 1);
    assert_non_null(strstr(problems.items[0], "origins: 200 of them in 49 deployments with settings of their own"));
    problems_free(&problems);
    config_free((struct config *)(uintptr_t)input.config);
    arena_free(&arena);
    text_free(&text);
    text_free(&judged);
    text_free(&content);
}

static int begin(void **state)
{
    scratch_begin(state);
    scratch_good();
    of_all = x509_store_create();
    of_two = x509_store_create();
    return of_all != NULL && of_two != NULL ? 0 : -1;
}

static int end(void **state)
{
    x509_store_free(of_all);
    x509_store_free(of_two);
    return scratch_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_more_specific_is_one_scope),
        cmocka_unit_test(each_key_comes_from_the_most_specific_that_has_it),
        cmocka_unit_test(a_switch_goes_before_the_file_and_not_before_what_is_more_specific),
        cmocka_unit_test(numbers_tell_policies_and_stores_apart_and_nothing_else),
        cmocka_unit_test(an_empty_list_of_pins_takes_the_wider_ones_away),
        cmocka_unit_test(there_is_an_end_to_combinations),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
