/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/registry_judge.h"
#include "forge.h"
#include "sightings.h"
#include "x509/crl_set.h"
#include "x509/verdict_table.h"

#define NOW    FORGE_NOW
#define NODE   "cucm.steven.lab"
#define NEVER  0
#define ALWAYS UINT64_MAX

static const struct registry_limits roomy = {10000, 64 << 20, 86400};

/* --- certificates ------------------------------------------------------------------------------------------------------------ */

static struct slice ca(const char *name, unsigned key, const char *issuer, unsigned signer, int64_t not_after)
{
    return forge_certificate(
        &(struct forge){.subject = name,
                        .issuer = issuer,
                        .key = forge_key(FORGE_P256, key),
                        .signer = issuer != NULL ? forge_key(FORGE_P256, signer) : NULL,
                        .not_after = not_after,
                        .extensions = {forge_ca(-1), forge_usage(X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)}});
}

static struct slice leaf(const char *name, unsigned key, const char *issuer, unsigned signer)
{
    return forge_certificate(&(struct forge){.subject = name,
                                             .issuer = issuer,
                                             .key = forge_key(FORGE_P256, key),
                                             .signer = forge_key(FORGE_P256, signer),
                                             .extensions = {forge_san(forge_dns(name))}});
}

/* --- a trust section ----------------------------------------------------------------------------------------------------------- */

struct world {
    struct trust_section section;
    struct trust_scope scope;
    struct x509_policy policy;
    struct x509_store *store;
};

static void world_begin(struct world *world, uint64_t epoch)
{
    *world = (struct world){.section = {.epoch = epoch, .scope_count = 1}, .scope = {.name = "global"}};
    x509_policy_default(&world->policy);
    world->policy.id = 7;
    world->store = x509_store_create();
    world->scope.store = world->store;
    world->scope.policy = &world->policy;
    world->section.scopes = &world->scope;
}

static void world_add(struct world *world, struct slice der, enum x509_role role)
{
    assert_int_equal(x509_store_add(world->store, der, role, NULL), ASSAY_OK);
}

static void world_end(struct world *world)
{
    x509_store_free(world->store);
}

/* Publishes next after running; what became of the chains. */
static struct registry_judged publish(struct registry *registry, struct world *running, struct world *next,
                                      uint64_t now_s, uint64_t budget)
{
    struct registry_judged judged;
    struct x509_verdict_table *table = registry_precompute(registry, running != NULL ? &running->section : NULL,
                                                           &next->section, now_s, budget, &judged);

    assert_non_null(table);
    assert_int_equal(judged.kept + judged.judged + judged.left, judged.known);
    x509_verdict_table_free(table);
    return judged;
}

/* What was kept is what a full check says. */
static void expect_truth(struct registry *registry, struct world *world, uint64_t now_s)
{
    for (struct registry_entry *entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        struct registry_judgement kept = entry->judged;

        registry_judge_entry(entry, &world->section, now_s);
        assert_int_equal(kept.epoch, world->section.epoch);
        assert_int_equal(kept.chain_reason, entry->judged.chain_reason);
        assert_int_equal(kept.name_reason, entry->judged.name_reason);
        assert_int_equal(kept.depth, entry->judged.depth);
        assert_int_equal(kept.valid_until_s, entry->judged.valid_until_s);
    }
}

static struct registry_entry *see(struct registry *registry, const char *host, const struct slice *chain, size_t count)
{
    return sighting_take(registry, &(struct sighting){host, 8443, chain, count, .at_s = NOW});
}

/* --- what is kept, and what is not ------------------------------------------------------------------------------------------------ */

static void an_unrelated_certificate_keeps_every_verdict(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice good[] = {leaf(NODE, 1, "root", 2)}, bad[] = {leaf("imp.steven.lab", 3, "nobody", 4)};
    struct slice root = ca("root", 2, NULL, 0, 0);
    struct world running, next;
    struct registry_judged judged;

    world_begin(&running, 1);
    world_add(&running, root, X509_ROLE_ANCHOR);
    world_begin(&next, 2);
    world_add(&next, root, X509_ROLE_ANCHOR);
    world_add(&next, ca("unrelated", 5, NULL, 0, 0), X509_ROLE_ANCHOR);
    see(registry, NODE, good, 1);
    see(registry, "imp.steven.lab", bad, 1);
    judged = publish(registry, NULL, &running, NOW, ALWAYS);
    assert_int_equal(judged.judged, 2);
    judged = publish(registry, &running, &next, NOW, NEVER); /* no time at all */
    assert_int_equal(judged.kept, 2);
    expect_truth(registry, &next, NOW);
    registry_free(registry);
    world_end(&running);
    world_end(&next);
}

