/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/address.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"
#include "x509/pem.h"
#include "x509/verdict_table.h"

#define NOW FORGE_NOW

static const struct snapshot *current(const struct running *running)
{
    return publisher_snapshot(&running->control.publisher);
}

static void test_a_bad_file_without_a_last_good_one(void **state)
{
    struct control control = {0};
    struct problems problems = {0};

    scratch_write("bad.yaml", "listner: 1\n");
    assert_false(control_load(&control, scratch_path("bad.yaml"), scratch_path("nothing"), true, NOW, &problems));
    assert_true(problems.count >= 1);
    problems_free(&problems);
    control_free(&control);
}

/* A refused reload leaves everything as it is; what was built of it is gone. */
static void test_reload_is_whole_or_not_at_all(void **state)
{
    static const char *const more[] = {
        "listner: 1\n",                               /* the file */
        "cores: [1, 1]\n",                            /* its values */
        "allow_list: nowhere.csv\n",                  /* a list */
        "client_credentials: [{chain: x, key: y}]\n", /* a certificate */
    };
    struct running running;

    running_start(&running, NOW);
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        const struct snapshot *before = current(&running);
        struct text text = {0};
        struct change change;

        text_printf(&text, "%smaintenance: on\n%s", scratch_good_yaml, more[i]);
        scratch_write("good.yaml", text_get(&text));
        assert_false(control_reload(&running.control, NOW, &change));
        assert_true(change.problems.count >= 1);
        assert_int_equal(change.generation, 1);
        assert_ptr_equal(current(&running), before);
        assert_false(before->settings->maintenance);
        assert_int_equal(credentials_count(&running.control.credentials), 2);
        change_free(&change);
        text_free(&text);
    }
    assert_int_equal(running.control.refused, 4);
    scratch_write("good.yaml", scratch_good_yaml);
    running_stop(&running);
}

static void test_reload(void **state)
{
    struct running running;
    struct change change;
    struct text text = {0};

    running_start(&running, NOW);
    assert_true(control_reload(&running.control, NOW, &change));
    assert_false(change.published); /* nothing differs */
    assert_int_equal(change.generation, 1);
    change_free(&change);

    text_printf(&text, "%smaintenance: on\ncores: 0\ntcp: {sack: off}\n", scratch_good_yaml);
    scratch_write("good.yaml", text_get(&text));
    assert_true(control_reload(&running.control, NOW, &change));
    assert_true(change.published);
    assert_true(change.adopted);
    assert_int_equal(change.generation, 2);
    assert_string_equal(text_get(&change.restart_keys), "tcp.sack");
    assert_true(current(&running)->settings->maintenance);
    assert_int_equal(current(&running)->settings->epoch, 2);
    assert_int_equal(current(&running)->trust->epoch, 1); /* not touched: verdicts stay */
    assert_int_equal(current(&running)->route->epoch, 1);
    change_free(&change);
    scratch_write("good.yaml", scratch_good_yaml);
    text_free(&text);
    running_stop(&running);
}

/* Cores that do not come by: the change is published all the same, and says so. */
static void test_cores_that_do_not_adopt(void **state)
{
    struct running running;
    struct change change;

    running_start(&running, NOW);
    running.cores[1].shared = NULL;
    running.cores[1].generation = 1;
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_PERMISSIVE, 0, &change));
    assert_true(change.published);
    assert_false(change.adopted);
    assert_true(change.adopted_ms >= 1000);
    change_free(&change);
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_ENFORCED, 0, &change));
    change_free(&change);
    running_stop(&running);
}

static void add(struct running *running, struct slice der, const char *role)
{
    struct trust *added;
    struct change change;

    assert_true(control_trust_add(&running->control, NULL, der, -1, &added, &change));
    assert_int_equal(added->count, 1);
    assert_string_equal(x509_role_name(added->entries[0].role), role);
    assert_true(change.published);
    change_free(&change);
    trust_free(added);
}

