/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "x509/scope.h"

enum { GLOBAL, OF_A, OF_B, HOST, HOST_IN_A, PORT, PORT_IN_A, ADDRESS };

static uint64_t number(const char *name)
{
    return x509_scope_deployment(slice_text(name));
}

static void nothing_said_is_the_global_scope(void **state)
{
    static const struct trust_section trust = {.scope_count = 1};

    assert_int_equal(x509_scope_find(&trust, 0, slice_text("h.lab"), 443), 0);
    assert_int_equal(x509_scope_find(&trust, number("1"), slice_text("h.lab"), 443), 0);
    assert_int_equal(x509_scope_find(&trust, number("1"), slice_of(NULL, 0), 443), 0);
}

static void the_most_specific_scope_covers(void **state)
{
    struct trust_deployment deployments[] = {{number("a"), "a", OF_A}, {number("b"), "b", OF_B}};
    const struct trust_origin origins[] = {
        {"198.18.2.11", 0, 0, ADDRESS}, {"cucm.lab", 0, number("a"), HOST_IN_A},    {"cucm.lab", 0, 0, HOST},
        {"cucm.lab", 6972, 0, PORT},    {"cucm.lab", 6972, number("a"), PORT_IN_A},
    };
    struct trust_section trust = {.scope_count = 8,
                                  .deployment_count = 2,
                                  .deployments = deployments,
                                  .origin_count = sizeof(origins) / sizeof(origins[0]),
                                  .origins = origins};
    static const struct {
        const char *deployment, *host;
        uint16_t port;
        uint32_t scope;
    } rows
        [] =
            {
                {"a", "imp.lab", 8443, OF_A},
                {"b", "imp.lab", 8443, OF_B},
                {"c", "imp.lab", 8443, GLOBAL},
                {NULL, "imp.lab", 8443, GLOBAL},
                {"a", "cucm.lab", 8443, HOST_IN_A},
                {"c", "cucm.lab", 8443, HOST},
                {NULL, "cucm.lab", 8443, HOST},
                {"a", "cucm.lab", 6972, PORT_IN_A},
                {"c", "cucm.lab", 6972, PORT},
                {"c", "198.18.2.11", 443, ADDRESS},
                {"c", "198.18.2.1", 443, GLOBAL},
                {"c", "198.18.2.111", 443, GLOBAL},
                {"c", "cucm.la", 6972, GLOBAL},
                {"c", "cucm.lab.x", 6972, GLOBAL},
                {"c", "", 6972, GLOBAL},
                {"a", "zz.lab", 6972, OF_A},
                {"a", "198.18.2.11", 443, OF_A}, /* control makes a row of each deployment: none, none */
            };

    if (deployments[0].number > deployments[1].number) {
        struct trust_deployment first = deployments[0];

        deployments[0] = deployments[1];
        deployments[1] = first;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t deployment = rows[i].deployment != NULL ? number(rows[i].deployment) : 0;
        uint32_t scope = x509_scope_find(&trust, deployment, slice_text(rows[i].host), rows[i].port);

        if (scope != rows[i].scope)
            fail_msg("row %zu: scope %u, not %u", i, scope, rows[i].scope);
    }
}

static void a_deployments_number_is_a_property_of_its_name(void **state)
{
    assert_int_equal(number("a"), 0xaf63dc4c8601ec8cULL); /* FNV-1a of "a", as published */
    assert_int_equal(number(""), 0xcbf29ce484222325ULL);
    assert_int_not_equal(number("1"), number("2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_is_the_global_scope),
        cmocka_unit_test(the_most_specific_scope_covers),
        cmocka_unit_test(a_deployments_number_is_a_property_of_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