/* The certificate that repairs, or breaks, a chain: found at any distance, and only the chains it matters to. */
static void what_is_within_reach_is_judged_again(void **state)
{
    static const struct {
        const char *what;
        bool before[4], after[4]; /* root, middle, the leaf itself, another key's root */
        enum x509_reason from, to;
        size_t judged;
    } cases[] = {
        {"the root is added", {false, true}, {true, true}, X509_REASON_UNKNOWN_ISSUER, X509_REASON_OK, 1},
        {"the middle is added", {true, false}, {true, true}, X509_REASON_UNKNOWN_ISSUER, X509_REASON_OK, 1},
        {"the root is removed", {true, true}, {false, true}, X509_REASON_OK, X509_REASON_UNKNOWN_ISSUER, 1},
        {"the middle is removed", {true, true}, {true, false}, X509_REASON_OK, X509_REASON_UNKNOWN_ISSUER, 1},
        {"the leaf is trusted", {false, false}, {false, false, true}, X509_REASON_UNKNOWN_ISSUER, X509_REASON_OK, 1},
        {"a twin of the root comes: the path stands",
         {true, true},
         {true, true, false, true},
         X509_REASON_OK,
         X509_REASON_OK,
         0},
        {"the twin goes: the path stands", {true, true, false, true}, {true, true}, X509_REASON_OK, X509_REASON_OK, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct registry *registry = registry_create(&roomy);
        struct slice chain[] = {leaf(NODE, 1, "middle", 2)}, other[] = {leaf("imp.steven.lab", 6, "elsewhere", 7)};
        const struct slice parts[] = {ca("root", 3, NULL, 0, 0), ca("middle", 2, "root", 3, 0), chain[0],
                                      ca("root", 4, NULL, 0, 0)};
        const enum x509_role roles[] = {X509_ROLE_ANCHOR, X509_ROLE_HELPER, X509_ROLE_LEAF_ONLY, X509_ROLE_ANCHOR};
        struct registry_entry *entry;
        struct registry_judged judged;
        struct world running, next;

        world_begin(&running, 1);
        world_begin(&next, 2);
        for (size_t k = 0; k < 4; k++) {
            if (cases[i].before[k])
                world_add(&running, parts[k], roles[k]);
            if (cases[i].after[k])
                world_add(&next, parts[k], roles[k]);
        }
        entry = see(registry, NODE, chain, 1);
        see(registry, "imp.steven.lab", other, 1);
        publish(registry, NULL, &running, NOW, ALWAYS);
        assert_int_equal(entry->judged.chain_reason, cases[i].from);
        judged = publish(registry, &running, &next, NOW, ALWAYS);
        if (judged.judged != cases[i].judged || entry->judged.chain_reason != cases[i].to)
            fail_msg("%s: %zu judged, %s", cases[i].what, judged.judged, x509_reason_name(entry->judged.chain_reason));
        expect_truth(registry, &next, NOW);
        registry_free(registry);
        world_end(&running);
        world_end(&next);
    }
}

static void another_role_policy_or_list_of_revoked_is_judged_again(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, 1, "root", 2)}, root = ca("root", 2, NULL, 0, 0);
    struct world worlds[5];
    struct x509_crl_set *crls = x509_crl_set_create();

    for (uint64_t i = 0; i < 5; i++) {
        world_begin(&worlds[i], i + 1);
        world_add(&worlds[i], root, i == 1 ? X509_ROLE_HELPER : X509_ROLE_ANCHOR);
    }
    worlds[2].policy.id = worlds[3].policy.id = worlds[4].policy.id = 8;
    worlds[3].policy.revocation = worlds[4].policy.revocation = X509_REVOCATION_SOFT_FAIL;
    worlds[3].policy.id = worlds[4].policy.id = 9;
    assert_int_equal(
        x509_crl_set_add(crls, forge_crl(&(struct forge_crl){.issuer = "root", .signer = forge_key(FORGE_P256, 2)}),
                         NULL),
        ASSAY_OK);
    x509_store_set_crls(worlds[4].store, crls);
    see(registry, NODE, chain, 1);
    publish(registry, NULL, &worlds[0], NOW, ALWAYS);
    for (size_t i = 1; i < 5; i++) {
        struct registry_judged judged = publish(registry, &worlds[i - 1], &worlds[i], NOW, ALWAYS);

        if (judged.judged != 1)
            fail_msg("world %zu", i);
    }
    assert_int_equal(registry_first(registry)->judged.warnings & X509_WARN_NO_STATUS, 0); /* the list counted */
    registry_free(registry);
    for (size_t i = 0; i < 5; i++)
        world_end(&worlds[i]);
}

