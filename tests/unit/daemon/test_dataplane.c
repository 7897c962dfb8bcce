/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the cores are configured with; that they come up and go down is tested end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/address.h"
#include "daemon/dataplane.h"

static struct config *config_of(const char *text)
{
    struct problems problems = {0};

    return config_parse(slice_text(text), "a.yaml", &problems);
}

static void test_tcp(void **state)
{
    struct config *config =
        config_of("port: {device: net_null0, address: 198.18.0.10/15, mtu: 9000}\n"
                  "listeners: [{clients: any}]\n"
                  "tcp: {connections_max: 100, time_wait_max: 10, receive_buffer: 8KiB, send_buffer: 16KiB,\n"
                  "  mbufs_max: 17, syn_backlog: 18, accept_backlog: 19, port_min: 2000, port_max: 3000,\n"
                  "  path_mtu_min: 1000, rto_min: 20ms, rto_max: 21s, rto_initial: 220ms, syn_retries: 3, retries: 4,\n"
                  "  delayed_ack: 5ms, keepalive_idle: 24h, keepalive_interval: 7s, keepalive_probes: 8,\n"
                  "  time_wait: 9s, fin_wait: 10s, congestion: newreno, ecn: on, timestamps: off, sack: off,\n"
                  "  window_scaling: off, syn_cookies: off, half_open: 12s, source_half_open_max: 20,\n"
                  "  source_connections_max: 21, challenge_acks: 22}\n");
    struct tcp_config tcp;

    assert_non_null(config);
    dataplane_tcp_config(config, &tcp);
    assert_int_equal(tcp.mtu, 9000);
    assert_int_equal(tcp.path_mtu_min, 1000);
    assert_int_equal(tcp.connections_max, 100);
    assert_false(tcp.syn_cookies);
    assert_int_equal(tcp.half_open_us, 12000000);
    assert_int_equal(tcp.source_half_open_max, 20);
    assert_int_equal(tcp.source_connections_max, 21);
    assert_int_equal(tcp.challenge_acks_max, 22);
    assert_int_equal(tcp.receive_buffer_bytes, 8192);
    assert_int_equal(tcp.send_buffer_bytes, 16384);
    assert_int_equal(tcp.mbufs_max_per_connection, 17);
    assert_int_equal(tcp.port_min, 2000);
    assert_int_equal(tcp.port_max, 3000);
    assert_int_equal(tcp.rto_min_us, 20000);
    assert_int_equal(tcp.rto_initial_us, 220000);
    assert_int_equal(tcp.keepalive_idle_us, UINT32_MAX); /* a day does not fit: as long as possible */
    assert_int_equal(tcp.congestion, TCP_CONGESTION_NEWRENO);
    assert_int_equal(tcp.ecn, TCP_ECN_ON);
    assert_false(tcp.timestamps || tcp.sack || tcp.window_scaling);
    config_free(config);
}

static void test_net(void **state)
{
    struct config *config = config_of("port:\n"
                                      "  device: net_null0\n"
                                      "  address: [198.18.0.10/15, 10.1.0.1/24, \"2001:db8::10/64\"]\n"
                                      "  gateway: [198.18.0.1, \"fe80::1\"]\n"
                                      "  vlan: 42\n"
                                      "  fragments: reassemble\n"
                                      "  routes: [{to: [10.2.0.0/16, 10.3.0.0/16], via: 10.1.0.254}]\n"
                                      "listeners: [{clients: any}]\n");
    struct net_address addresses[NET_ADDRESSES_MAX];
    struct net_route routes[NET_ROUTES_MAX];
    struct net_port_config port = {0};
    char text[ASSAY_ADDRESS_TEXT_MAX];
    struct net_config net;

    assert_non_null(config);
    dataplane_net_config(config, &port, addresses, routes, &net);
    assert_int_equal(net.ports_count, 1);
    assert_int_equal(port.addresses_count, 3);
    assert_int_equal(port.vlan, 42);
    assert_true(net.reassemble);
    assert_int_equal(addresses[1].prefix_length, 96 + 24);
    assert_int_equal(addresses[2].prefix_length, 64);
    assert_int_equal(net.routes_count, 4);
    assert_string_equal(address_format(&routes[0].prefix.address, text), "0.0.0.0");
    assert_int_equal(routes[0].prefix.length, 96); /* the default route */
    assert_string_equal(address_format(&routes[0].gateway, text), "198.18.0.1");
    assert_string_equal(address_format(&routes[1].prefix.address, text), "::");
    assert_int_equal(routes[1].prefix.length, 0);
    assert_string_equal(address_format(&routes[1].gateway, text), "fe80::1");
    assert_string_equal(address_format(&routes[3].prefix.address, text), "10.3.0.0");
    config_free(config);
}

