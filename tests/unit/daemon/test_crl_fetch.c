/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which lists a running control wants, and what it does with those on disk. No network: what may be asked is a network that
 * is not there. tests/e2e/crl_fetch.sh has the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/crl_cache.h"
#include "daemon/control_ticks.h"
#include "daemon/crl_fetch.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "sightings.h"
#include "x509/verify.h"

#define ROOT_URL "http://10.0.0.1/root.crl"
#define CA_URL   "http://crl.steven.lab/ca.crl"
#define LEAF_URL "http://crl.steven.lab/leaf.crl"
#define HOST     "cucm.steven.lab"
#define ALWAYS   UINT64_MAX /* budgets */
#define NEVER    0

static const char revocation[] =
    "trust: {directory: trust, revocation: {mode: hard-fail, fetch: on, fetch_from: 10.0.0.0/8, crl_urls: [\"" ROOT_URL
    "\"]}}\n";

static struct slice point_of(const char *url)
{
    return FORGE_TLV(0x30, FORGE_TLV(0xa0, FORGE_TLV(0xa0, forge_text(0x86, url))));
}

static struct slice points_of(const char *url)
{
    return forge_extension("2.5.29.31", false, FORGE_TLV(0x30, point_of(url)));
}

static struct slice root_der(void)
{
    return forge_certificate(
        &(struct forge){.subject = "R", .key = forge_key(FORGE_P256, 4), .extensions = {forge_ca(-1)}});
}

/* An intermediate that names CA_URL as the list that it is on. */
static struct slice ca_der(void)
{
    return forge_certificate(&(struct forge){.subject = "I",
                                             .issuer = "R",
                                             .key = forge_key(FORGE_P256, 5),
                                             .signer = forge_key(FORGE_P256, 4),
                                             .extensions = {forge_ca(-1), points_of(CA_URL)}});
}

/* Of that intermediate; url NULL: without a distribution point. */
static struct slice leaf_der(const char *host, const char *url, int64_t not_after)
{
    return forge_certificate(
        &(struct forge){.subject = host,
                        .issuer = "I",
                        .key = forge_key(FORGE_P256, 7),
                        .signer = forge_key(FORGE_P256, 5),
                        .not_after = not_after,
                        .extensions = {forge_san(forge_dns(host)), url != NULL ? points_of(url) : slice_of(NULL, 0)}});
}

/* A core hands over leaf and intermediate. */
static struct registry_entry *see(struct running *running, const char *host, struct slice leaf, int64_t at_s)
{
    struct slice chain[] = {leaf, ca_der()};
    struct sighting sighting = {host, 8443, chain, 2, .at_s = (uint64_t)at_s};

    return sighting_take(running->control.registry, &sighting);
}

static const struct crl_source *source_of(const struct running *running, const char *url)
{
    const struct crl_sources *sources = &running->control.crls.sources;

    for (size_t i = 0; i < sources->count; i++)
        if (strcmp(sources->items[i]->urls[0].text, url) == 0)
            return sources->items[i];
    return NULL;
}

static bool turn(struct running *running, int64_t now_s, uint64_t budget_us)
{
    return crl_fetch_turn(&running->control, (uint64_t)now_s, budget_us);
}

static struct slice list_of(const char *issuer, unsigned key)
{
    return forge_crl(&(struct forge_crl){.issuer = issuer, .signer = forge_key(FORGE_P256, key)});
}

static size_t lists_in_force(const struct running *running)
{
    const struct trust_scope *scope = &publisher_snapshot(&running->control.publisher)->trust->scopes[0];
    const struct x509_crl_set *set = x509_store_crls(scope->store);

    return set != NULL ? x509_crl_set_count(set) : 0;
}

static bool reload(struct running *running)
{
    struct change change;
    bool good = control_reload(&running->control, FORGE_NOW, &change);

    change_free(&change);
    return good;
}

static int begin(void **state)
{
    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    SCRATCH_PEM("trust/r.pem", root_der());
    return 0;
}

