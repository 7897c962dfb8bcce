/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/sections.h"
#include "forge.h"
#include "scratch.h"

/* MRA S6, S29: the file's mode, or what an operator switched. */
static void test_modes(void **state)
{
    static const struct {
        const char *more;
        struct verify_switch verify;
        enum verify_mode mode;
    } cases[] = {
        {"", {0}, VERIFY_ENFORCED},
        {"verify: {mode: disabled}\n", {0}, VERIFY_DISABLED},
        {"verify: {mode: disabled}\n", {true, VERIFY_ENFORCED, 0}, VERIFY_ENFORCED},
        {"", {true, VERIFY_PERMISSIVE, 99}, VERIFY_PERMISSIVE},
    };
    struct problems problems = {0};
    struct trust *trust;

    scratch_good();
    SCRATCH_PEM("trust/a.pem", scratch_ca("a", 1), scratch_ca("b", 2));
    trust = trust_load(scratch_path("trust"), &problems);
    assert_non_null(trust);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config *config = scratch_config(cases[i].more);
        struct section *section = section_build_trust(config, trust, &cases[i].verify, &problems);

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_modes)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
