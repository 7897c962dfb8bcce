/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "daemon/control_registry.h"
#include "daemon/control_revoked.h"
#include "daemon/control_ticks.h"
#include "forge.h"
#include "forge_ocsp.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"

#define NOW  FORGE_NOW
#define HOST "cucm.steven.lab"

static struct slice leaf_of(const char *name, int64_t not_after)
{
    return forge_certificate(&(struct forge){.subject = name,
                                             .issuer = "trusted CA",
                                             .key = forge_key(FORGE_P256, 6),
                                             .signer = forge_key(FORGE_P256, 5),
                                             .not_after = not_after,
                                             .extensions = {forge_san(forge_dns(HOST))}});
}

#define BY_CA(...) \
    forge_ocsp(&(struct forge_ocsp){.issuer = "trusted CA", .issuer_key = forge_key(FORGE_P256, 5), __VA_ARGS__})
#define REVOKED forge_ocsp_revoked(NOW - 9, 1)

static struct registry_entry *seen(struct running *running, struct slice leaf, uint16_t port, struct slice staple,
                                   uint64_t at_s)
{
    return sighting_take(
        running->control.registry,
        &(struct sighting){
            .host = HOST, .port = port, .certificates = &leaf, .count = 1, .staple = staple, .at_s = at_s});
}

static enum x509_reason verdict_of(struct running *running, struct registry_entry *entry)
{
    const struct trust_section *trust = publisher_snapshot(&running->control.publisher)->trust;

    assert_int_equal(entry->judged.epoch, trust->epoch);
    return entry->judged.chain_reason;
}

/* Ticks, as a judging takes what time it takes; how often something was published. Where no core hands anything over, the registry is
 * looked through every ten seconds: each call is of another ten. */
static unsigned settle(struct running *running, uint64_t now_s)
{
    unsigned published = 0;

    for (int i = 0; i < 50; i++) {
        struct change change;
        const char *what;

        if (control_tick(&running->control, now_s, &change, &what)) {
            assert_string_equal(what, "revoked by OCSP");
            published++;
        }
        change_free(&change);
    }
    return published;
}

static void begin(struct running *running, const char *mode)
{
    struct slice ca = scratch_ca("trusted CA", 5);
    struct text text = {0};

    scratch_pem("trust/ca.pem", &ca, 1);
    text_printf(&text, "%.*strust: {directory: trust, revocation: {mode: %s}}\n%s",
                (int)(strstr(scratch_good_yaml, "trust:") - scratch_good_yaml), scratch_good_yaml, mode,
                strchr(strstr(scratch_good_yaml, "trust:"), '\n') + 1);
    scratch_write("good.yaml", text_get(&text));
    text_free(&text);
    running_start(running, NOW);
}

/* One port's response, every port's verdict; and what takes it back. */
static void one_that_is_told_is_told_to_all(void **state)
{
    struct slice leaf = leaf_of("leaf", 0), other = leaf_of("another", 0);
    struct registry_entry *first, *second, *third;
    struct running running;

    begin(&running, "soft-fail");
    first = seen(&running, leaf, 8443, BY_CA(.this_update = NOW - 600), NOW);
    third = seen(&running, other, 7443, slice_of(NULL, 0), NOW);
    assert_int_equal(settle(&running, NOW), 0);
    assert_int_equal(verdict_of(&running, first), X509_REASON_OK);
    second = seen(&running, leaf, 9443, BY_CA(.status = REVOKED, .this_update = NOW - 300), NOW);
    assert_int_equal(settle(&running, NOW + 10), 1);
    assert_int_equal(verdict_of(&running, first), X509_REASON_REVOKED);
    assert_int_equal(verdict_of(&running, second), X509_REASON_REVOKED);
    assert_int_equal(verdict_of(&running, third), X509_REASON_OK);
    /* again, and an older good one: nothing new */
    seen(&running, leaf, 9444, BY_CA(.status = REVOKED, .this_update = NOW - 300), NOW);
    first = seen(&running, leaf, 8443, BY_CA(.this_update = NOW - 301), NOW);
    assert_int_equal(settle(&running, NOW + 40), 0);
    assert_int_equal(verdict_of(&running, first), X509_REASON_REVOKED);
    /* a hold was lifted */
    first = seen(&running, leaf, 8443, BY_CA(.this_update = NOW - 100), NOW);
    assert_int_equal(settle(&running, NOW + 80), 1);
    assert_int_equal(running.control.crls.revoked.count, 0);
    assert_int_equal(verdict_of(&running, first), X509_REASON_OK);
    running_stop(&running);
}