static void nothing_unless_it_is_on(void **state)
{
    struct registry_entry *entry;
    struct running running;

    (void)state;
    scratch_good_trust("trust: {directory: trust, revocation: {mode: soft-fail}}\n");
    running_start(&running, FORGE_NOW);
    entry = see(&running, HOST, leaf_der(HOST, LEAF_URL, 0), FORGE_NOW);
    assert_false(turn(&running, FORGE_NOW, ALWAYS));
    assert_false(crl_fetch_follow(&running.control, ALWAYS));
    assert_false(turn(&running, FORGE_NOW + CRL_ROUND_S, ALWAYS));
    assert_int_equal(entry->crls_round, 0); /* nobody has looked at it */
    assert_int_equal(running.control.crls.sources.count, 0);
    assert_true(crl_fetch_start(&running.control));
    assert_null(running.control.fetcher);
    assert_int_equal(crl_fetch_again(&running.control), 0);
    running_stop(&running);
}

/* Those of the configuration and of certificates that are trusted; their hosts are resolved. */
static void what_is_wanted(void **state)
{
    struct running running;

    (void)state;
    scratch_good_trust(revocation);
    running_start(&running, FORGE_NOW);
    assert_int_equal(running.control.crls.sources.count, 1);
    assert_string_equal(running.control.crls.sources.items[0]->named_by, "the configuration");
    SCRATCH_PEM("trust/i.pem", ca_der());
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 2);
    assert_string_equal(running.control.crls.sources.items[1]->urls[0].text, CA_URL);
    assert_string_equal(running.control.crls.sources.items[1]->named_by, "I");
    assert_non_null(names_find(&running.control.names, slice_text("crl.steven.lab")));
    assert_true(reload(&running)); /* a name that is still wanted keeps its place */
    assert_non_null(names_find(&running.control.names, slice_text("crl.steven.lab")));
    scratch_good_trust("trust: {directory: trust}\n");
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 0);
    running_stop(&running);
}

/* A chain was seen: the lists of its path are wanted, and the certificates of the path can prove them; a change of trust by
 * which it does not hold any more, or of policy, takes them away. */
static void what_chains_name_is_wanted(void **state)
{
    struct registry_entry *entry;
    const struct crl_source *source;
    struct running running;
    uint64_t round;
    size_t count;

    (void)state;
    scratch_good_trust(revocation);
    running_start(&running, FORGE_NOW);
    entry = see(&running, HOST, leaf_der(HOST, LEAF_URL, 0), FORGE_NOW);
    assert_false(turn(&running, FORGE_NOW, ALWAYS)); /* no list of theirs yet */
    assert_int_equal(running.control.crls.sources.count, 3);
    source = source_of(&running, LEAF_URL);
    assert_non_null(source);
    assert_string_equal(source->named_by, HOST);
    assert_int_equal(source->issuer_count, 1);
    assert_true(slice_equal(source->issuers[0], x509_chain_slices(entry->chain, &count)[1]));
    assert_non_null(source_of(&running, CA_URL));
    assert_non_null(names_find(&running.control.names, slice_text("crl.steven.lab")));
    /* not again in this round, and again in the next one, which nothing is lost by */
    round = running.control.crl_round.number;
    assert_int_equal(entry->crls_round, round);
    assert_false(running.control.crl_round.pending);
    assert_false(turn(&running, FORGE_NOW + 1, ALWAYS));
    assert_int_equal(running.control.crl_round.number, round);
    assert_true(reload(&running));
    assert_int_equal(entry->crls_round, round + 1);
    assert_ptr_equal(source_of(&running, LEAF_URL), source);
    assert_int_equal(source->issuer_count, 1);
    SCRATCH_PEM("trust/r.pem", scratch_ca("another", 9));
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 1);
    SCRATCH_PEM("trust/r.pem", root_der());
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 3);
    scratch_good_trust("trust: {directory: trust, revocation: {mode: off, fetch: on}}\n");
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 0);
    running_stop(&running);
}

