/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/enforce.h"
#include "daemon/registry_judge.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define NODE "cucm.steven.lab"

static void set_mode(struct running *running, const struct verify_target *target, enum verify_mode mode)
{
    struct change change;

    assert_true(control_set_verify(&running->control, target, mode, 0, &change));
    change_free(&change);
}

/* The report, of which it is expected how many stand in the way and how many were repaired. */
static void expect(struct running *running, const struct verify_target *target, size_t failing, size_t repaired)
{
    struct problems problems = {0};
    size_t count;
    json_t *json = enforce_report(&running->control, target, NOW, &count, &problems);

    assert_non_null(json);
    assert_int_equal(count, failing);
    assert_int_equal(json_array_size(json_object_get(json, "failing")), failing);
    assert_int_equal(json_array_size(json_object_get(json, "repaired")), repaired);
    assert_true(json_is_array(json_object_get(json, "preflight"))); /* tests/e2e/preflight_daemon.sh fills it */
    assert_int_equal(json_array_size(json_object_get(json, "preflight")), 0);
    json_decref(json);
    problems_free(&problems);
}

static void what_was_seen_decides(void **state)
{
    const struct verify_target all = {0}, cucm = {.host = NODE}, tomcat = {.host = NODE, .port = 6972};
    const struct verify_target imp = {.host = "imp.steven.lab"};
    struct slice self = forge_certificate(
        &(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 1), .extensions = {forge_san(forge_dns(NODE))}});
    struct slice other = forge_certificate(
        &(struct forge){.subject = NODE, .key = forge_key(FORGE_P256, 2), .extensions = {forge_san(forge_dns(NODE))}});
    struct running running;
    struct change change;
    struct trust *added;

    running_start(&running, NOW);
    set_mode(&running, &all, VERIFY_DISABLED);
    expect(&running, &all, 0, 0);
    sighting_take(running.control.registry, &(struct sighting){NODE, 8443, &self, 1, .at_s = NOW - 86401});
    expect(&running, &all, 0, 0); /* too long ago */
    sighting_take(running.control.registry, &(struct sighting){NODE, 8443, &self, 1, .at_s = NOW});
    sighting_take(running.control.registry, &(struct sighting){NODE, 6972, &other, 1, .at_s = NOW});
    expect(&running, &all, 2, 0);
    expect(&running, &cucm, 2, 0);
    expect(&running, &tomcat, 1, 0);
    expect(&running, &imp, 0, 0);
    /* repaired: that is said, and stands in nobody's way */
    assert_true(control_trust_add(&running.control, NULL, self, -1, &added, &change));
    change_free(&change);
    trust_free(added);
    expect(&running, &all, 1, 1);
    /* what is enforced already is not news */
    set_mode(&running, &tomcat, VERIFY_ENFORCED);
    expect(&running, &all, 0, 1);
    running_stop(&running);
}

static void another_certificate_is_a_repair(void **state)
{
    const struct verify_target all = {0};
    struct slice old = forge_certificate(&(struct forge){.subject = "imp.steven.lab", .key = forge_key(FORGE_P256, 4)});
    struct slice new = forge_certificate(&(struct forge){.subject = "imp.steven.lab",
                                                         .key = forge_key(FORGE_P256, 5),
                                                         .extensions = {forge_san(forge_dns("imp.steven.lab"))}});
    struct running running;
    struct change change;
    struct trust *added;

    running_start(&running, NOW);
    set_mode(&running, &all, VERIFY_PERMISSIVE);
    assert_true(control_trust_add(&running.control, NULL, new, -1, &added, &change));
    change_free(&change);
    trust_free(added);
    sighting_take(running.control.registry,
                  &(struct sighting){"imp.steven.lab", 8443, &old, 1, .at_s = NOW - 5, .epoch = 1,
                                     .chain_reason = X509_REASON_SELF_SIGNED_LEAF});
    expect(&running, &all, 1, 0);
    sighting_take(running.control.registry, &(struct sighting){"imp.steven.lab", 8443, &new, 1, .at_s = NOW});
    expect(&running, &all, 0, 1);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_decides),
        cmocka_unit_test(another_certificate_is_a_repair),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
