/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "daemon/check.h"
#include "daemon/config.h"
#include "forge.h"
#include "scratch.h"

static int begin(void **state)
{
    if (scratch_begin(state) != 0)
        return -1;
    scratch_good();
    return 0;
}

#define PORT "port: {device: net_null0, address: 198.18.0.10/15}\n"

/* What each value alone does not show. */
static const struct {
    const char *text;
    const char *expected[4];
} cases[] = {
    {"port: {device: net_null0, address: [198.18.0.10/15, 198.18.0.10/15]}\nlisteners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.address: 198.18.0.10 is there twice"}},
    {"port: {device: net_null0, address: [198.18.0.10/15, \"2001:db8::1/64\"]}\nlisteners: [{clients: any, tls: "
     "off}]\n",
     {"a.yaml:1: port.address: 2001:db8::1: IPv6 is not supported yet"}},
    {"port: {device: net_null0, address: 224.0.0.1/4}\nlisteners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.address: 224.0.0.1 cannot be a host's address"}},
    {"port:\n  device: net_null0\n  address: 198.18.0.10/24\n  gateway: 198.18.1.1\n  routes:\n  - {to: 10.0.0.0/8, "
     "via: 10.0.0.1}\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:4: port.gateway: 198.18.1.1 is on none of the subnets of port.address",
      "a.yaml:6: port.routes: via: 10.0.0.1 is on none of the subnets of port.address"}},
    {PORT "cores: [1, 2, 1]\nlisteners: [{clients: any, tls: off}]\n", {"a.yaml:2: cores: 1 is there twice"}},
    {PORT "listeners:\n- {clients: any, tls: off, address: 198.18.0.99}\n",
     {"a.yaml:3: listeners[0].address: 198.18.0.99 is not in port.address"}},
    {PORT "listeners:\n- {clients: any, tls: off}\n- {clients: any, tls: off, address: 198.18.0.10}\n",
     {"a.yaml:4: listeners[1]: the same address and port as listeners[0]"}},
    {PORT "listeners:\n- {clients: any}\n", {"a.yaml:3: listeners: one speaks TLS, but there are no credentials"}},
    {PORT "listeners: [{clients: any, tls: off}]\ndomains:\n- {name: a.lab}\n- {name: A.lab}\n",
     {"a.yaml:5: domains[1]: a.lab is there twice"}},
    {PORT "listeners: [{clients: any, tls: off}]\ndns:\n  hosts:\n  - {name: a, addresses: 198.18.0.1}\n  - {name: a, "
          "addresses: 198.18.0.2}\n",
     {"a.yaml:6: dns.hosts[1]: a is there twice"}},
    {PORT "listeners: [{clients: any, tls: off}]\ntcp:\n  port_min: 40000\n  rto_min: 5s\n  time_wait_max: 20000\n",
     {"a.yaml:4: tcp: port_min is above port_max", "a.yaml:5: tcp: rto_min, rto_initial, rto_max are not in order",
      "a.yaml:6: tcp: time_wait_max is above connections_max"}},
    {PORT "listeners: [{clients: any, tls: off}]\nlimits: {clients_max: 100000}\nlog: {ring: 100KiB}\n",
     {"a.yaml:3: limits.clients_max is above tcp.connections_max", "a.yaml:4: log.ring is not a power of two"}},
};

static void test_values(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct problems problems = {0};
        struct config *config = config_parse(slice_text(cases[i].text), "a.yaml", &problems);

        scratch_expect(&problems, (const char *const[]){NULL});
        check_values(config, &problems);
        scratch_expect(&problems, cases[i].expected);
        problems_free(&problems);
        config_free(config);
    }
}

static void test_a_good_file(void **state)
{
    struct problems problems = {0};

    assert_true(check_file(scratch_path("good.yaml"), FORGE_NOW, &problems));
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.warning_count, 0);
    assert_false(check_file(scratch_path("nowhere.yaml"), FORGE_NOW, &problems));
    problems_free(&problems);
}

/* Faults of the file do not hide those of the files it names. */
static void test_everything_is_reported_at_once(void **state)
{
    struct problems problems = {0};
    struct text text = {0};

    scratch_make("trust2");
    scratch_write("trust2/a.pem", "x");
    scratch_write("list.csv", "Url\n");
    text_add_text(&text, PORT "listeners: [{clients: any, port: 99999}]\n"
                              "credentials: [{chain: server.pem, key: nowhere.key}, {chain: [a], key: b}]\n"
                              "trust: {directory: trust2}\n"
                              "allow_list: list.csv\n"
                              "listner: 1\n");
    scratch_write("all.yaml", text_get(&text));
    assert_false(check_file(scratch_path("all.yaml"), FORGE_NOW, &problems));
    assert_int_equal(problems.count, 6);
    assert_non_null(strstr(problems.items[0], "all.yaml:6: listner: unknown key"));
    assert_non_null(strstr(problems.items[1], "all.yaml:2: listeners[0].port: 99999 is not within 1 to 65535"));
    assert_non_null(strstr(problems.items[2], "all.yaml:3: credentials[1].chain: a single value is expected"));
    assert_non_null(strstr(problems.items[3], "trust2/a.pem: holds no certificate"));
    assert_non_null(strstr(problems.items[4], "list.csv:1: "));
    assert_non_null(strstr(problems.items[5], "all.yaml:3: key "));
    problems_free(&problems);
    text_free(&text);
}

static void test_keys_are_printed(void **state)
{
    char *out = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);

    check_print_keys(file);
    fclose(file);
    assert_non_null(strstr(out, "| `revoke_grace` |"));
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_a_good_file),
        cmocka_unit_test(test_everything_is_reported_at_once),
        cmocka_unit_test(test_keys_are_printed),
    };

    return cmocka_run_group_tests(tests, begin, scratch_end);
}