/* Nobody but who would be accepted chooses what is asked for. */
static void who_may_not_choose(void **state)
{
    struct slice stranger =
        forge_certificate(&(struct forge){.subject = HOST,
                                          .issuer = "I",
                                          .key = forge_key(FORGE_P256, 7),
                                          .signer = forge_key(FORGE_P256, 8),
                                          .extensions = {forge_san(forge_dns(HOST)), points_of(LEAF_URL)}});
    const struct {
        const char *what, *config;
        struct slice leaf;
        bool wanted;
    } cases[] = {
        {"the chain holds", "", leaf_der(HOST, LEAF_URL, 0), true},
        {"another's signature", "", stranger, false},
        {"another's name", "", leaf_der("imp.steven.lab", LEAF_URL, 0), false},
        {"its time is over", "", leaf_der(HOST, LEAF_URL, FORGE_NOW - 1), false},
        {"names are not asked for", "verify: {properties: signature}\n", leaf_der("imp.steven.lab", LEAF_URL, 0), true},
        {"nothing but names is asked for", "verify: {properties: name}\n", stranger, false},
        {"no revocation there", "origins: [{hosts: \"" HOST "\", verify: {revocation: off}}]\n",
         leaf_der(HOST, LEAF_URL, 0), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct running running;
        char config[512];

        snprintf(config, sizeof(config), "%s%s", revocation, cases[i].config);
        scratch_good_trust(config);
        running_start(&running, FORGE_NOW);
        see(&running, HOST, cases[i].leaf, FORGE_NOW);
        (void)turn(&running, FORGE_NOW, ALWAYS);
        assert_false(running.control.crl_round.pending);
        if ((source_of(&running, LEAF_URL) != NULL) != cases[i].wanted ||
            (source_of(&running, CA_URL) != NULL) != cases[i].wanted)
            fail_msg("%s", cases[i].what);
        running_stop(&running);
    }
}

/* Whoever is on a list does not get rid of the list by it. */
static void a_revoked_leaf_keeps_its_list(void **state)
{
    struct slice list =
        forge_crl(&(struct forge_crl){.issuer = "I",
                                      .signer = forge_key(FORGE_P256, 5),
                                      .revoked = forge_revoked(forge_integer(1), FORGE_NOW - 60, slice_of(NULL, 0))});
    struct slice root_list = list_of("R", 4);
    struct registry_entry *entry;
    struct running running;
    char directory[512];

    (void)state;
    scratch_good_trust(revocation);
    scratch_make("state");
    snprintf(directory, sizeof(directory), "%s", scratch_path("state/crls"));
    assert_int_equal(crl_cache_write(directory, ROOT_URL, root_list, 4096), ASSAY_OK);
    assert_int_equal(crl_cache_write(directory, LEAF_URL, list, 4096), ASSAY_OK);
    running_start(&running, FORGE_NOW);
    assert_int_equal(lists_in_force(&running), 1);
    entry = see(&running, HOST,
                forge_certificate(&(struct forge){.subject = HOST,
                                                  .issuer = "I",
                                                  .serial = forge_integer(1),
                                                  .key = forge_key(FORGE_P256, 7),
                                                  .signer = forge_key(FORGE_P256, 5),
                                                  .extensions = {forge_san(forge_dns(HOST)), points_of(LEAF_URL)}}),
                FORGE_NOW);
    for (int i = 0; i < 2; i++) {
        struct change change;
        const char *what = NULL;

        /* found on disk as soon as the leaf has named it; nothing more the second time */
        assert_int_equal(control_tick(&running.control, FORGE_NOW + (uint64_t)i, &change, &what), i == 0);
        change_free(&change);
        assert_int_equal(lists_in_force(&running), 2);
        assert_int_equal(entry->judged.chain_reason, X509_REASON_REVOKED);
        assert_true(reload(&running));
        assert_non_null(source_of(&running, LEAF_URL));
    }
    running_stop(&running);
    /* the next run knows the chain, and has the list from the start */
    running_again(&running, FORGE_NOW);
    assert_int_equal(lists_in_force(&running), 2);
    running_stop(&running);
}

/* What was wanted before stays as it is until every chain has been looked at again. */
static void within_a_budget(void **state)
{
    struct running running;
    char host[3][32], url[3][64];

    (void)state;
    scratch_good_trust(revocation);
    running_start(&running, FORGE_NOW);
    for (int i = 0; i < 3; i++) {
        snprintf(host[i], sizeof(host[i]), "node%d.steven.lab", i);
        snprintf(url[i], sizeof(url[i]), "http://10.0.0.1/%d.crl", i);
        see(&running, host[i], leaf_der(host[i], url[i], 0), FORGE_NOW + i);
    }
    assert_false(turn(&running, FORGE_NOW, NEVER));
    assert_true(running.control.crl_round.pending);
    assert_int_equal(running.control.crls.sources.count, 1);
    assert_false(turn(&running, FORGE_NOW, ALWAYS));
    assert_false(running.control.crl_round.pending);
    assert_int_equal(running.control.crls.sources.count, 5);
    /* the chain seen first is forgotten, so that its list is not wanted in the next round */
    registry_set_limits(running.control.registry, &(struct registry_limits){2, 1 << 20, 86400});
    assert_false(crl_fetch_follow(&running.control, NEVER));
    for (int i = 0; i < 2; i++) {
        assert_true(running.control.crl_round.pending);
        assert_int_equal(running.control.crls.sources.count, 5);
        assert_int_equal(source_of(&running, url[0])->issuer_count, 1);
        assert_int_equal(source_of(&running, url[2])->issuer_count, 1);
        assert_false(turn(&running, FORGE_NOW + 1, NEVER));
    }
    assert_false(turn(&running, FORGE_NOW + 1, ALWAYS));
    assert_int_equal(running.control.crls.sources.count, 4);
    assert_null(source_of(&running, url[0]));
    assert_int_equal(source_of(&running, url[2])->issuer_count, 1);
    running_stop(&running);
}

static void time_changes_what_is_wanted(void **state)
{
    struct running running;
    uint64_t begun_s;

    (void)state;
    scratch_good_trust(revocation);
    running_start(&running, FORGE_NOW);
    begun_s = running.control.crl_round.begun_s;
    see(&running, HOST, leaf_der(HOST, LEAF_URL, FORGE_NOW + 60), FORGE_NOW);
    (void)turn(&running, FORGE_NOW, ALWAYS);
    assert_non_null(source_of(&running, LEAF_URL));
    (void)turn(&running, (int64_t)begun_s + CRL_ROUND_S - 1, ALWAYS);
    assert_non_null(source_of(&running, LEAF_URL));
    (void)turn(&running, (int64_t)begun_s + CRL_ROUND_S, ALWAYS);
    assert_null(source_of(&running, LEAF_URL));
    assert_int_equal(running.control.crls.sources.count, 1);
    running_stop(&running);
}

/* A leaf that names 200 lists. */
static struct slice greedy_der(char which)
{
    struct slice points = slice_of(NULL, 0);

    for (int i = 0; i < 200; i++) {
        char url[64];

        snprintf(url, sizeof(url), "http://10.0.0.1/%c%d", which, i);
        points = i == 0 ? point_of(url) : forge_join(points, point_of(url));
    }
    return forge_certificate(&(struct forge){
        .subject = HOST,
        .issuer = "I",
        .key = forge_key(FORGE_P256, 7),
        .signer = forge_key(FORGE_P256, 5),
        .extensions = {forge_san(forge_dns(HOST)), forge_extension("2.5.29.31", false, FORGE_TLV(0x30, points))}});
}

/* The table is full of what is not wanted any more: there is room as soon as that is known. */
static void room_comes_with_the_next_round(void **state)
{
    struct running running;

    (void)state;
    scratch_good_trust(revocation);
    running_start(&running, FORGE_NOW);
    see(&running, HOST, greedy_der('a'), FORGE_NOW);
    (void)turn(&running, FORGE_NOW, ALWAYS);
    assert_int_equal(running.control.crls.sources.count, 202);
    see(&running, HOST, greedy_der('b'), FORGE_NOW + 1);
    registry_set_limits(running.control.registry, &(struct registry_limits){1, 1 << 20, 86400});
    (void)crl_fetch_follow(&running.control, ALWAYS);
    assert_true(running.control.crl_round.pending);
    (void)turn(&running, FORGE_NOW + 1, ALWAYS);
    assert_false(running.control.crl_round.pending);
    assert_false(running.control.crls.sources.full);
    assert_int_equal(running.control.crls.sources.count, 202);
    assert_non_null(source_of(&running, "http://10.0.0.1/b199"));
    running_stop(&running);
}

/* In force with the first snapshot, or with the change that made them wanted; a forged one is not. */
static void those_on_disk(void **state)
{
    struct running running;
    char directory[512];

    (void)state;
    scratch_good_trust(revocation);
    scratch_make("state");
    snprintf(directory, sizeof(directory), "%s", scratch_path("state/crls"));
    assert_int_equal(crl_cache_write(directory, ROOT_URL, list_of("R", 4), 4096), ASSAY_OK);
    assert_int_equal(crl_cache_write(directory, CA_URL, list_of("R", 6), 4096), ASSAY_OK);
    running_start(&running, FORGE_NOW);
    assert_int_equal(lists_in_force(&running), 1);
    SCRATCH_PEM("trust/i.pem", ca_der());
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 2);
    assert_int_equal(lists_in_force(&running), 1);
    scratch_good_trust("trust: {directory: trust}\n");
    assert_true(reload(&running));
    assert_int_equal(lists_in_force(&running), 0);
    assert_int_equal(crl_cache_write(directory, CA_URL, list_of("R", 4), 4096), ASSAY_OK);
    scratch_good_trust(revocation);
    assert_true(reload(&running));
    assert_int_equal(lists_in_force(&running), 2);
    running_stop(&running);
}