/* Time alone ends a path, and may repair what was refused. */
static void time_ends_a_verdict(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, 1, "root", 2)};
    struct slice early[] = {forge_certificate(&(struct forge){.subject = "imp.steven.lab",
                                                              .issuer = "root",
                                                              .key = forge_key(FORGE_P256, 3),
                                                              .signer = forge_key(FORGE_P256, 2),
                                                              .not_before = NOW + 50,
                                                              .extensions = {forge_san(forge_dns("imp.steven.lab"))}})};
    struct registry_entry *entry, *imp;
    struct slice root = ca("root", 2, NULL, 0, NOW + 100);
    struct world running, next;

    world_begin(&running, 1);
    world_begin(&next, 2);
    world_add(&running, root, X509_ROLE_ANCHOR);
    world_add(&next, root, X509_ROLE_ANCHOR);
    entry = see(registry, NODE, chain, 1);
    imp = see(registry, "imp.steven.lab", early, 1);
    publish(registry, NULL, &running, NOW, ALWAYS);
    assert_int_equal(entry->judged.until_s, NOW + 100);
    assert_int_equal(imp->judged.chain_reason, X509_REASON_NOT_YET_VALID);
    assert_int_equal(imp->judged.until_s, NOW + 49);
    assert_true(registry_judge_rest(registry, &running.section, NOW + 49, NEVER));
    assert_false(registry_judge_rest(registry, &running.section, NOW + 50, NEVER));
    assert_true(registry_judge_rest(registry, &running.section, NOW + 50, ALWAYS));
    assert_int_equal(imp->judged.chain_reason, X509_REASON_OK);
    assert_int_equal(publish(registry, &running, &next, NOW + 100, ALWAYS).kept, 2);
    assert_int_equal(publish(registry, &next, &running, NOW + 101, ALWAYS).judged, 2);
    assert_int_equal(entry->judged.chain_reason, X509_REASON_EXPIRED);
    registry_free(registry);
    world_end(&running);
    world_end(&next);
}

static void what_the_budget_does_not_reach_is_judged_afterwards(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, 1, "root", 2)};
    struct registry_judged judged;
    struct x509_verdict_table *table;
    struct world running;

    world_begin(&running, 1);
    see(registry, NODE, chain, 1);
    table = registry_precompute(registry, NULL, &running.section, NOW, NEVER, &judged);
    assert_int_equal(judged.left, 1);
    assert_int_equal(x509_verdict_table_count(table), 0);
    x509_verdict_table_free(table);
    assert_false(registry_verdict(registry_first(registry), &running.section).judged);
    assert_true(registry_judge_rest(registry, &running.section, NOW, ALWAYS));
    assert_true(registry_verdict(registry_first(registry), &running.section).judged);
    registry_free(registry);
    world_end(&running);
}

/* --- the table ------------------------------------------------------------------------------------------------------------------- */

