/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/registry.h"
#include "daemon/survey.h"
#include "daemon/what_if.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW   FORGE_NOW
#define NODES 12

static void see_nodes(struct running *running)
{
    for (int i = 0; i < NODES; i++) {
        struct slice chain;
        char host[32];

        snprintf(host, sizeof(host), "node%d.steven.lab", i);
        chain = forge_certificate(&(struct forge){.subject = host,
                                                  .issuer = "other",
                                                  .key = forge_key(FORGE_P256, 1),
                                                  .signer = forge_key(FORGE_P256, 3),
                                                  .extensions = {forge_san(forge_dns(host))}});
        sighting_take(running->control.registry, &(struct sighting){host, 8443, &chain, 1, .at_s = NOW});
    }
}

static size_t judged(const struct running *running, uint64_t epoch)
{
    size_t n = 0;

    for (const struct registry_entry *entry = registry_first(running->control.registry); entry != NULL;
         entry = registry_next(entry))
        n += entry->judged.epoch == epoch;
    return n;
}

/* Without a candidate what runs is judged, some chains in each piece. */
static void what_runs_is_judged_in_pieces(void **state)
{
    struct survey survey = {0};
    struct running running;
    uint64_t epoch;
    size_t pieces = 0, before = 0;

    running_start(&running, NOW);
    see_nodes(&running);
    epoch = publisher_snapshot(&running.control.publisher)->trust->epoch;
    assert_false(survey_is_current(&survey, &running.control));
    survey_begin(&survey, &running.control, NULL);
    assert_true(survey_is_current(&survey, &running.control));
    while (!survey_run(&survey, &running.control, NOW, 1)) {
        pieces++;
        assert_true(judged(&running, epoch) >= before);
        before = judged(&running, epoch);
        assert_true(pieces < 1000);
    }
    assert_true(pieces > 1);
    assert_int_equal(judged(&running, epoch), NODES);
    assert_true(survey_run(&survey, &running.control, NOW, 0));
    survey_end(&survey);
    survey_end(&survey);
    running_stop(&running);
}

/* What it was about is gone once another section runs; begun too often it goes through at once. */
static void a_publish_makes_it_stale_and_its_sections_live_on(void **state)
{
    struct problems problems = {0};
    struct survey survey = {0};
    struct running running;
    struct change change;

    running_start(&running, NOW);
    see_nodes(&running);
    for (unsigned i = 1; i < SURVEY_BEGUN_MAX; i++) {
        const struct verify_target all = {0};

        assert_true(what_if_trust_add(&running.control, NULL, scratch_ca("other", 3), -1, &survey, &problems));
        assert_false(survey_run(&survey, &running.control, NOW, 0));
        assert_true(
            control_set_verify(&running.control, &all, i % 2 == 1 ? VERIFY_PERMISSIVE : VERIFY_ENFORCED, 0, &change));
        change_free(&change);
        publisher_reap(&running.control.publisher);
        assert_false(survey_is_current(&survey, &running.control));
        assert_true(survey.candidate->data.trust.scope_count > 0);
    }
    assert_true(what_if_trust_add(&running.control, NULL, scratch_ca("other", 3), -1, &survey, &problems));
    assert_true(survey_is_current(&survey, &running.control));
    assert_true(survey_run(&survey, &running.control, NOW, 0));
    for (const struct registry_entry *entry = registry_first(running.control.registry); entry != NULL;
         entry = registry_next(entry)) {
        assert_int_equal(entry->thought.round, survey.round);
        assert_int_equal(entry->thought.chain_reason, X509_REASON_OK);
    }
    survey_end(&survey);
    problems_free(&problems);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_runs_is_judged_in_pieces),
        cmocka_unit_test(a_publish_makes_it_stale_and_its_sections_live_on),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
