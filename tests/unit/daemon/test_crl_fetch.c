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
#include "daemon/crl_fetch.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "x509/verify.h"

#define ROOT_URL "http://10.0.0.1/root.crl"
#define CA_URL   "http://crl.steven.lab/ca.crl"

static const char revocation[] =
    "trust: {directory: trust, revocation: {mode: hard-fail, fetch: on, fetch_from: 10.0.0.0/8, crl_urls: [\"" ROOT_URL
    "\"]}}\n";

static void configure(const char *line)
{
    struct text text = {0};
    const char *trust = strstr(scratch_good_yaml, "trust: {directory: trust}\n");

    text_add(&text, scratch_good_yaml, (size_t)(trust - scratch_good_yaml));
    text_printf(&text, "%s%s", line, trust + strlen("trust: {directory: trust}\n"));
    scratch_write("good.yaml", text_get(&text));
    text_free(&text);
}

static struct slice points_of(const char *url)
{
    struct slice name = FORGE_TLV(0xa0, FORGE_TLV(0xa0, forge_text(0x86, url)));

    return forge_extension("2.5.29.31", false, FORGE_TLV(0x30, FORGE_TLV(0x30, name)));
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
    struct slice path[] = {ca_der(), root_der()};
    struct running running;

    (void)state;
    running_start(&running, FORGE_NOW);
    crl_fetch_want_path(&running.control, path, 2);
    assert_int_equal(running.control.crls.sources.count, 0);
    assert_true(crl_fetch_start(&running.control));
    assert_null(running.control.fetcher);
    assert_false(crl_fetch_turn(&running.control, FORGE_NOW));
    assert_int_equal(crl_fetch_again(&running.control), 0);
    running_stop(&running);
}

/* Those of the configuration, of certificates that are trusted, and of paths that hold; their hosts are resolved. */
static void what_is_wanted(void **state)
{
    struct slice path[] = {ca_der(), root_der()};
    struct running running;

    (void)state;
    configure(revocation);
    running_start(&running, FORGE_NOW);
    assert_int_equal(running.control.crls.sources.count, 1);
    assert_string_equal(running.control.crls.sources.items[0]->named_by, "the configuration");
    crl_fetch_want_path(&running.control, path, 2);
    assert_int_equal(running.control.crls.sources.count, 2);
    assert_string_equal(running.control.crls.sources.items[1]->urls[0].text, CA_URL);
    assert_string_equal(running.control.crls.sources.items[1]->named_by, "I");
    assert_int_equal(running.control.crls.sources.items[1]->issuer_count, 1);
    (void)crl_fetch_follow(&running.control);
    assert_int_equal(running.control.crls.sources.count, 1); /* paths are told again */
    SCRATCH_PEM("trust/i.pem", ca_der());
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 2);
    assert_non_null(names_find(&running.control.names, slice_text("crl.steven.lab")));
    assert_true(reload(&running)); /* a name that is still wanted keeps its place */
    assert_non_null(names_find(&running.control.names, slice_text("crl.steven.lab")));
    configure("trust: {directory: trust}\n");
    assert_true(reload(&running));
    assert_int_equal(running.control.crls.sources.count, 0);
    running_stop(&running);
}

/* In force with the first snapshot, or with the change that made them wanted; a forged one is not. */
static void those_on_disk(void **state)
{
    struct running running;
    char directory[512];

    (void)state;
    configure(revocation);
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
    configure("trust: {directory: trust}\n");
    assert_true(reload(&running));
    assert_int_equal(lists_in_force(&running), 0);
    assert_int_equal(crl_cache_write(directory, CA_URL, list_of("R", 4), 4096), ASSAY_OK);
    configure(revocation);
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
    configure("trust: {directory: trust, revocation: {mode: hard-fail, fetch: on, fetch_from: 10.0.0.0/8, crl_urls: "
              "[\"http://198.18.0.53/a.crl\"]}}\n");
    running_start(&running, FORGE_NOW);
    assert_true(crl_fetch_start(&running.control));
    assert_non_null(running.control.fetcher);
    assert_true(crl_fetch_start(&running.control));
    source = running.control.crls.sources.items[0];
    assert_false(crl_fetch_turn(&running.control, FORGE_NOW));
    assert_string_equal(source->error, "198.18.0.53 may not be asked (trust.revocation.fetch_from)");
    assert_int_equal(source->failures, 1);
    assert_false(crl_fetch_turn(&running.control, FORGE_NOW));
    assert_int_equal(source->failures, 1);
    assert_int_equal(crl_fetch_again(&running.control), 1);
    assert_false(crl_fetch_turn(&running.control, FORGE_NOW));
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
        cmocka_unit_test_setup_teardown(those_on_disk, begin, scratch_end),
        cmocka_unit_test_setup_teardown(whom_it_may_not_ask, begin, scratch_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
