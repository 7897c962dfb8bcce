/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/what_if.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define NODE "cucm.steven.lab"

static struct slice leaf(const char *name, const char *issuer, unsigned signer)
{
    return forge_certificate(&(struct forge){.subject = name,
                                             .issuer = issuer,
                                             .key = forge_key(FORGE_P256, 1),
                                             .signer = forge_key(FORGE_P256, signer),
                                             .extensions = {forge_san(forge_dns(name))}});
}

/* cucm is signed by root, imp by other, unity by nobody that is ever added; old was seen two days ago. */
static void world_start(struct running *running, struct slice *root)
{
    struct slice cucm = leaf(NODE, "root", 2), imp = leaf("imp.steven.lab", "other", 3);
    struct slice unity = leaf("unity.steven.lab", "nobody", 4), old = leaf("old.steven.lab", "root", 2);
    struct change change;
    struct trust *added;

    *root = scratch_ca("root", 2);
    running_start(running, NOW);
    assert_true(control_trust_add(&running->control, NULL, *root, -1, &added, &change));
    change_free(&change);
    trust_free(added);
    sighting_take(running->control.registry,
                  &(struct sighting){"old.steven.lab", 8443, &old, 1, .at_s = NOW - 2 * 86400});
    sighting_take(running->control.registry, &(struct sighting){NODE, 8443, &cucm, 1, .at_s = NOW});
    sighting_take(running->control.registry, &(struct sighting){"imp.steven.lab", 8443, &imp, 1, .at_s = NOW});
    sighting_take(running->control.registry, &(struct sighting){"unity.steven.lab", 8443, &unity, 1, .at_s = NOW});
}

/* Takes the certificates away again that a test has left. */
static void world_stop(struct running *running, struct slice root)
{
    struct x509_certificate certificate;
    struct change change;
    char fingerprint[65], removed[65];

    assert_int_equal(x509_certificate_parse(root, &certificate, NULL), ASSAY_OK);
    trust_fingerprint(certificate.sha256, fingerprint);
    assert_int_equal(control_trust_remove(&running->control, NULL, fingerprint, removed, &change), ASSAY_OK);
    change_free(&change);
    running_stop(running);
}

static const char *part(const json_t *json, size_t row, const char *side, const char *member)
{
    const json_t *flip = json_array_get(json_object_get(json, "flips"), row);
    const char *text = json_string_value(side != NULL ? json_object_get(json_object_get(flip, side), member)
                                                      : json_object_get(flip, member));

    return text != NULL ? text : "(none)";
}

static size_t flips(const json_t *json)
{
    return json_array_size(json_object_get(json, "flips"));
}

/* The answer of a survey that was begun; it ends here. */
static json_t *answer(const struct running *running, struct survey *survey, const struct problems *problems)
{
    json_t *json;

    assert_true(survey_run(survey, &running->control, NOW, UINT64_MAX));
    json = what_if_answer(&running->control, survey, NOW, problems);
    survey_end(survey);
    return json;
}

static void a_certificate_that_would_repair(void **state)
{
    struct problems problems = {0};
    struct survey survey = {0};
    struct running running;
    struct slice root;
    uint64_t generation;
    json_t *json;

    world_start(&running, &root);
    generation = running.control.publisher.generation;
    assert_true(what_if_trust_add(&running.control, NULL, scratch_ca("other", 3), -1, &survey, &problems));
    json = answer(&running, &survey, &problems);
    assert_int_equal(flips(json), 1);
    assert_string_equal(part(json, 0, NULL, "host"), "imp.steven.lab");
    assert_string_equal(part(json, 0, "from", "effect"), "refused");
    assert_string_equal(part(json, 0, "from", "reason"), "UNKNOWN_ISSUER");
    assert_string_equal(part(json, 0, "to", "effect"), "passes");
    assert_int_equal(json_integer_value(json_object_get(json, "considered")), 3);
    assert_int_equal(json_integer_value(json_object_get(json, "unchanged")), 2);
    json_decref(json);
    assert_true(what_if_trust_add(&running.control, NULL, scratch_ca("unrelated", 5), -1, &survey, &problems));
    json = answer(&running, &survey, &problems);
    assert_int_equal(flips(json), 0);
    json_decref(json);
    assert_false(what_if_trust_add(&running.control, NULL, slice_text("junk"), -1, &survey, &problems));
    assert_null(survey.running);
    assert_int_equal(problems.count, 1);
    problems_free(&problems);
    assert_int_equal(running.control.publisher.generation, generation);
    assert_int_equal(running.control.trust->count, 1);
    assert_int_equal(scratch_count("trust/anchors"), 1);
    world_stop(&running, root);
}