static void the_table_has_what_a_core_would_find(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice good[] = {leaf(NODE, 1, "root", 2)}, bad[] = {leaf("imp.steven.lab", 3, "nobody", 4)};
    struct registry_entry *entries[] = {see(registry, NODE, good, 1), see(registry, "imp.steven.lab", bad, 1)};
    struct registry_judged judged;
    struct x509_verdict_table *table;
    struct world running;
    struct x509_verdict verdict;
    struct x509_verdict_key key;

    world_begin(&running, 1);
    world_add(&running, ca("root", 2, NULL, 0, NOW + 100), X509_ROLE_ANCHOR);
    table = registry_precompute(registry, NULL, &running.section, NOW, ALWAYS, &judged);
    x509_verdict_key_init(&key, &entries[0]->digest, &entries[0]->identity, running.policy.id);
    assert_true(x509_verdict_table_find(table, &key, NOW + 100, &verdict));
    assert_int_equal(verdict.valid_until_s, NOW + 100);
    assert_false(x509_verdict_table_find(table, &key, NOW + 101, &verdict));
    x509_verdict_key_init(&key, &entries[1]->digest, &entries[1]->identity, running.policy.id);
    assert_true(x509_verdict_table_find(table, &key, NOW + REGISTRY_NEGATIVE_S, &verdict));
    assert_int_equal(verdict.chain_reason, X509_REASON_UNKNOWN_ISSUER);
    assert_false(x509_verdict_table_find(table, &key, NOW + REGISTRY_NEGATIVE_S + 1, &verdict));
    x509_verdict_table_free(table);
    /* without a list of revoked ones and without a stapled response: a chain with one is another key */
    running.policy.revocation = X509_REVOCATION_HARD_FAIL;
    running.policy.id = 8;
    table = registry_precompute(registry, NULL, &running.section, NOW, ALWAYS, &judged);
    assert_int_equal(entries[0]->judged.chain_reason, X509_REASON_NO_CRL);
    x509_verdict_key_init(&key, &entries[0]->digest, &entries[0]->identity, running.policy.id);
    assert_true(x509_verdict_table_find(table, &key, NOW, &verdict));
    key.digest.staple[0] = 1;
    assert_false(x509_verdict_table_find(table, &key, NOW, &verdict));
    x509_verdict_table_free(table);
    registry_free(registry);
    world_end(&running);
}

/* --- failures, candidates ----------------------------------------------------------------------------------------------------------- */

static void failed_uses_are_counted_whoever_judged(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, 1, "nobody", 2)}, named[] = {leaf("other.steven.lab", 1, "root", 2)};
    struct registry_entry *refused, *unjudged, *name;
    struct world running;

    world_begin(&running, 1);
    world_add(&running, ca("root", 2, NULL, 0, 0), X509_ROLE_ANCHOR);
    refused = sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW, .epoch = 1,
                                                         .chain_reason = X509_REASON_UNKNOWN_ISSUER});
    sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .brief = true, .at_s = NOW + 1, .epoch = 1,
                                               .chain_reason = X509_REASON_UNKNOWN_ISSUER});
    unjudged = sighting_take(registry, &(struct sighting){NODE, 6972, chain, 1, .at_s = NOW});
    name = sighting_take(registry, &(struct sighting){NODE, 6971, named, 1, .at_s = NOW, .epoch = 1,
                                                      .name_reason = X509_REASON_NAME_MISMATCH});
    running.scope.properties = VERIFY_SIGNATURE; /* the name does not count */
    assert_true(registry_judge_rest(registry, &running.section, NOW, ALWAYS));
    assert_int_equal(refused->failures, 2);
    assert_int_equal(refused->failed_ns / 1000000000, NOW + 1);
    assert_int_equal(unjudged->failures, 1);
    assert_int_equal(unjudged->failed_reason, X509_REASON_UNKNOWN_ISSUER);
    assert_int_equal(name->failures, 0);
    assert_true(registry_judge_rest(registry, &running.section, NOW, ALWAYS));
    assert_int_equal(refused->failures, 2);
    registry_free(registry);
    world_end(&running);
}

