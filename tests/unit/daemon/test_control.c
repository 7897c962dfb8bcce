/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/address.h"
#include "forge.h"
#include "running.h"
#include "scratch.h"
#include "x509/pem.h"

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

/* "nothing was changed" is true of the directory too: a broken file elsewhere does not leave half a change behind. */
static void test_trust_that_cannot_be_published(void **state)
{
    const struct slice kept = scratch_ca("kept", 3), fresh = scratch_ca("fresh", 2);
    struct running running;
    struct change change;
    struct trust *added;
    struct text text = {0};
    char fingerprint[65], removed[65];

    scratch_make("branch");
    text_printf(&text, "%sdeployments: [{name: branch, trust: {directory: branch}}]\n", scratch_good_yaml);
    scratch_write("good.yaml", text_get(&text));
    running_start(&running, NOW);
    add(&running, kept, "anchor");
    trust_fingerprint(running.control.trust->entries[0].certificate.sha256, fingerprint);
    scratch_write("branch/half.pem", "half of it");

    assert_false(control_trust_add(&running.control, NULL, fresh, -1, &added, &change));
    assert_int_equal(change.problems.count, 1);
    assert_non_null(strstr(change.problems.items[0], "branch/half.pem"));
    assert_int_equal(scratch_count("trust/anchors"), 1);
    change_free(&change);
    assert_int_equal(control_trust_remove(&running.control, NULL, fingerprint, removed, &change), ASSAY_ERR_IO);
    assert_int_equal(change.problems.count, 1);
    assert_int_equal(scratch_count("trust/anchors"), 1);
    change_free(&change);

    assert_int_equal(unlink(scratch_path("branch/half.pem")), 0);
    assert_true(control_reload(&running.control, NOW, &change));
    assert_false(change.published); /* nothing has changed, indeed */
    change_free(&change);
    assert_int_equal(control_trust_remove(&running.control, NULL, fingerprint, removed, &change), ASSAY_OK);
    assert_int_equal(scratch_count("trust/anchors"), 0);
    change_free(&change);
    running_stop(&running);
    scratch_write("good.yaml", scratch_good_yaml);
    text_free(&text);
}

/* A directory that is gone is a fault, where certificates came from it; an empty one is a wish. */
static void test_trust_that_is_gone(void **state)
{
    struct running running;
    struct change change;
    char path[256], away[256], expected[128];
    size_t count;

    snprintf(path, sizeof(path), "%s", scratch_path("trust"));
    snprintf(away, sizeof(away), "%s", scratch_path("away"));
    running_start(&running, NOW);
    add(&running, scratch_ca("root", 1), "anchor");
    count = running.control.trust->count;
    snprintf(expected, sizeof(expected), "trust: is gone, and %zu certificates were trusted from it", count);
    assert_int_equal(rename(path, away), 0);
    assert_false(control_reload(&running.control, NOW, &change));
    assert_int_equal(change.problems.count, 1);
    assert_non_null(strstr(change.problems.items[0], expected));
    assert_int_equal(x509_store_count(current(&running)->trust->scopes[0].store), count);
    change_free(&change);
    scratch_make("trust");
    assert_true(control_reload(&running.control, NOW, &change));
    assert_int_equal(x509_store_count(current(&running)->trust->scopes[0].store), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bad_file_without_a_last_good_one),
        cmocka_unit_test(test_reload_is_whole_or_not_at_all),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_last_good_configuration_starts),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_trust_that_cannot_be_published),
        cmocka_unit_test(test_trust_that_is_gone),
    };

    return cmocka_run_group_tests(tests, scratch_begin_good, scratch_end);
}