static void test_trust(void **state)
{
    struct forge leaf = {.subject = "cucm.steven.lab",
                         .key = forge_key(FORGE_P256, 3),
                         .extensions = {forge_san(forge_dns("cucm.steven.lab"))}};
    struct running running;
    struct change change;
    struct trust *added;
    char fingerprint[65], removed[65];

    running_start(&running, NOW);
    add(&running, scratch_ca("root", 1), "anchor");
    add(&running, forge_certificate(&leaf), "leaf-only");
    assert_int_equal(current(&running)->trust->epoch, 3);
    assert_int_equal(x509_store_count(current(&running)->trust->scopes[0].store), 2);
    assert_int_equal(scratch_count("trust/anchors"), 1);

    assert_false(control_trust_add(&running.control, NULL, slice_text("junk"), -1, &added, &change));
    assert_null(added);
    assert_int_equal(change.problems.count, 1);
    assert_int_equal(change.generation, 3);
    change_free(&change);

    trust_fingerprint(running.control.trust->entries[0].certificate.sha256, fingerprint);
    assert_int_equal(control_trust_remove(&running.control, NULL, "00000000", removed, &change), ASSAY_ERR_NOT_FOUND);
    change_free(&change);
    assert_int_equal(control_trust_remove(&running.control, NULL, "xyz", removed, &change), ASSAY_ERR_MALFORMED);
    change_free(&change);
    assert_int_equal(control_trust_remove(&running.control, NULL, fingerprint, removed, &change), ASSAY_OK);
    assert_string_equal(removed, fingerprint);
    assert_int_equal(current(&running)->trust->epoch, 4);
    assert_int_equal(x509_store_count(current(&running)->trust->scopes[0].store), 1);
    assert_int_equal(scratch_count("trust/anchors"), 0);
    change_free(&change);
    running_stop(&running);
}

/* S6: Off is permissive, its end comes by itself, and it survives a restart. */
static void test_set_verify(void **state)
{
    const char *what = NULL;
    struct running running;
    struct change change;
    uint64_t epoch;

    running_start(&running, NOW);
    epoch = current(&running)->trust->epoch;
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_PERMISSIVE, NOW + 60, &change));
    change_free(&change);
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_PERMISSIVE);
    assert_int_equal(current(&running)->trust->epoch, epoch); /* verdicts do not depend on the mode */
    assert_false(control_tick(&running.control, NOW + 59, &change, &what));
    change_free(&change);
    running_stop(&running);

    running_start(&running, NOW + 59);
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_PERMISSIVE);
    assert_true(control_tick(&running.control, NOW + 60, &change, &what));
    assert_string_equal(what, "set verify: the time is over");
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_ENFORCED);
    change_free(&change);
    running_stop(&running);

    running_start(&running, NOW + 30); /* it is gone for good */
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_ENFORCED);
    assert_false(running.control.verify.global.set);
    running_stop(&running);
}

static void test_ticket_keys_rotate(void **state)
{
    const struct tls_ticket_keys *keys;
    struct tls_ticket_key first;
    struct running running;
    struct change change;
    const char *what = NULL;
    uint64_t id;

    running_start(&running, NOW);
    keys = current(&running)->credentials->ticket_keys;
    id = current(&running)->credentials->server_default->id;
    assert_int_equal(keys->count, 1);
    first = keys->keys[0];
    assert_false(control_tick(&running.control, NOW + 12 * 3600 - 1, &change, &what));
    change_free(&change);
    for (unsigned turn = 1; turn <= 4; turn++) {
        assert_true(control_tick(&running.control, NOW + turn * 12 * 3600, &change, &what));
        change_free(&change);
        keys = current(&running)->credentials->ticket_keys;
        assert_int_equal(keys->count, turn + 1 < TLS_TICKET_KEYS_MAX ? turn + 1 : TLS_TICKET_KEYS_MAX);
        assert_memory_not_equal(&keys->keys[0], &first, sizeof(first));
        if (turn < TLS_TICKET_KEYS_MAX)
            assert_memory_equal(&keys->keys[turn], &first, sizeof(first)); /* still decrypts */
    }
    /* the contexts are the same: sessions live on */
    assert_int_equal(current(&running)->credentials->server_default->id, id);
    /* and a reload keeps the keys */
    first = keys->keys[0];
    assert_true(control_reload(&running.control, NOW, &change));
    assert_false(change.published);
    assert_memory_equal(&current(&running)->credentials->ticket_keys->keys[0], &first, sizeof(first));
    change_free(&change);
    running_stop(&running);
}

