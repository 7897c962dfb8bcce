/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"
#include "proxy/internal.h"

static void names_are_found_exactly_and_nothing_near_them(void **state)
{
    static const struct route_origin origins[] = {
        {.host = "a"}, {.host = "cucm.steven.lab"}, {.host = "cucm.steven.lab.x"}, {.host = "z.lab"}};
    static const struct route_domain domains[] = {{.domain = "steven.lab"}, {.domain = "x.lab"}};
    static const struct route_section route = {
        .origin_count = 4, .origins = origins, .domain_count = 2, .domains = domains};
    static const struct route_section empty;
    static const char *const absent[] = {"", "A", "cucm", "cucm.steven.la", "cucm.steven.labx", "zz", "b"};

    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
        assert_null(route_find_origin(&route, slice_text(absent[i])));
        assert_null(route_find_domain(&route, slice_text(absent[i])));
    }
    assert_null(route_find_origin(&empty, slice_text("a")));
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(route_find_origin(&route, slice_text(origins[i].host)), &origins[i]);
    for (size_t i = 0; i < 2; i++)
        assert_ptr_equal(route_find_domain(&route, slice_text(domains[i].domain)), &domains[i]);
}

static void a_server_name_is_exact_then_one_label_of_wildcard_then_the_default(void **state)
{
    struct tls_credential exact = {.id = 1}, wild = {.id = 2}, other = {.id = 3};
    const struct credential_name names[] = {{"*.edge.lab", &wild}, {"a.edge.lab", &exact}};
    struct credential_section section = {.server_default = &other, .server_name_count = 2, .server_names = names};
    static const struct {
        const char *sni;
        uint64_t id;
    } rows[] = {{"", 3}, {"edge.lab", 3}, {"x.y.edge.lab", 3}, {"nodots", 3}, {"b.edge.lab", 2}, {"a.edge.lab", 1}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(route_server_credential(&section, slice_text(rows[i].sni))->id, rows[i].id);
    section.server_default = NULL;
    assert_null(route_server_credential(&section, slice_text("edge.lab")));
}

static void a_client_credential_of_host_and_port_beats_that_of_the_host(void **state)
{
    struct tls_credential port = {.id = 1}, host = {.id = 2}, other = {.id = 3};
    const struct credential_origin rows[] = {{"cucm.lab", 0, &host}, {"cucm.lab", 6972, &port}};
    struct credential_section section = {.client_default = &other, .client_origin_count = 2, .client_origins = rows};

    assert_int_equal(route_client_credential(&section, slice_text("imp.lab"), 6972)->id, 3);
    assert_int_equal(route_client_credential(&section, slice_text("cucm.lab"), 8443)->id, 2);
    assert_int_equal(route_client_credential(&section, slice_text("cucm.lab"), 6972)->id, 1);
}

static void our_own_addresses_are_known(void **state)
{
    struct assay_address own, other;
    struct route_section route = {.own_address_count = 1, .own_addresses = &own};

    assert_int_equal(address_parse(slice_text("198.18.0.10"), &own), ASSAY_OK);
    assert_int_equal(address_parse(slice_text("198.18.0.11"), &other), ASSAY_OK);
    assert_false(route_own_address(&route, &other));
    assert_true(route_own_address(&route, &own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_exactly_and_nothing_near_them),
        cmocka_unit_test(a_server_name_is_exact_then_one_label_of_wildcard_then_the_default),
        cmocka_unit_test(a_client_credential_of_host_and_port_beats_that_of_the_host),
        cmocka_unit_test(our_own_addresses_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
