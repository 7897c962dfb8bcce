/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

static struct assay_address address(const char *text)
{
    struct assay_address a;

    assert_int_equal(address_parse(slice_text(text), &a), ASSAY_OK);
    return a;
}

struct setup {
    struct net_address addresses[2][NET_ADDRESSES_MAX + 1];
    struct net_port_config ports[NET_PORTS_MAX + 1];
    struct net_route routes[NET_ROUTES_MAX + 1];
    struct net_config config;
};

/* 0: 198.18.1.10/24, 198.18.1.11/24, 10.0.0.5/8; 1: 198.18.2.10/30. */
static struct setup *good(struct fixture *f)
{
    static struct setup s;

    memset(&s, 0, sizeof(s));
    s.addresses[0][0] = (struct net_address){address("198.18.1.10"), 120};
    s.addresses[0][1] = (struct net_address){address("198.18.1.11"), 120};
    s.addresses[0][2] = (struct net_address){address("10.0.0.5"), 104};
    s.addresses[1][0] = (struct net_address){address("198.18.2.10"), 126};
    s.ports[0] = (struct net_port_config){.nic = &f->nics[0], .addresses = s.addresses[0], .addresses_count = 3};
    s.ports[1] = (struct net_port_config){.nic = &f->nics[1], .addresses = s.addresses[1], .addresses_count = 1};
    s.routes[0] = (struct net_route){{address("0.0.0.0"), 96}, address("198.18.1.1"), 0};
    s.routes[1] = (struct net_route){{address("172.16.0.0"), 108}, address("198.18.2.9"), 1};
    net_config_default(&s.config);
    s.config.ports = s.ports;
    s.config.ports_count = 2;
    s.config.routes = s.routes;
    s.config.routes_count = 2;
    s.config.pool = f->pool;
    return &s;
}

static void expect(struct setup *s, enum assay_error error, const char *what)
{
    struct net *net = NULL;
    enum assay_error got = net_create(&s->config, &net);

    if (got != error)
        fail_msg("%s: %s", what, assay_error_name(got));
    net_destroy(net);
}