static void test_exception_device(void **state)
{
    static const char *const cases[][2] = {{"assay0", "net_tap_exception,iface=assay0"},
                                           {"net_tap7,iface=x,mac=fixed", "net_tap7,iface=x,mac=fixed"},
                                           {"net_null3", "net_null3"},
                                           {"virtio_user0,path=/dev/vhost-net", "virtio_user0,path=/dev/vhost-net"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config = {.root.port.exception.device = cases[i][0]};
        struct text device = {0};

        dataplane_exception_device(&config, &device);
        assert_string_equal(text_get(&device), cases[i][1]);
        text_free(&device);
    }
}

static void test_rates_are_shared_out_and_one_core_speaks(void **state)
{
    uint32_t echo = 0, errors = 0;

    for (uint32_t i = 0; i < 3; i++) {
        struct net_config net = {.echo_rate = 1000, .icmp_error_rate = 2};

        dataplane_net_share(&net, i, 3);
        assert_int_equal(net.listens_only, i > 0);
        assert_in_range(net.echo_rate, 333, 334);
        echo += net.echo_rate;
        errors += net.icmp_error_rate;
    }
    assert_int_equal(echo, 1000);
    assert_int_equal(errors, 2);
}

static void test_the_flow_map_is_random_and_fair(void **state)
{
    struct config *config = config_of("port: {device: net_null0, address: 198.18.0.10/15}\ncores: [0, 1, 2, 3, 4]\n"
                                      "listeners: [{clients: any}]\ntcp: {port_min: 30000, port_max: 30999}\n");
    static struct flow_map maps[2];
    struct problems problems = {0};

    assert_non_null(config);
    for (int i = 0; i < 2; i++) {
        assert_true(dataplane_flow_map(config, &maps[i], &problems));
        assert_int_equal(maps[i].cores, 5);
        assert_true(flow_map_is_fair(&maps[i], 30000, 30999));
    }
    assert_int_not_equal(memcmp(maps[0].key, maps[1].key, sizeof(maps[0].key)), 0);
    config->root.tcp.port_max = 30003; /* check_values refuses it; here it ends as well */
    assert_false(dataplane_flow_map(config, &maps[0], &problems));
    assert_non_null(strstr(problems.items[0], "cannot be shared out among 5 cores"));
    problems_free(&problems);
    config_free(config);
}

static void test_mtu_of_the_device(void **state)
{
    static const struct {
        const char *device;
        bool fits;
    } rows[] = {{"net_af_packet0,iface=x", false},
                {"net_af_packet0,iface=x,framesz=8192", false},
                {"net_af_packet0,iface=x,framesz=16384", true},
                {"0000:03:00.0", true}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config config = {.file = "a.yaml", .root.port = {.device = rows[i].device, .mtu = 9000}};
        struct problems problems = {0};

        assert_int_equal(dataplane_mtu_fits(&config, &problems), rows[i].fits);
        assert_int_equal(problems.count, !rows[i].fits);
        if (!rows[i].fits)
            assert_non_null(strstr(problems.items[0], "framesz"));
        problems_free(&problems);
    }
}

static void test_down_without_up(void **state)
{
    static struct dataplane dataplane;

    dataplane_stop(&dataplane);
    dataplane_free_cores(&dataplane);
    dataplane_down(&dataplane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tcp),
                                       cmocka_unit_test(test_net),
                                       cmocka_unit_test(test_exception_device),
                                       cmocka_unit_test(test_rates_are_shared_out_and_one_core_speaks),
                                       cmocka_unit_test(test_the_flow_map_is_random_and_fair),
                                       cmocka_unit_test(test_mtu_of_the_device),
                                       cmocka_unit_test(test_down_without_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