/* The thread is there, and the operator's limits are kept before it is asked. */
static void whom_it_may_not_ask(void **state)
{
    struct running running;
    const struct crl_source *source;

    (void)state;
    scratch_good_trust(
        "trust: {directory: trust, revocation: {mode: hard-fail, fetch: on, fetch_from: 10.0.0.0/8, crl_urls: "
        "[\"http://198.18.0.53/a.crl\"]}}\n");
    running_start(&running, FORGE_NOW);
    assert_true(crl_fetch_start(&running.control));
    assert_non_null(running.control.fetcher);
    assert_true(crl_fetch_start(&running.control));
    source = running.control.crls.sources.items[0];
    assert_false(turn(&running, FORGE_NOW, ALWAYS));
    assert_string_equal(source->error, "198.18.0.53 may not be asked (trust.revocation.fetch_from)");
    assert_int_equal(source->failures, 1);
    assert_false(turn(&running, FORGE_NOW, ALWAYS));
    assert_int_equal(source->failures, 1);
    assert_int_equal(crl_fetch_again(&running.control), 1);
    assert_false(turn(&running, FORGE_NOW, ALWAYS));
    assert_int_equal(source->failures, 2);
    crl_fetch_stop(&running.control);
    assert_null(running.control.fetcher);
    running_stop(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_unless_it_is_on, begin, scratch_end),
        cmocka_unit_test_setup_teardown(what_is_wanted, begin, scratch_end),
        cmocka_unit_test_setup_teardown(what_chains_name_is_wanted, begin, scratch_end),
        cmocka_unit_test_setup_teardown(who_may_not_choose, begin, scratch_end),
        cmocka_unit_test_setup_teardown(a_revoked_leaf_keeps_its_list, begin, scratch_end),
        cmocka_unit_test_setup_teardown(within_a_budget, begin, scratch_end),
        cmocka_unit_test_setup_teardown(time_changes_what_is_wanted, begin, scratch_end),
        cmocka_unit_test_setup_teardown(room_comes_with_the_next_round, begin, scratch_end),
        cmocka_unit_test_setup_teardown(those_on_disk, begin, scratch_end),
        cmocka_unit_test_setup_teardown(whom_it_may_not_ask, begin, scratch_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
