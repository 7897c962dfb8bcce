/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/explain.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define NODE "cucm.steven.lab"

static void expect_words(const json_t *chain, const char *words)
{
    const char *text = json_string_value(json_object_get(chain, "text"));

    assert_non_null(text);
    if (strstr(text, words) == NULL)
        fail_msg("no '%s' in:\n%s", words, text);
}

static void an_origin_that_was_not_seen(void **state)
{
    struct running running;

    running_start(&running, NOW);
    assert_null(explain_origin(&running.control, NODE, 8443, NOW));
    running_stop(&running);
}

static void a_refusal(void **state)
{
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE,
                                                              .issuer = "middle",
                                                              .key = forge_key(FORGE_P256, 1),
                                                              .signer = forge_key(FORGE_P256, 2),
                                                              .extensions = {forge_san(forge_dns(NODE))}}),
                            slice_text("junk")};
    struct running running;
    struct registry_entry *entry;
    json_t *json, *row, *judgement;

    running_start(&running, NOW);
    entry = sighting_take(running.control.registry, &(struct sighting){NODE, 8443, chain, 2, .at_s = NOW});
    registry_note_failures(entry, X509_REASON_UNKNOWN_ISSUER, 0, 2);
    json = explain_origin(&running.control, NODE, 0, NOW);
    assert_non_null(json);
    row = json_array_get(json_object_get(json, "chains"), 0);
    judgement = json_object_get(row, "judgement");
    /* what does not decode may be what is missing */
    assert_string_equal(json_string_value(json_object_get(judgement, "reason")), "MALFORMED");
    assert_int_equal(json_array_size(json_object_get(judgement, "failed_paths")), 1);
    expect_words(row, "cucm.steven.lab port 8443, 198.18.2.11: seen 2023-11-14T22:13:20Z to ");
    expect_words(row, "certificate 0, its own\n");
    expect_words(row, "certificate 1\n  (not a DER certificate)\n");
    expect_words(row, "failed path 1, which does not reach trust: unable to get local issuer certificate at depth 0");
    expect_words(row, "decision: refused (global, verification enforced)\n");
    expect_words(row, "what to do: ");
    expect_words(row, "unable to get local issuer certificate, 2 times in all\n");
    json_decref(json);
    assert_null(explain_origin(&running.control, NODE, 6972, NOW));
    running_stop(&running);
}

static void a_path(void **state)
{
    struct slice chain[] = {forge_certificate(&(struct forge){.subject = NODE,
                                                              .issuer = "root",
                                                              .key = forge_key(FORGE_P256, 1),
                                                              .signer = forge_key(FORGE_P256, 5),
                                                              .extensions = {forge_san(forge_dns(NODE))}})};
    struct running running;
    struct change change;
    struct trust *added;
    json_t *json, *row;

    running_start(&running, NOW);
    assert_true(control_trust_add(&running.control, NULL, scratch_ca("root", 5), -1, &added, &change));
    change_free(&change);
    trust_free(added);
    sighting_take(running.control.registry, &(struct sighting){NODE, 8443, chain, 1, .at_s = NOW});
    json = explain_origin(&running.control, NODE, 8443, NOW);
    row = json_array_get(json_object_get(json, "chains"), 0);
    assert_true(json_is_true(json_object_get(json_object_get(row, "judgement"), "accepted")));
    expect_words(row, "accepted: cucm.steven.lab at ");
    expect_words(row, "decision: passes (global, verification enforced)\n");
    json_decref(json);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_that_was_not_seen),
        cmocka_unit_test(a_refusal),
        cmocka_unit_test(a_path),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
