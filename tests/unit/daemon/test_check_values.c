/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/check.h"
#include "daemon/config.h"
#include "scratch.h"

#define PORT "port: {device: net_null0, address: 198.18.0.10/15}\n"

/* What each value alone does not show. */
static const struct {
    const char *text;
    const char *expected[4];
} cases[] = {
    {"port: {device: net_null0, address: [198.18.0.10/15, 198.18.0.10/15]}\nlisteners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.address: 198.18.0.10 is there twice"}},
    {"port: {device: net_null0, address: [198.18.0.10/15, \"2001:db8::1/64\"], gateway: [198.18.0.1, \"fe80::1\"], "
     "vlan: 7}\nlisteners: [{clients: any, tls: off, address: \"2001:db8::1\"}]\n",
     {NULL}},
    {"port: {device: net_null0, address: \"fe80::1/64\"}\nlisteners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.address: fe80::1 cannot be a host's address"}},
    {"port: {device: net_null0, address: \"2001:db8::1/64\", mtu: 1279}\nlisteners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.mtu: IPv6 needs 1280"}},
    {PORT "listeners: [{clients: any, tls: off}]\nvia: \"edge one\"\n",
     {"a.yaml:3: via: 'edge one' is no name for Via: letters, digits and !#$%&'*+-.^_`|~, with :PORT behind them or "
      "without"}},
    {PORT "listeners: [{clients: any, tls: off}]\nvia: \"edge:\"\n",
     {"a.yaml:3: via: 'edge:' is no name for Via: letters, digits and !#$%&'*+-.^_`|~, with :PORT behind them or "
      "without"}},
    {PORT "listeners: [{clients: any, tls: off}]\nvia: \"edge-1.steven.lab:8443\"\n", {NULL}},
    {PORT "listeners: [{clients: any, tls: off}]\nnodes:\n- {address: \"2001:db8::11\", type: cucm}\ndns:\n  hosts:\n"
          "  - {name: a, addresses: [198.18.0.1, \"2001:db8::12\"]}\n",
     {"a.yaml:4: nodes[0]: 2001:db8::11 cannot be reached: port.address has no IPv6 address",
      "a.yaml:7: dns.hosts[0]: 2001:db8::12 cannot be reached: port.address has no IPv6 address"}},
    {"port: {device: net_null0, address: \"2001:db8::1/64\"}\nlisteners: [{clients: any, tls: off}]\nnodes:\n"
     "- {address: 198.18.0.11, type: cucm}\n",
     {"a.yaml:4: nodes[0]: 198.18.0.11 cannot be reached: port.address has no IPv4 address"}},
    {"port:\n  device: net_null0\n  address: [198.18.0.10/15, \"2001:db8::1/64\"]\n  gateway:\n  - 198.18.0.1\n"
     "  - 198.18.0.2\n  - \"2001:db9::1\"\n  routes:\n  - {to: 10.0.0.0/8, via: \"fe80::1\"}\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:6: port.gateway: 198.18.0.2: there is one of that family already",
      "a.yaml:7: port.gateway: 2001:db9::1 is on none of the subnets of port.address",
      "a.yaml:9: port.routes: via: fe80::1 is not of the family of the destinations"}},
    {"port: {device: net_null0, address: 198.18.0.10/15, gateway: \"fe80::1\"}\nlisteners: [{clients: any, tls: "
     "off}]\n",
     {"a.yaml:1: port.gateway: fe80::1 is on none of the subnets of port.address"}},
    {"port: {device: net_null0, address: 224.0.0.1/4}\nlisteners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.address: 224.0.0.1 cannot be a host's address"}},
    {"port:\n  device: net_null0\n  address: 198.18.0.10/24\n  gateway: 198.18.1.1\n  routes:\n  - {to: 10.0.0.0/8, "
     "via: 10.0.0.1}\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:4: port.gateway: 198.18.1.1 is on none of the subnets of port.address",
      "a.yaml:6: port.routes: via: 10.0.0.1 is on none of the subnets of port.address"}},
    {"port: {device: net_null0, address: 198.18.0.10/15, exception: {device: an-interface-name}}\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.exception.device: an-interface-name is no interface's name: at most 15 characters, no slash, no "
      "blank"}},
    {"port: {device: net_null0, address: 198.18.0.10/15, exception: {device: assay0, xdp: on}}\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.exception: device and xdp are two ways: choose one",
      "a.yaml:1: port.exception.xdp: net_null0 is no net_af_xdp port"}},
    {"port: {device: \"net_af_xdp0,iface=a,xdp_prog=b\", address: 198.18.0.10/15, exception: {xdp: on}}\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.exception.xdp: port.device names an xdp_prog of its own"}},
    {"port: {device: \"net_af_xdp0,iface=a\", address: 198.18.0.10/15, exception: {xdp: on}}\ncores: [0, 1]\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.exception.xdp: several cores need queue_count=2 in port.device, and an interface with combined "
      "channels; else one core"}},
    {"port: {device: \"net_af_xdp0,iface=a,queue_count=2\", address: 198.18.0.10/15, exception: {xdp: on}}\n"
     "cores: [0, 1]\nlisteners: [{clients: any, tls: off}]\n",
     {NULL}},
    {PORT "cores: [1, 2, 1]\nlisteners: [{clients: any, tls: off}]\n", {"a.yaml:2: cores: 1 is there twice"}},
    {"port: {device: \"net_af_packet0,iface=a,qpairs=3\", address: 198.18.0.10/15}\ncores: [0, 1]\n"
     "listeners: [{clients: any, tls: off}]\n",
     {"a.yaml:1: port.device: qpairs=3, but there are 2 cores; without qpairs it is as many"}},
    {PORT "cores: [0, 1, 2]\nlisteners: [{clients: any, tls: off}]\ntcp:\n  port_min: 30000\n  port_max: 30094\n",
     {"a.yaml:5: tcp: port_min to port_max are 95 ports, too few for 3 cores: at least 32 a core"}},
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
    {PORT "listeners: [{clients: any, tls: off}]\ntcp:\n  send_buffer: 32KiB\n  mbufs_max: 37\n",
     {"a.yaml:4: tcp.send_buffer: 38912 bytes are needed to pass on heads of limits.head_max",
      "a.yaml:5: tcp.mbufs_max: 38 are needed to pass on heads of limits.head_max"}},
    {PORT
     "listeners: [{clients: any, tls: off}]\ntcp:\n  send_buffer: 32KiB\n  mbufs_max: 37\nlimits: {head_max: 16KiB}\n",
     {NULL}},
    {PORT "listeners: [{clients: any, tls: off}]\ntcp:\n  port_min: 40000\n  rto_min: 5s\n  time_wait_max: 20000\n",
     {"a.yaml:4: tcp: port_min is above port_max", "a.yaml:5: tcp: rto_min, rto_initial, rto_max are not in order",
      "a.yaml:6: tcp: time_wait_max is above connections_max"}},
    {PORT "listeners: [{clients: any, tls: off}]\nlimits: {clients_max: 100000}\nlog: {ring: 100KiB}\n",
     {"a.yaml:3: limits.clients_max is above tcp.connections_max", "a.yaml:4: log.ring is not a power of two"}},
    {PORT "listeners: [{clients: any, tls: off}]\ntrust:\n  revocation:\n    mode: hard-fail\nverify:\n  pins:\n  - "
          "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n  - "
          "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg\n",
     {"a.yaml:5: trust.revocation: hard-fail without crls and without fetch would refuse every certificate of a CA",
      "a.yaml:9: verify.pins[1]: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeefg is not 64 hex "
      "digits"}},
    {PORT
     "listeners: [{clients: any, tls: off}]\ntrust:\n  revocation:\n    crl_urls: [\"http://a/b\", \"ldap://a/b\"]\n"
     "    fetch_max: 1MiB\n    cache_max: 1KiB\n",
     {"a.yaml:5: trust.revocation.crl_urls: nothing is fetched without fetch: on",
      "a.yaml:5: trust.revocation.crl_urls[1]: ldap://a/b is no http or https URL",
      "a.yaml:6: trust.revocation: fetch_max is above cache_max"}},
    {PORT "listeners: [{clients: any, tls: off}]\ndeployments:\n- {name: a}\n- {name: a}\n"
          "- {name: b, trust: {global: off}}\n- {name: c, trust: {global: off, directory: d}}\n",
     {"a.yaml:5: deployments[1].name: a is there twice",
      "a.yaml:6: deployments[2].trust: global is off and there is no directory: nothing would be trusted"}},
    {PORT "listeners: [{clients: any, tls: off}]\ndeployments: [{name: a}]\nnodes:\n"
          "- {address: 198.18.0.11, type: cucm, deployment: a}\n- {address: 198.18.0.12, type: cucm, deployment: A}\n"
          "domains:\n- {name: a.lab, deployment: a}\n- {name: b.lab}\n- {name: c.lab, deployment: c}\n",
     {"a.yaml:6: nodes[1].deployment: A is not in deployments",
      "a.yaml:10: domains[2].deployment: c is not in deployments"}},
    {PORT "listeners: [{clients: any, tls: off}]\nnodes: [{address: 198.18.0.11, type: cucm, deployment: x}]\n",
     {NULL}},
    {PORT "listeners: [{clients: any, tls: off}]\norigins:\n- hosts: [a.lab, \"a.lab:1\", default]\n"
          "- hosts: [b.lab, A.LAB]\n- {hosts: \"a.lab:1\"}\n",
     {"a.yaml:4: origins[0].hosts: what is said of all origins belongs into verify",
      "a.yaml:5: origins: a.lab is there twice", "a.yaml:6: origins: a.lab is there twice, with that port"}},
    {PORT "listeners: [{clients: any, tls: off}]\norigins:\n- hosts: a.lab\n  verify:\n    revocation: hard-fail\n"
          "deployments:\n- name: b\n  verify:\n    pins:\n    - "
          "zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
     {"a.yaml:11: deployments[0].verify.pins[0]: zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff is "
      "not 64 "
      "hex digits",
      "a.yaml:6: origins[0].verify.revocation: hard-fail without crls and without fetch would refuse every certificate "
      "of a CA"}},
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