/* What nobody may say, or nobody asked for, is not taken over; what is taken, once the certificate is over, goes. */
static void who_may_tell(void **state)
{
    struct slice leaf = leaf_of("leaf", 0), brief = leaf_of("brief", NOW + 60), foreign, none = slice_of(NULL, 0);
    struct registry_entry *entry;
    struct running running;

    foreign = forge_certificate(&(struct forge){.subject = "leaf",
                                                .issuer = "trusted CA",
                                                .key = forge_key(FORGE_P256, 6),
                                                .signer = forge_key(FORGE_P256, 9),
                                                .extensions = {forge_san(forge_dns(HOST))}});
    begin(&running, "soft-fail");
    entry = seen(&running, leaf, 8443, BY_CA(.status = REVOKED, .break_signature = true), NOW);
    seen(&running, leaf, 8444, BY_CA(.status = REVOKED, .signer = forge_key(FORGE_P256, 9)), NOW);
    seen(&running, leaf, 8445, BY_CA(.status = REVOKED, .serial = forge_integer(7)), NOW);
    seen(&running, foreign, 8446,
         forge_ocsp(
             &(struct forge_ocsp){.issuer = "trusted CA", .issuer_key = forge_key(FORGE_P256, 9), .status = REVOKED}),
         NOW);
    seen(&running, leaf, 8447, forge_hex("3000"), NOW);
    assert_int_equal(settle(&running, NOW), 0);
    assert_int_equal(running.control.crls.revoked.count, 0);
    assert_int_equal(verdict_of(&running, entry), X509_REASON_OK);
    seen(&running, brief, 8448, BY_CA(.status = REVOKED), NOW);
    assert_int_equal(settle(&running, NOW + 10), 1);
    assert_int_equal(running.control.crls.revoked.count, 1);
    seen(&running, leaf, 8443, none, NOW + 100);
    settle(&running, NOW + 100);
    assert_int_equal(running.control.crls.revoked.count, 0);
    running_stop(&running);
    begin(&running, "off");
    entry = seen(&running, leaf, 8443, BY_CA(.status = REVOKED), NOW);
    assert_int_equal(settle(&running, NOW), 0);
    assert_int_equal(running.control.crls.revoked.count, 0);
    running_stop(&running);
}

/* The registry keeps what was stapled, so that it is known again. */
static void it_survives_a_restart(void **state)
{
    struct slice leaf = leaf_of("leaf", 0);
    struct registry_entry *first;
    struct running running;

    begin(&running, "soft-fail");
    seen(&running, leaf, 8443, BY_CA(.this_update = NOW - 600), NOW);
    seen(&running, leaf, 9443, BY_CA(.status = REVOKED, .this_update = NOW - 300), NOW);
    assert_int_equal(settle(&running, NOW), 1);
    running_stop(&running);
    running_again(&running, NOW + 5);
    assert_int_equal(settle(&running, NOW + 5), 1);
    assert_int_equal(running.control.crls.revoked.count, 1);
    assert_string_equal(running.control.crls.revoked.items[0].reason, "keyCompromise");
    first = registry_of_origin(running.control.registry, HOST, 8443, NULL);
    assert_non_null(first);
    assert_int_equal(verdict_of(&running, first), X509_REASON_REVOKED);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_told_is_told_to_all),
        cmocka_unit_test(who_may_tell),
        cmocka_unit_test(it_survives_a_restart),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
