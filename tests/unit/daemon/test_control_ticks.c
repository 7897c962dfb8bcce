/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "daemon/control_ticks.h"
#include "daemon/due.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"

#define NOW FORGE_NOW

static const struct snapshot *current(const struct running *running)
{
    return publisher_snapshot(&running->control.publisher);
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

/* What time changes does not wait for files that somebody is just writing: enforcement comes back, and that is said. */
static void test_a_switch_ends_beside_a_broken_file(void **state)
{
    const char *what = NULL;
    struct running running;
    struct change change;

    scratch_make("lists");
    scratch_write_slice("lists/a.crl",
                        forge_crl(&(struct forge_crl){.issuer = "A", .signer = forge_key(FORGE_P256, 1)}));
    scratch_good_trust("trust: {directory: trust, revocation: {mode: soft-fail, crls: lists}}\n");
    running_start(&running, NOW);
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_PERMISSIVE, NOW + 60, &change));
    change_free(&change);
    scratch_write("lists/b.crl", "half of it");
    assert_false(control_reload(&running.control, NOW + 1, &change)); /* which is about files */
    change_free(&change);
    assert_true(control_tick(&running.control, NOW + 60, &change, &what));
    assert_string_equal(what, "set verify: the time is over");
    assert_true(change.published);
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_ENFORCED);
    assert_int_equal(change.problems.warning_count, 1);
    assert_non_null(strstr(change.problems.warnings[0], "lists: the CRLs that were read last stay: "));
    assert_non_null(strstr(change.problems.warnings[0], "lists/b.crl"));
    change_free(&change);
    assert_int_equal(unlink(scratch_path("lists/b.crl")), 0);
    running_stop(&running);
    scratch_write("good.yaml", scratch_good_yaml);
}

/* A change that a tick could not make is said, and made when it can be. */
static void test_what_failed_is_tried_again(void **state)
{
    const char *what = NULL;
    struct running running;
    struct change change;

    scratch_make("lists2");
    scratch_good_trust("trust: {directory: trust, revocation: {mode: soft-fail, crls: lists2}}\n");
    running_start(&running, NOW);
    assert_true(control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_PERMISSIVE, NOW + 60, &change));
    change_free(&change);
    scratch_write("lists2/b.crl", "half of it"); /* and nothing was read before that could stay */
    assert_true(control_tick(&running.control, NOW + 60, &change, &what));
    assert_false(change.published);
    assert_int_equal(change.problems.count, 1);
    change_free(&change);
    assert_false(control_tick(&running.control, NOW + 61, &change, &what));
    change_free(&change);
    assert_int_equal(unlink(scratch_path("lists2/b.crl")), 0);
    assert_true(control_tick(&running.control, NOW + 70, &change, &what));
    assert_true(change.published);
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_ENFORCED);
    change_free(&change);
    assert_false(control_tick(&running.control, NOW + 80, &change, &what));
    change_free(&change);
    running_stop(&running);
    scratch_write("good.yaml", scratch_good_yaml);
}

/* A machine that believed in 2096 until it heard of NTP: nothing waits for 2096. */
static void test_a_clock_that_is_set_back(void **state)
{
    const uint64_t wrong = NOW + 70ULL * 365 * 86400;
    struct tls_ticket_key first;
    const char *what = NULL;
    struct running running;
    struct change change;

    running_start(&running, wrong);
    assert_true(
        control_set_verify(&running.control, &(struct verify_target){0}, VERIFY_PERMISSIVE, wrong + 60, &change));
    change_free(&change);
    assert_false(control_tick(&running.control, wrong + 10, &change, &what));
    change_free(&change);
    first = current(&running)->credentials->ticket_keys->keys[0];
    /* 50 s of the minute are left */
    assert_true(control_tick(&running.control, NOW, &change, &what));
    assert_string_equal(what, "ticket key rotated");
    assert_memory_not_equal(&current(&running)->credentials->ticket_keys->keys[0], &first, sizeof(first));
    change_free(&change);
    assert_true(running.control.expiry_due_s <= NOW + 60);
    assert_true(running.control.registry_due_s <= NOW + 10);
    assert_true(running.control.registry_save_s <= NOW + 600);
    assert_true(running.control.started_s <= NOW);
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_PERMISSIVE);
    assert_false(control_tick(&running.control, NOW + 49, &change, &what));
    change_free(&change);
    assert_true(control_tick(&running.control, NOW + 50, &change, &what));
    assert_int_equal(current(&running)->trust->scopes[0].mode, VERIFY_ENFORCED);
    change_free(&change);
    running_stop(&running);
}

static void test_what_is_due(void **state)
{
    uint64_t due_s = 0;

    assert_true(due_take(&due_s, 1000, 60));
    assert_false(due_take(&due_s, 1000, 60));
    assert_false(due_take(&due_s, 1059, 60));
    assert_true(due_take(&due_s, 1060, 60));
    assert_false(due_take(&due_s, 1061, 60));
    assert_false(due_take(&due_s, 1060, 60)); /* set back by a second: no matter */
    assert_true(due_take(&due_s, 500, 60));
    assert_false(due_take(&due_s, 559, 60));
    assert_true(due_take(&due_s, 560, 60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_verify),
        cmocka_unit_test(test_ticket_keys_rotate),
        cmocka_unit_test(test_credentials_outlive_their_section),
        cmocka_unit_test(test_a_switch_ends_beside_a_broken_file),
        cmocka_unit_test(test_what_failed_is_tried_again),
        cmocka_unit_test(test_a_clock_that_is_set_back),
        cmocka_unit_test(test_what_is_due),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
