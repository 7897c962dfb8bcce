/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

struct setup {
    struct net_address addresses[2][3];
    struct net_route routes[3];
    struct net_port_config ports[2];
    struct net_config config;
};

static struct setup good(struct fixture *f)
{
    struct setup s;

    memset(&s, 0, sizeof(s));
    s.addresses[0][0] = (struct net_address){ip6("2001:db8:1::10"), 64};
    s.addresses[0][1] = (struct net_address){ip6("2001:db8:1::11"), 64};
    s.addresses[0][2] = (struct net_address){ip6("2001:db8:a::10"), 48};
    s.addresses[1][0] = (struct net_address){ip6("2001:db8:2::10"), 127};
    s.routes[0] = (struct net_route){{ip6("::"), 0}, ip6("2001:db8:1::1"), 0};
    s.routes[1] = (struct net_route){{ip6("2001:db8:100::"), 40}, ip6("fe80::1"), 1};
    net_config_default(&s.config);
    s.config.ports_count = 2;
    s.config.routes_count = 2;
    s.config.pool = f->pool;
    return s;
}

static enum assay_error create(struct fixture *f, struct setup *s, struct net **net)
{
    s->ports[0] = (struct net_port_config){.nic = &f->nics[0], .addresses = s->addresses[0], .addresses_count = 3};
    s->ports[1] = (struct net_port_config){.nic = &f->nics[1], .addresses = s->addresses[1], .addresses_count = 1};
    s->config.ports = s->ports;
    s->config.routes = s->routes;
    return net_create(&s->config, net);
}

static void use_all(struct net *net)
{
    for (uint32_t port = 0; port < net->ports_count; port++)
        for (uint32_t i = 0; i < net->ports[port].addresses6_count; i++)
            net->ports[port].addresses6[i].state = ADDRESS6_PREFERRED;
}

static void expect(struct fixture *f, struct setup *s, enum assay_error error, const char *what)
{
    struct net *net = NULL;

    if (create(f, s, &net) != error)
        fail_msg("%s", what);
    net_destroy(net);
}

static void refuses_what_cannot_be(void **state)
{
    struct fixture *f = *state;
    struct setup s;

#define WITH(change, error) \
    s = good(f);            \
    s.change;               \
    expect(f, &s, error, #change)
    WITH(addresses[0][0].address = ip6("::1"), ASSAY_ERR_MALFORMED);
    WITH(addresses[0][0].address = ip6("ff02::1"), ASSAY_ERR_MALFORMED);
    WITH(addresses[0][0].address = ip6("fe80::5"), ASSAY_ERR_MALFORMED);
    WITH(addresses[0][0].prefix_length = 0, ASSAY_ERR_RANGE);
    WITH(addresses[0][0].prefix_length = 129, ASSAY_ERR_RANGE);
    WITH(addresses[0][1].address = ip6("2001:db8:1::10"), ASSAY_ERR_DUPLICATE);
    WITH(addresses[1][0].address = ip6("2001:db8:1::10"), ASSAY_ERR_DUPLICATE);
    WITH(routes[0].gateway = ip6("2001:db8:9::1"), ASSAY_ERR_MALFORMED);  /* on no subnet */
    WITH(routes[0].gateway = ip6("2001:db8:2::11"), ASSAY_ERR_MALFORMED); /* of another port */
    WITH(routes[0].gateway = ip6("2001:db8:1::10"), ASSAY_ERR_MALFORMED); /* ourselves */
    WITH(routes[0].gateway = ip6("198.18.1.1"), ASSAY_ERR_MALFORMED);
    WITH(routes[0].gateway = ip6("::"), ASSAY_ERR_MALFORMED);
    WITH(routes[0].prefix.address = ip6("198.18.0.0"), ASSAY_ERR_MALFORMED);
    WITH(routes[1].prefix.length = 20, ASSAY_ERR_MALFORMED);
    WITH(routes[1] = s.routes[0], ASSAY_ERR_DUPLICATE);
    WITH(routes[0].gateway = ip6("fe80::99"), ASSAY_OK);
    WITH(config.routes_count = 0, ASSAY_OK);
}

static void chooses_the_source_by_the_route(void **state)
{
    static const struct {
        const char *destination, *source; /* NULL: none */
    } rows[] = {
        {"2001:db8:1::77", "2001:db8:1::10"},
        {"2001:db8:a:1::77", "2001:db8:a::10"},
        {"2001:db8:2::11", "2001:db8:2::10"},
        {"2001:db8:100::1", "2001:db8:2::10"}, /* its gateway is link-local, its source is not */
        {"2001:db9::1", "2001:db8:1::10"},
        {"2001:db8:1::10", NULL},
        {"fe80::77", NULL},
        {"ff02::1", NULL},
        {"::1", NULL},
        {"::", NULL},
        {"198.18.0.1", NULL}, /* no IPv4 address here */
    };
    struct fixture *f = *state;
    struct setup s = good(f);
    struct net *net;

    assert_int_equal(create(f, &s, &net), ASSAY_OK);
    for (int used = 0; used < 2; used++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct assay_address to = ip6(rows[i].destination), source, wanted;
            enum assay_error error = net_source(net, &to, &source);

            assert_int_equal(error, used && rows[i].source ? ASSAY_OK : ASSAY_ERR_UNRESOLVED);
            if (!used || rows[i].source == NULL)
                continue;
            wanted = ip6(rows[i].source);
            if (!address_equal(&source, &wanted))
                fail_msg("%s", rows[i].destination);
        }
        use_all(net);
    }
    net_destroy(net);
}

