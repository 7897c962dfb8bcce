/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "access/clients.h"
#include "base/address.h"
#include "daemon/sections.h"
#include "scratch.h"

static const char yaml[] = "port: {device: net_null0, address: [198.18.0.10/15, 198.18.0.11/15]}\n"
                           "listeners:\n"
                           "- {clients: 198.18.1.0/24, trusted_peers: 198.18.1.7, origin: \"https://a.lab:8443\"}\n"
                           "- {clients: any, address: 198.18.0.11, port: 80, tls: off}\n"
                           "domains:\n"
                           "- {name: steven.lab, edge_config: \"http://b.lab\"}\n"
                           "- {name: Branch.lab}\n";

static struct assay_address address(const char *text)
{
    struct assay_address out;

    assert_int_equal(address_parse(slice_text(text), &out), ASSAY_OK);
    return out;
}

static void test_listeners_domains_own_addresses(void **state)
{
    const struct assay_address client = address("198.18.1.7"), other = address("198.18.1.8"), far = address("10.0.0.1");
    struct problems problems = {0};
    struct config *config = config_parse(slice_text(yaml), "a.yaml", &problems);
    struct section *section = section_build_route(config, NULL, &problems);
    const struct route_section *route = &section->data.route;
    char text[ASSAY_ADDRESS_TEXT_MAX];

    assert_non_null(section);
    assert_int_equal(route->listener_count, 2);
    assert_string_equal(address_format(&route->listeners[0].address, text), "198.18.0.10"); /* the port's first */
    assert_int_equal(route->listeners[0].port, 8443);
    assert_true(access_clients_allow(route->listeners[0].clients, &other));
    assert_false(access_clients_allow(route->listeners[0].clients, &far));
    assert_true(access_clients_allow(route->listeners[0].trusted, &client));
    assert_false(access_clients_allow(route->listeners[0].trusted, &other));
    assert_string_equal(route->listeners[0].origin_host, "a.lab");
    assert_true(access_clients_allow(route->listeners[1].clients, &far));
    assert_null(route->listeners[1].trusted);
    assert_null(route->listeners[1].origin_host);
    assert_false(route->listeners[1].tls);

    assert_int_equal(route->domain_count, 2);
    assert_string_equal(route->domains[0].domain, "branch.lab"); /* sorted */
    assert_null(route->domains[0].host);
    assert_string_equal(route->domains[1].host, "b.lab");
    assert_int_equal(route->domains[1].port, 80);
    assert_int_equal(route->own_address_count, 2);
    assert_int_equal(route->origin_count, 0);
    section_drop(section);
    config_free(config);
}

static void test_origins(void **state)
{
    const struct assay_address one = address("198.18.2.11");
    struct problems problems = {0};
    struct config *config = config_parse(slice_text(yaml), "a.yaml", &problems);
    struct section *first, *same, *changed;
    struct names names = {0};

    sections_want_names(config, NULL, NULL, &names);
    names_answer(&names, slice_text("a.lab"), &one, 1, NULL, 0);
    names_fail(&names, slice_text("b.lab"), "NXDOMAIN from 198.18.2.53");
    first = section_build_route(config, &names, &problems);
    assert_int_equal(first->data.route.origin_count, 2);
    assert_string_equal(first->data.route.origins[0].host, "a.lab");
    assert_int_equal(first->data.route.origins[0].address_count, 1);
    assert_null(first->data.route.origins[0].error);
    assert_int_equal(first->data.route.origins[1].address_count, 0);
    assert_string_equal(first->data.route.origins[1].error, "NXDOMAIN from 198.18.2.53");
    /* with addresses at hand, a later failure is no change */
    names_fail(&names, slice_text("a.lab"), "timeout");
    same = section_build_route(config, &names, &problems);
    assert_true(slice_equal(text_slice(&first->content), text_slice(&same->content)));
    names_answer(&names, slice_text("b.lab"), &one, 1, NULL, 0);
    changed = section_build_route(config, &names, &problems);
    assert_false(slice_equal(text_slice(&first->content), text_slice(&changed->content)));
    section_drop(first);
    section_drop(same);
    section_drop(changed);
    names_free(&names);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_listeners_domains_own_addresses),
                                       cmocka_unit_test(test_origins)};

    return cmocka_run_group_tests(tests, scratch_begin, scratch_end);
}
