/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "access/access.h"
#include "access/clients.h"
#include "base/rcu.h"
#include "x509/store.h"
#include "x509/verify.h"

static struct x509_policy policy;
static struct trust_scope scope = {.name = "global"};
static struct trust_section trust = {.epoch = 1, .revision = 1, .scope_count = 1, .scopes = &scope};
static struct access_section access_rules = {.epoch = 1};
static struct credential_section credentials = {.epoch = 1};
static struct route_listener listener = {.port = 8080};
static const struct route_domain domain = {.domain = "steven.lab"};
static struct fixture fixture = {
    .settings = {.via_name = "assay",
                 .head_max_bytes = 16384,
                 .target_max_bytes = 8192,
                 .fields_max = 100,
                 .handshakes_max = 8,
                 .clients_max = 64,
                 .origin_connections_max = 64,
                 .client_handshake_us = 20000000,
                 .client_head_us = 20000000,
                 .client_idle_us = 20000000,
                 .client_body_us = 20000000,
                 .client_send_us = 20000000,
                 .origin_connect_us = 20000000,
                 .origin_head_us = 20000000,
                 .origin_body_us = 20000000,
                 .origin_idle_us = 20000000,
                 .log_requests = true},
    .route = {.epoch = 1, .listener_count = 1, .listeners = &listener, .domain_count = 1, .domains = &domain}};

uint64_t fixture_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* --- what runs ------------------------------------------------------------------------------------------------------------ */

static void make_rules(uint32_t cores, const char *const *origins, size_t count)
{
    struct access_builder *builder = access_builder_create();
    struct access_set *set;
    const char *fault;
    char url[64];

    for (size_t i = 0; i < count; i++) {
        struct access_rule rule = {.url = url, .deployment = "1", .match = ACCESS_MATCH_PREFIX, .description = ""};

        snprintf(url, sizeof(url), "http://%s:8000/", origins[i]);
        assert_int_equal(access_builder_add(builder, &rule, &fault), ASSAY_OK);
    }
    assert_int_equal(access_builder_finish(builder, cores, &set), ASSAY_OK);
    access_builder_free(builder);
    access_rules.rules = set;
}

struct fixture *fixture_start(const char *name, uint32_t cores, uint32_t mbufs, const char *const *origins,
                              size_t count)
{
    struct access_clients *any;

    rig_start(name);
    fixture.pools = rig_pools_create("cores", mbufs);
    x509_policy_default(&policy);
    scope.policy = &policy;
    scope.store = x509_store_create();
    listener.address = rig_address(FIXTURE_PROXY);
    assert_int_equal(access_clients_create(NULL, 0, true, NULL, 0, &any), ASSAY_OK);
    listener.clients = any;
    make_rules(cores, origins, count);
    for (uint64_t i = 0; i < 2; i++)
        fixture.snapshots[i] = (struct snapshot){.generation = i + 1,
                                                 .settings = &fixture.settings,
                                                 .trust = &trust,
                                                 .access = &access_rules,
                                                 .credentials = &credentials,
                                                 .route = &fixture.route};
    atomic_store(&fixture.shared.snapshot, &fixture.snapshots[0]);
    assert_int_equal(rcu_create(cores, &fixture.shared.rcu), ASSAY_OK);
    return &fixture;
}

void fixture_stop(void)
{
    rcu_destroy(fixture.shared.rcu);
    x509_store_free((struct x509_store *)(uintptr_t)scope.store);
    access_set_free((struct access_set *)(uintptr_t)access_rules.rules);
    access_clients_free((struct access_clients *)(uintptr_t)listener.clients);
    rig_pools_free(&fixture.pools);
}

/* --- cores ------------------------------------------------------------------------------------------------------------------ */

void fixture_core_defaults(struct fixture_core_config *config, struct nic *nic)
{
    *config = (struct fixture_core_config){
        .core = {.cores = 1,
                 .shared = &fixture.shared,
                 .packet_pool = fixture.pools.packet,
                 .payload_pool = fixture.pools.payload,
                 .indirect_pool = fixture.pools.indirect,
                 .clients_max = 64,
                 .origins_max = 8,
                 .verdicts_max = 16,
                 .heap_bytes = 16 << 20,
                 .log_ring_bytes = 65536},
        .address = {.address = rig_address(FIXTURE_PROXY), .prefix_length = FIXTURE_PREFIX},
        .port = {.nic = nic, .addresses_count = 1}};
    net_config_default(&config->net);
    config->net.ports_count = 1;
    config->net.pool = fixture.pools.packet;
    tcp_config_default(&config->tcp);
    config->tcp.time_wait_us = 1000;
}

struct core *fixture_core(struct fixture_core_config *config)
{
    const char *fault = NULL;
    struct core *core;

    config->port.addresses = &config->address;
    config->net.ports = &config->port;
    config->core.net = &config->net;
    config->core.tcp = &config->tcp;
    if (core_create(&config->core, &core, &fault) != ASSAY_OK)
        fail_msg("core: %s", fault);
    return core;
}

/* --- the other end ------------------------------------------------------------------------------------------------------------ */

void fixture_host_create(struct fixture_host *host, const char *const *addresses, size_t count,
                         uint32_t connections_max)
{
    struct net_address list[4];
    struct net_port_config port = {.nic = &host->nic, .addresses = list, .addresses_count = (uint16_t)count};
    struct assay_address origin = rig_address(FIXTURE_ORIGIN);
    struct net_config net;
    struct tcp_config tcp;

    assert_true(count <= 4);
    for (size_t i = 0; i < count; i++)
        list[i] = (struct net_address){.address = rig_address(addresses[i]), .prefix_length = FIXTURE_PREFIX};
    net_config_default(&net);
    net.ports = &port;
    net.ports_count = 1;
    net.pool = fixture.pools.packet;
    assert_int_equal(net_create(&net, &host->net), ASSAY_OK);
    tcp_config_default(&tcp);
    tcp.connections_max = connections_max;
    assert_int_equal(tcp_create(&tcp, fixture.pools.packet, fixture.pools.payload, fixture.pools.indirect,
                                fixture_now_us(), &host->tcp),
                     ASSAY_OK);
    assert_int_equal(tcp_listen(host->tcp, &origin, 8000, 0), ASSAY_OK);
}

void fixture_drain(struct nic *nic)
{
    struct rte_mbuf *packets[64];
    uint16_t n;

    while ((n = nic_rx(nic, packets, 64)) > 0)
        rte_pktmbuf_free_bulk(packets, n);
}

void fixture_host_free(struct fixture_host *host)
{
    tcp_destroy(host->tcp);
    net_destroy(host->net);
    fixture_drain(&host->nic);
    nic_close(&host->nic, 1);
}