static void counts_the_sources_of_a_subnet(void **state)
{
    struct fixture *f = *state;
    struct setup s = good(f);
    struct assay_address to = ip6("2001:db8:1::77"), first = ip6("2001:db8:1::10"), second = ip6("2001:db8:1::11");
    struct assay_address sources[NET_ADDRESSES_MAX];
    struct net *net;

    assert_int_equal(create(f, &s, &net), ASSAY_OK);
    assert_int_equal(net_sources(net, &to, sources, NET_ADDRESSES_MAX), 0); /* none is in use yet */
    use_all(net);
    assert_int_equal(net_sources(net, &to, sources, NET_ADDRESSES_MAX), 2);
    assert_true(address_equal(&sources[0], &first) && address_equal(&sources[1], &second));
    assert_int_equal(net_sources(net, &to, sources, 1), 1);
    to = ip6("2001:db8:a:1::77");
    assert_int_equal(net_sources(net, &to, sources, NET_ADDRESSES_MAX), 1);
    net_destroy(net);
}

static void an_unused_address_is_no_source(void **state)
{
    struct fixture *f = *state;
    struct setup s = good(f);
    struct assay_address to = ip6("2001:db8:1::77"), wanted = ip6("2001:db8:1::11"), source;
    struct net *net;

    assert_int_equal(create(f, &s, &net), ASSAY_OK);
    use_all(net);
    net->ports[0].addresses6[1].state = ADDRESS6_DUPLICATE;
    assert_int_equal(net_source(net, &to, &source), ASSAY_OK);
    assert_true(address_equal(&source, &wanted));
    to = ip6("2001:db8:1::10");
    assert_false(net_is_local(net, &to));
    assert_true(net_is_local(net, &wanted));
    net_destroy(net);
}

/* With a gateway that is only link-local, the destination decides (RFC 6724 §5 rule 8). */
static void the_longest_common_prefix_decides(void **state)
{
    struct fixture *f = *state;
    struct setup s = good(f);
    struct assay_address to = ip6("2001:db8:b::1"), wanted = ip6("2001:db8:a::10"), source;
    struct net *net;

    s.addresses[0][2].prefix_length = 64;
    s.routes[0].gateway = ip6("fe80::1");
    assert_int_equal(create(f, &s, &net), ASSAY_OK);
    use_all(net);
    assert_int_equal(net_source(net, &to, &source), ASSAY_OK);
    assert_true(address_equal(&source, &wanted));
    net_destroy(net);
}

static void knows_its_groups_and_its_link(void **state)
{
    struct fixture *f = *state;
    struct setup s = good(f);
    struct assay_address link_local = ip6("fe80::ff:fe00:10");
    struct net_port *port;
    struct net *net;

#define IN_GROUP(text) port6_in_group(port, (struct assay_address[]){ip6(text)})
#define ON_LINK(text)  port6_is_on_link(port, (struct assay_address[]){ip6(text)})
    assert_int_equal(create(f, &s, &net), ASSAY_OK);
    port = &net->ports[0];
    assert_int_equal(port->addresses6_count, 4);
    assert_true(address_equal(&port->addresses6[0].address, &link_local));
    assert_true(IN_GROUP("ff02::1") && IN_GROUP("ff02::1:ff00:10") && IN_GROUP("ff02::1:ff00:11"));
    assert_false(IN_GROUP("ff02::1:ff00:12"));
    assert_false(IN_GROUP("ff02::2"));
    assert_false(IN_GROUP("ff05::1"));
    assert_true(ON_LINK("fe80::77") && ON_LINK("2001:db8:1::1") && ON_LINK("2001:db8:a:ffff::1"));
    assert_false(ON_LINK("2001:db8:1:1::1"));
    assert_false(ON_LINK("fe80:1::77"));
    port->addresses6_count = 0;
    assert_false(IN_GROUP("ff02::1"));
    net_destroy(net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refuses_what_cannot_be),
        TEST(chooses_the_source_by_the_route),
        TEST(counts_the_sources_of_a_subnet),
        TEST(an_unused_address_is_no_source),
        TEST(the_longest_common_prefix_decides),
        TEST(knows_its_groups_and_its_link),
    };

    return cmocka_run_group_tests(tests, fixture_setup_group, fixture_teardown_group);
}