static void a_candidate_changes_nothing(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, 1, "root", 2)};
    struct world running, candidate;
    uint64_t round = registry_new_round(registry);

    world_begin(&running, 1);
    world_begin(&candidate, 2);
    world_add(&candidate, ca("root", 2, NULL, 0, 0), X509_ROLE_ANCHOR);
    see(registry, NODE, chain, 1);
    assert_true(registry_judge_rest(registry, &running.section, NOW, ALWAYS));
    assert_true(registry_judge_candidate(registry, &running.section, &candidate.section, NOW, round, ALWAYS));
    assert_int_equal(registry_first(registry)->thought.round, round);
    assert_int_equal(registry_first(registry)->thought.chain_reason, X509_REASON_OK);
    assert_int_equal(registry_first(registry)->judged.chain_reason, X509_REASON_UNKNOWN_ISSUER);
    assert_int_equal(registry_first(registry)->judged.epoch, 1);
    registry_free(registry);
    world_end(&running);
    world_end(&candidate);
}

/* Every call goes on where the one before had to end, and what comes meanwhile is judged as well. */
static void a_candidate_is_judged_in_pieces(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct world running, candidate;
    uint64_t round = registry_new_round(registry);
    struct slice chain[1];
    char host[32];
    size_t calls = 0, judged = 0;

    world_begin(&running, 1);
    world_begin(&candidate, 2);
    world_add(&candidate, ca("root", 2, NULL, 0, 0), X509_ROLE_ANCHOR);
    for (int i = 0; i < 20; i++) {
        snprintf(host, sizeof(host), "node%d.steven.lab", i);
        chain[0] = leaf(host, 1, "root", 2);
        see(registry, host, chain, 1);
    }
    assert_false(registry_judge_candidate(registry, &running.section, &candidate.section, NOW, round, 0));
    assert_int_equal(registry_first(registry)->thought.round, 0);
    while (!registry_judge_candidate(registry, &running.section, &candidate.section, NOW, round, 1))
        if (++calls == 10)
            see(registry, NODE, chain, 1);
    assert_true(calls >= 20);
    for (const struct registry_entry *entry = registry_first(registry); entry != NULL; entry = registry_next(entry)) {
        assert_int_equal(entry->thought.round, round);
        assert_int_equal(entry->thought.chain_reason, X509_REASON_OK);
        judged++;
    }
    assert_int_equal(judged, 21);
    /* another candidate, another round; a verdict that stands is taken over whatever the budget */
    round = registry_new_round(registry);
    assert_true(registry_judge_rest(registry, &running.section, NOW, ALWAYS));
    assert_true(registry_judge_candidate(registry, &running.section, &running.section, NOW, round, 0));
    assert_int_equal(registry_first(registry)->thought.chain_reason, X509_REASON_UNKNOWN_ISSUER);
    registry_free(registry);
    world_end(&running);
    world_end(&candidate);
}

/* The cores' word counts where control has none. */
static void whose_word_counts(void **state)
{
    struct registry *registry = registry_create(&roomy);
    struct slice chain[] = {leaf(NODE, 1, "root", 2)};
    struct registry_entry *entry =
        sighting_take(registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW, .epoch = 1});
    struct registry_verdict verdict;
    struct world running;

    world_begin(&running, 1);
    verdict = registry_verdict(entry, &running.section);
    assert_true(verdict.judged && verdict.by_core && verdict.reason == X509_REASON_OK);
    registry_judge_entry(entry, &running.section, NOW);
    verdict = registry_verdict(entry, &running.section);
    assert_true(verdict.judged && !verdict.by_core && verdict.reason == X509_REASON_UNKNOWN_ISSUER);
    running.section.epoch = 2;
    assert_false(registry_verdict(entry, &running.section).judged);
    registry_free(registry);
    world_end(&running);
}

static int end(void **state)
{
    forge_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unrelated_certificate_keeps_every_verdict),
        cmocka_unit_test(what_is_within_reach_is_judged_again),
        cmocka_unit_test(another_role_policy_or_list_of_revoked_is_judged_again),
        cmocka_unit_test(time_ends_a_verdict),
        cmocka_unit_test(what_the_budget_does_not_reach_is_judged_afterwards),
        cmocka_unit_test(the_table_has_what_a_core_would_find),
        cmocka_unit_test(failed_uses_are_counted_whoever_judged),
        cmocka_unit_test(a_candidate_changes_nothing),
        cmocka_unit_test(a_candidate_is_judged_in_pieces),
        cmocka_unit_test(whose_word_counts),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