static void a_removal_that_would_break(void **state)
{
    struct problems problems = {0};
    struct x509_certificate certificate;
    struct running running;
    struct survey survey = {0};
    struct slice root;
    char fingerprint[65];
    json_t *json;

    world_start(&running, &root);
    assert_int_equal(what_if_trust_remove(&running.control, NULL, "00000000", &survey, &problems), ASSAY_ERR_NOT_FOUND);
    assert_int_equal(what_if_trust_remove(&running.control, NULL, "x", &survey, &problems), ASSAY_ERR_MALFORMED);
    assert_int_equal(x509_certificate_parse(root, &certificate, NULL), ASSAY_OK);
    trust_fingerprint(certificate.sha256, fingerprint);
    assert_int_equal(what_if_trust_remove(&running.control, NULL, fingerprint, &survey, &problems), ASSAY_OK);
    json = answer(&running, &survey, &problems);
    assert_int_equal(flips(json), 1);
    assert_string_equal(part(json, 0, NULL, "host"), NODE);
    assert_string_equal(part(json, 0, "to", "effect"), "refused");
    assert_true(strstr(part(json, 0, NULL, "action"), "trust the CA") != NULL);
    json_decref(json);
    assert_int_equal(scratch_count("trust/anchors"), 1);
    problems_free(&problems);
    world_stop(&running, root);
}

/* Modes flip what becomes of requests, policies flip verdicts. */
static void another_configuration(void **state)
{
    static const struct {
        const char *more;
        size_t flips;
        const char *from, *to;
    } cases[] = {
        {"", 0, NULL, NULL},
        {"verify: {mode: permissive}\n", 2, "refused", "let pass"},
        {"verify: {mode: disabled}\n", 2, "refused", "not checked"},
        {"verify: {pins: [\"0000000000000000000000000000000000000000000000000000000000000000\"]}\n", 1, "passes",
         "refused"},
    };
    struct survey survey = {0};
    struct running running;
    struct slice root;

    world_start(&running, &root);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problems problems = {0};
        struct text text = {0};
        json_t *json;

        text_printf(&text, "%s%s", scratch_good_yaml, cases[i].more);
        assert_true(what_if_reload(&running.control, text_slice(&text), NOW, &survey, &problems));
        json = answer(&running, &survey, &problems);
        if (flips(json) != cases[i].flips)
            fail_msg("case %zu: %zu", i, flips(json));
        if (cases[i].flips > 0) {
            assert_string_equal(part(json, 0, "from", "effect"), cases[i].from);
            assert_string_equal(part(json, 0, "to", "effect"), cases[i].to);
        }
        json_decref(json);
        text_free(&text);
        problems_free(&problems);
    }
    {
        struct problems problems = {0};

        assert_false(what_if_reload(&running.control, slice_text("listner: 1\n"), NOW, &survey, &problems));
        assert_true(problems.count > 0);
        problems_free(&problems);
    }
    assert_int_equal(publisher_snapshot(&running.control.publisher)->trust->scopes[0].mode, VERIFY_ENFORCED);
    assert_int_equal(credentials_count(&running.control.credentials), 2); /* what was built for it is gone */
    world_stop(&running, root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_would_repair),
        cmocka_unit_test(a_removal_that_would_break),
        cmocka_unit_test(another_configuration),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