/* A DNS answer: a new route, nothing else (DESIGN, "Snapshots"). */
static void test_names(void **state)
{
    struct assay_address address;
    struct running running;
    struct change change;

    running_start(&running, NOW);
    assert_int_equal(current(&running)->route->origin_count, 1);
    assert_string_equal(current(&running)->route->origins[0].error, "not resolved yet");
    assert_int_equal(address_parse(slice_text("198.18.2.11"), &address), ASSAY_OK);
    assert_true(names_answer(&running.control.names, slice_text("cucm.steven.lab"), &address, 1, NULL, 0));
    assert_true(control_route_changed(&running.control, &change));
    assert_true(change.published);
    assert_int_equal(current(&running)->route->origins[0].address_count, 1);
    assert_int_equal(current(&running)->route->epoch, 2);
    assert_int_equal(current(&running)->trust->epoch, 1);
    change_free(&change);
    assert_true(control_route_changed(&running.control, &change));
    assert_false(change.published);
    change_free(&change);
    /* known addresses survive a reload */
    assert_true(control_reload(&running.control, NOW, &change));
    assert_int_equal(current(&running)->route->origins[0].address_count, 1);
    change_free(&change);
    running_stop(&running);
}

static void test_the_last_good_configuration_starts(void **state)
{
    struct running running;
    struct change change;

    running_start(&running, NOW); /* keeps a copy */
    running_stop(&running);
    scratch_write("good.yaml", "listner: 1\n");
    running_start(&running, NOW);
    assert_non_null(running.control.fallback);
    assert_non_null(strstr(running.control.fallback, "good.yaml:1: listner: unknown key"));
    assert_string_equal(current(&running)->settings->via_name, "edge");
    /* the file repaired: the alarm ends */
    scratch_write("good.yaml", scratch_good_yaml);
    assert_true(control_reload(&running.control, NOW, &change));
    assert_null(running.control.fallback);
    change_free(&change);
    running_stop(&running);
}

/* A certificate that is replaced: the old credential lives as long as a connection uses it. */
static void test_credentials_outlive_their_section(void **state)
{
    struct forge renewed = {.subject = "vcs.steven.lab",
                            .key = forge_key(FORGE_P256, 5),
                            .extensions = {forge_san(forge_dns("vcs.steven.lab"))}};
    struct tls_credential *old;
    struct running running;
    struct change change;
    const char *what;

    running_start(&running, NOW);
    old = current(&running)->credentials->server_default;
    atomic_store(&old->users[0], 1);
    SCRATCH_PEM("server.pem", forge_certificate(&renewed));
    scratch_key("server.key", renewed.key);
    assert_true(control_reload(&running.control, NOW, &change));
    change_free(&change);
    assert_ptr_not_equal(current(&running)->credentials->server_default, old);
    assert_int_equal(credentials_count(&running.control.credentials), 3);
    atomic_store(&old->users[0], 0);
    control_tick(&running.control, NOW, &change, &what);
    change_free(&change);
    assert_int_equal(credentials_count(&running.control.credentials), 2);
    running_stop(&running);
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
    const char *what;

    running_start(&running, NOW);
    assert_null(current(&running)->trust->verdicts); /* nothing is known yet */
    sighting_take(running.control.registry, &(struct sighting){"cucm.steven.lab", 8443, chain, 1, .at_s = NOW});
    assert_false(control_tick(&running.control, NOW, &change, &what));
    change_free(&change);
    add(&running, scratch_ca("unrelated", 8), "anchor");
    assert_non_null(current(&running)->trust->verdicts);
    assert_int_equal(x509_verdict_table_count(current(&running)->trust->verdicts), 1);
    assert_int_equal(registry_first(running.control.registry)->judged.epoch, current(&running)->trust->epoch);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_file_without_a_last_good_one),
        cmocka_unit_test(test_reload_is_whole_or_not_at_all),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_cores_that_do_not_adopt),
        cmocka_unit_test(test_set_verify),
        cmocka_unit_test(test_ticket_keys_rotate),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_last_good_configuration_starts),
        cmocka_unit_test(test_credentials_outlive_their_section),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_registry_survives_a_restart),
        cmocka_unit_test(test_verdicts_come_with_the_trust),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
