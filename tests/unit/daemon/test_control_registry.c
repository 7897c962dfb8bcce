/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/control_registry.h"
#include "daemon/control_ticks.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"
#include "x509/verdict_table.h"

#define NOW FORGE_NOW

static const struct snapshot *current(const struct running *running)
{
    return publisher_snapshot(&running->control.publisher);
}

/* What was seen comes back after a restart, and is judged again with the trust of then. */
static void test_registry_survives_a_restart(void **state)
{
    struct slice chain[] = {
        forge_certificate(&(struct forge){.subject = "cucm.steven.lab", .key = forge_key(FORGE_P256, 6)})};
    struct registry_entry *entry;
    struct running running;
    struct change change;
    const char *what;

    running_start(&running, NOW);
    entry = sighting_take(running.control.registry, &(struct sighting){"cucm.steven.lab", 8443, chain, 1, .at_s = NOW});
    registry_note_failures(entry, X509_REASON_EXPIRED, 0, 2);
    running_stop(&running);
    running_again(&running, NOW + 10);
    assert_int_equal(registry_count(running.control.registry), 1);
    entry = registry_first(running.control.registry);
    assert_int_equal(entry->failures, 2);
    assert_false(control_tick(&running.control, NOW + 11, &change, &what));
    change_free(&change);
    assert_int_equal(entry->judged.epoch, current(&running)->trust->epoch);
    assert_int_equal(entry->judged.chain_reason, X509_REASON_SELF_SIGNED_LEAF);
    running_stop(&running);
}

/* A trust section has the verdicts on what is known, from the moment it is published; one that stays has what it had. */
static void test_verdicts_come_with_the_trust(void **state)
{
    struct slice chain[] = {
        forge_certificate(&(struct forge){.subject = "cucm.steven.lab", .key = forge_key(FORGE_P256, 7)})};
    struct running running;
    struct change change;
    struct trust *added;
    const char *what;

    running_start(&running, NOW);
    assert_null(current(&running)->trust->verdicts); /* nothing is known yet */
    sighting_take(running.control.registry, &(struct sighting){"cucm.steven.lab", 8443, chain, 1, .at_s = NOW});
    assert_false(control_tick(&running.control, NOW, &change, &what));
    change_free(&change);
    assert_true(control_trust_add(&running.control, NULL, scratch_ca("unrelated", 8), -1, &added, &change));
    change_free(&change);
    trust_free(added);
    assert_non_null(current(&running)->trust->verdicts);
    assert_int_equal(x509_verdict_table_count(current(&running)->trust->verdicts), 1);
    assert_int_equal(registry_first(running.control.registry)->judged.epoch, current(&running)->trust->epoch);
    running_stop(&running);
}

/* A reload that makes it smaller acts at once, and what was seen last is what stays. */
static void test_limits_follow_the_configuration(void **state)
{
    struct slice chain[] = {
        forge_certificate(&(struct forge){.subject = "cucm.steven.lab", .key = forge_key(FORGE_P256, 7)})};
    struct running running;
    struct change change;
    struct text text = {0};

    running_start(&running, NOW);
    for (uint16_t i = 0; i < 200; i++)
        sighting_take(running.control.registry,
                      &(struct sighting){"cucm.steven.lab", 8000 + i, chain, 1, .at_s = NOW + i});
    assert_int_equal(registry_count(running.control.registry), 200);
    text_printf(&text, "%sregistry: {entries: 100}\n", scratch_good_yaml);
    scratch_write("good.yaml", text_get(&text));
    assert_true(control_reload(&running.control, NOW + 200, &change));
    assert_int_equal(registry_count(running.control.registry), 100);
    assert_int_equal(registry_first(running.control.registry)->port, 8199);
    change_free(&change);
    scratch_write("good.yaml", scratch_good_yaml);
    text_free(&text);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry_survives_a_restart),
        cmocka_unit_test(test_verdicts_come_with_the_trust),
        cmocka_unit_test(test_limits_follow_the_configuration),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
