/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/sections.h"
#include "forge.h"
#include "scratch.h"
#include "x509/scope.h"

/* MRA S6, S29: the file's mode, or what an operator switched. */
static void test_modes(void **state)
{
    static const struct {
        const char *more;
        struct verify_switches verify;
        enum verify_mode mode;
    } cases[] = {
        {"", {.global = {0}}, VERIFY_ENFORCED},
        {"verify: {mode: disabled}\n", {.global = {0}}, VERIFY_DISABLED},
        {"verify: {mode: disabled}\n", {.global = {true, VERIFY_ENFORCED, 0}}, VERIFY_ENFORCED},
        {"", {.global = {true, VERIFY_PERMISSIVE, 99}}, VERIFY_PERMISSIVE},
    };
    struct problems problems = {0};
    struct trust *trust;

    scratch_good();
    SCRATCH_PEM("trust/a.pem", scratch_ca("a", 1), scratch_ca("b", 2));
    trust = trust_load(scratch_path("trust"), &problems);
    assert_non_null(trust);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = scratch_config(cases[i].more);
        struct section *section = section_build_trust(config, trust, &cases[i].verify, NULL, &problems);

        assert_non_null(section);
        assert_int_equal(section->data.trust.scopes[0].mode, cases[i].mode);
        assert_int_equal(section->data.trust.scopes[0].properties, VERIFY_ALL);
        assert_int_equal(x509_store_count(section->data.trust.scopes[0].store), 2);
        assert_int_equal(section->data.trust.scopes[0].policy->work_max, 64);
        section_drop(section);
        config_free(config);
    }
    trust_free(trust);
}

static const char two_deployments[] = "deployments:\n"
                                      "  - {name: two, trust: {directory: trust2}}\n"
                                      "  - {name: three, trust: {directory: trust3, global: off}}\n"
                                      "  - {name: four}\n";

static const struct trust_scope *scope_of(const struct section *section, const char *deployment)
{
    const struct trust_section *trust = &section->data.trust;

    return &trust
                ->scopes[x509_scope_find(trust, x509_scope_deployment(slice_text(deployment)), slice_text("h.lab"), 1)];
}

static bool holds(const struct trust_scope *scope, const struct trust *trust)
{
    return x509_store_roles(scope->store, trust->entries[0].certificate.sha256) != 0;
}

/* A store per deployment beside the global one: over it, or instead of it. */
static void test_stores_of_deployments(void **state)
{
    const struct verify_switches none = {0};
    struct config *config = scratch_config(two_deployments);
    struct problems problems = {0};
    struct section *section, *next;
    struct trust *trust;

    scratch_make("trust2");
    scratch_make("trust3");
    SCRATCH_PEM("trust2/c.pem", scratch_ca("c", 3));
    SCRATCH_PEM("trust3/d.pem", scratch_ca("d", 4));
    trust = trust_load_all(config, &problems);
    assert_non_null(trust);
    assert_ptr_equal(trust_of(trust, NULL), trust);
    assert_string_equal(trust_of(trust, "three")->deployment, "three");
    assert_null(trust_of(trust, "four"));
    section = section_choose(NULL, section_build_trust(config, trust, &none, NULL, &problems));
    assert_non_null(section);
    assert_ptr_equal(scope_of(section, "four")->store, section->data.trust.scopes[0].store);
    assert_true(holds(scope_of(section, "four"), trust));
    assert_false(holds(scope_of(section, "four"), trust_of(trust, "two")));
    assert_true(holds(scope_of(section, "two"), trust));
    assert_true(holds(scope_of(section, "two"), trust_of(trust, "two")));
    assert_false(holds(scope_of(section, "two"), trust_of(trust, "three")));
    assert_false(holds(scope_of(section, "three"), trust));
    assert_true(holds(scope_of(section, "three"), trust_of(trust, "three")));
    /* One more certificate for one deployment: another epoch. */
    trust_free(trust);
    SCRATCH_PEM("trust2/e.pem", scratch_ca("e", 5));
    trust = trust_load_all(config, &problems);
    next = section_choose(section, section_build_trust(config, trust, &none, NULL, &problems));
    assert_int_equal(section_epoch(next), 2);
    assert_int_equal(next->data.trust.revision, 2);
    section_drop(next);
    section_drop(section);
    trust_free(trust);
    config_free(config);
    assert_int_equal(problems.count + problems.warning_count, 0);
}

static void test_a_broken_store_of_a_deployment_refuses_all(void **state)
{
    struct config *config = scratch_config(two_deployments);
    struct problems problems = {0};

    scratch_make("trust2");
    scratch_make("trust3");
    scratch_write("trust3/broken.pem", "junk");
    assert_null(trust_load_all(config, &problems));
    assert_int_equal(problems.count, 1);
    problems_free(&problems);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_modes), cmocka_unit_test(test_stores_of_deployments),
                                       cmocka_unit_test(test_a_broken_store_of_a_deployment_refuses_all)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