static void refuses_numbers_out_of_range(void **state)
{
    struct setup *s;

#define WITH(change, error) \
    s = good(*state);       \
    s->change;              \
    expect(s, error, #change)
    WITH(config.ports_count = 0, ASSAY_ERR_RANGE);
    WITH(config.ports_count = NET_PORTS_MAX + 1, ASSAY_ERR_RANGE);
    WITH(config.routes_count = NET_ROUTES_MAX + 1, ASSAY_ERR_RANGE);
    WITH(config.pool = NULL, ASSAY_ERR_RANGE);
    WITH(config.neighbours_max = 0, ASSAY_ERR_RANGE);
    WITH(config.neighbours_max = 65537, ASSAY_ERR_RANGE);
    WITH(config.arp_pending_max = 0, ASSAY_ERR_RANGE);
    WITH(config.arp_pending_max = 65537, ASSAY_ERR_RANGE);
    WITH(config.echo_rate = 1000001, ASSAY_ERR_RANGE);
    WITH(config.icmp_error_rate = 1000001, ASSAY_ERR_RANGE);
    WITH(ports[0].nic = NULL, ASSAY_ERR_RANGE);
    WITH(ports[0].addresses_count = 0, ASSAY_ERR_RANGE);
    WITH(ports[0].addresses_count = NET_ADDRESSES_MAX + 1, ASSAY_ERR_RANGE);
    WITH(addresses[0][0].prefix_length = 96, ASSAY_ERR_RANGE);
    WITH(addresses[0][0].prefix_length = 24, ASSAY_ERR_RANGE);
    WITH(addresses[0][0].prefix_length = 129, ASSAY_ERR_RANGE);
    WITH(routes[0].port = 2, ASSAY_ERR_RANGE);
    WITH(routes[0].prefix.length = 129, ASSAY_ERR_RANGE);
    WITH(config.echo_rate = 0, ASSAY_OK);
    WITH(config.neighbours_max = 1, ASSAY_OK);
}

static void refuses_addresses_and_routes_that_cannot_be(void **state)
{
    static const char *const no_host[] = {"0.0.0.0",    "127.0.0.1",    "224.0.0.1",   "255.255.255.255",
                                          "198.18.1.0", "198.18.1.255", "::",          "::1",
                                          "ff02::1",    "fe80::1",      "::198.18.1.9"};
    static const char *const no_gateway[] = {"198.18.1.10", "198.18.1.0",  "198.18.1.255", "198.18.2.9",
                                             "203.0.113.1", "2001:db8::1", "0.0.0.0"};
    struct setup *s;

    for (size_t i = 0; i < sizeof(no_host) / sizeof(no_host[0]); i++) {
        WITH(addresses[0][0].address = address(no_host[i]), ASSAY_ERR_MALFORMED);
    }
    for (size_t i = 0; i < sizeof(no_gateway) / sizeof(no_gateway[0]); i++) {
        WITH(routes[0].gateway = address(no_gateway[i]), ASSAY_ERR_MALFORMED);
    }
    WITH(routes[0].prefix.length = 24, ASSAY_ERR_MALFORMED);
    WITH(routes[0].prefix.address = address("198.18.0.0"), ASSAY_ERR_MALFORMED); /* host bits */
    WITH(routes[0].prefix.address = address("2001:db8::"), ASSAY_ERR_MALFORMED);
    WITH(ports[0].vlan = 4095, ASSAY_ERR_RANGE);
    WITH(addresses[0][1].address = address("198.18.1.10"), ASSAY_ERR_DUPLICATE);
    WITH(addresses[1][0].address = address("198.18.1.10"), ASSAY_ERR_DUPLICATE);
    s = good(*state);
    s->routes[2] = s->routes[0];
    s->config.routes_count = 3;
    expect(s, ASSAY_ERR_DUPLICATE, "a route twice");
    s = good(*state);
    s->routes[0].prefix = (struct assay_prefix){address("10.0.0.0"), 104};
    expect(s, ASSAY_ERR_DUPLICATE, "a route to our own subnet");
}

/* The others of the same subnet may stand in for the first one; no other may. */
static void counts_the_sources_of_a_subnet(void **state)
{
    static const struct {
        const char *destination, *sources[3];
    } rows[] = {
        {"198.18.1.77", {"198.18.1.10", "198.18.1.11", NULL}},
        {"203.0.113.1", {"198.18.1.10", "198.18.1.11", NULL}},
        {"10.200.0.1", {"10.0.0.5", NULL, NULL}},
        {"172.16.5.5", {"198.18.2.10", NULL, NULL}},
        {"198.18.1.10", {NULL, NULL, NULL}},
        {"127.0.0.1", {NULL, NULL, NULL}},
    };
    struct setup *s = good(*state);
    struct net *net;

    assert_int_equal(net_create(&s->config, &net), ASSAY_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct assay_address to = address(rows[i].destination), sources[NET_ADDRESSES_MAX];
        uint32_t count = net_sources(net, &to, sources, NET_ADDRESSES_MAX), want = 0;

        for (; rows[i].sources[want]; want++) {
            struct assay_address wanted = address(rows[i].sources[want]);

            if (want >= count || !address_equal(&sources[want], &wanted))
                fail_msg("%s: source %u", rows[i].destination, want);
        }
        assert_int_equal(count, want);
        assert_int_equal(net_sources(net, &to, sources, 1), want > 0);
        assert_int_equal(net_sources(net, &to, sources, 0), 0);
    }
    net_destroy(net);
}

static void chooses_the_source_by_the_route(void **state)
{
    static const struct {
        const char *destination, *source; /* NULL: none */
    } rows[] = {
        {"198.18.1.77", "198.18.1.10"},
        {"10.200.0.1", "10.0.0.5"},
        {"198.18.2.9", "198.18.2.10"},
        {"203.0.113.1", "198.18.1.10"},
        {"172.16.5.5", "198.18.2.10"},
        {"172.32.5.5", "198.18.1.10"},
        {"198.18.1.10", NULL},
        {"10.0.0.5", NULL},
        {"198.18.1.255", NULL},
        {"255.255.255.255", NULL},
        {"224.1.1.1", NULL},
        {"127.0.0.1", NULL},
        {"2001:db8::1", NULL},
        {"0.0.0.0", NULL},
    };
    struct setup *s = good(*state);
    struct net *net;

    assert_int_equal(net_create(&s->config, &net), ASSAY_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct assay_address to = address(rows[i].destination), source, wanted;
        enum assay_error error = net_source(net, &to, &source);

        assert_int_equal(error, rows[i].source ? ASSAY_OK : ASSAY_ERR_UNRESOLVED);
        if (rows[i].source == NULL)
            continue;
        wanted = address(rows[i].source);
        if (!address_equal(&source, &wanted))
            fail_msg("%s", rows[i].destination);
    }
    net_destroy(net);
    s->config.routes_count = 0;
    assert_int_equal(net_create(&s->config, &net), ASSAY_OK);
    struct assay_address far = address("203.0.113.1"), source;
    assert_int_equal(net_source(net, &far, &source), ASSAY_ERR_UNRESOLVED);
    net_destroy(net);
    net_destroy(NULL);
}

static void knows_its_own(void **state)
{
    struct fixture *f = *state;
    struct setup *s = good(f);
    struct assay_address ours = address("10.0.0.5"), not_ours = address("10.0.0.6"), six = address("::a00:5");
    struct net *net;

    assert_int_equal(net_create(&s->config, &net), ASSAY_OK);
    assert_true(net_is_local(net, &ours));
    assert_false(net_is_local(net, &not_ours));
    assert_false(net_is_local(net, &six));
    assert_true(port_is_broadcast(&net->ports[0], IP(10, 255, 255, 255)));
    assert_false(port_is_broadcast(&net->ports[0], IP(10, 1, 255, 255)));
    assert_true(port_is_broadcast(&net->ports[1], IP(198, 18, 2, 11)));
    assert_true(port_is_on_link(&net->ports[1], IP(198, 18, 2, 9)));
    assert_false(port_is_on_link(&net->ports[1], IP(198, 18, 2, 12)));
    assert_int_equal(port_source_for(&net->ports[0], IP(10, 9, 9, 9)), IP(10, 0, 0, 5));
    net_destroy(net);

    s = good(f); /* a point-to-point subnet has no broadcast address (RFC 3021) */
    s->addresses[1][0].prefix_length = 127;
    s->config.routes_count = 1;
    assert_int_equal(net_create(&s->config, &net), ASSAY_OK);
    assert_true(port_is_on_link(&net->ports[1], IP(198, 18, 2, 11)));
    net_destroy(net);
}

static void lists_neighbours(void **state)
{
    struct fixture *f = *state;
    struct net_neighbour_info rows[8];
    struct frame arp = frame_arp(ARP_REQUEST, all_mac, peer_mac, IP(198, 18, 1, 7), NULL, IP(198, 18, 1, 10));
    struct assay_address peer = address("198.18.1.7");

    assert_int_equal(net_list_neighbours(f->net, rows, 8), 0);
    feed(f, 0, &arp);
    assert_int_equal(net_list_neighbours(f->net, rows, 0), 0);
    assert_int_equal(net_list_neighbours(f->net, rows, 8), 1);
    assert_true(address_equal(&rows[0].address, &peer));
    assert_memory_equal(rows[0].mac, peer_mac, 6);
    assert_string_equal(rows[0].state, "stale");
}

static void counters_have_names_and_help(void **state)
{
#define NET_COUNTER(name, help)     \
    assert_true(strlen(#name) > 3); \
    assert_true(strlen(help) > 10);
#define NIC_COUNTER NET_COUNTER
#include "net/counters.def"
#include "net/nic_counters.def"
#undef NET_COUNTER
#undef NIC_COUNTER
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_numbers_out_of_range),
        TEST(refuses_addresses_and_routes_that_cannot_be),
        TEST(counts_the_sources_of_a_subnet),
        TEST(chooses_the_source_by_the_route),
        TEST(knows_its_own),
        TEST(lists_neighbours),
        cmocka_unit_test(counters_have_names_and_help),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
